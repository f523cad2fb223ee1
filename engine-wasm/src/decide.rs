//! A loaded pack, and how it decides.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use tribunal_engine_core::contract::{Decision, Rules};
use tribunal_engine_core::engine::{Engine, Explanation, LoadErrors, Prepared, Verdict};
use tribunal_engine_core::fault::{Fault, FaultKind};
use tribunal_rego_builtins::Context;

use crate::instance::Budget;
use crate::load;
use crate::pool::{Blueprint, Pool};
use crate::settings::Question;
use crate::stop;

/// A pack on this engine.
pub(crate) struct WasmEngine {
    pub(crate) pool: Pool,
    pub(crate) question: Question<i32>,
    pub(crate) budget: Budget,
}

impl fmt::Debug for WasmEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasmEngine")
            .field("question", &self.question)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

impl Engine for WasmEngine {
    fn decide(&self, request: &Prepared<'_>) -> Result<Verdict, Fault> {
        let decision = match self.question {
            Question::Decision(entrypoint) => {
                let [answer] = self.ask(request, [entrypoint])?;
                let undefined = || Fault::new(FaultKind::UndefinedDecision, "the entrypoint is undefined");
                Decision::from_wire(&answer.ok_or_else(undefined)?)?
            }
            Question::AllowAndReason(allow, reason) => {
                let [allow, reason] = self.ask(request, [allow, reason])?;
                Decision::from_allow_and_reason(allow.as_ref(), reason.as_ref())?
            }
        };
        Ok(Verdict { decision: decision.well_formed()?, rules: Rules::UNAVAILABLE, rules_evaluated: None })
    }

    fn explain(&self, request: &Prepared<'_>) -> Result<Explanation, Fault> {
        let note = "a module keeps no trace: WebAssembly tells the answer and not the rules that gave it";
        Ok(Explanation { verdict: self.decide(request)?, trace: Vec::new(), notes: vec![note.to_owned()] })
    }

    fn with_data(&self, data: Arc<Value>) -> Result<Arc<dyn Engine>, LoadErrors> {
        let blueprint = Blueprint { data: load::text(&data), ..self.pool.blueprint().clone() };
        let first =
            blueprint.instance().map_err(|error| load::start_error(&error, blueprint.memory_limit))?;
        let (question, budget) = (self.question.clone(), self.budget);
        Ok(Arc::new(WasmEngine { pool: Pool::new(blueprint, first), question, budget }))
    }
}

impl WasmEngine {
    /// Evaluates entrypoints on one warm instance; `None` is undefined.
    fn ask<const N: usize>(
        &self,
        request: &Prepared<'_>,
        entrypoints: [i32; N],
    ) -> Result<[Option<Value>; N], Fault> {
        let answers = self.evaluate(Some(request.json()?), &entrypoints, instant(request)?)?;
        let answers: Vec<Option<Value>> =
            answers.iter().map(|text| answer(text)).collect::<Result<_, _>>()?;
        <[Option<Value>; N]>::try_from(answers).map_err(|_| {
            Fault::new(FaultKind::AbiViolation, "the module gives another number of answers than asked for")
        })
    }

    /// The answers as the module writes them, see [`Instance::evaluate`](crate::instance::Instance::evaluate).
    pub(crate) fn evaluate(
        &self,
        input: Option<&[u8]>,
        entrypoints: &[i32],
        context: Context,
    ) -> Result<Vec<String>, Fault> {
        let mut instance = self.pool.take().map_err(|error| stop::fault(&error))?;
        // On an error, and on a panic in a built-in, the instance is dropped here.
        let answers = instance
            .evaluate(input, entrypoints, context, self.budget)
            .map_err(|error| stop::fault(&error))?;
        self.pool.give(instance);
        Ok(answers)
    }
}

/// A request's instant on Rego's clock.
pub(crate) fn instant(request: &Prepared<'_>) -> Result<Context, Fault> {
    let now_ns = i64::try_from(request.now().as_nanosecond())
        .map_err(|_| Fault::new(FaultKind::Unrepresentable, "Rego's clock holds the years 1678 to 2262"))?;
    Ok(Context { now_ns })
}

