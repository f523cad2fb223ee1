//! OPA's own server, asked over a Unix socket on a connection that stays open.

use std::sync::Arc;

use tribunal::Fault;
use tribunal::core::dispatch::LoadedPack;
use tribunal::core::engine::{Engine, Verdict};
use tribunal_conformance::Runner;
use tribunal_conformance::reference::{self, ReferenceError};

use crate::subject::{Answer, Candidate, Kind, Question, Request, Site, Subject, Unavailable};

#[derive(Debug)]
pub(super) struct OpaServer;

impl Candidate for OpaServer {
    fn name(&self) -> &str {
        "peer:opa-server"
    }

    fn engine(&self) -> &str {
        "rego-native"
    }

    fn kind(&self) -> Kind {
        Kind::Peer
    }

    fn about(&self) -> &str {
        "`opa run --server`, asked over a Unix socket that stays open"
    }

    fn loads(&self) -> bool {
        false
    }

    fn open(&self, site: &Site) -> Result<Box<dyn Subject>, Unavailable> {
        let source = site.source()?;
        let reference = reference::opa(&source, None)?;
        let pack = Runner::load(source, reference.stands_for, &site.context, &site.registry)?.loaded();
        Ok(Box::new(Open { version: reference.version, server: reference.loaded, pack }))
    }
}

impl From<ReferenceError> for Unavailable {
    fn from(error: ReferenceError) -> Self {
        let message = error.to_string();
        match error {
            ReferenceError::NotInstalled { .. }
            | ReferenceError::OtherVersion { .. }
            | ReferenceError::NotBuilt { .. } => Unavailable::Missing(message),
            ReferenceError::NotOffered { .. } | ReferenceError::Unsettled { .. } => {
                Unavailable::NotApplicable(message)
            }
            ReferenceError::Refused(_) => Unavailable::Refused(message),
            ReferenceError::DidNotStart(_) | ReferenceError::Io(_) => Unavailable::Failed(message),
        }
    }
}

struct Open {
    version: String,
    server: Arc<dyn Engine>,
    pack: Arc<LoadedPack>,
}

impl Subject for Open {
    fn version(&self) -> String {
        self.version.clone()
    }

    fn question<'s>(&'s self, request: &'s Request) -> Result<Box<dyn Question + 's>, Unavailable> {
        let prepared = self.pack.prepare(&request.payload, request.now)?.into_owned();
        Ok(Box::new(Exchange { open: self, prepared, request, verdict: None }))
    }
}

struct Exchange<'s> {
    open: &'s Open,
    prepared: serde_json::Value,
    request: &'s Request,
    verdict: Option<Result<Verdict, Fault>>,
}

impl Question for Exchange<'_> {
    fn ask(&mut self) {
        let view = self.open.pack.view(&self.prepared, self.request.now, None);
        self.verdict = Some(view.and_then(|view| self.open.server.decide(&view)));
    }

    fn answer(&mut self) -> Answer {
        match &self.verdict {
            Some(Ok(verdict)) => Answer::Effect(verdict.decision.effect),
            Some(Err(fault)) => Answer::Failed(fault.to_string()),
            None => Answer::unasked(),
        }
    }
}
