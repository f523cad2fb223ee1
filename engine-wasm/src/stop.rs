//! Why an evaluation stopped, and which fault of the contract that is.

use tribunal_engine_core::fault::{Fault, FaultKind, LimitKind};
use wasmtime::Trap;

/// What the host stops an evaluation for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    /// The module called `opa_abort`.
    #[error("the module aborted: {0}")]
    Abort(String),
    /// The module wants more memory than it may have.
    #[error("the instance may use {0} bytes of memory")]
    Memory(u64),
    /// The answer is longer than it may be.
    #[error("the answer is longer than {0} bytes")]
    Output(u64),
    /// The module breaks OPA's ABI.
    #[error("{0}")]
    Abi(String),
}

/// The ends of OPA's messages for rules that contradict each other (its planner's, before and after 1.0).
const CONFLICTS: [&str; 4] = [
    "var assignment conflict",
    "object insert conflict",
    "complete rules must not produce multiple outputs",
    "object keys must be unique",
];

/// The fault that an error of wasmtime stands for.
pub(crate) fn fault(error: &wasmtime::Error) -> Fault {
    let kind = match (error.downcast_ref::<Stop>(), error.downcast_ref::<Trap>()) {
        (Some(Stop::Abort(message)), _) if is_conflict(message) => FaultKind::Conflict,
        (Some(Stop::Abort(_)), _) => FaultKind::Trap,
        (Some(Stop::Memory(_)), _) => FaultKind::Limit(LimitKind::Memory),
        (Some(Stop::Output(_)), _) => FaultKind::Limit(LimitKind::Output),
        (Some(Stop::Abi(_)), _) => FaultKind::AbiViolation,
        (None, Some(Trap::OutOfFuel)) => FaultKind::Limit(LimitKind::Fuel),
        (None, Some(Trap::Interrupt)) => FaultKind::Limit(LimitKind::Deadline),
        (None, Some(Trap::StackOverflow)) => FaultKind::Limit(LimitKind::Stack),
        (None, _) => FaultKind::Trap,
    };
    Fault::new(kind, format!("{error:#}"))
}

fn is_conflict(message: &str) -> bool {
    CONFLICTS.iter().any(|conflict| message.ends_with(conflict))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stop_is_its_own_fault() {
        for (error, kind) in [
            (
                wasmtime::Error::new(Stop::Abort("policy.rego:3:1: var assignment conflict".into())),
                FaultKind::Conflict,
            ),
            (wasmtime::Error::new(Stop::Abort("object insert conflict".into())), FaultKind::Conflict),
            (wasmtime::Error::new(Stop::Abort("illegal utf-8".into())), FaultKind::Trap),
            (wasmtime::Error::new(Stop::Memory(1)), FaultKind::Limit(LimitKind::Memory)),
            (wasmtime::Error::new(Stop::Output(1)), FaultKind::Limit(LimitKind::Output)),
            (wasmtime::Error::new(Stop::Abi("x".into())), FaultKind::AbiViolation),
            (wasmtime::Error::new(Trap::OutOfFuel), FaultKind::Limit(LimitKind::Fuel)),
            (wasmtime::Error::new(Trap::Interrupt), FaultKind::Limit(LimitKind::Deadline)),
            (wasmtime::Error::new(Trap::StackOverflow), FaultKind::Limit(LimitKind::Stack)),
            (wasmtime::Error::new(Trap::MemoryOutOfBounds), FaultKind::Trap),
            (wasmtime::Error::msg("anything else"), FaultKind::Trap),
        ] {
            assert_eq!(fault(&error).kind, kind, "{error:?}");
        }
    }
}
