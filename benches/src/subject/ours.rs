//! Our engines: as a caller meets them, and from further inside.

use std::sync::Arc;

use serde_json::Value;
use tribunal::core::dispatch::LoadedPack;
use tribunal::core::engine::{LoadContext, Verdict};
use tribunal::{Fault, Outcome, PolicyRequest};
use tribunal_conformance::Runner;

use super::answer::Answer;
use super::{Candidate, Kind, Question, Request, Site, Staged, Subject, Unavailable, stages};

/// From where on an engine is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// From JSON text: front door, dispatch, and everything behind it.
    Json,
    /// From a request that has been read: dispatch, and everything behind it.
    Dispatch,
    /// From a request that has been read: schema, derived members and engine, called one after another without dispatch.
    Undispatched,
    /// From a request that has been prepared: the engine alone.
    Engine,
}

impl Level {
    /// Every level, from the outside in.
    pub const ALL: [Level; 4] = [Level::Json, Level::Dispatch, Level::Undispatched, Level::Engine];

    fn suffix(self) -> &'static str {
        match self {
            Level::Json => "",
            Level::Dispatch => ":dispatch",
            Level::Undispatched => ":undispatched",
            Level::Engine => ":engine",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Level::Json => "JSON in, a decision out",
            Level::Dispatch => "a request that was read in, an outcome out",
            Level::Undispatched => "schema, derived members and engine, without dispatch",
            Level::Engine => "a prepared request in, a verdict out",
        }
    }
}

/// One of our engines, from one level on.
#[derive(Debug)]
pub struct Ours {
    name: String,
    engine: String,
    level: Level,
}

impl Ours {
    /// An engine from a level on.
    pub fn new(engine: &str, level: Level) -> Self {
        Self { name: format!("{engine}{}", level.suffix()), engine: engine.to_owned(), level }
    }
}

impl Candidate for Ours {
    fn name(&self) -> &str {
        &self.name
    }

    fn engine(&self) -> &str {
        &self.engine
    }

    fn kind(&self) -> Kind {
        if self.level == Level::Json { Kind::Engine } else { Kind::Level }
    }

    fn about(&self) -> &str {
        self.level.about()
    }

    fn loads(&self) -> bool {
        self.level == Level::Json
    }

    fn open(&self, site: &Site) -> Result<Box<dyn Subject>, Unavailable> {
        let source = site.source()?;
        if let Some(reason) = source.manifest.unsupported.get(&self.engine) {
            return Err(Unavailable::NotApplicable(reason.clone()));
        }
        let context = site.within_limits(&source);
        let runner = Runner::load(source, &self.engine, &site.context, &site.registry)?;
        Ok(Box::new(Opened { level: self.level, pack: runner.loaded(), runner, context }))
    }
}

struct Opened {
    level: Level,
    runner: Runner,
    pack: Arc<LoadedPack>,
    /// For the stages, which are loaded beside dispatch.
    context: LoadContext,
}

impl Subject for Opened {
    fn version(&self) -> String {
        self.pack.identity().engine_version.clone()
    }

    fn staged<'s>(&'s self) -> Option<Result<Box<dyn Staged + 's>, Unavailable>> {
        (self.level == Level::Json).then(|| stages::of(&self.pack, &self.context))
    }

    fn question<'s>(&'s self, request: &'s Request) -> Result<Box<dyn Question + 's>, Unavailable> {
        let read = || -> Result<PolicyRequest, Fault> {
            let read = PolicyRequest::from_slice(&request.text)?.at(request.now);
            Ok(match &request.token {
                Some(token) => read.with_token(token.clone()),
                None => read,
            })
        };
        Ok(match self.level {
            Level::Json => Box::new(FromJson { runner: &self.runner, request, outcome: None }),
            Level::Dispatch => {
                Box::new(FromRequest { runner: &self.runner, request: read()?, outcome: None })
            }
            Level::Undispatched => Box::new(FromPayload {
                pack: &self.pack,
                payload: read()?.to_payload(),
                request,
                verdict: None,
            }),
            Level::Engine => {
                let prepared = self.pack.prepare(&request.payload, request.now)?.into_owned();
                Box::new(FromPrepared { pack: &self.pack, prepared, request, verdict: None })
            }
        })
    }
}

/// JSON in, a decision out.
struct FromJson<'s> {
    runner: &'s Runner,
    request: &'s Request,
    outcome: Option<Outcome>,
}

impl Question for FromJson<'_> {
    fn ask(&mut self) {
        let request = match PolicyRequest::from_slice(&self.request.text) {
            Ok(request) => request.at(self.request.now),
            Err(fault) => PolicyRequest::unreadable(fault),
        };
        let request = match &self.request.token {
            Some(token) => request.with_token(token.clone()),
            None => request,
        };
        self.outcome = Some(self.runner.dispatcher().evaluate(&request));
    }

    fn answer(&mut self) -> Answer {
        outcome(self.outcome.as_ref())
    }

    fn came_to(&mut self, expected: &Answer) -> bool {
        same(self.outcome.as_ref(), expected)
    }
}

/// A request that was read in, an outcome out.
struct FromRequest<'s> {
    runner: &'s Runner,
    request: PolicyRequest,
    outcome: Option<Outcome>,
}

impl Question for FromRequest<'_> {
    fn ask(&mut self) {
        self.outcome = Some(self.runner.dispatcher().evaluate(&self.request));
    }

    fn answer(&mut self) -> Answer {
        outcome(self.outcome.as_ref())
    }

    fn came_to(&mut self, expected: &Answer) -> bool {
        same(self.outcome.as_ref(), expected)
    }
}

fn outcome(given: Option<&Outcome>) -> Answer {
    given.map_or_else(Answer::unasked, Answer::of)
}

/// Compared in place: nothing is allocated between two samples.
fn same(given: Option<&Outcome>, expected: &Answer) -> bool {
    match (given, expected) {
        (Some(outcome), Answer::Decision { decision, fault }) => {
            outcome.decision == *decision && super::answer::fault_of(outcome) == *fault
        }
        _ => false,
    }
}

/// Schema, derived members and engine, without dispatch.
struct FromPayload<'s> {
    pack: &'s LoadedPack,
    payload: Value,
    request: &'s Request,
    verdict: Option<Result<Verdict, Fault>>,
}

impl Question for FromPayload<'_> {
    fn ask(&mut self) {
        let verdict = self.pack.prepare(&self.payload, self.request.now).and_then(|prepared| {
            let view = self.pack.view(&prepared, self.request.now, self.request.token.as_ref())?;
            self.pack.engine().decide(&view)
        });
        self.verdict = Some(verdict);
    }

    fn answer(&mut self) -> Answer {
        verdict(self.verdict.as_ref())
    }
}

/// The engine alone.
struct FromPrepared<'s> {
    pack: &'s LoadedPack,
    prepared: Value,
    request: &'s Request,
    verdict: Option<Result<Verdict, Fault>>,
}

impl Question for FromPrepared<'_> {
    fn ask(&mut self) {
        let view = self.pack.view(&self.prepared, self.request.now, self.request.token.as_ref());
        self.verdict = Some(view.and_then(|view| self.pack.engine().decide(&view)));
    }

    fn answer(&mut self) -> Answer {
        verdict(self.verdict.as_ref())
    }
}

fn verdict(given: Option<&Result<Verdict, Fault>>) -> Answer {
    given.map_or_else(Answer::unasked, |given| {
        Answer::proposed(given.as_ref().map(|verdict| verdict.decision.effect))
    })
}
