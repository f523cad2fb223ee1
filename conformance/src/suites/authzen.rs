//! The Todo application of the AuthZEN interoperability tests, decided by the pack that ships for it.
//!
//! A batch is evaluated one by one, each evaluation with the members it does not say taken from the batch.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};
use tribunal::core::contract::DecisionEffect;
use tribunal::core::engine::LoadContext;
use tribunal::core::location::Location;
use tribunal::core::pack::PackSource;
use tribunal::{LoadErrors, Registry};

use super::SuiteError;
use super::reading::{entries, is_json, json, stem, text};
use super::runner::{Source, SuiteCase, Verdict};
use crate::case::suite::DEFAULT_NOW;
use crate::{Case, Expectation, Runner};

/// The pack, from the project's root.
const PACK: &str = "packs/authzen-todo";

/// A file of the suite.
#[derive(Deserialize)]
struct Decisions {
    #[serde(default)]
    evaluation: Vec<Value>,
    #[serde(default)]
    evaluations: Vec<Value>,
}

#[derive(Deserialize)]
struct Evaluation {
    request: Map<String, Value>,
    expected: bool,
}

#[derive(Deserialize)]
struct Batch {
    request: BatchRequest,
    expected: Vec<Expected>,
}

#[derive(Deserialize)]
struct BatchRequest {
    evaluations: Vec<Map<String, Value>>,
    #[serde(flatten)]
    defaults: Map<String, Value>,
}

#[derive(Deserialize)]
struct Expected {
    decision: bool,
}

/// The suite's cases.
pub(crate) fn cases<'r>(
    engine: &'static str,
    folder: &Path,
    registry: &'r Registry,
) -> Result<Source<'r>, SuiteError> {
    let Some(pack) = pack() else {
        return Ok(Source::Skipped(format!("`{PACK}` is neither in this folder nor in one above it")));
    };
    let runner = load(&pack, engine, registry).map(Arc::new).map_err(|errors| errors.to_string());
    let mut cases = Vec::new();
    for path in entries(folder, is_json)? {
        let file = path.display().to_string();
        let Decisions { evaluation, evaluations } = json(&file, 1, &text(&path)?)?;
        let stem = stem(&path);
        for (index, evaluation) in evaluation.into_iter().enumerate() {
            let name = format!("{stem}: evaluation {index}");
            cases.push(match serde_json::from_value::<Evaluation>(evaluation) {
                Ok(Evaluation { request, expected }) => case("evaluation", name, &runner, request, expected),
                Err(error) => SuiteCase::unreadable("evaluation", name, error.to_string()),
            });
        }
        for (index, batch) in evaluations.into_iter().enumerate() {
            let name = format!("{stem}: batch {index}");
            match serde_json::from_value::<Batch>(batch) {
                Ok(batch) if batch.request.evaluations.len() == batch.expected.len() => {
                    let asked = batch.request.evaluations.into_iter().zip(batch.expected).enumerate();
                    cases.extend(asked.map(|(place, (evaluation, Expected { decision }))| {
                        let mut request = batch.request.defaults.clone();
                        request.extend(evaluation);
                        case("evaluations", format!("{name}, {place}"), &runner, request, decision)
                    }));
                }
                Ok(_) => cases.push(SuiteCase::unreadable(
                    "evaluations",
                    name,
                    "it has not as many decisions as evaluations".to_owned(),
                )),
                Err(error) => cases.push(SuiteCase::unreadable("evaluations", name, error.to_string())),
            }
        }
    }
    Ok(Source::Cases(cases))
}

/// The pack's folder: in the current folder, or in the first above it that has one.
fn pack() -> Option<PathBuf> {
    let current = std::env::current_dir().ok()?;
    current.ancestors().map(|folder| folder.join(PACK)).find(|pack| pack.is_dir())
}

fn load(folder: &Path, engine: &str, registry: &Registry) -> Result<Runner, LoadErrors> {
    let files = tribunal::files::read_pack(folder)?;
    let pack = Arc::new(PackSource::read(PACK, files, registry)?);
    Runner::load(pack, engine, &LoadContext::default(), registry)
}

fn case<'r>(
    folder: &str,
    name: String,
    runner: &Result<Arc<Runner>, String>,
    request: Map<String, Value>,
    expected: bool,
) -> SuiteCase<'r> {
    let runner = runner.clone();
    let effect = if expected { DecisionEffect::Allow } else { DecisionEffect::Deny };
    let case = Case {
        name: name.clone(),
        location: Location::new(&name, 1, 1),
        request: Value::Object(request),
        now: DEFAULT_NOW,
        token: None,
        expect: Expectation { effect, reason: None, patches: None, step_up: None, fault: None },
        exceptions: Default::default(),
    };
    SuiteCase::new(folder, name, move || match runner {
        Ok(runner) => judge(&runner, &case),
        Err(errors) => Verdict::Refused(format!("wanted {effect}; {errors}")),
    })
}

fn judge(runner: &Runner, case: &Case) -> Verdict {
    let wanted = case.expect.effect;
    let answer = runner.answer(case);
    match answer.fault {
        // A fault denies too, but it is no answer to the question.
        Some(fault) => Verdict::Refused(format!("wanted {wanted}; {fault}")),
        None if answer.decision.effect == wanted => Verdict::Passed,
        None => Verdict::Failed(format!("wanted {wanted}; came {}", answer.decision.effect)),
    }
}
