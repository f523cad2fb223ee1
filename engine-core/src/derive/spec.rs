//! What a manifest can declare under `derive:`. What is particular to a family of functions stands with it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use super::function::regex::{Capture, RegexSpec};
pub use super::function::time::{TimePart, TimeSpec};
pub use super::function::url::{UrlPart, UrlSpec};
use super::objection::Objection;
use crate::contract::Pointer;

/// One derived member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeriveSpec {
    /// Whether a text matches a regular expression; with `capture`, the part it captured.
    Regex(RegexSpec),
    /// A text in lower case (Unicode, no locale).
    Lower(SourceSpec),
    /// Characters of a text, elements of a list, members of an object.
    Length(SourceSpec),
    /// A part of a URL (WHATWG).
    Url(UrlSpec),
    /// A part of an instant: of the request's clock, or of an RFC 3339 text.
    Time(TimeSpec),
}

/// A function of one value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceSpec {
    /// The value.
    pub source: Pointer,
}

/// A place in the pack's data in force: what stands there is read and checked when the data is loaded or swapped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FromData {
    /// Where in the pack's data.
    pub data: Pointer,
}

impl FromData {
    /// What stands there.
    pub(super) fn get<'d>(&self, data: &'d Value) -> Result<&'d Value, Objection> {
        self.data.get(data).ok_or_else(|| {
            Objection::in_data(self.data.clone(), format!("there is no `{}` in the data", self.data))
        })
    }
}

impl DeriveSpec {
    /// The function's name, as a manifest writes it.
    pub fn function(&self) -> &'static str {
        match self {
            Self::Regex(_) => "regex",
            Self::Lower(_) => "lower",
            Self::Length(_) => "length",
            Self::Url(_) => "url",
            Self::Time(_) => "time",
        }
    }

    /// What it reads of the request; `None` for the clock.
    pub fn source(&self) -> Option<&Pointer> {
        match self {
            Self::Regex(spec) => Some(&spec.source),
            Self::Lower(spec) | Self::Length(spec) => Some(&spec.source),
            Self::Url(spec) => Some(&spec.source),
            Self::Time(spec) => spec.source.as_ref(),
        }
    }

    /// What it reads of the pack's data in force.
    pub fn data(&self) -> Option<&Pointer> {
        match self {
            Self::Regex(_) | Self::Lower(_) | Self::Length(_) | Self::Url(_) | Self::Time(_) => None,
        }
    }
}
