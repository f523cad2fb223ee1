//! `tribunal pack new`: a pack that works, to start from.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use tribunal::core::pack::PackFiles;

use super::build;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::template;
use crate::terminal::{self, plain};

/// Write a pack that works, to start from: a small one, or any that ships with this program under another name.
///
/// What Rego of a shipped pack was compiled to knows that pack's name. It is compiled anew where OPA is found; elsewhere the
/// new pack decides on every other engine, until `tribunal pack build` has been run.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The pack's name, in lower case with hyphens; or a path to a folder of that name. It must not be there yet.
    #[arg(value_name = "NAME")]
    folder: PathBuf,
    /// The pack to start from; `tribunal pack list` shows them.
    #[arg(long, value_name = "NAME", default_value = template::STARTER.name)]
    template: String,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let name = args.folder.file_name().and_then(|name| name.to_str()).filter(|name| is_name(name)).ok_or_else(|| {
        Failure::Usage(format!(
            "`{}` does not end in a pack's name: use lower-case letters and digits, with hyphens between words",
            args.folder.display()
        ))
    })?;
    let template = template::find(&args.template).map_err(Failure::Usage)?;
    let files = template.files(name, &tribunal::registry())?;
    // The folder is made, never filled: nothing that is there can be overwritten.
    fs::create_dir(&args.folder).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::Input(format!("`{}` is there already", args.folder.display()))
        }
        _ => Failure::unwritable(&args.folder, &error),
    })?;
    for path in files.paths() {
        let content = files.get(path).map_or(&[][..], |content| content);
        write(&args.folder.join(path), content)?;
    }
    let is_built = !wants_build(&files) || build::run_if_possible(&args.folder)?;
    let shown = args.folder.display().to_string();
    let shown = plain(&shown);
    let mut out = terminal::stdout();
    writeln!(out, "{shown}: written. Next:")?;
    if is_built {
        writeln!(out, "  tribunal pack test {shown}")?;
        writeln!(out, "  tribunal pack build {shown}    after every change to policy.rego; needs OPA")?;
    } else {
        writeln!(
            out,
            "  tribunal pack build {shown}    needs OPA, which was not found; until then `rego-wasm` refuses the pack"
        )?;
        writeln!(out, "  tribunal pack test {shown}")?;
    }
    Ok(Exit::Success)
}

/// Whether the pack has Rego and no module of it.
fn wants_build(files: &PackFiles) -> bool {
    files.rego_sources().next().is_some() && files.get("policy.wasm").is_none()
}

fn is_name(name: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    name.split('-').all(is_word)
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
}
