//! Everything that can go wrong on a decision path, and the one function that turns it into a decision.
//!
//! A fault is not a fifth effect. Whoever meets one hands it up as an `Err`; [`fail_closed`] is the only
//! place where it becomes a [`Decision`], and that decision is always `deny`.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use crate::contract::Decision;

/// Why no engine's answer could be used. The text after `engine_error:` in a denial's reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each name is the kind it prints; the contract's fault table describes them")]
pub enum FaultKind {
    UndefinedDecision,
    MalformedDecision,
    MalformedPatch,
    RedactionIncomplete,
    Conflict,
    BuiltinError,
    Trap,
    AbiViolation,
    Limit(LimitKind),
    EvaluationError,
    EntityConflict,
    RequestBounds,
    Schema,
    Unclassified,
    Unrepresentable,
    Derive,
    Token(TokenFault),
    NotLoaded,
    Stale,
    Panic,
    RecordUnwritten,
}

/// Which limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each name is the limit it prints; `Limits` describes them")]
pub enum LimitKind {
    Fuel,
    Deadline,
    Memory,
    Stack,
    Output,
    Facts,
    Iterations,
}

/// What was wrong with the token of a request. A failed *check* inside a valid token is a plain denial, not one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each name is the kind it prints")]
pub enum TokenFault {
    Missing,
    Malformed,
    BadSignature,
    UnknownRootKey,
    Revoked,
    UnsupportedVersion,
    TooLarge,
}

impl FaultKind {
    /// Every kind there is, for tables and schemas.
    pub const ALL: [FaultKind; 33] = {
        use FaultKind::*;
        [
            UndefinedDecision,
            MalformedDecision,
            MalformedPatch,
            RedactionIncomplete,
            Conflict,
            BuiltinError,
            Trap,
            AbiViolation,
            Limit(LimitKind::Fuel),
            Limit(LimitKind::Deadline),
            Limit(LimitKind::Memory),
            Limit(LimitKind::Stack),
            Limit(LimitKind::Output),
            Limit(LimitKind::Facts),
            Limit(LimitKind::Iterations),
            EvaluationError,
            EntityConflict,
            RequestBounds,
            Schema,
            Unclassified,
            Unrepresentable,
            Derive,
            Token(TokenFault::Missing),
            Token(TokenFault::Malformed),
            Token(TokenFault::BadSignature),
            Token(TokenFault::UnknownRootKey),
            Token(TokenFault::Revoked),
            Token(TokenFault::UnsupportedVersion),
            Token(TokenFault::TooLarge),
            NotLoaded,
            Stale,
            Panic,
            RecordUnwritten,
        ]
    };

    /// The name that stands in reasons, records and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            FaultKind::UndefinedDecision => "undefined_decision",
            FaultKind::MalformedDecision => "malformed_decision",
            FaultKind::MalformedPatch => "malformed_patch",
            FaultKind::RedactionIncomplete => "redaction_incomplete",
            FaultKind::Conflict => "conflict",
            FaultKind::BuiltinError => "builtin_error",
            FaultKind::Trap => "trap",
            FaultKind::AbiViolation => "abi_violation",
            FaultKind::Limit(LimitKind::Fuel) => "limit:fuel",
            FaultKind::Limit(LimitKind::Deadline) => "limit:deadline",
            FaultKind::Limit(LimitKind::Memory) => "limit:memory",
            FaultKind::Limit(LimitKind::Stack) => "limit:stack",
            FaultKind::Limit(LimitKind::Output) => "limit:output",
            FaultKind::Limit(LimitKind::Facts) => "limit:facts",
            FaultKind::Limit(LimitKind::Iterations) => "limit:iterations",
            FaultKind::EvaluationError => "evaluation_error",
            FaultKind::EntityConflict => "entity_conflict",
            FaultKind::RequestBounds => "request_bounds",
            FaultKind::Schema => "schema",
            FaultKind::Unclassified => "unclassified",
            FaultKind::Unrepresentable => "unrepresentable",
            FaultKind::Derive => "derive",
            FaultKind::Token(TokenFault::Missing) => "token:missing",
            FaultKind::Token(TokenFault::Malformed) => "token:malformed",
            FaultKind::Token(TokenFault::BadSignature) => "token:bad_signature",
            FaultKind::Token(TokenFault::UnknownRootKey) => "token:unknown_root_key",
            FaultKind::Token(TokenFault::Revoked) => "token:revoked",
            FaultKind::Token(TokenFault::UnsupportedVersion) => "token:unsupported_version",
            FaultKind::Token(TokenFault::TooLarge) => "token:too_large",
            FaultKind::NotLoaded => "not_loaded",
            FaultKind::Stale => "stale",
            FaultKind::Panic => "panic",
            FaultKind::RecordUnwritten => "record_unwritten",
        }
    }

    /// The kind with this name, if there is one.
    pub fn parse(name: &str) -> Option<FaultKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for FaultKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for FaultKind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        FaultKind::parse(&name)
            .ok_or_else(|| serde::de::Error::custom(format!("unknown fault kind `{name}`")))
    }
}

impl JsonSchema for FaultKind {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FaultKind".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<&str> = Self::ALL.iter().map(|kind| kind.as_str()).collect();
        schemars::json_schema!({"type": "string", "enum": names})
    }
}

/// A kind, and a detail for operators. The detail never reaches a decision's reason: it may quote the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize, JsonSchema)]
#[error("{kind}: {detail}")]
pub struct Fault {
    /// What went wrong, for machines.
    pub kind: FaultKind,
    /// What went wrong, for people.
    pub detail: String,
}

impl Fault {
    /// A fault of this kind with a detail for people.
    pub fn new(kind: FaultKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }
}

/// The one place where a fault becomes a decision.
pub fn fail_closed(fault: &Fault) -> Decision {
    Decision::deny(format!("engine_error:{}", fault.kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::DecisionEffect;

    #[test]
    fn every_kind_denies_by_its_own_name() {
        let mut names = std::collections::BTreeSet::new();
        for kind in FaultKind::ALL {
            let decision = fail_closed(&Fault::new(kind, "detail"));
            assert_eq!(decision.effect, DecisionEffect::Deny);
            assert_eq!(decision.reason.as_deref(), Some(format!("engine_error:{kind}").as_str()));
            assert_eq!(FaultKind::parse(kind.as_str()), Some(kind));
            assert!(names.insert(kind.as_str()), "{kind} stands twice");
        }
    }
}
