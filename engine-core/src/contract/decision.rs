//! A decision, its four effects, and the merge of several decisions into one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::patch::Patch;

/// What a caller must do, in order of severity: a later effect beats an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecisionEffect {
    /// Go ahead.
    Allow,
    /// Apply every patch, then go ahead; refuse if that cannot be done.
    Redact,
    /// Refuse until stronger authorisation is shown.
    StepUp,
    /// Refuse.
    Deny,
}

impl DecisionEffect {
    /// Every effect, mildest first.
    pub const ALL: [DecisionEffect; 4] =
        [DecisionEffect::Allow, DecisionEffect::Redact, DecisionEffect::StepUp, DecisionEffect::Deny];

    /// The effect's name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            DecisionEffect::Allow => "allow",
            DecisionEffect::Redact => "redact",
            DecisionEffect::StepUp => "step_up",
            DecisionEffect::Deny => "deny",
        }
    }

    /// The effect with this name on the wire, if there is one.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effect| effect.as_str() == name)
    }
}

impl std::fmt::Display for DecisionEffect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What stronger authorisation a `step_up` asks for (OpenID AuthZEN obligations profile, `step-up`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepUp {
    /// How to step up, in the deployment's own words, as `human_approval`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Authentication context class wanted (OpenID Connect Core 1.0, section 2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// Authentication methods wanted (RFC 8176).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
}

/// The answer to one request.
///
/// ```
/// use tribunal_engine_core::contract::{Decision, DecisionEffect};
///
/// let merged = Decision::merge([Decision::allow(), Decision::deny("tool_not_allowed")]);
/// assert_eq!(merged.effect, DecisionEffect::Deny);
/// assert_eq!(serde_json::to_string(&merged).unwrap(), r#"{"effect":"deny","reason":"tool_not_allowed"}"#);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// What the caller must do.
    pub effect: DecisionEffect,
    /// Why, for people and logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The changes a `redact` asks for. A denial may carry some for the record; they are never applied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<Patch>,
    /// What a `step_up` asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_up: Option<StepUp>,
}

impl Decision {
    /// A bare `allow`.
    pub fn allow() -> Self {
        Self { effect: DecisionEffect::Allow, reason: None, patches: Vec::new(), step_up: None }
    }

    /// A `deny` with its reason.
    pub fn deny(reason: impl Into<String>) -> Self {
        Self { effect: DecisionEffect::Deny, reason: Some(reason.into()), patches: Vec::new(), step_up: None }
    }

    /// The most severe effect, the reasons that are not empty in order, and every patch once.
    ///
    /// Of several `step_up`s the first one's demand stands: when it is met, the next pack asks for its own.
    /// Nothing to merge is a denial: no decision allows by being absent.
    pub fn merge(decisions: impl IntoIterator<Item = Decision>) -> Self {
        let mut decisions = decisions.into_iter().peekable();
        if decisions.peek().is_none() {
            return Self::deny(NO_PACK_MATCHED);
        }
        let mut merged = Self::allow();
        for Decision { effect, reason, patches, step_up } in decisions {
            merged.effect = merged.effect.max(effect);
            merged.reason = match (merged.reason, reason.filter(|reason| !reason.is_empty())) {
                (Some(before), Some(after)) => Some(format!("{before}; {after}")),
                (before, after) => before.or(after),
            };
            for patch in patches {
                if !merged.patches.contains(&patch) {
                    merged.patches.push(patch);
                }
            }
            merged.step_up = merged.step_up.or(step_up);
        }
        if merged.effect != DecisionEffect::StepUp {
            merged.step_up = None;
        }
        merged
    }
}

/// The reason of a denial that no pack claimed.
pub const NO_PACK_MATCHED: &str = "no_pack_matched";

/// Several reasons as one: sorted, each once, joined as the contract says. Empty ones do not count.
pub fn join_reasons(reasons: impl IntoIterator<Item = String>) -> Option<String> {
    let distinct: std::collections::BTreeSet<String> =
        reasons.into_iter().filter(|reason| !reason.is_empty()).collect();
    if distinct.is_empty() { None } else { Some(distinct.into_iter().collect::<Vec<_>>().join("; ")) }
}
