//! The module without this engine around it, and this engine stage by stage: what measurements hold an engine against.
//!
//! Nothing here decides: `opa_eval` takes an input it cannot read for an undefined one.

use serde_json::Value;
use tribunal_engine_core::contract::{Decision, Rules};
use tribunal_engine_core::engine::{LoadContext, LoadErrorKind, LoadErrors, Prepared, Verdict};
use tribunal_engine_core::fault::{Fault, FaultKind};
use tribunal_engine_core::pack::PackSource;
use tribunal_rego_builtins::Context;

use crate::ID;
use crate::decide::{WasmEngine, answer};
use crate::instance::{Budget, Instance};
use crate::load;
pub use crate::runtime::name_compiled_code;
use crate::settings::Question;
use crate::stop;

/// A loaded pack that has one entrypoint.
#[derive(Debug)]
pub struct Bare {
    engine: WasmEngine,
    entrypoint: i32,
}

/// A running module with its data in place.
pub struct Warm {
    instance: Instance,
    entrypoint: i32,
    budget: Budget,
}

/// Where a module has put its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered(i32);

const NOW: Context = Context { now_ns: 0 };

impl Bare {
    /// Loads a pack as for decisions.
    ///
    /// # Errors
    /// Everything wrong with the pack, and a pack that names two rules instead of an `entrypoint`.
    pub fn load(pack: &PackSource, context: &LoadContext) -> Result<Self, LoadErrors> {
        let engine = load::load(pack, context)?;
        match engine.question {
            Question::Decision(entrypoint) => Ok(Self { engine, entrypoint }),
            Question::AllowAndReason(..) => {
                let message = "the bare module is asked for one rule, and the pack has no `entrypoint`";
                Err(pack.manifest_error(LoadErrorKind::Unsupported, &["engines", ID], message).into())
            }
        }
    }

    /// Starts an instance and parses the data into it.
    ///
    /// # Errors
    /// The fault that a decision would have had.
    pub fn start(&self) -> Result<Warm, Fault> {
        let instance = self.engine.pool.blueprint().instance().map_err(|error| stop::fault(&error))?;
        Ok(Warm { instance, entrypoint: self.entrypoint, budget: self.engine.budget })
    }
}

impl Warm {
    /// One call of `opa_eval`, under the limits of a decision.
    ///
    /// # Errors
    /// The fault that a decision would have had.
    pub fn opa_eval(&mut self, input: &[u8]) -> Result<Answered, Fault> {
        let called = self.instance.opa_eval(input, self.entrypoint, NOW, self.budget);
        called.map(Answered).map_err(|error| stop::fault(&error))
    }

    /// The value of an answer; `None` is undefined.
    ///
    /// # Errors
    /// [`FaultKind::AbiViolation`] for what is none.
    pub fn value(&self, at: Answered) -> Result<Option<Value>, Fault> {
        let text = self.instance.text(at.0, self.budget.output);
        answer(&text.map_err(|error| stop::fault(&error))?)
    }

    /// A decision as this engine makes it, `lap` being told of the end of each stage.
    ///
    /// # Errors
    /// The fault of the decision.
    pub fn stages(
        &mut self,
        request: &Prepared<'_>,
        lap: &mut dyn FnMut(&'static str),
    ) -> Result<Verdict, Fault> {
        let input = request.json();
        lap("write input");
        let asked = [self.entrypoint];
        let answers = self.instance.evaluate_in(Some(input), &asked, NOW, self.budget, &mut *lap);
        let answers = answers.map_err(|error| stop::fault(&error))?;
        let undefined = || Fault::new(FaultKind::UndefinedDecision, "the entrypoint is undefined");
        let value = answer(&answers.concat())?.ok_or_else(undefined)?;
        let decision = Decision::from_wire(&value)?.well_formed()?;
        lap("read answer");
        Ok(Verdict { decision, rules: Rules::UNAVAILABLE, rules_evaluated: None })
    }
}

impl std::fmt::Debug for Warm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Warm").field("entrypoint", &self.entrypoint).finish_non_exhaustive()
    }
}
