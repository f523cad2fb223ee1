//! A case as it is written in `cases/*.yaml`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use tribunal::core::contract::{DecisionEffect, Patch, Pointer, StepUp};
use tribunal::core::fault::FaultKind;

/// One case: a request, or changes to another case's request, and the decision it must get on every engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseSpec {
    /// The case's name, unique in its pack.
    #[schemars(regex(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$"))]
    pub name: String,
    /// The request. Either this or `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Map<String, Value>>,
    /// The case of this pack whose request, instant and token this one starts from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Places taken out of that request, one after another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<Pointer>,
    /// Places of that request and the values put there; objects on the way are made where there are none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, Value>", extend("propertyNames" = {"pattern": "^/"}))]
    pub with: BTreeMap<Pointer, Value>,
    /// The instant of the request (RFC 3339); without it, the first instant of 2026 (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub now: Option<String>,
    /// The token shown with the request, a file inside `cases/`; `null` to show none where `from` shows one.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub token: Option<Option<String>>,
    /// What is decided.
    pub expect: Expectation,
    /// Engines on which something else is decided, each with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub exceptions: BTreeMap<String, ExceptionSpec>,
}

/// Tells a member that is `null` from one that is not there.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A decision a case expects. What is not said must not be there, except the patches of a `step_up` or a `deny`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The effect.
    pub effect: DecisionEffect,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The changes between the request and its redacted form; any that make the same request will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub patches: Option<Vec<Patch>>,
    /// What a `step_up` demands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_up: Option<StepUp>,
    /// The fault behind a `deny`, whose reason is then `engine_error:` and this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultKind>,
}

impl Expectation {
    /// The reason expected, that of a fault included.
    pub fn reason(&self) -> Option<String> {
        match self.fault {
            Some(kind) => Some(format!("engine_error:{kind}")),
            None => self.reason.clone(),
        }
    }

    /// Why no decision of the contract can be this one: the key at fault, and what is wrong with it.
    pub fn contradiction(&self) -> Option<(&'static str, String)> {
        let effect = self.effect;
        if self.fault.is_some() {
            if effect != DecisionEffect::Deny {
                return Some(("effect", format!("a fault is a `deny`, never `{effect}`")));
            }
            if self.reason.is_some() {
                return Some(("reason", "a fault brings its own reason".to_owned()));
            }
        }
        match (effect, &self.patches) {
            (DecisionEffect::Redact, None) => {
                Some(("effect", "a `redact` has patches: say which".to_owned()))
            }
            (DecisionEffect::Allow, Some(_)) => Some(("patches", "an `allow` has no patches".to_owned())),
            _ if self.step_up.is_some() && effect != DecisionEffect::StepUp => {
                Some(("step_up", format!("a `{effect}` demands no step-up")))
            }
            _ => None,
        }
    }
}

/// What one engine decides instead, and why that is so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExceptionSpec {
    /// Why this engine differs, for those who read the pack.
    #[schemars(regex(pattern = r"\S"))]
    pub reason: String,
    /// What it decides.
    pub expect: Expectation,
}

/// The JSON Schema of a file of cases.
pub fn case_schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<Vec<CaseSpec>>();
    schema.insert("title".to_owned(), Value::from("Cases of a pack"));
    schema.to_value()
}
