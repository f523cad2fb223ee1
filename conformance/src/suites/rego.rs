//! A question to a Rego engine: one rule of a policy, without the decision contract.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use tribunal::Registry;
use tribunal::core::engine::{Capability, LoadErrors};
use tribunal::core::fault::Fault;
use tribunal::core::pack::{PackFiles, PackSource};
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
enum Answer {
    Value(Value),
    Undefined,
    Faulted(Fault),
    Refused(LoadErrors),
    /// The machine failed, not the engine.
    Broken(String),
}

/// An engine that takes Rego.
pub(crate) struct RegoEngine<'r> {
    id: &'static str,
    registry: &'r Registry,
    is_strict: bool,
    prober: Prober,
}

/// How the engine is asked.
enum Prober {
    #[cfg(feature = "rego-native")]
    Native,
    #[cfg(feature = "wasm")]
    Wasm(super::modules::Modules),
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
    let prober = match id {
        #[cfg(feature = "rego-native")]
        "rego-native" => Prober::Native,
        #[cfg(feature = "wasm")]
        "rego-wasm" => match super::modules::Modules::find(options.cache.as_deref()) {
            Ok(modules) => Prober::Wasm(modules),
            Err(error) if super::is_required("TRIBUNAL_REQUIRE_OPA") => {
                return Err(SuiteError::NoCompiler(error.to_string()));
            }
            Err(error) => return Ok(Err(error.to_string())),
        },
        _ => return Ok(Err(format!("this program cannot ask `{id}` what the suite asks"))),
    };
    let is_strict =
        registry.get(id).is_some_and(|factory| factory.capabilities().has(Capability::StrictBuiltins));
    Ok(Ok(Arc::new(RegoEngine { id, registry, is_strict, prober })))
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
        let came = match self.ask(question) {
            Answer::Broken(why) => return Verdict::Failed(why),
            came => came,
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
            (Answer::Broken(why), _) => Verdict::Failed(why.clone()),
        }
    }

    fn equal(&self, came: &Value, wanted: &Value, is_unordered: bool) -> bool {
        // The suite's answers were written as JSON, where a set is a list.
        let Ok(came) = Value::parse_json(&came.to_json()) else { return false };
        match is_unordered || self.loses_order() {
            true => sorted(came) == sorted(wanted.clone()),
            false => came == *wanted,
        }
    }

    /// Whether a set comes as a list in the order of a hash table, which nothing tells from a list that has an order.
    fn loses_order(&self) -> bool {
        match self.prober {
            #[cfg(feature = "rego-native")]
            Prober::Native => false,
            #[cfg(feature = "wasm")]
            Prober::Wasm(_) => true,
        }
    }

    fn ask(&self, question: &Question) -> Answer {
        let files = question.files(self.id);
        match &self.prober {
            #[cfg(feature = "rego-native")]
            Prober::Native => self.ask_native(question, files),
            #[cfg(feature = "wasm")]
            Prober::Wasm(modules) => self.ask_wasm(question, files, modules),
        }
    }

    #[cfg(feature = "rego-native")]
    fn ask_native(&self, question: &Question, files: PackFiles) -> Answer {
        /// Far beyond what a case needs: it is not the clock that judges it.
        const DEADLINE: std::time::Duration = std::time::Duration::from_secs(60);
        let loaded = PackSource::read("case", files, self.registry)
            .and_then(|pack| tribunal::rego_native::Probe::load(&pack));
        match loaded {
            Ok(probe) => Answer::of(probe.value(question.input.as_ref(), DEADLINE)),
            Err(errors) => Answer::Refused(errors),
        }
    }

    #[cfg(feature = "wasm")]
    fn ask_wasm(&self, question: &Question, files: PackFiles, modules: &super::modules::Modules) -> Answer {
        let files = match modules.build(files, &question.entrypoint()) {
            Ok(files) => files,
            Err(super::modules::Unbuilt::Refused(errors)) => return Answer::Refused(errors),
            Err(super::modules::Unbuilt::Broken(why)) => return Answer::Broken(why),
        };
        let loaded = PackSource::read("case", files, self.registry)
            .and_then(|pack| tribunal::wasm::Probe::load(&pack, &modules.context()));
        match loaded {
            Ok(probe) => Answer::of(probe.value(question.input.as_ref())),
            Err(errors) => Answer::Refused(errors),
        }
    }
}

impl Answer {
    fn of(value: Result<Option<Value>, Fault>) -> Self {
        match value {
            Ok(Some(value)) => Answer::Value(value),
            Ok(None) => Answer::Undefined,
            Err(fault) => Answer::Faulted(fault),
        }
    }
}

impl Question {
    fn entrypoint(&self) -> String {
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
