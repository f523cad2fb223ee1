//! `biscuit-auth`'s errors as faults of the contract. None of them is ever an answer.

use biscuit_auth::error::{Format, Logic, RunLimit, Token};
use tribunal_engine_core::fault::{Fault, FaultKind, LimitKind, TokenFault};

/// A fault of the token.
pub(crate) fn token(kind: TokenFault, detail: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Token(kind), detail)
}

/// Why an evaluation came to nothing.
///
/// Which expression fails first depends on the order of a hash table, so all of them are one kind, and the detail does not
/// tell them apart either.
pub(crate) fn evaluation(error: &Token) -> Fault {
    match error {
        Token::RunLimit(RunLimit::TooManyFacts) => {
            Fault::new(FaultKind::Limit(LimitKind::Facts), "more facts than `limits.facts`")
        }
        Token::RunLimit(RunLimit::TooManyIterations) => {
            Fault::new(FaultKind::Limit(LimitKind::Iterations), "more rounds than `limits.iterations`")
        }
        Token::RunLimit(RunLimit::Timeout) => {
            Fault::new(FaultKind::Limit(LimitKind::Deadline), "longer than `limits.deadline`")
        }
        Token::Execution(_) => Fault::new(
            FaultKind::EvaluationError,
            "an expression met a value of another type, an overflow or a division by zero",
        ),
        Token::FailedLogic(Logic::InvalidBlockRule(..)) | Token::Format(_) => verification(error),
        other => Fault::new(FaultKind::EvaluationError, format!("{other:?}")),
    }
}

/// Why a token is not believed.
pub(crate) fn verification(error: &Token) -> Fault {
    // The variants quote key material and symbols at most, never the request; `Display` would drop the cause.
    let detail = format!("{error:?}");
    let kind = match error {
        Token::Format(format) => match format {
            Format::UnknownPublicKey => TokenFault::UnknownRootKey,
            Format::Version { .. } => TokenFault::UnsupportedVersion,
            Format::Signature(_)
            | Format::SealedSignature
            | Format::InvalidSignatureSize(_)
            | Format::SignatureDeserializationError(_)
            | Format::BlockSignatureDeserializationError(_) => TokenFault::BadSignature,
            _ => TokenFault::Malformed,
        },
        _ => TokenFault::Malformed,
    };
    token(kind, detail)
}
