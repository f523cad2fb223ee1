//! The rounds of one request. A redaction is a fixpoint: what goes ahead is a document that every claimed pack has seen
//! and allowed, so nobody approves what was never shown to them.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;
use serde_json::Value;

use super::ask::Answer;
use super::loaded::LoadedPack;
use super::redaction;
use crate::contract::decision::join_reasons;
use crate::contract::{
    Decision, DecisionEffect, Outcome, PackOutcome, Patch, Rules, ShadowOutcome, Token, parity, patch,
};
use crate::engine::Verdict;
use crate::fault::{Fault, FaultKind, fail_closed};

/// How often packs are asked about one request before it is given up as one that cannot be redacted.
pub const MAX_ROUNDS: u32 = 4;

/// A pack that claims the request.
pub(super) struct Claimed<'s> {
    pub(super) pack: &'s LoadedPack,
    pub(super) stale: bool,
    /// Why the pack cannot be asked, if it cannot.
    pub(super) out_of_service: Option<Fault>,
}

impl Claimed<'_> {
    /// Tells one loaded pack from another.
    pub(super) fn address(&self) -> *const LoadedPack {
        self.pack
    }
}

/// What one pack has said so far.
struct Tally<'s> {
    claimed: &'s Claimed<'s>,
    /// The answer of the round under way: its effect, and the changes it wants.
    latest: Result<(DecisionEffect, Vec<Patch>), Fault>,
    /// The most severe decision of all rounds, with its rules.
    decision: Option<Verdict>,
    fault: Option<Fault>,
    duration_ns: u64,
    shadows: Vec<ShadowOutcome>,
}

