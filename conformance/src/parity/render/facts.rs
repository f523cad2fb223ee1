//! The parts of a report that are tables in every format: their columns, and their rows as text.

use std::collections::BTreeMap;

use super::figures::{count, duration, milliseconds, number};
use super::matrix::Totals;
use crate::parity::report::{
    Bound, BrokenLaw, KnownResult, Latency, LawResult, Machine, ParityReport, Participant, Run, SearchReport,
    SuiteFailure, SuiteTable,
};

/// What is said of every table of latencies.
pub(super) const LATENCY: &str = "Answers timed warm while others ran beside them: for orientation only.";

/// The columns of [`participant`].
pub(super) const PARTICIPANT: [&str; 4] = ["participant", "engine", "pack", "asked"];

/// Someone who was asked, or why not.
pub(super) fn participant(report: &ParityReport, one: &Participant) -> Vec<String> {
    let pack = report.packs.get(one.pack).map(|pack| format!("{} {}", pack.name, pack.version));
    let asked = match (&one.refused, one.is_reference) {
        (Some(why), _) => format!("no: {why}"),
        (None, true) => "yes, as a reference that decides nothing".to_owned(),
        (None, false) => "yes".to_owned(),
    };
    vec![one.name.clone(), format!("{} {}", one.engine, one.version), pack.into_iter().collect(), asked]
}

/// The name of a participant by its place.
pub(super) fn name(report: &ParityReport, place: usize) -> &str {
    report.participants.get(place).map_or("", |participant| &participant.name)
}

/// How the cases went, in one sentence.
pub(super) fn cases(report: &ParityReport) -> String {
    let Totals { rows, differing, failing, excepted, faulty } = Totals::of(report);
    let asked = super::verdict::asked(report).count();
    let mut said =
        format!("{} on {}: ", count(rows, "case", "cases"), count(asked, "participant", "participants"));
    said.push_str(&match (differing, failing) {
        (0, 0) => "all as expected".to_owned(),
        (differing, failing) => format!("{differing} answered differently, {failing} not as expected"),
    });
    if excepted > 0 {
        said.push_str(&format!("; {excepted} with an exception"));
    }
    if faulty > 0 {
        said.push_str(&format!("; {faulty} with a fault"));
    }
    said
}

/// What a search did, in one sentence.
pub(super) fn search(search: &SearchReport) -> String {
    let refused: u64 = search.refused_by_host.values().sum();
    let by_fault: Vec<String> =
        search.refused_by_host.iter().map(|(fault, times)| format!("{fault} {}", number(*times))).collect();
    let by_fault = if by_fault.is_empty() { String::new() } else { format!(" ({})", by_fault.join(", ")) };
    format!(
        "{} requests made, {} refused by the host before any engine was asked{by_fault}, {} compared; {} kept because \
         they led somewhere new",
        number(search.tried),
        number(refused),
        number(search.compared),
        number(search.corpus),
    )
}

/// The latency of a participant: half, 90 %, 99 % and all of its answers were faster.
fn latency(latency: Option<Latency>) -> [String; 4] {
    match latency {
        None => ["—"; 4].map(str::to_owned),
        Some(Latency { p50_ns, p90_ns, p99_ns, max_ns, .. }) => {
            [p50_ns, p90_ns, p99_ns, max_ns].map(duration)
        }
    }
}

/// The columns of [`answers`].
pub(super) const ANSWERS: [&str; 6] = ["", "answers", "p50", "p90", "p99", "max"];

/// What everyone who was asked answered how often, and how long it took.
pub(super) fn answers(report: &ParityReport, search: &SearchReport) -> Vec<Vec<String>> {
    let asked = report.participants.iter().zip(&search.answers).filter(|(one, _)| one.refused.is_none());
    let row = |(one, answers): (&Participant, &BTreeMap<String, u64>)| {
        let counts: Vec<String> =
            answers.iter().map(|(answer, times)| format!("{answer} {}", number(*times))).collect();
        let mut cells = vec![one.name.clone(), counts.join(", ")];
        cells.extend(latency(one.latency));
        cells
    };
    asked.map(row).collect()
}

/// The columns of [`law`].
pub(super) const LAW: [&str; 4] = ["law", "of", "requests", "holds"];

/// A law and how it went.
pub(super) fn law(report: &ParityReport, law: &LawResult) -> Vec<String> {
    let holds = match (&law.skipped, &law.broken) {
        (Some(why), _) => format!("not tried: {why}"),
        (None, Some(_)) => "no".to_owned(),
        (None, None) => "yes".to_owned(),
    };
    vec![law.law.clone(), name(report, law.participant).to_owned(), number(law.tried), holds]
}

