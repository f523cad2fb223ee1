//! What answers have in common: enough to see whether two subjects decided the same.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tribunal::core::contract::parity;
use tribunal::core::fault::{FaultKind, fail_closed};
use tribunal::core::pack::ReasonParity;
use tribunal::{Decision, DecisionEffect, Fault, Outcome};

/// What a subject decided, as far as it can tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// A decision of the contract.
    Decision {
        /// The decision, closed.
        decision: Decision,
        /// The fault behind a denial.
        fault: Option<FaultKind>,
    },
    /// An effect: what an engine proposes before dispatch has applied it.
    Effect(DecisionEffect),
    /// Whether it would be allowed as it is: all that a bare crate says.
    Allows(bool),
    /// The request itself, read.
    Read(Value),
    /// No answer, and why. It agrees with nothing: not with a denial, and not with itself.
    Failed(String),
}

impl Answer {
    /// The answer that an outcome gives.
    pub fn of(outcome: &Outcome) -> Self {
        Answer::Decision { decision: outcome.decision.clone(), fault: fault_of(outcome) }
    }

    /// The answer that an engine gives before dispatch has applied it, or the denial that its fault becomes.
    pub fn proposed(effect: Result<DecisionEffect, &Fault>) -> Self {
        match effect {
            Ok(effect) => Answer::Effect(effect),
            Err(fault) => Answer::Decision { decision: fail_closed(fault), fault: Some(fault.kind) },
        }
    }

    /// The answer of what does not know the contract's faults: a decision, as far as its effect goes, or none.
    pub fn read(decision: Result<Decision, Fault>) -> Self {
        match decision {
            Ok(decision) => Answer::Effect(decision.effect),
            Err(fault) => Answer::Failed(fault.to_string()),
        }
    }

    /// The answer of what nobody has asked.
    pub fn unasked() -> Self {
        Answer::Failed("nobody has asked".to_owned())
    }

    /// Whether this is that answer again. What has failed twice has not answered.
    pub fn repeats(&self, first: &Answer) -> bool {
        !matches!(self, Answer::Failed(_)) && self == first
    }

    /// Where this answer is not the other; `None` if it is, as far as both can tell.
    ///
    /// Faults are compared by kind; reasons as the pack compares those of its engines. A fault is a denial to whoever knows
    /// only effects.
    pub fn differs(&self, other: &Answer, request: &Value, reasons: ReasonParity) -> Option<String> {
        if let (
            Answer::Decision { decision: mine, fault: my_fault },
            Answer::Decision { decision: theirs, fault: their_fault },
        ) = (self, other)
        {
            let (my_fault, their_fault) = (my_fault.map(bare), their_fault.map(bare));
            let mine = my_fault.as_ref().map_or(Ok(mine), Err);
            let theirs = their_fault.as_ref().map_or(Ok(theirs), Err);
            let found = parity::differences(request, mine, theirs, reasons);
            let names: Vec<&str> = found.iter().map(|difference| difference.as_str()).collect();
            return (!found.is_empty()).then(|| names.join(", "));
        }
        let same = match (self, other) {
            (Answer::Failed(_), _) | (_, Answer::Failed(_)) => return Some("no answer".to_owned()),
            (Answer::Read(value), _) | (_, Answer::Read(value)) => value == request,
            (Answer::Allows(allows), other) | (other, Answer::Allows(allows)) => *allows == other.allows(),
            _ => self.effect() == other.effect(),
        };
        (!same).then(|| "effect".to_owned())
    }

    fn effect(&self) -> Option<DecisionEffect> {
        match self {
            Answer::Decision { decision, .. } => Some(decision.effect),
            Answer::Effect(effect) => Some(*effect),
            Answer::Allows(_) | Answer::Read(_) | Answer::Failed(_) => None,
        }
    }

    fn allows(&self) -> bool {
        match self {
            Answer::Allows(allows) => *allows,
            other => other.effect() == Some(DecisionEffect::Allow),
        }
    }

    /// The answer on a line.
    pub fn brief(&self) -> String {
        match self {
            Answer::Decision { decision, fault: Some(kind) } => {
                format!("{} (fault `{kind}`)", decision.effect)
            }
            Answer::Decision { decision, fault: None } => match &decision.reason {
                Some(reason) => format!("{} ({reason:?})", decision.effect),
                None => decision.effect.to_string(),
            },
            Answer::Effect(effect) => effect.to_string(),
            Answer::Allows(true) => "allow".to_owned(),
            Answer::Allows(false) => "not an allow".to_owned(),
            Answer::Read(value) => value.to_string(),
            Answer::Failed(why) => format!("no answer: {why}"),
        }
    }
}

