//! The module's own `opa_eval`, on one warm instance under the engine's limits, given the input's bytes.
//!
//! All requests are put to the same instance, as our engine puts them to one: with an instance for each, what is in the
//! processor's caches would be another's every time. It stands behind a lock that nobody else wants, which is part of the
//! figure: some 20 ns. An answer lies in the instance's memory until the next question.

use std::sync::{Arc, Mutex, PoisonError};

use tribunal::core::dispatch::LoadedPack;
use tribunal::wasm::bare::{Answered, Bare, Input, Warm};
use tribunal::{Decision, Fault, FaultKind};
use tribunal_conformance::Runner;

use crate::subject::{Answer, Candidate, Kind, Question, Request, Site, Subject, Unavailable};

const ENGINE: &str = "rego-wasm";

#[derive(Debug)]
pub(super) struct OpaEval;

impl Candidate for OpaEval {
    fn name(&self) -> &str {
        "floor:opa-eval"
    }

    fn engine(&self) -> &str {
        ENGINE
    }

    fn kind(&self) -> Kind {
        Kind::Floor
    }

    fn about(&self) -> &str {
        "one call of the module's `opa_eval` on one warm instance, the answer left in its memory"
    }

    fn loads(&self) -> bool {
        false
    }

    fn open(&self, site: &Site) -> Result<Box<dyn Subject>, Unavailable> {
        let source = site.source()?;
        let warm = Bare::load(&source, &site.within_limits(&source))?.start()?;
        let pack = Runner::load(source, ENGINE, &site.context, &site.registry)?.loaded();
        Ok(Box::new(Open { pack, running: Mutex::new(Running { warm, questions: 0, last: 0 }) }))
    }
}

struct Open {
    pack: Arc<LoadedPack>,
    running: Mutex<Running>,
}

/// The instance, and whose answer lies in its memory.
struct Running {
    warm: Warm,
    questions: u64,
    last: u64,
}

impl Subject for Open {
    fn version(&self) -> String {
        self.pack.identity().engine_version.clone()
    }

    fn question<'s>(&'s self, request: &'s Request) -> Result<Box<dyn Question + 's>, Unavailable> {
        let prepared = self.pack.prepare(&request.payload, request.now)?;
        let input = Input::of(&self.pack.view(&prepared, request.now, None)?)?;
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.questions += 1;
        Ok(Box::new(Evaluation {
            running: &self.running,
            number: running.questions,
            input,
            answered: None,
            text: String::new(),
            answer: Answer::unasked(),
        }))
    }
}

struct Evaluation<'s> {
    running: &'s Mutex<Running>,
    number: u64,
    input: Input,
    answered: Option<Result<Answered, Fault>>,
    /// The text that was read last, and what it says.
    text: String,
    answer: Answer,
}

impl Evaluation<'_> {
    /// What the last evaluation came to: compared as the text it is, and read only if it is another than before.
    fn read(&mut self) -> &Answer {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.last != self.number && matches!(self.answered, Some(Ok(_))) {
            // Another question has been put over the answer, as in a batch: outside the clock it is asked for again.
            running.last = self.number;
            self.answered = Some(running.warm.opa_eval(&self.input));
        }
        let found = match &self.answered {
            Some(Ok(at)) => running.warm.text(*at).map(|text| (*at, text)),
            Some(Err(fault)) => Err(fault.clone()),
            None => return &self.answer,
        };
        match found {
            Ok((_, text)) if text == self.text => {}
            Ok((at, text)) => {
                text.clone_into(&mut self.text);
                self.answer = Answer::read(decision(&running.warm, at));
            }
            Err(fault) => {
                self.text.clear();
                self.answer = Answer::Failed(fault.to_string());
            }
        }
        &self.answer
    }
}

impl Question for Evaluation<'_> {
    fn ask(&mut self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.last = self.number;
        self.answered = Some(running.warm.opa_eval(&self.input));
    }

    fn answer(&mut self) -> Answer {
        self.read().clone()
    }

    fn came_to(&mut self, expected: &Answer) -> bool {
        self.read().repeats(expected)
    }
}

/// The decision that a module's answer is.
fn decision(warm: &Warm, at: Answered) -> Result<Decision, Fault> {
    let undefined = || Fault::new(FaultKind::UndefinedDecision, "the entrypoint is undefined");
    Decision::from_wire(&warm.value(at)?.ok_or_else(undefined)?)
}
