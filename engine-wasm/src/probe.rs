//! One entrypoint of a pack, evaluated to its bare value: what the suites of others are run by.
//!
//! A suite asks for values that are no decisions, so it cannot go through [`Engine`](tribunal_engine_core::engine::Engine).
//! Everything else is as for a decision: the same checks at load, the same limits, the same faults.

use serde_json::Value as Json;
use tribunal_engine_core::engine::{LoadContext, LoadErrorKind, LoadErrors};
use tribunal_engine_core::fault::{Fault, FaultKind};
use tribunal_engine_core::pack::PackSource;
use tribunal_rego_builtins::{Context, Value};

use crate::ID;
use crate::decide::WasmEngine;
use crate::load;
use crate::settings::Question;

/// A loaded pack, and its one entrypoint.
#[derive(Debug)]
pub struct Probe {
    engine: WasmEngine,
    entrypoint: i32,
}

impl Probe {
    /// Loads a pack as for decisions.
    ///
    /// # Errors
    /// Everything wrong with the pack, and a pack that names two rules instead of an `entrypoint`.
    pub fn load(pack: &PackSource, context: &LoadContext) -> Result<Self, LoadErrors> {
        let engine = load::load(pack, context)?;
        match engine.question {
            Question::Decision(entrypoint) => Ok(Self { engine, entrypoint }),
            Question::AllowAndReason(..) => {
                let message = "a probe asks one rule, and the pack has no `entrypoint`";
                Err(pack.manifest_error(LoadErrorKind::Unsupported, &["engines", ID], message).into())
            }
        }
    }

    /// The entrypoint's value at the beginning of 1970, `None` if it is undefined. Without an input, `input` is undefined.
    /// Numbers are exact; a set comes as an array, in the order of the module's hash table.
    ///
    /// # Errors
    /// The fault that a decision would have had.
    pub fn value(&self, input: Option<&Json>) -> Result<Option<Value>, Fault> {
        let input = input.map(Json::to_string);
        let input = input.as_deref().map(str::as_bytes);
        let answers = self.engine.evaluate(input, &[self.entrypoint], Context { now_ns: 0 })?;
        let answer: String = answers.concat();
        let abi = || Fault::new(FaultKind::AbiViolation, format!("the module's answer is `{answer}`"));
        match Value::parse_json(&answer).map_err(|_| abi())? {
            Value::Array(results) => match results.as_slice() {
                [] => Ok(None),
                [result] => result.get(&"result".into()).cloned().map(Some).ok_or_else(abi),
                _ => Err(abi()),
            },
            _ => Err(abi()),
        }
    }
}
