//! What a comparison found, as data: every report is written from this, and can be written again from its JSON.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tribunal::core::contract::parity::Difference;
use tribunal::core::contract::{DecisionEffect, Patch, StepUp};
use tribunal::core::engine::Mutation;
use tribunal::core::fault::FaultKind;

/// The version of this format; a report of another version is refused, never guessed at.
pub const FORMAT: u32 = 1;

/// A comparison of engines on a pack, from the question to the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParityReport {
    /// [`FORMAT`].
    pub format: u32,
    /// How the comparison was made.
    pub run: Run,
    /// The packs compared: one, or two versions of one.
    pub packs: Vec<ComparedPack>,
    /// Who was asked, in the order of the columns. The first that answers is the one others are compared with.
    pub participants: Vec<Participant>,
    /// The packs' cases put to everyone.
    pub cases: Vec<CaseRow>,
    /// The search for a request on which they differ; `None` if there was none.
    pub search: Option<SearchReport>,
    /// Laws that each engine is held to by itself.
    pub laws: Vec<LawResult>,
    /// The pack's list of known divergences, held in both directions.
    pub known: Vec<KnownResult>,
    /// Upstream suites, if they were run beside it.
    pub suites: Vec<SuiteTable>,
    /// What keeps the participants from being called alike, one sentence each; empty if they agree.
    pub objections: Vec<String>,
}

impl ParityReport {
    /// Whether everyone agreed everywhere, or only where it is listed.
    pub fn agrees(&self) -> bool {
        self.objections.is_empty()
    }
}

/// How a comparison was made: enough to make it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The command line.
    pub command: String,
    /// Version of Tribunal.
    pub tribunal: String,
    /// The revision of the folder the packs were read from (`git rev-parse HEAD`), with `-dirty` if it has changes.
    pub revision: Option<String>,
    /// Operating system, processor and number of threads.
    pub machine: Machine,
    /// When it began (RFC 3339).
    pub started: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// The machine a comparison was made on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// As `linux x86_64`.
    pub system: String,
    /// The processor's name, where the system tells it.
    pub processor: Option<String>,
    /// Threads there are.
    pub threads: usize,
}

/// A pack that was compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComparedPack {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// `sha256:` over its files.
    pub digest: String,
    /// Where it was read.
    pub origin: String,
    /// Engines it says it cannot run on, each with its reason.
    pub unsupported: BTreeMap<String, String>,
}

/// Someone who was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Participant {
    /// What the columns call it: an engine's name, with `@version` where two packs are compared, or `opa (reference)`.
    pub name: String,
    /// The engine.
    pub engine: String,
    /// Its version.
    pub version: String,
    /// Which of [`ParityReport::packs`] it runs.
    pub pack: usize,
    /// Whether it stands beside as a reference, and decides nothing.
    pub is_reference: bool,
    /// Why it could not be asked, if it could not.
    pub refused: Option<String>,
    /// How long its answers took in the search.
    pub latency: Option<Latency>,
}

/// How long the answers of a participant took, warm, in nanoseconds. Measured while others run: for orientation only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// Answers timed: a sample of all.
    pub count: u64,
    /// Half were faster.
    pub p50_ns: u64,
    /// 90 % were faster.
    pub p90_ns: u64,
    /// 99 % were faster.
    pub p99_ns: u64,
    /// The slowest.
    pub max_ns: u64,
}

/// A case put to everyone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseRow {
    /// The case's name.
    pub name: String,
    /// Where it stands, as `file:line:column`.
    pub location: String,
    /// By participant, in their order; `None` for one that could not be asked.
    pub cells: Vec<Option<CaseCell>>,
    /// In which respects the answers differ; empty if they agree.
    pub differences: Vec<Difference>,
}

/// What a participant made of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseCell {
    /// Its answer.
    pub answer: AnswerRecord,
    /// Why that is not what the case expects of it, if it is not.
    pub failure: Option<String>,
    /// The reason of the exception the case makes for this engine, if it makes one.
    pub exception: Option<String>,
}

