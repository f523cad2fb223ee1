//! One paragraph that somebody can decide by who reads nothing else.

use crate::model::{Model, Unit};
use crate::report::data::{BenchReport, Row};
use crate::report::figures::{quantity, three};
use crate::report::table;
use crate::statistics::{Quantile, Verdict};
use crate::subject::Kind;
use crate::targets::Fate;

/// The paragraph.
pub fn conclusion(report: &BenchReport) -> String {
    let mut said: Vec<String> = Vec::new();
    if !report.run.optimised {
        said.push("This program is not optimised, so no figure below says anything.".to_owned());
    }
    if let Some(why) = &report.run.cut_short {
        said.push(format!("The run ended early ({why}); this is what was measured before."));
    }
    let void = report.rows.iter().filter(|row| row.void.is_some()).count();
    if void > 0 {
        said.push(format!(
            "Engines disagree: {void} of {} rows are void, and nothing may be concluded from them until they agree.",
            report.rows.len()
        ));
    }
    let of = |model: Model| {
        report.rows.iter().find(|row| row.model == model && row.point.is_none() && row.void.is_none())
    };
    if let Some(row) = of(Model::Decide).or_else(|| of(Model::Batch)) {
        said.extend(decisions(report, row));
    }
    if let Some(row) = of(Model::LoadCold) {
        said.extend(ranking(report, row, "Loading the pack for the first time takes"));
    }
    if let Some(row) = of(Model::Memory) {
        said.extend(ranking(report, row, "Loaded and settled, the pack adds"));
    }
    let judged = table::targets(report);
    if !judged.is_empty() {
        let of = |fate: Fate| judged.iter().filter(|judged| judged.fate == fate).count();
        let (met, missed, unmeasured) = (of(Fate::Met), of(Fate::Missed), of(Fate::Unmeasured));
        said.push(format!("Of the targets {met} are met, {missed} missed and {unmeasured} not measured."));
    }
    if said.is_empty() {
        said.push("Nothing was measured that one could conclude from.".to_owned());
    }
    said.join(" ")
}

/// The engines of a row with their figures, the cheapest first.
fn ranked<'r>(report: &'r BenchReport, row: &'r Row) -> Vec<(&'r str, f64)> {
    let engines = report.subjects.iter().filter(|subject| subject.kind == Kind::Engine);
    let mut found: Vec<(&str, f64)> = engines
        .filter_map(|subject| {
            let summary = row.entry(&subject.name)?.summary.as_ref()?;
            Some((subject.name.as_str(), summary.p50))
        })
        .collect();
    found.sort_by(|a, b| a.1.total_cmp(&b.1));
    found
}

fn decisions(report: &BenchReport, row: &Row) -> Vec<String> {
    let ranked = ranked(report, row);
    let Some((best, cost)) = ranked.first().copied() else { return Vec::new() };
    let pack = report.packs.get(row.pack).map_or("the pack", |pack| pack.name.as_str());
    let mut said = Vec::new();
    let agreed =
        if ranked.len() > 1 { format!("All {} engines decide alike. ", ranked.len()) } else { String::new() };
    let p99 = row.entry(best).and_then(|entry| entry.summary.as_ref()?.p99);
    let tail = p99.map_or_else(String::new, |p99| format!(" ({} at p99)", quantity(p99, row.unit)));
    said.push(format!(
        "{agreed}On `{pack}` `{best}` decides fastest: {} at the median{tail}, JSON in and a decision out.",
        quantity(cost, row.unit)
    ));
    let others: Vec<String> = ranked
        .iter()
        .skip(1)
        .filter_map(|(name, cost)| {
            let ratio = row.ratio(name, best, Quantile::P50)?;
            let times = format!("{} ({} ×", quantity(*cost, row.unit), three(ratio.ratio));
            Some(match ratio.verdict() {
                Verdict::More => format!("`{name}` takes {times} as long)"),
                Verdict::Less | Verdict::NoDifference => format!("`{name}` takes {times}, no difference)"),
                Verdict::TooFew => format!("`{name}` takes {times}, too few processes to say)"),
            })
        })
        .collect();
    if !others.is_empty() {
        said.push(format!("{}.", sentence(&others)));
    }
    said
}

fn ranking(report: &BenchReport, row: &Row, begins: &str) -> Option<String> {
    let ranked = ranked(report, row);
    let each: Vec<String> =
        ranked.iter().map(|(name, cost)| format!("{} on `{name}`", quantity(*cost, row.unit))).collect();
    let what = if row.unit == Unit::Bytes { " to the process" } else { "" };
    (!each.is_empty()).then(|| format!("{begins} {}{what}.", sentence(&each)))
}

fn sentence(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}
