//! The report for a pull request, and for a README.

use std::io::{self, Write};

use tribunal_conformance::escape::{plain, xml};

use super::data::BenchReport;
use super::table::{self, MEANS, TARGETS, Table};

/// Writes the report.
///
/// # Errors
/// What `out` fails with.
pub fn markdown(report: &BenchReport, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# What each engine costs\n\n{}\n", prose(&report.conclusion))?;
    for rows in report.measurements() {
        let Some(shown) = table::measurement(report, &rows) else { continue };
        writeln!(
            out,
            "## {}\n\n{}\n\n{}\n",
            prose(&shown.name),
            prose(&shown.about),
            prose(&shown.analysis)
        )?;
        write_table(out, &shown.table)?;
        write_list(out, &[shown.notes, shown.problems].concat())?;
    }
    for (title, shown, notes) in [
        (MEANS, table::pairs_table(report), Vec::new()),
        (TARGETS, table::targets_table(report), table::targets_notes(report)),
    ] {
        if !shown.rows.is_empty() {
            writeln!(out, "## {title}\n")?;
            write_table(out, &shown)?;
            write_list(out, &notes)?;
        }
    }
    let disagreements = report.disagreements();
    if !disagreements.is_empty() {
        writeln!(out, "## Disagreements\n")?;
        let each = disagreements.into_iter().map(|found| {
            let ((one, said), (other, instead)) = (&found.first, &found.second);
            format!("`{}` ({}): `{one}` says {said}, `{other}` {instead}", found.name, found.differs)
        });
        write_list(out, &each.collect::<Vec<String>>())?;
    }
    writeln!(out, "## How this was measured\n")?;
    for (name, value) in table::facts(report) {
        writeln!(out, "- {name}: {}", prose(&value))?;
    }
    Ok(())
}

/// The part of a README: the conclusion and the decisions of every engine, with the command that makes them.
///
/// # Errors
/// What `out` fails with.
pub fn excerpt(report: &BenchReport, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}\n", prose(&report.conclusion))?;
    for rows in report.measurements() {
        let Some(shown) = table::measurement(report, &rows) else { continue };
        if ["load", "decide", "threads", "memory"].contains(&shown.name.as_str()) {
            writeln!(out, "{} ({}):\n", prose(&shown.name), prose(&shown.about))?;
            write_table(out, &shown.table)?;
        }
    }
    writeln!(
        out,
        "Made by {} at revision {}.",
        prose(&format!("`{}`", report.run.command)),
        table::short_revision(report)
    )
}

fn write_list(out: &mut dyn Write, sentences: &[String]) -> io::Result<()> {
    for sentence in sentences {
        writeln!(out, "- {}", prose(sentence))?;
    }
    if sentences.is_empty() { Ok(()) } else { writeln!(out) }
}

fn write_table(out: &mut dyn Write, table: &Table) -> io::Result<()> {
    if table.rows.is_empty() {
        return Ok(());
    }
    let line = |cells: &[String]| {
        format!("| {} |", cells.iter().map(|cell| self::cell(cell)).collect::<Vec<_>>().join(" | "))
    };
    writeln!(out, "{}", line(&table.header))?;
    let rules: Vec<&str> =
        (0..table.header.len()).map(|place| if place == 0 { "---" } else { "---:" }).collect();
    writeln!(out, "| {} |", rules.join(" | "))?;
    for row in &table.rows {
        writeln!(out, "{}", line(row))?;
    }
    writeln!(out)
}

fn cell(text: &str) -> String {
    prose(text).replace('|', "\\|")
}

/// A sentence in which nothing is markup but our own backticks.
fn prose(text: &str) -> String {
    let text = plain(text);
    let mut shown = String::with_capacity(text.len());
    for (place, part) in text.split('`').enumerate() {
        if place > 0 {
            shown.push('`');
        }
        if place % 2 == 1 {
            shown.push_str(part);
            continue;
        }
        for char in xml(part).chars() {
            if matches!(char, '\\' | '*' | '_' | '[' | ']' | '#' | '~') {
                shown.push('\\');
            }
            shown.push(char);
        }
    }
    // An interval's brackets are ours, and no link follows them.
    shown.replace("× \\[", "× [").replace("\\] ", "] ").replace("&quot;", "\"")
}
