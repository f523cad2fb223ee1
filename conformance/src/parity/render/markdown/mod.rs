//! Reports for a comment on a pull request.

mod mutation;
mod page;

use std::io::{self, Write};

pub use mutation::mutation_markdown;
use page::{Page, details, fence, prose, table};

use super::figures::count;
use super::sides::{self, Side, compact, pretty};
use super::{exercise, facts, matrix, verdict};
use crate::escape::plain_lines;
use crate::parity::report::{Counterexample, ParityReport, SearchReport, SuiteTable};

/// Writes the report of a comparison as Markdown, short enough for a comment on a pull request.
///
/// # Errors
/// What `out` fails with.
pub fn markdown(report: &ParityReport, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::default();
    let packs: Vec<String> =
        report.packs.iter().map(|pack| format!("`{} {}`", pack.name, pack.version)).collect();
    let sign = if report.agrees() { "✅" } else { "❌" };
    page.piece(&format!("### {sign} Parity of {}\n\n", prose(&packs.join(" and "))));
    page.piece(&format!("**{}**\n\n", prose(&verdict::sentence(report))));
    page.list(&report.objections);
    let rows: Vec<Vec<String>> =
        report.participants.iter().map(|one| facts::participant(report, one)).collect();
    page.table(&facts::PARTICIPANT, &rows);
    if let Some(search) = report.search.as_ref().filter(|search| !search.counterexamples.is_empty()) {
        page.heading("Counterexamples");
        let numbered: Vec<(usize, &Counterexample)> = search.counterexamples.iter().enumerate().collect();
        page.pieces(&numbered, |(place, one)| counterexample(report, place + 1, one));
    }
    cases(&mut page, report);
    if let Some(search) = &report.search {
        coverage(&mut page, report, search);
        answers(&mut page, report, search);
    }
    laws(&mut page, report);
    if !report.known.is_empty() {
        page.heading("Known divergences");
        page.table(&facts::KNOWN, &report.known.iter().map(facts::known).collect::<Vec<_>>());
    }
    for suite in &report.suites {
        write_suite(&mut page, suite);
    }
    page.piece(&run(&facts::of(report)));
    out.write_all(page.into_text().as_bytes())
}

