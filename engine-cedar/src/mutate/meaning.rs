//! What a policy comes to, so that an edit which changes nothing is known for one.

use std::collections::BTreeSet;

use cedar_policy::{EntityUid, Policy, Schema, Validator};
use cedar_policy_core::ast::{
    ActionConstraint, EntityReference, EntityType, EntityUID, Expr, PrincipalOrResourceConstraint,
};
use cedar_policy_core::validator::ValidatorSchema;
use tribunal_engine_core::contract::Pointer;
use tribunal_engine_core::engine::LoadError;
use tribunal_engine_core::pack::PackSource;

use crate::annotations::{self, Kind};
use crate::schema::RequestTypes;

/// What a policy does, and whom it is for. Two policies of the same meaning decide every request alike; two that do so may
/// still differ here.
#[derive(PartialEq)]
pub(super) struct Meaning<'m> {
    kind: Kind,
    /// The actions with the types of principal and resource that get past the scope, of those a request can have.
    asked: BTreeSet<(&'m str, &'m EntityType, &'m EntityType)>,
    principal: Option<(Relation, EntityUID)>,
    resource: Option<(Relation, EntityUID)>,
    condition: Option<Expr>,
}

#[derive(PartialEq)]
enum Relation {
    Is,
    In,
}

/// What meanings are told by.
pub(super) struct Meanings<'m> {
    pub(super) validator: Validator,
    schema: &'m ValidatorSchema,
    types: &'m RequestTypes,
    redactable: &'m [Pointer],
    /// Every action of the schema, sorted.
    actions: Vec<&'m EntityUID>,
}

impl<'m> Meanings<'m> {
    pub(super) fn new(pack: &'m PackSource, schema: &'m Schema, types: &'m RequestTypes) -> Self {
        let validator_schema: &ValidatorSchema = schema.as_ref();
        let mut actions: Vec<&EntityUID> =
            validator_schema.action_ids().map(|action| action.name()).collect();
        actions.sort();
        Self {
            validator: Validator::new(schema.clone()),
            schema: validator_schema,
            types,
            redactable: &pack.manifest.redactable,
            actions,
        }
    }

    /// What a policy means; `None` if its annotations mean nothing.
    pub(super) fn of(&self, policy: &Policy) -> Option<Meaning<'m>> {
        let policy = policy.as_ref();
        let mut errors = Vec::new();
        let error = |_, kind, message| LoadError::new(kind, message);
        let annotations = annotations::read(policy, self.redactable, &error, &mut errors);
        if !errors.is_empty() {
            return None;
        }
        let (principal, resource) = (policy.principal_constraint(), policy.resource_constraint());
        let (principal, resource) = (principal.as_inner(), resource.as_inner());
        let fits = |constraint: &PrincipalOrResourceConstraint, entity_type: &EntityType| match constraint {
            PrincipalOrResourceConstraint::Is(wanted) | PrincipalOrResourceConstraint::IsIn(wanted, _) => {
                **wanted == *entity_type
            }
            _ => true,
        };
        let of_requests = |entity_type: &&EntityType| {
            self.types.entities.values().any(|of| of.entity_type == **entity_type)
        };
        let mut asked = BTreeSet::new();
        for (name, action) in &self.types.actions {
            if !self.allows(policy.action_constraint(), &action.uid) {
                continue;
            }
            for asks in action.principals.iter().filter(of_requests).filter(|asks| fits(principal, asks)) {
                let asked_for = action.resources.iter().filter(of_requests);
                asked.extend(asked_for.filter(|of| fits(resource, of)).map(|of| (name.as_str(), asks, of)));
            }
        }
        Some(Meaning {
            kind: annotations.kind,
            asked,
            principal: entity(principal),
            resource: entity(resource),
            condition: policy.non_scope_constraints().cloned(),
        })
    }

    fn allows(&self, constraint: &ActionConstraint, action: &EntityUID) -> bool {
        match constraint {
            ActionConstraint::Any => true,
            ActionConstraint::Eq(uid) => **uid == *action,
            ActionConstraint::In(uids) => uids.iter().any(|uid| {
                let group = self.schema.get_action_id(uid);
                **uid == *action
                    || group.is_some_and(|group| group.descendants().any(|member| member == action))
            }),
        }
    }

    /// Whether anything but an entity itself can be in it.
    pub(super) fn has_members(&self, uid: &EntityUid) -> bool {
        let uid: &EntityUID = uid.as_ref();
        match self.schema.get_action_id(uid) {
            Some(action) => action.descendants().next().is_some(),
            None => self
                .schema
                .get_entity_type(uid.entity_type())
                .is_some_and(|declared| !declared.descendants.is_empty()),
        }
    }

    /// The other actions of the schema, those first that sort after this one; none for what is no action.
    pub(super) fn other_actions(&self, uid: &EntityUid) -> Vec<String> {
        let uid: &EntityUID = uid.as_ref();
        let Ok(position) = self.actions.binary_search(&uid) else { return Vec::new() };
        let (before, from) = self.actions.split_at(position);
        from.iter().skip(1).chain(before).map(ToString::to_string).collect()
    }
}

fn entity(constraint: &PrincipalOrResourceConstraint) -> Option<(Relation, EntityUID)> {
    let (relation, entity) = match constraint {
        PrincipalOrResourceConstraint::Any | PrincipalOrResourceConstraint::Is(_) => return None,
        PrincipalOrResourceConstraint::Eq(entity) => (Relation::Is, entity),
        PrincipalOrResourceConstraint::In(entity) | PrincipalOrResourceConstraint::IsIn(_, entity) => {
            (Relation::In, entity)
        }
    };
    match entity {
        EntityReference::EUID(uid) => Some((relation, uid.as_ref().clone())),
        EntityReference::Slot(_) => None,
    }
}
