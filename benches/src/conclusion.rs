//! One paragraph that somebody can decide by who reads nothing else.
//!
//! Nobody is called first whom the processes do not show to be: engines that no interval tells apart lead together.

use crate::model::Model;
use crate::report::data::{BenchReport, Problem, Row};
use crate::report::figures::{quantity, three};
use crate::statistics::{Quantile, Verdict};
use crate::subject::{Kind, Unavailable};
use crate::targets::{Fate, of_this_program};

impl BenchReport {
    /// Writes what the run comes to into it: what became of the targets, and the paragraph.
    pub fn conclude(&mut self) {
        self.targets = of_this_program(self);
        self.conclusion = conclusion(self);
    }
}

/// The paragraph.
pub fn conclusion(report: &BenchReport) -> String {
    let mut said = caveats(report);
    let of = |model: Model| {
        let mut rows = report.rows.iter().filter(|row| row.model == model && row.point.is_none());
        rows.find(|row| has_engines(report, row))
    };
    // A void row stays the one: another, beside which it stands, would be about something else.
    let decisions = of(Model::Decide).or_else(|| of(Model::Batch)).filter(|row| row.void.is_none());
    said.extend(decisions.and_then(|row| agreement(report, row)));
    if !report.run.optimised {
        said.push(
            "The program that was measured is not optimised, so its figures say nothing of what an engine costs.".to_owned(),
        );
        return said.join(" ");
    }
    let aspects: Vec<Aspect<'_>> = [
        (decisions, Purpose::Decisions),
        (of(Model::LoadCold), Purpose::Starts),
        (of(Model::Memory), Purpose::Memory),
    ]
    .into_iter()
    .filter_map(|(row, purpose)| Aspect::of(report, row?, purpose))
    .collect();
    said.extend(aspects.iter().map(|aspect| aspect.sentence(report)));
    said.extend(choice(&aspects));
    said.extend(targets(report));
    if said.is_empty() {
        said.push("Nothing was measured that one could conclude from.".to_owned());
    }
    said.join(" ")
}

fn has_engines(report: &BenchReport, row: &Row) -> bool {
    let kind = |name: &str| report.subject(name).map(|subject| subject.kind);
    row.entries.iter().any(|entry| kind(&entry.subject) == Some(Kind::Engine))
}

/// What makes the run less than it should be.
fn caveats(report: &BenchReport) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(why) = &report.run.cut_short {
        said.push(format!("The run ended early ({why}); this is what was measured before."));
    }
    let processors = report.run.machine.threads;
    if let Some((_, most)) = report.run.load
        && most > processors as f64
    {
        said.push(format!(
            "The machine was busy (a load average of {most:.1} on {processors} processors), so small differences are lost in \
             noise."
        ));
    }
    let void = report.rows.iter().filter(|row| row.void.is_some()).count();
    if void > 0 {
        said.push(format!(
            "Engines disagree: {void} of {} rows are void, and nothing may be concluded from them until they agree.",
            report.rows.len()
        ));
    }
    said
}

/// Which engines decided alike, and who took no part and why.
fn agreement(report: &BenchReport, row: &Row) -> Option<String> {
    let engines = report.subjects.iter().filter(|subject| subject.kind == Kind::Engine);
    let entries: Vec<_> = engines.filter_map(|engine| row.entry(&engine.name)).collect();
    let out: Vec<String> = entries
        .iter()
        .filter_map(|entry| {
            Some(format!("`{}` took no part ({})", entry.subject, briefly(entry.problem.as_ref()?)))
        })
        .collect();
    let alike = entries.len() - out.len();
    let begins = match (alike, out.len()) {
        (0, _) | (1, 0) => String::new(),
        (1, _) => "One engine is left".to_owned(),
        (_, 0) => format!("All {alike} engines decide alike"),
        _ => format!("{alike} engines decide alike"),
    };
    let parts: Vec<String> = [begins, listed(&out)].into_iter().filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| format!("{}.", parts.join("; ")))
}

/// Why an engine took no part, in a few words; the tables have them all.
fn briefly(problem: &Problem) -> &'static str {
    match problem {
        Problem::Unavailable(Unavailable::Missing(_)) => "something that it needs is missing",
        Problem::Unavailable(Unavailable::NotApplicable(_)) => "the pack has nothing for it",
        Problem::Unavailable(Unavailable::Refused(_)) => "it refuses the pack or a request",
        Problem::Unavailable(Unavailable::Failed(_)) => "it failed",
        Problem::Disagrees(_) => "it disagrees",
        Problem::Changed(_) => "its answers change",
    }
}

/// What an engine is chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Decisions,
    Starts,
    Memory,
}

/// One thing that an engine is chosen for, with the engines as they stand.
struct Aspect<'r> {
    purpose: Purpose,
    row: &'r Row,
    /// Whom nobody is shown to undercut.
    leaders: Vec<&'r str>,
    /// What they cost, the first of them.
    cost: f64,
    /// The others, with how many times that they cost.
    others: Vec<(&'r str, f64)>,
    /// Whether there were processes enough to say any of it.
    is_sure: bool,
}

