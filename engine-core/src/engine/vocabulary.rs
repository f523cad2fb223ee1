//! What a policy's text mentions: where a search for a request on which two engines differ has to look.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::contract::Pointer;
use crate::location::Location;

/// What the text of a pack's policy on one engine mentions, rule by rule in the order of the text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vocabulary {
    /// The rules or policies.
    pub rules: Vec<RuleVocabulary>,
}

/// What one rule or policy mentions.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleVocabulary {
    /// The rule, as [`Verdict::rules`](super::Verdict) and [`RuleTrace`](super::RuleTrace) name it.
    pub rule: String,
    /// Where it stands; nowhere for what is not read from a text.
    pub location: Option<Location>,
    /// The members of the prepared request that the rule reads itself, `derived` ones included, those inside lists by the
    /// list. It is never wrong to leave out what the text does not plainly say.
    pub reads: BTreeSet<Pointer>,
    /// The values that the rule holds something of the request against. What it only answers (reasons, effects) is none.
    pub literals: Vec<Literal>,
}

/// A value in a policy's text.
#[derive(Debug, Clone, PartialEq)]
pub struct Literal {
    /// The value; a list or record written out is as many literals as it has elements.
    pub value: Value,
    /// What the text does with it.
    pub form: Form,
    /// What it is held against, where the text says so plainly.
    pub place: Option<Pointer>,
    /// Where it stands.
    pub location: Option<Location>,
}

/// What a policy does with a literal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// The whole value is compared with it, or looked up in a list that holds it.
    Whole,
    /// It is looked for among the elements of a list of the request.
    Element,
    /// A number is compared with it by order, or a sum or count is.
    Bound,
    /// A text begins with it.
    Prefix,
    /// A text ends with it.
    Suffix,
    /// A text contains it, or is split at it.
    Infix,
    /// A pattern of `glob.match`; `*` stops at the delimiters.
    Glob(Vec<char>),
    /// A pattern whose `*` stands for anything, `\*` for itself.
    Like,
    /// A regular expression.
    Regex,
    /// The name of a member of the request.
    Name,
    /// Nothing that the text says plainly.
    Other,
}
