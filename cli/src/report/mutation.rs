//! Mutation reports, written in the formats that people and programs read.

use std::io::{self, Write};
use std::path::Path;

use tribunal_conformance::parity::{MutationReport, render};

use super::parity::{ReportFormat, pretty, write_as};
use crate::failure::Failure;
use crate::terminal;

/// The formats of a mutation report: it has no tests to count.
const FORMATS: [ReportFormat; 4] =
    [ReportFormat::Text, ReportFormat::Json, ReportFormat::Html, ReportFormat::Md];

/// That a format is none for this report.
pub(crate) fn check(formats: &[ReportFormat]) -> Result<(), Failure> {
    if formats.contains(&ReportFormat::Junit) {
        return Err(Failure::Usage("mutants are no tests: there is no JUnit report of them".to_owned()));
    }
    Ok(())
}

/// Writes a report to standard output, or into a folder and a summary to standard output.
pub(crate) fn write(
    report: &MutationReport,
    formats: &[ReportFormat],
    out: Option<&Path>,
) -> Result<(), Failure> {
    let render = |format: ReportFormat, out: &mut dyn Write| match format {
        ReportFormat::Text => render::mutation_text(report, out, Some(terminal::width().into())),
        ReportFormat::Json => pretty(report, out),
        ReportFormat::Html => render::mutation_html(report, out),
        ReportFormat::Md => render::mutation_markdown(report, out),
        ReportFormat::Junit => Err(io::Error::other("there is no JUnit report of mutants")),
    };
    write_as("mutation", &FORMATS, formats, out, render)
}
