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
    /// Every text that the group captured, as a list, in the order of the matches; empty where there is none. The expression
    /// then matches texts of bounded length, as that of `replace`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

/// See [`DeriveSpec::Captures`](crate::derive::DeriveSpec::Captures).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CapturesSpec {
    /// The text.
    pub source: Pointer,
    /// The expression, with named groups: `(?P<name>…)`.
    pub pattern: String,
}

/// See [`DeriveSpec::Replace`](crate::derive::DeriveSpec::Replace).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplaceSpec {
    /// The text.
    pub source: Pointer,
    /// The expression; every match is replaced. It matches texts of bounded length: `[0-9]{1,100}` instead of `[0-9]+`.
    pub pattern: String,
    /// What takes its place: `$1`, `${1}` and `${name}` are what a group captured, `$$` is a dollar sign.
    pub with: String,
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

/// The longest match, in bytes, of a pattern whose every match is looked for. That it is bounded is what makes that linear: a
/// search reads no further than this beyond the match it returns.
pub(in crate::derive) const LONGEST_MATCH: usize = 8_192;
/// Compiled size of such an expression: repetitions with an end take more than others.
pub(in crate::derive) const BOUNDED_SIZE: usize = 4 << 20;

/// Compiles an expression that stands under `place` of a declaration.
fn expression(pattern: &str, size: usize, place: &str) -> Result<regex::Regex, Objection> {
    regex::RegexBuilder::new(pattern)
        .size_limit(size)
        .build()
        .map_err(|error| Objection::at(&[place], format!("the pattern does not compile: {error}")))
}

/// Compiles an expression of which one match is looked for.
pub(super) fn of_one_match(pattern: &str) -> Result<regex::Regex, Objection> {
    expression(pattern, SIZE, "pattern")
}

/// Compiles an expression of which every match is looked for.
fn of_every_match(pattern: &str) -> Result<regex::Regex, Objection> {
    let regex = expression(pattern, BOUNDED_SIZE, "pattern")?;
    let parsed =
        regex_syntax::parse(pattern).map_err(|error| Objection::at(&["pattern"], error.to_string()))?;
    match parsed.properties().maximum_len() {
        Some(longest) if longest <= LONGEST_MATCH => Ok(regex),
        // What never matches is no longer than it may be.
        None if parsed.properties().minimum_len().is_none() => Ok(regex),
        _ => Err(Objection::at(
            &["pattern"],
            format!(
                "every match of this is looked for, so say how long one can be, as `[0-9]{{1,100}}` for `[0-9]+`: \
                 at most {LONGEST_MATCH} bytes in all"
            ),
        )),
    }
}

#[derive(Debug)]
pub(super) enum Regex {
    Matches(regex::Regex),
    /// Group 0, which is found without looking for the others.
    Match(regex::Regex),
    Capture(regex::Regex, usize),
    AllCaptures(regex::Regex, usize),
}

impl Regex {
    pub(super) fn compile(spec: &RegexSpec) -> Result<Self, Objection> {
        let regex = if spec.all { of_every_match(&spec.pattern)? } else { of_one_match(&spec.pattern)? };
        let group = match &spec.capture {
            None if spec.all => {
                return Err(Objection::at(
                    &["all"],
                    "`all` of what? Say which group to `capture`; 0 is the match",
                ));
            }
            None => return Ok(Self::Matches(regex)),
            Some(Capture::Index(index)) => {
                usize::try_from(*index).ok().filter(|index| *index < regex.captures_len())
            }
            Some(Capture::Name(name)) => regex.capture_names().position(|group| group == Some(name)),
        };
        let group = group.ok_or_else(|| Objection::at(&["capture"], "the pattern has no such group"))?;
        Ok(match group {
            _ if spec.all => Self::AllCaptures(regex, group),
            0 => Self::Match(regex),
            _ => Self::Capture(regex, group),
        })
    }
}

impl OfText for Regex {
    fn of_text(&self, text: &str, room: &Room) -> Made {
        Ok(match self {
            Self::Matches(regex) => Some(Value::Bool(regex.is_match(text))),
            Self::Match(regex) => regex.find(text).map(|found| found.as_str().into()),
            Self::Capture(regex, group) => {
                let captured = regex.captures(text).and_then(|captures| captures.get(*group));
                captured.map(|part| part.as_str().into())
            }
            Self::AllCaptures(regex, group) => {
                let mut all = Vec::new();
                for captures in regex.captures_iter(text) {
                    if let Some(part) = captures.get(*group) {
                        room.holds(0, all.len() + 1)?;
                        all.push(Value::from(part.as_str()));
                    }
                }
                Some(Value::Array(all))
            }
        })
    }
}

#[derive(Debug)]
pub(super) struct Captures(regex::Regex);

impl Captures {
    pub(super) fn compile(spec: &CapturesSpec) -> Result<Self, Objection> {
        let regex = of_one_match(&spec.pattern)?;
        if regex.capture_names().flatten().next().is_none() {
            return Err(Objection::at(&["pattern"], "the pattern names no group: write `(?P<name>…)`"));
        }
        Ok(Self(regex))
    }
}

impl OfText for Captures {
    fn of_text(&self, text: &str, _: &Room) -> Made {
        let Some(captures) = self.0.captures(text) else { return Ok(None) };
        let took_part = self.0.capture_names().flatten().filter_map(|name| {
            let part = captures.name(name)?;
            Some((name.to_owned(), Value::from(part.as_str())))
        });
        Ok(Some(Value::Object(took_part.collect())))
    }
}

#[derive(Debug)]
pub(super) struct Replace {
    regex: regex::Regex,
    with: String,
}

impl Replace {
    pub(super) fn compile(spec: &ReplaceSpec) -> Result<Self, Objection> {
        let regex = of_every_match(&spec.pattern)?;
        // What the crate takes for a group that never takes part, and so for nothing, is a slip: `$1st`, `$nam`.
        let references = expression(r"\$(?:\$|(?P<bare>[0-9A-Za-z_]+)|\{(?P<braced>[^}]*)\})", SIZE, "with")?;
        for reference in references.captures_iter(&spec.with) {
            let Some(group) = reference.name("bare").or_else(|| reference.name("braced")) else { continue };
            let group = group.as_str();
            let is_known = match group.parse::<usize>() {
                Ok(index) => index < regex.captures_len(),
                Err(_) => regex.capture_names().flatten().any(|name| name == group),
            };
            if !is_known {
                let message = format!(
                    "the pattern has no group `{group}`; `$$` is a dollar sign, `${{1}}st` a `1` and `st`"
                );
                return Err(Objection::at(&["with"], message));
            }
        }
        Ok(Self { regex, with: spec.with.clone() })
    }
}

impl OfText for Replace {
    fn of_text(&self, text: &str, room: &Room) -> Made {
        let mut replaced = String::with_capacity(text.len());
        let mut copied = 0;
        for captures in self.regex.captures_iter(text) {
            let matched = captures.get_match();
            replaced.push_str(text.get(copied..matched.start()).unwrap_or(""));
            captures.expand(&self.with, &mut replaced);
            copied = matched.end();
            room.holds(replaced.len(), 1)?;
        }
        replaced.push_str(text.get(copied..).unwrap_or(""));
        Ok(Some(Value::String(replaced)))
    }
}
