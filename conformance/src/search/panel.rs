//! Who is asked: engines with the same pack, or with two versions of it, and all of them the same question.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use serde_json::Value;
use tribunal::core::config::deployment::standard_boundaries;
use tribunal::core::contract::parity::{self, Difference};
use tribunal::core::contract::{Decision, PolicyRequest, Rules, Token};
use tribunal::core::dispatch::LoadedPack;
use tribunal::core::engine::{Explanation, Prepared};
use tribunal::core::fault::{Fault, FaultKind, fail_closed};
use tribunal::core::pack::{PackSource, ReasonParity};

use crate::runner::Runner;

/// One who is asked.
#[derive(Debug)]
pub struct Member {
    /// What reports call it.
    pub name: String,
    /// Whether it stands beside as a reference.
    pub is_reference: bool,
    runner: Runner,
    loaded: Arc<LoadedPack>,
    /// Which of [`Panel::preparations`] its requests go through.
    preparation: usize,
}

impl Member {
    /// The pack it runs.
    pub fn source(&self) -> &Arc<PackSource> {
        self.loaded.source()
    }

    /// The runner behind it.
    pub fn runner(&self) -> &Runner {
        &self.runner
    }
}

/// Everyone who is asked. The first member is the one that others are compared with.
#[derive(Debug)]
pub struct Panel {
    members: Vec<Member>,
    /// A member for each way in which requests are checked and completed before an engine is asked: engines of one pack
    /// share it, so that the host's work is done once.
    preparations: Vec<usize>,
    reasons: ReasonParity,
    boundaries: Vec<String>,
}

/// A question: a request, its instant, and the token shown with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The request, an object.
    pub request: Value,
    /// The instant for which it is decided.
    pub now: Timestamp,
    /// The token shown with it.
    pub token: Option<Token>,
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// The host refused the request before any engine was asked, in the same way for everyone.
    HostRefused(FaultKind),
    /// By member, in their order.
    Answered(Vec<Answer>),
}

/// What one member answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The decision; patches are those of the whole redaction.
    pub decision: Decision,
    /// The fault behind a denial.
    pub fault: Option<Fault>,
    /// The rules that determined it.
    pub rules: Rules,
}

impl Answer {
    fn fault(fault: Fault) -> Self {
        Self { decision: fail_closed(&fault), fault: Some(fault), rules: Rules::determined([]) }
    }

    fn result(&self) -> Result<&Decision, &Fault> {
        self.fault.as_ref().map_or(Ok(&self.decision), Err)
    }
}

impl Panel {
    /// A panel of runners, each with its name and whether it is a reference; the first is compared with.
    pub fn new(members: impl IntoIterator<Item = (String, bool, Runner)>) -> Self {
        let mut panel = Self {
            members: Vec::new(),
            preparations: Vec::new(),
            reasons: ReasonParity::Exact,
            boundaries: standard_boundaries(),
        };
        for (name, is_reference, runner) in members {
            let loaded = runner.loaded();
            let alike = |at: &usize| {
                panel.members.get(*at).is_some_and(|other| prepares_alike(other.source(), loaded.source()))
            };
            let index = panel.members.len();
            let preparation = panel.preparations.iter().position(alike).unwrap_or_else(|| {
                panel.preparations.push(index);
                panel.preparations.len() - 1
            });
            panel.members.push(Member { name, is_reference, runner, loaded, preparation });
        }
        if let Some(first) = panel.members.first() {
            panel.reasons = first.source().manifest.parity.reasons;
        }
        panel
    }

