//! Answers for people.
//!
//! - [`bench`]: what engines cost
//! - [`outcome`]: a decision and each pack's part in it
//! - [`explanation`]: why each pack decided as it did
//! - [`comparison`]: every engine's answer
//! - [`parity`], [`mutation`]: comparisons of engines, and how good they are
//! - [`problems`]: what is wrong with files, with the lines that say so
//! - [`suites`]: suites of others on engines
//! - [`tests`]: results of tests

pub(crate) mod bench;
pub(crate) mod comparison;
pub(crate) mod explanation;
pub(crate) mod mutation;
pub(crate) mod outcome;
pub(crate) mod parity;
pub(crate) mod problems;
pub(crate) mod suites;
pub(crate) mod tests;

use std::io::{self, Write};

use comfy_table::{ContentArrangement, Row, Table, presets};

use crate::terminal;

/// A table with lines around its columns.
pub(crate) fn ruled_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    arrange(table, header)
}

/// A table without lines.
pub(crate) fn plain_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    arrange(table, header)
}

fn arrange(mut table: Table, header: &[&str]) -> Table {
    table
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(terminal::width())
        .set_header(Row::from(header));
    table
}

/// Writes a table, indented, without blanks at the ends of lines.
pub(crate) fn write_table(out: &mut dyn Write, indent: &str, table: &Table) -> io::Result<()> {
    for line in table.lines() {
        writeln!(out, "{}", format!("{indent}{line}").trim_end())?;
    }
    Ok(())
}