/// An entrypoint's answer: a list of at most one `{"result": …}`.
pub(crate) fn answer(text: &str) -> Result<Option<Value>, Fault> {
    let abi = |detail: String| Fault::new(FaultKind::AbiViolation, detail);
    let results: Vec<Value> = serde_json::from_str(text)
        .map_err(|error| abi(format!("the module's answer is not a list in JSON: {error}")))?;
    let mut results = results.into_iter();
    let Some(first) = results.next() else { return Ok(None) };
    if results.next().is_some() {
        return Err(Fault::new(FaultKind::MalformedDecision, "the entrypoint has more than one result"));
    }
    match first {
        Value::Object(mut members) if members.len() == 1 => {
            let result = members
                .remove("result")
                .ok_or_else(|| abi("the module's answer has no `result`".to_owned()))?;
            Ok(Some(result))
        }
        _ => Err(abi("the module's answer is not `{\"result\": …}`".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tribunal_engine_core::fault::LimitKind;
    use tribunal_engine_core::pack::ShapeTable;

    use super::*;
    use crate::instance::Instance;
    use crate::module::OpaModule;
    use crate::runtime::Runtime;

    /// An instance that stopped is in no known state: only one that answered is used again.
    #[test]
    fn an_instance_that_stopped_is_thrown_away() {
        let wasm =
            std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/modules/decisions.wasm")).unwrap();
        let compiled = Runtime::get(false).unwrap().compile(&OpaModule::read(&wasm).unwrap(), None).unwrap();
        let blueprint = Blueprint {
            compiled,
            builtins: Arc::default(),
            data: load::text(&json!({})),
            memory_limit: 1 << 20,
        };
        let mut first = Instance::start(&blueprint.compiled, 1 << 20).unwrap();
        let entrypoint = first.entrypoints().unwrap()["t/conflict"];
        first.furnish(&blueprint.builtins, &blueprint.data).unwrap();
        let budget = Budget { fuel: 1_000_000, ticks: None, output: 1 << 10 };
        let engine = WasmEngine {
            pool: Pool::new(blueprint, first),
            question: Question::Decision(entrypoint),
            budget,
        };
        let decide = |payload: Value| {
            let open = ShapeTable::everything();
            let request = Prepared::new(&payload, open.root(), jiff::Timestamp::UNIX_EPOCH, None);
            let result = engine.decide(&request).map(|verdict| verdict.decision).map_err(|fault| fault.kind);
            (result, engine.pool.idle())
        };
        for _ in 0..3 {
            assert_eq!(decide(json!({"tool": "x"})), (Ok(Decision::allow()), 1));
            assert_eq!(decide(json!({"tool": "shell"})), (Err(FaultKind::Conflict), 0));
            assert_eq!(decide(json!({"tool": "x"})), (Ok(Decision::allow()), 1));
            assert_eq!(
                decide(json!({"tool": "x", "big": vec![1; 9_000]})),
                (Err(FaultKind::Limit(LimitKind::Fuel)), 0)
            );
            // No answer is an answer of a sound instance.
            assert_eq!(decide(json!({})), (Err(FaultKind::UndefinedDecision), 1));
        }
    }

    #[test]
    fn only_one_result_is_an_answer() {
        assert_eq!(answer("[]"), Ok(None));
        assert_eq!(answer(r#"[{"result": {"a": [1]}}]"#), Ok(Some(json!({"a": [1]}))));
        for (text, kind) in [
            ("", FaultKind::AbiViolation),
            ("{}", FaultKind::AbiViolation),
            ("[1]", FaultKind::AbiViolation),
            (r#"[{"result": 1."#, FaultKind::AbiViolation),
            (r#"[{"result": 1.}]"#, FaultKind::AbiViolation),
            (r#"[{"result": 1e999}]"#, FaultKind::AbiViolation),
            ("[{}]", FaultKind::AbiViolation),
            (r#"[{"x": 1}]"#, FaultKind::AbiViolation),
            (r#"[{"result": 1, "x": 1}]"#, FaultKind::AbiViolation),
            (r#"[{"result": true}, {"result": true}]"#, FaultKind::MalformedDecision),
        ] {
            assert_eq!(answer(text).unwrap_err().kind, kind, "{text}");
        }
    }
}
