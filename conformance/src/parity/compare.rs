//! A comparison from the question to the report.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use tribunal::core::contract::Pointer;
use tribunal::core::engine::{LoadContext, Registry};
use tribunal::core::pack::PackSource;

use super::answer::record;
use super::counterexample::{self, Reviewed};
use super::known::Known;
use super::laws;
use super::lineup::Lineup;
use super::report::{
    Bound, CaseCell, CaseRow, Counterexample, Exercised, FORMAT, Latency, LawResult, LiteralExercise,
    Machine, ParityReport, RuleExercise, Run, SearchReport, SuiteTable,
};
use crate::case::Case;
use crate::search::{Answer, Findings, Material, Plan, Progress, Question, explore, material};

/// Questions that the laws are tried on, at most.
const MOST_FOR_LAWS: usize = 200;

/// What is compared, besides the lineup.
#[derive(Debug)]
pub struct Wanted<'w> {
    /// The search, if there is to be one.
    pub plan: Option<Plan>,
    /// Tokens to show beside those of the cases.
    pub tokens: Vec<tribunal::Token>,
    /// The first pack's list of known divergences.
    pub known: Vec<Known>,
    /// Suites that were run beside.
    pub suites: Vec<SuiteTable>,
    /// What engines are loaded with.
    pub context: &'w LoadContext,
    /// The engines there are.
    pub registry: &'w Registry,
    /// How the report says it was made.
    pub run: Run,
}

/// Compares everyone in a lineup.
pub fn compare(lineup: &Lineup, wanted: Wanted<'_>, progress: &mut dyn FnMut(Progress)) -> ParityReport {
    let Wanted { plan, tokens, known, suites, context, registry, run } = wanted;
    let cases = lineup
        .contestants
        .iter()
        .enumerate()
        .flat_map(|(pack, contestant)| contestant.suite.cases.iter().map(move |case| (pack, case)));
    // A case that both versions have is one; of the same name, but not the same, it is two.
    let mut seen: Vec<&Case> = Vec::new();
    let cases: Vec<(usize, &Case)> = cases
        .filter(|(_, case)| {
            let is_new = !seen.iter().any(|other| is_same(other, case));
            seen.push(case);
            is_new
        })
        .collect();
    let rows: Vec<CaseRow> = cases.iter().map(|(pack, case)| case_row(lineup, *pack, case)).collect();
    let all_cases: Vec<Case> = cases.iter().map(|(_, case)| (*case).clone()).collect();

    let mut known: Vec<Reviewed> = known.iter().map(|known| counterexample::review(lineup, known)).collect();
    let mut unexamined = 0;
    let mut participants = lineup.participants.clone();
    let mut kept = Vec::new();
    let packs: Vec<&PackSource> =
        lineup.contestants.iter().map(|contestant| contestant.source.as_ref()).collect();
    let material = Material::gather(&packs, &all_cases, &lineup.vocabularies, tokens);
    let search = match (plan, material) {
        (Some(plan), Some(material)) if !lineup.panel.members().is_empty() => {
            let findings = explore(&lineup.panel, &material, &plan, progress);
            let latencies: Vec<Option<Latency>> = findings.times.iter().map(|times| latency(times)).collect();
            for (participant, latency) in participants.iter_mut().zip(lineup.by_participant(&latencies)) {
                participant.latency = latency.flatten();
            }
            kept.clone_from(&findings.kept);
            unexamined = findings.unexamined;
            Some(search_report(lineup, &plan, findings, &mut known))
        }
        _ => None,
    };
    let laws = laws_of(lineup, &all_cases, &kept, context, registry);
    let mut report = ParityReport {
        format: FORMAT,
        run,
        packs: lineup.packs(),
        participants,
        cases: rows,
        search,
        laws,
        known: known.into_iter().map(|known| known.result).collect(),
        suites,
        objections: Vec::new(),
    };
    report.objections = objections(&report);
    if unexamined > 0 {
        let message =
            format!("{unexamined} more requests differ in kinds of their own, and were not looked at");
        report.objections.push(message);
    }
    report
}

fn is_same(a: &Case, b: &Case) -> bool {
    a.name == b.name
        && a.request == b.request
        && a.now == b.now
        && a.token == b.token
        && a.expect == b.expect
        && a.exceptions == b.exceptions
}

