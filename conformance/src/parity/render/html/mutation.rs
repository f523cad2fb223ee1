//! Which mistakes a search notices, as a page.

use std::io::{self, Write};

use super::page;
use crate::parity::render::figures::{milliseconds, number};
use crate::parity::render::mutants;
use crate::parity::render::sides::compact;
use crate::parity::report::{Fate, MutantResult, MutationReport, MutationTable};

/// Writes the report of a mutation run as a page.
///
/// # Errors
/// What `out` fails with.
pub fn mutation_html(report: &MutationReport, out: &mut dyn Write) -> io::Result<()> {
    page::begin(out, "Mutants", mutants::is_complete(report), &mutants::sentence(report))?;
    page::contents(
        out,
        &[("tables", "packs and engines"), ("kinds", "kinds"), ("survivors", "survivors"), ("run", "run")],
    )?;
    page::section(out, "tables", "Packs and engines")?;
    let header: Vec<&str> = ["pack", "engine"].into_iter().chain(mutants::COLUMNS).collect();
    page::table(
        out,
        "packs and engines",
        &header,
        &report.tables.iter().map(mutants::row).collect::<Vec<_>>(),
    )?;
    page::paragraph(out, mutants::KILL_RATE)?;
    page::end_section(out)?;
    page::section(out, "kinds", "Kinds of mistakes")?;
    let header: Vec<&str> = ["kind"].into_iter().chain(mutants::COLUMNS).collect();
    let kinds: Vec<Vec<String>> = mutants::by_mutation(report).into_iter().map(mutants::kind).collect();
    page::table(out, "kinds of mistakes", &header, &kinds)?;
    page::end_section(out)?;
    page::section(out, "survivors", "Mutant by mutant")?;
    report.tables.iter().try_for_each(|table| write_table(out, table))?;
    page::end_section(out)?;
    page::section(out, "run", "How this was run")?;
    page::facts(out, &mutants::facts(report))?;
    page::end_section(out)?;
    page::end(out)
}

fn write_table(out: &mut dyn Write, table: &MutationTable) -> io::Result<()> {
    writeln!(
        out,
        "<h3>{}</h3>",
        page::text(&format!("{} on {}", mutants::pack(table), mutants::engine(table)))
    )?;
    page::paragraph(out, &mutants::against(table))?;
    let survivors = mutants::survivors(table);
    if survivors.is_empty() {
        page::paragraph(out, "No survivors.")?;
    }
    for mutant in survivors {
        write!(out, "<div class=\"remark\"><p>Survived: {}</p>", page::prose(&mutants::what(mutant)))?;
        writeln!(out, "{}</div>", change(mutant))?;
    }
    let rows: Vec<Vec<String>> =
        table.mutants.iter().filter(|mutant| mutant.fate != Fate::Survived).map(fate).collect();
    if !rows.is_empty() {
        page::details(out, false, &format!("the other {} of {}", rows.len(), table.mutants.len()))?;
        page::table(out, "mutants", &FATE, &rows)?;
        page::end_details(out)?;
    }
    if !table.stale.is_empty() {
        page::paragraph(out, &format!("{}:", mutants::STALE))?;
        page::list(out, "values", &table.stale)?;
    }
    Ok(())
}

fn change(mutant: &MutantResult) -> String {
    let side = |class: &str, sign: char, text: &str| -> String {
        text.lines()
            .map(|line| format!("<span class=\"{class}\">{sign} {}</span>\n", page::text(line)))
            .collect()
    };
    format!("<pre>{}{}</pre>", side("gone", '-', &mutant.before), side("come", '+', &mutant.after))
}

/// The columns of [`fate`].
const FATE: [&str; 9] =
    ["mutant", "kind", "place", "what came of it", "requests", "time", "before", "after", "smallest request"];

fn fate(mutant: &MutantResult) -> Vec<String> {
    let fate = match &mutant.fate {
        Fate::Killed => "killed".to_owned(),
        Fate::Survived => "survived".to_owned(),
        Fate::Refused(why) => format!("refused: {why}"),
        Fate::Equivalent(why) => format!("equivalent: {why}"),
    };
    vec![
        mutant.id.clone(),
        mutant.mutation.as_str().to_owned(),
        mutant.location.clone(),
        fate,
        number(mutant.requests),
        milliseconds(mutant.duration_ms),
        mutant.before.clone(),
        mutant.after.clone(),
        mutant.counterexample.iter().map(compact).collect(),
    ]
}
