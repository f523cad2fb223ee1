//! Reports as one HTML file each: no script, nothing loaded, light and dark, on a phone as on paper.

mod counterexample;
mod exercised;
mod heat;
mod mutation;
mod page;

use std::io::{self, Write};

pub use mutation::mutation_html;

use super::figures::count;
use super::{facts, matrix, sides, verdict};
use crate::parity::report::{ParityReport, SuiteTable};

/// Writes the report of a comparison as a page.
///
/// # Errors
/// What `out` fails with.
pub fn html(report: &ParityReport, out: &mut dyn Write) -> io::Result<()> {
    let packs: Vec<String> =
        report.packs.iter().map(|pack| format!("{} {}", pack.name, pack.version)).collect();
    page::begin(
        out,
        &format!("Parity of {}", packs.join(" and ")),
        report.agrees(),
        &verdict::sentence(report),
    )?;
    page::list(out, "objections", &report.objections)?;
    page::contents(out, &parts(report))?;

    page::section(out, "participants", "Who was asked")?;
    let rows: Vec<Vec<String>> =
        report.participants.iter().map(|one| facts::participant(report, one)).collect();
    page::table(out, "participants", &facts::PARTICIPANT, &rows)?;
    page::end_section(out)?;

    if let Some(search) = &report.search {
        page::section(out, "counterexamples", "Counterexamples")?;
        if search.counterexamples.is_empty() {
            page::paragraph(out, "The search found no request on which they differ.")?;
        }
        for (place, one) in search.counterexamples.iter().enumerate() {
            counterexample::write(out, report, place + 1, one)?;
        }
        page::end_section(out)?;
    }
    if !report.cases.is_empty() {
        page::section(out, "cases", "Cases")?;
        heat::write(out, report)?;
        page::end_section(out)?;
    }
    if let Some(search) = &report.search {
        page::section(out, "exercised", "What the search exercised")?;
        exercised::write(out, report, search)?;
        page::end_section(out)?;
        page::section(out, "time", "Answers and time")?;
        exercised::answers(out, report, search)?;
        page::end_section(out)?;
    }
    if !report.laws.is_empty() {
        page::section(out, "laws", "Laws")?;
        laws(out, report)?;
        page::end_section(out)?;
    }
    if !report.known.is_empty() {
        page::section(out, "known", "Known divergences")?;
        let rows: Vec<Vec<String>> = report.known.iter().map(facts::known).collect();
        page::table(out, "known divergences", &facts::KNOWN, &rows)?;
        page::end_section(out)?;
    }
    if !report.suites.is_empty() {
        page::section(out, "suites", "Upstream suites")?;
        report.suites.iter().try_for_each(|table| suite(out, table))?;
        page::end_section(out)?;
    }
    page::section(out, "run", "How this was run")?;
    page::facts(out, &facts::of(report))?;
    page::end_section(out)?;
    page::end(out)
}

/// The parts that this report has.
fn parts(report: &ParityReport) -> Vec<(&'static str, &'static str)> {
    let searched = report.search.is_some();
    let parts = [
        (true, ("participants", "participants")),
        (searched, ("counterexamples", "counterexamples")),
        (!report.cases.is_empty(), ("cases", "cases")),
        (searched, ("exercised", "exercised")),
        (searched, ("time", "time")),
        (!report.laws.is_empty(), ("laws", "laws")),
        (!report.known.is_empty(), ("known", "known")),
        (!report.suites.is_empty(), ("suites", "suites")),
        (true, ("run", "run")),
    ];
    parts.into_iter().filter_map(|(there_is, part)| there_is.then_some(part)).collect()
}

fn laws(out: &mut dyn Write, report: &ParityReport) -> io::Result<()> {
    let rows: Vec<Vec<String>> = report.laws.iter().map(|law| facts::law(report, law)).collect();
    page::table(out, "laws", &facts::LAW, &rows)?;
    for (law, broken) in facts::broken(report) {
        page::details(out, true, &format!("{} broken by {}", law.law, facts::name(report, law.participant)))?;
        page::paragraph(out, &law.says)?;
        let answers = [
            format!("change: {}", broken.change),
            format!("before: {}", matrix::brief(&broken.before)),
            format!("after: {}", matrix::brief(&broken.after)),
        ];
        page::list(out, "small", &answers)?;
        writeln!(out, "{}", page::lines(&sides::pretty(&broken.request)))?;
        page::end_details(out)?;
    }
    Ok(())
}

fn suite(out: &mut dyn Write, suite: &SuiteTable) -> io::Result<()> {
    writeln!(out, "<h3>{}</h3>", page::text(&facts::suite(suite)))?;
    if let Some(skipped) = &suite.skipped {
        return page::paragraph(out, &format!("not run: {skipped}"));
    }
    page::table(out, &facts::suite(suite), &facts::FOLDER, &facts::folders(suite))?;
    for (is_listed, said) in [(false, "did not pass, and is not listed"), (true, "did not pass, as listed")] {
        let rows = facts::failures(suite, is_listed);
        if !rows.is_empty() {
            page::details(out, !is_listed, &format!("{} {said}", count(rows.len(), "case", "cases")))?;
            let columns = if is_listed { facts::FAILURE.len() } else { facts::FAILURE.len() - 1 };
            page::table(out, said, facts::FAILURE.split_at(columns).0, &rows)?;
            page::end_details(out)?;
        }
    }
    if !suite.stale.is_empty() {
        page::paragraph(out, "Stale in the list of divergences:")?;
        page::list(out, "values", &suite.stale)?;
    }
    Ok(())
}
