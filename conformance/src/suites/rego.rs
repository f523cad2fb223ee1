//! A question to a Rego engine: one rule of a policy, without the decision contract.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use tribunal::Registry;
use tribunal::core::engine::{Capability, LoadErrors};
use tribunal::core::fault::Fault;
use tribunal::core::pack::PackFiles;
use tribunal_rego_builtins::Value;

use super::runner::Verdict;
use super::{Options, SuiteError};

/// What a suite asks.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// Rego.
    pub(crate) modules: Vec<String>,
    /// The rule, as `["p", "x"]`.
    pub(crate) rule: Vec<String>,
    /// The root of `data`, as JSON.
    pub(crate) data: Option<String>,
    /// The input; without one, `input` is undefined.
    pub(crate) input: Option<Json>,
    /// Whether an error of a built-in is an error.
    pub(crate) strict: bool,
}

/// What a suite wants.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Wanted {
    /// This value, which has no sets: JSON has none.
    Value {
        /// The value.
        value: Value,
        /// Whether its lists stand in no particular order, because they were sets.
        is_unordered: bool,
    },
    /// No value.
    Undefined,
    /// Any error, of the compiler or of the evaluation.
    Error(String),
}

/// What came of a question.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A value.
    Value(Value),
    /// No value.
    Undefined,
    /// A fault of the evaluation.
    Faulted(Fault),
    /// A refusal of the load.
    Refused(LoadErrors),
}

/// Asks one engine.
pub(crate) trait Prober: Send + Sync {
    /// What the engine makes of a question, which is also there as a pack.
    ///
    /// # Errors
    /// What failed that is not the engine.
    fn ask(&self, question: &Question, files: PackFiles, registry: &Registry) -> Result<Answer, String>;

    /// Whether a set comes as a list in the order of a hash table, which nothing tells from a list that has an order.
    fn loses_order(&self) -> bool;
}

/// An engine that takes Rego.
pub(crate) struct RegoEngine<'r> {
    id: &'static str,
    registry: &'r Registry,
    is_strict: bool,
    prober: Box<dyn Prober>,
}

/// The engine of this name, or why it cannot be asked here.
///
/// # Errors
/// A compiler that is required and missing.
pub(crate) fn engine<'r>(
    id: &'static str,
    registry: &'r Registry,
    options: &Options,
) -> Result<Result<Arc<RegoEngine<'r>>, String>, SuiteError> {
    let prober = if id == "rego-wasm" { wasm(options)? } else { native() };
    let is_strict =
        registry.get(id).is_some_and(|factory| factory.capabilities().has(Capability::StrictBuiltins));
    Ok(prober.map(|prober| Arc::new(RegoEngine { id, registry, is_strict, prober })))
}

/// An engine to ask, or why there is none.
type Found = Result<Box<dyn Prober>, String>;

#[cfg(feature = "rego-native")]
fn native() -> Found {
    Ok(Box::new(Native))
}

#[cfg(not(feature = "rego-native"))]
fn native() -> Found {
    Err("this program was built without native Rego".to_owned())
}

#[cfg(feature = "wasm")]
fn wasm(options: &Options) -> Result<Found, SuiteError> {
    match super::modules::Modules::find(options.cache.as_deref()) {
        Ok(modules) => Ok(Ok(Box::new(modules))),
        Err(error) if super::is_required("TRIBUNAL_REQUIRE_OPA") => {
            Err(SuiteError::NoCompiler(error.to_string()))
        }
        Err(error) => Ok(Err(error.to_string())),
    }
}

#[cfg(not(feature = "wasm"))]
fn wasm(_: &Options) -> Result<Found, SuiteError> {
    Ok(Err("this program was built without Rego on WebAssembly".to_owned()))
}

