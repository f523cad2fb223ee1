//! A request as Cedar sees it: principal, action, resource and context, each of the type that the schema wants.

use std::sync::Arc;

use cedar_policy_core::ast::{self, Eid, Entity, EntityUID, EntityUIDEntry};
use serde_json::{Map, Value};
use tribunal_engine_core::engine::Prepared;
use tribunal_engine_core::fault::{Fault, FaultKind};
use tribunal_engine_core::pack::Shape;

use crate::convert::{self, Mismatch, Record};
use crate::entities::{Name, StaticEntities};
use crate::schema::{RequestEntityType, RequestTypes};

/// Under this name stand `action.properties`: Cedar's actions have no attributes of their own.
pub(crate) const ACTION_PROPERTIES: &str = "action_properties";

/// The members of a request that are not context.
pub(crate) const IDENTITY: [&str; 3] = ["subject", "action", "resource"];

/// A request, converted.
pub(crate) struct Asked {
    pub(crate) principal: EntityUID,
    pub(crate) action: EntityUID,
    pub(crate) resource: EntityUID,
    /// Principal and resource; one entity if they are the same.
    pub(crate) entities: Vec<Arc<Entity>>,
    pub(crate) request: ast::Request,
}

/// Converts a request.
///
/// # Errors
/// [`FaultKind::Unrepresentable`] for what the schema has no place for; [`FaultKind::EntityConflict`] for properties that are
/// also static attributes.
pub(crate) fn convert(
    request: &Prepared<'_>,
    types: &RequestTypes,
    statics: &StaticEntities,
) -> Result<Asked, Fault> {
    let payload = request.payload().as_object().ok_or_else(|| unrepresentable("a request is an object"))?;
    let named = request.named();

    let action = member(payload, "action")?;
    let name = text(action, "action", "name")?;
    let action_type = types.actions.get(name).ok_or_else(|| {
        unrepresentable(format!("schema.cedarschema has no action `{name}` that applies to anything"))
    })?;

    let subject = Party::read(payload, named, "subject", types)?;
    let resource = Party::read(payload, named, "resource", types)?;
    for (party, allowed) in [(&subject, &action_type.principals), (&resource, &action_type.resources)] {
        if !allowed.contains(&party.of.entity_type) {
            let detail = format!(
                "the action `{name}` does not apply to a {} of type `{}`",
                party.role, party.of.entity_type
            );
            return Err(unrepresentable(detail));
        }
    }

    let mut principal_attributes = subject.attributes()?;
    let resource_attributes = resource.attributes()?;
    let entities = if subject.uid == resource.uid {
        // One entity plays both parts, so it has the properties of both; neither part may overrule the other.
        for (name, value) in resource_attributes {
            match principal_attributes.get(&name) {
                Some(other) if *other != value => {
                    let detail = format!("subject and resource are the same entity and differ in `{name}`");
                    return Err(Fault::new(FaultKind::EntityConflict, detail));
                }
                _ => principal_attributes.insert(name, value),
            };
        }
        vec![subject.entity(principal_attributes, statics)?]
    } else {
        vec![subject.entity(principal_attributes, statics)?, resource.entity(resource_attributes, statics)?]
    };

    let members = context(payload, named)?;
    let context: Record<Name> = convert::record(members, &action_type.context)
        .map_err(|mismatch| refused(mismatch.within("context")))?;
    convert::missing(&action_type.context, |name| context.contains_key(name))
        .map_err(|mismatch| refused(mismatch.within("context")))?;

    let known = |uid: &EntityUID| EntityUIDEntry::known(uid.clone(), None);
    let request = ast::Request::new_unchecked(
        known(&subject.uid),
        known(&action_type.uid),
        known(&resource.uid),
        Some(ast::Context::Value(Arc::new(context))),
    );
    Ok(Asked {
        principal: subject.uid,
        action: action_type.uid.clone(),
        resource: resource.uid,
        entities,
        request,
    })
}

/// Whoever asks, or what is asked for.
struct Party<'r> {
    role: &'static str,
    of: &'r RequestEntityType,
    uid: EntityUID,
    properties: Option<(&'r Map<String, Value>, Shape<'r>)>,
}

