//! `tribunal.yaml`, a deployment.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::when::{When, WhenSpec};
use crate::contract::Pointer;
use crate::contract::record::RecordSettings;
use crate::document::{Document, with_nearest};
use crate::engine::{LoadError, LoadErrorKind, LoadErrors, Registry};
use crate::limits::{Limits, Span};

/// What a deployment says. Every key there is; paths are relative to the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// The boundaries requests may cross. A request that names another is denied.
    #[serde(default = "standard_boundaries")]
    #[schemars(length(min = 1))]
    pub boundaries: Vec<String>,
    /// The packs, in the order in which their reasons stand.
    #[schemars(length(min = 1))]
    pub packs: Vec<PackEntry>,
    /// What happens to a request that no pack claims.
    #[serde(default)]
    pub on_no_pack: OnNoPack,
    /// Bounds on every evaluation; a pack's own hold where they are smaller.
    #[serde(default)]
    pub limits: Limits,
    /// Keys that tokens may be signed with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub root_keys: Vec<RootKeyEntry>,
    /// A file of revocation identifiers, one in hex a line, `#` for comments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<String>,
    /// How long a pack may go on deciding after a newer version of it could not be loaded; without it, for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_stale: Option<Span>,
    /// Where compiled modules are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheEntry>,
    /// How decisions are recorded.
    #[serde(default)]
    pub record: RecordSettings,
}

/// One pack of a deployment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PackEntry {
    /// The pack: a folder or a bundle. A bare name is a folder beside this file.
    pub pack: String,
    /// The engine that decides.
    pub engine: String,
    /// Which requests the pack claims; without it, every one.
    #[serde(default)]
    pub when: WhenSpec,
    /// A data file in place of the pack's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// The engine that decides if the first one is not there at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// Bounds on this pack's evaluations; the smallest of all that are set holds.
    #[serde(default)]
    pub limits: Limits,
    /// Engines that are asked as well and compared, and never decide.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shadow: Vec<String>,
}

impl PackEntry {
    /// Every engine that runs the pack: the one that decides, its fallback, and those that are asked beside.
    pub fn engines(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.engine).chain(&self.fallback).chain(&self.shadow).map(String::as_str)
    }
}

/// What happens to a request that no pack claims.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnNoPack {
    /// It is denied, with reason `no_pack_matched`.
    #[default]
    Deny,
    /// It is allowed: only for deployments that guard some requests and leave the others to somebody else.
    Allow,
}

/// A key that tokens may be signed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RootKeyEntry {
    /// The key id tokens name it by; without one, the key of tokens that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u32>,
    /// The file: PEM, or `ed25519/<hex>`.
    pub file: String,
}

/// Where compiled modules are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CacheEntry {
    /// The folder. One that others can write is not used.
    pub dir: String,
}

/// The boundaries of the seed system.
pub fn standard_boundaries() -> Vec<String> {
    ["ingress", "tool", "egress", "memory_read", "memory_write"].map(str::to_owned).to_vec()
}

impl Deployment {
    /// A deployment of these packs with nothing else said.
    pub fn of(packs: Vec<PackEntry>) -> Self {
        Self {
            boundaries: standard_boundaries(),
            packs,
            on_no_pack: OnNoPack::default(),
            limits: Limits::default(),
            root_keys: Vec::new(),
            revoked: None,
            max_stale: None,
            cache: None,
            record: RecordSettings::default(),
        }
    }

    /// Reads a deployment.
    ///
    /// # Errors
    /// Everything wrong with it that can be seen without its packs.
    pub fn parse(file: &str, text: &[u8], registry: &Registry) -> Result<(Self, Document), LoadErrors> {
        let document = Document::parse(file, text)?;
        let deployment: Deployment = document.read(&schema())?;
        let mut errors = Vec::new();
        let mut names = BTreeSet::new();
        for (index, entry) in deployment.packs.iter().enumerate() {
            deployment.check_entry(entry, &document, &entry_place(index), registry, &mut errors);
            if !names.insert(&entry.pack) {
                let at = entry_place(index).child("pack");
                errors.push(document.error(
                    LoadErrorKind::Invalid,
                    &at,
                    format!("pack `{}` stands twice", entry.pack),
                ));
            }
        }
        let mut ids = BTreeSet::new();
        for (index, key) in deployment.root_keys.iter().enumerate() {
            if !ids.insert(key.id) {
                let at = Pointer::from_tokens(["root_keys".to_owned(), index.to_string()]);
                errors.push(document.error(LoadErrorKind::Invalid, &at, "two root keys have the same id"));
            }
        }
        LoadErrors::check(errors)?;
        Ok((deployment, document))
    }

    fn check_entry(
        &self,
        entry: &PackEntry,
        document: &Document,
        place: &Pointer,
        registry: &Registry,
        errors: &mut Vec<LoadError>,
    ) {
        let known: Vec<String> = registry.known().map(str::to_owned).collect();
        let shadows = entry
            .shadow
            .iter()
            .enumerate()
            .map(|(index, name)| (place.child("shadow").child(index.to_string()), name));
        let engines = std::iter::once((place.child("engine"), &entry.engine))
            .chain(entry.fallback.iter().map(|name| (place.child("fallback"), name)))
            .chain(shadows);
        for (at, name) in engines {
            if !known.contains(name) {
                let error =
                    document.error(LoadErrorKind::Invalid, &at, format!("there is no engine `{name}`"));
                errors.push(with_nearest(error, name, &known));
            }
        }
        if entry.fallback.as_ref() == Some(&entry.engine) {
            let at = place.child("fallback");
            errors.push(document.error(LoadErrorKind::Invalid, &at, "the fallback is the engine itself"));
        }
        if let Err(error) = When::compile(&entry.when) {
            errors.push(document.error(LoadErrorKind::Invalid, &place.child("when"), error.to_string()));
        }
        for name in entry.when.0.get("boundary").into_iter().flat_map(|texts| &texts.0) {
            if !self.boundaries.contains(name) {
                let at = place.child("when").child("boundary");
                let error = document.error(
                    LoadErrorKind::Invalid,
                    &at,
                    format!("`{name}` is not one of this deployment's boundaries"),
                );
                errors.push(with_nearest(error, name, &self.boundaries));
            }
        }
    }
}

/// The place of a pack's entry in a deployment.
pub fn entry_place(index: usize) -> Pointer {
    Pointer::from_tokens(["packs".to_owned(), index.to_string()])
}

/// The JSON Schema of `tribunal.yaml`.
pub fn schema() -> Value {
    schemars::schema_for!(Deployment).to_value()
}
