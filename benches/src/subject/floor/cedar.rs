//! `is_authorized` of cedar-policy with a request, entities and all policies that were built before.

use tribunal::cedar::reference::{Question as CedarQuestion, Reference, Which};
use tribunal_conformance::Runner;

use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request as CedarRequest, Response, Schema,
};
use serde_json::Value;
use tribunal::core::dispatch::LoadedPack;

use crate::subject::{Answer, Candidate, Kind, Question, Request, Site, Subject, Unavailable};

pub(crate) const ENGINE: &str = "cedar";

#[derive(Debug)]
pub(super) struct IsAuthorized;

impl Candidate for IsAuthorized {
    fn name(&self) -> &str {
        "floor:cedar-policy"
    }

    fn engine(&self) -> &str {
        ENGINE
    }

    fn kind(&self) -> Kind {
        Kind::Floor
    }

    fn about(&self) -> &str {
        "`is_authorized` on a request, entities and all policies that were built before"
    }

    fn loads(&self) -> bool {
        false
    }

    fn open(&self, site: &Site) -> Result<Box<dyn Subject>, Unavailable> {
        Ok(Box::new(Plain::open(site)?))
    }
}

/// A pack as cedar-policy itself takes it.
pub(crate) struct Plain {
    pub(crate) pack: Arc<LoadedPack>,
    pub(crate) policies: PolicySet,
    pub(crate) schema: Schema,
    reference: Reference,
    pub(crate) authorizer: Authorizer,
}

impl Plain {
    pub(crate) fn open(site: &Site) -> Result<Self, Unavailable> {
        let source = site.source()?;
        let reference = Reference::read(&source)?;
        let text = format!("{}\n{}", reference.policies(Which::Hard), reference.policies(Which::Soft));
        let policies = text.parse().map_err(|error| refused(&error))?;
        let (schema, _) =
            Schema::from_cedarschema_str(reference.schema()).map_err(|error| refused(&error))?;
        let pack = Runner::load(source, ENGINE, &site.context, &site.registry)?.loaded();
        Ok(Self { pack, policies, schema, reference, authorizer: Authorizer::new() })
    }

    /// A request in Cedar's own JSON.
    pub(crate) fn question(&self, request: &Request) -> Result<CedarQuestion, Unavailable> {
        let prepared = self.pack.prepare(&request.payload, request.now)?;
        Ok(self.reference.question(&self.pack.view(&prepared, request.now, None)?)?)
    }

    pub(crate) fn entities(&self, question: &CedarQuestion) -> Result<Entities, Unavailable> {
        Entities::from_json_value(question.entities.clone(), Some(&self.schema))
            .map_err(|error| refused(&error))
    }
}

pub(crate) fn refused(error: &dyn std::fmt::Display) -> Unavailable {
    Unavailable::Refused(error.to_string())
}

/// A request out of Cedar's JSON, by Cedar's own readers. With a schema the context is read by its types.
pub(crate) fn request(mut json: Value, schema: Option<&Schema>) -> Result<CedarRequest, Unavailable> {
    let context = json.get_mut("context").map_or(Value::Null, Value::take);
    let uid = |member: &str| -> Result<EntityUid, Unavailable> {
        let text = json.get(member).and_then(Value::as_str).unwrap_or_default();
        EntityUid::from_str(text).map_err(|error| refused(&error))
    };
    let action = uid("action")?;
    let context = Context::from_json_value(context, schema.map(|schema| (schema, &action)))
        .map_err(|error| refused(&error))?;
    CedarRequest::new(uid("principal")?, action, uid("resource")?, context, None)
        .map_err(|error| refused(&error))
}

impl Subject for Plain {
    fn version(&self) -> String {
        self.pack.identity().engine_version.clone()
    }

    fn question<'s>(&'s self, asked: &'s Request) -> Result<Box<dyn Question + 's>, Unavailable> {
        let question = self.question(asked)?;
        let entities = self.entities(&question)?;
        let request = request(question.request, Some(&self.schema))?;
        Ok(Box::new(Authorization { plain: self, request, entities, response: None }))
    }
}

struct Authorization<'s> {
    plain: &'s Plain,
    request: CedarRequest,
    entities: Entities,
    response: Option<Response>,
}

impl Question for Authorization<'_> {
    fn ask(&mut self) {
        let Plain { authorizer, policies, .. } = self.plain;
        self.response = Some(authorizer.is_authorized(&self.request, policies, &self.entities));
    }

    fn answer(&mut self) -> Answer {
        self.response.as_ref().map_or_else(Answer::unasked, said)
    }
}

/// Whether it allows. A policy that was skipped on the way there, since it could not be evaluated, is a failure.
pub(crate) fn said(response: &Response) -> Answer {
    match response.diagnostics().errors().next() {
        Some(error) => Answer::Failed(error.to_string()),
        None => Answer::Allows(response.decision() == Decision::Allow),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_that_was_skipped_is_neither_an_allow_nor_a_denial() {
        let asked = json!({
            "principal": "Agent::\"a\"", "action": "Action::\"b\"", "resource": "Tool::\"c\"",
            "context": {"risk": 3},
        });
        let request = request(asked, None).unwrap();
        let said = |policies: &str| {
            let policies: PolicySet = policies.parse().unwrap();
            said(&Authorizer::new().is_authorized(&request, &policies, &Entities::empty()))
        };
        assert_eq!(
            said("permit (principal, action, resource) when { context.risk < 4 };"),
            Answer::Allows(true)
        );
        assert_eq!(
            said("permit (principal, action, resource) when { context.risk < 3 };"),
            Answer::Allows(false)
        );
        for skipped in [
            "permit (principal, action, resource) when { context.other < 4 };",
            "permit (principal, action, resource); forbid (principal, action, resource) when { context.other < 4 };",
        ] {
            assert!(matches!(said(skipped), Answer::Failed(_)), "{skipped}");
        }
    }
}
