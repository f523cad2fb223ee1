//! The report for a terminal.

use std::io::{self, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table as Ruled, presets};
use tribunal_conformance::escape::plain;

use super::data::BenchReport;
use super::table::{self, MEANS, TARGETS, Table};

/// Columns where nobody knows how many there are.
const WIDTH: u16 = 100;

/// Writes the report, in so many columns.
///
/// # Errors
/// What `out` fails with.
pub fn text(report: &BenchReport, out: &mut dyn Write, width: Option<u16>) -> io::Result<()> {
    let columns = usize::from(width.unwrap_or(WIDTH));
    for (name, value) in table::brief_facts(report) {
        wrap(out, &format!("{name:13}"), &value, columns, 13)?;
    }
    writeln!(out)?;
    for rows in report.measurements() {
        let Some(shown) = table::measurement(report, &rows) else { continue };
        wrap(out, "", &format!("{} · {}", shown.name, shown.about), columns, 2)?;
        wrap(out, "  ", &shown.analysis, columns, 2)?;
        write_table(out, &shown.table, width)?;
        for sentence in shown.notes.iter().chain(&shown.problems) {
            wrap(out, "  ", sentence, columns, 4)?;
        }
        writeln!(out)?;
    }
    for (title, shown, notes) in [
        (MEANS, table::pairs_table(report), Vec::new()),
        (TARGETS, table::targets_table(report), table::targets_notes(report)),
    ] {
        if !shown.rows.is_empty() {
            writeln!(out, "{title}")?;
            write_table(out, &shown, width)?;
            for note in notes {
                wrap(out, "  ", &note, columns, 4)?;
            }
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
    wrap(out, "", &report.conclusion, columns, 0)
}

/// Writes a text in lines of so many columns at most, the first of which begins with something, and the others indented. A
/// word that is longer has a line of its own.
fn wrap(out: &mut dyn Write, begins: &str, text: &str, columns: usize, indent: usize) -> io::Result<()> {
    let mut line = begins.to_owned();
    let mut has_words = false;
    for word in plain(text).split_whitespace() {
        if has_words && line.chars().count() + 1 + word.chars().count() > columns {
            writeln!(out, "{line}")?;
            line = " ".repeat(indent);
            has_words = false;
        }
        if has_words {
            line.push(' ');
        }
        line.push_str(word);
        has_words = true;
    }
    writeln!(out, "{line}")
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
