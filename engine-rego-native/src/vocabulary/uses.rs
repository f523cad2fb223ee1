//! What a policy does with the terms of its text.

use std::collections::{BTreeSet, HashMap, HashSet};

use regorus::unstable::{AssignOp, BoolOp, Expr, Literal, LiteralStmt, Ref};
use tribunal_engine_core::contract::Pointer;
use tribunal_engine_core::engine::Form;

use super::flow::{Flow, Flows, Origin, Part, Term, constant_path, text};
use super::program::{Home, arguments};
use crate::admission::calls::Callee;
use crate::admission::scope::Scopes;
use crate::admission::walk::{self, Position, Visitor};

/// What is done with a term, and what of the request it is held against.
pub(crate) type Use = (Form, Option<Pointer>);

/// The uses of the terms of a program, by their address in its syntax tree.
pub(crate) struct Uses<'p, 'm> {
    flows: &'p Flows<'p, 'm>,
    by_term: HashMap<*const Expr, BTreeSet<Use>>,
    /// Terms that say how a built-in works and not what it looks for.
    settings: HashSet<*const Expr>,
    done: BTreeSet<(*const Expr, Part, Option<Origin>, Held)>,
}

/// How a term is held against something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Held {
    Equal,
    Ordered,
    As(Form),
}

impl<'p, 'm> Uses<'p, 'm> {
    pub(crate) fn of(flows: &'p Flows<'p, 'm>) -> Self {
        let mut uses =
            Self { flows, by_term: HashMap::new(), settings: HashSet::new(), done: BTreeSet::new() };
        for (home, definition) in flows.program.definitions.iter().enumerate() {
            let mut scopes = Scopes::new(definition.module, flows.program.symbols);
            walk::rule(definition.rule, &mut scopes, &mut Finder { uses: &mut uses, home });
        }
        uses
    }

    /// What is done with a term; nothing where it is held against nothing that can be seen.
    pub(crate) fn of_term(&self, expr: &Expr) -> impl Iterator<Item = &Use> {
        let uses = self.by_term.get(&std::ptr::from_ref(expr));
        // A place found makes the same use without a place say nothing new.
        uses.into_iter().flatten().filter(move |(form, place)| {
            place.is_some()
                || uses.is_some_and(|all| !all.iter().any(|(other, at)| other == form && at.is_some()))
        })
    }

    /// Whether a term only says how a built-in works: a delimiter, a separator.
    pub(crate) fn is_setting(&self, expr: &Expr) -> bool {
        self.settings.contains(&std::ptr::from_ref(expr))
    }

    /// Notes that the terms of either side are held against what of the request the other is.
    fn compare(&mut self, left: &Flow<'m>, right: &Flow<'m>, held: &Held) {
        for (terms, against) in [(left, right), (right, left)] {
            self.hold_all(terms, against, held);
        }
    }

    fn hold_all(&mut self, terms: &Flow<'m>, against: &Flow<'m>, held: &Held) {
        for term in &terms.terms {
            if against.origins.is_empty() {
                self.hold(term, None, held);
            }
            for origin in &against.origins {
                self.hold(term, Some(origin), held);
            }
        }
    }

    fn hold(&mut self, term: &Term<'m>, origin: Option<&Origin>, held: &Held) {
        if !self.done.insert((std::ptr::from_ref(term.expr), term.part, origin.cloned(), held.clone())) {
            return;
        }
        match (term.part, term.expr) {
            (Part::Member, _)
            | (_, Expr::Array { .. } | Expr::Set { .. } | Expr::ArrayCompr { .. } | Expr::SetCompr { .. }) => {
                let list = Flow { origins: BTreeSet::new(), terms: vec![*term] };
                let against = Flow { origins: origin.cloned().into_iter().collect(), terms: Vec::new() };
                let (elements, against) = (self.flows.element(&list), self.flows.element(&against));
                self.hold_all(&elements, &against, held);
            }
            (_, Expr::Object { fields, .. }) => {
                for (_, key, value) in fields {
                    let place = origin.zip(text(key)).and_then(|(origin, name)| origin.member(name));
                    let against = Flow { origins: place.into_iter().collect(), terms: Vec::new() };
                    let values = self.flows.of(term.home, value);
                    self.hold_all(&values, &against, held);
                }
            }
            (part, expr) => {
                let found = match part {
                    Part::Piece => piece(expr, origin, held),
                    Part::Whole | Part::Member => whole(origin, held),
                };
                if let Some(found) = found {
                    self.by_term.entry(std::ptr::from_ref(expr)).or_default().insert(found);
                }
            }
        }
    }
}

