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
use super::secrets::Secrets;
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
            conceal(&mut outcome, settings, &payload);
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

/// Takes out of an outcome what could quote a request that is not to be written down: the values that redactions put in
/// place there, details of faults, and masked texts wherever a policy's reason or a patch repeats them. The other words of a
/// reason are the policy's own, and stay.
fn conceal(outcome: &mut Outcome, settings: &RecordSettings, payload: &Value) {
    let secrets = Secrets::of(settings.mask.iter().filter_map(|place| place.get(payload)));
    let hidden = |path: &Pointer| {
        settings.input == RecordedInput::Digest
            || settings.mask.iter().any(|place| place.contains(path) || path.contains(place))
    };
    let decisions = std::iter::once(&mut outcome.decision).chain(outcome.packs.iter_mut().flat_map(|pack| {
        std::iter::once(&mut pack.decision).chain(pack.shadows.iter_mut().map(|shadow| &mut shadow.decision))
    }));
    for decision in decisions {
        if let Some(reason) = &mut decision.reason {
            *reason = secrets.conceal(reason);
        }
        for patch in &mut decision.patches {
            if let Patch::Replace { path, value } = patch {
                let text = value.to_string();
                if hidden(path) || !secrets.spare(&text) {
                    *value = Value::String(MASKED.to_owned());
                }
            }
        }
    }
    let faults = outcome.fault.iter_mut().chain(outcome.packs.iter_mut().flat_map(|pack| {
        pack.fault.iter_mut().chain(pack.shadows.iter_mut().filter_map(|shadow| shadow.fault.as_mut()))
    }));
    for fault in faults {
        fault.detail.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Decision;
    use serde_json::json;

    #[test]
    fn what_is_masked_is_masked_wherever_it_is_repeated() {
        let request =
            PolicyRequest::from_slice(br#"{"context": {"ssn": "123-45", "age": 37, "note": "x"}}"#).unwrap();
        let patch = |path: &str, value| Patch::Replace { path: Pointer::parse(path).unwrap(), value };
        let patches =
            vec![patch("/context/note", json!({"was": "123-45"})), patch("/context/other", json!("fine"))];
        let decision = Decision { patches, ..Decision::deny("ssn 123-45 of one aged 37 refused") };
        let outcome = Outcome {
            decision,
            fault: None,
            packs: Vec::new(),
            rounds: 1,
            now: Timestamp::UNIX_EPOCH,
            duration_ns: 0,
        };
        let mask = ["/context/ssn", "/context/age"].map(|place| Pointer::parse(place).unwrap()).to_vec();
        let settings = RecordSettings { mask, ..RecordSettings::default() };
        let record = DecisionRecord::new(&request, &outcome, &settings, Uuid::nil(), Timestamp::UNIX_EPOCH);
        let text = serde_json::to_string(&record).unwrap();
        assert!(!text.contains("123-45") && !text.contains("37"), "{text}");
        assert!(
            text.contains("ssn [masked] of one aged [masked] refused") && text.contains("fine"),
            "{text}"
        );
    }
}
