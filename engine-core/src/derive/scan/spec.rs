//! What a manifest can declare under `scan:`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::Pointer;
use crate::derive::detector::Detector;
use crate::derive::detector::checksum;
use crate::derive::spec::FromData;

/// Looks for what should not stand in a text: which rules found something, how much, and the text without it.
///
/// The member is the record `{found, count, text}`: the names of the rules that found something, sorted; how many places were
/// replaced; and the text with each of them replaced. A scan of that text finds nothing: what is replaced is scanned again, and a
/// text in which something is still found after four rounds is a fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScanSpec {
    /// The text, or a list of texts.
    pub source: Pointer,
    /// The rules by name.
    pub rules: BTreeMap<String, RuleSpec>,
    /// What stands in the place of a finding; `{name}` is the rule's. Without it, `[filtered-{name}]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
    /// Where the pack's data lists the rules in force; without it, all are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<FromData>,
}

/// What to look for: a built-in detector; or a view of the text and a pattern, or all of a view.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// A built-in detector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detector: Option<Detector>,
    /// How to read the text; `text` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<View>,
    /// A regular expression over the view, of bounded length. The group `span`, where it takes part, is what is replaced. Without a
    /// pattern, everything of a view that gathers what is hidden is a finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// What a match must satisfy besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Check>,
    /// How many findings it takes for any to count; 1 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u32>,
    /// A text that the rule finds from its first character to its last; needed with a view or a pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
    /// What stands in the place of this rule's findings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
}

/// How a text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// As it is.
    Text,
    /// Without invisible characters, full-width forms and references to characters; case, accents and lines stay. What detectors read.
    Clean,
    /// Folded for reading: lower case, no accents, no look-alikes, one space between words.
    Plain,
    /// What a reader of the HTML or Markdown sees, folded: tags and marks inside words are gone.
    Visible,
    /// Each text that a reader does not see, folded: comments, hidden elements, alternative texts, titles.
    Hidden,
    /// Each URL of a link, and each that stands in the text.
    Links,
    /// Each URL of an image or of what else is fetched unasked.
    Images,
    /// Each run of characters that cannot be seen.
    Invisible,
    /// Each run of Base64, hex or percent-encoding that says something, decoded and folded.
    Decoded,
}

impl View {
    /// Whether it is made of pieces, each of which may be a finding as a whole.
    pub(super) fn is_gathered(self) -> bool {
        !matches!(self, Self::Text | Self::Clean | Self::Plain | Self::Visible)
    }
}

/// A check of digits (and letters); other characters of the match are passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// ISO/IEC 7812: payment cards and many account numbers.
    Luhn,
    /// ISO 13616.
    Iban,
    /// Verhoeff.
    Verhoeff,
    /// GS1: EAN-8, EAN-13, GTIN.
    Ean,
    /// ISO/IEC 7064 MOD 11,10.
    #[serde(rename = "iso7064_mod11_10")]
    Iso7064Mod11_10,
}

impl Check {
    pub(super) fn holds(self, text: &str) -> bool {
        match self {
            Self::Luhn => checksum::luhn(text),
            Self::Iban => checksum::iban(text),
            Self::Verhoeff => checksum::verhoeff(text),
            Self::Ean => checksum::ean(text),
            Self::Iso7064Mod11_10 => checksum::iso_7064_mod_11_10(text),
        }
    }
}
