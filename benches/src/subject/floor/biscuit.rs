//! A cloned builder that was parsed before, with the facts of the request in place, built, authorized and asked the pack's
//! queries.

use std::sync::Arc;

use tribunal::Fault;
use tribunal::biscuit::bare::{Bare, Ready};
use tribunal::core::dispatch::LoadedPack;
use tribunal_conformance::Runner;

use crate::subject::{Answer, Candidate, Kind, Question, Request, Site, Subject, Unavailable};

const ENGINE: &str = "biscuit";

#[derive(Debug)]
pub(super) struct Authorize;

impl Candidate for Authorize {
    fn name(&self) -> &str {
        "floor:biscuit-auth"
    }

    fn engine(&self) -> &str {
        ENGINE
    }

    fn kind(&self) -> Kind {
        Kind::Floor
    }

    fn about(&self) -> &str {
        "a pre-parsed builder with the facts in place: clone, build, authorize, query"
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
        if request.token.is_some() {
            return Err(Unavailable::NotApplicable("the floor is measured without a token".to_owned()));
        }
        let prepared = self.pack.prepare(&request.payload, request.now)?;
        let ready = self.bare.ready(&self.pack.view(&prepared, request.now, None)?)?;
        Ok(Box::new(Evaluation { ready, allows: None }))
    }
}

struct Evaluation<'s> {
    ready: Ready<'s>,
    allows: Option<Result<bool, Fault>>,
}

impl Question for Evaluation<'_> {
    fn ask(&mut self) {
        self.allows = Some(self.ready.authorize());
    }

    fn answer(&mut self) -> Answer {
        Answer::Allows(matches!(self.allows, Some(Ok(true))))
    }
}
