//! Parity reports, written in the formats that people and programs read.

use std::io::{self, Write};
use std::path::Path;

use tribunal::LoadErrors;
use tribunal::files::read_file;
use tribunal_conformance::parity::{ParityReport, render};

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

impl ReportFormat {
    /// Every format.
    pub(crate) const ALL: [ReportFormat; 5] = {
        use ReportFormat::*;
        [Text, Json, Html, Md, Junit]
    };

    /// The extension of its file.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            ReportFormat::Text => "txt",
            ReportFormat::Json => "json",
            ReportFormat::Html => "html",
            ReportFormat::Md => "md",
            ReportFormat::Junit => "junit.xml",
        }
    }
}

/// Reads a report from its JSON.
pub(crate) fn read(file: &Path) -> Result<ParityReport, Failure> {
    let text = read_file(file).map_err(LoadErrors::from)?;
    render::read_json(&text).map_err(|error| Failure::Input(format!("{}: {error}", file.display())))
}

/// Writes a report to standard output, or into a folder and a summary to standard output.
pub(crate) fn write(
    report: &ParityReport,
    formats: &[ReportFormat],
    out: Option<&Path>,
) -> Result<(), Failure> {
    let render = |format: ReportFormat, out: &mut dyn Write| match format {
        ReportFormat::Text => render::text(report, out, Some(terminal::width().into())),
        ReportFormat::Json => pretty(report, out),
        ReportFormat::Html => render::html(report, out),
        ReportFormat::Md => render::markdown(report, out),
        ReportFormat::Junit => render::junit(report, out),
    };
    write_as("parity", &ReportFormat::ALL, formats, out, render)
}

/// A value as JSON that people can read too.
pub(crate) fn pretty(value: &impl serde::Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    out.write_all(b"\n")
}

/// Writes a report in the formats wanted: one to standard output; or all of them, or those named, into a folder.
pub(crate) fn write_as(
    name: &str,
    all: &[ReportFormat],
    formats: &[ReportFormat],
    out: Option<&Path>,
    render: impl Fn(ReportFormat, &mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let Some(folder) = out else {
        let format = formats.first().copied().unwrap_or(ReportFormat::Text);
        render(format, &mut terminal::stdout())?;
        return Ok(());
    };
    std::fs::create_dir_all(folder).map_err(|error| Failure::unwritable(folder, &error))?;
    for format in if formats.is_empty() { all } else { formats } {
        let path = folder.join(format!("{name}.{}", format.extension()));
        let mut text = Vec::new();
        render(*format, &mut text)?;
        std::fs::write(&path, text).map_err(|error| Failure::unwritable(&path, &error))?;
    }
    render(ReportFormat::Text, &mut terminal::stdout())?;
    Ok(())
}
