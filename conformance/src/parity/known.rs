//! Divergences that a pack knows of: `parity/known-divergences.yaml`, a list that fails in both directions.
//!
//! An entry says on which request which engines differ, why that is so and where it is reported upstream. A counterexample
//! of the same kind is then no objection; an entry on which the engines agree again is one, until it is deleted.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tribunal::core::contract::Pointer;
use tribunal::core::document::{Document, with_nearest};
use tribunal::core::engine::{LoadError, LoadErrorKind, LoadErrors};
use tribunal::core::pack::PackSource;

use crate::case::suite::DEFAULT_NOW;
use crate::search::Question;

/// The file, inside a pack.
pub const FILE: &str = "parity/known-divergences.yaml";

/// A divergence as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownDivergence {
    /// Its name, unique in the list.
    #[schemars(regex(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$"))]
    pub name: String,
    /// The engines, or references, that differ from the rest of the pack's.
    #[schemars(length(min = 1))]
    pub engines: BTreeSet<String>,
    /// A request on which they do.
    pub request: Map<String, Value>,
    /// The instant of the request (RFC 3339); without it, the first instant of 2026 (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub now: Option<String>,
    /// Which counterexamples it excuses.
    #[serde(default)]
    pub covers: Covers,
    /// Why they differ, for those who read the pack.
    #[schemars(regex(pattern = r"\S"))]
    pub reason: String,
    /// Where it is reported upstream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^https://"))]
    pub upstream: Option<String>,
}

/// Which counterexamples a known divergence excuses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Covers {
    /// Those that shrink to the same request as its own.
    #[default]
    Request,
    /// All with the same answers by the same rules. For engines that cannot tell their rules that is everything that is
    /// answered alike: say it only where nothing else can hide behind it.
    SameRules,
}

/// A divergence, ready to be asked about.
#[derive(Debug, Clone)]
pub struct Known {
    /// What is written.
    pub written: Arc<KnownDivergence>,
    /// The question.
    pub question: Question,
}

/// The JSON Schema of the file.
pub fn known_divergences_schema() -> Value {
    let mut schema = schemars::schema_for!(Vec<KnownDivergence>);
    schema.insert("title".to_owned(), Value::from("Known divergences of a pack"));
    schema.to_value()
}

/// Reads a pack's list; a pack without the file knows none.
///
/// # Errors
/// Everything wrong with the file, with its place.
pub fn read(pack: &PackSource) -> Result<Vec<Known>, LoadErrors> {
    let unread = |path: &&str| path.starts_with("parity/") && ![FILE, crate::mutation::FILE].contains(path);
    if let Some(path) = pack.files.paths().find(unread) {
        // A list that is never read would excuse nothing, and nobody would know.
        let message = format!("`{}` is never read", pack.file_name(path));
        let help = format!("`{FILE}` and `{}` are", crate::mutation::FILE);
        return Err(LoadError::new(LoadErrorKind::Invalid, message).help(help).into());
    }
    let Some(text) = pack.files.get(FILE) else { return Ok(Vec::new()) };
    let document = Document::parse(&pack.file_name(FILE), text)?;
    let written: Vec<KnownDivergence> = document.read(&known_divergences_schema())?;
    let mut errors: Vec<LoadError> = Vec::new();
    let mut names = BTreeSet::new();
    let mut known = Vec::new();
    for (index, divergence) in written.into_iter().enumerate() {
        let place = |key: &str| Pointer::from_tokens([index.to_string(), key.to_owned()]);
        let mut wrong = |key: &str, message: String| {
            errors.push(document.error(LoadErrorKind::Invalid, &place(key), message));
        };
        if !names.insert(divergence.name.clone()) {
            wrong("name", format!("the divergence `{}` is listed twice", divergence.name));
        }
        let now = divergence.now.as_ref().map_or(Ok(DEFAULT_NOW), |now| now.parse::<Timestamp>());
        let now = now.unwrap_or_else(|_| {
            wrong("now", "not an instant: write one as `2026-11-21T12:00:00Z`".to_owned());
            DEFAULT_NOW
        });
        let offered: Vec<String> = pack.manifest.engines.keys().cloned().collect();
        for engine in &divergence.engines {
            if !offered.contains(engine) && engine != "opa" {
                let message = format!("the pack does not offer `{engine}`");
                let error = document.error(LoadErrorKind::Invalid, &place("engines"), message);
                errors.push(with_nearest(error, engine, &offered));
            }
        }
        let question = Question { request: Value::Object(divergence.request.clone()), now, token: None };
        known.push(Known { written: Arc::new(divergence), question });
    }
    LoadErrors::check(errors)?;
    Ok(known)
}
