//! The request as an engine sees it.

use std::sync::OnceLock;

use jiff::Timestamp;
use serde_json::Value;

use crate::contract::Token;
use crate::fault::{Fault, FaultKind};
use crate::pack::Shape;

/// A request that passed the pack's schema, with the derived members in place, at its frozen instant.
///
/// Engines never see anything else, so none of them can be reached by what the host refused.
#[derive(Debug)]
pub struct Prepared<'r> {
    payload: &'r Value,
    named: Shape<'r>,
    now: Timestamp,
    token: Option<&'r Token>,
    json: OnceLock<Result<Vec<u8>, Fault>>,
}

impl<'r> Prepared<'r> {
    /// Prepares a payload that has been checked; `named` tells which members the pack's schema names.
    pub fn new(payload: &'r Value, named: Shape<'r>, now: Timestamp, token: Option<&'r Token>) -> Self {
        Self { payload, named, now, token, json: OnceLock::new() }
    }

    /// The whole payload with `derived`. Only Rego sees all of it.
    pub fn payload(&self) -> &'r Value {
        self.payload
    }

    /// Which members of the payload the pack's input schema names: the others go to Rego only.
    pub fn named(&self) -> Shape<'r> {
        self.named
    }

    /// The payload as JSON text, written once however many engines ask.
    ///
    /// # Errors
    /// [`FaultKind::Unrepresentable`] if it cannot be written, which should not be.
    pub fn json(&self) -> Result<&[u8], Fault> {
        let unwritten = |error: serde_json::Error| Fault::new(FaultKind::Unrepresentable, error.to_string());
        let written = self.json.get_or_init(|| serde_json::to_vec(self.payload).map_err(unwritten));
        written.as_deref().map_err(Fault::clone)
    }

    /// The instant of this request, the same for every pack and round.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The token shown with the request.
    pub fn token(&self) -> Option<&'r Token> {
        self.token
    }
}
