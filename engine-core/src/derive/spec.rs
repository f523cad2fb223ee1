//! What a manifest can declare under `derive:`. What is particular to a family of functions stands with it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use super::function::count::SumSpec;
pub use super::function::encoding::{DecodeSpec, Encoding};
pub use super::function::ip::{InRangesSpec, IpPart, IpSpec, RangesSpec};
pub use super::function::lookup::LookupSpec;
pub use super::function::reading::{MarkupPart, MarkupSpec};
pub use super::function::regex::{Capture, CapturesSpec, RegexSpec, ReplaceSpec};
pub use super::function::text::{NormalForm, NormalizeSpec};
pub use super::function::time::{TimePart, TimeSpec};
pub use super::function::url::{UrlPart, UrlSpec};
use super::objection::Objection;
pub use super::scan::spec::{Check, RuleSpec, ScanSpec, View};
use crate::contract::Pointer;

/// One derived member, by one function: `tribunal schema pack` and the README of `derive` list them all.
///
/// Where a function of a text finds a list of texts, the member is the list of its results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(extend("x-alternative" = "function"))]
pub enum DeriveSpec {
    /// Whether a text matches a regular expression; with `capture`, the part it captured.
    Regex(RegexSpec),
    /// What the named groups of a regular expression captured: a record of those that took part, absent without a match.
    Captures(CapturesSpec),
    /// A text with every match of a regular expression replaced.
    Replace(ReplaceSpec),
    /// A text in lower case: one character for one, as `lower` of OPA.
    Lower(SourceSpec),
    /// A text with its case folded, for comparing (Unicode's full case folding, no locale).
    FoldCase(SourceSpec),
    /// A text in a normal form of Unicode.
    Normalize(NormalizeSpec),
    /// What a text looks like (UTS 39): texts that can be confused have the same skeleton.
    Skeleton(SourceSpec),
    /// A text without the characters that nobody sees: zero-width, bidi controls, tags, soft hyphens, controls.
    StripInvisible(SourceSpec),
    /// A text folded for reading: lower case, no accents, no look-alikes of other scripts, no invisible characters, character
    /// references decoded, one space between words.
    Plain(SourceSpec),
    /// A part of HTML or Markdown: what a reader sees, the list of what a reader does not see, of links, of images.
    Markup(MarkupSpec),
    /// What should not stand in a text, and the text without it: the record `{found, count, text}`.
    Scan(ScanSpec),
    /// A text out of its encoding.
    Decode(DecodeSpec),
    /// Characters of a text, elements of a list, members of an object.
    Length(SourceSpec),
    /// How many different elements a list has.
    Distinct(SourceSpec),
    /// The sum of a list's integers.
    Sum(SumSpec),
    /// A URL (WHATWG): a part of it, or a record `{scheme, host, host_kind, scope?, port?, path, query?, fragment?,
    /// credentials}` with `host_kind` `domain`, `ipv4`, `ipv6` or `none`, and `scope` as of `ip`.
    Url(UrlSpec),
    /// A URL's canonical beginnings, `https://host:443/`, `https://host:443/path`, … of up to sixteen segments, to be looked
    /// up in a set of what is allowed.
    UrlPrefixes(SourceSpec),
    /// An IP address in any notation: a part, or the record `{version, address, scope}`; absent for any other text.
    Ip(IpSpec),
    /// Whether an IP address lies in one of a list of ranges; absent for a text that is no address.
    InRanges(InRangesSpec),
    /// The entry of a table in the pack's data that a name leads to; absent where there is none.
    Lookup(LookupSpec),
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

    /// The texts that stand there as a list, each with its place.
    pub(super) fn texts<'d>(&self, data: &'d Value) -> Result<Vec<(Pointer, &'d str)>, Vec<Objection>> {
        let Value::Array(items) = self.get(data)? else {
            return Err(Objection::in_data(self.data.clone(), "a list of texts is wanted here").into());
        };
        let (mut texts, mut objections) = (Vec::new(), Vec::new());
        for (index, item) in items.iter().enumerate() {
            let place = self.data.child(index.to_string());
            match item {
                Value::String(text) => texts.push((place, text.as_str())),
                _ => objections.push(Objection::in_data(place, "a text is wanted here")),
            }
        }
        if objections.is_empty() { Ok(texts) } else { Err(objections) }
    }
}

impl DeriveSpec {
    /// The function's name, as a manifest writes it.
    pub fn function(&self) -> &'static str {
        match self {
            Self::Regex(_) => "regex",
            Self::Captures(_) => "captures",
            Self::Replace(_) => "replace",
            Self::Lower(_) => "lower",
            Self::FoldCase(_) => "fold_case",
            Self::Normalize(_) => "normalize",
            Self::Skeleton(_) => "skeleton",
            Self::StripInvisible(_) => "strip_invisible",
            Self::Plain(_) => "plain",
            Self::Markup(_) => "markup",
            Self::Scan(_) => "scan",
            Self::Decode(_) => "decode",
            Self::Length(_) => "length",
            Self::Distinct(_) => "distinct",
            Self::Sum(_) => "sum",
            Self::Url(_) => "url",
            Self::UrlPrefixes(_) => "url_prefixes",
            Self::Ip(_) => "ip",
            Self::InRanges(_) => "in_ranges",
            Self::Lookup(_) => "lookup",
            Self::Time(_) => "time",
        }
    }

    /// What it reads of the request; `None` for the clock.
    pub fn source(&self) -> Option<&Pointer> {
        match self {
            Self::Lower(spec)
            | Self::FoldCase(spec)
            | Self::Skeleton(spec)
            | Self::StripInvisible(spec)
            | Self::Plain(spec)
            | Self::Length(spec)
            | Self::Distinct(spec)
            | Self::UrlPrefixes(spec) => Some(&spec.source),
            Self::Regex(spec) => Some(&spec.source),
            Self::Captures(spec) => Some(&spec.source),
            Self::Replace(spec) => Some(&spec.source),
            Self::Normalize(spec) => Some(&spec.source),
            Self::Markup(spec) => Some(&spec.source),
            Self::Scan(spec) => Some(&spec.source),
            Self::Decode(spec) => Some(&spec.source),
            Self::Sum(spec) => Some(&spec.source),
            Self::Url(spec) => Some(&spec.source),
            Self::Ip(spec) => Some(&spec.source),
            Self::InRanges(spec) => Some(&spec.source),
            Self::Lookup(spec) => Some(&spec.source),
            Self::Time(spec) => spec.source.as_ref(),
        }
    }

    /// The regular expressions that it holds the request against.
    pub fn patterns(&self) -> Vec<&str> {
        match self {
            Self::Regex(spec) => vec![&spec.pattern],
            Self::Captures(spec) => vec![&spec.pattern],
            Self::Replace(spec) => vec![&spec.pattern],
            Self::Scan(spec) => spec.rules.values().filter_map(|rule| rule.pattern.as_deref()).collect(),
            _ => Vec::new(),
        }
    }

    /// What it reads of the pack's data in force.
    pub fn data(&self) -> Option<&Pointer> {
        match self {
            Self::InRanges(InRangesSpec { ranges: RangesSpec::FromData(from), .. }) => Some(&from.data),
            Self::Lookup(spec) => Some(&spec.table.data),
            Self::Scan(spec) => spec.enabled.as_ref().map(|from| &from.data),
            _ => None,
        }
    }
}
