//! What the policies of a pack mention: the members of a request that they read, and what they hold these against.
//!
//! | in the policy | literal | form | place |
//! |---|---|---|---|
//! | `==`, `!=` | the constant; of a record, each member | whole | the other side |
//! | `<`, `<=`, `>`, `>=`, and these of decimals and times | the number or text | bound | the other side |
//! | `+`, `-`, `*`, and `==` with these | the number | bound | |
//! | `list.contains(x)`, `containsAll`, `containsAny` | `x`, or its elements | element | the list |
//! | `[x, y].contains(member)` | each element | whole | the member |
//! | `like` | the pattern as Cedar spells it | like | the text |
//! | `has` | the name | name | the object around it |
//! | `principal ==`, `in`, `resource ==`, `in` | id and type of an entity that requests can name | whole | `/subject/id`, … |
//! | `action ==`, `in` | the name; of a group, its actions' | whole | `/action/name` |
//! | `is` | the types in pack.yaml of that name | whole | `/subject/type`, `/resource/type` |
//! | anything else | a number or text | other | |
//!
//! The entities of entities.json that requests can name stand under a rule of that name: whom a policy's `in` means is
//! written there. What is compared with pack data or with other members of the request is no literal, only read.

use std::collections::BTreeSet;

use cedar_policy::Entity;
use cedar_policy_core::ast::{
    ActionConstraint, BinaryOp, EntityReference, EntityType, EntityUID, Expr, ExprKind, Literal as Constant,
    PrincipalOrResourceConstraint, UnaryOp, Var,
};
use cedar_policy_core::parser::Loc;
use cedar_policy_core::validator::ValidatorSchema;
use serde_json::Value;
use tribunal_engine_core::contract::Pointer;
use tribunal_engine_core::engine::{Form, Literal, RuleVocabulary, Vocabulary};
use tribunal_engine_core::location::Location;
use tribunal_engine_core::pack::{PackSource, Shape};

use crate::entities::{self, references};
use crate::policies::Read;
use crate::request::{ACTION_PROPERTIES, IDENTITY};
use crate::schema::RequestTypes;

const SUBJECT: &str = "subject";
const RESOURCE: &str = "resource";

/// What policies and static entities mention.
pub(crate) fn of(
    pack: &PackSource,
    schema: &cedar_policy::Schema,
    types: &RequestTypes,
    policies: &[Read<'_>],
    entities: &[(Entity, Location)],
) -> Vocabulary {
    let request = Request { named: pack.named(), types, schema: schema.as_ref() };
    let mut rules: Vec<RuleVocabulary> = policies.iter().map(|read| policy(request, read)).collect();
    let literals = hierarchy(types, entities);
    if !literals.is_empty() {
        rules.push(RuleVocabulary {
            rule: entities::FILE.to_owned(),
            location: Some(Location::new(pack.file_name(entities::FILE), 1, 1)),
            reads: BTreeSet::new(),
            literals,
        });
    }
    Vocabulary { rules }
}

/// The static entities that a request can name, and those that their attributes name.
fn hierarchy(types: &RequestTypes, entities: &[(Entity, Location)]) -> Vec<Literal> {
    let mut seen = BTreeSet::new();
    let mut literals = Vec::new();
    for (entity, location) in entities {
        let entity = entity.as_ref();
        let mut referred: Vec<EntityUID> = references(entity).into_iter().collect();
        referred.sort();
        for uid in [entity.uid().clone()].into_iter().chain(referred) {
            let of_type = uid.entity_type();
            if !types.entities.values().any(|of| of.entity_type == *of_type) {
                continue;
            }
            let asks = types.actions.values().any(|action| action.principals.contains(of_type));
            let is_asked_for = types.actions.values().any(|action| action.resources.contains(of_type));
            for (role, can_be) in [(SUBJECT, asks), (RESOURCE, is_asked_for)] {
                if can_be && seen.insert((role, uid.clone())) {
                    literals.push(Literal {
                        value: Value::from(id(&uid)),
                        form: Form::Whole,
                        place: Some(Pointer::from_tokens([role, "id"])),
                        location: Some(location.clone()),
                    });
                }
            }
        }
    }
    literals
}

fn policy(request: Request<'_>, read: &Read<'_>) -> RuleVocabulary {
    let mut miner = Miner { request, read, reads: BTreeSet::new(), literals: Vec::new() };
    let policy = read.policy.as_ref();
    miner.party(SUBJECT, policy.principal_constraint().as_inner());
    miner.action(policy.action_constraint());
    miner.party(RESOURCE, policy.resource_constraint().as_inner());
    if let Some(condition) = policy.non_scope_constraints() {
        miner.walk(condition);
    }
    RuleVocabulary {
        rule: read.rule.id.clone(),
        location: Some(read.rule.location.clone()),
        reads: miner.reads,
        literals: miner.literals,
    }
}

/// What a request can be.
#[derive(Clone, Copy)]
struct Request<'m> {
    named: Shape<'m>,
    types: &'m RequestTypes,
    schema: &'m ValidatorSchema,
}

