//! Targets: what this program promises of its own costs, as data, each a ratio of two figures of one run.
//!
//! A target is decided by the interval of its ratio, as a gate is: what the processes do not show is neither met nor missed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tribunal::LoadErrors;
use tribunal::core::document::Document;

use crate::model::Unit;
use crate::report::data::{BenchReport, Entry, Row};
use crate::statistics::{Interval, Quantile, Ratio, median, ratio};

/// The definition that the targets are about, as this program carries it: other definitions may call rows what they like.
pub const DEFINITION: &str = "full";

/// The targets of this program.
pub const TEXT: &str = include_str!("../definitions/targets.yaml");

/// A target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// What is promised, for whoever reads the table.
    pub what: String,
    /// What costs.
    pub of: Place,
    /// What that is held against.
    pub over: Place,
    /// By which figure.
    #[serde(default = "p50")]
    pub at: Quantile,
    /// The most that the ratio may be.
    pub at_most: f64,
    /// Nanoseconds that may come on top, beside the ratio.
    #[serde(default)]
    pub plus_ns: f64,
    /// Why it is missed, if that is known: printed beside a miss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"\S"))]
    pub because: Option<String>,
}

fn p50() -> Quantile {
    Quantile::P50
}

/// A figure in a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The measurement.
    pub measurement: String,
    /// The subject.
    pub subject: String,
    /// The value of the size that is varied, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<u64>,
}

/// What became of a target in a run. Of one that was measured on several packs, what became of it on the worst.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// The target.
    pub target: Target,
    /// The packs that the figures are of.
    pub packs: Vec<String>,
    /// Among how many packs these are the worst; absent if there are no others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub among: Option<Among>,
    /// The one figure over the other; `None` if one of them was not measured.
    pub ratio: Option<Ratio>,
    /// The one figure less the other, in nanoseconds, in the median over the turns; `None` for what is no time.
    pub difference_ns: Option<f64>,
    /// The figure over the most that it may be. It decides: a target is met if the whole interval is no more than one.
    pub used: Option<Ratio>,
    /// What became of it.
    pub fate: Fate,
}

/// The packs that a target was measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Among {
    /// How many there are.
    pub packs: usize,
    /// On how many of them it is met.
    pub met: usize,
}

/// What became of a target, the worse the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// The whole interval is within.
    Met,
    /// One of its figures is missing in a run that was to have both.
    NotMeasured,
    /// The interval has the limit in it, or there are too few turns for one.
    NotShown,
    /// The whole interval is beyond.
    Missed,
}

impl Fate {
    /// The word in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Fate::Met => "met",
            Fate::Missed => "MISSED",
            Fate::NotShown => "not shown",
            Fate::NotMeasured => "not measured",
        }
    }

    fn of(used: Option<&Ratio>) -> Self {
        match used {
            None => Fate::NotMeasured,
            Some(Ratio { interval: Some(Interval { high, .. }), .. }) if *high <= 1.0 => Fate::Met,
            Some(Ratio { interval: Some(Interval { low, .. }), .. }) if *low > 1.0 => Fate::Missed,
            Some(_) => Fate::NotShown,
        }
    }
}

impl Judged {
    /// Why it is missed: `None` if it is not, or nobody has said why.
    pub fn because(&self) -> Option<&str> {
        self.target.because.as_deref().filter(|_| self.fate == Fate::Missed)
    }
}

/// Reads targets.
///
/// # Errors
/// Everything wrong with them, with its place.
pub fn read(file: &str, text: &[u8]) -> Result<Vec<Target>, LoadErrors> {
    Document::parse(file, text)?.read(&schema())
}

/// The JSON Schema of a file of targets.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Vec<Target>);
    schema.insert("title".to_owned(), Value::from("Targets of measurements"));
    schema.to_value()
}

/// Holds a run to the targets of this program, if it was made of the definition that they are about.
pub fn of_this_program(report: &BenchReport) -> Vec<Judged> {
    if report.run.definition != DEFINITION {
        return Vec::new();
    }
    // The file is part of this program, and a test reads it.
    read("targets.yaml", TEXT.as_bytes()).map_or_else(|_| Vec::new(), |targets| judge(report, &targets))
}

/// Holds a run against targets, on each pack that they were measured on. Targets about measurements that the run does not have
/// are left out.
pub fn judge(report: &BenchReport, targets: &[Target]) -> Vec<Judged> {
    let has = |place: &Place| report.rows.iter().any(|row| row.measurement == place.measurement);
    let held = targets.iter().filter(|target| has(&target.of) && has(&target.over));
    held.filter_map(|target| {
        let judged: Vec<Judged> =
            pairs(report, target).into_iter().map(|pair| judge_one(report, target, pair)).collect();
        let met = judged.iter().filter(|one| one.fate == Fate::Met).count();
        let among = (judged.len() > 1).then_some(Among { packs: judged.len(), met });
        Some(Judged { among, ..judged.into_iter().reduce(worse)? })
    })
    .collect()
}

