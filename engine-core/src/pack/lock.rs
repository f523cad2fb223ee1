//! `pack.lock`: what a built module was made from, so that a module never outlives its sources unnoticed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The file's name inside a pack.
pub const FILE: &str = "pack.lock";

/// What `tribunal pack build` made, and from what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PackLock {
    /// `sha256:` over the Rego sources (see `PackFiles::rego_digest`).
    pub sources: String,
    /// The module made from them.
    pub module: LockedModule,
    /// The compiler, as `opa`.
    pub builder: String,
    /// The compiler's version, as `1.22.0`.
    pub version: String,
    /// The command that made the module, with paths inside the pack.
    pub command: String,
}

/// The module that a lock vouches for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockedModule {
    /// Its path inside the pack.
    pub path: String,
    /// `sha256:` over its bytes.
    pub digest: String,
    /// The entrypoints it was built with.
    pub entrypoints: Vec<String>,
}
