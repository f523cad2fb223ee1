//! Targets: what this program promises of its own costs, as data, each a ratio of two figures of one run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tribunal::LoadErrors;
use tribunal::core::document::Document;

use crate::model::Unit;
use crate::report::data::{BenchReport, Row};
use crate::statistics::{Quantile, Ratio, ratio};

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

/// What became of a target in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The target.
    pub target: Target,
    /// The ratio; `None` if one of the figures was not measured.
    pub ratio: Option<Ratio>,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Held.
    Met,
    /// Missed.
    Missed,
    /// One of its figures is missing in a run that has the other.
    Unmeasured,
}

impl Fate {
    /// The word in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Fate::Met => "pass",
            Fate::Missed => "FAIL",
            Fate::Unmeasured => "not measured",
        }
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

/// Holds a run against targets. Targets about measurements that the run does not have are left out.
pub fn judge(report: &BenchReport, targets: &[Target]) -> Vec<Judged> {
    let has = |place: &Place| report.rows.iter().any(|row| row.measurement == place.measurement);
    targets
        .iter()
        .filter(|target| has(&target.of) && has(&target.over))
        .map(|target| {
            let ratio = measured(report, target);
            let fate = match &ratio {
                None => Fate::Unmeasured,
                Some(ratio) if ratio.ratio <= target.at_most => Fate::Met,
                Some(_) => Fate::Missed,
            };
            Judged { target: target.clone(), ratio, fate }
        })
        .collect()
}

fn row<'r>(report: &'r BenchReport, place: &Place) -> Option<&'r Row> {
    report
        .rows
        .iter()
        .find(|row| row.measurement == place.measurement && row.point.map(|point| point.value) == place.value)
}

fn measured(report: &BenchReport, target: &Target) -> Option<Ratio> {
    let (of, over) = (row(report, &target.of)?, row(report, &target.over)?);
    let (of_entry, over_entry) = (of.entry(&target.of.subject)?, over.entry(&target.over.subject)?);
    // What may come on top counts as if the other cost that much more for its share.
    let plus = if over.unit == Unit::Nanoseconds { target.plus_ns / target.at_most } else { 0.0 };
    ratio(of_entry.turns(), over_entry.turns(), target.at, plus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_targets_can_be_read_and_name_what_can_be_measured() {
        let targets = read("targets.yaml", TEXT.as_bytes()).unwrap();
        let catalogue = crate::subject::Catalogue::new(&tribunal::registry());
        let (name, text) = crate::definition::embedded("full").unwrap();
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
    fn a_typo_has_its_place() {
        let text = "- what: x\n  of: {measurement: a, subject: b}\n  over: {measurment: a, subject: b}\n  at_most: 1\n";
        let errors = read("targets.yaml", text.as_bytes()).unwrap_err().to_string();
        assert!(errors.contains("targets.yaml:3:10: unknown key `measurment`"), "{errors}");
    }
}
