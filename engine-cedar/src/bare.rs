//! This engine stage by stage, for measurements.
//!
//! Nothing here decides, and nothing here may be decided by: there is no dispatch, which holds an answer to the contract and
//! fails closed. The limits are those of the context that a pack is loaded with; whoever wants the pack's own to hold, too,
//! gives the tighter of both, as dispatch does.

use tribunal_engine_core::engine::{LoadContext, LoadErrors, Prepared, Verdict};
use tribunal_engine_core::fault::Fault;
use tribunal_engine_core::pack::PackSource;

use crate::decide::CedarEngine;

/// A loaded pack.
#[derive(Debug)]
pub struct Bare(CedarEngine);

impl Bare {
    /// Loads a pack, under the limits of the context alone.
    ///
    /// # Errors
    /// Everything wrong with the pack.
    pub fn load(pack: &PackSource, context: &LoadContext) -> Result<Self, LoadErrors> {
        CedarEngine::load(pack, context).map(Self)
    }

    /// What this engine does for a decision, `lap` being told of the end of each stage.
    ///
    /// # Errors
    /// The fault that a decision would have had.
    pub fn stages(
        &self,
        request: &Prepared<'_>,
        mut lap: &mut dyn FnMut(&'static str),
    ) -> Result<Verdict, Fault> {
        Ok(self.0.run_in(request, &mut lap)?.verdict)
    }
}