impl RegoEngine<'_> {
    /// Puts a question to the engine and compares the answer.
    pub(crate) fn judge(&self, question: &Question, wanted: &Wanted) -> Verdict {
        if question.strict && !self.is_strict {
            return Verdict::Undeclared(format!(
                "`{}` cannot be strict: it does not declare `{}`",
                self.id,
                Capability::StrictBuiltins.as_str()
            ));
        }
        let came = match self.prober.ask(question, question.files(self.id), self.registry) {
            Ok(came) => came,
            Err(why) => return Verdict::Failed(why),
        };
        let wants = || match wanted {
            Wanted::Value { value, .. } => format!("wanted {}", value.to_json()),
            Wanted::Undefined => "wanted undefined".to_owned(),
            Wanted::Error(error) => format!("wanted an error, {error}"),
        };
        match (&came, wanted) {
            // An error by another name is one, and what is refused is not answered wrongly.
            (Answer::Faulted(_) | Answer::Refused(_), Wanted::Error(_)) => Verdict::Passed,
            (Answer::Faulted(fault), _) => Verdict::Refused(format!("{}; {fault}", wants())),
            (Answer::Refused(errors), _) => Verdict::Refused(format!("{}; {errors}", wants())),
            (Answer::Undefined, Wanted::Undefined) => Verdict::Passed,
            (Answer::Value(value), Wanted::Value { value: wanted, is_unordered })
                if self.equal(value, wanted, *is_unordered) =>
            {
                Verdict::Passed
            }
            (Answer::Value(value), _) => Verdict::Failed(format!("{}; came {}", wants(), value.to_json())),
            (Answer::Undefined, _) => Verdict::Failed(format!("{}; came undefined", wants())),
        }
    }

    fn equal(&self, came: &Value, wanted: &Value, is_unordered: bool) -> bool {
        // The suite's answers were written as JSON, where a set is a list.
        let Ok(came) = Value::parse_json(&came.to_json()) else { return false };
        match is_unordered || self.prober.loses_order() {
            true => sorted(came) == sorted(wanted.clone()),
            false => came == *wanted,
        }
    }
}

/// Asks native Rego.
#[cfg(feature = "rego-native")]
struct Native;

#[cfg(feature = "rego-native")]
impl Prober for Native {
    fn ask(&self, question: &Question, files: PackFiles, registry: &Registry) -> Result<Answer, String> {
        /// Far beyond what a case needs: it is not the clock that judges it.
        const DEADLINE: std::time::Duration = std::time::Duration::from_secs(60);
        let pack = tribunal::core::pack::PackSource::read("case", files, registry);
        match pack.and_then(|pack| tribunal::rego_native::Probe::load(&pack)) {
            Ok(probe) => Ok(Answer::of(probe.value(question.input.as_ref(), DEADLINE))),
            Err(errors) => Ok(Answer::Refused(errors)),
        }
    }

    fn loses_order(&self) -> bool {
        false
    }
}

impl Answer {
    /// Of a probe.
    pub(crate) fn of(value: Result<Option<Value>, Fault>) -> Self {
        match value {
            Ok(Some(value)) => Answer::Value(value),
            Ok(None) => Answer::Undefined,
            Err(fault) => Answer::Faulted(fault),
        }
    }
}

impl Question {
    /// The rule as an entrypoint.
    pub(crate) fn entrypoint(&self) -> String {
        self.rule.join("/")
    }

    /// The question as a pack.
    fn files(&self, engine: &str) -> PackFiles {
        let settings = json!({"entrypoint": self.entrypoint(), "strict_builtin_errors": self.strict});
        let manifest = json!({
            "name": "case", "version": "1.0.0", "description": "a case of a suite",
            "engines": {engine: settings}, "input_schema": "none",
        });
        let named = self.modules.iter().enumerate();
        let modules = named.map(|(index, module)| (format!("{index}.rego"), module.clone().into_bytes()));
        let data = self.data.iter().map(|data| ("data.json".to_owned(), data.clone().into_bytes()));
        let manifest = ("pack.yaml".to_owned(), manifest.to_string().into_bytes());
        PackFiles::new(std::iter::once(manifest).chain(modules).chain(data))
    }
}

/// A value whose lists are sorted, at every depth.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(sorted).collect();
            items.sort();
            Value::Array(items)
        }
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(key, value)| (key, sorted(value))).collect())
        }
        other => other,
    }
}

/// A value as an engine takes its input.
///
/// # Errors
/// A number that no request can have.
pub(crate) fn input(value: &Value) -> Result<Json, String> {
    serde_json::from_str(&value.to_json()).map_err(|error| format!("the input: {error}"))
}

/// A member of a case that is not `null`.
pub(crate) fn member<'v>(case: &'v Value, name: &str) -> Option<&'v Value> {
    case.get(&name.into()).filter(|value| **value != Value::Null)
}

/// A member that has to be a text.
pub(crate) fn text(case: &Value, name: &str) -> Result<String, String> {
    let text = member(case, name).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| format!("it has no text `{name}`"))
}
