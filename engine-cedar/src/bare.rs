//! This engine stage by stage, for measurements.

use tribunal_engine_core::engine::{LoadContext, LoadErrors, Prepared, Verdict};
use tribunal_engine_core::fault::Fault;
use tribunal_engine_core::pack::PackSource;

use crate::decide::CedarEngine;

/// A loaded pack.
#[derive(Debug)]
pub struct Bare(CedarEngine);

impl Bare {
    /// Loads a pack as for decisions.
    ///
    /// # Errors
    /// Everything wrong with the pack.
    pub fn load(pack: &PackSource, context: &LoadContext) -> Result<Self, LoadErrors> {
        CedarEngine::load(pack, context).map(Self)
    }

    /// A decision as this engine makes it, `lap` being told of the end of each stage.
    ///
    /// # Errors
    /// The fault of the decision.
    pub fn stages(
        &self,
        request: &Prepared<'_>,
        mut lap: &mut dyn FnMut(&'static str),
    ) -> Result<Verdict, Fault> {
        Ok(self.0.run_in(request, &mut lap)?.verdict)
    }
}
