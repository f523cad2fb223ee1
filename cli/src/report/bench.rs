//! Reports of measurements, written in the formats that people and programs read.

use std::io::{self, Write};
use std::path::Path;

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
}

impl BenchFormat {
    /// Every format.
    pub(crate) const ALL: [BenchFormat; 2] = [BenchFormat::Text, BenchFormat::Json];

    fn extension(self) -> &'static str {
        match self {
            BenchFormat::Text => "txt",
            BenchFormat::Json => "json",
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
    };
    let Some(folder) = out else {
        let format = formats.first().copied().unwrap_or(BenchFormat::Text);
        render(format, &mut terminal::stdout())?;
        return Ok(());
    };
    std::fs::create_dir_all(folder).map_err(|error| Failure::unwritable(folder, &error))?;
    for format in if formats.is_empty() { &BenchFormat::ALL } else { formats } {
        let path = folder.join(format!("bench.{}", format.extension()));
        let mut text = Vec::new();
        render(*format, &mut text)?;
        std::fs::write(&path, text).map_err(|error| Failure::unwritable(&path, &error))?;
    }
    render(BenchFormat::Text, &mut terminal::stdout())?;
    Ok(())
}
