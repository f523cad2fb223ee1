//! `tribunal schema`: the JSON Schemas of Tribunal's files.

use std::io::Write;

use clap::ValueEnum;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::schemas::Name;
use crate::terminal::{self, print_json};

/// Print a JSON Schema; without a name, the names there are.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which one.
    #[arg(value_enum, ignore_case = true)]
    name: Option<Name>,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    match args.name {
        Some(name) => print_json(&name.schema(&tribunal::registry()))?,
        None => {
            let mut out = terminal::stdout();
            for value in Name::value_variants().iter().filter_map(ValueEnum::to_possible_value) {
                let help = value.get_help().map(ToString::to_string).unwrap_or_default();
                writeln!(out, "{:<19}  {help}", value.get_name())?;
            }
        }
    }
    Ok(Exit::Success)
}
