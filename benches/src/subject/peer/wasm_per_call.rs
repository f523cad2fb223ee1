//! The module as the seed library runs it: compiled once, and for each decision linked, instantiated, given its data, and asked
//! for its entrypoint by name. Nothing limits it, which is in its favour ([`per_call`]).
//!
//! [`per_call`]: tribunal::wasm::bare::per_call

use std::sync::Arc;

use tribunal::core::dispatch::LoadedPack;
use tribunal::wasm::bare::Input;
use tribunal::wasm::bare::per_call::PerCall;
use tribunal::{Decision, Fault, FaultKind};
use tribunal_conformance::Runner;

use crate::subject::{Answer, Candidate, Kind, Question, Request, Site, Subject, Unavailable};

const ENGINE: &str = "rego-wasm";

#[derive(Debug)]
pub(super) struct WasmPerCall;

impl Candidate for WasmPerCall {
    fn name(&self) -> &str {
        "peer:wasm-per-call"
    }

    fn engine(&self) -> &str {
        ENGINE
    }

    fn kind(&self) -> Kind {
        Kind::Peer
    }

    fn about(&self) -> &str {
        "a compiled module, for each decision linked, instantiated, given its data and asked, without limits"
    }

    fn loads(&self) -> bool {
        false
    }

    fn open(&self, site: &Site) -> Result<Box<dyn Subject>, Unavailable> {
        let source = site.source()?;
        let module = PerCall::load(&source)?;
        let pack = Runner::load(source, ENGINE, &site.context, &site.registry)?.loaded();
        Ok(Box::new(Open { module, pack }))
    }
}

struct Open {
    module: PerCall,
    pack: Arc<LoadedPack>,
}

impl Subject for Open {
    fn version(&self) -> String {
        self.pack.identity().engine_version.clone()
    }

    fn question<'s>(&'s self, request: &'s Request) -> Result<Box<dyn Question + 's>, Unavailable> {
        let prepared = self.pack.prepare(&request.payload, request.now)?;
        let input = Input::of(&self.pack.view(&prepared, request.now, None)?)?;
        Ok(Box::new(Instantiation { module: &self.module, input, decision: None }))
    }
}

struct Instantiation<'s> {
    module: &'s PerCall,
    input: Input,
    decision: Option<Result<Decision, Fault>>,
}

impl Instantiation<'_> {
    fn decide(&self) -> Result<Decision, Fault> {
        let undefined = || Fault::new(FaultKind::UndefinedDecision, "the entrypoint is undefined");
        Decision::from_wire(&self.module.decide(&self.input)?.ok_or_else(undefined)?)
    }
}

impl Question for Instantiation<'_> {
    fn ask(&mut self) {
        self.decision = Some(self.decide());
    }

    fn answer(&mut self) -> Answer {
        self.decision.clone().map_or_else(Answer::unasked, Answer::read)
    }
}