    /// The members, in their order.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Puts a question to everyone. `times` gets how long each engine took, in nanoseconds.
    pub fn ask(&self, question: &Question, mut times: Option<&mut Vec<u64>>) -> Reply {
        let request = match self.request(question) {
            Ok(request) => request,
            Err(fault) => return Reply::HostRefused(fault.kind),
        };
        let Ok(payload) = request.payload() else { return Reply::HostRefused(FaultKind::RequestBounds) };
        let prepared: Vec<_> = self
            .preparations
            .iter()
            .filter_map(|at| Some(self.members.get(*at)?.loaded.prepare(payload, question.now)))
            .collect();
        let views: Vec<Result<Prepared<'_>, Fault>> = self
            .members
            .iter()
            .map(|member| match prepared.get(member.preparation) {
                Some(Ok(prepared)) => member.loaded.view(prepared, question.now, question.token.as_ref()),
                Some(Err(fault)) => Err(fault.clone()),
                None => Err(Fault::new(FaultKind::NotLoaded, "nobody prepares its requests")),
            })
            .collect();
        let kind = |view: &Result<Prepared<'_>, Fault>| view.as_ref().err().map(|fault| fault.kind);
        if let Some(Some(first)) = views.first().map(kind)
            && views.iter().all(|view| kind(view) == Some(first))
        {
            return Reply::HostRefused(first);
        }
        let ask = |(member, view): (&Member, &Result<Prepared<'_>, Fault>)| -> Answer {
            let decided = view.as_ref().map_err(Fault::clone);
            match decided.and_then(|view| member.loaded.decide(payload, view)) {
                Ok(verdict) => Answer { decision: verdict.decision, fault: None, rules: verdict.rules },
                Err(fault) => Answer::fault(fault),
            }
        };
        let mut answers = Vec::with_capacity(self.members.len());
        for asked in self.members.iter().zip(&views) {
            let started = times.is_some().then(Instant::now);
            answers.push(ask(asked));
            if let (Some(times), Some(started)) = (&mut times, started) {
                times.push(u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX));
            }
        }
        // A redaction has rounds, and they are dispatch's.
        if answers.iter().any(|answer| !answer.decision.patches.is_empty()) {
            for (index, member) in self.members.iter().enumerate() {
                let (answer, time) = dispatched(member, &request);
                if let Some(place) = answers.get_mut(index) {
                    *place = answer;
                }
                if let Some(place) = times.as_mut().and_then(|times| times.get_mut(index)) {
                    *place = time;
                }
            }
        }
        Reply::Answered(answers)
    }

    /// The request as dispatch takes it in, refused where dispatch refuses it.
    fn request(&self, question: &Question) -> Result<PolicyRequest, Fault> {
        let Value::Object(members) = &question.request else {
            return Err(Fault::new(FaultKind::RequestBounds, "a request is an object"));
        };
        let known = |boundary: &Value| {
            boundary.as_str().is_some_and(|name| self.boundaries.iter().any(|known| known == name))
        };
        if members.get("boundary").is_some_and(|boundary| !known(boundary)) {
            return Err(Fault::new(FaultKind::Unclassified, "no such boundary"));
        }
        let request = PolicyRequest::from_object(members.clone())?.at(question.now);
        request.hold(&Default::default())?;
        Ok(match &question.token {
            Some(token) => request.with_token(token.clone()),
            None => request,
        })
    }

    /// In which respects members answered differently from the first; empty if all agree.
    pub fn differences(&self, question: &Question, answers: &[Answer]) -> Vec<Difference> {
        let Some((first, others)) = answers.split_first() else { return Vec::new() };
        let mut found: Vec<Difference> = others
            .iter()
            .filter(|other| {
                other.fault.is_some() || first.fault.is_some() || other.decision != first.decision
            })
            .flat_map(|other| {
                parity::differences(&question.request, first.result(), other.result(), self.reasons)
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// How each member comes to its answer; `None` where that is a fault.
    pub fn explain(&self, question: &Question) -> Vec<Option<Explanation>> {
        let explained = |member: &Member| {
            let prepared = member.loaded.prepare(&question.request, question.now).ok()?;
            let view = member.loaded.view(&prepared, question.now, question.token.as_ref()).ok()?;
            member.loaded.engine().explain(&view).ok()
        };
        self.members.iter().map(explained).collect()
    }
}

/// One member's answer after all rounds of redaction, and the time its engine took.
fn dispatched(member: &Member, request: &PolicyRequest) -> (Answer, u64) {
    let mut outcome = member.runner.dispatcher().evaluate(request);
    let pack = outcome.packs.pop();
    let fault = outcome.fault.or_else(|| pack.as_ref().and_then(|pack| pack.fault.clone()));
    let time = pack.as_ref().map_or(outcome.duration_ns, |pack| pack.duration_ns);
    let rules = pack.map_or(Rules::determined([]), |pack| pack.rules);
    (Answer { decision: outcome.decision, fault, rules }, time)
}

/// Whether two packs check and complete requests in the same way.
fn prepares_alike(a: &PackSource, b: &PackSource) -> bool {
    let schema = |pack: &PackSource| pack.input_schema.as_ref().map(|schema| schema.document().clone());
    let (one, other) = (&a.manifest, &b.manifest);
    one.derive == other.derive
        && one.token == other.token
        && one.redactable == other.redactable
        && schema(a) == schema(b)
}
