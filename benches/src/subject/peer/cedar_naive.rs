//! Cedar as its documentation shows it: for each decision the request is read with `Context::from_json_value`, and every
//! policy is evaluated. Entities, and the members that the host derives, are made ready.

use cedar_policy::{Entities, Response};

use crate::subject::floor::cedar::{ENGINE, Plain, refused, request, said};
use crate::subject::{Answer, Candidate, Kind, Question, Request, Site, Subject, Unavailable};

#[derive(Debug)]
pub(super) struct CedarNaive;

impl Candidate for CedarNaive {
    fn name(&self) -> &str {
        "peer:cedar-naive"
    }

    fn engine(&self) -> &str {
        ENGINE
    }

    fn kind(&self) -> Kind {
        Kind::Peer
    }

    fn about(&self) -> &str {
        "JSON read with `from_json_value`, then `is_authorized` over all policies"
    }

    fn loads(&self) -> bool {
        false
    }

    fn open(&self, site: &Site) -> Result<Box<dyn Subject>, Unavailable> {
        Ok(Box::new(Naive(Plain::open(site)?)))
    }
}

struct Naive(Plain);

impl Subject for Naive {
    fn version(&self) -> String {
        self.0.version()
    }

    fn question<'s>(&'s self, asked: &'s Request) -> Result<Box<dyn Question + 's>, Unavailable> {
        let question = self.0.question(asked)?;
        let (text, entities) = (question.request.to_string(), self.0.entities(&question)?);
        Ok(Box::new(Authorization { plain: &self.0, text, entities, response: None }))
    }
}

struct Authorization<'s> {
    plain: &'s Plain,
    text: String,
    entities: Entities,
    response: Option<Result<Response, Unavailable>>,
}

impl Authorization<'_> {
    fn decide(&self) -> Result<Response, Unavailable> {
        let json = serde_json::from_str(&self.text).map_err(|error| refused(&error))?;
        let request = request(json, None)?;
        Ok(self.plain.authorizer.is_authorized(&request, &self.plain.policies, &self.entities))
    }
}

impl Question for Authorization<'_> {
    fn ask(&mut self) {
        self.response = Some(self.decide());
    }

    fn answer(&mut self) -> Answer {
        match &self.response {
            Some(Ok(response)) => said(response),
            Some(Err(why)) => Answer::Failed(why.to_string()),
            None => Answer::unasked(),
        }
    }
}
