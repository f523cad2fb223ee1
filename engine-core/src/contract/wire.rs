//! How an engine's JSON answer becomes a decision: strictly, or not at all.
//!
//! An answer is an object `{effect, reason?, patches?, step_up?}`, a boolean, or an effect's name. Anything else is a
//! fault: a decision is never guessed from half of one.

use serde_json::Value;

use super::decision::{Decision, DecisionEffect, StepUp, join_reasons};
use super::patch::{Patch, Pointer};
use crate::fault::{Fault, FaultKind};

impl Decision {
    /// Reads the answer of one rule.
    ///
    /// # Errors
    /// [`FaultKind::MalformedDecision`] for anything but an object of the contract's shape, a boolean or an effect's
    /// name; [`FaultKind::MalformedPatch`] for patches that are not `replace` or `remove` on JSON pointers.
    pub fn from_wire(answer: &Value) -> Result<Self, Fault> {
        let decision = match answer {
            Value::Bool(true) => Decision::allow(),
            Value::Bool(false) => bare(DecisionEffect::Deny),
            Value::String(name) => bare(effect(name)?),
            Value::Object(members) => {
                let mut decision = bare(effect(
                    members
                        .get("effect")
                        .and_then(Value::as_str)
                        .ok_or_else(|| malformed("`effect` is missing or no text"))?,
                )?);
                for (name, value) in members {
                    match name.as_str() {
                        "effect" => {}
                        "reason" => decision.reason = reasons(value)?,
                        "patches" => decision.patches = patches(value)?,
                        "step_up" => decision.step_up = Some(step_up(value)?),
                        _ => return Err(malformed(format!("`{name}` is not a member of a decision"))),
                    }
                }
                decision
            }
            _ => return Err(malformed("a decision is an object, a boolean or an effect's name")),
        };
        decision.well_formed()
    }

    /// Reads the answers of a pair of rules, `allow` and its reason. An undefined reason is no reason.
    ///
    /// # Errors
    /// [`FaultKind::UndefinedDecision`] if `allow` is undefined, [`FaultKind::MalformedDecision`] if it is not a boolean or
    /// the reason neither a text nor a list of texts.
    pub fn from_allow_and_reason(allow: Option<&Value>, reason: Option<&Value>) -> Result<Self, Fault> {
        let allow =
            allow.ok_or_else(|| Fault::new(FaultKind::UndefinedDecision, "the rule `allow` is undefined"))?;
        let Value::Bool(allow) = allow else { return Err(malformed("the rule `allow` is not a boolean")) };
        let mut decision = bare(if *allow { DecisionEffect::Allow } else { DecisionEffect::Deny });
        decision.reason = reason.map(reasons).transpose()?.flatten();
        Ok(decision)
    }

    /// Checks what the contract asks of every engine's decision, however it was made.
    ///
    /// # Errors
    /// [`FaultKind::MalformedDecision`] for a `redact` without patches, an `allow` with some, or a step-up demand
    /// beside another effect.
    pub fn well_formed(self) -> Result<Self, Fault> {
        match (self.effect, self.patches.is_empty(), &self.step_up) {
            (DecisionEffect::Redact, true, _) => Err(malformed("a `redact` has no patch")),
            (DecisionEffect::Allow, false, _) => Err(malformed("an `allow` has patches")),
            (DecisionEffect::StepUp, ..) | (_, _, None) => Ok(self),
            (effect, _, Some(_)) => Err(malformed(format!("a `{effect}` demands a step-up"))),
        }
    }
}

fn bare(effect: DecisionEffect) -> Decision {
    Decision { effect, reason: None, patches: Vec::new(), step_up: None }
}

fn malformed(detail: impl Into<String>) -> Fault {
    Fault::new(FaultKind::MalformedDecision, detail)
}

fn effect(name: &str) -> Result<DecisionEffect, Fault> {
    DecisionEffect::parse(name).ok_or_else(|| malformed(format!("`{name}` is not an effect")))
}

/// A reason is a text or a list of texts: a Rego partial set (`reasons contains …`) arrives as a list.
fn reasons(value: &Value) -> Result<Option<String>, Fault> {
    let not_text = || malformed("a reason is a text or a list of texts");
    match value {
        Value::String(reason) => Ok(Some(reason.clone())),
        Value::Array(items) => {
            let texts = items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(not_text));
            Ok(join_reasons(texts.collect::<Result<Vec<_>, _>>()?))
        }
        _ => Err(not_text()),
    }
}

