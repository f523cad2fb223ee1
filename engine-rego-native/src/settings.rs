//! What a manifest says under `engines.rego-native`.

use schemars::JsonSchema;
use serde::Deserialize;
use tribunal_engine_core::engine::{LoadError, LoadErrorKind};
use tribunal_engine_core::pack::PackSource;

use crate::ID;

/// Settings of a pack: which rules decide, and how strict its built-ins are.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The rule that gives the decision, as `tribunal/tool_allowlist/decision`. Either this or `decision`.
    #[serde(default)]
    pub entrypoint: Option<String>,
    /// A pair of rules: one that allows and one that says why not. Either this or `entrypoint`.
    #[serde(default)]
    pub decision: Option<DecisionRules>,
    /// Whether an error of a built-in is a fault (it is, unless this says `false`) or makes its expression undefined.
    #[serde(default = "strict")]
    pub strict_builtin_errors: bool,
}

/// The rules of a pack written as `default allow := false` with reasons beside it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct DecisionRules {
    /// The rule whose value is whether to allow, as `policy/allow`.
    pub allow: String,
    /// The rule whose value is the reason: a text, or a set or list of texts. Undefined is no reason.
    pub reason: String,
}

fn strict() -> bool {
    true
}

/// A rule's path without `data`, as `["tribunal", "tool_allowlist", "decision"]`.
pub(crate) type RulePath = Vec<String>;

/// The rules a pack asks.
#[derive(Debug, Clone)]
pub(crate) enum Question<P = RulePath> {
    /// One rule gives the whole decision.
    Decision(P),
    /// One rule allows, another says why.
    AllowAndReason { allow: P, reason: P },
}

impl Question {
    /// Reads the question from the settings.
    pub(crate) fn of(settings: &Settings, pack: &PackSource) -> Result<Self, LoadError> {
        match (&settings.entrypoint, &settings.decision) {
            (Some(rule), None) => Ok(Question::Decision(path(rule, pack, &["entrypoint"])?)),
            (None, Some(DecisionRules { allow, reason })) => Ok(Question::AllowAndReason {
                allow: path(allow, pack, &["decision", "allow"])?,
                reason: path(reason, pack, &["decision", "reason"])?,
            }),
            (Some(_), Some(_)) => Err(pack.manifest_error(
                LoadErrorKind::Invalid,
                &["engines", ID],
                "`entrypoint` and `decision` cannot both be set",
            )),
            (None, None) => {
                let message = "neither `entrypoint` nor `decision` says which rule decides";
                Err(pack.manifest_error(LoadErrorKind::Invalid, &["engines", ID], message))
            }
        }
    }

    /// Every rule asked, with its place under `engines.rego-native`.
    pub(crate) fn rules(&self) -> Vec<(&RulePath, &'static [&'static str])> {
        match self {
            Question::Decision(rule) => vec![(rule, &["engines", ID, "entrypoint"])],
            Question::AllowAndReason { allow, reason } => {
                vec![
                    (allow, &["engines", ID, "decision", "allow"]),
                    (reason, &["engines", ID, "decision", "reason"]),
                ]
            }
        }
    }
}

impl Question<String> {
    /// Every rule asked.
    pub(crate) fn all(&self) -> Vec<&str> {
        match self {
            Question::Decision(rule) => vec![rule],
            Question::AllowAndReason { allow, reason } => vec![allow, reason],
        }
    }
}

fn path(text: &str, pack: &PackSource, place: &[&str]) -> Result<RulePath, LoadError> {
    let path: RulePath = text.split('/').map(str::to_owned).collect();
    if path.iter().any(String::is_empty) {
        let place: Vec<&str> = ["engines", ID].into_iter().chain(place.iter().copied()).collect();
        let message = format!("`{text}` is not the path of a rule: write it as `package/of/the/rule`");
        return Err(pack.manifest_error(LoadErrorKind::Invalid, &place, message));
    }
    Ok(path)
}