/// What is done with a value that stands in the text.
fn whole(origin: Option<&Origin>, held: &Held) -> Option<Use> {
    let Some(origin) = origin else {
        return match held {
            Held::Equal => None,
            Held::Ordered => Some((Form::Bound, None)),
            Held::As(form) => Some((form.clone(), None)),
        };
    };
    Some(match (held, origin) {
        (Held::Equal, Origin::Member(place)) => (Form::Whole, Some(place.clone())),
        (Held::Equal, Origin::Element(place)) => (Form::Element, Some(place.clone())),
        (Held::Equal, Origin::Inside(_)) => (Form::Whole, None),
        (Held::Equal, Origin::Piece(place)) => (Form::Infix, Some(place.clone())),
        (Held::Equal, Origin::Key(place)) => (Form::Name, Some(place.clone())),
        (Held::Equal | Held::Ordered, Origin::Size(place)) => (Form::Bound, place.clone()),
        (Held::Ordered, Origin::Member(place) | Origin::Element(place)) => (Form::Bound, Some(place.clone())),
        (Held::Ordered, Origin::Inside(_) | Origin::Piece(_) | Origin::Key(_)) => (Form::Bound, None),
        (Held::As(Form::Prefix | Form::Suffix), Origin::Piece(place)) => (Form::Infix, Some(place.clone())),
        (Held::As(form), Origin::Member(place) | Origin::Element(place) | Origin::Piece(place)) => {
            (form.clone(), Some(place.clone()))
        }
        (Held::As(form), Origin::Inside(_) | Origin::Key(_) | Origin::Size(_)) => (form.clone(), None),
    })
}

/// What is done with a piece of a text that is put together.
fn piece(expr: &Expr, origin: Option<&Origin>, held: &Held) -> Option<Use> {
    let (form, place) = whole(origin, held)?;
    let form = match form {
        // Where a piece holds no wildcard, it is a text to be found.
        Form::Glob(_) if text(expr).is_some_and(|text| text.contains(['*', '?', '[', '{'])) => form,
        Form::Glob(_) | Form::Whole | Form::Prefix | Form::Suffix | Form::Infix => Form::Infix,
        _ => Form::Other,
    };
    Some((form, place))
}

/// Finds the uses in one definition.
struct Finder<'u, 'p, 'm> {
    uses: &'u mut Uses<'p, 'm>,
    home: Home,
}

