//! A table of figures for each subject, for spreadsheets and for whoever counts otherwise.

use std::io::{self, Write};

use super::data::{BenchReport, Problem};

const HEADER: [&str; 20] = [
    "measurement",
    "model",
    "pack",
    "axis",
    "value",
    "unit",
    "turn",
    "load",
    "samples",
    "min",
    "mean",
    "p50",
    "mad",
    "p90",
    "p99",
    "p99.9",
    "max",
    "version",
    "tribunal",
    "problem",
];

/// Writes what was measured of one subject, a line for each process; of all, if none is named.
///
/// # Errors
/// What `out` fails with.
pub fn csv(report: &BenchReport, subject: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    line(out, ["subject"].into_iter().chain(HEADER).map(str::to_owned))?;
    for row in &report.rows {
        let pack = report.packs.get(row.pack).map_or("", |pack| pack.name.as_str());
        for entry in row.entries.iter().filter(|entry| subject.is_none_or(|wanted| wanted == entry.subject)) {
            let version = report.subject(&entry.subject).and_then(|subject| subject.version.clone());
            let problem = match (&entry.problem, &row.void) {
                (_, Some(void)) => {
                    format!("void: {} and {} disagree on {}", void.first.0, void.second.0, void.name)
                }
                (Some(Problem::Unavailable(why)), None) => why.to_string(),
                (Some(Problem::Disagrees(found)), None) => {
                    format!("disagrees with {} on {}", found.first.0, found.name)
                }
                (Some(Problem::Changed(what)), None) => format!("answers change: {what}"),
                (None, None) => String::new(),
            };
            let begins = [
                entry.subject.clone(),
                row.measurement.clone(),
                row.model.as_str().to_owned(),
                pack.to_owned(),
                row.point.map_or_else(String::new, |point| point.axis.as_str().to_owned()),
                row.point.map_or_else(String::new, |point| point.value.to_string()),
                row.unit.as_str().to_owned(),
            ];
            let ends = [version.unwrap_or_default(), report.run.tribunal.clone(), problem];
            let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
            for process in &entry.processes {
                let figures = &process.figures;
                let middle = [
                    process.turn.to_string(),
                    number(process.load),
                    figures.samples.to_string(),
                    number(Some(figures.min)),
                    number(Some(figures.mean)),
                    number(Some(figures.p50)),
                    number(Some(figures.mad)),
                    number(Some(figures.p90)),
                    number(figures.p99),
                    number(figures.p999),
                    number(Some(figures.max)),
                ];
                line(out, begins.iter().chain(&middle).chain(&ends).cloned())?;
            }
            // Errors stay in the table.
            if entry.processes.is_empty() {
                let middle = [const { String::new() }; 11];
                line(out, begins.iter().chain(&middle).chain(&ends).cloned())?;
            }
        }
    }
    Ok(())
}

/// A line with its cells quoted where they have to be (RFC 4180).
fn line(out: &mut dyn Write, cells: impl Iterator<Item = String>) -> io::Result<()> {
    let quoted = cells.map(|cell| {
        let cell = cell.replace(['\r', '\n'], " ");
        // A spreadsheet would take these for a formula.
        let cell = if cell.starts_with(['=', '+', '@']) { format!("'{cell}") } else { cell };
        if cell.contains([',', '"']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
    });
    writeln!(out, "{}", quoted.collect::<Vec<_>>().join(","))
}

/// The name of a subject's file: what a file system takes everywhere.
pub fn file_name(subject: &str) -> String {
    let safe = |char: char| if char.is_ascii_alphanumeric() || char == '-' { char } else { '-' };
    format!("{}.csv", subject.chars().map(safe).collect::<String>())
}
