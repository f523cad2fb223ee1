//! The module without this engine around it, and this engine stage by stage: what measurements hold an engine against.
//!
//! Nothing here decides, and nothing here may be decided by: there is no dispatch, which holds an answer to the contract and
//! fails closed, and `opa_eval` takes an input it cannot read for an undefined one. The limits are those of the context that a
//! pack is loaded with; whoever wants the pack's own to hold, too, gives the tighter of both, as dispatch does.
//!
//! - [`per_call`]: the module instantiated anew for each decision

pub mod per_call;

use serde_json::Value;
use tribunal_engine_core::contract::{Decision, Rules};
use tribunal_engine_core::engine::{LoadContext, LoadError, LoadErrorKind, LoadErrors, Prepared, Verdict};
use tribunal_engine_core::fault::{Fault, FaultKind};
use tribunal_engine_core::pack::PackSource;
use tribunal_rego_builtins::Context;

use crate::ID;
use crate::abi::OpaEval;
use crate::decide::{WasmEngine, answer, instant};
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
    /// Absent after an error: what has failed is in no known state, and is not asked again.
    instance: Option<Instance>,
    opa_eval: OpaEval,
    entrypoint: i32,
    budget: Budget,
}

/// A request as a module takes it: its text, at its instant.
#[derive(Debug, Clone)]
pub struct Input {
    json: Vec<u8>,
    context: Context,
}

/// Where a module has put its answer. It lies there until the module is asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered(i32);

impl Bare {
    /// Loads a pack, under the limits of the context alone.
    ///
    /// # Errors
    /// Everything wrong with the pack, and a pack that names two rules instead of an `entrypoint`.
    pub fn load(pack: &PackSource, context: &LoadContext) -> Result<Self, LoadErrors> {
        let engine = load::load(pack, context)?;
        match engine.question {
            Question::Decision(entrypoint) => Ok(Self { engine, entrypoint }),
            Question::AllowAndReason(..) => Err(no_entrypoint(pack).into()),
        }
    }

    /// Starts an instance and parses the data into it.
    ///
    /// # Errors
    /// The fault that a decision would have had.
    pub fn start(&self) -> Result<Warm, Fault> {
        let started = self.engine.pool.blueprint().instance().and_then(|mut instance| {
            let opa_eval = instance.one_call()?;
            Ok((instance, opa_eval))
        });
        let (instance, opa_eval) = started.map_err(|error| stop::fault(&error))?;
        let (entrypoint, budget) = (self.entrypoint, self.engine.budget);
        Ok(Warm { instance: Some(instance), opa_eval, entrypoint, budget })
    }
}

impl Input {
    /// A request's text and instant.
    ///
    /// # Errors
    /// [`FaultKind::Unrepresentable`] for an instant that Rego's clock does not hold.
    pub fn of(request: &Prepared<'_>) -> Result<Self, Fault> {
        Ok(Self { json: request.json()?.to_vec(), context: instant(request)? })
    }
}

impl Warm {
    /// One call of `opa_eval`, under the limits of a decision.
    ///
    /// # Errors
    /// The fault that a decision would have had; [`FaultKind::NotLoaded`] after an error.
    pub fn opa_eval(&mut self, input: &Input) -> Result<Answered, Fault> {
        let (mut instance, budget) = (self.take()?, self.budget);
        let called = instance.opa_eval(&self.opa_eval, &input.json, self.entrypoint, input.context, budget);
        let at = called.map_err(|error| stop::fault(&error))?;
        self.instance = Some(instance);
        Ok(Answered(at))
    }

    /// The text of an answer, where the module has put it.
    ///
    /// # Errors
    /// [`FaultKind::AbiViolation`] for what is none, `limit:output` for what is too long, [`FaultKind::NotLoaded`] after an
    /// error.
    pub fn text(&self, at: Answered) -> Result<&str, Fault> {
        let instance = self.instance.as_ref().ok_or_else(stopped)?;
        instance.text(at.0, self.budget.output).map_err(|error| stop::fault(&error))
    }

    /// The value of an answer; `None` is undefined.
    ///
    /// # Errors
    /// As [`Warm::text`], and [`FaultKind::AbiViolation`] for a text that is no answer.
    pub fn value(&self, at: Answered) -> Result<Option<Value>, Fault> {
        answer(self.text(at)?)
    }

    /// What this engine does for a decision, `lap` being told of the end of each stage.
    ///
    /// # Errors
    /// The fault that a decision would have had; [`FaultKind::NotLoaded`] after an error of the module.
    pub fn stages(
        &mut self,
        request: &Prepared<'_>,
        lap: &mut dyn FnMut(&'static str),
    ) -> Result<Verdict, Fault> {
        let (input, context) = (request.json()?, instant(request)?);
        lap("write input");
        let (mut instance, asked) = (self.take()?, [self.entrypoint]);
        let answers = instance.evaluate_in(Some(input), &asked, context, self.budget, &mut *lap);
        let answers = answers.map_err(|error| stop::fault(&error))?;
        self.instance = Some(instance);
        let undefined = || Fault::new(FaultKind::UndefinedDecision, "the entrypoint is undefined");
        let value = answer(&answers.concat())?.ok_or_else(undefined)?;
        let decision = Decision::from_wire(&value)?.well_formed()?;
        lap("read answer");
        Ok(Verdict { decision, rules: Rules::UNAVAILABLE, rules_evaluated: None })
    }

    /// The instance, which whoever takes it puts back if all went well.
    fn take(&mut self) -> Result<Instance, Fault> {
        self.instance.take().ok_or_else(stopped)
    }
}

fn no_entrypoint(pack: &PackSource) -> LoadError {
    let message = "the bare module is asked for one rule, and the pack has no `entrypoint`";
    pack.manifest_error(LoadErrorKind::Unsupported, &["engines", ID], message)
}

fn stopped() -> Fault {
    Fault::new(FaultKind::NotLoaded, "this instance has failed before, and is not asked again")
}

impl std::fmt::Debug for Warm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Warm").field("entrypoint", &self.entrypoint).finish_non_exhaustive()
    }
}