impl<'m> Finder<'_, '_, 'm> {
    fn flow(&self, expr: &'m Expr) -> Flow<'m> {
        self.uses.flows.of(self.home, expr)
    }

    fn compare(&mut self, left: &'m Expr, right: &'m Expr, held: &Held) {
        let (left, right) = (self.flow(left), self.flow(right));
        self.uses.compare(&left, &right, held);
    }

    fn setting(&mut self, expr: &Expr) {
        self.uses.settings.insert(std::ptr::from_ref(expr));
        if let Expr::Array { items, .. } = expr {
            items.iter().for_each(|item| self.setting(item));
        }
    }

    /// The keys that a reference looks up.
    fn index(&mut self, mut expr: &'m Expr) {
        loop {
            expr = match expr {
                Expr::RefDot { refr, .. } => refr,
                Expr::RefBrack { refr, index, .. } => {
                    let keys = self.uses.flows.key(&self.flow(refr));
                    let index = self.flow(index);
                    self.uses.compare(&index, &keys, &Held::Equal);
                    refr
                }
                _ => return,
            };
        }
    }

    fn call(&mut self, function: &'m Expr, params: &'m [Ref<Expr>]) {
        let name = match self.uses.flows.callee(self.home, function) {
            Some(Callee::Function(target)) => return self.function(&target.path, params),
            Some(Callee::Builtin(name)) => name,
            None => return,
        };
        let literal_and_text = match (name.as_str(), params) {
            ("startswith" | "strings.any_prefix_match", [text, prefix]) => Some((prefix, text, Form::Prefix)),
            ("trim_prefix" | "trim_left", [text, prefix]) => Some((prefix, text, Form::Prefix)),
            ("endswith" | "strings.any_suffix_match", [text, suffix]) => Some((suffix, text, Form::Suffix)),
            ("trim_suffix" | "trim_right", [text, suffix]) => Some((suffix, text, Form::Suffix)),
            ("contains" | "indexof" | "indexof_n" | "split" | "strings.count" | "trim", [text, part]) => {
                Some((part, text, Form::Infix))
            }
            ("replace" | "strings.split_n", [text, part, _]) => Some((part, text, Form::Infix)),
            ("regex.match" | "re_match" | "regex.split", [pattern, text]) => {
                Some((pattern, text, Form::Regex))
            }
            ("regex.find_n" | "regex.find_all_string_submatch_n", [pattern, text, _]) => {
                Some((pattern, text, Form::Regex))
            }
            ("regex.replace", [text, pattern, _]) => Some((pattern, text, Form::Regex)),
            ("glob.match", [pattern, delimiters, text]) => {
                self.setting(delimiters);
                Some((pattern, text, Form::Glob(self.delimiters(delimiters))))
            }
            _ => None,
        };
        if let Some((literal, text, form)) = literal_and_text {
            let lists = matches!(name.as_str(), "strings.any_prefix_match" | "strings.any_suffix_match");
            let (mut literal, mut text) = (self.flow(literal), self.flow(text));
            if lists {
                // Either may be a text or a list of texts.
                for side in [&mut literal, &mut text] {
                    let elements = self.uses.flows.element(side);
                    side.terms.retain(|term| super::flow::text(term.expr).is_some());
                    side.terms.extend(elements.terms);
                    side.origins.extend(
                        elements.origins.into_iter().filter(|origin| matches!(origin, Origin::Piece(_))),
                    );
                }
            }
            self.uses.hold_all(&literal, &text, &Held::As(form));
            return self.uses.hold_all(&text, &literal, &Held::As(Form::Other));
        }
        match (name.as_str(), params) {
            ("object.get", [object, path, _]) => {
                let object = self.flow(object);
                match constant_path(path) {
                    Some(_) => {
                        // The names are held against those of the request; a list of them is a path.
                        if matches!(path.as_ref(), Expr::Array { .. }) {
                            self.uses.settings.insert(std::ptr::from_ref(path.as_ref()));
                        }
                        self.names(&object, path);
                    }
                    None => {
                        let (keys, path) = (self.uses.flows.key(&object), self.flow(path));
                        self.uses.compare(&path, &keys, &Held::Equal);
                    }
                }
            }
            ("concat", [separator, _]) => self.setting(separator),
            // One argument less is an error.
            ("sprintf", [_, args]) => {
                self.uses.settings.insert(std::ptr::from_ref(args.as_ref()));
            }
            // A built-in that this page does not know, of the request and of terms of the text.
            (_, params) => {
                let flows: Vec<Flow<'m>> = params.iter().map(|param| self.flow(param)).collect();
                for flow in &flows {
                    for other in flows.iter().filter(|other| !other.origins.is_empty()) {
                        let mut texts = flow.clone();
                        texts.terms.retain(|term| super::flow::text(term.expr).is_some());
                        self.uses.hold_all(&texts, other, &Held::As(Form::Other));
                    }
                }
            }
        }
    }

    /// The names on a path into an object.
    fn names(&mut self, object: &Flow<'m>, path: &'m Expr) {
        let steps: Vec<&'m Expr> = match path {
            Expr::Array { items, .. } => items.iter().map(AsRef::as_ref).collect(),
            path => vec![path],
        };
        let mut origins: Vec<Origin> = object.origins.iter().cloned().collect();
        for step in steps {
            let Some(name) = text(step) else { return };
            let term = Term { home: self.home, expr: step, part: Part::Whole };
            for key in origins.iter().filter_map(Origin::key) {
                self.uses.hold(&term, Some(&key), &Held::Equal);
            }
            origins = origins.iter().filter_map(|origin| origin.member(name)).collect();
        }
    }

