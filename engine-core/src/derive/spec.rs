//! What a manifest can declare under `derive:`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

/// See [`DeriveSpec::Regex`]. Matching takes linear time (the `regex` crate's syntax).
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

/// A function of one value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceSpec {
    /// The value.
    pub source: Pointer,
}

/// See [`DeriveSpec::Url`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UrlSpec {
    /// The URL's text.
    pub source: Pointer,
    /// Which part.
    pub part: UrlPart,
}

/// A part of a URL, as <https://url.spec.whatwg.org/> normalises it; absent where the URL has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the parts of a URL name themselves")]
pub enum UrlPart {
    Scheme,
    Username,
    Host,
    /// An integer: the port written, or the scheme's own.
    Port,
    Path,
    Query,
}

/// See [`DeriveSpec::Time`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeSpec {
    /// An RFC 3339 text; without it, the clock of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Pointer>,
    /// Which part.
    pub part: TimePart,
    /// The IANA time zone to read it in; UTC without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// A part of an instant; all are integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the parts of a date name themselves")]
pub enum TimePart {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    /// 1 is Monday, 7 is Sunday (ISO 8601).
    Weekday,
    /// Whole seconds since 1970-01-01T00:00:00Z.
    Unix,
}