/// How a run was made, as a part to be opened.
fn run(facts: &[(&'static str, String)]) -> String {
    let rows: Vec<Vec<String>> =
        facts.iter().map(|(name, value)| vec![(*name).to_owned(), value.clone()]).collect();
    details("How this was run", &table(&["", ""], &rows))
}

fn counterexample(report: &ParityReport, place: usize, one: &Counterexample) -> String {
    let known = one.known.as_ref().map(|name| format!(" (known: {name})"));
    let known = known.iter().map(String::as_str).collect::<String>();
    let summary = format!("Counterexample {place}: {}{known}", sides::respects(&one.differences));
    let mut inside = String::new();
    if let Some(known) = sides::known(report, one) {
        inside.push_str(&format!("{}\n\n", prose(&known)));
    }
    inside.push_str(&fence("json", &pretty(&one.request)));
    for line in sides::circumstances(one) {
        inside.push_str(&format!("- {}\n", prose(&line)));
    }
    inside.push('\n');
    let sides = sides::sides(report, one);
    let rows: Vec<Vec<String>> = sides.iter().map(sides::row).collect();
    inside.push_str(&table(&sides::SIDE, &rows));
    for redaction in sides::redactions(one, &sides) {
        let title = format!("Redacted: from {} (-) to {} (+)", redaction.left, redaction.right);
        inside.push_str(&format!(
            "{}\n\n{}",
            prose(&title),
            fence("diff", &sides::unified(&redaction.lines))
        ));
    }
    for Side { participant, explained, .. } in &sides {
        let trace = sides::trace(explained);
        if !trace.is_empty() {
            inside.push_str(&format!(
                "{} ran:\n\n{}",
                prose(&participant.name),
                table(&sides::TRACE, &trace)
            ));
        }
        for note in &explained.notes {
            inside.push_str(&format!("- {}: {}\n", prose(&participant.name), prose(note)));
        }
        inside.push('\n');
    }
    details(&summary, &inside)
}

fn cases(page: &mut Page, report: &ParityReport) {
    if report.cases.is_empty() {
        return;
    }
    page.heading("Cases");
    page.paragraph(&facts::cases(report));
    let rows = matrix::rows(report);
    if rows.is_empty() {
        return;
    }
    page.table(&matrix::header(report), &rows);
    page.paragraph(matrix::LEGEND);
    page.pieces(&matrix::remarks(report), |(row, name, said)| {
        details(&format!("{} on {name}", row.name), &fence("", &plain_lines(said)))
    });
}

fn coverage(page: &mut Page, report: &ParityReport, search: &SearchReport) {
    page.heading("What the search exercised");
    page.paragraph(&facts::search(search));
    let coverage = exercise::by_participant(report, search);
    page.table(&exercise::COLUMNS, &coverage.iter().map(exercise::Coverage::cells).collect::<Vec<_>>());
    page.paragraph(exercise::COUNTED);
    for one in &coverage {
        let rules = one.unexercised();
        let literals: Vec<Vec<String>> = one
            .literals(false)
            .iter()
            .map(|literal| vec![compact(&literal.value), literal.rule.clone()])
            .collect();
        let mut inside = String::new();
        if !rules.is_empty() {
            inside.push_str(&table(&exercise::RULE, &rules));
        }
        if !literals.is_empty() {
            inside.push_str(&table(&["literal never tried", "rule"], &literals));
        }
        if !inside.is_empty() {
            page.piece(&details(
                &format!("Not exercised, or not to be told, on {}", one.participant.name),
                &inside,
            ));
        }
    }
    let derived = exercise::derived(&coverage);
    if !derived.is_empty() {
        page.paragraph(exercise::DERIVED_RULES);
        page.table(&exercise::DERIVED, &derived);
    }
    if !search.exercised.derived_literals.is_empty() {
        page.paragraph(exercise::DERIVED_LITERALS);
        page.list(&search.exercised.derived_literals);
    }
}

fn answers(page: &mut Page, report: &ParityReport, search: &SearchReport) {
    let answers = table(&facts::ANSWERS, &facts::answers(report, search));
    page.piece(&details("Answers and time", &format!("{answers}{}\n", facts::LATENCY)));
}

fn laws(page: &mut Page, report: &ParityReport) {
    if report.laws.is_empty() {
        return;
    }
    page.heading("Laws");
    page.table(&facts::LAW, &report.laws.iter().map(|law| facts::law(report, law)).collect::<Vec<_>>());
    let broken: Vec<_> = facts::broken(report).collect();
    page.pieces(&broken, |(law, broken)| {
        let mut inside = format!("{}\n\n", prose(&law.says));
        inside.push_str(&format!("- change: {}\n", prose(&broken.change)));
        inside.push_str(&format!("- before: {}\n", prose(&matrix::brief(&broken.before))));
        inside.push_str(&format!("- after: {}\n\n", prose(&matrix::brief(&broken.after))));
        inside.push_str(&fence("json", &pretty(&broken.request)));
        details(&format!("{} broken by {}", law.law, facts::name(report, law.participant)), &inside)
    });
}

fn write_suite(page: &mut Page, suite: &SuiteTable) {
    page.heading(&format!("Suite {}", facts::suite(suite)));
    if let Some(skipped) = &suite.skipped {
        return page.paragraph(&format!("not run: {skipped}"));
    }
    page.table(&facts::FOLDER, &facts::folders(suite));
    let unlisted = facts::failures(suite, false);
    if !unlisted.is_empty() {
        page.paragraph("Did not pass, and is not listed:");
        page.table(facts::FAILURE.split_at(4).0, &unlisted);
    }
    let listed = facts::failures(suite, true).len();
    if listed > 0 {
        page.paragraph(&format!("{} in the list of divergences.", count(listed, "more is", "more are")));
    }
    if !suite.stale.is_empty() {
        page.paragraph("Stale in the list of divergences:");
        page.list(&suite.stale);
    }
}
