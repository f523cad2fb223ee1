//! Reading a text as a person, a browser or a model would: views of it, each with a way back to the text itself.
//!
//! - [`mapped`]: a text made from another, and which bytes of that it came from
//! - [`fold`]: the views `plain` and `clean`
//! - [`invisible`], [`encoded`], [`markup`]: what is in a text and not seen

pub(super) mod encoded;
pub(super) mod fold;
pub(super) mod invisible;
pub(super) mod mapped;
pub(super) mod markup;

use std::ops::Range;

/// A piece of reading that stands for a whole construct of the source: a match anywhere in it is a finding there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    /// The bytes of the source.
    pub(super) span: Range<usize>,
    /// What it says.
    pub(super) text: String,
}

/// The part of a text, or nothing where a range does not lie on characters.
pub(super) fn part(text: &str, range: Range<usize>) -> &str {
    text.get(range).unwrap_or("")
}
