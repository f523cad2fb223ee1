//! Which mistakes a search notices, as Markdown.

use std::io::{self, Write};

use super::page::{Page, details, fence, prose, table};
use crate::escape::plain_lines;
use crate::parity::render::mutants;
use crate::parity::report::{MutantResult, MutationReport, MutationTable};

/// Writes the report of a mutation run as Markdown, short enough for a comment on a pull request.
///
/// # Errors
/// What `out` fails with.
pub fn mutation_markdown(report: &MutationReport, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::default();
    page.piece("### Mutants\n\n");
    page.piece(&format!("**{}**\n\n", prose(&mutants::sentence(report))));
    let header: Vec<&str> = ["pack", "engine"].into_iter().chain(mutants::COLUMNS).collect();
    page.table(&header, &report.tables.iter().map(mutants::row).collect::<Vec<_>>());
    page.paragraph(mutants::KILL_RATE);
    let header: Vec<&str> = ["kind"].into_iter().chain(mutants::COLUMNS).collect();
    let kinds: Vec<Vec<String>> = mutants::by_mutation(report).into_iter().map(mutants::kind).collect();
    page.piece(&details("Kinds of mistakes", &table(&header, &kinds)));
    for table in &report.tables {
        write_table(&mut page, table);
    }
    page.piece(&super::run(&mutants::facts(report)));
    out.write_all(page.into_text().as_bytes())
}

fn write_table(page: &mut Page, table: &MutationTable) {
    page.heading(&format!("{} on {}", mutants::pack(table), mutants::engine(table)));
    page.paragraph(&mutants::against(table));
    let survivors = mutants::survivors(table);
    if survivors.is_empty() {
        page.paragraph("No survivors.");
    }
    page.pieces(&survivors, |mutant| change(mutant));
    let listed = mutants::equivalent(table);
    if !listed.is_empty() {
        page.piece(&details("Listed as equivalent", &super::table(&["mutant", "why"], &listed)));
    }
    if !table.stale.is_empty() {
        page.paragraph(&format!("{}:", mutants::STALE));
        page.list(&table.stale);
    }
}

fn change(mutant: &MutantResult) -> String {
    let before: String = plain_lines(&mutant.before).lines().map(|line| format!("- {line}\n")).collect();
    let after: String = plain_lines(&mutant.after).lines().map(|line| format!("+ {line}\n")).collect();
    format!("Survived: {}\n\n{}", prose(&mutants::what(mutant)), fence("diff", &format!("{before}{after}")))
}
