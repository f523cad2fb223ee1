//! A token judged by bare authorizer code: what the samples of the Biscuit specification are run by.
//!
//! The samples are no packs: their code is free to do what a pack's policy must not. So they go past the lints and bounds on
//! packs, and everything else is as for a decision: the same verification, the same reading of results, the same faults.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use biscuit_auth::builder::{AuthorizerBuilder, Term};
use biscuit_auth::datalog::ExternFunc;
use biscuit_auth::{Algorithm, AuthorizerLimits, Biscuit, PublicKey};
use tribunal_engine_core::fault::Fault;

use crate::decide::Judgement;
use crate::{credential, error, token};

/// Far beyond what a sample needs: it is not the clock that judges them.
const LIMITS: AuthorizerLimits =
    AuthorizerLimits { max_facts: 1000, max_iterations: 100, max_time: Duration::from_secs(10) };

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// The root key is none.
    #[error("the root key: {0}")]
    Key(String),
    /// The authorizer code does not parse.
    #[error("the authorizer code: {0}")]
    Code(String),
    /// The fault that a decision would have had.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// A token whose signatures hold.
#[derive(Debug)]
pub struct Probe {
    token: Biscuit,
}

impl Probe {
    /// Verifies a token against a root key in hex, which is Ed25519.
    ///
    /// # Errors
    /// A key that is none, or the fault of the token.
    pub fn verify(bytes: &[u8], root: &str) -> Result<Self, ProbeError> {
        let root = PublicKey::from_bytes_hex(root, Algorithm::Ed25519)
            .map_err(|error| ProbeError::Key(error.to_string()))?;
        Ok(Self { token: token::verify(bytes, &HashMap::from([(None, root)]))? })
    }

    /// What authorizer code makes of the token.
    ///
    /// # Errors
    /// Code that does not parse, or the fault of the evaluation.
    pub fn judge(&self, code: &str) -> Result<Judgement, ProbeError> {
        let builder =
            AuthorizerBuilder::new().code(code).map_err(|error| ProbeError::Code(error.to_string()))?;
        let built = builder
            .set_limits(LIMITS)
            .register_extern_func("test".to_owned(), test_function())
            .build(&self.token);
        let mut authorizer = built.map_err(|error| error::evaluation(&error))?;
        Ok(Judgement::of(authorizer.authorize())?)
    }

    /// The revocation ids of its blocks, in hex.
    pub fn revocation_ids(&self) -> Vec<String> {
        self.token.revocation_identifiers().iter().map(hex::encode).collect()
    }
}

/// Whether the engine would evaluate what a token contains, once its signatures were found to hold.
///
/// # Errors
/// Why it would not.
pub fn admit(bytes: &[u8]) -> Result<(), Fault> {
    credential::decode(bytes).and_then(|blocks| credential::inspect(&blocks)).map(drop)
}

/// What the samples call `test`: one argument comes back, two are compared.
fn test_function() -> ExternFunc {
    ExternFunc::new(Arc::new(|left: Term, right: Option<Term>| match (left, right) {
        (left, None) => Ok(left),
        (Term::Str(left), Some(Term::Str(right))) if left == right => {
            Ok(Term::Str("equal strings".to_owned()))
        }
        (Term::Str(_), Some(Term::Str(_))) => Ok(Term::Str("different strings".to_owned())),
        _ => Err("unsupported operands".to_owned()),
    }))
}
