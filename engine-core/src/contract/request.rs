//! A request, and the front door through which it comes.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::json;
use crate::fault::{Fault, FaultKind};
use crate::limits::RequestBounds;

/// The member under which the host puts what it derives. A request never brings it.
pub const DERIVED: &str = "derived";

/// What is asked of the policy decision point: a JSON object, when it is asked, and a token if one was shown.
///
/// ```
/// use tribunal_engine_core::contract::PolicyRequest;
///
/// let request = PolicyRequest::from_slice(br#"{"action": {"name": "tools/call"}}"#).unwrap();
/// assert_eq!(request.to_payload()["action"]["name"], "tools/call");
/// assert!(PolicyRequest::from_slice(br#"{"a": 1, "a": 2}"#).is_err());
/// ```
#[derive(Debug, Clone)]
pub struct PolicyRequest {
    /// The payload, or why there is none: such a request is denied, so `new` need not fail.
    payload: Result<Value, Fault>,
    /// Bounds that have been held over the payload already.
    held: Option<RequestBounds>,
    now: Option<Timestamp>,
    token: Option<Token>,
}

impl PolicyRequest {
    /// The front door: reads a request from bytes, within the default bounds.
    ///
    /// # Errors
    /// See [`PolicyRequest::from_slice_within`].
    pub fn from_slice(text: &[u8]) -> Result<Self, Fault> {
        Self::from_slice_within(text, &RequestBounds::default())
    }

    /// Reads a request from bytes, within these bounds.
    ///
    /// # Errors
    /// [`FaultKind::RequestBounds`] for anything but one JSON object within the bounds, for ids that are not UUIDs, and for
    /// a request that brings its own `derived`.
    pub fn from_slice_within(text: &[u8], bounds: &RequestBounds) -> Result<Self, Fault> {
        match json::read(text, bounds)? {
            Value::Object(payload) => {
                admissible(&payload)?;
                Ok(Self { payload: Ok(Value::Object(payload)), held: Some(*bounds), now: None, token: None })
            }
            _ => Err(Fault::new(FaultKind::RequestBounds, "a request is a JSON object")),
        }
    }

    /// A request from an object that was read elsewhere.
    ///
    /// # Errors
    /// [`FaultKind::RequestBounds`] for ids that are not UUIDs, and for an object that brings its own `derived`. The other
    /// bounds are checked by whoever decides.
    pub fn from_object(payload: Map<String, Value>) -> Result<Self, Fault> {
        admissible(&payload)?;
        let mut payload = Value::Object(payload);
        json::make_whole(&mut payload);
        Ok(Self { payload: Ok(payload), held: None, now: None, token: None })
    }

    /// A request of the given run and step. An object is the payload itself, any other value stands under `context`.
    ///
    /// The ids are added where the object has none. One that has a *different* id, or brings its own `derived`, is
    /// denied when it is decided: a caller cannot speak for another run.
    pub fn new(run_id: Uuid, step_id: Uuid, context: Value) -> Self {
        let mut payload = match context {
            Value::Object(members) => members,
            other => Map::from_iter([("context".to_owned(), other)]),
        };
        let payload = [("run_id", run_id), ("step_id", step_id)]
            .into_iter()
            .try_for_each(|(name, id)| {
                let present = payload.entry(name).or_insert_with(|| Value::String(id.to_string()));
                if uuid_of(present) == Some(id) {
                    Ok(())
                } else {
                    Err(Fault::new(FaultKind::RequestBounds, format!("`{name}` is not that of this request")))
                }
            })
            .and_then(|()| admissible(&payload))
            .map(|()| {
                let mut payload = Value::Object(payload);
                json::make_whole(&mut payload);
                payload
            });
        Self { payload, held: None, now: None, token: None }
    }

    /// A request that could not be read: it is denied with this fault wherever it goes, and recorded as `null`.
    pub fn unreadable(fault: Fault) -> Self {
        Self { payload: Err(fault), held: None, now: None, token: None }
    }

    /// Decides as if it were this instant. Without it the clock is read once, when the request is decided.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }

    /// Shows a token with the request.
    #[must_use]
    pub fn with_token(mut self, token: Token) -> Self {
        self.token = Some(token);
        self
    }

    /// The run this request belongs to, if it says so.
    pub fn run_id(&self) -> Option<Uuid> {
        self.payload.as_ref().ok()?.get("run_id").and_then(uuid_of)
    }

    /// The step this request belongs to, if it says so.
    pub fn step_id(&self) -> Option<Uuid> {
        self.payload.as_ref().ok()?.get("step_id").and_then(uuid_of)
    }

    /// The instant given by [`PolicyRequest::at`].
    pub fn now(&self) -> Option<Timestamp> {
        self.now
    }