fn patches(value: &Value) -> Result<Vec<Patch>, Fault> {
    let items = value.as_array().ok_or_else(|| malformed_patch("`patches` is not a list"))?;
    items.iter().map(patch).collect()
}

fn patch(value: &Value) -> Result<Patch, Fault> {
    let member = |name: &str| value.get(name);
    let members = value.as_object().map(serde_json::Map::len);
    let path =
        member("path").and_then(Value::as_str).ok_or_else(|| malformed_patch("a patch has no `path`"))?;
    let path = Pointer::parse(path).map_err(|error| malformed_patch(error.to_string()))?;
    match (member("op").and_then(Value::as_str), member("value"), members) {
        (Some("replace"), Some(value), Some(3)) => Ok(Patch::Replace { path, value: value.clone() }),
        (Some("remove"), None, Some(2)) => Ok(Patch::Remove { path }),
        _ => Err(malformed_patch(format!(
            "the patch at `{path}` is neither `replace` with a value nor `remove`"
        ))),
    }
}

fn malformed_patch(detail: impl Into<String>) -> Fault {
    Fault::new(FaultKind::MalformedPatch, detail)
}

fn step_up(value: &Value) -> Result<StepUp, Fault> {
    // A demand whose members nobody knows must not pass as an empty one.
    serde_json::from_value(value.clone()).map_err(|error| malformed(format!("`step_up`: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn answers_of_the_contracts_shape_are_read() {
        let patch = json!({"op": "replace", "path": "/a", "value": null});
        for (answer, effect) in [
            (json!(true), DecisionEffect::Allow),
            (json!(false), DecisionEffect::Deny),
            (json!("step_up"), DecisionEffect::StepUp),
            (json!({"effect": "deny", "reason": ["b", "a", "b"], "patches": [patch]}), DecisionEffect::Deny),
            (json!({"effect": "redact", "patches": [patch]}), DecisionEffect::Redact),
            (
                json!({"effect": "step_up", "step_up": {"method": "m", "amr": ["otp"]}}),
                DecisionEffect::StepUp,
            ),
        ] {
            assert_eq!(Decision::from_wire(&answer).unwrap().effect, effect, "{answer}");
        }
        let joined = Decision::from_wire(&json!({"effect": "deny", "reason": ["b", "a", "b"]})).unwrap();
        assert_eq!(joined.reason.as_deref(), Some("a; b"));
    }

    #[test]
    fn nothing_is_guessed_from_half_an_answer() {
        for answer in [
            json!(null),
            json!(1),
            json!([]),
            json!([{"result": true}]),
            json!({}),
            json!("ALLOW"),
            json!("redact"),
            json!({"effect": "permit"}),
            json!({"effect": "allow", "reason": 1}),
            json!({"effect": "allow", "extra": 1}),
            json!({"effect": "redact"}),
            json!({"effect": "redact", "patches": []}),
            json!({"effect": "allow", "patches": [{"op": "remove", "path": "/a"}]}),
            json!({"effect": "allow", "step_up": {}}),
            json!({"effect": "step_up", "step_up": {"methd": "x"}}),
        ] {
            let fault = Decision::from_wire(&answer).expect_err(&answer.to_string());
            assert_eq!(fault.kind, FaultKind::MalformedDecision, "{answer}");
        }
    }

    #[test]
    fn only_replace_and_remove_on_pointers_are_patches() {
        for patch in [
            json!({"op": "add", "path": "/a", "value": 1}),
            json!({"op": "replace", "path": "/a"}),
            json!({"op": "remove", "path": "a"}),
            json!({"op": "remove", "path": "/a", "value": 1}),
            json!({"path": "/a"}),
            json!("remove"),
        ] {
            let answer = json!({"effect": "redact", "patches": [patch]});
            let fault = Decision::from_wire(&answer).expect_err(&answer.to_string());
            assert_eq!(fault.kind, FaultKind::MalformedPatch, "{answer}");
        }
    }

    #[test]
    fn a_pair_of_rules_is_read() {
        let denied = Decision::from_allow_and_reason(Some(&json!(false)), Some(&json!("why"))).unwrap();
        assert_eq!(denied, Decision::deny("why"));
        assert_eq!(Decision::from_allow_and_reason(Some(&json!(true)), None).unwrap(), Decision::allow());
        let undefined = Decision::from_allow_and_reason(None, None).unwrap_err();
        assert_eq!(undefined.kind, FaultKind::UndefinedDecision);
        for allow in [json!("true"), json!({}), json!(1)] {
            assert!(Decision::from_allow_and_reason(Some(&allow), None).is_err(), "{allow}");
        }
    }
}
