//! A decision together with how it came about: what an evaluation returns besides the decision itself.

use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::decision::Decision;
use crate::fault::Fault;

/// The answer to one request, and each claimed pack's part in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The merged decision.
    pub decision: Decision,
    /// The fault that kept any pack from being asked, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// One entry for each pack that claimed the request, in the deployment's order.
    pub packs: Vec<PackOutcome>,
    /// How often the packs were asked: 1 without a redaction, 0 where no pack was.
    pub rounds: u32,
    /// The instant for which the request was decided (RFC 3339).
    #[schemars(with = "String")]
    pub now: Timestamp,
    /// Time the whole evaluation took, in nanoseconds.
    pub duration_ns: u64,
}

/// Which pack, on which engine. Made once at load and shared by every outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PackIdentity {
    /// The pack's name.
    pub pack: String,
    /// The pack's version.
    pub version: String,
    /// `sha256:` over the pack's files.
    pub digest: String,
    /// `sha256:` over the data that stands in place of the pack's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_digest: Option<String>,
    /// Where the pack's provenance is recorded, if the pack says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance_id: Option<String>,
    /// The engine that decided.
    pub engine: String,
    /// That engine's version.
    pub engine_version: String,
    /// The engine that was configured but is not there, if this is its fallback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_from: Option<String>,
}

/// One pack's part in an outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PackOutcome {
    /// Which pack, on which engine.
    #[serde(flatten)]
    pub identity: Arc<PackIdentity>,
    /// Whether a newer version of the pack could not be loaded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stale: bool,
    /// The pack's decision: the most severe of its rounds.
    pub decision: Decision,
    /// The fault behind a denial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// The rules or policies that determined the decision.
    pub rules: Rules,
    /// How many rules were evaluated, where the engine can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules_evaluated: Option<u64>,
    /// How often the pack was asked.
    pub rounds: u32,
    /// Time the pack took in all rounds, its shadows left out, in nanoseconds.
    pub duration_ns: u64,
    /// What shadow engines would have decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shadows: Vec<ShadowOutcome>,
}

/// What an engine that never decides would have decided, asked for the original request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShadowOutcome {
    /// The engine.
    pub engine: String,
    /// Its decision in the first round.
    pub decision: Decision,
    /// The fault behind a denial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// Where it differs from the deciding engine in that round, by the pack's parity rules; empty if they agree.
    pub differences: Vec<super::parity::Difference>,
    /// Time it took, in nanoseconds.
    pub duration_ns: u64,
}

/// The rules or policies that determined a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Rules {
    /// Their names, sorted.
    Determined(Vec<String>),
    /// The engine cannot tell.
    Unavailable(Unavailable),
}

/// The word that stands where an engine cannot tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unavailable {
    /// `unavailable`
    Unavailable,
}

impl Rules {
    /// An engine cannot tell which rules determined its decision.
    pub const UNAVAILABLE: Rules = Rules::Unavailable(Unavailable::Unavailable);

    /// Names, sorted and each once.
    pub fn determined(names: impl IntoIterator<Item = String>) -> Self {
        let names: std::collections::BTreeSet<String> = names.into_iter().collect();
        Rules::Determined(names.into_iter().collect())
    }
}

impl std::fmt::Display for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Rules::Determined(names) => f.write_str(&names.join(", ")),
            Rules::Unavailable(_) => f.write_str("unavailable"),
        }
    }
}
