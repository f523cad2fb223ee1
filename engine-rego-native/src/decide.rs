//! A loaded pack: decisions, explanations, the same policy over other data.

use std::sync::Arc;

use serde_json::Value as Json;
use tribunal_engine_core::contract::{Decision, Rules};
use tribunal_engine_core::engine::{Engine, Explanation, LoadErrors, Prepared, RuleTrace, Verdict};
use tribunal_engine_core::fault::{Fault, FaultKind};
use tribunal_engine_core::location::Location;

use crate::admission::{RulePlace, data};
use crate::pool::{self, Task};
use crate::worker::{Answer, Policy};

/// A pack loaded for native Rego.
#[derive(Debug)]
pub(crate) struct RegoNative {
    pub(crate) policy: Arc<Policy>,
    rules: Arc<[RulePlace]>,
}

impl RegoNative {
    pub(crate) fn new(policy: Policy, rules: Arc<[RulePlace]>) -> Self {
        Self { policy: Arc::new(policy), rules }
    }
}

impl Engine for RegoNative {
    fn decide(&self, request: &Prepared<'_>) -> Result<Verdict, Fault> {
        verdict(pool::with_worker(&self.policy, Task::Decide, |worker| worker.ask(&self.policy, request))?)
    }

    fn explain(&self, request: &Prepared<'_>) -> Result<Explanation, Fault> {
        let (answer, files) = pool::with_worker(&self.policy, Task::Trace, |worker| {
            worker.record_lines();
            Ok((worker.ask(&self.policy, request)?, worker.lines()?))
        })?;
        let verdict = verdict(answer)?;
        let trace = self
            .rules
            .iter()
            .filter_map(|rule| trace(rule, files.iter().find(|file| file.path == rule.place.file)?));
        Ok(Explanation { verdict, trace: trace.collect(), notes: Vec::new() })
    }

    fn with_data(&self, data: Arc<Json>) -> Result<Arc<dyn Engine>, LoadErrors> {
        LoadErrors::check(data::conflicts(&data, &self.rules))?;
        let Policy { sources, question, strict, deadline, output, .. } = &*self.policy;
        let policy = Policy {
            sources: sources.clone(),
            data,
            question: question.clone(),
            strict: *strict,
            deadline: *deadline,
            output: *output,
        };
        Ok(Arc::new(Self { policy: Arc::new(policy), rules: self.rules.clone() }))
    }
}

/// regorus cannot tell which rules determined a value.
pub(crate) fn verdict(answer: Answer) -> Result<Verdict, Fault> {
    let decision = match answer {
        Answer::Decision(Some(answer)) => Decision::from_wire(&answer)?,
        Answer::Decision(None) => {
            return Err(Fault::new(FaultKind::UndefinedDecision, "the rule that decides is undefined"));
        }
        Answer::AllowAndReason { allow, reason } => {
            Decision::from_allow_and_reason(allow.as_ref(), reason.as_ref())?
        }
    };
    Ok(Verdict { decision, rules: Rules::UNAVAILABLE, rules_evaluated: None })
}

/// What the recorded lines say about a rule, if any of its lines was evaluated.
fn trace(rule: &RulePlace, file: &regorus::coverage::File) -> Option<RuleTrace> {
    let lines = rule.first_line..=rule.last_line;
    file.covered.range(lines.clone()).next()?;
    let missed: Vec<String> = file.not_covered.range(lines).map(u32::to_string).collect();
    let note = match missed.as_slice() {
        [] => "ran".to_owned(),
        [line] => format!("ran; line {line} was not reached"),
        lines => format!("ran; lines {} were not reached", lines.join(", ")),
    };
    let Location { file, line, column } = rule.place.clone();
    Some(RuleTrace {
        rule: rule.path.join("."),
        location: Some(Location { file, line, column }),
        note,
        came_true: missed.is_empty().then_some(true),
    })
}
