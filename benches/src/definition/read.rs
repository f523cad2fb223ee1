//! Reading a file of measurements.

use std::collections::BTreeSet;

use tribunal::LoadErrors;
use tribunal::core::contract::Pointer;
use tribunal::core::document::{Document, with_nearest};
use tribunal::core::engine::{LoadError, LoadErrorKind};

use super::spec::{Axis, Measurement, Size, definition_schema};
use crate::model::Model;
use crate::subject::Catalogue;

/// What is wrong with a file of measurements.
pub type DefinitionError = LoadErrors;

/// The definitions that this program carries: what `--definition` can name, the text, and what it is for.
pub const EMBEDDED: [(&str, &str, &str); 4] = [
    (
        "quick",
        include_str!("../../definitions/quick.yaml"),
        "four engines on one pack, in under two minutes: what adopting each costs",
    ),
    (
        "full",
        include_str!("../../definitions/full.yaml"),
        "everything: floors, peers, how costs grow, where the time goes; the targets are about it",
    ),
    (
        "instructions",
        include_str!("../../definitions/instructions.yaml"),
        "instructions of a decision, by valgrind: for gates in CI, where no time means anything",
    ),
    (
        "tiny",
        include_str!("../../definitions/tiny.yaml"),
        "a few seconds: whether everything can be measured at all",
    ),
];

/// A definition that this program carries.
pub fn embedded(name: &str) -> Option<(&'static str, &'static str)> {
    let found = EMBEDDED.iter().find(|(known, ..)| *known == name);
    found.map(|(name, text, _)| (*name, *text))
}

/// Reads a file of measurements.
///
/// # Errors
/// Everything wrong with it, each with its place.
pub fn read(file: &str, text: &[u8], catalogue: &Catalogue) -> Result<Vec<Measurement>, DefinitionError> {
    let document = Document::parse(file, text)?;
    let measurements: Vec<Measurement> = document.read(&definition_schema())?;
    let mut errors: Vec<LoadError> = Vec::new();
    let mut names = BTreeSet::new();
    for (index, measurement) in measurements.iter().enumerate() {
        let place = |keys: &[&str]| {
            keys.iter().fold(Pointer::from_tokens([index.to_string()]), |place, key| place.child(*key))
        };
        let mut wrong = |keys: &[&str], message: String| {
            errors.push(document.error(LoadErrorKind::Invalid, &place(keys), message));
        };
        if !names.insert(&measurement.name) {
            wrong(&["name"], format!("the measurement `{}` stands twice", measurement.name));
        }
        if let Some(vary) = &measurement.vary {
            if !vary.values.is_sorted_by(|a, b| a < b) {
                wrong(&["vary", "values"], "the values of a size rise".to_owned());
            }
            let most = vary.axis.most();
            for (position, size) in vary.values.iter().enumerate() {
                let message = match size {
                    Size::Number(number) if *number > most => {
                        format!(
                            "{number} is more than can be measured of `{}`: at most {most}",
                            vary.axis.as_str()
                        )
                    }
                    Size::Word(_) if vary.axis != Axis::Threads => {
                        format!("`all` is a number of threads: of `{}` there is no such", vary.axis.as_str())
                    }
                    _ => continue,
                };
                wrong(&["vary", "values", &position.to_string()], message);
            }
            let is_parallel = measurement.model == Model::Parallel;
            if (vary.axis == Axis::Threads) != is_parallel {
                let message = format!(
                    "`{}` varies `{}`: threads are varied by `parallel`, and nothing else is",
                    measurement.model.as_str(),
                    vary.axis.as_str()
                );
                wrong(&["vary", "axis"], message);
            }
            if vary.axis.makes_a_pack() && measurement.pack.is_some() {
                let message = format!("a pack is made for `{}`: another cannot be named", vary.axis.as_str());
                wrong(&["pack"], message);
            }
        }
        if measurement.packs.is_some() && !matches!(measurement.model, Model::LoadCold | Model::LoadCached) {
            wrong(&["packs"], "only a load takes several packs".to_owned());
        }
        if !measurement.cases.is_empty() && measurement.requests.is_some() {
            wrong(&["cases"], "either `requests` or `cases` says which requests are decided".to_owned());
        }
        if !measurement.each.is_empty() {
            let others = [
                ("pack", measurement.pack.is_some()),
                ("cases", !measurement.cases.is_empty()),
                ("requests", measurement.requests.is_some()),
                ("vary", measurement.vary.is_some()),
            ];
            for (key, _) in others.into_iter().filter(|(_, stands)| *stands) {
                wrong(&[key], format!("`each` names packs with their cases: `{key}` cannot stand beside it"));
            }
        }
        for (position, subject) in measurement.subjects.iter().enumerate() {
            if !catalogue.knows(subject) {
                let known: Vec<String> = catalogue.words();
                let error = document.error(
                    LoadErrorKind::Invalid,
                    &place(&["subjects", &position.to_string()]),
                    format!("there is no subject `{subject}`"),
                );
                errors.push(with_nearest(error, subject, &known));
            }
        }
    }
    LoadErrors::check(errors)?;
    Ok(measurements)
}
