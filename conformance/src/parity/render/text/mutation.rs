//! Which mistakes a search notices, for a terminal.

use std::io::{self, Write};

use super::page::Page;
use crate::parity::render::mutants;
use crate::parity::report::{MutationReport, MutationTable};

/// Writes the report of a mutation run for a terminal of so many columns; as wide as it needs to be without.
///
/// # Errors
/// What `out` fails with.
pub fn mutation_text(report: &MutationReport, out: &mut dyn Write, width: Option<usize>) -> io::Result<()> {
    let page = &mut Page::new(out, width);
    page.paragraph(0, &mutants::sentence(report))?;
    page.heading("packs and engines")?;
    let header: Vec<&str> = ["pack", "engine"].into_iter().chain(mutants::COLUMNS).collect();
    let rows: Vec<Vec<String>> = report.tables.iter().map(mutants::row).collect();
    page.table(2, &header, &rows)?;
    page.paragraph(2, mutants::KILL_RATE)?;
    page.heading("kinds of mistakes")?;
    let header: Vec<&str> = ["kind"].into_iter().chain(mutants::COLUMNS).collect();
    let rows: Vec<Vec<String>> = mutants::by_mutation(report).into_iter().map(mutants::kind).collect();
    page.table(2, &header, &rows)?;
    for table in &report.tables {
        details(page, table)?;
    }
    page.heading("run")?;
    page.facts(2, &mutants::facts(report))
}

fn details(page: &mut Page<'_>, table: &MutationTable) -> io::Result<()> {
    page.heading(&format!("{} on {}", mutants::pack(table), mutants::engine(table)))?;
    page.paragraph(2, &mutants::against(table))?;
    let survivors = mutants::survivors(table);
    if survivors.is_empty() {
        page.paragraph(2, "no survivors")?;
    }
    for mutant in survivors {
        page.line("")?;
        page.paragraph(2, &format!("survived: {}", mutants::what(mutant)))?;
        for line in mutant.before.lines() {
            page.item(4, "- ", line)?;
        }
        for line in mutant.after.lines() {
            page.item(4, "+ ", line)?;
        }
    }
    let listed = mutants::equivalent(table);
    if !listed.is_empty() {
        page.line("")?;
        page.paragraph(2, "listed as equivalent")?;
        page.table(4, &["mutant", "why"], &listed)?;
    }
    if !table.stale.is_empty() {
        page.line("")?;
        page.paragraph(2, &format!("{}: {}", mutants::STALE, table.stale.join(", ")))?;
    }
    Ok(())
}
