//! A cloned builder that was parsed before, with the facts of the request in place, built, authorized and asked the pack's
//! queries.
//!
//! The program is the pack's as it is written, and so are the facts: each member of the request and the data whole. Our engine
//! runs a projection of it, which asks for single members and is given only those. So our engine over this floor is what a
//! user of biscuit-auth gains or loses by us, and where the projection saves more than conversion and contract cost it is
//! below one.

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
        "the pack's program as written, parsed before, the facts in place: clone, build, authorize, query"
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
        match &self.allows {
            Some(Ok(allows)) => Answer::Allows(*allows),
            Some(Err(fault)) => Answer::Failed(fault.to_string()),
            None => Answer::unasked(),
        }
    }
}
