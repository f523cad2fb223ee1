//! Why a request was decided as it was, for people.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use tribunal_engine_core::config::Claim;
use tribunal_engine_core::contract::request::DERIVED;
use tribunal_engine_core::contract::{PackIdentity, PolicyRequest, parity};
use tribunal_engine_core::dispatch::LoadedPack;
use tribunal_engine_core::engine::{Capability, Explanation};
use tribunal_engine_core::fault::Fault;

use crate::open::Tribunal;

/// The engine that replays what an engine without a trace has decided: it reads the same Rego sources.
const REPLAY: &str = "rego-native";

/// What one pack saw and did in the first round.
#[derive(Debug, Clone, PartialEq)]
pub struct PackExplanation {
    /// Which pack, on which engine.
    pub identity: Arc<PackIdentity>,
    /// The derived members, if the pack derives any.
    pub derived: Option<Value>,
    /// What ran, or the fault that kept it from running.
    pub explanation: Result<Explanation, Fault>,
}

impl Tribunal {
    /// Explains every claimed pack's part, at the instant for which the request was decided.
    pub fn explain(&self, request: &PolicyRequest, now: Timestamp) -> Vec<PackExplanation> {
        let Ok(payload) = request.payload() else { return Vec::new() };
        let packs = self.dispatcher().packs();
        let claimed = packs.iter().filter(|pack| pack.when().claims(payload) == Claim::Mine);
        claimed.map(|pack| self.explain_pack(pack, payload, request, now)).collect()
    }

    fn explain_pack(
        &self,
        pack: &LoadedPack,
        payload: &Value,
        request: &PolicyRequest,
        now: Timestamp,
    ) -> PackExplanation {
        let mut derived = None;
        let explanation = pack.prepare(payload, now).and_then(|prepared| {
            derived = prepared.get(DERIVED).cloned();
            let view = pack.view(&prepared, now, request.token())?;
            let mut explanation = pack.engine().explain(&view)?;
            if let Some(notes) = self.replay(pack, &view, payload, &mut explanation) {
                explanation.notes = notes;
            }
            Ok(explanation)
        });
        PackExplanation { identity: pack.identity().clone(), derived, explanation }
    }

    /// Replays the pack's sources on an engine that can trace, and takes its trace only if both answer alike.
    fn replay(
        &self,
        pack: &LoadedPack,
        view: &tribunal_engine_core::engine::Prepared<'_>,
        payload: &Value,
        explanation: &mut Explanation,
    ) -> Option<Vec<String>> {
        let engine = &pack.identity().engine;
        if self.registry().get(engine)?.capabilities().has(Capability::Trace) {
            return None;
        }
        let source = pack.source();
        let replay = self.registry().get(REPLAY).filter(|_| source.manifest.engines.contains_key(REPLAY))?;
        let loaded = match replay
            .load(source, self.context())
            .and_then(|loaded| loaded.with_data(pack.data().clone()))
        {
            Ok(loaded) => loaded,
            Err(errors) => {
                return Some(vec![format!(
                    "`{engine}` cannot trace, and `{REPLAY}` cannot replay this pack: {errors}"
                )]);
            }
        };
        let replayed = loaded.explain(view);
        let reasons = source.manifest.parity.reasons;
        let decision = replayed.as_ref().map(|replayed| &replayed.verdict.decision);
        let differences = parity::differences(payload, Ok(&explanation.verdict.decision), decision, reasons);
        match replayed {
            Ok(replayed) if differences.is_empty() => {
                explanation.trace = replayed.trace;
                Some(vec![format!(
                    "`{engine}` cannot trace: the rules are those of the same sources replayed on `{REPLAY}`, which decides alike"
                )])
            }
            _ => Some(vec![format!(
                "`{engine}` cannot trace, and `{REPLAY}` decides otherwise: no rules are shown"
            )]),
        }
    }
}
