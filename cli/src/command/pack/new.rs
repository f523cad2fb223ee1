//! `tribunal pack new`: a small pack that works, to start from.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::{self, plain};

/// Write a small pack that works on every engine, to start from.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The pack's name, in lower case with hyphens; or a path to a folder of that name. It must not be there yet.
    #[arg(value_name = "NAME")]
    folder: PathBuf,
}

/// Stands for the pack's name in the template. No Rego has it: the built module fits every pack made from here.
const NAME: &str = "{{name}}";

/// The template's files.
const FILES: [(&str, &[u8]); 13] = [
    ("README.md", include_bytes!("../../../templates/pack/README.md")),
    ("pack.yaml", include_bytes!("../../../templates/pack/pack.yaml")),
    ("input.schema.json", include_bytes!("../../../templates/pack/input.schema.json")),
    ("data.json", include_bytes!("../../../templates/pack/data.json")),
    ("data.schema.json", include_bytes!("../../../templates/pack/data.schema.json")),
    ("policy.rego", include_bytes!("../../../templates/pack/policy.rego")),
    ("policy.wasm", include_bytes!("../../../templates/pack/policy.wasm")),
    ("pack.lock", include_bytes!("../../../templates/pack/pack.lock")),
    ("policy.cedar", include_bytes!("../../../templates/pack/policy.cedar")),
    ("schema.cedarschema", include_bytes!("../../../templates/pack/schema.cedarschema")),
    ("entities.json", include_bytes!("../../../templates/pack/entities.json")),
    ("policy.biscuit", include_bytes!("../../../templates/pack/policy.biscuit")),
    ("cases/decisions.yaml", include_bytes!("../../../templates/pack/cases/decisions.yaml")),
];

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let name = args.folder.file_name().and_then(|name| name.to_str()).filter(|name| is_name(name)).ok_or_else(|| {
        Failure::Usage(format!(
            "`{}` does not end in a pack's name: use lower-case letters and digits, with hyphens between words",
            args.folder.display()
        ))
    })?;
    // The folder is made, never filled: nothing that is there can be overwritten.
    fs::create_dir(&args.folder).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::Input(format!("`{}` is there already", args.folder.display()))
        }
        _ => Failure::unwritable(&args.folder, &error),
    })?;
    for (path, content) in FILES {
        write(&args.folder.join(path), &filled(content, name))?;
    }
    let shown = args.folder.display().to_string();
    let shown = plain(&shown);
    let mut out = terminal::stdout();
    writeln!(out, "{shown}: written. Next:")?;
    writeln!(out, "  tribunal pack test {shown}")?;
    writeln!(out, "  tribunal pack build {shown}    after every change to policy.rego; needs OPA")?;
    Ok(Exit::Success)
}

fn is_name(name: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    name.split('-').all(is_word)
}

fn filled(content: &[u8], name: &str) -> Vec<u8> {
    match std::str::from_utf8(content) {
        Ok(text) => text.replace(NAME, name).into_bytes(),
        Err(_) => content.to_vec(),
    }
}

fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, content));
    written.map_err(|error| Failure::unwritable(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_a_manifest_may_have() {
        for name in ["a", "tool-allowlist", "a1-2b"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "-", "a-", "-a", "a--b", "A", "a_b", "ä", "a b", ".."] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn what_is_compiled_does_not_know_the_name() {
        for (path, content) in
            FILES.iter().filter(|(path, _)| path.ends_with(".rego") || path.ends_with(".wasm"))
        {
            assert_eq!(filled(content, "other"), *content, "{path}");
        }
    }
}
