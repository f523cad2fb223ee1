//! Which requests a pack claims.
//!
//! Only a *known, different* value means "not mine". A request that leaves out what a pack is chosen by, or has another type
//! there, would slip past every guard; it is not classified, and denied. Any other text is a different value (a boundary has
//! to be one of the deployment's besides): what no pack claims is denied, unless the deployment says otherwise in words.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::contract::Pointer;
use crate::contract::patch::PointerError;
use crate::fault::{Fault, FaultKind};

/// The conditions under `when:` as they are written: a key, and the texts it may have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct WhenSpec(
    /// `boundary`, `action.name`, `subject.type`, `resource.type`, or a JSON pointer.
    #[schemars(extend("propertyNames" = {"pattern": "^(boundary|action\\.name|subject\\.type|resource\\.type|/.*)$"}))]
    pub BTreeMap<String, Texts>,
);

/// At least one text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Texts(#[schemars(length(min = 1))] pub Vec<String>);

/// Compiled conditions. All must hold; none claims every request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct When(Vec<(Pointer, Vec<String>)>);

/// What a pack says of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The pack decides it.
    Mine,
    /// A value is known and different.
    NotMine,
    /// It cannot be told.
    Unclassified(Fault),
}

impl When {
    /// Compiles conditions.
    ///
    /// # Errors
    /// The key that is neither one of the four names nor a JSON pointer.
    pub fn compile(spec: &WhenSpec) -> Result<Self, PointerError> {
        let conditions = spec.0.iter().map(|(key, texts)| Ok((pointer(key)?, texts.0.clone())));
        conditions.collect::<Result<_, _>>().map(Self)
    }

    /// Whether a request is claimed.
    pub fn claims(&self, payload: &Value) -> Claim {
        let mut unknown = None;
        for (place, texts) in &self.0 {
            match place.get(payload) {
                Some(Value::String(found)) if texts.contains(found) => {}
                Some(Value::String(_)) => return Claim::NotMine,
                Some(_) => unknown = Some((place, "is not a text")),
                None => unknown = Some((place, "is missing")),
            }
        }
        match unknown {
            None => Claim::Mine,
            Some((place, why)) => {
                Claim::Unclassified(Fault::new(FaultKind::Unclassified, format!("`{place}` {why}")))
            }
        }
    }
}

fn pointer(key: &str) -> Result<Pointer, PointerError> {
    match key {
        "boundary" => Ok(Pointer::from_tokens(["boundary"])),
        "action.name" => Ok(Pointer::from_tokens(["action", "name"])),
        "subject.type" => Ok(Pointer::from_tokens(["subject", "type"])),
        "resource.type" => Ok(Pointer::from_tokens(["resource", "type"])),
        _ => Pointer::parse(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_a_known_different_value_is_not_mine() {
        let spec: WhenSpec =
            serde_json::from_value(json!({"boundary": ["tool"], "/context/kind": ["a", "b"]})).unwrap();
        let when = When::compile(&spec).unwrap();
        for (payload, claim) in [
            (json!({"boundary": "tool", "context": {"kind": "b"}}), Some(true)),
            (json!({"boundary": "egress", "context": {"kind": "b"}}), Some(false)),
            (json!({"boundary": "egress"}), Some(false)),
            (json!({"boundary": 1, "context": {"kind": "c"}}), Some(false)),
            (json!({"context": {"kind": "b"}}), None),
            (json!({"boundary": "tool", "context": {"kind": ["a"]}}), None),
            (json!({"boundary": null, "context": {"kind": "a"}}), None),
        ] {
            let found = match when.claims(&payload) {
                Claim::Mine => Some(true),
                Claim::NotMine => Some(false),
                Claim::Unclassified(_) => None,
            };
            assert_eq!(found, claim, "{payload}");
        }
        assert_eq!(When::default().claims(&json!({})), Claim::Mine);
    }
}
