//! Where a value can come from: from which member of the request, or from which terms of the text.
//!
//! Followed through variables, rules, functions and the built-ins that hand values on, whatever the conditions. What is not
//! followed is left out.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use regorus::unstable::{ArithOp, Expr, Ref, Rule, RuleHead};
use tribunal_engine_core::contract::Pointer;

use super::program::{Binding, Home, Program, values};
use crate::admission::calls::{Callee, callee};
use crate::admission::expression::{Step, reference};
use crate::admission::scope::{Meaning, Scopes};
use crate::settings::RulePath;

/// What a value is of the request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// This member, perhaps in another case or trimmed.
    Member(Pointer),
    /// An element of this list.
    Element(Pointer),
    /// Something inside an element of this list.
    Inside(Pointer),
    /// A part of this text, or a list of its parts.
    Piece(Pointer),
    /// The name of a member of this object, or a list of them.
    Key(Pointer),
    /// A count or a sum, of this member where that is plain.
    Size(Option<Pointer>),
}

impl Origin {
    pub(super) fn member(&self, name: &str) -> Option<Self> {
        match self {
            Origin::Member(place) => Some(Origin::Member(place.child(name))),
            Origin::Element(place) | Origin::Inside(place) => Some(Origin::Inside(place.clone())),
            Origin::Piece(_) | Origin::Key(_) | Origin::Size(_) => None,
        }
    }

    fn element(&self) -> Option<Self> {
        match self {
            Origin::Member(place) => Some(Origin::Element(place.clone())),
            Origin::Element(place) | Origin::Inside(place) => Some(Origin::Inside(place.clone())),
            Origin::Piece(_) | Origin::Key(_) => Some(self.clone()),
            Origin::Size(_) => None,
        }
    }

    pub(super) fn key(&self) -> Option<Self> {
        match self {
            Origin::Member(place) => Some(Origin::Key(place.clone())),
            _ => None,
        }
    }

    fn piece(&self) -> Self {
        match self {
            Origin::Member(place) => Origin::Piece(place.clone()),
            Origin::Element(place) => Origin::Inside(place.clone()),
            other => other.clone(),
        }
    }

    fn size(&self) -> Self {
        match self {
            Origin::Member(place) => Origin::Size(Some(place.clone())),
            Origin::Size(place) => Origin::Size(place.clone()),
            _ => Origin::Size(None),
        }
    }
}

/// A term of the text that a value can be.
#[derive(Clone, Copy)]
pub(crate) struct Term<'m> {
    pub(crate) home: Home,
    pub(crate) expr: &'m Expr,
    pub(crate) part: Part,
}

/// What a term is of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// A member of it: it is a set or object that rules make.
    Member,
    /// A piece of it: it is a text that is put together.
    Piece,
}

/// Where a value can come from.
#[derive(Clone, Default)]
pub(crate) struct Flow<'m> {
    pub(crate) origins: BTreeSet<Origin>,
    pub(crate) terms: Vec<Term<'m>>,
}

impl<'m> Flow<'m> {
    fn term(home: Home, expr: &'m Expr, part: Part) -> Self {
        Self { origins: BTreeSet::new(), terms: vec![Term { home, expr, part }] }
    }

    fn origin(origin: Origin) -> Self {
        Self { origins: [origin].into(), terms: Vec::new() }
    }

    fn join(&mut self, other: Flow<'m>) {
        self.origins.extend(other.origins);
        for term in other.terms {
            let known = |known: &Term<'m>| std::ptr::eq(known.expr, term.expr) && known.part == term.part;
            if !self.terms.iter().any(known) {
                self.terms.push(term);
            }
        }
    }

    fn map(&self, change: impl Fn(&Origin) -> Option<Origin>) -> Self {
        Self { origins: self.origins.iter().filter_map(change).collect(), terms: Vec::new() }
    }
}

/// The flows of a program.
pub(crate) struct Flows<'p, 'm> {
    pub(crate) program: &'p Program<'m>,
    /// What has been followed; empty while it is, for a variable may be bound by itself.
    known: RefCell<HashMap<Node<'m>, Flow<'m>>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Node<'m> {
    Variable(Home, &'m str),
    Rule(RulePath),
}

impl<'p, 'm> Flows<'p, 'm> {
    pub(crate) fn of_program(program: &'p Program<'m>) -> Self {
        Self { program, known: RefCell::new(HashMap::new()) }
    }