fn case_row(lineup: &Lineup, pack: usize, case: &Case) -> CaseRow {
    let question = Question { request: case.request.clone(), now: case.now, token: case.token.clone() };
    let mut answers = Vec::new();
    let cells: Vec<Option<CaseCell>> = (0..lineup.participants.len())
        .map(|participant| {
            let member = lineup.panel.members().get(lineup.seat(participant)?)?;
            let result = member.runner().run(case);
            let outcome = result.answer.outcome.as_ref();
            let answer = Answer {
                decision: result.answer.decision.clone(),
                fault: result.answer.fault.clone(),
                rules: outcome
                    .and_then(|outcome| outcome.packs.first())
                    .map_or(tribunal::core::contract::Rules::UNAVAILABLE, |pack| pack.rules.clone()),
            };
            let own =
                lineup.participants.get(participant).is_some_and(|participant| participant.pack == pack);
            let cell = CaseCell {
                answer: record(&answer),
                // A case says what its own version decides, and nothing of the other.
                failure: result.failure.filter(|_| own).map(|failure| failure.to_string()),
                exception: case
                    .exceptions
                    .get(member.runner().engine())
                    .map(|exception| exception.reason.clone()),
            };
            if cell.exception.is_none() {
                answers.push(answer);
            }
            Some(cell)
        })
        .collect();
    CaseRow {
        name: case.name.clone(),
        location: case.location.to_string(),
        cells,
        // Engines that the case excepts are held to their exceptions, and to nothing else.
        differences: lineup.panel.differences(&question, &answers),
    }
}

fn search_report(
    lineup: &Lineup,
    plan: &Plan,
    mut findings: Findings,
    known: &mut [Reviewed],
) -> SearchReport {
    let mut counterexamples: Vec<Counterexample> = Vec::new();
    for disagreement in std::mem::take(&mut findings.disagreements) {
        let mut found = counterexample::of(lineup, &disagreement);
        if let Some(known) = known.iter_mut().find(|known| known.is_shown_by(&found)) {
            known.result.times += disagreement.times;
            found.known = Some(known.result.name.clone());
        }
        let alike = |other: &&mut Counterexample| {
            let is_same_question =
                (&other.request, &other.now, &other.token) == (&found.request, &found.now, &found.token);
            other.known == found.known && (is_same_question || counterexample::show_the_same(other, &found))
        };
        match counterexamples.iter_mut().find(alike) {
            Some(other) => other.times += disagreement.times,
            None => counterexamples.push(found),
        }
    }
    let answers = lineup.by_participant(&findings.answers);
    SearchReport {
        seed: plan.seed,
        bound: plan.bound,
        threads: plan.threads,
        tried: findings.tried,
        refused_by_host: findings.refused_by_host.clone(),
        compared: findings.compared,
        answers: answers.into_iter().map(|counts| counts.unwrap_or_else(BTreeMap::new)).collect(),
        corpus: findings.kept.len() as u64,
        duration_ms: u64::try_from(findings.duration.as_millis()).unwrap_or(u64::MAX),
        counterexamples,
        exercised: exercised(lineup, &findings),
    }
}

fn exercised(lineup: &Lineup, findings: &Findings) -> Exercised {
    let mut rules = Vec::new();
    for (participant, vocabulary) in lineup.vocabularies.iter().enumerate() {
        let Some(seat) = lineup.seat(participant) else { continue };
        let determined = findings.determined.get(seat).filter(|determined| !determined.is_empty());
        let traced = findings.traced.get(seat);
        for rule in &vocabulary.rules {
            let location = rule.location.as_ref().map(ToString::to_string);
            let seen = traced.filter(|traced| !traced.is_empty()).map(|traced| {
                traced.get(&(rule.rule.clone(), location.clone())).copied().unwrap_or(Default::default())
            });
            rules.push(RuleExercise {
                participant,
                rule: rule.rule.clone(),
                location,
                determined: determined.map(|determined| determined.get(&rule.rule).copied().unwrap_or(0)),
                ran: seen.map(|seen| seen.ran),
                failed: seen.map(|seen| seen.failed),
                derived_only: !rule.reads.is_empty() && rule.reads.iter().all(is_derived),
            });
        }
    }
    let literals = material::literals(&lineup.vocabularies)
        .zip(&findings.literals)
        .map(|((participant, rule, literal), tried)| LiteralExercise {
            participant,
            rule: rule.to_owned(),
            value: literal.value.clone(),
            tried: *tried,
        })
        .collect();
    Exercised { rules, literals, derived_literals: derived_literals(lineup) }
}

fn is_derived(pointer: &Pointer) -> bool {
    pointer.tokens().first().is_some_and(|first| first == "derived")
}

/// Expressions of `derive:` that no policy writes itself.
fn derived_literals(lineup: &Lineup) -> Vec<String> {
    let own: BTreeSet<&str> = lineup
        .vocabularies
        .iter()
        .flat_map(|vocabulary| &vocabulary.rules)
        .flat_map(|rule| &rule.literals)
        .filter_map(|literal| literal.value.as_str())
        .collect();
    let mut found = BTreeSet::new();
    for contestant in &lineup.contestants {
        for spec in contestant.source.manifest.derive.values() {
            let patterns = spec.patterns().into_iter().filter(|pattern| !own.contains(pattern));
            found.extend(patterns.map(str::to_owned));
        }
    }
    found.into_iter().collect()
}

