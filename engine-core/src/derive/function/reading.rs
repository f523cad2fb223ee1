//! `plain`, `markup` and `scan`: functions that read a text as people, browsers and models do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Made, OfText};
use crate::contract::Pointer;
use crate::derive::objection::Objection;
use crate::derive::reading::{Segment, fold, markup};
use crate::derive::room::Room;
use crate::derive::scan;
use crate::derive::scan::spec::ScanSpec;

/// See [`DeriveSpec::Markup`](crate::derive::DeriveSpec::Markup).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkupSpec {
    /// The text.
    pub source: Pointer,
    /// Which part.
    pub part: MarkupPart,
}

/// What there is in HTML and Markdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MarkupPart {
    /// The text that a reader sees, line by line.
    Visible,
    /// The texts that a reader does not see: comments, hidden elements, alternative texts, titles.
    Hidden,
    /// Where links lead, and the URLs that stand in the text.
    Links,
    /// Where images come from, and what else is fetched unasked.
    Images,
}

/// See [`DeriveSpec::Plain`](crate::derive::DeriveSpec::Plain).
#[derive(Debug)]
pub(super) struct Plain;

impl OfText for Plain {
    fn of_text(&self, text: &str, _: &Room) -> Made {
        let read = fold::plain(text).map_err(|error| error.to_string())?;
        Ok(Some(read.text().into()))
    }
}

#[derive(Debug)]
pub(super) struct Markup(pub(super) MarkupPart);

impl OfText for Markup {
    fn of_text(&self, text: &str, _: &Room) -> Made {
        let read = markup::read(text).map_err(|error| error.to_string())?;
        let texts =
            |segments: Vec<Segment>| segments.into_iter().map(|segment| Value::from(segment.text)).collect();
        Ok(Some(match self.0 {
            MarkupPart::Visible => read.visible.into(),
            MarkupPart::Hidden => Value::Array(texts(read.hidden)),
            MarkupPart::Links => Value::Array(texts(read.links)),
            MarkupPart::Images => Value::Array(texts(read.images)),
        }))
    }
}

/// A scan with the rules that the pack's data puts in force.
#[derive(Debug)]
pub(super) struct Scan {
    scan: scan::Scan,
    enabled: scan::Enabled,
}

impl Scan {
    pub(super) fn compile(spec: &ScanSpec, data: &Value) -> Result<Self, Vec<Objection>> {
        let scan = scan::Scan::compile(spec)?;
        let enabled = match &spec.enabled {
            None => scan::Enabled::ALL,
            Some(from) => scan.enabled(from.texts(data)?)?,
        };
        Ok(Self { scan, enabled })
    }
}

impl OfText for Scan {
    fn of_text(&self, text: &str, _: &Room) -> Made {
        self.scan.call(text, &self.enabled).map(Some)
    }
}
