//! A pack with one small mistake in one engine's policy: what a comparison of engines has to notice.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::location::Location;

/// A pack's policy with one change that a person could have made by mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// What kind of mistake.
    pub mutation: Mutation,
    /// The rule that is changed, as the engine names it in its outcomes; `None` outside of any.
    pub rule: Option<String>,
    /// Where the change is made, in the pack's own file.
    pub location: Location,
    /// What stood there, shortened to one line.
    pub before: String,
    /// What stands there now, shortened to one line; empty where something was left out.
    pub after: String,
    /// The pack's files that are different: their new bytes by their path inside the pack.
    pub files: BTreeMap<String, Arc<[u8]>>,
}

/// A kind of mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mutation {
    /// An effect is another one: `permit` for `forbid`, `allow` for `deny`.
    FlipEffect,
    /// One condition of several is left out, or taken for true.
    DropCondition,
    /// A number is one more or one less.
    OffByOne,
    /// An operator is its neighbour: `>=` for `>`, `||` for `&&`, `startswith` for `endswith`.
    SwapOperator,
    /// A pattern of `like`, `glob.match` or a regular expression is wider or narrower.
    ChangePattern,
    /// A text that the request is held against is another one.
    ChangeLiteral,
    /// A list, set or record written out lacks a member.
    RemoveMember,
    /// Statements whose order decides have changed places.
    Reorder,
    /// A negation is left out.
    DropNot,
    /// A statement that refuses is added. A law and no mistake: it must never lead to a milder decision.
    AddDeny,
}

impl Mutation {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Mutation::FlipEffect => "flip_effect",
            Mutation::DropCondition => "drop_condition",
            Mutation::OffByOne => "off_by_one",
            Mutation::SwapOperator => "swap_operator",
            Mutation::ChangePattern => "change_pattern",
            Mutation::ChangeLiteral => "change_literal",
            Mutation::RemoveMember => "remove_member",
            Mutation::Reorder => "reorder",
            Mutation::DropNot => "drop_not",
            Mutation::AddDeny => "add_deny",
        }
    }
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mutant { mutation, location, before, after, .. } = self;
        write!(f, "{location} {}: `{before}` → `{after}`", mutation.as_str())
    }
}
