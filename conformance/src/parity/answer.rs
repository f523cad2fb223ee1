//! Answers as reports record them.

use tribunal::core::contract::Rules;
use tribunal::core::engine::Explanation;

use super::report::{AnswerRecord, ExplainedAnswer, TraceLine};
use crate::search::{Answer, Question};

/// An answer as reports record it.
pub(super) fn record(answer: &Answer) -> AnswerRecord {
    let Answer { decision, fault, rules } = answer;
    AnswerRecord {
        effect: decision.effect,
        reason: decision.reason.clone(),
        patches: decision.patches.clone(),
        step_up: decision.step_up.clone(),
        fault: fault.as_ref().map(|fault| fault.kind),
        fault_detail: fault.as_ref().map(|fault| fault.detail.clone()),
        rules: match rules {
            Rules::Determined(names) => Some(names.clone()),
            Rules::Unavailable(_) => None,
        },
    }
}

/// An answer with the way to it.
pub(super) fn explained(
    question: &Question,
    answer: &Answer,
    explanation: Option<Explanation>,
) -> ExplainedAnswer {
    let (trace, notes) = explanation.map_or((Vec::new(), Vec::new()), |explanation| {
        let line = |rule: tribunal::core::engine::RuleTrace| TraceLine {
            rule: rule.rule,
            location: rule.location.map(|location| location.to_string()),
            note: rule.note,
        };
        (explanation.trace.into_iter().map(line).collect(), explanation.notes)
    });
    let redacted = (!answer.decision.patches.is_empty())
        .then(|| crate::comparison::redacted(&answer.decision.patches, &question.request).ok())
        .flatten();
    ExplainedAnswer { answer: record(answer), redacted, trace, notes }
}
