//! Reports for a terminal: no colours, as wide as it is.

mod mutation;
mod page;

use std::io::{self, Write};

pub use mutation::mutation_text;
use page::Page;

use super::figures::count;
use super::sides::{self, Side, compact, pretty};
use super::{exercise, facts, matrix, verdict};
use crate::parity::report::{Counterexample, ParityReport, SearchReport, SuiteTable};

/// Writes the report of a comparison for a terminal of so many columns; as wide as it needs to be without.
///
/// # Errors
/// What `out` fails with.
pub fn text(report: &ParityReport, out: &mut dyn Write, width: Option<usize>) -> io::Result<()> {
    let page = &mut Page::new(out, width);
    page.paragraph(0, &verdict::sentence(report))?;
    for objection in &report.objections {
        page.item(2, "- ", objection)?;
    }
    participants(page, report)?;
    if let Some(search) = &report.search {
        counterexamples(page, report, search)?;
    }
    cases(page, report)?;
    if let Some(search) = &report.search {
        coverage(page, report, search)?;
        answers(page, report, search)?;
    }
    laws(page, report)?;
    known(page, report)?;
    for suite in &report.suites {
        write_suite(page, suite)?;
    }
    page.heading("run")?;
    page.facts(2, &facts::of(report))
}

fn participants(page: &mut Page<'_>, report: &ParityReport) -> io::Result<()> {
    page.heading("participants")?;
    let rows: Vec<Vec<String>> =
        report.participants.iter().map(|one| facts::participant(report, one)).collect();
    page.table(2, &facts::PARTICIPANT, &rows)
}

fn counterexamples(page: &mut Page<'_>, report: &ParityReport, search: &SearchReport) -> io::Result<()> {
    for (place, counterexample) in search.counterexamples.iter().enumerate() {
        page.heading(&format!(
            "counterexample {}: {}",
            place + 1,
            sides::respects(&counterexample.differences)
        ))?;
        write_counterexample(page, report, counterexample)?;
    }
    Ok(())
}

fn write_counterexample(
    page: &mut Page<'_>,
    report: &ParityReport,
    counterexample: &Counterexample,
) -> io::Result<()> {
    if let Some(known) = sides::known(report, counterexample) {
        page.paragraph(2, &known)?;
    }
    page.block(2, &pretty(&counterexample.request))?;
    for line in sides::circumstances(counterexample) {
        page.paragraph(2, &line)?;
    }
    let sides = sides::sides(report, counterexample);
    page.line("")?;
    let rows: Vec<Vec<String>> = sides.iter().map(sides::row).collect();
    page.table(2, &sides::SIDE, &rows)?;
    for redaction in sides::redactions(counterexample, &sides) {
        page.line("")?;
        page.paragraph(2, &format!("redacted: from {} (-) to {} (+)", redaction.left, redaction.right))?;
        page.block(4, &sides::unified(&redaction.lines))?;
    }
    for Side { participant, explained, .. } in &sides {
        if explained.trace.is_empty() && explained.notes.is_empty() {
            continue;
        }
        page.line("")?;
        page.paragraph(2, &format!("{} ran", participant.name))?;
        page.table(4, &sides::TRACE, &sides::trace(explained))?;
        for note in &explained.notes {
            page.paragraph(4, &format!("note: {note}"))?;
        }
    }
    Ok(())
}

fn cases(page: &mut Page<'_>, report: &ParityReport) -> io::Result<()> {
    if report.cases.is_empty() {
        return Ok(());
    }
    page.heading("cases")?;
    page.paragraph(2, &facts::cases(report))?;
    let rows = matrix::rows(report);
    if rows.is_empty() {
        return Ok(());
    }
    page.table(2, &matrix::header(report), &rows)?;
    page.paragraph(2, matrix::LEGEND)?;
    for (row, name, said) in matrix::remarks(report) {
        page.line("")?;
        page.paragraph(2, &format!("{} on {name}", row.name))?;
        // The expected and the actual answer stand below each other.
        for line in said.lines() {
            page.paragraph(4, line)?;
        }
    }
    Ok(())
}