    /// Where the value of an expression of a definition can come from.
    pub(crate) fn of(&self, home: Home, expr: &'m Expr) -> Flow<'m> {
        match expr {
            Expr::String { .. }
            | Expr::RawString { .. }
            | Expr::Number { .. }
            | Expr::Bool { .. }
            | Expr::Null { .. }
            | Expr::Array { .. }
            | Expr::Set { .. }
            | Expr::Object { .. }
            | Expr::ArrayCompr { .. }
            | Expr::SetCompr { .. }
            | Expr::ObjectCompr { .. } => Flow::term(home, expr, Part::Whole),
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => self.of_reference(home, expr),
            Expr::Call { fcn, params, .. } => self.of_call(home, expr, fcn, params),
            Expr::BinExpr { lhs, rhs, .. } => self.of_all(home, [lhs.as_ref(), rhs]),
            Expr::ArithExpr { op, lhs, rhs, .. } => {
                let mut flow = self.of_all(home, [lhs.as_ref(), rhs]).map(|origin| Some(origin.size()));
                // Between sets `-` takes away.
                if *op == ArithOp::Sub {
                    let mut terms = self.of(home, lhs).terms;
                    terms.retain(|term| matches!(term.expr, Expr::Set { .. } | Expr::SetCompr { .. }));
                    flow.terms = terms;
                }
                flow
            }
            Expr::UnaryExpr { expr, .. } => self.of(home, expr).map(|origin| Some(origin.size())),
            Expr::BoolExpr { .. } | Expr::Membership { .. } | Expr::AssignExpr { .. } => Flow::default(),
        }
    }

    fn of_all(&self, home: Home, exprs: impl IntoIterator<Item = &'m Expr>) -> Flow<'m> {
        let mut flow = Flow::default();
        exprs.into_iter().for_each(|expr| flow.join(self.of(home, expr)));
        flow
    }

    /// Where the elements of a value can come from.
    pub(crate) fn element(&self, flow: &Flow<'m>) -> Flow<'m> {
        let mut found = flow.map(Origin::element);
        for term in &flow.terms {
            match (term.part, term.expr) {
                (Part::Member, expr) => found.join(self.of(term.home, expr)),
                (_, Expr::Array { items, .. } | Expr::Set { items, .. }) => {
                    found.join(self.of_all(term.home, items.iter().map(AsRef::as_ref)));
                }
                (_, Expr::Object { fields, .. }) => {
                    found.join(self.of_all(term.home, fields.iter().map(|(_, _, value)| value.as_ref())));
                }
                (
                    _,
                    Expr::ArrayCompr { term: inner, .. }
                    | Expr::SetCompr { term: inner, .. }
                    | Expr::ObjectCompr { value: inner, .. },
                ) => found.join(self.of(term.home, inner)),
                _ => {}
            }
        }
        found
    }

    /// Where the keys of a value can come from.
    pub(crate) fn key(&self, flow: &Flow<'m>) -> Flow<'m> {
        let mut found = flow.map(Origin::key);
        for term in &flow.terms {
            match (term.part, term.expr) {
                (Part::Whole, Expr::Object { fields, .. }) => {
                    found.join(self.of_all(term.home, fields.iter().map(|(_, key, _)| key.as_ref())));
                }
                (Part::Whole, Expr::ObjectCompr { key, .. }) => found.join(self.of(term.home, key)),
                // Of a set the elements are the keys.
                (Part::Member, _) | (Part::Whole, Expr::Set { .. } | Expr::SetCompr { .. }) => {
                    let set = Flow { origins: BTreeSet::new(), terms: vec![*term] };
                    found.join(self.element(&set));
                }
                _ => {}
            }
        }
        found
    }

    fn member(&self, flow: &Flow<'m>, name: &str) -> Flow<'m> {
        let mut found = flow.map(|origin| origin.member(name));
        for term in &flow.terms {
            match (term.part, term.expr) {
                (Part::Whole, Expr::Object { fields, .. }) => {
                    for (_, key, value) in fields {
                        if text(key) == Some(name) {
                            found.join(self.of(term.home, value));
                        }
                    }
                }
                (Part::Whole, Expr::ObjectCompr { value, .. }) => found.join(self.of(term.home, value)),
                (Part::Member, expr) => found.join(self.of(term.home, expr)),
                _ => {}
            }
        }
        found
    }

    fn step(&self, flow: &Flow<'m>, step: &Step<'m>) -> Flow<'m> {
        match step {
            Step::Name(name) => self.member(flow, name),
            Step::Index(_) => self.element(flow),
        }
    }

    fn of_reference(&self, home: Home, expr: &'m Expr) -> Flow<'m> {
        let reference = reference(expr);
        let mut steps = reference.steps.iter();
        let mut flow = match reference.base {
            Expr::Var { span, .. } => match self.meaning(home, span.text()) {
                Name::Variable => self.of_variable(home, span.text()),
                Name::Input(path) => Flow::origin(Origin::Member(Pointer::from_tokens(path))),
                Name::Data(mut path) => {
                    // Names lead on until a rule is reached; what follows is a member of its value.
                    while self.program.of_rule(&path).is_empty() {
                        match steps.next() {
                            Some(Step::Name(name)) => path.push((*name).to_owned()),
                            Some(Step::Index(_)) | None => return Flow::default(),
                        }
                    }
                    self.of_rule(&path)
                }
                Name::Unknown => return Flow::default(),
            },
            base => self.of(home, base),
        };
        for step in steps {
            flow = self.step(&flow, step);
        }
        flow
    }

    /// What a name means in a definition, whichever of its bodies it stands in.
    fn meaning(&self, home: Home, name: &str) -> Name {
        let Some(definition) = self.program.definition(home) else { return Name::Unknown };
        if definition.bindings.contains_key(name) {
            return Name::Variable;
        }
        match Scopes::new(definition.module, self.program.symbols).meaning(name) {
            Meaning::Input(path) => Name::Input(path),
            Meaning::Data(path) => Name::Data(path),
            Meaning::Local | Meaning::Free => Name::Unknown,
        }
    }

    fn remembered(&self, node: Node<'m>, follow: impl FnOnce() -> Flow<'m>) -> Flow<'m> {
        if let Some(flow) = self.known.borrow().get(&node) {
            return flow.clone();
        }
        self.known.borrow_mut().insert(node.clone(), Flow::default());
        let flow = follow();
        self.known.borrow_mut().insert(node, flow.clone());
        flow
    }

    fn of_variable(&self, home: Home, name: &'m str) -> Flow<'m> {
        self.remembered(Node::Variable(home, name), || {
            let mut flow = Flow::default();
            let Some(definition) = self.program.definition(home) else { return flow };
            for binding in definition.bindings.get(name).into_iter().flatten() {
                match binding {
                    Binding::Value(value) => flow.join(self.of(home, value)),
                    Binding::Element(value) => flow.join(self.element(&self.of(home, value))),
                    Binding::Key(value) => flow.join(self.key(&self.of(home, value))),
                    Binding::Argument(position) => {
                        for (caller, params) in self.program.calls(&definition.place.path) {
                            flow.join(self.of_all(*caller, params.get(*position).map(AsRef::as_ref)));
                        }
                    }
                }
            }
            flow
        })
    }

    /// Where the value of a rule or function can come from.
    pub(crate) fn of_rule(&self, path: &[String]) -> Flow<'m> {
        self.remembered(Node::Rule(path.to_vec()), || {
            let mut flow = Flow::default();
            for home in self.program.of_rule(path) {
                let Some(definition) = self.program.definition(*home) else { continue };
                for value in values(definition.rule) {
                    flow.join(if makes_members(definition.rule) {
                        Flow::term(*home, value, Part::Member)
                    } else {
                        self.of(*home, value)
                    });
                }
            }
            flow
        })
    }

    fn of_call(&self, home: Home, call: &'m Expr, function: &'m Expr, params: &'m [Ref<Expr>]) -> Flow<'m> {
        let name = match self.callee(home, function) {
            Some(Callee::Function(target)) => return self.of_rule(&target.path),
            Some(Callee::Builtin(name)) => name,
            None => return Flow::default(),
        };
        let arg = |position: usize| self.of_all(home, params.get(position).map(AsRef::as_ref));
        match name.as_str() {
            "abs" | "array.reverse" | "array.slice" | "ceil" | "floor" | "json.filter" | "json.remove"
            | "lower" | "object.filter" | "object.remove" | "round" | "sort" | "to_number" | "trim"
            | "trim_left" | "trim_prefix" | "trim_right" | "trim_space" | "trim_suffix" | "upper" => arg(0),
            "array.concat" | "object.union" => self.of_all(home, params.iter().map(AsRef::as_ref)),
            "array.flatten" | "intersection" | "object.union_n" | "union" => self.element(&arg(0)),
            "max" | "min" => self.element(&arg(0)),
            "replace" | "split" | "strings.reverse" | "strings.split_n" | "substring" => {
                arg(0).map(|origin| Some(origin.piece()))
            }
            "regex.find_all_string_submatch_n" | "regex.find_n" | "regex.split" => {
                arg(1).map(|origin| Some(origin.piece()))
            }
            "count" | "indexof" | "product" | "strings.count" | "sum" => {
                arg(0).map(|origin| Some(origin.size()))
            }
            "object.keys" => arg(0).map(Origin::key),
            "object.get" => {
                let mut flow = match params.get(1).and_then(|path| constant_path(path)) {
                    Some(path) => path.iter().fold(arg(0), |flow, name| self.member(&flow, name)),
                    None => self.element(&arg(0)),
                };
                flow.join(arg(2));
                flow
            }
            "concat" => self.pieces(call, home, &self.element(&arg(1))),
            "sprintf" => {
                let mut parts = arg(0);
                parts.join(self.element(&arg(1)));
                self.pieces(call, home, &parts)
            }
            _ => Flow::default(),
        }
    }

    /// A text put together: the call, whose text may be known, and the terms it is made of.
    fn pieces(&self, call: &'m Expr, home: Home, parts: &Flow<'m>) -> Flow<'m> {
        let mut flow = Flow::term(home, call, Part::Whole);
        flow.terms.extend(parts.terms.iter().map(|term| Term { part: Part::Piece, ..*term }));
        flow
    }

    /// What a call in a definition calls.
    pub(crate) fn callee(&self, home: Home, function: &Expr) -> Option<Callee> {
        let definition = self.program.definition(home)?;
        Some(callee(function, &Scopes::new(definition.module, self.program.symbols)))
    }

    /// The member of the request that a reference reads by itself, or the list that it reads inside of. Through variables of
    /// its own definition, but through no rule.
    pub(crate) fn reads(&self, home: Home, expr: &'m Expr) -> Option<Pointer> {
        self.read(home, expr, 0).map(|(place, _)| place)
    }

    /// The place, and whether steps may still lead on from it.
    fn read(&self, home: Home, expr: &'m Expr, aliases: usize) -> Option<(Pointer, bool)> {
        /// Variables followed: two may name each other.
        const ALIASES: usize = 32;
        let reference = reference(expr);
        let Expr::Var { span, .. } = reference.base else { return None };
        let (mut place, mut leads_on) = match self.meaning(home, span.text()) {
            Name::Input(path) => (Pointer::from_tokens(path), true),
            Name::Variable if aliases < ALIASES => {
                match self.program.definition(home)?.bindings.get(span.text())?.as_slice() {
                    [Binding::Value(value)] => self.read(home, value, aliases + 1)?,
                    [Binding::Element(value)] => (self.read(home, value, aliases + 1)?.0, false),
                    _ => return None,
                }
            }
            _ => return None,
        };
        for step in reference.steps {
            match step {
                Step::Name(name) if leads_on => place = place.child(name),
                Step::Name(_) | Step::Index(_) => leads_on = false,
            }
        }
        Some((place, leads_on))
    }
}

enum Name {
    Variable,
    Input(RulePath),
    Data(RulePath),
    Unknown,
}

/// Whether a definition gives one member of the rule's value, not all of it.
fn makes_members(rule: &Rule) -> bool {
    match rule {
        Rule::Spec { head: RuleHead::Set { .. }, .. } => true,
        Rule::Spec { head: RuleHead::Compr { refr, .. }, .. } => {
            reference(refr).steps.iter().any(|step| matches!(step, Step::Index(_)))
        }
        Rule::Spec { head: RuleHead::Func { .. }, .. } | Rule::Default { .. } => false,
    }
}

/// The text that an expression is.
pub(crate) fn text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::String { value: regorus::Value::String(text), .. }
        | Expr::RawString { value: regorus::Value::String(text), .. } => Some(text),
        _ => None,
    }
}

/// A member's name, or the names on the way to it, as `object.get` takes them.
pub(crate) fn constant_path(expr: &Expr) -> Option<Vec<&str>> {
    match expr {
        Expr::Array { items, .. } => items.iter().map(|item| text(item)).collect(),
        expr => text(expr).map(|name| vec![name]),
    }
}
