//! Suites on engines: a table each, and what did not pass.

use std::collections::BTreeMap;
use std::io::{self, Write};

use comfy_table::CellAlignment;
use tribunal_conformance::parity::report::{SuiteFolder, SuiteTable};

use super::{plain_table, write_table};
use crate::terminal::{BOLD, DIM, GREEN, RED, YELLOW, plain, plain_lines};

/// A table for each suite and engine, the divergences that are listed by their reasons, the others one by one.
pub(crate) fn write(out: &mut dyn Write, tables: &[SuiteTable]) -> io::Result<()> {
    for table in tables {
        writeln!(
            out,
            "{BOLD}{}{BOLD:#} on {BOLD}{}{BOLD:#}  {DIM}{}{DIM:#}",
            table.suite,
            table.engine,
            plain(&table.version)
        )?;
        match &table.skipped {
            Some(reason) => writeln!(out, "  {YELLOW}SKIPPED: {}{YELLOW:#}", plain(reason))?,
            None => write_one(out, table)?,
        }
        writeln!(out)?;
    }
    let wrong: usize = tables.iter().map(wrong).sum();
    match wrong {
        0 => writeln!(out, "{GREEN}what did not pass is listed{GREEN:#}"),
        1 => writeln!(out, "{RED}1 case is not as it is listed{RED:#}"),
        wrong => writeln!(out, "{RED}{wrong} cases are not as they are listed{RED:#}"),
    }
}

fn wrong(table: &SuiteTable) -> usize {
    table.stale.len() + table.failures.iter().filter(|failure| failure.known.is_none()).count()
}

fn write_one(out: &mut dyn Write, table: &SuiteTable) -> io::Result<()> {
    let mut rows = plain_table(&["folder", "passed", "failed", "refused"]);
    let total = |count: fn(&SuiteFolder) -> u64| table.folders.iter().map(count).sum::<u64>();
    for folder in &table.folders {
        let counts = [folder.passed, folder.failed, folder.refused].map(|count| count.to_string());
        rows.add_row(std::iter::once(plain(&folder.name).into_owned()).chain(counts).collect::<Vec<_>>());
    }
    let totals =
        [total(|folder| folder.passed), total(|folder| folder.failed), total(|folder| folder.refused)];
    let totals = totals.map(|count| count.to_string());
    rows.add_row(std::iter::once("all".to_owned()).chain(totals).collect::<Vec<_>>());
    for column in rows.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    write_table(out, "  ", &rows)?;
    let mut listed: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for failure in &table.failures {
        if let Some(known) = &failure.known {
            *listed.entry((&failure.how, known)).or_default() += 1;
        }
    }
    if !listed.is_empty() {
        writeln!(out, "  known, by reason ({DIM}--format json names the cases{DIM:#}):")?;
    }
    for ((how, reason), cases) in listed {
        writeln!(out, "  {cases:>6} {how:<8}{DIM}{}{DIM:#}", plain(reason))?;
    }
    for failure in table.failures.iter().filter(|failure| failure.known.is_none()) {
        writeln!(out, "  {RED}{}{RED:#} {}", failure.how, plain(&failure.case))?;
        for line in plain_lines(&failure.detail).lines() {
            writeln!(out, "      {line}")?;
        }
    }
    for stale in &table.stale {
        writeln!(out, "  {RED}listed{RED:#} {}", plain(stale))?;
    }
    Ok(())
}
