//! `pack.yaml`, the manifest of a pack.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::contract::Pointer;
use crate::derive::DeriveSpec;
use crate::limits::Limits;

/// The file's name inside a pack.
pub const FILE: &str = "pack.yaml";

/// What a pack says about itself. Every key there is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The pack's name, as deployments and outcomes call it.
    #[schemars(regex(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$"))]
    pub name: String,
    /// The pack's version (semantic versioning).
    #[schemars(regex(
        pattern = r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$"
    ))]
    pub version: String,
    /// One line for lists.
    pub description: String,
    /// Identifiers of the controls the pack serves, as `OWASP-LLM06`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<String>,
    /// Where the pack's provenance is recorded; stands in every outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance_id: Option<String>,
    /// The engines the pack offers, each with that engine's settings.
    #[schemars(extend("minProperties" = 1))]
    pub engines: BTreeMap<String, Value>,
    /// The engines the pack cannot offer, each with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unsupported: BTreeMap<String, String>,
    /// Whether requests show tokens.
    #[serde(default)]
    pub token: TokenMode,
    /// Places that redactions may change, as JSON pointers; whatever lies below is included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redactable: Vec<Pointer>,
    /// Members the host derives before any engine is asked, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub derive: BTreeMap<String, DeriveSpec>,
    /// Bounds on every evaluation of this pack.
    #[serde(default)]
    pub limits: Limits,
    /// How this pack's engines are compared.
    #[serde(default)]
    pub parity: Parity,
    /// `none` for a pack without `input.schema.json`, which is warned about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_schema: Option<NoInputSchema>,
}

/// The one word that stands where a pack has no input schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoInputSchema {
    /// `none`
    None,
}

/// Whether requests for a pack show tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenMode {
    /// The pack does not look at tokens; one that is shown is not read.
    #[default]
    None,
    /// A token may be shown, and can only widen what is allowed.
    Optional,
    /// Without a token the request is denied.
    Required,
}

/// How a pack's engines are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parity {
    /// How reasons are compared.
    #[serde(default)]
    pub reasons: ReasonParity,
}

/// How the reasons of two engines are compared. Effects, redacted requests and step-up demands always are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReasonParity {
    /// The same text.
    #[default]
    Exact,
    /// The same reasons in any order.
    Set,
    /// Not at all.
    Ignored,
}