    /// A function's patterns are held against what it is called with.
    fn function(&mut self, path: &[String], params: &'m [Ref<Expr>]) {
        for home in self.uses.flows.program.of_rule(path) {
            let Some(definition) = self.uses.flows.program.definition(*home) else { continue };
            for (pattern, param) in arguments(definition.rule).iter().zip(params) {
                if !matches!(pattern.as_ref(), Expr::Var { .. }) {
                    let (pattern, param) = (self.uses.flows.of(*home, pattern), self.flow(param));
                    self.uses.hold_all(&pattern, &param, &Held::Equal);
                }
            }
        }
    }

    /// Where a `*` of `glob.match` stops.
    fn delimiters(&self, expr: &'m Expr) -> Vec<char> {
        let terms = self.flow(expr).terms;
        match terms.as_slice() {
            [Term { expr: Expr::Null { .. }, .. }] => Vec::new(),
            // What OPA takes an empty list for.
            [Term { expr: Expr::Array { items, .. }, .. }] if items.is_empty() => vec!['.'],
            [Term { expr: Expr::Array { items, .. }, .. }] => {
                items.iter().filter_map(|item| text(item)?.chars().next()).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl<'m> Visitor<'m> for Finder<'_, '_, 'm> {
    fn expression(&mut self, expr: &'m Expr, _: Position, _: &Scopes<'m>) {
        match expr {
            Expr::BoolExpr { op: BoolOp::Eq | BoolOp::Ne, lhs, rhs, .. }
            | Expr::AssignExpr { op: AssignOp::Eq, lhs, rhs, .. } => self.compare(lhs, rhs, &Held::Equal),
            Expr::BoolExpr { lhs, rhs, .. } => self.compare(lhs, rhs, &Held::Ordered),
            Expr::AssignExpr { op: AssignOp::ColEq, lhs, rhs, .. }
                if !matches!(lhs.as_ref(), Expr::Var { .. }) =>
            {
                self.compare(lhs, rhs, &Held::Equal)
            }
            Expr::Membership { key, value, collection, .. } => {
                let collection = self.flow(collection);
                let value = self.flow(value);
                self.uses.compare(&value, &self.uses.flows.element(&collection), &Held::Equal);
                if let Some(key) = key {
                    let key = self.flow(key);
                    self.uses.compare(&key, &self.uses.flows.key(&collection), &Held::Equal);
                }
            }
            Expr::Call { fcn, params, .. } => self.call(fcn, params),
            Expr::RefDot { .. } | Expr::RefBrack { .. } => self.index(expr),
            _ => {}
        }
    }

    fn pattern(&mut self, _: &'m Expr, _: &Scopes<'m>) {}

    fn statement(&mut self, statement: &'m LiteralStmt, _: &Scopes<'m>) {
        if let Literal::SomeIn { value, collection, .. } = &statement.literal
            && !matches!(value.as_ref(), Expr::Var { .. })
        {
            let (value, collection) = (self.flow(value), self.flow(collection));
            self.uses.compare(&value, &self.uses.flows.element(&collection), &Held::Equal);
        }
    }
}
