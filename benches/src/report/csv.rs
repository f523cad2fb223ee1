//! A table of figures for each subject, for spreadsheets and for whoever counts otherwise.

use std::io::{self, Write};

use super::data::{BenchReport, Entry, Point, Problem, Process, Row};
use crate::statistics::Quantile;

const HEADER: [&str; 28] = [
    "measurement",
    "model",
    "pack",
    "axis",
    "value",
    "size",
    "requests",
    "part",
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
    "engine",
    "version",
    "tribunal",
    "revision",
    "machine",
    "started",
    "command",
    "problem",
];

/// Writes what was measured of one subject, or of all if none is named: a line for each process, and one for each part of
/// its figure (a stage, the memory before and after), which the column `part` names.
///
/// # Errors
/// What `out` fails with.
pub fn csv(report: &BenchReport, subject: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    line(out, ["subject"].into_iter().chain(HEADER).map(str::to_owned))?;
    for row in &report.rows {
        for entry in row.entries.iter().filter(|entry| subject.is_none_or(|wanted| wanted == entry.subject)) {
            let ends = ends(report, row, entry);
            let mut write = |part: &str, middle: [String; 11]| {
                line(out, begins(report, row, entry, part).iter().chain(&middle).chain(&ends).cloned())
            };
            for process in &entry.processes {
                write("", of_process(process))?;
                for (part, value) in &process.figures.parts {
                    write(part, of_part(process, *value))?;
                }
            }
            // Errors stay in the table.
            if entry.processes.is_empty() {
                write("", [const { String::new() }; 11])?;
            }
        }
    }
    Ok(())
}

/// What a line is about.
fn begins(report: &BenchReport, row: &Row, entry: &Entry, part: &str) -> [String; 10] {
    let of_point = |shown: &dyn Fn(Point) -> String| row.point.map_or_else(String::new, shown);
    [
        entry.subject.clone(),
        row.measurement.clone(),
        row.model.as_str().to_owned(),
        report.packs.get(row.pack).map_or_else(String::new, |pack| pack.name.clone()),
        of_point(&|point| point.axis.as_str().to_owned()),
        of_point(&|point| point.value.to_string()),
        of_point(&|point| point.size().to_string()),
        row.requests.to_string(),
        part.to_owned(),
        row.unit.as_str().to_owned(),
    ]
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// The figures of a process.
fn of_process(process: &Process) -> [String; 11] {
    let figures = &process.figures;
    [
        process.turn.to_string(),
        number(process.load),
        figures.samples.to_string(),
        number(Some(figures.min)),
        number(Some(figures.mean)),
        number(Quantile::P50.of(figures)),
        number(Some(figures.mad)),
        number(Quantile::P90.of(figures)),
        number(figures.p99),
        number(figures.p999),
        number(Some(figures.max)),
    ]
}

/// A part of its figure, which is a median and nothing else.
fn of_part(process: &Process, value: f64) -> [String; 11] {
    let none = String::new;
    let (turn, load, median) = (process.turn.to_string(), number(process.load), number(Some(value)));
    [turn, load, none(), none(), none(), median, none(), none(), none(), none(), none()]
}

/// Of whom, by what program and where.
fn ends(report: &BenchReport, row: &Row, entry: &Entry) -> [String; 8] {
    let run = &report.run;
    let subject = report.subject(&entry.subject);
    let machine = &run.machine;
    let processor = machine.processor.as_deref().unwrap_or("unknown processor");
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
    [
        subject.map_or_else(String::new, |subject| subject.engine.clone()),
        subject.and_then(|subject| subject.version.clone()).unwrap_or_default(),
        run.tribunal.clone(),
        run.revision.clone().unwrap_or_default(),
        format!("{}, {processor}, {} threads", machine.system, machine.threads),
        run.started.clone(),
        run.command.clone(),
        problem,
    ]
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