/// An answer, and what lies behind it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerRecord {
    /// The effect, `deny` for a fault.
    pub effect: DecisionEffect,
    /// The reason.
    pub reason: Option<String>,
    /// The patches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<Patch>,
    /// What a step-up demands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_up: Option<StepUp>,
    /// The kind of fault behind a denial.
    pub fault: Option<FaultKind>,
    /// What the fault says.
    pub fault_detail: Option<String>,
    /// The rules that determined it; `None` where the engine cannot tell.
    pub rules: Option<Vec<String>>,
}

/// A search for a request on which the participants differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchReport {
    /// The seed: the same seed and number of requests make the same search, on any number of threads.
    pub seed: u64,
    /// What ended it.
    pub bound: Bound,
    /// Threads used.
    pub threads: usize,
    /// Requests made.
    pub tried: u64,
    /// Of these, those that the host refused before any engine was asked (schema, derive, bounds), by fault.
    pub refused_by_host: BTreeMap<FaultKind, u64>,
    /// Requests that every participant answered.
    pub compared: u64,
    /// Answers by participant and then by effect, or by fault's name.
    pub answers: Vec<BTreeMap<String, u64>>,
    /// Requests that were kept because they led somewhere new.
    pub corpus: u64,
    /// How long the search took, in milliseconds.
    pub duration_ms: u64,
    /// Requests on which participants differ, the smallest of each kind.
    pub counterexamples: Vec<Counterexample>,
    /// What the search exercised.
    pub exercised: Exercised,
}

/// What bounds a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// A number of requests that reach the engines.
    Requests(u64),
    /// A time, in milliseconds.
    Milliseconds(u64),
}

/// A minimal request on which participants differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Counterexample {
    /// The request, shrunk.
    pub request: Value,
    /// The instant for which it was decided (RFC 3339).
    pub now: String,
    /// Which token was shown, in words.
    pub token: Option<String>,
    /// Members, elements and characters of the request as it was found.
    pub found_size: usize,
    /// The same of the shrunk one.
    pub size: usize,
    /// Which request of the search it was, counted from 1.
    pub found_at: u64,
    /// How many requests of the search differed in the same way.
    pub times: u64,
    /// In which respects the answers differ.
    pub differences: Vec<Difference>,
    /// By participant, in their order; `None` for one that could not be asked.
    pub answers: Vec<Option<ExplainedAnswer>>,
    /// The known divergence that this is, by name.
    pub known: Option<String>,
    /// The case file it was written to.
    pub written_to: Option<String>,
}

/// An answer with the way to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainedAnswer {
    /// The answer.
    pub answer: AnswerRecord,
    /// The request as it may go ahead, if it is redacted.
    pub redacted: Option<Value>,
    /// The rules that ran.
    pub trace: Vec<TraceLine>,
    /// What the reader must know to read the trace.
    pub notes: Vec<String>,
}

/// One rule that ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceLine {
    /// The rule's name or id.
    pub rule: String,
    /// Where it stands, as `file:line:column`.
    pub location: Option<String>,
    /// What it came to.
    pub note: String,
}

/// What a search exercised. That nothing was found says as much as this does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exercised {
    /// Rules of every participant.
    pub rules: Vec<RuleExercise>,
    /// Literals of every participant's policy.
    pub literals: Vec<LiteralExercise>,
    /// Literals that stand only in the pack's `derive:`, where no engine evaluates them: they prove nothing of engines.
    pub derived_literals: Vec<String>,
}

/// One rule of one participant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleExercise {
    /// The participant, by its place in [`ParityReport::participants`].
    pub participant: usize,
    /// The rule.
    pub rule: String,
    /// Where it stands.
    pub location: Option<String>,
    /// Answers that it determined; `None` where the engine cannot tell.
    pub determined: Option<u64>,
    /// Whether it was seen to come true (to match, to run through) in an explained request; `None` where nothing traces it.
    pub ran: Option<bool>,
    /// Whether it was seen not to come true in an explained request.
    pub failed: Option<bool>,
    /// Whether all it reads of the request was derived by the host: what it decides, the host decided for every engine.
    pub derived_only: bool,
}

/// One literal of one participant's policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiteralExercise {
    /// The participant, by its place in [`ParityReport::participants`].
    pub participant: usize,
    /// The rule it stands in.
    pub rule: String,
    /// The literal.
    pub value: Value,
    /// Requests made of it that all engines were asked about.
    pub tried: u64,
}

