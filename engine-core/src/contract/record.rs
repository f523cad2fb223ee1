//! A decision as it is written down: who decided what about which request, so that it can be reconstructed.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::json::canonical;
use super::outcome::Outcome;
use super::patch::{Patch, Pointer};
use super::request::PolicyRequest;
use crate::pack::files::digest;

/// What stands in a record in place of a masked value.
pub const MASKED: &str = "[masked]";

/// How a deployment wants decisions recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordSettings {
    /// Whether the request itself is recorded, or only its digest.
    #[serde(default)]
    pub input: RecordedInput,
    /// Places of the request that are never written down, as JSON pointers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mask: Vec<Pointer>,
    /// What a record that cannot be written does to the decision it was to record.
    #[serde(default)]
    pub on_failure: RecordFailure,
}

/// What of a request is recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordedInput {
    /// The request, masked places aside.
    #[default]
    Full,
    /// `sha256:` over the request's canonical text.
    Digest,
}

/// What a record that cannot be written does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordFailure {
    /// The request is denied: nothing happens unrecorded.
    #[default]
    Deny,
    /// The decision stands.
    Ignore,
}

/// One recorded decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DecisionRecord {
    /// Names this decision: a UUID of version 7 (RFC 9562), so that records sort by time.
    pub decision_id: Uuid,
    /// When the record was made (RFC 3339).
    #[schemars(with = "String")]
    pub timestamp: Timestamp,
    /// The run the request belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<Uuid>,
    /// The step the request belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_id: Option<Uuid>,
    /// The boundary the request crosses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<String>,
    /// The request, or its digest.
    pub input: InputRecord,
    /// The whole outcome. Details of faults are left out where the request is not recorded in full: they may quote it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// The request in a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InputRecord {
    /// As it was, masked places aside; `null` for one that could not be read.
    Full(Value),
    /// `sha256:` over its canonical text: members sorted, no white space.
    Digest(String),
}

impl DecisionRecord {
    /// The record of an outcome.
    pub fn new(
        request: &PolicyRequest,
        outcome: &Outcome,
        settings: &RecordSettings,
        decision_id: Uuid,
        timestamp: Timestamp,
    ) -> Self {
        let payload = request.to_payload();
        let boundary = payload.get("boundary").and_then(Value::as_str).map(str::to_owned);
        let mut outcome = outcome.clone();
        let discreet = settings.input == RecordedInput::Digest || !settings.mask.is_empty();
        if discreet {
            conceal(&mut outcome, settings);
        }
        let input = match settings.input {
            RecordedInput::Full => InputRecord::Full(masked(payload, &settings.mask)),
            RecordedInput::Digest => InputRecord::Digest(digest(canonical(&payload).as_bytes())),
        };
        Self {
            decision_id,
            timestamp,
            run_id: request.run_id(),
            step_id: request.step_id(),
            boundary,
            input,
            outcome,
        }
    }
}

fn masked(mut payload: Value, places: &[Pointer]) -> Value {
    for place in places {
        if let Some(value) = payload.pointer_mut(&place.to_string()) {
            *value = Value::String(MASKED.to_owned());
        }
    }
    payload
}

/// Takes out of an outcome what could quote a request that is not to be written down.
fn conceal(outcome: &mut Outcome, settings: &RecordSettings) {
    let hidden = |path: &Pointer| {
        settings.input == RecordedInput::Digest
            || settings.mask.iter().any(|place| place.contains(path) || path.contains(place))
    };
    let decisions = std::iter::once(&mut outcome.decision).chain(outcome.packs.iter_mut().flat_map(|pack| {
        std::iter::once(&mut pack.decision).chain(pack.shadows.iter_mut().map(|shadow| &mut shadow.decision))
    }));
    for patch in decisions.flat_map(|decision| decision.patches.iter_mut()) {
        if let Patch::Replace { path, value } = patch
            && hidden(path)
        {
            *value = Value::String(MASKED.to_owned());
        }
    }
    let faults = outcome.fault.iter_mut().chain(outcome.packs.iter_mut().flat_map(|pack| {
        pack.fault.iter_mut().chain(pack.shadows.iter_mut().filter_map(|shadow| shadow.fault.as_mut()))
    }));
    for fault in faults {
        fault.detail.clear();
    }
}
