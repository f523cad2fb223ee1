//! What a pack says about this engine in its manifest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tribunal_engine_core::engine::{LoadError, LoadErrorKind};
use tribunal_engine_core::pack::PackSource;

use crate::ID;

/// `engines.rego-wasm` of `pack.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Settings {
    /// The rule that gives the decision, as `tribunal/tool_allowlist/decision`: an object `{effect, reason?, patches?,
    /// step_up?}`, a boolean or an effect's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub entrypoint: Option<String>,
    /// Two rules instead, for packs written as `default allow := false` with a reason beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionRules>,
    /// Has to be `false`: the built-ins inside a module that OPA built swallow their errors, so the engine cannot be strict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict_builtin_errors: Option<bool>,
}

/// The two rules of a decision that is given as a boolean and a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct DecisionRules {
    /// The boolean rule.
    #[schemars(length(min = 1))]
    pub allow: String,
    /// The rule that gives a text or a list of texts.
    #[schemars(length(min = 1))]
    pub reason: String,
}

/// Which entrypoints make the decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Question<E> {
    /// One that gives a decision.
    Decision(E),
    /// Two, one for the boolean and one for its reason.
    AllowAndReason(E, E),
}

impl Settings {
    /// The settings of a pack.
    ///
    /// # Errors
    /// If the pack does not offer this engine, or names neither or both of `entrypoint` and `decision`.
    pub(crate) fn of(pack: &PackSource) -> Result<(Self, Question<String>), LoadError> {
        let settings: Settings = pack.settings(ID)?;
        let wrong = |message: &str| {
            pack.manifest_error(LoadErrorKind::Invalid, &["engines", ID], message)
                .help("write `entrypoint: package/rule`, or `decision: {allow: package/rule, reason: package/rule}`")
        };
        let question = match (&settings.entrypoint, &settings.decision) {
            (Some(entrypoint), None) => Question::Decision(entrypoint.clone()),
            (None, Some(rules)) => Question::AllowAndReason(rules.allow.clone(), rules.reason.clone()),
            (Some(_), Some(_)) => return Err(wrong("both `entrypoint` and `decision` are given")),
            (None, None) => return Err(wrong("neither `entrypoint` nor `decision` is given")),
        };
        Ok((settings, question))
    }
}

impl<E> Question<E> {
    /// The entrypoints, each with the keys of the settings that name it.
    pub(crate) fn entrypoints(&self) -> Vec<(&'static [&'static str], &E)> {
        match self {
            Question::Decision(entrypoint) => vec![(&["entrypoint"], entrypoint)],
            Question::AllowAndReason(allow, reason) => {
                vec![(&["decision", "allow"], allow), (&["decision", "reason"], reason)]
            }
        }
    }
}

/// The entrypoints that a pack's module is built with.
///
/// # Errors
/// If the pack does not offer this engine or its settings make no sense.
pub fn entrypoints(pack: &PackSource) -> Result<Vec<String>, LoadError> {
    let (_, question) = Settings::of(pack)?;
    let mut names: Vec<String> = question.entrypoints().into_iter().map(|(_, name)| name.clone()).collect();
    names.dedup();
    Ok(names)
}
