//! One request decided, explained and compared.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tribunal::core::contract::{Outcome, PackIdentity, Rules};
use tribunal::core::fault::fail_closed;
use tribunal::core::location::Location;
use tribunal::explain::PackExplanation;
use tribunal::{Decision, Fault, FaultKind, PolicyRequest, Token, Tribunal};
use uuid::Uuid;

use crate::exit::Exit;
use crate::lineup::{EngineRow, Lineup};

/// What answers requests, and how.
pub(crate) struct Evaluator {
    /// The deployment; or the fault for which every request is denied, where it cannot be loaded.
    pub(crate) service: Result<Tribunal, Fault>,
    /// The engines to compare; `None` to compare none.
    pub(crate) lineup: Option<Lineup>,
    pub(crate) explain: bool,
    pub(crate) token: Option<Token>,
    pub(crate) now: Option<Timestamp>,
}

/// A request and its answer.
pub(crate) struct Evaluation {
    /// Names the decision wherever it is written down; UUIDs of version 7 sort by time.
    pub(crate) decision_id: Uuid,
    pub(crate) request: PolicyRequest,
    pub(crate) outcome: Outcome,
    pub(crate) explanation: Option<Vec<PackReport>>,
    /// How each engine answers.
    pub(crate) engines: Option<Vec<EngineRow>>,
}

/// What `eval --format json` prints: the outcome, with the explanation if one was asked for.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct OutcomeReport<'e> {
    #[serde(flatten)]
    outcome: &'e Outcome,
    /// Why each pack decided as it did (`--explain`).
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<&'e [PackReport]>,
}

/// What `eval --all-engines --format json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ComparisonReport<'e> {
    /// Whether all engines that can be compared answer alike.
    agree: bool,
    /// What is decided, each pack on the engine that the deployment names.
    outcome: &'e Outcome,
    /// Every engine's answer, all packs on that engine.
    engines: &'e [EngineRow],
    /// Why each pack decided as it did (`--explain`).
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<&'e [PackReport]>,
}

/// Why one pack decided as it did in the first round.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PackReport {
    /// Which pack, on which engine.
    #[serde(flatten)]
    pub(crate) identity: PackIdentity,
    /// What the pack decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) decision: Option<Decision>,
    /// The rules or policies that determined it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rules: Option<Rules>,
    /// The fault that kept it from deciding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fault: Option<Fault>,
    /// The members that were derived from the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) derived: Option<Value>,
    /// The rules that ran, in the order of the policy's text.
    pub(crate) trace: Vec<TraceLine>,
    /// What the reader must know to read the trace.
    pub(crate) notes: Vec<String>,
}

/// One rule that ran.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TraceLine {
    /// Its name or id.
    pub(crate) rule: String,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<Location>,
    /// What it came to.
    pub(crate) note: String,
}

impl From<PackExplanation> for PackReport {
    fn from(found: PackExplanation) -> Self {
        let PackExplanation { identity, derived, explanation } = found;
        let identity = (*identity).clone();
        match explanation {
            Ok(explanation) => Self {
                identity,
                derived,
                decision: Some(explanation.verdict.decision),
                rules: Some(explanation.verdict.rules),
                fault: None,
                trace: explanation
                    .trace
                    .into_iter()
                    .map(|line| TraceLine { rule: line.rule, location: line.location, note: line.note })
                    .collect(),
                notes: explanation.notes,
            },
            Err(fault) => Self {
                identity,
                derived,
                decision: None,
                rules: None,
                fault: Some(fault),
                trace: Vec::new(),
                notes: Vec::new(),
            },
        }
    }
}

impl Evaluator {
    /// Decides a request as it came.
    pub(crate) fn evaluate(&self, text: &[u8]) -> Evaluation {
        let request = match PolicyRequest::from_slice(text) {
            Ok(request) => request,
            Err(fault) => return Evaluation::refused(fault, self.now),
        };
        let now = self.now.unwrap_or_else(Timestamp::now);
        let request = request.at(now);
        let request = match &self.token {
            Some(token) => request.with_token(token.clone()),
            None => request,
        };
        let tribunal = match &self.service {
            Ok(tribunal) => tribunal,
            Err(fault) => {
                return Evaluation { request, ..Evaluation::refused(fault.clone(), Some(now)) };
            }
        };
        let outcome = tribunal.outcome(&request);
        let explanation =
            self.explain.then(|| tribunal.explain(&request, now).into_iter().map(PackReport::from).collect());
        let engines = self.lineup.as_ref().map(|lineup| lineup.compare(tribunal, &request, &outcome));
        Evaluation { decision_id: Uuid::now_v7(), request, outcome, explanation, engines }
    }
}

impl Evaluation {
    /// The answer to what cannot be asked.
    pub(crate) fn refused(fault: Fault, now: Option<Timestamp>) -> Self {
        let request = PolicyRequest::unreadable(fault.clone());
        let outcome = Outcome {
            decision: fail_closed(&fault),
            fault: Some(fault),
            packs: Vec::new(),
            rounds: 0,
            now: now.unwrap_or_else(Timestamp::now),
            duration_ns: 0,
        };
        Self { decision_id: Uuid::now_v7(), request, outcome, explanation: None, engines: None }
    }

    /// Denies what could not be written down, whatever was decided.
    pub(crate) fn deny_unrecorded(&mut self, why: &str) {
        let fault = Fault::new(FaultKind::RecordUnwritten, why);
        self.outcome.decision = fail_closed(&fault);
        self.outcome.fault = Some(fault);
    }

    /// Whether all engines that can be compared answer alike.
    pub(crate) fn agrees(&self) -> bool {
        self.engines.iter().flatten().all(|row| !row.differs())
    }

    /// How the command ends for this request.
    pub(crate) fn exit(&self) -> Exit {
        let exit = Exit::of(&self.outcome);
        if self.agrees() { exit } else { exit.max(Exit::Failed) }
    }

    /// The answer for programs.
    pub(crate) fn report(&self) -> Report<'_> {
        let explanation = self.explanation.as_deref();
        match &self.engines {
            None => Report::Outcome(OutcomeReport { outcome: &self.outcome, explanation }),
            Some(engines) => Report::Comparison(ComparisonReport {
                agree: self.agrees(),
                outcome: &self.outcome,
                engines,
                explanation,
            }),
        }
    }
}

/// The answer for programs.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Report<'e> {
    Outcome(OutcomeReport<'e>),
    Comparison(ComparisonReport<'e>),
}