fn coverage(page: &mut Page<'_>, report: &ParityReport, search: &SearchReport) -> io::Result<()> {
    page.heading("what the search exercised")?;
    page.paragraph(2, &facts::search(search))?;
    let coverage = exercise::by_participant(report, search);
    let rows: Vec<Vec<String>> = coverage.iter().map(exercise::Coverage::cells).collect();
    page.table(2, &exercise::COLUMNS, &rows)?;
    page.paragraph(2, exercise::COUNTED)?;
    for one in &coverage {
        let unexercised = one.unexercised();
        if !unexercised.is_empty() {
            page.line("")?;
            page.paragraph(2, &format!("not exercised, or not to be told, on {}", one.participant.name))?;
            page.table(4, &exercise::RULE, &unexercised)?;
        }
        let untried: Vec<String> = one
            .literals(false)
            .iter()
            .map(|literal| format!("{} in {}", compact(&literal.value), literal.rule))
            .collect();
        if !untried.is_empty() {
            page.line("")?;
            page.paragraph(2, &format!("literals of {} that no request was made of", one.participant.name))?;
            page.paragraph(4, &untried.join(", "))?;
        }
    }
    derived(page, search, &coverage)
}

fn derived(
    page: &mut Page<'_>,
    search: &SearchReport,
    coverage: &[exercise::Coverage<'_>],
) -> io::Result<()> {
    let rows = exercise::derived(coverage);
    if !rows.is_empty() {
        page.line("")?;
        page.paragraph(2, exercise::DERIVED_RULES)?;
        page.table(4, &exercise::DERIVED, &rows)?;
    }
    let literals = &search.exercised.derived_literals;
    if !literals.is_empty() {
        page.line("")?;
        page.paragraph(2, exercise::DERIVED_LITERALS)?;
        page.paragraph(4, &literals.join(", "))?;
    }
    Ok(())
}

fn answers(page: &mut Page<'_>, report: &ParityReport, search: &SearchReport) -> io::Result<()> {
    page.heading("answers and time")?;
    page.table(2, &facts::ANSWERS, &facts::answers(report, search))?;
    if report.participants.iter().any(|one| one.latency.is_some()) {
        page.paragraph(2, facts::LATENCY)?;
    }
    Ok(())
}

fn laws(page: &mut Page<'_>, report: &ParityReport) -> io::Result<()> {
    if report.laws.is_empty() {
        return Ok(());
    }
    page.heading("laws")?;
    let rows: Vec<Vec<String>> = report.laws.iter().map(|law| facts::law(report, law)).collect();
    page.table(2, &facts::LAW, &rows)?;
    for (law, broken) in facts::broken(report) {
        page.line("")?;
        page.paragraph(2, &format!("{} broken by {}", law.law, facts::name(report, law.participant)))?;
        page.paragraph(4, &law.says)?;
        page.paragraph(4, &format!("change: {}", broken.change))?;
        page.paragraph(4, &format!("before: {}", matrix::brief(&broken.before)))?;
        page.paragraph(4, &format!("after:  {}", matrix::brief(&broken.after)))?;
        page.block(4, &pretty(&broken.request))?;
    }
    Ok(())
}

fn known(page: &mut Page<'_>, report: &ParityReport) -> io::Result<()> {
    if report.known.is_empty() {
        return Ok(());
    }
    page.heading("known divergences")?;
    let rows: Vec<Vec<String>> = report.known.iter().map(facts::known).collect();
    page.table(2, &facts::KNOWN, &rows)
}

fn write_suite(page: &mut Page<'_>, suite: &SuiteTable) -> io::Result<()> {
    page.heading(&format!("suite {}", facts::suite(suite)))?;
    if let Some(skipped) = &suite.skipped {
        return page.paragraph(2, &format!("not run: {skipped}"));
    }
    page.table(2, &facts::FOLDER, &facts::folders(suite))?;
    let unlisted = facts::failures(suite, false);
    if !unlisted.is_empty() {
        page.line("")?;
        page.paragraph(2, "did not pass, and is not listed")?;
        page.table(4, facts::FAILURE.split_at(4).0, &unlisted)?;
    }
    let listed = facts::failures(suite, true).len();
    if listed > 0 {
        page.paragraph(2, &format!("{} in the list of divergences", count(listed, "more is", "more are")))?;
    }
    if !suite.stale.is_empty() {
        page.paragraph(2, &format!("stale in the list of divergences: {}", suite.stale.join(", ")))?;
    }
    Ok(())
}
