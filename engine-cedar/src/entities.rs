//! Static entities, and the small store of one request.
//!
//! Cedar evaluates over one store, and adding an entity to a large one costs time in proportion to it. So each request gets a
//! store of its own with its principal, its resource, and those static entities that an evaluation can reach. It can look
//! into an entity only after it got hold of it: as principal, action or resource, as a literal of the policy, or as an
//! attribute or tag of one it has. `in` looks into its left side alone, whose ancestors the entity itself holds. That set
//! is followed here, so every answer is that of the whole store, at a cost that does not grow with the store. An entity without
//! attributes, tags and ancestors is left out: to an evaluation it is one that is not there, which has none of them either.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use cedar_policy::Entities;
use cedar_policy_core::ast::{
    BinaryOp, Entity, EntityUID, Expr, ExprKind, Literal, PartialValue, Value as Cedar,
};
use cedar_policy_core::entities::{self as core, NoEntitiesSchema, TCComputation};
use cedar_policy_core::extensions::Extensions;
use foldhash::fast::RandomState;
use tribunal_engine_core::fault::{Fault, FaultKind};

use crate::convert::Record;

/// The static entities of a pack.
pub(crate) const FILE: &str = "entities.json";

/// The name of an attribute, as Cedar holds it.
pub(crate) type Name = smol_str::SmolStr;

/// Static entities, by id; shared by all requests.
#[derive(Debug, Clone, Default)]
pub(crate) struct StaticEntities(HashMap<EntityUID, Held, RandomState>);

#[derive(Debug, Clone)]
struct Held {
    entity: Arc<Entity>,
    /// The static entities that its attributes and tags name.
    refers_to: Vec<EntityUID>,
}

impl StaticEntities {
    /// The entities of a store, whose ancestors are complete.
    pub(crate) fn new(store: Entities) -> Self {
        let store: &core::Entities = store.as_ref();
        let known: HashSet<&EntityUID> = store.iter().map(Entity::uid).collect();
        let held = store.iter().map(|entity| {
            let refers_to: Vec<EntityUID> =
                references(entity).into_iter().filter(|uid| known.contains(uid)).collect();
            (entity.uid().clone(), Held { entity: Arc::new(entity.clone()), refers_to })
        });
        Self(held.collect())
    }

    /// Puts an entity in place that refers to no other.
    pub(crate) fn insert(&mut self, entity: Entity) {
        self.0.insert(entity.uid().clone(), Held { entity: Arc::new(entity), refers_to: Vec::new() });
    }

