//! What became of mutants, counted.

use std::collections::BTreeMap;

use super::figures::{count, listed, number, percent, percentile};
use crate::parity::report::{Fate, MutantResult, MutationReport, MutationTable};

/// How a kill rate is counted.
pub(super) const KILL_RATE: &str = "Kill rate = killed / (all − equivalent − refused). Time, requests and size are those of the \
                                    mutants that were killed: until the first request on which they differ, and that \
                                    request's members, elements and characters after shrinking.";

/// The middle, the high end and the worst of some figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spread {
    pub(super) median: u64,
    pub(super) p90: u64,
    pub(super) max: u64,
}

impl Spread {
    /// `None` of nothing.
    fn of(figures: impl Iterator<Item = u64>) -> Option<Self> {
        let mut sorted: Vec<u64> = figures.collect();
        sorted.sort_unstable();
        let at = |percent| percentile(&sorted, percent);
        Some(Self { median: at(50)?, p90: at(90)?, max: at(100)? })
    }

    /// As `median / 90 % / max`.
    pub(super) fn shown(spread: Option<Self>, figure: fn(u64) -> String) -> String {
        let shown = spread.map(|Self { median, p90, max }| [median, p90, max].map(figure).join(" / "));
        shown.unwrap_or_else(|| "—".to_owned())
    }
}

/// The fates of some mutants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) all: usize,
    pub(super) killed: usize,
    pub(super) refused: usize,
    pub(super) equivalent: usize,
    pub(super) survived: usize,
    /// Milliseconds until a mutant was killed.
    pub(super) time: Option<Spread>,
    /// Requests until a mutant was killed.
    pub(super) requests: Option<Spread>,
    /// Sizes of the smallest requests.
    pub(super) size: Option<Spread>,
}

impl Tally {
    pub(super) fn of<'r>(mutants: impl IntoIterator<Item = &'r MutantResult>) -> Self {
        let mutants: Vec<&MutantResult> = mutants.into_iter().collect();
        let fates = |wanted: fn(&Fate) -> bool| mutants.iter().filter(|mutant| wanted(&mutant.fate)).count();
        let killed = || mutants.iter().filter(|mutant| mutant.fate == Fate::Killed);
        Self {
            all: mutants.len(),
            killed: killed().count(),
            refused: fates(|fate| matches!(fate, Fate::Refused(_))),
            equivalent: fates(|fate| matches!(fate, Fate::Equivalent(_))),
            survived: fates(|fate| *fate == Fate::Survived),
            time: Spread::of(killed().map(|mutant| mutant.duration_ms)),
            requests: Spread::of(killed().map(|mutant| mutant.requests)),
            size: Spread::of(killed().filter_map(|mutant| mutant.size).map(|size| size as u64)),
        }
    }

    /// Of those that can be noticed, how many were.
    pub(super) fn kill_rate(&self) -> String {
        percent(self.killed as u64, (self.killed + self.survived) as u64).unwrap_or_else(|| "—".to_owned())
    }

    /// The columns after the pack and the engine.
    pub(super) fn cells(&self) -> [String; 9] {
        let whole = |figure: usize| number(figure as u64);
        [
            whole(self.all),
            whole(self.killed),
            whole(self.refused),
            whole(self.equivalent),
            whole(self.survived),
            self.kill_rate(),
            Spread::shown(self.time, super::figures::milliseconds),
            Spread::shown(self.requests, number),
            self.size.map_or_else(
                || "—".to_owned(),
                |size| format!("{} / {}", number(size.median), number(size.max)),
            ),
        ]
    }
}

/// What the columns of [`Tally::cells`] are.
pub(super) const COLUMNS: [&str; 9] = [
    "mutants",
    "killed",
    "refused",
    "equivalent",
    "survived",
    "kill rate",
    "time: p50 / p90 / max",
    "requests: p50 / p90 / max",
    "size: p50 / max",
];

/// The report in one sentence.
pub(super) fn sentence(report: &MutationReport) -> String {
    let all = Tally::of(report.tables.iter().flat_map(|table| &table.mutants));
    let stale: usize = report.tables.iter().map(|table| table.stale.len()).sum();
    let mut said = format!(
        "{} of {} noticed ({})",
        number(all.killed as u64),
        count(all.killed + all.survived, "mutant", "mutants"),
        all.kill_rate()
    );
    if all.survived > 0 {
        said.push_str(&format!(", {} survived", number(all.survived as u64)));
    }
    if stale > 0 {
        said.push_str(&format!(
            ", {} of the lists of equivalent ones",
            count(stale, "stale entry", "stale entries")
        ));
    }
    said
}