impl<'r> Party<'r> {
    fn read(
        payload: &'r Map<String, Value>,
        named: Shape<'r>,
        role: &'static str,
        types: &'r RequestTypes,
    ) -> Result<Self, Fault> {
        let party = member(payload, role)?;
        let type_name = text(party, role, "type")?;
        let id = text(party, role, "id")?;
        let of = types.entities.get(type_name).ok_or_else(|| {
            unrepresentable(format!("`types` in pack.yaml has no `{type_name}`, the type of this {role}"))
        })?;
        if of.ids.as_ref().is_some_and(|ids| !ids.contains(id)) {
            return Err(unrepresentable(format!(
                "schema.cedarschema has no `{}` with the id of this {role}",
                of.entity_type
            )));
        }
        let shape = named.member(role).and_then(|shape| shape.member("properties"));
        let properties = match (party.get("properties"), shape) {
            (Some(Value::Object(properties)), Some(shape)) => Some((properties, shape)),
            (Some(_), Some(_)) => {
                return Err(unrepresentable(format!("`properties` of the {role} is not an object")));
            }
            _ => None,
        };
        let uid = EntityUID::from_components(of.entity_type.clone(), Eid::new(id), None);
        Ok(Self { role, of, uid, properties })
    }

    /// The properties that the input schema names, as attributes.
    fn attributes(&self) -> Result<Record<Name>, Fault> {
        let Some((properties, shape)) = self.properties else { return Ok(Record::new()) };
        let named = named_members(properties, shape);
        convert::record(named, &self.of.attributes)
            .map_err(|mismatch| refused(mismatch.within("properties").within(self.role)))
    }

    fn entity(&self, attributes: Record<Name>, statics: &StaticEntities) -> Result<Arc<Entity>, Fault> {
        // Static entities have been checked at load.
        if !statics.contains(&self.uid) {
            convert::missing(&self.of.attributes, |name| attributes.contains_key(name))
                .map_err(|mismatch| refused(mismatch.within("properties").within(self.role)))?;
        }
        statics.requested(self.uid.clone(), attributes)
    }
}

/// What stands in Cedar's context: the members of `context`, and beside them every other named member of the payload.
fn context<'r>(
    payload: &'r Map<String, Value>,
    named: Shape<'r>,
) -> Result<Vec<(&'r str, &'r Value, Shape<'r>)>, Fault> {
    let mut members: Vec<(&str, &Value, Shape<'_>)> = Vec::new();
    for (name, value, shape) in named_members(payload, named) {
        match (name, value) {
            ("context", Value::Object(inner)) => members.extend(named_members(inner, shape)),
            ("context", _) => return Err(unrepresentable("`context` is not an object")),
            (name, _) if IDENTITY.contains(&name) => {}
            _ => members.push((name, value, shape)),
        }
    }
    let action = payload.get("action").and_then(|action| action.get("properties"));
    let shape = named.member("action").and_then(|shape| shape.member("properties"));
    if let (Some(properties), Some(shape)) = (action, shape) {
        members.push((ACTION_PROPERTIES, properties, shape));
    }
    let mut names: Vec<&str> = members.iter().map(|(name, ..)| *name).collect();
    names.sort_unstable();
    match names.iter().zip(names.iter().skip(1)).find(|(name, next)| name == next) {
        Some((name, _)) => Err(unrepresentable(format!("two members would be `{name}` of Cedar's context"))),
        None => Ok(members),
    }
}

/// The members of an object that the input schema names; `derived` always is.
fn named_members<'r>(
    members: &'r Map<String, Value>,
    shape: Shape<'r>,
) -> impl Iterator<Item = (&'r str, &'r Value, Shape<'r>)> {
    members.iter().filter_map(move |(name, value)| Some((name.as_str(), value, shape.member(name)?)))
}

fn member<'r>(payload: &'r Map<String, Value>, name: &str) -> Result<&'r Map<String, Value>, Fault> {
    payload
        .get(name)
        .and_then(Value::as_object)
        .ok_or_else(|| unrepresentable(format!("`{name}` is missing or not an object")))
}

fn text<'r>(members: &'r Map<String, Value>, of: &str, name: &str) -> Result<&'r str, Fault> {
    members
        .get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| unrepresentable(format!("`/{of}/{name}` is missing or not a text")))
}

fn refused(mismatch: Mismatch) -> Fault {
    unrepresentable(mismatch.to_string())
}

fn unrepresentable(detail: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Unrepresentable, detail)
}
