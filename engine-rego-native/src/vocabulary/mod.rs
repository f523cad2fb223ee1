//! What a policy's text mentions of the request, rule by rule.
//!
//! - `program`: every definition, with what binds its variables
//! - `flow`: where a value can come from, of the request and of the text
//! - `uses`: what is done with the terms of the text
//! - `answers`: the terms that are only answered
//! - `constant`: texts that are put together from the text and the data

pub(crate) mod answers;
mod constant;
pub(crate) mod flow;
pub(crate) mod program;
pub(crate) mod uses;

use std::collections::{BTreeSet, HashSet};

use regorus::unstable::{Expr, LiteralStmt};
use serde_json::Value as Json;
use tribunal_engine_core::contract::Pointer;
use tribunal_engine_core::engine::{Form, Literal, RuleVocabulary, Vocabulary};
use tribunal_engine_core::location::Location;

use crate::admission::calls::Callee;
use crate::admission::scope::Scopes;
use crate::admission::symbols::Symbols;
use crate::admission::walk::{self, Position, Visitor};
use crate::convert::to_json;
use crate::settings::Question;
use crate::text::Text;
use crate::worker::Source;
use answers::Answers;
use constant::Constants;
use flow::{Flows, Origin, constant_path};
use program::{Home, Program, arguments};
use uses::Uses;

/// The vocabulary of a policy.
pub(crate) fn vocabulary(
    symbols: &Symbols<'_>,
    texts: &[(&Source, Text<'_>)],
    data: &Json,
    question: &Question,
) -> Vocabulary {
    let program = Program::of(symbols);
    let flows = Flows::of_program(&program);
    let uses = Uses::of(&flows);
    let answers = Answers::of(&flows, question);
    let constants = Constants { flows: &flows, data };
    let mut vocabulary = Vocabulary::default();
    for (home, definition) in program.definitions.iter().enumerate() {
        let Some((source, text)) =
            texts.iter().find(|(source, _)| source.name == definition.place.place.file)
        else {
            continue;
        };
        let mut reader = Reader {
            home,
            flows: &flows,
            uses: &uses,
            answers: &answers,
            constants: &constants,
            source,
            text,
            passed_over: HashSet::new(),
            reads: BTreeSet::new(),
            literals: Vec::new(),
        };
        let mut scopes = Scopes::new(definition.module, symbols);
        arguments(definition.rule).iter().for_each(|pattern| reader.argument(pattern));
        walk::rule(definition.rule, &mut scopes, &mut reader);
        let mut literals = reader.literals;
        literals.sort_by_key(|(start, _)| *start);
        vocabulary.rules.push(RuleVocabulary {
            rule: definition.place.path.join("."),
            location: Some(definition.place.place.clone()),
            reads: reader.reads,
            literals: literals.into_iter().map(|(_, literal)| literal).collect(),
        });
    }
    vocabulary
}

/// Reads one definition.
struct Reader<'r, 'p, 'm> {
    home: Home,
    flows: &'r Flows<'p, 'm>,
    uses: &'r Uses<'p, 'm>,
    answers: &'r Answers<'p, 'm>,
    constants: &'r Constants<'r, 'p, 'm>,
    source: &'r Source,
    text: &'r Text<'r>,
    /// Terms that are held against nothing, whatever they are.
    passed_over: HashSet<*const Expr>,
    reads: BTreeSet<Pointer>,
    /// With where they begin.
    literals: Vec<(usize, Literal)>,
}

impl<'m> Reader<'_, '_, 'm> {
    fn add(&mut self, expr: &Expr, value: Json, form: Form, place: Option<Pointer>) {
        let start = self.text.expression(expr).start;
        let location = Location::of_offset(&*self.source.name, &self.source.text, start);
        self.literals.push((start, Literal { value, form, place, location: Some(location) }));
    }

    fn term(&mut self, expr: &Expr, value: &regorus::Value) {
        let Ok(Some(json)) = to_json(value, u64::MAX) else { return };
        let mut used = false;
        for (form, place) in self.uses.of_term(expr) {
            used = true;
            self.add(expr, json.clone(), form.clone(), place.clone());
        }
        // A text may name something of the request that is not followed; `true` and the 5 of a slice say nothing. What is
        // only answered is held against nothing.
        let passed_over = self.passed_over.contains(&std::ptr::from_ref(expr))
            || self.uses.is_setting(expr)
            || self.answers.of_term(expr).is_some();
        if !used && json.is_string() && !passed_over {
            self.add(expr, json, Form::Other, None);
        }
    }

    /// A function's pattern, which is no expression to the walk.
    fn argument(&mut self, pattern: &Expr) {
        match pattern {
            Expr::String { value, .. }
            | Expr::RawString { value, .. }
            | Expr::Number { value, .. }
            | Expr::Bool { value, .. }
            | Expr::Null { value, .. } => self.term(pattern, value),
            Expr::Array { items, .. } => items.iter().for_each(|item| self.argument(item)),
            _ => {}
        }
    }

    /// The names of members that a reference has in brackets.
    fn names(&mut self, mut expr: &'m Expr) {
        loop {
            expr = match expr {
                Expr::RefDot { refr, .. } => refr,
                Expr::RefBrack { refr, index, .. } => {
                    let object = self.flows.of(self.home, refr);
                    if let (Expr::String { value, .. }, Some(Origin::Key(place))) =
                        (index.as_ref(), object.origins.iter().find_map(Origin::key))
                        && let Ok(Some(name)) = to_json(value, u64::MAX)
                    {
                        self.add(index, name, Form::Name, Some(place));
                    }
                    self.passed_over.insert(std::ptr::from_ref(index));
                    refr
                }
                _ => return,
            };
        }
    }

    fn object_get(&mut self, object: &'m Expr, path: &'m Expr) {
        if let (Some(place), Some(names)) = (self.flows.reads(self.home, object), constant_path(path)) {
            self.reads.insert(names.into_iter().fold(place, |place, name| place.child(name)));
        }
    }
}

impl<'m> Visitor<'m> for Reader<'_, '_, 'm> {
    fn expression(&mut self, expr: &'m Expr, _: Position, _: &Scopes<'m>) {
        match expr {
            Expr::String { value, .. }
            | Expr::RawString { value, .. }
            | Expr::Number { value, .. }
            | Expr::Bool { value, .. }
            | Expr::Null { value, .. } => self.term(expr, value),
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                // To read the request as a whole is to read no member in particular.
                let reads = self.flows.reads(self.home, expr).filter(|place| !place.tokens().is_empty());
                self.reads.extend(reads);
                self.names(expr);
            }
            // Names of members say what a record is made of, unless something is looked up by them.
            Expr::Object { fields, .. } => {
                self.passed_over.extend(fields.iter().map(|(_, key, _)| std::ptr::from_ref(key.as_ref())));
            }
            Expr::Call { fcn, params, .. } => {
                for (form, place) in self.uses.of_term(expr) {
                    if let Some(value) = self.constants.text(self.home, expr) {
                        self.add(expr, Json::String(value), form.clone(), place.clone());
                    }
                }
                if let (Some(Callee::Builtin(name)), [object, path, _]) =
                    (self.flows.callee(self.home, fcn), params.as_slice())
                    && name == "object.get"
                {
                    self.object_get(object, path);
                }
            }
            _ => {}
        }
    }

    fn pattern(&mut self, _: &'m Expr, _: &Scopes<'m>) {}

    fn statement(&mut self, _: &'m LiteralStmt, _: &Scopes<'m>) {}
}
