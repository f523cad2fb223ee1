//! Where an answer is not what was expected.

use std::fmt;

use serde_json::Value;
use tribunal::core::contract::parity::Difference;
use tribunal::core::contract::{ApplyError, Decision, DecisionEffect, Patch};
use tribunal::core::pack::ReasonParity;

use crate::case::Expectation;
use crate::runner::Answer;

/// One respect in which an answer is not what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Which respect.
    pub what: Difference,
    /// What was expected, in one line.
    pub expected: String,
    /// What was answered, in one line.
    pub actual: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mismatch { what, expected, actual } = self;
        write!(f, "{}\n  expected: {expected}\n  actual:   {actual}", what.as_str())
    }
}

/// Every respect in which an answer is not what was expected; empty if it is.
///
/// Effect, fault and step-up demand are compared exactly, reasons as the pack compares those of its engines, and
/// redactions by the requests they make.
pub fn mismatches(
    request: &Value,
    expected: &Expectation,
    answer: &Answer,
    reasons: ReasonParity,
) -> Vec<Mismatch> {
    let Answer { decision, fault, .. } = answer;
    let mut found = Vec::new();
    let mut compare = |what: Difference, same: bool, expected: String, actual: String| {
        if !same {
            found.push(Mismatch { what, expected, actual });
        }
    };
    let actual_fault = fault.as_ref().map_or_else(none, ToString::to_string);
    compare(
        Difference::Effect,
        expected.effect == decision.effect,
        expected.effect.to_string(),
        // The fault tells why sooner than the effect does.
        if fault.is_some() {
            format!("{} ({actual_fault})", decision.effect)
        } else {
            decision.effect.to_string()
        },
    );
    compare(
        Difference::Fault,
        expected.fault == fault.as_ref().map(|fault| fault.kind),
        expected.fault.map_or_else(none, |kind| kind.to_string()),
        actual_fault,
    );
    let expected_reason = expected.reason();
    compare(
        Difference::Reason,
        same_reason(expected_reason.as_deref(), decision.reason.as_deref(), reasons),
        expected_reason.map_or_else(none, |reason| format!("{reason:?}")),
        decision.reason.as_ref().map_or_else(none, |reason| format!("{reason:?}")),
    );
    compare(
        Difference::StepUp,
        expected.step_up == decision.step_up,
        json(&expected.step_up),
        json(&decision.step_up),
    );
    if let Some((wanted, got)) = redactions(request, expected, decision) {
        compare(Difference::Redaction, wanted.is_ok() && wanted == got, shown(wanted), shown(got));
    }
    found
}

/// A request with patches applied that need not belong to a `redact`: a denial keeps its own for the record.
///
/// # Errors
/// If a patch does not fit the request.
pub fn redacted(patches: &[Patch], request: &Value) -> Result<Value, ApplyError> {
    Decision { effect: DecisionEffect::Redact, reason: None, patches: patches.to_vec(), step_up: None }
        .apply(request)
}

type Redacted = Result<Value, ApplyError>;

/// The redacted requests on both sides, where the expectation says anything about them.
fn redactions(request: &Value, expected: &Expectation, decision: &Decision) -> Option<(Redacted, Redacted)> {
    let wanted = match (&expected.patches, expected.effect) {
        (Some(patches), _) => redacted(patches, request),
        (None, DecisionEffect::StepUp | DecisionEffect::Deny) => return None,
        (None, DecisionEffect::Allow | DecisionEffect::Redact) => Ok(request.clone()),
    };
    Some((wanted, redacted(&decision.patches, request)))
}

fn same_reason(expected: Option<&str>, actual: Option<&str>, reasons: ReasonParity) -> bool {
    fn set(reason: Option<&str>) -> std::collections::BTreeSet<&str> {
        reason.into_iter().flat_map(|reason| reason.split("; ")).collect()
    }
    match reasons {
        ReasonParity::Exact => expected == actual,
        ReasonParity::Set => set(expected) == set(actual),
        ReasonParity::Ignored => true,
    }
}

fn none() -> String {
    "none".to_owned()
}

fn shown(redacted: Redacted) -> String {
    redacted.map_or_else(|error| error.to_string(), |request| request.to_string())
}

fn json(value: &Option<impl serde::Serialize>) -> String {
    match value.as_ref().map(serde_json::to_string) {
        None => none(),
        Some(text) => text.unwrap_or_else(|error| error.to_string()),
    }
}
