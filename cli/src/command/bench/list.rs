//! `tribunal bench list`: what can be measured.

use std::io::Write;

use tribunal_benches::definition::EMBEDDED;
use tribunal_benches::model::Model;
use tribunal_benches::subject::Catalogue;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::{plain_table, write_table};
use crate::terminal::{self, BOLD};

/// What can be measured: definitions, models and subjects.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> Result<Exit, Failure> {
    let catalogue = Catalogue::new(&tribunal::registry());
    let mut out = terminal::stdout();
    writeln!(out, "{BOLD}definitions{BOLD:#}, for --definition; any other name is a file")?;
    let mut table = plain_table(&["name", "what for"]);
    for (name, _, about) in EMBEDDED {
        table.add_row([name, about]);
    }
    write_table(&mut out, "  ", &table)?;
    writeln!(out, "\n{BOLD}models{BOLD:#}")?;
    let mut table = plain_table(&["name", "what is measured"]);
    for model in Model::ALL {
        table.add_row([model.as_str(), model.about()]);
    }
    write_table(&mut out, "  ", &table)?;
    writeln!(out, "\n{BOLD}subjects{BOLD:#}")?;
    let mut table = plain_table(&["name", "kind", "what is timed"]);
    for candidate in catalogue.iter() {
        table.add_row([candidate.name(), candidate.kind().as_str(), candidate.about()]);
    }
    write_table(&mut out, "  ", &table)?;
    Ok(Exit::Success)
}