/// The mutants of all tables by kind of mistake.
pub(super) fn by_mutation(report: &MutationReport) -> Vec<(&'static str, Tally)> {
    let mut kinds: BTreeMap<&'static str, Vec<&MutantResult>> = BTreeMap::new();
    for mutant in report.tables.iter().flat_map(|table| &table.mutants) {
        kinds.entry(mutant.mutation.as_str()).or_default().push(mutant);
    }
    kinds.into_iter().map(|(kind, mutants)| (kind, Tally::of(mutants))).collect()
}

/// The mutants that nobody noticed.
pub(super) fn survivors(table: &MutationTable) -> Vec<&MutantResult> {
    table.mutants.iter().filter(|mutant| mutant.fate == Fate::Survived).collect()
}

/// The pack of a table, with its version.
pub(super) fn pack(table: &MutationTable) -> String {
    format!("{} {}", table.pack.name, table.pack.version)
}

/// The engine of a table, with its version.
pub(super) fn engine(table: &MutationTable) -> String {
    format!("{} {}", table.engine, table.version)
}

/// That only a sample was tried, if so.
pub(super) fn sample(table: &MutationTable) -> Option<String> {
    let (tried, available) = (table.mutants.len(), table.available);
    (tried < available).then(|| {
        format!("a sample: {} of {} mutants were tried", number(tried as u64), number(available as u64))
    })
}

/// What is wrong with stale entries.
pub(super) const STALE: &str = "listed as equivalent, but gone or killed: take these off the list";

/// A row of the table of packs and engines.
pub(super) fn row(table: &MutationTable) -> Vec<String> {
    [pack(table), engine(table)].into_iter().chain(Tally::of(&table.mutants).cells()).collect()
}

/// A row of the table of kinds.
pub(super) fn kind((kind, tally): (&'static str, Tally)) -> Vec<String> {
    [kind.to_owned()].into_iter().chain(tally.cells()).collect()
}

/// What a table's mutants were compared with, and how many there were.
pub(super) fn against(table: &MutationTable) -> String {
    let sample = sample(table).map(|sample| format!("; {sample}"));
    format!(
        "compared with {}{}",
        listed(&table.against),
        sample.iter().map(String::as_str).collect::<String>()
    )
}

/// A mutant in one line, without its change.
pub(super) fn what(mutant: &MutantResult) -> String {
    let rule = mutant.rule.as_ref().map(|rule| format!(" in `{rule}`"));
    format!(
        "{} at {}{} (`{}`; {} requests in {})",
        mutant.mutation.as_str(),
        mutant.location,
        rule.iter().map(String::as_str).collect::<String>(),
        mutant.id,
        number(mutant.requests),
        super::figures::milliseconds(mutant.duration_ms)
    )
}

/// The mutants that the pack lists as equivalent, each with its reason.
pub(super) fn equivalent(table: &MutationTable) -> Vec<Vec<String>> {
    let listed = table.mutants.iter().filter_map(|mutant| match &mutant.fate {
        Fate::Equivalent(why) => Some(vec![mutant.id.clone(), why.clone()]),
        Fate::Killed | Fate::Refused(_) | Fate::Survived => None,
    });
    listed.collect()
}

/// How the run was made.
pub(super) fn facts(report: &MutationReport) -> Vec<(&'static str, String)> {
    let mut facts = super::facts::run(&report.run);
    facts.push(("seed", report.seed.to_string()));
    facts.push(("bound", format!("{} for each mutant", super::facts::bound(report.bound))));
    let mut digests: Vec<String> = report
        .tables
        .iter()
        .map(|table| format!("{} from {}, {}", pack(table), table.pack.origin, table.pack.digest))
        .collect();
    digests.sort();
    digests.dedup();
    facts.extend(digests.into_iter().map(|digest| ("pack", digest)));
    facts
}

/// Whether every mutant that can be noticed was, and no list is stale.
pub(super) fn is_complete(report: &MutationReport) -> bool {
    report.tables.iter().all(|table| survivors(table).is_empty() && table.stale.is_empty())
}
