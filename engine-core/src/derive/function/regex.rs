//! Regular expressions. Matching takes linear time (the `regex` crate's syntax).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Made, OfText};
use crate::contract::Pointer;
use crate::derive::objection::Objection;
use crate::derive::room::Room;

/// Compiled size of one expression: enough for any guardrail, too little to exhaust a host.
const SIZE: usize = 1 << 20;

/// See [`DeriveSpec::Regex`](crate::derive::DeriveSpec::Regex).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegexSpec {
    /// The text.
    pub source: Pointer,
    /// The expression; it matches anywhere unless anchored.
    pub pattern: String,
    /// The group whose text becomes the member, by number or name; absent where it captured nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<Capture>,
}

/// A group of a regular expression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Capture {
    /// By number; 0 is the whole match.
    Index(u32),
    /// By name.
    Name(String),
}

/// Compiles an expression that stands under `place` of a declaration.
pub(in crate::derive) fn expression(pattern: &str, place: &[&str]) -> Result<regex::Regex, Objection> {
    regex::RegexBuilder::new(pattern)
        .size_limit(SIZE)
        .build()
        .map_err(|error| Objection::at(place, format!("the pattern does not compile: {error}")))
}

#[derive(Debug)]
pub(super) enum Regex {
    Matches(regex::Regex),
    Capture(regex::Regex, usize),
}

impl Regex {
    pub(super) fn compile(spec: &RegexSpec) -> Result<Self, Objection> {
        let regex = expression(&spec.pattern, &["pattern"])?;
        let group = match &spec.capture {
            None => return Ok(Self::Matches(regex)),
            Some(Capture::Index(index)) => {
                usize::try_from(*index).ok().filter(|index| *index < regex.captures_len())
            }
            Some(Capture::Name(name)) => regex.capture_names().position(|group| group == Some(name)),
        };
        let group =
            group.ok_or_else(|| Objection::at(&["capture"], "the pattern has no such group".to_owned()))?;
        Ok(Self::Capture(regex, group))
    }
}

impl OfText for Regex {
    fn of_text(&self, text: &str, _: &Room) -> Made {
        Ok(match self {
            Self::Matches(regex) => Some(Value::Bool(regex.is_match(text))),
            Self::Capture(regex, group) => {
                let captured = regex.captures(text).and_then(|captures| captures.get(*group));
                captured.map(|part| Value::String(part.as_str().to_owned()))
            }
        })
    }
}
