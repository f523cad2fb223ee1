//! One question to one engine: what must be done before it is asked, and what its answer is held to.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use jiff::Timestamp;
use serde_json::Value;

use super::redaction;
use crate::contract::Token;
use crate::derive::DerivePlan;
use crate::engine::{Engine, Prepared, Verdict};
use crate::fault::{Fault, FaultKind, LimitKind, TokenFault};
use crate::pack::{PackSource, TokenMode};

/// The most patches one decision may have: each is compared with every other, and no deadline covers that.
const MAX_PATCHES: usize = 1_000;

/// What an engine said, and how long it took.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) verdict: Result<Verdict, Fault>,
    pub(super) duration_ns: u64,
}

impl Answer {
    /// The answer of an engine that was not asked.
    pub(super) fn fault(fault: Fault) -> Self {
        Self { verdict: Err(fault), duration_ns: 0 }
    }
}

/// Schema first, then derived members: a wrong type or a missing member is the same fault on every engine.
pub(super) fn prepare<'p>(
    source: &PackSource,
    derive: &DerivePlan,
    payload: &'p Value,
    now: Timestamp,
) -> Result<Cow<'p, Value>, Fault> {
    if let Some(violation) = source.input_schema.as_ref().and_then(|schema| schema.violation(payload)) {
        return Err(Fault::new(FaultKind::Schema, violation));
    }
    derive.apply(payload, now)
}

/// The request as an engine sees it. A pack that does not look at tokens never sees one.
pub(super) fn view<'p>(
    source: &'p PackSource,
    prepared: &'p Value,
    now: Timestamp,
    token: Option<&'p Token>,
) -> Result<Prepared<'p>, Fault> {
    let token = match source.manifest.token {
        TokenMode::None => None,
        TokenMode::Optional => token,
        TokenMode::Required if token.is_none() => {
            return Err(Fault::new(FaultKind::Token(TokenFault::Missing), "the pack requires a token"));
        }
        TokenMode::Required => token,
    };
    Ok(Prepared::new(prepared, source.named(), now, token))
}

/// Asks an engine, and holds its answer to the contract.
pub(super) fn ask(engine: &dyn Engine, source: &PackSource, payload: &Value, view: &Prepared<'_>) -> Answer {
    let started = Instant::now();
    let verdict = catch_unwind(AssertUnwindSafe(|| engine.decide(view)))
        .unwrap_or_else(|_| Err(Fault::new(FaultKind::Panic, "the engine panicked")));
    let verdict = verdict.and_then(|verdict| hold(verdict, source, payload));
    Answer { verdict, duration_ns: nanoseconds(started) }
}

fn hold(verdict: Verdict, source: &PackSource, payload: &Value) -> Result<Verdict, Fault> {
    let Verdict { decision, rules, rules_evaluated } = verdict;
    let decision = decision.well_formed()?;
    if decision.patches.len() > MAX_PATCHES {
        let detail = format!("{} patches, more than {MAX_PATCHES}", decision.patches.len());
        return Err(Fault::new(FaultKind::Limit(LimitKind::Output), detail));
    }
    redaction::check(&decision.patches, payload, &source.manifest.redactable)?;
    Ok(Verdict { decision, rules, rules_evaluated })
}

/// Time since an instant; an evaluation of more than 584 years is cut short.
pub(super) fn nanoseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
