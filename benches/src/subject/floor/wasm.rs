//! The module's own `opa_eval`, on one warm instance under the engine's limits, given the input's bytes.

use std::sync::Arc;

use tribunal::core::dispatch::LoadedPack;
use tribunal::wasm::bare::{Answered, Bare, Warm};
use tribunal::{Decision, Fault};
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
        "one call of the module's `opa_eval` on a warm instance, the answer left in its memory"
    }

    fn loads(&self) -> bool {
        false
    }

    fn open(&self, site: &Site) -> Result<Box<dyn Subject>, Unavailable> {
        let source = site.source()?;
        let bare = Bare::load(&source, &site.context)?;
        let pack = Runner::load(source, ENGINE, &site.context, &site.registry)?.loaded();
        Ok(Box::new(Open { bare, pack }))
    }
}

struct Open {
    bare: Bare,
    pack: Arc<LoadedPack>,
}

impl Subject for Open {
    fn version(&self) -> String {
        self.pack.identity().engine_version.clone()
    }

    fn question<'s>(&'s self, request: &'s Request) -> Result<Box<dyn Question + 's>, Unavailable> {
        let prepared = self.pack.prepare(&request.payload, request.now)?;
        let input = prepared.to_string().into_bytes();
        Ok(Box::new(Evaluation { warm: self.bare.start()?, input, answered: None }))
    }
}

struct Evaluation {
    warm: Warm,
    input: Vec<u8>,
    answered: Option<Result<Answered, Fault>>,
}

impl Question for Evaluation {
    fn ask(&mut self) {
        self.answered = Some(self.warm.opa_eval(&self.input));
    }

    fn answer(&mut self) -> Answer {
        let value = match &self.answered {
            Some(Ok(at)) => self.warm.value(*at),
            Some(Err(fault)) => Err(fault.clone()),
            None => Ok(None),
        };
        match value {
            Ok(Some(value)) => decided(Decision::from_wire(&value)),
            Ok(None) => Answer::Allows(false),
            Err(fault) => decided(Err(fault)),
        }
    }
}

/// What a policy says before dispatch holds it to the contract.
pub(crate) fn decided(decision: Result<Decision, Fault>) -> Answer {
    decision.map_or(Answer::Allows(false), |decision| Answer::Effect(decision.effect))
}
