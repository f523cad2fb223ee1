//! What a comparison came to, in one sentence.

use super::figures::{count, listed, number};
use super::{exercise, matrix};
use crate::parity::report::{ParityReport, Participant};

/// The sentence that answers what was asked: do they agree?
///
/// Whether they do is [`ParityReport::agrees`] alone; the sentence says on what, or how many things stand against it.
pub(super) fn sentence(report: &ParityReport) -> String {
    let names: Vec<String> = asked(report).map(|participant| participant.name.clone()).collect();
    if names.len() < 2 {
        return unopposed(report, &names);
    }
    if !report.agrees() {
        // Something that keeps from saying that they agree need not be a difference.
        let word = if differs(report) { "differ" } else { "not proven to agree" };
        return format!("{word}: {}", against(report));
    }
    let grounds = grounds(report);
    if grounds.is_empty() {
        return format!("{} were asked nothing", listed(&names));
    }
    let known = report.known.iter().filter(|known| known.holds).count();
    let but = if known == 0 {
        String::new()
    } else {
        format!(", apart from {}", count(known, "known divergence", "known divergences"))
    };
    format!("{} agree on {}{but}", listed(&names), listed(&grounds))
}

/// Whether any two answers differ, where that is not known.
fn differs(report: &ParityReport) -> bool {
    let found = report.search.iter().flat_map(|search| &search.counterexamples);
    found.into_iter().any(|example| example.known.is_none())
        || report.cases.iter().any(|row| {
            !row.differences.is_empty() && row.cells.iter().flatten().all(|cell| cell.exception.is_none())
        })
}

/// Whoever was not refused.
pub(super) fn asked(report: &ParityReport) -> impl Iterator<Item = &Participant> {
    report.participants.iter().filter(|participant| participant.refused.is_none())
}

/// With fewer than two who answer, nothing agrees with anything.
fn unopposed(report: &ParityReport, names: &[String]) -> String {
    let compared = match names {
        [] => "nothing was compared: nobody could be asked".to_owned(),
        names => format!("nothing was compared: only {} could be asked", listed(names)),
    };
    let tried = report.laws.iter().filter(|law| law.skipped.is_none()).count();
    let kept = report.laws.iter().filter(|law| law.skipped.is_none() && law.broken.is_none()).count();
    if tried == 0 { compared } else { format!("{compared}; {kept} of {} hold", count(tried, "law", "laws")) }
}

/// What they agree on.
fn grounds(report: &ParityReport) -> Vec<String> {
    let mut grounds = Vec::new();
    if !report.cases.is_empty() {
        grounds.push(count(report.cases.len(), "case", "cases"));
    }
    if let Some(search) = report.search.as_ref().filter(|search| search.compared > 0) {
        let reach = exercise::totals(&search.exercised);
        let rules = match (reach.rules, reach.untraced) {
            (0, 0) => "no rule".to_owned(),
            (0, _) => "rules that nothing traces".to_owned(),
            (rules, _) => format!("{} of {} rules", reach.rules_exercised, rules),
        };
        // Readers of one boolean that the host derived are no agreement of engines.
        let derived = match reach.derived {
            0 => String::new(),
            derived => format!(" ({} by derive only, not counted)", number(derived as u64)),
        };
        grounds.push(format!(
            "{} requests that exercise {rules} and {} of {} literals{derived}",
            number(search.compared),
            reach.literals_tried,
            reach.literals
        ));
    }
    grounds
}

/// How many things of which kind stand against it.
fn against(report: &ParityReport) -> String {
    let unknown = report
        .search
        .iter()
        .flat_map(|search| &search.counterexamples)
        .filter(|counterexample| counterexample.known.is_none())
        .count();
    let refused =
        report.participants.iter().filter(|one| one.refused.is_some() && !is_unsupported(report, one));
    let cases = matrix::Totals::of(report);
    let broken = report.laws.iter().filter(|law| law.broken.is_some()).count();
    let ended = report.known.iter().filter(|known| !known.holds).count();
    let failures = report
        .suites
        .iter()
        .flat_map(|suite| &suite.failures)
        .filter(|failure| failure.known.is_none() && failure.how == "failed")
        .count();
    let stale: usize = report.suites.iter().map(|suite| suite.stale.len()).sum();
    let counts = [
        (unknown, "counterexample", "counterexamples"),
        (refused.count(), "engine refused to load", "engines refused to load"),
        (cases.differing, "case answered differently", "cases answered differently"),
        (cases.failing, "case failed", "cases failed"),
        (broken, "law broken", "laws broken"),
        (ended, "known divergence that is none any more", "known divergences that are none any more"),
        (failures, "suite case failed", "suite cases failed"),
        (stale, "stale entry in a suite's list", "stale entries in suites' lists"),
    ];
    let said: Vec<String> =
        counts.into_iter().filter(|(n, ..)| *n > 0).map(|(n, one, many)| count(n, one, many)).collect();
    if said.is_empty() { count(report.objections.len(), "objection", "objections") } else { said.join(", ") }
}

/// Whether the pack itself says that it cannot run there.
fn is_unsupported(report: &ParityReport, participant: &Participant) -> bool {
    report.packs.get(participant.pack).is_some_and(|pack| pack.unsupported.contains_key(&participant.engine))
}
