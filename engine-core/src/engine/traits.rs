//! The two traits an engine implements: a factory that loads packs, and the loaded thing that decides.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use super::capability::Capabilities;
use super::error::LoadErrors;
use super::mutant::Mutant;
use super::prepared::Prepared;
use super::vocabulary::Vocabulary;
use crate::contract::{Decision, Rules};
use crate::fault::Fault;
use crate::limits::Limits;
use crate::location::Location;
use crate::pack::PackSource;

/// A loaded pack on one engine. Immutable and shared between threads; limits are held inside, synchronously.
///
/// There are no default methods: a wrapper that forgot one would change what is decided.
pub trait Engine: Send + Sync + Debug {
    /// Decides.
    ///
    /// # Errors
    /// The fault, for anything but an answer of the contract's shape. Dispatch turns it into a denial.
    fn decide(&self, request: &Prepared<'_>) -> Result<Verdict, Fault>;

    /// Decides as [`Engine::decide`] does, more slowly, and tells which rules ran. For people, never for enforcement.
    ///
    /// # Errors
    /// As [`Engine::decide`].
    fn explain(&self, request: &Prepared<'_>) -> Result<Explanation, Fault>;

    /// The same policy over other data, which has already been checked against the pack's data schema. The engine in
    /// use stays as it is, so requests under way are not disturbed.
    ///
    /// # Errors
    /// Why the data cannot be used by this engine.
    fn with_data(&self, data: Arc<Value>) -> Result<Arc<dyn Engine>, LoadErrors>;
}

/// Loads packs for one engine.
pub trait EngineFactory: Send + Sync + Debug {
    /// The engine's name in manifests and deployments, and its version.
    fn info(&self) -> EngineInfo;

    /// What the engine can do. Suites are chosen by it, and what is not declared is tested to be refused.
    fn capabilities(&self) -> Capabilities;

    /// The JSON Schema of this engine's settings in `pack.yaml`, under `engines.<id>`.
    fn settings_schema(&self) -> Value;

    /// Loads a pack, refusing whatever can be known to be wrong before the first request.
    ///
    /// # Errors
    /// Everything found wrong, with its place in the pack's files.
    fn load(&self, pack: &PackSource, context: &LoadContext) -> Result<Arc<dyn Engine>, LoadErrors>;

    /// What this engine's policy of a pack mentions. A search for disagreements starts from it; it is here and not on
    /// [`Engine`], so that a decision point in service does not keep the text of its policies.
    ///
    /// # Errors
    /// What keeps the policy from being read; a pack that [`EngineFactory::load`] takes in can be.
    fn vocabulary(&self, pack: &PackSource) -> Result<Vocabulary, LoadErrors>;

    /// The small mistakes that this engine's policy of a pack could have, one in each mutant, in the order of the text.
    /// What cannot change a decision (another reason for it excepted) is left out where that is plain.
    ///
    /// # Errors
    /// As [`EngineFactory::vocabulary`].
    fn mutants(&self, pack: &PackSource) -> Result<Vec<Mutant>, LoadErrors>;
}

/// An engine's name and version, as they stand in outcomes and reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineInfo {
    /// The name, as `cedar`.
    pub id: &'static str,
    /// The version of the evaluator behind it, as `cedar-policy 4.14.1`.
    pub version: String,
}

/// What a deployment gives an engine to load with.
#[derive(Debug, Clone, Default)]
pub struct LoadContext {
    /// The smaller of the pack's and the deployment's limits.
    pub limits: Limits,
    /// Whom to believe about tokens.
    pub trust: Arc<Trust>,
    /// The folder for compiled artefacts, if there is one.
    pub cache: Option<PathBuf>,
}

/// Root keys and revocations. They come from the deployment, never from a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// Keys that tokens may be signed with.
    pub root_keys: Vec<RootKey>,
    /// Revocation identifiers in lower-case hex.
    pub revoked: BTreeSet<String>,
}

/// A public key that tokens may be signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootKey {
    /// The key id a token names; `None` for tokens that name none.
    pub id: Option<u32>,
    /// The key as PEM or as `ed25519/<hex>` or `secp256r1/<hex>`.
    pub key: String,
    /// Where the key was read, for errors.
    pub origin: String,
}

/// What an engine decided, and by which rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The decision, well-formed; dispatch checks its patches against the request and the manifest.
    pub decision: Decision,
    /// The rules or policies that determined it.
    pub rules: Rules,
    /// How many rules were evaluated, where the engine can tell.
    pub rules_evaluated: Option<u64>,
}

/// A verdict with what ran on the way to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// What was decided.
    pub verdict: Verdict,
    /// The rules that ran, in the order of the policy's text.
    pub trace: Vec<RuleTrace>,
    /// What the reader must know to read the trace, as "replayed natively".
    pub notes: Vec<String>,
}

/// One rule that ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleTrace {
    /// The rule's name or id.
    pub rule: String,
    /// Where it stands in the pack.
    pub location: Option<Location>,
    /// What it came to, as `matched`, `did not match`, `determined the decision`.
    pub note: String,
    /// Whether it came true: matched, or held. An engine that knows only which lines were reached calls a rule true all of whose
    /// lines were. `None` where it was not looked at, or cannot be told.
    pub came_true: Option<bool>,
}
