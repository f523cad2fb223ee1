//! When two decisions on one request are the same, as the pack's `parity:` says.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::decision::{Decision, DecisionEffect};
use crate::fault::{Fault, fail_closed};
use crate::pack::ReasonParity;

/// A respect in which two answers differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// The effects differ.
    Effect,
    /// The redacted requests differ; the patches themselves may be written differently.
    Redaction,
    /// The demands of a step-up differ.
    StepUp,
    /// The reasons differ, as the pack compares them.
    Reason,
    /// One side failed, or both in different ways.
    Fault,
}

impl Difference {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Difference::Effect => "effect",
            Difference::Redaction => "redaction",
            Difference::StepUp => "step_up",
            Difference::Reason => "reason",
            Difference::Fault => "fault",
        }
    }
}

/// Where two answers to one request differ; empty if they agree. Faults are compared by kind.
pub fn differences(
    request: &Value,
    a: Result<&Decision, &Fault>,
    b: Result<&Decision, &Fault>,
    reasons: ReasonParity,
) -> Vec<Difference> {
    let mut found = Vec::new();
    if a.err().map(|fault| fault.kind) != b.err().map(|fault| fault.kind) {
        found.push(Difference::Fault);
    }
    let closed = |side: Result<&Decision, &Fault>| side.map_or_else(fail_closed, Decision::clone);
    let (a, b) = (closed(a), closed(b));
    if a.effect != b.effect {
        found.push(Difference::Effect);
    } else if a.effect == DecisionEffect::Redact
        && a.patches != b.patches
        && a.apply(request) != b.apply(request)
    {
        found.push(Difference::Redaction);
    }
    if a.step_up != b.step_up {
        found.push(Difference::StepUp);
    }
    if !found.contains(&Difference::Fault) && !same_reason(&a, &b, reasons) {
        found.push(Difference::Reason);
    }
    found
}

fn same_reason(a: &Decision, b: &Decision, reasons: ReasonParity) -> bool {
    let set = |decision: &Decision| -> BTreeSet<String> {
        decision.reason.iter().flat_map(|reason| reason.split("; ").map(str::to_owned)).collect()
    };
    match reasons {
        ReasonParity::Exact => a.reason == b.reason,
        ReasonParity::Set => set(a) == set(b),
        ReasonParity::Ignored => true,
    }
}
