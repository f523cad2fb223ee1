//! A plain engine of regorus, reused, given its own value: with the features and built-ins that this program builds regorus
//! with, none of which are Tribunal's.
//!
//! All requests are put to the same engine, as ours puts them to one on each thread: with an engine for each, what is in the
//! processor's caches would be another's every time. It stands behind a lock that nobody else wants, which is part of the
//! figure: some 20 ns.

use std::sync::{Arc, Mutex, PoisonError};

use regorus::{Engine, Value};
use tribunal::core::dispatch::LoadedPack;
use tribunal::core::pack::PackSource;
use tribunal::rego_native::bare::Bare;
use tribunal::{Decision, Fault, FaultKind};
use tribunal_conformance::Runner;

use crate::subject::{Answer, Candidate, Kind, Question, Request, Site, Subject, Unavailable};

const ENGINE: &str = "rego-native";

#[derive(Debug)]
pub(super) struct Regorus;

impl Candidate for Regorus {
    fn name(&self) -> &str {
        "floor:regorus"
    }

    fn engine(&self) -> &str {
        ENGINE
    }

    fn kind(&self) -> Kind {
        Kind::Floor
    }

    fn about(&self) -> &str {
        "one reused plain engine, given the request as its own value"
    }

    fn loads(&self) -> bool {
        false
    }

    fn open(&self, site: &Site) -> Result<Box<dyn Subject>, Unavailable> {
        let source = site.source()?;
        let rule = Bare::load(&source, &site.within_limits(&source))?.rule()?.to_owned();
        let engine = Mutex::new(plain(&source)?);
        let pack = Runner::load(source, ENGINE, &site.context, &site.registry)?.loaded();
        Ok(Box::new(Open { engine, rule, pack }))
    }
}

struct Open {
    engine: Mutex<Engine>,
    rule: String,
    pack: Arc<LoadedPack>,
}

/// An engine with the pack's policies and data, and nothing of ours.
fn plain(source: &PackSource) -> Result<Engine, Unavailable> {
    let refused = |error: &dyn std::fmt::Display| Unavailable::Refused(error.to_string());
    let mut engine = Engine::new();
    for (path, _) in source.files.rego_sources() {
        let text = source.text(path).map_err(|error| refused(&error))?;
        engine.add_policy(path.to_owned(), text.to_owned()).map_err(|error| refused(&error))?;
    }
    let data = Value::from_json_str(&source.data.to_string()).map_err(|error| refused(&error))?;
    engine.add_data(data).map_err(|error| refused(&error))?;
    Ok(engine)
}

impl Subject for Open {
    fn version(&self) -> String {
        self.pack.identity().engine_version.clone()
    }

    fn question<'s>(&'s self, request: &'s Request) -> Result<Box<dyn Question + 's>, Unavailable> {
        let prepared = self.pack.prepare(&request.payload, request.now)?;
        let input = Value::from_json_str(&prepared.to_string())
            .map_err(|error| Unavailable::Refused(error.to_string()))?;
        let mut evaluation = Evaluation { open: self, input, value: None, read: None };
        evaluation.ask();
        // A built-in that plain regorus does not have in this program is no answer, and no figure.
        if let Some(Err(error)) = evaluation.value {
            return Err(Unavailable::Refused(format!("plain regorus: {error}")));
        }
        Ok(Box::new(evaluation))
    }
}

struct Evaluation<'s> {
    open: &'s Open,
    input: Value,
    value: Option<Result<Value, String>>,
    /// The value that was read last, and what it says.
    read: Option<(Value, Answer)>,
}

impl Evaluation<'_> {
    /// What the last evaluation came to: compared as the value it is, and read only if it is another than before.
    fn is_read(&self) -> Option<&Answer> {
        match (&self.value, &self.read) {
            (Some(Ok(value)), Some((known, answer))) if value == known => Some(answer),
            _ => None,
        }
    }
}

impl Question for Evaluation<'_> {
    fn ask(&mut self) {
        let mut engine = self.open.engine.lock().unwrap_or_else(PoisonError::into_inner);
        engine.set_input(self.input.clone());
        self.value = Some(engine.eval_rule(self.open.rule.clone()).map_err(|error| error.to_string()));
    }

    fn answer(&mut self) -> Answer {
        if let Some(answer) = self.is_read() {
            return answer.clone();
        }
        match &self.value {
            Some(Ok(value)) => {
                let answer = Answer::read(decision(value));
                self.read = Some((value.clone(), answer.clone()));
                answer
            }
            Some(Err(error)) => Answer::Failed(format!("plain regorus: {error}")),
            None => Answer::unasked(),
        }
    }

    fn came_to(&mut self, expected: &Answer) -> bool {
        match self.is_read() {
            Some(answer) => answer.repeats(expected),
            None => self.answer().repeats(expected),
        }
    }
}

/// The decision that a rule's value is.
fn decision(value: &Value) -> Result<Decision, Fault> {
    let wrong = |error: String| Fault::new(FaultKind::MalformedDecision, error);
    let text = value.to_json_str().map_err(|error| wrong(error.to_string()))?;
    let json = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    Decision::from_wire(&json)
}
