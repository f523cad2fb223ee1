//! This engine stage by stage, for measurements.
//!
//! Nothing here decides, and nothing here may be decided by: there is no dispatch, which holds an answer to the contract and
//! fails closed. The limits are those of the context that a pack is loaded with; whoever wants the pack's own to hold, too,
//! gives the tighter of both, as dispatch does.

use std::sync::Arc;

use tribunal_engine_core::engine::{LoadContext, LoadErrors, Prepared, Verdict};
use tribunal_engine_core::fault::{Fault, FaultKind};
use tribunal_engine_core::pack::PackSource;

use crate::decide::verdict;
use crate::load::load;
use crate::worker::{Policy, Worker};

/// A loaded pack on one warm interpreter.
#[derive(Debug)]
pub struct Bare {
    policy: Arc<Policy>,
    worker: Worker,
}

impl Bare {
    /// Loads a pack, under the limits of the context alone.
    ///
    /// # Errors
    /// Everything wrong with the pack.
    pub fn load(pack: &PackSource, context: &LoadContext) -> Result<Self, LoadErrors> {
        let policy = load(pack, context)?.policy;
        let worker = Worker::build(&policy.sources, &policy.data, policy.strict);
        let worker = worker
            .map_err(|report| report.load_error(tribunal_engine_core::engine::LoadErrorKind::Invalid))?;
        Ok(Self { policy, worker })
    }

    /// What this engine does for a decision, `lap` being told of the end of each stage.
    ///
    /// # Errors
    /// The fault that a decision would have had.
    pub fn stages(
        &mut self,
        request: &Prepared<'_>,
        mut lap: &mut dyn FnMut(&'static str),
    ) -> Result<Verdict, Fault> {
        let answer = self.worker.ask_in(&self.policy, request, &mut lap)?;
        let verdict = verdict(answer)?;
        lap("read answer");
        Ok(verdict)
    }

    /// The rule that decides, as regorus writes its path.
    ///
    /// # Errors
    /// [`FaultKind::UndefinedDecision`] for a pack that names two rules.
    pub fn rule(&self) -> Result<&str, Fault> {
        match &self.policy.question {
            crate::settings::Question::Decision(rule) => Ok(rule),
            crate::settings::Question::AllowAndReason { .. } => {
                Err(Fault::new(FaultKind::UndefinedDecision, "the pack has no `entrypoint`"))
            }
        }
    }
}