    /// The token shown with the request.
    pub fn token(&self) -> Option<&Token> {
        self.token.as_ref()
    }

    /// The payload, or the fault that [`PolicyRequest::new`] met.
    ///
    /// # Errors
    /// The fault for which this request will be denied.
    pub fn payload(&self) -> Result<&Value, Fault> {
        self.payload.as_ref().map_err(Fault::clone)
    }

    /// Holds bounds over a request that was made in this program; [`PolicyRequest::from_slice`] has done so already.
    ///
    /// # Errors
    /// [`FaultKind::RequestBounds`], or the fault that [`PolicyRequest::new`] met.
    pub fn hold(&self, bounds: &RequestBounds) -> Result<(), Fault> {
        self.bounded_payload(bounds).map(|_| ())
    }

    /// The payload, once these bounds have been held over it.
    ///
    /// # Errors
    /// [`FaultKind::RequestBounds`], or the fault that [`PolicyRequest::new`] met.
    pub(crate) fn bounded_payload(&self, bounds: &RequestBounds) -> Result<&Value, Fault> {
        let payload = self.payload()?;
        if self.held.as_ref() != Some(bounds) {
            json::check(payload, bounds)?;
        }
        Ok(payload)
    }

    /// The request as policies see it, before anything is derived; `null` for a request that cannot be decided.
    pub fn to_payload(&self) -> Value {
        match &self.payload {
            Ok(payload) => payload.clone(),
            Err(_) => Value::Null,
        }
    }
}

fn uuid_of(value: &Value) -> Option<Uuid> {
    value.as_str().and_then(|text| Uuid::try_parse(text).ok())
}

fn admissible(payload: &Map<String, Value>) -> Result<(), Fault> {
    if payload.contains_key(DERIVED) {
        return Err(Fault::new(
            FaultKind::RequestBounds,
            "`derived` is the host's: a request cannot bring it",
        ));
    }
    for name in ["run_id", "step_id"] {
        if payload.get(name).is_some_and(|id| uuid_of(id).is_none()) {
            return Err(Fault::new(FaultKind::RequestBounds, format!("`{name}` is not a UUID")));
        }
    }
    Ok(())
}

/// A token shown with a request, as the caller gave it: Base64 text or raw bytes. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Vec<u8>);

impl Token {
    /// A token from its text or bytes.
    pub fn new(token: impl Into<Vec<u8>>) -> Self {
        Self(token.into())
    }

    /// The text or bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn new_keeps_the_payload_of_the_seed_library() {
        let (run, step) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let object = PolicyRequest::new(run, step, json!({"tool": "search"}));
        assert_eq!(object.to_payload(), json!({"tool": "search", "run_id": run, "step_id": step}));
        assert_eq!(object.run_id(), Some(run));
        let other = PolicyRequest::new(run, step, json!("free text"));
        assert_eq!(other.to_payload()["context"], json!("free text"));
    }

    #[test]
    fn another_runs_id_cannot_be_smuggled_in() {
        let (run, step) = (Uuid::from_u128(1), Uuid::from_u128(2));
        for payload in [json!({"run_id": step}), json!({"step_id": "nonsense"}), json!({"derived": {}})] {
            let request = PolicyRequest::new(run, step, payload);
            assert_eq!(request.payload().unwrap_err().kind, FaultKind::RequestBounds);
        }
    }

    /// Found by `tribunal parity`: Rego took 14.0 for 14 where Cedar and Biscuit could not represent it.
    #[test]
    fn a_whole_number_is_an_integer_whoever_made_the_request() {
        let context = json!({"n": 14.0, "list": [-0.0, 0.5, {"big": 1e300}]});
        let whole = json!({"n": 14, "list": [0, 0.5, {"big": 1e300}]});
        let made = PolicyRequest::new(Uuid::from_u128(1), Uuid::from_u128(2), json!({"context": context}));
        assert_eq!(made.to_payload()["context"], whole);
        let Value::Object(members) = json!({"context": context}) else { panic!("an object") };
        assert_eq!(PolicyRequest::from_object(members).unwrap().to_payload()["context"], whole);
        let text = json!({"context": context}).to_string();
        assert_eq!(PolicyRequest::from_slice(text.as_bytes()).unwrap().to_payload()["context"], whole);
    }

    #[test]
    fn the_front_door_refuses_what_is_not_a_request() {
        for text in ["[]", "null", r#"{"derived": {}}"#, r#"{"run_id": 5}"#, r#"{"step_id": "x"}"#] {
            let fault = PolicyRequest::from_slice(text.as_bytes()).expect_err(text);
            assert_eq!(fault.kind, FaultKind::RequestBounds, "{text}");
        }
    }

    #[test]
    fn a_token_is_never_printed() {
        assert_eq!(format!("{:?}", Token::new("secret")), "Token(6 bytes)");
    }
}
