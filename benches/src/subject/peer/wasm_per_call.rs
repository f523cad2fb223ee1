//! The module as the seed library runs it: compiled once, and for each decision instantiated, given its data, and asked.
//!
//! What differs from the seed: fuel is counted and memory is limited, as in our engine, since a policy that nothing bounds is
//! no peer. On the other hand it is spared what need not be done for each decision: the linker, the entrypoint's number and the
//! text of the data and the input are made ready once, and no decision changes threads.

use std::sync::Arc;

use tribunal::core::dispatch::LoadedPack;
use tribunal::wasm::bare::{Bare, Input};
use tribunal::{Decision, Fault};
use tribunal_conformance::Runner;

use crate::subject::floor::wasm::decision;
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
        "a compiled and linked module, under limits, instantiated, given its data and asked for each decision"
    }

    fn loads(&self) -> bool {
        false
    }

    fn open(&self, site: &Site) -> Result<Box<dyn Subject>, Unavailable> {
        let source = site.source()?;
        let bare = Bare::load(&source, &site.within_limits(&source))?;
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
        let input = Input::of(&self.pack.view(&prepared, request.now, None)?)?;
        Ok(Box::new(PerCall { bare: &self.bare, input, decision: None }))
    }
}

struct PerCall<'s> {
    bare: &'s Bare,
    input: Input,
    decision: Option<Result<Decision, Fault>>,
}

impl PerCall<'_> {
    fn decide(&self) -> Result<Decision, Fault> {
        let mut warm = self.bare.start()?;
        let at = warm.opa_eval(&self.input)?;
        decision(&warm, at)
    }
}

impl Question for PerCall<'_> {
    fn ask(&mut self) {
        self.decision = Some(self.decide());
    }

    fn answer(&mut self) -> Answer {
        self.decision.clone().map_or_else(Answer::unasked, Answer::read)
    }
}
