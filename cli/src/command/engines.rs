//! `tribunal engines`: what this program can decide with.

use std::io::Write;

use serde::Serialize;
use tribunal::core::engine::{Capabilities, Capability};

use crate::arguments::Format;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::{ruled_table, write_table};
use crate::terminal::{self, BOLD, DIM, plain};

/// List the engines: versions, capabilities, and the bounds each one holds.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How the list is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Serialize)]
struct Listed {
    engine: &'static str,
    built_in: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capabilities: Option<Capabilities>,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let registry = tribunal::registry();
    let listed: Vec<Listed> = registry
        .known()
        .map(|engine| {
            let factory = registry.get(engine);
            Listed {
                engine,
                built_in: factory.is_some(),
                version: factory.map(|factory| factory.info().version),
                capabilities: factory.map(|factory| factory.capabilities()),
            }
        })
        .collect();
    match args.format {
        Format::Json => terminal::print_json(&listed)?,
        Format::Text => write(&listed)?,
    }
    Ok(Exit::Success)
}

fn write(listed: &[Listed]) -> Result<(), Failure> {
    let mut out = terminal::stdout();
    let built_in: Vec<(&Listed, &Capabilities)> =
        listed.iter().filter_map(|engine| Some((engine, engine.capabilities.as_ref()?))).collect();
    if !built_in.is_empty() {
        let header: Vec<&str> =
            std::iter::once("capability").chain(built_in.iter().map(|(engine, _)| engine.engine)).collect();
        let mut table = ruled_table(&header);
        for capability in Capability::ALL {
            let has = built_in
                .iter()
                .map(|(_, capabilities)| if capabilities.has(capability) { "yes" } else { "—" });
            table.add_row(std::iter::once(capability.as_str()).chain(has).collect::<Vec<_>>());
        }
        write_table(&mut out, "", &table)?;
    }
    for engine in listed {
        writeln!(out)?;
        match (&engine.version, &engine.capabilities) {
            (Some(version), Some(capabilities)) => {
                writeln!(out, "{BOLD}{}{BOLD:#}  {}", engine.engine, plain(version))?;
                for bound in &capabilities.bounds {
                    writeln!(out, "  {}", plain(bound))?;
                }
            }
            _ => writeln!(out, "{BOLD}{}{BOLD:#}  {DIM}not built into this program{DIM:#}", engine.engine)?,
        }
    }
    Ok(())
}
