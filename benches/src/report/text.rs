//! The report for a terminal.

use std::io::{self, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use tribunal_conformance::escape::plain;

use super::data::{BenchReport, Entry, Problem, Row};
use super::figures::{percent, quantity, size, three, times, verdict};
use crate::statistics::{Quantile, exponent};

/// Writes the report in so many columns.
///
/// # Errors
/// What `out` fails with.
pub fn text(report: &BenchReport, out: &mut dyn Write, width: Option<u16>) -> io::Result<()> {
    for rows in report.measurements() {
        measurement(report, &rows, out, width)?;
        writeln!(out)?;
    }
    for found in crate::run::disagreements(report) {
        writeln!(out, "disagreement on `{}` ({}):", plain(&found.name), found.differs)?;
        for (name, said) in [&found.first, &found.second] {
            writeln!(out, "  {}: {}", plain(name), plain(said))?;
        }
        writeln!(out, "  request: {}", plain(&found.request.to_string()))?;
    }
    Ok(())
}

fn measurement(
    report: &BenchReport,
    rows: &[&Row],
    out: &mut dyn Write,
    width: Option<u16>,
) -> io::Result<()> {
    let Some(first) = rows.first() else { return Ok(()) };
    let pack = report.packs.get(first.pack);
    let pack =
        pack.map_or_else(String::new, |pack| format!("{} {}", plain(&pack.name), plain(&pack.version)));
    writeln!(
        out,
        "{} · {} · {pack} · {} requests",
        plain(&first.measurement),
        first.model.about(),
        first.requests
    )?;
    let mut shown = table(width);
    if first.point.is_some() {
        scaling(rows, &mut shown);
    } else {
        figures(report, first, &mut shown);
    }
    if shown.row_iter().next().is_some() {
        writeln!(out, "{shown}")?;
    }
    for row in rows {
        if row.void.is_some() {
            writeln!(out, "void: engines disagree")?;
        }
        for entry in &row.entries {
            if let Some(problem) = &entry.problem {
                writeln!(out, "{}: {}", plain(&entry.subject), plain(&said(problem)))?;
            }
        }
    }
    Ok(())
}

/// A table as all of them are.
fn table(width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(width) = width {
        table.set_width(width);
    }
    table
}

fn numbers_to_the_right(table: &mut Table) {
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

fn figures(report: &BenchReport, row: &Row, shown: &mut Table) {
    let has = |quantile: Quantile| {
        row.entries
            .iter()
            .filter_map(|entry| entry.summary.as_ref())
            .any(|summary| summary.at(quantile).is_some())
    };
    let quantiles: Vec<Quantile> = [Quantile::P50, Quantile::P90, Quantile::P99, Quantile::P999]
        .into_iter()
        .filter(|quantile| has(*quantile) && (row.model.takes_time() || *quantile == Quantile::P50))
        .collect();
    let against = format!("p50 over {}", report.baseline);
    let header = ["subject".to_owned()]
        .into_iter()
        .chain(quantiles.iter().map(|quantile| quantile.as_str().to_owned()))
        .chain(["spread".to_owned(), against, String::new()]);
    shown.set_header(header);
    for entry in row.entries.iter().filter(|_| row.void.is_none()) {
        let Some(summary) = &entry.summary else { continue };
        let mut cells = vec![plain(&entry.subject).into_owned()];
        for quantile in &quantiles {
            cells.push(summary.at(*quantile).map_or_else(String::new, |value| quantity(value, row.unit)));
        }
        cells.push(percent(summary.spread));
        let (shown_ratio, word) = compared(report, row, entry);
        cells.extend([shown_ratio, word]);
        shown.add_row(cells);
    }
    numbers_to_the_right(shown);
}

fn compared(report: &BenchReport, row: &Row, entry: &Entry) -> (String, String) {
    if entry.subject == report.baseline {
        return ("1".to_owned(), String::new());
    }
    match row.ratio(&entry.subject, &report.baseline, Quantile::P50) {
        Some(ratio) => (times(&ratio), verdict(&ratio, row.unit).to_owned()),
        None => (String::new(), String::new()),
    }
}

/// A line for each subject, a column for each size.
fn scaling(rows: &[&Row], shown: &mut Table) {
    let Some(axis) = rows.iter().find_map(|row| Some(row.point?.axis)) else { return };
    let columns = rows.iter().map(|row| row.point.map_or_else(String::new, |point| size(axis, point.value)));
    let header = [format!("subject, by {}", axis.as_str())].into_iter().chain(columns);
    shown.set_header(header.chain(["exponent".to_owned(), "last step".to_owned(), "over all".to_owned()]));
    let mut subjects: Vec<&str> = Vec::new();
    for entry in rows.iter().flat_map(|row| &row.entries) {
        if entry.summary.is_some() && !subjects.contains(&entry.subject.as_str()) {
            subjects.push(&entry.subject);
        }
    }
    for subject in subjects {
        let mut cells = vec![plain(subject).into_owned()];
        let mut points = Vec::new();
        for row in rows {
            let summary = row.entry(subject).and_then(|entry| entry.summary.as_ref());
            if let (Some(summary), Some(point)) = (summary, row.point) {
                points.push((point.value as f64, summary.p50));
            }
            cells.push(summary.map_or_else(|| "–".to_owned(), |summary| quantity(summary.p50, row.unit)));
        }
        match exponent(&points) {
            Some(growth) => cells.extend([
                format!("{:.2}", growth.overall),
                format!("{:.2}", growth.last),
                format!("{} ×", three(growth.factor)),
            ]),
            None => cells.extend([const { String::new() }; 3]),
        }
        shown.add_row(cells);
    }
    numbers_to_the_right(shown);
}

/// A problem in a sentence.
pub(super) fn said(problem: &Problem) -> String {
    match problem {
        Problem::Unavailable(why) => why.to_string(),
        Problem::Disagrees(found) => {
            format!("left out: it disagrees with `{}` on `{}`", found.first.0, found.name)
        }
        Problem::Changed(what) => format!("left out: its answers change: {what}"),
    }
}