fn latency(times: &[u64]) -> Option<Latency> {
    let mut times = times.to_vec();
    times.sort_unstable();
    let at =
        |share: usize| times.get((times.len() * share / 100).min(times.len().saturating_sub(1))).copied();
    Some(Latency {
        count: times.len() as u64,
        p50_ns: at(50)?,
        p90_ns: at(90)?,
        p99_ns: at(99)?,
        max_ns: times.last().copied()?,
    })
}

fn laws_of(
    lineup: &Lineup,
    cases: &[Case],
    kept: &[Question],
    context: &LoadContext,
    registry: &Registry,
) -> Vec<LawResult> {
    let of_cases = cases.iter().map(|case| Question {
        request: case.request.clone(),
        now: case.now,
        token: case.token.clone(),
    });
    let questions: Vec<Question> = of_cases.chain(kept.iter().cloned()).take(MOST_FOR_LAWS).collect();
    let mut results = Vec::new();
    for (index, participant) in lineup.participants.iter().enumerate() {
        if participant.is_reference || participant.refused.is_some() {
            continue;
        }
        if let Some(contestant) = lineup.contestants.get(participant.pack) {
            results.extend(laws::hold(contestant, &participant.engine, index, &questions, context, registry));
        }
    }
    results
}

/// What keeps the participants from being called alike.
fn objections(report: &ParityReport) -> Vec<String> {
    let mut found = Vec::new();
    let counted =
        |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    for participant in &report.participants {
        if let Some(why) = &participant.refused {
            let first = why.lines().next().unwrap_or(why);
            found.push(format!("{} could not be asked: {first}", participant.name));
        }
    }
    let asked = report.participants.iter().filter(|participant| participant.refused.is_none()).count();
    if asked < 2 {
        found.push(format!(
            "{} answered: that is nothing to compare",
            counted(asked, "participant", "participants")
        ));
    }
    let differing = report.cases.iter().filter(|row| !row.differences.is_empty()).count();
    if differing > 0 {
        found.push(counted(differing, "case is", "cases are") + " answered differently");
    }
    let failing = report
        .cases
        .iter()
        .filter(|row| row.cells.iter().flatten().any(|cell| cell.failure.is_some()))
        .count();
    if failing > 0 {
        found.push(counted(failing, "case is", "cases are") + " not answered as expected");
    }
    if let Some(search) = &report.search {
        let new = search.counterexamples.iter().filter(|example| example.known.is_none()).count();
        if new > 0 {
            found
                .push(counted(new, "kind of request", "kinds of requests") + " with different answers found");
        }
        match search.bound {
            Bound::Requests(wanted) if search.compared < wanted => found.push(format!(
                "only {} of {wanted} requests reached the engines: the host refuses nearly all that can be made",
                search.compared
            )),
            _ if search.compared == 0 => found.push("no request of the search reached the engines".to_owned()),
            _ => {}
        }
    }
    let broken = report.laws.iter().filter(|law| law.broken.is_some()).count();
    if broken > 0 {
        found.push(counted(broken, "law is", "laws are") + " broken");
    }
    for known in report.known.iter().filter(|known| !known.holds) {
        found.push(format!("the known divergence `{}` is none any more: delete it", known.name));
    }
    for suite in &report.suites {
        let unlisted = suite.failures.iter().filter(|failure| failure.known.is_none()).count();
        if unlisted > 0 {
            found.push(format!(
                "{}: {} on {}",
                suite.suite,
                counted(unlisted, "unlisted failure", "unlisted failures"),
                suite.engine
            ));
        }
        if !suite.stale.is_empty() {
            found.push(format!(
                "{}: {} of {} pass or are gone",
                suite.suite,
                counted(suite.stale.len(), "listed divergence", "listed divergences"),
                suite.engine
            ));
        }
    }
    found
}

/// The machine this runs on.
pub fn machine() -> Machine {
    let info = std::fs::read_to_string("/proc/cpuinfo").ok();
    let processor = info.and_then(|info| {
        let line = info.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    Machine {
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        processor,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
    }
}

/// The revision of the folder a file lies in, where `git` is there and knows one.
pub fn revision(of: &Path) -> Option<String> {
    let folder =
        if of.is_dir() { of } else { of.parent().filter(|parent| !parent.as_os_str().is_empty())? };
    let git = |args: &[&str]| {
        let output = Command::new("git").arg("-C").arg(folder).args(args).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let head = git(&["rev-parse", "HEAD"])?;
    let changes = git(&["status", "--porcelain", "--untracked-files=no", "."])?;
    Some(if changes.is_empty() { head } else { format!("{head}-dirty") })
}