/// A law that an engine is held to by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LawResult {
    /// The law's name, as `irrelevant_member`.
    pub law: String,
    /// What it says.
    pub says: String,
    /// The participant.
    pub participant: usize,
    /// Requests it was tried on.
    pub tried: u64,
    /// A request on which it is broken, with what was answered before and after.
    pub broken: Option<BrokenLaw>,
    /// Why it was not tried, if it was not.
    pub skipped: Option<String>,
}

/// A request on which a law is broken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BrokenLaw {
    /// The request.
    pub request: Value,
    /// What was changed.
    pub change: String,
    /// The answer before.
    pub before: AnswerRecord,
    /// The answer after.
    pub after: AnswerRecord,
}

/// A divergence that the pack lists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownResult {
    /// Its name.
    pub name: String,
    /// Why it is so.
    pub reason: String,
    /// The upstream issue.
    pub upstream: Option<String>,
    /// Whether it still is so: one that is not is to be deleted, and fails the comparison.
    pub holds: bool,
    /// How often the search met it.
    pub times: u64,
}

/// An upstream suite on one engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuiteTable {
    /// The suite, as `opa-compliance`.
    pub suite: String,
    /// The engine.
    pub engine: String,
    /// Its version.
    pub version: String,
    /// By folder.
    pub folders: Vec<SuiteFolder>,
    /// What did not pass, and is not listed: failures, and refusals.
    pub failures: Vec<SuiteFailure>,
    /// Cases that pass though the list of divergences calls them failing, and listed ones that are gone.
    pub stale: Vec<String>,
    /// Why the suite was not run, if it was not.
    pub skipped: Option<String>,
}

/// A folder of a suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuiteFolder {
    /// Its name.
    pub name: String,
    /// Cases answered as the suite wants it.
    pub passed: u64,
    /// Cases answered otherwise.
    pub failed: u64,
    /// Cases the engine refuses to load or to answer: nothing wrong can come of them.
    pub refused: u64,
}

/// A case of a suite that did not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuiteFailure {
    /// The case.
    pub case: String,
    /// Its folder.
    pub folder: String,
    /// `failed` or `refused`.
    pub how: String,
    /// What was wanted, and what came.
    pub detail: String,
    /// The reason in the list of divergences, if it is listed.
    pub known: Option<String>,
}

/// How good a search is: the mistakes planted in one engine's policies, and how many it noticed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MutationReport {
    /// [`FORMAT`].
    pub format: u32,
    /// How it was made.
    pub run: Run,
    /// The seed.
    pub seed: u64,
    /// What each mutant was searched for.
    pub bound: Bound,
    /// The packs, each on each engine.
    pub tables: Vec<MutationTable>,
}

/// The mutants of one pack on one engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MutationTable {
    /// The pack.
    pub pack: ComparedPack,
    /// The engine whose policy was changed.
    pub engine: String,
    /// Its version.
    pub version: String,
    /// What the mutants were compared with: the unchanged policy on the engine itself, and on the others.
    pub against: Vec<String>,
    /// Every mutant tried.
    pub mutants: Vec<MutantResult>,
    /// Mutants there are, where only a sample was tried.
    pub available: usize,
    /// Listed as equivalent, but not there any more, or killed: the list has to be mended.
    pub stale: Vec<String>,
}

/// What became of a mutant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MutantResult {
    /// What it is called in the list of equivalent ones.
    pub id: String,
    /// The kind of mistake.
    pub mutation: Mutation,
    /// The rule changed.
    pub rule: Option<String>,
    /// Where, as `file:line:column`.
    pub location: String,
    /// What stood there.
    pub before: String,
    /// What stands there.
    pub after: String,
    /// What came of it.
    pub fate: Fate,
    /// Requests made until then.
    pub requests: u64,
    /// Time until then, in milliseconds.
    pub duration_ms: u64,
    /// The smallest request on which it differs, and its size.
    pub counterexample: Option<Value>,
    /// Members, elements and characters of that request.
    pub size: Option<usize>,
}

/// What became of a mutant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// A request was found on which it decides otherwise.
    Killed,
    /// It does not load: whoever made this mistake would be told.
    Refused(String),
    /// Nothing was found.
    Survived,
    /// Nothing was found, and the pack says why nothing can be.
    Equivalent(String),
}