/// Asks every claimed pack until all allow, one refuses, or the rounds are used up.
///
/// `claimed_alike` tells whether a redacted request is still claimed by the same packs: a redaction must not carry a
/// request past a guard that was never asked.
pub(super) fn run(
    claimed: &[Claimed<'_>],
    payload: &Value,
    now: Timestamp,
    token: Option<&Token>,
    claimed_alike: impl Fn(&Value) -> bool,
) -> Outcome {
    let mut tallies: Vec<Tally<'_>> = claimed.iter().map(Tally::new).collect();
    let mut current = Cow::Borrowed(payload);
    let mut rounds = 0;
    loop {
        rounds += 1;
        for tally in &mut tallies {
            tally.ask(&current, now, token, rounds == 1);
        }
        let severest = tallies.iter().map(Tally::latest_effect).max();
        if severest != Some(DecisionEffect::Redact) {
            break;
        }
        if rounds == MAX_ROUNDS {
            for tally in tallies.iter_mut().filter(|tally| tally.latest_effect() == DecisionEffect::Redact) {
                tally.refuse(Fault::new(
                    FaultKind::RedactionIncomplete,
                    format!("still not clean after {MAX_ROUNDS} rounds"),
                ));
            }
            break;
        }
        let next = redacted(&tallies, &current).and_then(|next| {
            let moved =
                || Fault::new(FaultKind::Unclassified, "the redaction changes which packs claim the request");
            if claimed_alike(&next) { Ok(next) } else { Err(moved()) }
        });
        match next {
            Ok(next) => current = Cow::Owned(next),
            Err(fault) => {
                for tally in
                    tallies.iter_mut().filter(|tally| tally.latest_effect() == DecisionEffect::Redact)
                {
                    tally.refuse(fault.clone());
                }
                break;
            }
        }
    }
    finish(tallies, payload, &current, rounds, now)
}

/// The request after what the packs wanted changed in this round.
fn redacted(tallies: &[Tally<'_>], current: &Value) -> Result<Value, Fault> {
    redaction::apply_round(tallies.iter().map(Tally::wanted), current)
}

fn finish(tallies: Vec<Tally<'_>>, original: &Value, last: &Value, rounds: u32, now: Timestamp) -> Outcome {
    // A denial or a step-up keeps, for the record, what would have been changed.
    let untouched = rounds == 1 && tallies.iter().all(|tally| tally.wanted().is_empty());
    let shown = if untouched {
        Vec::new()
    } else {
        match redacted(&tallies, last) {
            Ok(after) => patch::difference(original, &after),
            Err(_) => patch::difference(original, last),
        }
    };
    let packs: Vec<PackOutcome> = tallies.into_iter().map(|tally| tally.outcome(rounds)).collect();
    let mut decision = Decision::merge(packs.iter().map(|pack| pack.decision.clone()));
    decision.patches = if decision.effect == DecisionEffect::Allow { Vec::new() } else { shown };
    if decision.effect == DecisionEffect::Redact && decision.patches.is_empty() {
        // Every pack allows a request that nothing was changed in.
        decision.effect = DecisionEffect::Allow;
    }
    Outcome { decision, fault: None, packs, rounds, now, duration_ns: 0 }
}

impl<'s> Tally<'s> {
    fn new(claimed: &'s Claimed<'s>) -> Self {
        Self {
            claimed,
            latest: Err(Fault::new(FaultKind::UndefinedDecision, "not asked yet")),
            decision: None,
            fault: None,
            duration_ns: 0,
            shadows: Vec::new(),
        }
    }

    fn ask(&mut self, payload: &Value, now: Timestamp, token: Option<&Token>, first: bool) {
        // Whatever panics on the way to an answer, the answer is a fault.
        let answer = catch_unwind(AssertUnwindSafe(|| self.answer(payload, now, token, first)))
            .unwrap_or_else(|_| {
                Answer::fault(Fault::new(FaultKind::Panic, "the host panicked over this request"))
            });
        self.duration_ns = self.duration_ns.saturating_add(answer.duration_ns);
        match answer.verdict {
            Ok(verdict) => {
                self.latest = Ok((verdict.decision.effect, verdict.decision.patches.clone()));
                self.decision = Some(severest(self.decision.take(), verdict));
            }
            Err(fault) => self.refuse(fault),
        }
    }

    fn answer(&mut self, payload: &Value, now: Timestamp, token: Option<&Token>, first: bool) -> Answer {
        if let Some(fault) = &self.claimed.out_of_service {
            return Answer::fault(fault.clone());
        }
        let pack = self.claimed.pack;
        let prepared = match pack.prepare(payload, now) {
            Ok(prepared) => prepared,
            Err(fault) => return Answer::fault(fault),
        };
        let view = match pack.view(&prepared, now, token) {
            Ok(view) => view,
            Err(fault) => return Answer::fault(fault),
        };
        let answer = pack.answer(payload, &view);
        if first {
            let shadows = pack.shadow_answers(payload, &view);
            self.shadows
                .extend(shadows.map(|(engine, shadow)| shadowed(engine, shadow, &answer, payload, pack)));
        }
        answer
    }

    fn refuse(&mut self, fault: Fault) {
        self.fault = Some(fault.clone());
        self.latest = Err(fault);
    }

    fn latest_effect(&self) -> DecisionEffect {
        self.latest.as_ref().map_or(DecisionEffect::Deny, |(effect, _)| *effect)
    }

    /// The changes this pack wants in the round under way.
    fn wanted(&self) -> &[Patch] {
        self.latest.as_ref().map_or(&[], |(_, patches)| patches.as_slice())
    }

    fn outcome(self, rounds: u32) -> PackOutcome {
        let (decision, rules, rules_evaluated) = match (&self.fault, self.decision) {
            (None, Some(verdict)) => (verdict.decision, verdict.rules, verdict.rules_evaluated),
            (Some(fault), _) => (fail_closed(fault), Rules::determined([]), None),
            // Every pack is asked in the first round, so this cannot be reached; if it were, it denies.
            (None, None) => (
                fail_closed(&Fault::new(FaultKind::UndefinedDecision, "never asked")),
                Rules::determined([]),
                None,
            ),
        };
        PackOutcome {
            identity: self.claimed.pack.identity().clone(),
            stale: self.claimed.stale,
            decision,
            fault: self.fault,
            rules,
            rules_evaluated,
            rounds,
            duration_ns: self.duration_ns,
            shadows: self.shadows,
        }
    }
}

/// A pack's decision over all rounds: the most severe, with everything it redacted and why. Of two that allow the later
/// stands: it has seen the document that goes ahead.
fn severest(before: Option<Verdict>, latest: Verdict) -> Verdict {
    let Some(before) = before else { return latest };
    match (before.decision.effect, latest.decision.effect) {
        (DecisionEffect::Redact, DecisionEffect::Redact) => {
            let names = [&before.rules, &latest.rules].into_iter().map(|rules| match rules {
                Rules::Determined(names) => Some(names.clone()),
                Rules::Unavailable(_) => None,
            });
            let rules = names
                .collect::<Option<Vec<_>>>()
                .map_or(Rules::UNAVAILABLE, |names| Rules::determined(names.concat()));
            let reason =
                join_reasons(before.decision.reason.into_iter().chain(latest.decision.reason.clone()));
            let mut patches = before.decision.patches;
            patches.extend(latest.decision.patches);
            let decision = Decision { reason, patches, ..latest.decision };
            Verdict { decision, rules, rules_evaluated: latest.rules_evaluated }
        }
        (before_effect, latest_effect) if before_effect > latest_effect => before,
        _ => latest,
    }
}

fn shadowed(
    engine: &'static str,
    shadow: Answer,
    deciding: &Answer,
    payload: &Value,
    pack: &LoadedPack,
) -> ShadowOutcome {
    let differences = parity::differences(
        payload,
        deciding.verdict.as_ref().map(|verdict| &verdict.decision),
        shadow.verdict.as_ref().map(|verdict| &verdict.decision),
        pack.source().manifest.parity.reasons,
    );
    let (decision, fault) = match shadow.verdict {
        Ok(verdict) => (verdict.decision, None),
        Err(fault) => (fail_closed(&fault), Some(fault)),
    };
    ShadowOutcome { engine: engine.to_owned(), decision, fault, differences, duration_ns: shadow.duration_ns }
}
