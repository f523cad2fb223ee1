//! What an engine declares that it can do.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing an engine can or cannot do. Conformance chooses its suites by these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Regular expressions in the policy.
    Regex,
    /// Numbers that are not 64-bit integers.
    Floats,
    /// `null` as a value.
    Null,
    /// Lists that keep order and duplicates.
    OrderedLists,
    /// Iteration over lists and records (any, all).
    Iteration,
    /// Case folding and other functions on strings.
    StringFunctions,
    /// Members of the request that its schema does not name.
    OpenRequests,
    /// Entities with parents.
    Hierarchy,
    /// Signed tokens shown with a request.
    Tokens,
    /// Built-in errors are faults.
    StrictBuiltins,
    /// Tells which rules determined a decision.
    Rules,
    /// Tells, on request, which rules ran.
    Trace,
    /// Holds `limits.fuel`.
    Fuel,
    /// Holds `limits.deadline`.
    Deadline,
    /// Holds `limits.memory`.
    Memory,
    /// Holds `limits.output`.
    Output,
    /// Holds `limits.facts`.
    Facts,
    /// Holds `limits.iterations`.
    Iterations,
}

impl Capability {
    /// Every capability, in the order of the capability table.
    pub const ALL: [Capability; 18] = [
        Capability::Regex,
        Capability::Floats,
        Capability::Null,
        Capability::OrderedLists,
        Capability::Iteration,
        Capability::StringFunctions,
        Capability::OpenRequests,
        Capability::Hierarchy,
        Capability::Tokens,
        Capability::StrictBuiltins,
        Capability::Rules,
        Capability::Trace,
        Capability::Fuel,
        Capability::Deadline,
        Capability::Memory,
        Capability::Output,
        Capability::Facts,
        Capability::Iterations,
    ];

    /// The name in tables and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Capability::Regex => "regex",
            Capability::Floats => "floats",
            Capability::Null => "null",
            Capability::OrderedLists => "ordered_lists",
            Capability::Iteration => "iteration",
            Capability::StringFunctions => "string_functions",
            Capability::OpenRequests => "open_requests",
            Capability::Hierarchy => "hierarchy",
            Capability::Tokens => "tokens",
            Capability::StrictBuiltins => "strict_builtins",
            Capability::Rules => "rules",
            Capability::Trace => "trace",
            Capability::Fuel => "fuel",
            Capability::Deadline => "deadline",
            Capability::Memory => "memory",
            Capability::Output => "output",
            Capability::Facts => "facts",
            Capability::Iterations => "iterations",
        }
    }
}

/// The capabilities of one engine, and the bounds it holds where nobody sets others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Capabilities {
    /// What the engine can do.
    pub can: BTreeSet<Capability>,
    /// Bounds that hold where neither the pack nor the deployment sets one, and static bounds checked at load, each as
    /// a sentence for people.
    pub bounds: Vec<String>,
}

impl Capabilities {
    /// Whether the engine declares this.
    pub fn has(&self, capability: Capability) -> bool {
        self.can.contains(&capability)
    }
}