/// What an expression is of the request.
#[derive(Debug, Clone)]
enum Place {
    /// The entity that `subject` or `resource` becomes.
    Party(&'static str),
    Action,
    Context,
    Member(Pointer),
}

impl<'m> Request<'m> {
    /// What an expression plainly is of the request.
    fn place(&self, expression: &Expr) -> Option<Place> {
        match expression.expr_kind() {
            ExprKind::Var(Var::Principal) => Some(Place::Party(SUBJECT)),
            ExprKind::Var(Var::Resource) => Some(Place::Party(RESOURCE)),
            ExprKind::Var(Var::Action) => Some(Place::Action),
            ExprKind::Var(Var::Context) => Some(Place::Context),
            ExprKind::GetAttr { expr, attr } => self.member(&self.place(expr)?, attr).map(Place::Member),
            _ => None,
        }
    }

    /// Where a member of a place stands in the request; nowhere for what only static entities have.
    fn member(&self, of: &Place, name: &str) -> Option<Pointer> {
        match of {
            Place::Party(role) => self.if_named([role, "properties", name]),
            Place::Action => None,
            Place::Context => {
                let own = self.if_named(["context", name]);
                let beside = || match name {
                    ACTION_PROPERTIES => self.if_named(["action", "properties"]),
                    "context" => None,
                    name if IDENTITY.contains(&name) => None,
                    name => self.if_named([name]),
                };
                own.or_else(beside)
            }
            Place::Member(pointer) => {
                let tokens = pointer.tokens().iter().map(String::as_str);
                self.if_named(tokens.chain([name]))
            }
        }
    }

    fn if_named<'t>(&self, tokens: impl IntoIterator<Item = &'t str>) -> Option<Pointer> {
        let tokens: Vec<&str> = tokens.into_iter().collect();
        tokens.iter().try_fold(self.named, |shape, token| shape.member(token))?;
        Some(Pointer::from_tokens(tokens))
    }

    /// The request types that become entities of a type.
    fn type_names(&self, entity_type: &EntityType) -> BTreeSet<&'m str> {
        let known = self.types.entities.iter().filter(|(_, of)| of.entity_type == *entity_type);
        known.map(|(name, _)| name.as_str()).collect()
    }

    /// The names of the actions that are in an action or a group of them.
    fn action_names(&self, uid: &EntityUID) -> BTreeSet<&'m str> {
        let members: Vec<&EntityUID> =
            self.schema.get_action_id(uid).into_iter().flat_map(|action| action.descendants()).collect();
        let within = self
            .types
            .actions
            .iter()
            .filter(|(_, action)| action.uid == *uid || members.contains(&&action.uid));
        within.map(|(name, _)| name.as_str()).collect()
    }
}

/// Collects what one policy mentions.
struct Miner<'m> {
    request: Request<'m>,
    read: &'m Read<'m>,
    reads: BTreeSet<Pointer>,
    literals: Vec<Literal>,
}

