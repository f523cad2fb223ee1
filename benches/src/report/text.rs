//! The report for a terminal.

use std::io::{self, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table as Ruled, presets};
use tribunal_conformance::escape::plain;

use super::data::BenchReport;
use super::table::{self, Table};
use crate::conclusion::conclusion;

/// Writes the report, in so many columns.
///
/// # Errors
/// What `out` fails with.
pub fn text(report: &BenchReport, out: &mut dyn Write, width: Option<u16>) -> io::Result<()> {
    for rows in report.measurements() {
        let Some(shown) = table::measurement(report, &rows) else { continue };
        writeln!(out, "{} · {}", plain(&shown.name), plain(&shown.about))?;
        write_table(out, &shown.table, width)?;
        for problem in &shown.problems {
            writeln!(out, "  {}", plain(problem))?;
        }
        writeln!(out)?;
    }
    for (title, shown) in [
        ("geometric means over all rows of decisions", table::pairs_table(report)),
        ("targets", table::targets_table(report)),
    ] {
        if !shown.rows.is_empty() {
            writeln!(out, "{title}")?;
            write_table(out, &shown, width)?;
            writeln!(out)?;
        }
    }
    for found in report.disagreements() {
        writeln!(out, "disagreement on `{}` ({}):", plain(&found.name), found.differs)?;
        for (name, said) in [&found.first, &found.second] {
            writeln!(out, "  {}: {}", plain(name), plain(said))?;
        }
        writeln!(out, "  request: {}\n", plain(&found.request.to_string()))?;
    }
    if let Some(drawn) = &report.run.flamegraphs {
        for line in table::flamegraphs(drawn) {
            writeln!(out, "{}", plain(&line))?;
        }
        writeln!(out)?;
    }
    writeln!(out, "{}", plain(&conclusion(report)))
}

/// Writes a table without a line between its rows.
pub fn write_table(out: &mut dyn Write, table: &Table, width: Option<u16>) -> io::Result<()> {
    if table.rows.is_empty() {
        return Ok(());
    }
    let mut ruled = Ruled::new();
    ruled.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(width) = width {
        ruled.set_width(width.saturating_sub(2));
    }
    ruled.set_header(table.header.iter().map(|cell| plain(cell).into_owned()));
    for row in &table.rows {
        ruled.add_row(row.iter().map(|cell| plain(cell).into_owned()));
    }
    // Numbers to the right; words, which the first column and wide tables of words have, to the left.
    for (place, column) in ruled.column_iter_mut().enumerate().skip(1) {
        let is_number = |row: &Vec<String>| {
            row.get(place).is_none_or(|cell| {
                cell.starts_with(|char: char| char.is_ascii_digit() || char == '–' || char == '-')
            })
        };
        if table.rows.iter().all(is_number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for line in ruled.lines() {
        writeln!(out, "{}", format!(" {line}").trim_end())?;
    }
    Ok(())
}
