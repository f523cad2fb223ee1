//! Exit codes. They are API: scripts and enforcement points branch on them.

use std::process::ExitCode;

use tribunal::{DecisionEffect, FaultKind, Outcome};

/// How a command ended. Of several ends the later one in this list is the one that is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// 0: allow, or success.
    Success,
    /// 4: go ahead once every patch is applied.
    Redact,
    /// 3: refuse until stronger authorisation is shown.
    StepUp,
    /// 2: refuse.
    Deny,
    /// 5: a comparison, a test or a gate failed.
    Failed,
    /// 1: this tool failed. A decision that could not be recorded is one such failure.
    Tool,
    /// 65: a request, a deployment or a pack cannot be read. What was asked is denied all the same.
    Input,
    /// 64: the command line is wrong.
    Usage,
}

impl Exit {
    /// The number the caller sees.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::Tool => 1,
            Exit::Deny => 2,
            Exit::StepUp => 3,
            Exit::Redact => 4,
            Exit::Failed => 5,
            Exit::Usage => 64,
            Exit::Input => 65,
        }
    }

    /// The end that an outcome calls for. A request that could not be read, or not be asked about at all, is bad input.
    pub(crate) fn of(outcome: &Outcome) -> Self {
        match outcome.fault.as_ref().map(|fault| fault.kind) {
            Some(FaultKind::RequestBounds | FaultKind::NotLoaded) => Exit::Input,
            Some(FaultKind::RecordUnwritten) => Exit::Tool,
            _ => outcome.decision.effect.into(),
        }
    }
}

impl From<DecisionEffect> for Exit {
    fn from(effect: DecisionEffect) -> Self {
        match effect {
            DecisionEffect::Allow => Exit::Success,
            DecisionEffect::Redact => Exit::Redact,
            DecisionEffect::StepUp => Exit::StepUp,
            DecisionEffect::Deny => Exit::Deny,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_contract() {
        let codes = [
            Exit::Success,
            Exit::Tool,
            Exit::Deny,
            Exit::StepUp,
            Exit::Redact,
            Exit::Failed,
            Exit::Usage,
            Exit::Input,
        ];
        assert_eq!(codes.map(Exit::code), [0, 1, 2, 3, 4, 5, 64, 65]);
    }

    #[test]
    fn effects_keep_their_severity() {
        let exits = DecisionEffect::ALL.map(Exit::from);
        assert!(exits.is_sorted());
        assert_eq!(exits.map(Exit::code), [0, 4, 3, 2]);
        assert!(Exit::Deny < Exit::Failed && Exit::Failed < Exit::Tool && Exit::Tool < Exit::Input);
    }
}