    /// Every entity.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entity> {
        self.0.values().map(|held| held.entity.as_ref())
    }

    pub(crate) fn contains(&self, uid: &EntityUID) -> bool {
        self.0.contains_key(uid)
    }

    /// The entity of a request: what is held statically, and the request's attributes, which are others.
    ///
    /// # Errors
    /// [`FaultKind::EntityConflict`] for an attribute that is held statically.
    pub(crate) fn requested(&self, uid: EntityUID, attributes: Record<Name>) -> Result<Arc<Entity>, Fault> {
        let Some(held) = self.0.get(&uid) else {
            let attributes = attributes.into_iter().map(|(name, value)| (name, PartialValue::Value(value)));
            let none = HashSet::new;
            return Ok(Arc::new(Entity::new_with_attr_partial_value(uid, attributes, none(), none(), [])));
        };
        if attributes.is_empty() {
            return Ok(Arc::clone(&held.entity));
        }
        let (uid, mut all, ancestors, parents, tags) = held.entity.as_ref().clone().into_inner();
        for (name, value) in attributes {
            if all.contains_key(&name) {
                let detail = format!("`{name}` is a static attribute of `{uid}`: a request cannot give it");
                return Err(Fault::new(FaultKind::EntityConflict, detail));
            }
            all.insert(name, PartialValue::Value(value));
        }
        Ok(Arc::new(Entity::new_with_attr_partial_value(uid, all, ancestors, parents, tags)))
    }

    /// The store of one request: its own entities, and every static one within reach of them and of `literals`.
    ///
    /// # Errors
    /// [`FaultKind::EvaluationError`] if Cedar cannot hold them, which should not be.
    pub(crate) fn store<'e>(
        &'e self,
        own: impl IntoIterator<Item = Arc<Entity>>,
        literals: impl IntoIterator<Item = &'e EntityUID>,
    ) -> Result<core::Entities, Fault> {
        let own: Vec<Arc<Entity>> = own.into_iter().collect();
        let mut seen: HashSet<&EntityUID, RandomState> = HashSet::default();
        let mut reached: Vec<Arc<Entity>> = Vec::new();
        let mut open: Vec<&EntityUID> = literals.into_iter().collect();
        for entity in &own {
            if seen.insert(entity.uid()) && !is_bare(entity) {
                reached.push(Arc::clone(entity));
            }
            // What a request adds are values without references.
            open.extend(self.0.get(entity.uid()).into_iter().flat_map(|held| &held.refers_to));
        }
        while let Some(uid) = open.pop() {
            if let Some(held) = self.0.get(uid)
                && seen.insert(uid)
                && !is_bare(&held.entity)
            {
                reached.push(Arc::clone(&held.entity));
                open.extend(&held.refers_to);
            }
        }
        core::Entities::new()
            .add_entities(
                reached,
                None::<&NoEntitiesSchema>,
                TCComputation::AssumeAlreadyComputed,
                Extensions::all_available(),
            )
            .map_err(|error| Fault::new(FaultKind::EvaluationError, error.to_string()))
    }
}

/// Whether there is nothing in an entity that an evaluation could look for.
fn is_bare(entity: &Entity) -> bool {
    entity.attrs().next().is_none() && entity.tags().next().is_none() && entity.ancestors().next().is_none()
}

/// An entity with attributes and nothing else.
pub(crate) fn plain(uid: EntityUID, attributes: BTreeMap<Name, Cedar>) -> Entity {
    let attributes = attributes.into_iter().map(|(name, value)| (name, PartialValue::Value(value)));
    Entity::new_with_attr_partial_value(uid, attributes, HashSet::new(), HashSet::new(), [])
}

/// The entities that an entity's attributes and tags name.
pub(crate) fn references(entity: &Entity) -> HashSet<EntityUID> {
    let values = entity.attrs().chain(entity.tags()).filter_map(|(_, value)| match value {
        PartialValue::Value(value) => Some(value.all_literal_uids()),
        PartialValue::Residual(_) => None,
    });
    values.flatten().collect()
}

/// The entity literals of a condition that its evaluation can look into. Others are compared, which needs no entity.
pub(crate) fn looked_into(condition: &Expr) -> HashSet<EntityUID> {
    let mut found = HashSet::new();
    for expression in condition.subexpressions() {
        match expression.expr_kind() {
            ExprKind::GetAttr { expr, .. }
            | ExprKind::HasAttr { expr, .. }
            | ExprKind::ExtHasAttr { expr, .. } => {
                could_be(expr, &mut found);
            }
            ExprKind::BinaryApp { op: BinaryOp::In | BinaryOp::GetTag | BinaryOp::HasTag, arg1, .. } => {
                could_be(arg1, &mut found)
            }
            _ => {}
        }
    }
    found
}

/// The literals that the value of an expression, or a value inside it, could be.
fn could_be(expression: &Expr, found: &mut HashSet<EntityUID>) {
    match expression.expr_kind() {
        ExprKind::Lit(Literal::EntityUID(uid)) => {
            found.insert(uid.as_ref().clone());
        }
        ExprKind::If { then_expr, else_expr, .. } => {
            could_be(then_expr, found);
            could_be(else_expr, found);
        }
        ExprKind::GetAttr { expr, .. } => could_be(expr, found),
        ExprKind::Record(members) => members.values().for_each(|member| could_be(member, found)),
        // No element of a set can be taken out of it; everything else gives a value without entities, or one that
        // comes from an entity or a variable.
        _ => {}
    }
}