/// The two rows that a target compares, on one pack.
type Pair<'r> = (Option<&'r Row>, Option<&'r Row>);

/// The rows that a target compares: those of the same pack, if there are several. Two that are alone are compared whatever their
/// packs, since sizes make packs of their own.
fn pairs<'r>(report: &'r BenchReport, target: &Target) -> Vec<Pair<'r>> {
    let (of, over) = (rows(report, &target.of), rows(report, &target.over));
    match (of.as_slice(), over.as_slice()) {
        ([] | [_], [] | [_]) => vec![(of.first().copied(), over.first().copied())],
        ([], over) => over.iter().map(|row| (None, Some(*row))).collect(),
        (of, over) => {
            let beside = |row: &Row| over.iter().find(|other| other.pack == row.pack).copied();
            of.iter().map(|row| (Some(*row), beside(row))).collect()
        }
    }
}

fn rows<'r>(report: &'r BenchReport, place: &Place) -> Vec<&'r Row> {
    let is_meant = |row: &&Row| {
        row.measurement == place.measurement && row.point.map(|point| point.value) == place.value
    };
    report.rows.iter().filter(is_meant).collect()
}

/// The worse of two: by what became of them, and then by what of the allowance is used.
fn worse(one: Judged, other: Judged) -> Judged {
    let used = |judged: &Judged| judged.used.as_ref().map_or(f64::INFINITY, |used| used.ratio);
    let order = one.fate.cmp(&other.fate).then_with(|| used(&one).total_cmp(&used(&other)));
    if order.is_lt() { other } else { one }
}

/// Holds one pair of rows against a target.
fn judge_one(report: &BenchReport, target: &Target, (of, over): Pair<'_>) -> Judged {
    let mut packs: Vec<String> = Vec::new();
    for row in of.iter().chain(&over) {
        let name = report.packs.get(row.pack).map(|pack| &pack.name);
        packs.extend(name.filter(|name| !packs.contains(name)).cloned());
    }
    let entries = entry(of, &target.of).zip(entry(over, &target.over));
    let compared = entries.and_then(|(of, over)| compared(of, over, target));
    let difference_ns = entries.and_then(|(of, over)| difference(of, over, target));
    let (ratio, used) = compared.unzip();
    let fate = Fate::of(used.as_ref());
    Judged { target: target.clone(), packs, among: None, ratio, difference_ns, used, fate }
}

/// What a place has in a row, if it is whole: an entry with a problem has fewer figures than there were to be, or wrong ones.
fn entry<'r>(row: Option<&'r Row>, place: &Place) -> Option<(Unit, &'r Entry)> {
    let row = row?;
    let entry = row.entry(&place.subject).filter(|entry| entry.problem.is_none())?;
    Some((row.unit, entry))
}

/// A target's ratio, and what of its allowance is used.
fn compared(
    (_, of): (Unit, &Entry),
    (unit, over): (Unit, &Entry),
    target: &Target,
) -> Option<(Ratio, Ratio)> {
    // What may come on top counts as if the other cost that much more for its share.
    let plus = if unit == Unit::Nanoseconds { target.plus_ns / target.at_most } else { 0.0 };
    let mut used = ratio(of.turns(), over.turns(), target.at, plus)?;
    used.ratio /= target.at_most;
    used.interval = used
        .interval
        .map(|Interval { low, high }| Interval { low: low / target.at_most, high: high / target.at_most });
    Some((ratio(of.turns(), over.turns(), target.at, 0.0)?, used))
}

