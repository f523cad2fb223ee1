//! The module as the seed library runs it: compiled once, and for each decision instantiated, given its data, and asked.

use std::sync::Arc;

use tribunal::core::dispatch::LoadedPack;
use tribunal::wasm::bare::Bare;
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
        "a compiled module, instantiated, given its data and evaluated for each decision"
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
        Ok(Box::new(PerCall { bare: &self.bare, input, decision: None }))
    }
}

struct PerCall<'s> {
    bare: &'s Bare,
    input: Vec<u8>,
    decision: Option<Result<Decision, Fault>>,
}

impl PerCall<'_> {
    fn decide(&self) -> Result<Decision, Fault> {
        let mut warm = self.bare.start()?;
        let at = warm.opa_eval(&self.input)?;
        let undefined = || Fault::new(FaultKind::UndefinedDecision, "the entrypoint is undefined");
        Decision::from_wire(&warm.value(at)?.ok_or_else(undefined)?)
    }
}

impl Question for PerCall<'_> {
    fn ask(&mut self) {
        self.decision = Some(self.decide());
    }

    fn answer(&mut self) -> Answer {
        match &self.decision {
            Some(Ok(decision)) => Answer::Effect(decision.effect),
            Some(Err(_)) | None => Answer::Allows(false),
        }
    }
}