impl<'r> Aspect<'r> {
    /// How the engines of a row stand; `None` without a figure of any.
    fn of(report: &'r BenchReport, row: &'r Row, purpose: Purpose) -> Option<Self> {
        let engines = report.subjects.iter().filter(|subject| subject.kind == Kind::Engine);
        let mut costs: Vec<(&str, f64)> = engines
            .filter_map(|engine| {
                let entry = row.entry(&engine.name).filter(|entry| entry.problem.is_none())?;
                Some((engine.name.as_str(), entry.at(Quantile::P50)?))
            })
            .collect();
        costs.sort_by(|a, b| a.1.total_cmp(&b.1));
        let over = |name: &str, other: &str| row.ratio(name, other, Quantile::P50);
        // Turn by turn another may be cheaper than whoever has the smallest median.
        let (best, cost) = costs.iter().copied().reduce(|best, next| {
            let is_less = over(next.0, best.0).is_some_and(|ratio| ratio.verdict() == Verdict::Less);
            if is_less { next } else { best }
        })?;
        let mut aspect = Self { purpose, row, leaders: vec![best], cost, others: Vec::new(), is_sure: true };
        for (name, _) in costs.iter().filter(|(name, _)| *name != best) {
            let Some(ratio) = over(name, best) else { continue };
            match ratio.verdict() {
                Verdict::More => aspect.others.push((*name, ratio.ratio)),
                Verdict::Less | Verdict::NoDifference => aspect.leaders.push(name),
                Verdict::TooFew => {
                    aspect.is_sure = false;
                    aspect.others.push((*name, ratio.ratio));
                }
            }
        }
        Some(aspect)
    }

    fn sentence(&self, report: &BenchReport) -> String {
        let cost = quantity(self.cost, self.row.unit);
        let is_alone = self.leaders.len() == 1 && self.others.is_empty();
        let several = self.leaders.len() > 1;
        let names = quoted(&self.leaders, "and");
        let (verb, verbs, adjective) = match self.purpose {
            Purpose::Decisions => ("decides", "decide", "fastest"),
            Purpose::Starts => ("starts", "start", "fastest"),
            Purpose::Memory => ("is", "are", "leanest"),
        };
        let begins = match self {
            _ if is_alone => format!("{names} takes "),
            _ if several => format!(
                "{names} {verbs} {adjective}, level with each other as far as this run can tell: about "
            ),
            Self { is_sure: false, .. } => {
                let seems = if self.purpose == Purpose::Memory { "be" } else { verbs };
                format!("{names} seems to {seems} {adjective}: ")
            }
            _ => format!("{names} {verb} {adjective}: "),
        };
        let (begins, what) = match self.purpose {
            Purpose::Decisions => {
                let pack = report.packs.get(self.row.pack).map_or("the pack", |pack| pack.name.as_str());
                let tail = self.leaders.first().and_then(|best| self.row.entry(best)?.at(Quantile::P99));
                let tail = tail.map_or_else(String::new, |p99| {
                    format!(" (99 in 100 at most {})", quantity(p99, self.row.unit))
                });
                (format!("On `{pack}` {begins}"), format!("{cost} a decision{tail}"))
            }
            Purpose::Starts => (begins, format!("{cost} to load the pack for the first time")),
            Purpose::Memory => (begins, format!("{cost} on top of the process")),
        };
        let as_much = if self.purpose == Purpose::Memory { "as much" } else { "as long" };
        let others: Vec<String> =
            self.others.iter().map(|(name, times)| format!("`{name}` {} ×", three(*times))).collect();
        let others =
            if others.is_empty() { String::new() } else { format!("; {} {as_much}", listed(&others)) };
        format!("{begins}{what}{others}.")
    }
}

/// What it means to choose.
fn choice(aspects: &[Aspect<'_>]) -> Option<String> {
    let mut chosen: Vec<(&[&str], Vec<String>)> = Vec::new();
    for aspect in aspects.iter().filter(|aspect| !aspect.others.is_empty()) {
        let what = match aspect.purpose {
            Purpose::Decisions => "fast decisions",
            Purpose::Starts => "fast starts",
            Purpose::Memory => "little memory",
        };
        match chosen.iter_mut().find(|(leaders, _)| *leaders == aspect.leaders) {
            Some((_, what_for)) => what_for.push(what.to_owned()),
            None => chosen.push((&aspect.leaders, vec![what.to_owned()])),
        }
    }
    let each: Vec<String> = chosen
        .iter()
        .map(|(leaders, what_for)| format!("{} for {}", quoted(leaders, "or"), listed(what_for)))
        .collect();
    if each.is_empty() {
        return None;
    }
    let is_sure = aspects.iter().all(|aspect| aspect.is_sure);
    let begins =
        if is_sure { "So choose" } else { "With so few processes none of this is sure; if it holds, choose" };
    Some(format!("{begins} {}.", listed(&each)))
}

/// What became of the targets.
fn targets(report: &BenchReport) -> Option<String> {
    let count = |fate: Fate| report.targets.iter().filter(|judged| judged.fate == fate).count();
    let fates = [
        (Fate::Met, "met"),
        (Fate::Missed, "missed"),
        (Fate::NotShown, "not shown either way"),
        (Fate::NotMeasured, "not measured"),
    ];
    let parts: Vec<String> = fates
        .into_iter()
        .filter(|(fate, _)| count(*fate) > 0)
        .enumerate()
        .map(|(place, (fate, word))| {
            let verb = match (place, count(fate)) {
                (0, 1) => " is",
                (0, _) => " are",
                _ => "",
            };
            format!("{}{verb} {word}", count(fate))
        })
        .collect();
    let all = report.targets.len();
    (all > 0).then(|| format!("Of the {all} targets that Tribunal sets itself {}.", listed(&parts)))
}

fn quoted(names: &[&str], joint: &str) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    joined(&names, joint)
}

fn listed(parts: &[String]) -> String {
    joined(parts, "and")
}

fn joined(parts: &[String], joint: &str) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [others @ .., last] => format!("{} {joint} {last}", others.join(", ")),
    }
}
