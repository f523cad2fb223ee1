//! Cedar's own answer to plain Cedar, from the index and evaluator that this engine decides with: what Cedar's tests are
//! run by.
//!
//! Those tests are no packs: their requests name entities that only Cedar's JSON can say, and expect policies that fail to
//! be skipped. So they are read by Cedar itself, and everything after that is this engine's.

use std::collections::BTreeSet;

use cedar_policy::{
    Context, Decision, Entities, EntityId, EntityTypeName, EntityUid, PolicyId, PolicySet, Request, Schema,
};
use serde_json::Value;

use crate::error::chain;
use crate::index::{Authorization, PolicyIndex};

/// Policies, schema and entities.
#[derive(Debug)]
pub struct Probe {
    schema: Schema,
    entities: Entities,
    index: PolicyIndex,
}

/// An entity's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uid {
    /// Its type, as `PhotoApp::User`.
    pub type_name: String,
    /// Its id.
    pub id: String,
}

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Who.
    pub principal: Uid,
    /// Does what.
    pub action: Uid,
    /// To what.
    pub resource: Uid,
    /// The context, in Cedar's JSON.
    pub context: Value,
    /// Whether the request has to fit the schema.
    pub validate: bool,
}

/// What Cedar says of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whether it is allowed.
    pub is_allowed: bool,
    /// The policies that determined that.
    pub reasons: BTreeSet<String>,
    /// The policies that failed.
    pub errors: BTreeSet<String>,
}

/// A text or a request that Cedar does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {message}")]
pub struct ProbeError {
    what: &'static str,
    message: String,
}

fn refused<E: std::error::Error>(what: &'static str) -> impl Fn(E) -> ProbeError {
    move |error| ProbeError { what, message: chain(&error) }
}

impl Probe {
    /// Reads policies, a schema in Cedar's syntax, and entities in JSON.
    ///
    /// # Errors
    /// Which of them Cedar does not take, and why.
    pub fn load(policies: &str, schema: &str, entities: &str) -> Result<Self, ProbeError> {
        let policies: PolicySet = policies.parse().map_err(refused("the policies"))?;
        let (schema, _) = Schema::from_cedarschema_str(schema).map_err(refused("the schema"))?;
        let entities = Entities::from_json_str(entities, Some(&schema)).map_err(refused("the entities"))?;
        let index = PolicyIndex::new(&policies, &entities);
        Ok(Self { schema, entities, index })
    }

    /// Answers a request.
    ///
    /// # Errors
    /// What makes it no request for Cedar.
    pub fn answer(&self, question: &Question) -> Result<Answer, ProbeError> {
        let action = uid(&question.action)?;
        let schema = question.validate.then_some(&self.schema);
        let context =
            Context::from_json_value(question.context.clone(), schema.map(|schema| (schema, &action)))
                .map_err(refused("the context"))?;
        let (principal, resource) = (uid(&question.principal)?, uid(&question.resource)?);
        let request =
            Request::new(principal, action, resource, context, schema).map_err(refused("the request"))?;
        let Authorization { decision, reasons, errors } = self.index.authorize(&request, &self.entities);
        let names = |ids: BTreeSet<PolicyId>| ids.iter().map(ToString::to_string).collect();
        Ok(Answer { is_allowed: decision == Decision::Allow, reasons: names(reasons), errors: names(errors) })
    }
}

fn uid(uid: &Uid) -> Result<EntityUid, ProbeError> {
    let type_name: EntityTypeName = uid.type_name.parse().map_err(refused("a type"))?;
    Ok(EntityUid::from_type_name_and_id(type_name, EntityId::new(&uid.id)))
}
