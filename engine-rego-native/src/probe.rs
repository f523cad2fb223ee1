//! One rule of a pack, evaluated to its bare value: what the suites of others are run by.
//!
//! A suite asks for values that are no decisions, so it cannot go through [`Engine`](tribunal_engine_core::engine::Engine).
//! Everything else is as for a decision: the same admission, the same worker, the same faults.

use std::time::{Duration, Instant};

use regorus::Value as Rego;
use serde_json::Value as Json;
use tribunal_engine_core::engine::{LoadErrorKind, LoadErrors};
use tribunal_engine_core::fault::{Fault, FaultKind};
use tribunal_engine_core::pack::PackSource;
use tribunal_rego_builtins::Value;

use crate::ID;
use crate::convert::{Unrepresentable, from_json, to_builtin};
use crate::load::{examine, sources};
use crate::settings::{Question, Settings};
use crate::worker::{Source, Worker};

/// A pack that was admitted, and the rule of its `entrypoint`.
#[derive(Debug)]
pub struct Probe {
    sources: Vec<Source>,
    data: std::sync::Arc<Json>,
    rule: String,
    strict: bool,
}

impl Probe {
    /// Admits a pack as for decisions.
    ///
    /// # Errors
    /// Everything wrong with the pack, and a pack that names two rules instead of an `entrypoint`.
    pub fn load(pack: &PackSource) -> Result<Self, LoadErrors> {
        let settings: Settings = pack.settings(ID)?;
        let strict = settings.strict_builtin_errors;
        let sources = sources(pack, pack.files.rego_sources())?;
        let question = Question::of(&settings, pack)?;
        match examine(&sources, pack, &question, strict)?.question {
            Question::Decision(rule) => Ok(Self { sources, data: pack.data.clone(), rule, strict }),
            Question::AllowAndReason { .. } => {
                let message = "a probe asks one rule, and the pack has no `entrypoint`";
                Err(pack.manifest_error(LoadErrorKind::Unsupported, &["engines", ID], message).into())
            }
        }
    }

    /// The rule's value at the beginning of 1970, `None` if it is undefined. Without an input, `input` is undefined.
    ///
    /// # Errors
    /// The fault that a decision would have had.
    pub fn value(&self, input: Option<&Json>, deadline: Duration) -> Result<Option<Value>, Fault> {
        let unrepresentable = |Unrepresentable(number): Unrepresentable| {
            Fault::new(FaultKind::Unrepresentable, format!("the number {number}"))
        };
        let input = input.map(from_json).transpose().map_err(unrepresentable)?;
        let mut worker =
            Worker::build(&self.sources, &self.data, self.strict).map_err(|report| report.fault())?;
        let deadline = Instant::now() + deadline;
        worker.begin(0, deadline, input.unwrap_or(Rego::Undefined));
        match worker.rule(&self.rule, deadline)? {
            Rego::Undefined => Ok(None),
            value => to_builtin(&value).map(Some).map_err(unrepresentable),
        }
    }
}
