//! `tribunal pack list`: the packs there are, with what each engine can do.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use tribunal::core::pack::{PackSource, TokenMode};
use tribunal::files::read_pack;
use tribunal::{LoadErrors, Registry};
use tribunal_conformance::Suite;

use super::packs_in;
use crate::arguments::Format;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::template;
use crate::terminal::{self, BOLD, DIM, GREEN, RED, YELLOW, plain};

/// List packs with what each engine can do: those that `pack new --template` starts from, or those in folders.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Packs, and folders of packs; without any, the packs that ship with this program.
    packs: Vec<PathBuf>,
    /// How they are written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// One pack.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Listed {
    name: String,
    version: String,
    description: String,
    /// Where it is; absent for one that ships with this program.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// What each engine can do with it.
    engines: BTreeMap<String, Ability>,
    token: TokenMode,
    /// What the host derives for it: the members, and by which function.
    derive: BTreeMap<String, String>,
    /// The controls it serves.
    controls: Vec<String>,
    /// How many cases say what it decides.
    cases: usize,
}

/// What an engine can do with a pack.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "state", content = "reason", rename_all = "snake_case")]
pub(crate) enum Ability {
    /// Decide.
    Offered,
    /// Decide once something has been built.
    NeedsBuild(String),
    /// Nothing, for this reason.
    Unsupported(String),
    /// Nothing: the manifest does not mention it.
    NotOffered,
    /// Decide, in a program that was built with it.
    NotBuiltIn,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let registry = tribunal::registry();
    let mut listed = Vec::new();
    let mut broken = Vec::new();
    let mut take = |found: Result<Listed, LoadErrors>| match found {
        Ok(pack) => listed.push(pack),
        Err(errors) => broken.push(errors),
    };
    if args.packs.is_empty() {
        for template in template::all() {
            take(template.source(&registry).and_then(|source| Listed::of(&source, None, &registry)));
        }
    }
    for path in &args.packs {
        for pack in packs_in(path)? {
            let shown = pack.display().to_string();
            let read = read_pack(&pack).and_then(|files| PackSource::read(&shown, files, &registry));
            take(read.and_then(|source| Listed::of(&source, Some(shown.clone()), &registry)));
        }
    }
    match args.format {
        Format::Json => terminal::print_json(&listed)?,
        Format::Text => write(&mut terminal::stdout(), &listed)?,
    }
    // One that cannot be read does not hide the others, and is no success.
    let exit = if broken.is_empty() { Exit::Success } else { Exit::Input };
    for errors in broken {
        Failure::from(errors).report();
    }
    Ok(exit)
}

impl Listed {
    fn of(source: &PackSource, path: Option<String>, registry: &Registry) -> Result<Self, LoadErrors> {
        let manifest = &source.manifest;
        let engines = registry.known().map(|id| (id.to_owned(), Ability::of(source, id, registry)));
        let function = |spec| match serde_json::to_value(spec) {
            Ok(serde_json::Value::Object(members)) => members.keys().next().cloned(),
            Ok(other) => other.as_str().map(str::to_owned),
            Err(_) => None,
        };
        let derive = manifest
            .derive
            .iter()
            .map(|(name, spec)| (name.clone(), function(spec).unwrap_or_else(|| "unknown".to_owned())));
        Ok(Self {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            description: manifest.description.clone(),
            path,
            engines: engines.collect(),
            token: manifest.token,
            derive: derive.collect(),
            controls: manifest.controls.clone(),
            cases: Suite::read(source)?.cases.len(),
        })
    }
}

impl Ability {
    fn of(source: &PackSource, id: &str, registry: &Registry) -> Self {
        let manifest = &source.manifest;
        if let Some(reason) = manifest.unsupported.get(id) {
            return Ability::Unsupported(reason.clone());
        }
        if !manifest.engines.contains_key(id) {
            return Ability::NotOffered;
        }
        if registry.get(id).is_none() {
            return Ability::NotBuiltIn;
        }
        match unbuilt(source, id) {
            None => Ability::Offered,
            Some(why) => Ability::NeedsBuild(why),
        }
    }
}

/// Why an engine cannot decide before something has been built.
#[cfg(feature = "wasm")]
fn unbuilt(source: &PackSource, id: &str) -> Option<String> {
    use tribunal::wasm;
    if id != wasm::ID {
        return None;
    }
    let errors = wasm::is_built(source).err()?;
    errors.iter().next().map(|error| error.message.clone())
}

#[cfg(not(feature = "wasm"))]
fn unbuilt(_source: &PackSource, _id: &str) -> Option<String> {
    None
}

fn write(out: &mut dyn Write, packs: &[Listed]) -> io::Result<()> {
    for (index, pack) in packs.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        let (name, version) = (plain(&pack.name), plain(&pack.version));
        writeln!(out, "{BOLD}{name}{BOLD:#} {version}  {}", plain(&pack.description))?;
        if let Some(path) = &pack.path {
            writeln!(out, "  {DIM}{}{DIM:#}", plain(path))?;
        }
        for (engine, ability) in &pack.engines {
            let engine = plain(engine);
            match ability {
                Ability::Offered => writeln!(out, "  {engine:<12} {GREEN}offered{GREEN:#}")?,
                Ability::NeedsBuild(_) => {
                    writeln!(out, "  {engine:<12} {YELLOW}offered, once built{YELLOW:#}")?;
                }
                Ability::Unsupported(why) => {
                    writeln!(out, "  {engine:<12} {RED}not supported{RED:#}: {}", plain(why))?;
                }
                Ability::NotOffered => writeln!(out, "  {engine:<12} {DIM}not offered{DIM:#}")?,
                Ability::NotBuiltIn => {
                    writeln!(out, "  {engine:<12} {YELLOW}offered, not built into this program{YELLOW:#}")?;
                }
            }
        }
        let derived: Vec<String> =
            pack.derive.iter().map(|(name, function)| format!("{name} ({function})")).collect();
        for (label, list) in [("derives", derived), ("controls", pack.controls.clone())] {
            if !list.is_empty() {
                writeln!(out, "  {label:<12} {}", plain(&list.join(", ")))?;
            }
        }
        writeln!(out, "  {:<12} {}", "cases", pack.cases)?;
    }
    write_builds(out, packs)
}

/// What is to be done for every pack that waits for a build, told once for all of them.
fn write_builds(out: &mut dyn Write, packs: &[Listed]) -> io::Result<()> {
    let waits =
        |pack: &&Listed| pack.engines.values().any(|ability| matches!(ability, Ability::NeedsBuild(_)));
    let waiting: Vec<&Listed> = packs.iter().filter(waits).collect();
    if waiting.is_empty() {
        return Ok(());
    }
    let folders: Vec<String> =
        waiting.iter().filter_map(|pack| pack.path.as_deref()).map(|path| plain(path).to_string()).collect();
    let build = if folders.is_empty() {
        "`tribunal pack new` does, where it finds OPA; otherwise `tribunal pack build`".to_owned()
    } else {
        format!("tribunal pack build {}", folders.join(" "))
    };
    writeln!(out, "\n{YELLOW}to be built{YELLOW:#} ({}): {build}", waiting.len())
}