impl Miner<'_> {
    fn reads(&mut self, role: &str, member: &str) {
        self.reads.insert(Pointer::from_tokens([role, member]));
    }

    fn push(&mut self, value: impl Into<Value>, form: Form, place: Option<Pointer>, loc: Option<&Loc>) {
        let location = self.read.place(loc.map_or(self.read.start, Loc::start));
        self.literals.push(Literal { value: value.into(), form, place, location: Some(location) });
    }

    fn party(&mut self, role: &'static str, constraint: &PrincipalOrResourceConstraint) {
        let (of_type, entity) = match constraint {
            PrincipalOrResourceConstraint::Any => return,
            PrincipalOrResourceConstraint::In(entity) | PrincipalOrResourceConstraint::Eq(entity) => {
                (None, Some(entity))
            }
            PrincipalOrResourceConstraint::Is(of_type) => (Some(of_type), None),
            PrincipalOrResourceConstraint::IsIn(of_type, entity) => (Some(of_type), Some(entity)),
        };
        self.reads(role, "type");
        if let Some(of_type) = of_type {
            self.entity_type(role, of_type, of_type.loc());
        }
        if let Some(EntityReference::EUID(uid)) = entity {
            self.reads(role, "id");
            self.entity(&Place::Party(role), uid, uid.loc());
        }
    }

    fn action(&mut self, constraint: &ActionConstraint) {
        if !matches!(constraint, ActionConstraint::Any) {
            self.reads("action", "name");
        }
        for uid in constraint.iter_euids() {
            self.entity(&Place::Action, uid, uid.loc());
        }
    }

    fn entity_type(&mut self, role: &str, of_type: &EntityType, loc: Option<&Loc>) {
        let request = self.request;
        for name in request.type_names(of_type) {
            self.push(name, Form::Whole, Some(Pointer::from_tokens([role, "type"])), loc);
        }
    }

    /// An entity that principal, action or resource is held against.
    fn entity(&mut self, place: &Place, uid: &EntityUID, loc: Option<&Loc>) {
        let request = self.request;
        match place {
            Place::Party(role) if !request.type_names(uid.entity_type()).is_empty() => {
                self.push(id(uid), Form::Whole, Some(Pointer::from_tokens([*role, "id"])), loc);
                self.entity_type(role, uid.entity_type(), loc);
            }
            Place::Action => {
                for name in request.action_names(uid) {
                    self.push(name, Form::Whole, Some(Pointer::from_tokens(["action", "name"])), loc);
                }
            }
            // Requests name no entities anywhere else.
            _ => {}
        }
    }

    /// Collects from an expression and everything in it.
    fn walk(&mut self, expression: &Expr) {
        match expression.expr_kind() {
            ExprKind::Var(Var::Principal) => self.whole_party(SUBJECT),
            ExprKind::Var(Var::Resource) => self.whole_party(RESOURCE),
            ExprKind::Var(Var::Action) => self.reads("action", "name"),
            ExprKind::If { test_expr, then_expr, else_expr } => {
                self.walk(test_expr);
                for branch in [then_expr, else_expr] {
                    self.constant(branch, None, Form::Other);
                    self.walk(branch);
                }
            }
            ExprKind::And { left, right } | ExprKind::Or { left, right } => {
                self.walk(left);
                self.walk(right);
            }
            ExprKind::UnaryApp { arg, .. } => self.walk(arg),
            ExprKind::BinaryApp { op, arg1, arg2 } => {
                self.operator(*op, arg1, arg2);
                self.walk(arg1);
                self.walk(arg2);
            }
            ExprKind::ExtensionFunctionApp { fn_name, args } => {
                let form = match fn_name.to_string().as_str() {
                    "lessThan" | "lessThanOrEqual" | "greaterThan" | "greaterThanOrEqual" => Form::Bound,
                    _ => Form::Other,
                };
                if args.iter().any(of_request) {
                    for arg in args.iter() {
                        self.constant(arg, None, form.clone());
                    }
                }
                args.iter().for_each(|arg| self.walk(arg));
            }
            ExprKind::GetAttr { expr, .. } => match self.request.place(expression) {
                Some(Place::Member(pointer)) => {
                    self.reads.insert(pointer);
                }
                _ => self.walk(expr),
            },
            ExprKind::HasAttr { expr, attr } => {
                self.has(expr, [attr.as_str()], expression.source_loc());
            }
            ExprKind::ExtHasAttr { expr, attrs } => {
                self.has(expr, attrs.iter().map(|attr| attr.as_str()), expression.source_loc());
            }
            ExprKind::Like { expr, pattern } => {
                if of_request(expr) {
                    let place = self.member_of(expr);
                    self.push(pattern.to_string(), Form::Like, place, expression.source_loc());
                }
                self.walk(expr);
            }
            ExprKind::Is { expr, entity_type } => {
                if let Some(Place::Party(role)) = self.request.place(expr) {
                    self.reads(role, "type");
                    self.entity_type(role, entity_type, entity_type.loc().or(expression.source_loc()));
                } else {
                    self.walk(expr);
                }
            }
            ExprKind::Set(elements) => elements.iter().for_each(|element| self.walk(element)),
            ExprKind::Record(members) => members.values().for_each(|member| self.walk(member)),
            ExprKind::Lit(_) | ExprKind::Var(Var::Context) | ExprKind::Slot(_) | ExprKind::Unknown(_) => {}
        }
    }

    fn whole_party(&mut self, role: &str) {
        self.reads(role, "type");
        self.reads(role, "id");
    }

    /// `object has a.b`: each name, and the place that it would have.
    fn has<'n>(&mut self, object: &Expr, names: impl IntoIterator<Item = &'n str>, loc: Option<&Loc>) {
        let mut place = self.request.place(object);
        let mut member: Option<Pointer> = None;
        for name in names {
            member = place.as_ref().and_then(|place| self.request.member(place, name));
            // The request's own name for it, where Cedar's is another.
            if let Some((name, around)) = member.as_ref().and_then(|member| member.tokens().split_last()) {
                let around = Pointer::from_tokens(around.iter().cloned());
                self.push(name.as_str(), Form::Name, Some(around), loc);
            }
            place = member.clone().map(Place::Member);
        }
        match member {
            Some(member) => {
                self.reads.insert(member);
            }
            // What only static entities have depends on which entity it is.
            None => self.walk(object),
        }
    }

    /// The literals among the operands; what they read is found by walking them.
    fn operator(&mut self, op: BinaryOp, left: &Expr, right: &Expr) {
        if !of_request(left) && !of_request(right) {
            return;
        }
        match op {
            BinaryOp::Eq if is_computed(left) || is_computed(right) => {
                self.compare(left, right, &Form::Bound);
            }
            BinaryOp::Eq => self.compare(left, right, &Form::Whole),
            BinaryOp::Less | BinaryOp::LessEq => self.compare(left, right, &Form::Bound),
            BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul => {
                self.constant(left, None, Form::Bound);
                self.constant(right, None, Form::Bound);
            }
            BinaryOp::In => self.constant(right, self.request.place(left).as_ref(), Form::Whole),
            BinaryOp::Contains => match left.expr_kind() {
                ExprKind::Set(elements) => {
                    elements.iter().for_each(|element| self.compare(element, right, &Form::Whole));
                }
                _ => self.constant(right, self.request.place(left).as_ref(), Form::Element),
            },
            BinaryOp::ContainsAll | BinaryOp::ContainsAny => {
                for (set, other) in [(left, right), (right, left)] {
                    self.constant(set, self.request.place(other).as_ref(), Form::Element);
                }
            }
            BinaryOp::GetTag | BinaryOp::HasTag => self.constant(right, None, Form::Other),
        }
    }

    /// Two expressions that are held against each other.
    fn compare(&mut self, left: &Expr, right: &Expr, form: &Form) {
        if let (ExprKind::Record(left), ExprKind::Record(right)) = (left.expr_kind(), right.expr_kind()) {
            for (name, member) in left.iter() {
                if let Some(other) = right.get(name) {
                    self.compare(member, other, form);
                }
            }
            return;
        }
        for (constant, other) in [(left, right), (right, left)] {
            if of_request(other) {
                self.constant(constant, self.request.place(other).as_ref(), form.clone());
            }
        }
    }

    /// The constants in what is held against a place; what else there is has other places.
    fn constant(&mut self, expression: &Expr, place: Option<&Place>, form: Form) {
        let loc = expression.source_loc();
        let pointer = match place {
            Some(Place::Member(pointer)) => Some(pointer.clone()),
            _ => None,
        };
        match expression.expr_kind() {
            ExprKind::Lit(Constant::Bool(value)) if form == Form::Whole => {
                self.push(*value, form, pointer, loc)
            }
            ExprKind::Lit(Constant::Bool(_)) => {}
            ExprKind::Lit(Constant::Long(number)) => self.push(*number, form, pointer, loc),
            ExprKind::Lit(Constant::String(text)) => self.push(text.as_str(), form, pointer, loc),
            ExprKind::Lit(Constant::EntityUID(uid)) => {
                if let Some(place) = place {
                    self.entity(place, uid, loc);
                }
            }
            ExprKind::Set(elements) => {
                // Equal to a list is what has its elements; an entity is in a list if it is in one of them.
                let form = match (place, form) {
                    (Some(Place::Member(_)), Form::Whole) => Form::Element,
                    (_, form) => form,
                };
                elements.iter().for_each(|element| self.constant(element, place, form.clone()));
            }
            ExprKind::Record(members) => {
                for (name, member) in members.iter() {
                    let place = place.and_then(|place| self.request.member(place, name)).map(Place::Member);
                    self.constant(member, place.as_ref(), form.clone());
                }
            }
            // `decimal("1.5")`, `ip("::1")`: an extension's value is written as a text.
            ExprKind::ExtensionFunctionApp { args, .. } => {
                if let [arg] = args.as_slice() {
                    self.constant(arg, place, form);
                }
            }
            _ => {}
        }
    }

    fn member_of(&self, expression: &Expr) -> Option<Pointer> {
        match self.request.place(expression)? {
            Place::Member(pointer) => Some(pointer),
            _ => None,
        }
    }
}

/// Whether an expression is a number that comes of others.
fn is_computed(expression: &Expr) -> bool {
    matches!(
        expression.expr_kind(),
        ExprKind::BinaryApp { op: BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul, .. }
            | ExprKind::UnaryApp { op: UnaryOp::Neg, .. }
    )
}

/// Whether the value of an expression depends on the request, by what it reads of it or by whom it asks about.
fn of_request(expression: &Expr) -> bool {
    expression.subexpressions().any(|part| matches!(part.expr_kind(), ExprKind::Var(_)))
}

fn id(uid: &EntityUID) -> &str {
    uid.eid().as_ref()
}
