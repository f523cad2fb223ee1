//! Reports of measurements, written in the formats that people and programs read.

use std::io::{self, Write};
use std::path::Path;

use tribunal_benches::report::csv::file_name;
use tribunal_benches::report::{self, BenchReport};

use crate::failure::Failure;
use crate::report::parity::pretty;
use crate::terminal;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum BenchFormat {
    /// For a terminal.
    Text,
    /// For programs, and to write the others from.
    Json,
    /// For spreadsheets; with --out a file for each subject.
    Csv,
    /// For a pull request.
    Md,
    /// One page for a browser, with plots.
    Html,
}

impl BenchFormat {
    /// Every format.
    pub(crate) const ALL: [BenchFormat; 5] = {
        use BenchFormat::*;
        [Text, Json, Csv, Md, Html]
    };

    fn extension(self) -> &'static str {
        match self {
            BenchFormat::Text => "txt",
            BenchFormat::Json => "json",
            BenchFormat::Csv => "csv",
            BenchFormat::Md => "md",
            BenchFormat::Html => "html",
        }
    }
}

/// Writes a report as JSON, from which all others can be written.
pub(crate) fn json(report: &BenchReport, out: &mut dyn Write) -> io::Result<()> {
    pretty(report, out)
}

/// Writes a report to standard output, or into a folder and a summary to standard output.
pub(crate) fn write(
    report: &BenchReport,
    formats: &[BenchFormat],
    out: Option<&Path>,
) -> Result<(), Failure> {
    let render = |format: BenchFormat, out: &mut dyn Write| match format {
        BenchFormat::Text => report::text(report, out, Some(terminal::width())),
        BenchFormat::Json => json(report, out),
        BenchFormat::Csv => report::csv(report, None, out),
        BenchFormat::Md => report::markdown(report, out),
        BenchFormat::Html => report::html(report, out),
    };
    let unwritable = |path: &Path, error: &io::Error| Failure::unwritable(path, error);
    let Some(folder) = out else {
        let format = formats.first().copied().unwrap_or(BenchFormat::Text);
        render(format, &mut terminal::stdout())?;
        return Ok(());
    };
    std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    for format in if formats.is_empty() { &BenchFormat::ALL } else { formats } {
        let path = folder.join(format!("bench.{}", format.extension()));
        let mut text = Vec::new();
        render(*format, &mut text)?;
        std::fs::write(&path, text).map_err(|error| unwritable(&path, &error))?;
        if *format == BenchFormat::Csv {
            for subject in &report.subjects {
                let path = folder.join(file_name(&subject.name));
                let mut text = Vec::new();
                report::csv(report, Some(&subject.name), &mut text)?;
                std::fs::write(&path, text).map_err(|error| unwritable(&path, &error))?;
            }
        }
    }
    render(BenchFormat::Text, &mut terminal::stdout())?;
    Ok(())
}