/// The laws that are broken, and by what.
pub(super) fn broken(report: &ParityReport) -> impl Iterator<Item = (&LawResult, &BrokenLaw)> {
    report.laws.iter().filter_map(|law| law.broken.as_ref().map(|broken| (law, broken)))
}

/// The columns of [`known`].
pub(super) const KNOWN: [&str; 5] = ["known divergence", "still so", "met", "why", "upstream"];

/// A known divergence, and whether it still is one.
pub(super) fn known(known: &KnownResult) -> Vec<String> {
    let holds = if known.holds { "yes" } else { "no: take it off the list" };
    let upstream = known.upstream.iter().cloned().collect();
    vec![
        known.name.clone(),
        holds.to_owned(),
        format!("{}×", number(known.times)),
        known.reason.clone(),
        upstream,
    ]
}

/// What a suite's table is called.
pub(super) fn suite(suite: &SuiteTable) -> String {
    format!("{} on {} {}", suite.suite, suite.engine, suite.version)
}

/// The columns of [`folders`].
pub(super) const FOLDER: [&str; 4] = ["folder", "passed", "failed", "refused"];

/// The folders of a suite, and their sum.
pub(super) fn folders(suite: &SuiteTable) -> Vec<Vec<String>> {
    let row = |name: &str, counts: [u64; 3]| {
        [name.to_owned()].into_iter().chain(counts.map(number)).collect::<Vec<_>>()
    };
    let mut rows: Vec<Vec<String>> = suite
        .folders
        .iter()
        .map(|folder| row(&folder.name, [folder.passed, folder.failed, folder.refused]))
        .collect();
    let (mut passed, mut failed, mut refused) = (0_u64, 0_u64, 0_u64);
    for folder in &suite.folders {
        passed = passed.saturating_add(folder.passed);
        failed = failed.saturating_add(folder.failed);
        refused = refused.saturating_add(folder.refused);
    }
    rows.push(row("all", [passed, failed, refused]));
    rows
}

/// The columns of [`failures`].
pub(super) const FAILURE: [&str; 5] = ["case", "folder", "how", "what came", "listed because"];

/// What did not pass: as the list of divergences says, or otherwise.
pub(super) fn failures(suite: &SuiteTable, is_listed: bool) -> Vec<Vec<String>> {
    let failures = suite.failures.iter().filter(|failure| failure.known.is_some() == is_listed);
    let row = |failure: &SuiteFailure| {
        let SuiteFailure { case, folder, how, detail, known } = failure;
        [case, folder, how, detail].into_iter().chain(known).cloned().collect()
    };
    failures.map(row).collect()
}

/// How the comparison was made.
pub(super) fn of(report: &ParityReport) -> Vec<(&'static str, String)> {
    let mut facts = run(&report.run);
    for pack in &report.packs {
        facts.push(("pack", format!("{} {} from {}, {}", pack.name, pack.version, pack.origin, pack.digest)));
        for (engine, why) in &pack.unsupported {
            facts.push(("not for", format!("{engine}, says the pack {}: {why}", pack.name)));
        }
    }
    if let Some(search) = &report.search {
        facts.push(("seed", search.seed.to_string()));
        facts.push(("bound", bound(search.bound)));
        let threads = count(search.threads, "thread", "threads");
        facts.push(("search", format!("{} on {threads}", milliseconds(search.duration_ms))));
    }
    facts
}

/// How a run was made.
pub(super) fn run(run: &Run) -> Vec<(&'static str, String)> {
    let Run { command, tribunal, revision, machine, started, duration_ms } = run;
    let Machine { system, processor, threads } = machine;
    let processor = processor.as_ref().map(|name| format!(", {name}"));
    let machine = format!(
        "{system}{}, {}",
        processor.iter().map(String::as_str).collect::<String>(),
        count(*threads, "thread", "threads")
    );
    vec![
        ("command", command.clone()),
        ("tribunal", tribunal.clone()),
        ("revision", revision.clone().unwrap_or_else(|| "unknown".to_owned())),
        ("machine", machine),
        ("started", started.clone()),
        ("took", milliseconds(*duration_ms)),
    ]
}

/// What bounds a search, in words.
pub(super) fn bound(bound: Bound) -> String {
    match bound {
        Bound::Requests(requests) => format!("{} requests", number(requests)),
        Bound::Milliseconds(time) => milliseconds(time),
    }
}