fn bare(kind: FaultKind) -> Fault {
    Fault::new(kind, "")
}

/// The kind of fault behind an outcome.
pub fn fault_of(outcome: &Outcome) -> Option<FaultKind> {
    let first = outcome.fault.as_ref().or_else(|| outcome.packs.iter().find_map(|pack| pack.fault.as_ref()));
    first.map(|fault| fault.kind)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decided(decision: Decision) -> Answer {
        Answer::Decision { decision, fault: None }
    }

    #[test]
    fn answers_are_compared_as_far_as_both_can_tell() {
        let request = json!({"a": 1});
        let allow = decided(Decision::allow());
        let deny = decided(Decision::deny("because"));
        let differs = |a: &Answer, b: &Answer| {
            let found = a.differs(b, &request, ReasonParity::Exact);
            assert_eq!(found, b.differs(a, &request, ReasonParity::Exact), "{a:?} {b:?}");
            found
        };
        assert_eq!(differs(&allow, &allow), None);
        assert_eq!(differs(&allow, &Answer::Allows(true)), None);
        assert_eq!(differs(&deny, &Answer::Allows(false)), None);
        assert_eq!(differs(&deny, &Answer::Effect(DecisionEffect::Deny)), None);
        assert_eq!(differs(&deny, &Answer::Allows(true)).as_deref(), Some("effect"));
        assert_eq!(differs(&allow, &Answer::Effect(DecisionEffect::Redact)).as_deref(), Some("effect"));
        assert_eq!(differs(&Answer::Allows(true), &Answer::Allows(false)).as_deref(), Some("effect"));
        assert_eq!(differs(&deny, &decided(Decision::deny("otherwise"))).as_deref(), Some("reason"));
        assert_eq!(
            deny.differs(&decided(Decision::deny("otherwise")), &request, ReasonParity::Ignored),
            None
        );
        // Another fault is another answer, though both deny.
        let fault = |kind: FaultKind| Answer::Decision { decision: Decision::deny("x"), fault: Some(kind) };
        assert_eq!(differs(&fault(FaultKind::Schema), &fault(FaultKind::Derive)).as_deref(), Some("fault"));
        assert!(differs(&fault(FaultKind::Schema), &deny).is_some());
        assert_eq!(differs(&Answer::Read(request.clone()), &allow), None);
        assert!(differs(&Answer::Read(json!({})), &allow).is_some());
    }

    #[test]
    fn what_failed_agrees_with_nothing() {
        let request = json!({"a": 1});
        let fault = Fault::new(FaultKind::Trap, "unreachable");
        let failed = Answer::read(Err(fault.clone()));
        assert_eq!(failed.brief(), "no answer: trap: unreachable");
        for other in [
            decided(Decision::deny("because")),
            decided(Decision::allow()),
            Answer::proposed(Err(&fault)),
            Answer::Effect(DecisionEffect::Deny),
            Answer::Allows(false),
            Answer::Read(request.clone()),
            failed.clone(),
        ] {
            for (one, another) in [(&failed, &other), (&other, &failed)] {
                let found = one.differs(another, &request, ReasonParity::Ignored);
                assert_eq!(found.as_deref(), Some("no answer"), "{one:?} {another:?}");
            }
            assert!(!failed.repeats(&other) && !other.repeats(&failed), "{other:?}");
        }
        assert!(Answer::Allows(false).repeats(&Answer::Allows(false)));
    }

    #[test]
    fn an_engines_fault_is_no_denial_for_a_reason() {
        let request = json!({});
        let fuel = Fault::new(FaultKind::Limit(tribunal::core::fault::LimitKind::Fuel), "spent");
        let proposed = Answer::proposed(Err(&fuel));
        let whole = |kind: FaultKind| Answer::Decision {
            decision: fail_closed(&Fault::new(kind, "")),
            fault: Some(kind),
        };
        assert_eq!(proposed.differs(&whole(fuel.kind), &request, ReasonParity::Exact), None);
        for other in [whole(FaultKind::Trap), decided(Decision::deny("because"))] {
            assert!(proposed.differs(&other, &request, ReasonParity::Exact).is_some(), "{other:?}");
        }
    }
}