fn difference((unit, of): (Unit, &Entry), (_, over): (Unit, &Entry), target: &Target) -> Option<f64> {
    if unit != Unit::Nanoseconds {
        return None;
    }
    let differences = of.turns().filter_map(|(turn, figures)| {
        let (_, other) = over.turns().find(|(other, _)| *other == turn)?;
        Some(target.at.of(figures)? - target.at.of(other)?)
    });
    median(&differences.collect::<Vec<f64>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::data::{Problem, Process};
    use crate::statistics::Figures;

    #[test]
    fn the_targets_can_be_read_and_name_what_can_be_measured() {
        let targets = read("targets.yaml", TEXT.as_bytes()).unwrap();
        let catalogue = crate::subject::Catalogue::new(&tribunal::registry());
        let (name, text) = crate::definition::embedded(DEFINITION).unwrap();
        let measurements = crate::definition::read(name, text.as_bytes(), &catalogue).unwrap();
        for target in &targets {
            for place in [&target.of, &target.over] {
                let found = measurements.iter().find(|measurement| measurement.name == place.measurement);
                let found = found.unwrap_or_else(|| panic!("no measurement `{}`", place.measurement));
                let subjects = catalogue.chosen(&found.subjects, &[]);
                assert!(subjects.iter().any(|subject| subject.name() == place.subject), "{place:?}");
                let values = found.vary.as_ref().map(|vary| vary.sizes());
                match place.value {
                    Some(value) => assert!(values.is_some_and(|values| values.contains(&value)), "{place:?}"),
                    None => assert_eq!(values, None, "{place:?}"),
                }
            }
        }
    }

    #[test]
    fn a_reason_for_a_miss_has_words() {
        let text = |because: &str| {
            format!(
                "- what: x\n  of: {{measurement: a, subject: b}}\n  over: {{measurement: a, subject: b}}\n  at_most: 1\n  because: {because}\n"
            )
        };
        assert_eq!(read("t.yaml", text("so").as_bytes()).unwrap()[0].because.as_deref(), Some("so"));
        let errors = read("t.yaml", text("' '").as_bytes()).unwrap_err().to_string();
        assert!(errors.contains("t.yaml:5:"), "{errors}");
    }

    /// A run of two subjects in `levels`, each with a time for each turn.
    fn run(of: &[f64], over: &[f64]) -> BenchReport {
        let processes = |times: &[f64]| -> Vec<Process> {
            let process = |(turn, time): (usize, &f64)| Process {
                turn: turn as u32,
                load: None,
                figures: Figures::once(*time),
            };
            times.iter().enumerate().map(process).collect()
        };
        let mut report = crate::report::recorded::report();
        report.rows.retain(|row| row.measurement == "levels");
        for (entry, times) in report.rows[0].entries.iter_mut().zip([of, over]) {
            entry.processes = processes(times);
            entry.summarise();
        }
        report
    }

    fn target(report: &BenchReport, at_most: f64, plus_ns: f64) -> Target {
        let place = |entry: usize| Place {
            measurement: "levels".to_owned(),
            subject: report.rows[0].entries[entry].subject.clone(),
            value: None,
        };
        let because = Some("so it is".to_owned());
        Target { what: "x".to_owned(), of: place(0), over: place(1), at: p50(), at_most, plus_ns, because }
    }

    #[test]
    fn a_target_is_decided_by_the_interval() {
        for (of, fate, because) in [
            ([90.0; 7].as_slice(), Fate::Met, None),
            (&[130.0; 7], Fate::Missed, Some("so it is")),
            // The figure is within, its interval is not.
            (&[90.0, 90.0, 90.0, 90.0, 150.0, 160.0, 170.0], Fate::NotShown, None),
            // One turn shows nothing.
            (&[90.0], Fate::NotShown, None),
        ] {
            let report = run(of, &vec![100.0; of.len()]);
            let judged = judge(&report, &[target(&report, 1.0, 0.0)]);
            assert_eq!((judged[0].fate, judged[0].because()), (fate, because), "{judged:?}");
            assert_eq!(judged[0].packs, ["tool-allowlist"]);
        }
    }

    #[test]
    fn what_may_come_on_top_alters_no_ratio_that_is_shown() {
        // 1.2 × 100 + 10 = 130 may be used, and 125 are.
        let report = run(&[125.0; 7], &[100.0; 7]);
        let judged = &judge(&report, &[target(&report, 1.2, 10.0)])[0];
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(judged.ratio.as_ref().is_some_and(|ratio| close(ratio.ratio, 1.25)), "{judged:?}");
        assert!(judged.used.as_ref().is_some_and(|used| close(used.ratio, 125.0 / 130.0)), "{judged:?}");
        assert!(judged.difference_ns.is_some_and(|difference| close(difference, 25.0)));
        assert_eq!(judged.fate, Fate::Met);
    }

    #[test]
    fn what_has_a_problem_was_not_measured() {
        let mut report = run(&[90.0; 7], &[100.0; 7]);
        report.rows[0].entries[1].problem = Some(Problem::Changed("its mind".to_owned()));
        let judged = judge(&report, &[target(&report, 1.0, 0.0)]);
        assert_eq!((judged[0].fate, &judged[0].ratio), (Fate::NotMeasured, &None));
    }

    /// A run of packs with these times each, over one that always takes 100.
    fn on_packs(times: &[(&str, &[f64])]) -> BenchReport {
        let mut report = run(&[100.0; 7], &[100.0; 7]);
        let (pack, row) = (report.packs[0].clone(), report.rows[0].clone());
        (report.packs, report.rows) = Default::default();
        for (index, (name, times)) in times.iter().enumerate() {
            let planted = run(times, &vec![100.0; times.len()]).rows[0].entries.clone();
            report.packs.push(crate::report::data::BenchedPack { name: (*name).to_owned(), ..pack.clone() });
            report.rows.push(Row { pack: index, entries: planted, ..row.clone() });
        }
        report
    }

    #[test]
    fn of_several_packs_the_worst_decides() {
        let unclear: &[f64] = &[90.0, 90.0, 90.0, 90.0, 150.0, 160.0, 170.0];
        let (good, better, bad, worse) =
            ([90.0; 7].as_slice(), [80.0; 7].as_slice(), [110.0; 7].as_slice(), [130.0; 7].as_slice());
        for (times, fate, pack, ratio, met) in [
            (&[("a", better), ("b", good), ("c", better)][..], Fate::Met, "b", 0.9, 3),
            (&[("a", bad), ("b", better), ("c", worse)], Fate::Missed, "c", 1.3, 1),
            // What is shown to be missed is worse than what may be, however much that is.
            (&[("a", unclear), ("b", good), ("c", bad)], Fate::Missed, "c", 1.1, 1),
            (&[("a", good), ("b", unclear), ("c", good)], Fate::NotShown, "b", 0.9, 2),
        ] {
            let report = on_packs(times);
            let judged = judge(&report, &[target(&report, 1.0, 0.0)]);
            let [judged] = judged.as_slice() else { panic!("a line for each target: {judged:?}") };
            assert_eq!((judged.fate, judged.packs.as_slice()), (fate, [pack.to_owned()].as_slice()));
            assert!(
                judged.ratio.as_ref().is_some_and(|found| (found.ratio - ratio).abs() < 1e-9),
                "{judged:?}"
            );
            assert_eq!(judged.among, Some(Among { packs: 3, met }));
        }
        let alone = on_packs(&[("a", good)]);
        assert_eq!(judge(&alone, &[target(&alone, 1.0, 0.0)])[0].among, None);
    }

    #[test]
    fn a_target_is_not_met_on_a_pack_where_it_was_not_measured() {
        let mut report = on_packs(&[("a", &[90.0; 7]), ("b", &[10.0; 7]), ("c", &[90.0; 7])]);
        report.rows[1].entries[1].problem = Some(Problem::Changed("its mind".to_owned()));
        let judged = &judge(&report, &[target(&report, 1.0, 0.0)])[0];
        assert_eq!((judged.fate, judged.packs.as_slice()), (Fate::NotMeasured, ["b".to_owned()].as_slice()));
        assert_eq!((judged.ratio.as_ref(), judged.among), (None, Some(Among { packs: 3, met: 2 })));
    }

    #[test]
    fn packs_are_compared_each_with_itself() {
        let mut report = on_packs(&[("a", &[90.0; 7]), ("b", &[10.0; 7])]);
        // The same packs in another measurement, in another order: `a` is dear there, so is not cheap here.
        let mut others = on_packs(&[("a", &[100.0; 7]), ("b", &[100.0; 7])]).rows;
        for row in &mut others {
            row.measurement = "others".to_owned();
        }
        others[1].entries[1] = run(&[100.0; 7], &[5.0; 7]).rows[0].entries[1].clone();
        others.reverse();
        report.rows.extend(others);
        let mut target = target(&report, 1.0, 0.0);
        target.over.measurement = "others".to_owned();
        let judged = &judge(&report, &[target])[0];
        assert_eq!((judged.fate, judged.packs.as_slice()), (Fate::Missed, ["b".to_owned()].as_slice()));
        assert!(judged.ratio.as_ref().is_some_and(|found| (found.ratio - 2.0).abs() < 1e-9), "{judged:?}");
    }

    #[test]
    fn every_pack_that_is_shipped_has_its_targets() {
        let catalogue = crate::subject::Catalogue::new(&tribunal::registry());
        let (name, text) = crate::definition::embedded(DEFINITION).unwrap();
        let measurements = crate::definition::read(name, text.as_bytes(), &catalogue).unwrap();
        let shipped = measurements.iter().find(|measurement| measurement.name == "shipped").unwrap();
        let mut names = crate::embedded::NAMES.to_vec();
        names.sort_unstable();
        assert_eq!(shipped.each.keys().map(String::as_str).collect::<Vec<_>>(), names);
    }

    #[test]
    fn other_definitions_are_not_judged() {
        let mut report = crate::report::recorded::report();
        assert!(!of_this_program(&report).is_empty());
        report.run.definition = "mine.yaml".to_owned();
        assert_eq!(of_this_program(&report), []);
    }

    #[test]
    fn a_typo_has_its_place() {
        let text = "- what: x\n  of: {measurement: a, subject: b}\n  over: {measurment: a, subject: b}\n  at_most: 1\n";
        let errors = read("targets.yaml", text.as_bytes()).unwrap_err().to_string();
        assert!(errors.contains("targets.yaml:3:10: unknown key `measurment`"), "{errors}");
    }
}
