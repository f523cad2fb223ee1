//! Suites of upstream truth, run through the engine: known divergences are held in both directions.
//!
//! A case that OPA answers and this engine refuses to load is counted apart: nothing wrong can come of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tribunal_engine_core::engine::Registry;
use tribunal_engine_core::pack::{PackFiles, PackSource};
use tribunal_rego_builtins::Value;

use crate::convert::to_builtin;
use crate::load::{RegoNativeFactory, examine};
use crate::settings::{Question, Settings};
use crate::worker::{Source, Worker};

mod compliance;
mod forms;
mod probes;

/// What an engine makes of a case.
#[derive(Debug, Clone, PartialEq)]
enum Outcome {
    Value(Value),
    Undefined,
    /// An error of the evaluation.
    Error(String),
    /// An error of the load.
    Refused(String),
}

/// One question to a policy.
struct Case {
    modules: Vec<String>,
    /// The rule, as `["p", "x"]`.
    rule: Vec<String>,
    data: Option<String>,
    input: Option<Json>,
    strict: bool,
}

impl Case {
    fn run(&self) -> Outcome {
        let outcome = std::thread::scope(|scope| scope.spawn(|| self.outcome()).join());
        outcome.unwrap_or_else(|_| Outcome::Error("panic".to_owned()))
    }

    fn outcome(&self) -> Outcome {
        let mut registry = Registry::new();
        registry.add(RegoNativeFactory).unwrap();
        let settings = json!({"entrypoint": self.rule.join("/"), "strict_builtin_errors": self.strict});
        let manifest = json!({
            "name": "case", "version": "1.0.0", "description": "a case of a suite",
            "engines": {"rego-native": settings}, "input_schema": "none",
        });
        let mut files = vec![("pack.yaml".to_owned(), manifest.to_string().into_bytes())];
        files.extend(
            self.modules
                .iter()
                .enumerate()
                .map(|(index, module)| (format!("{index}.rego"), module.clone().into_bytes())),
        );
        files.extend(self.data.iter().map(|data| ("data.json".to_owned(), data.clone().into_bytes())));
        let pack = match PackSource::read("case", PackFiles::new(files), &registry) {
            Ok(pack) => pack,
            Err(errors) => return Outcome::Refused(errors.to_string()),
        };
        let settings: Settings = pack.settings(crate::ID).unwrap();
        let sources = crate::load::sources(&pack, pack.files.rego_sources()).unwrap();
        let question = Question::of(&settings, &pack).unwrap();
        let admitted = examine(&sources, &pack, &question, self.strict);
        let question = match admitted {
            Ok(admitted) => admitted.question,
            Err(errors) => return Outcome::Refused(errors.to_string()),
        };
        self.evaluate(&sources, &pack, question)
    }

    fn evaluate(&self, sources: &[Source], pack: &PackSource, question: Question<String>) -> Outcome {
        let mut worker = Worker::build(sources, &pack.data, self.strict)
            .unwrap_or_else(|report| panic!("{}", report.message));
        let deadline = Instant::now() + Duration::from_secs(5);
        let input = match &self.input {
            Some(input) => crate::convert::from_json(input).unwrap(),
            None => regorus::Value::Undefined,
        };
        let Question::Decision(rule) = question else { panic!("a case asks one rule") };
        worker.begin(0, deadline, input);
        match worker.rule(&rule, deadline) {
            Ok(regorus::Value::Undefined) => Outcome::Undefined,
            Ok(value) => to_builtin(&value).map_or_else(|number| Outcome::Error(number.0), Outcome::Value),
            Err(fault) => Outcome::Error(fault.to_string()),
        }
    }
}

/// OPA's outcome as the probes record it.
fn opa(outcome: &Value) -> Outcome {
    match (outcome.get(&"value".into()), outcome.get(&"undefined".into()), outcome.get(&"error".into())) {
        (Some(value), None, None) => Outcome::Value(value.clone()),
        (None, Some(_), None) => Outcome::Undefined,
        (None, None, Some(error)) => Outcome::Error(error.to_json()),
        _ => panic!("no outcome: {}", outcome.to_json()),
    }
}

/// A value as JSON shows it: the recorded answers have no sets.
fn as_json(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Value(value) => Outcome::Value(Value::parse_json(&value.to_json()).unwrap()),
        other => other,
    }
}

/// The folder of a suite, unless it is not there: a skip is told loudly, and fails where the suites are required.
fn folder(suite: &str) -> Option<PathBuf> {
    let project = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let root = std::env::var_os("TRIBUNAL_SUITES").unwrap_or_else(|| "../shared/suites".into());
    let folder = project.join(root).join(suite);
    if folder.exists() {
        return Some(folder);
    }
    let required = std::env::var("TRIBUNAL_REQUIRE_SUITES").is_ok_and(|value| value == "1");
    assert!(!required, "the suite `{}` is not there", folder.display());
    eprintln!("SKIPPED: the suite `{}` is not there", folder.display());
    None
}

/// How a case may come out where it does not agree with OPA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Divergence {
    /// Refused at load, where OPA evaluates.
    Refused,
    /// A fault, where OPA gives a value or undefined.
    Fails,
    /// Another answer than OPA's.
    Differs,
}

impl Divergence {
    /// Compares an outcome with OPA's.
    fn of(ours: &Outcome, opa: &Outcome) -> Option<Self> {
        match (ours, opa) {
            (Outcome::Error(_) | Outcome::Refused(_), Outcome::Error(_)) => None,
            (Outcome::Refused(_), _) => Some(Divergence::Refused),
            (Outcome::Error(_), _) => Some(Divergence::Fails),
            (ours, opa) => (ours != opa).then_some(Divergence::Differs),
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Divergence::Refused => "refused",
            Divergence::Fails => "fails",
            Divergence::Differs => "differs",
        }
    }
}

/// Holds what was found against a file of lines `{"case", "how", "why", "upstream"?}`: one that is listed and agrees fails as
/// one that is not listed and differs does.
fn hold(file: &str, found: &BTreeMap<String, (Divergence, String)>) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("divergences").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut known = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line: Json =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{file}:{}: {error}", index + 1));
        let member = |name: &str| {
            line[name].as_str().unwrap_or_else(|| panic!("{file}:{}: no `{name}`", index + 1)).to_owned()
        };
        assert!(!member("why").is_empty(), "{file}:{}: a divergence without a reason", index + 1);
        assert!(known.insert(member("case"), member("how")).is_none(), "{file}:{}: listed twice", index + 1);
    }
    let mut wrong = Vec::new();
    for (case, (how, detail)) in found {
        if known.get(case).map(String::as_str) != Some(how.as_str()) {
            wrong.push(json!({"case": case, "how": how.as_str(), "why": "", "detail": detail}).to_string());
        }
    }
    for case in known.keys().collect::<BTreeSet<_>>() {
        if !found.contains_key(case) {
            wrong.push(format!("listed, but agrees or is gone: {case}"));
        }
    }
    assert!(wrong.is_empty(), "{} not as {file} says:\n{}", wrong.len(), wrong.join("\n"));
}
