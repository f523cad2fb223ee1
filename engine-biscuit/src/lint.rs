//! What a program must not say, although it parses: what would silently never match, what would match by accident, what
//! nobody could bound, and what would be an error on some evaluations and not on others.

use std::collections::{BTreeMap, BTreeSet};

use biscuit_auth::builder::{Predicate, Rule, Scope, Term};
use tribunal_engine_core::contract::{DecisionEffect, Pointer};
use tribunal_engine_core::document::nearest;
use tribunal_engine_core::engine::{LoadError, LoadErrorKind};

use crate::answer::REPLACE_FROM;
use crate::bounds::{MAX_BODY, MAX_CLOSURES};
use crate::convert::REQUEST;
use crate::expression::{self, Problem};
use crate::program::Answers;
use crate::syntax::{Item, Statement};

/// Everything wrong with these statements.
pub(crate) fn check(statements: &[Statement]) -> Vec<LoadError> {
    let definitions = Definitions::of(statements);
    let mut errors = definitions.mixed();
    for statement in statements {
        let mut found = Found { statement, errors: &mut errors };
        match &statement.item {
            Item::Fact(fact) => head(&fact.predicate, &mut found),
            Item::Rule(rule) => head(&rule.head, &mut found),
            Item::Check(_) | Item::Policy(_) => {}
        }
        for query in statement.item.queries() {
            body(query, &definitions, &mut found);
        }
    }
    answers(statements, &mut errors);
    errors
}

/// Where errors of one statement go.
struct Found<'s> {
    statement: &'s Statement,
    errors: &'s mut Vec<LoadError>,
}

impl Found<'_> {
    fn add(&mut self, kind: LoadErrorKind, message: impl Into<String>, help: Option<String>) {
        let error = LoadError::new(kind, message).at(self.statement.location.clone());
        self.errors.push(LoadError { help, ..error });
    }

    fn invalid(&mut self, message: impl Into<String>) {
        self.add(LoadErrorKind::Invalid, message, None);
    }

    fn invalid_but(&mut self, message: impl Into<String>, help: impl Into<String>) {
        self.add(LoadErrorKind::Invalid, message, Some(help.into()));
    }
}

/// What is known about a predicate from the places that state it.
#[derive(Debug, Default)]
struct Definition<'s> {
    arities: BTreeSet<usize>,
    /// The types of its terms by position, each with a statement that says so; `None` once a variable can be anything.
    positions: Vec<Option<BTreeMap<&'static str, Option<&'s Statement>>>>,
    /// What its readers must trust to see all of it: its rules' own `trusting`.
    trusts: Vec<&'s Scope>,
}

#[derive(Debug, Default)]
struct Definitions<'s>(BTreeMap<&'s str, Definition<'s>>);

impl<'s> Definitions<'s> {
    fn of(statements: &'s [Statement]) -> Self {
        let mut definitions = Self::default();
        for (name, types) in REQUEST {
            let definition = definitions.0.entry(name).or_default();
            definition.arities.insert(types.len());
            definition.positions = types.iter().map(|name| Some(BTreeMap::from([(*name, None)]))).collect();
        }
        for statement in statements {
            match &statement.item {
                Item::Fact(fact) => definitions.add(&fact.predicate, statement),
                Item::Rule(rule) => {
                    definitions.add(&rule.head, statement);
                    definitions.0.entry(&rule.head.name).or_default().trusts.extend(&rule.scopes);
                }
                Item::Check(_) | Item::Policy(_) => {}
            }
        }
        definitions
    }

    fn add(&mut self, predicate: &'s Predicate, statement: &'s Statement) {
        if REQUEST.iter().any(|(name, _)| *name == predicate.name) {
            return;
        }
        let definition = self.0.entry(&predicate.name).or_default();
        definition.arities.insert(predicate.terms.len());
        definition
            .positions
            .resize_with(definition.positions.len().max(predicate.terms.len()), || Some(BTreeMap::new()));
        for (position, term) in definition.positions.iter_mut().zip(&predicate.terms) {
            match (position.as_mut(), type_of(term)) {
                (Some(types), Some(name)) => {
                    types.entry(name).or_insert(Some(statement));
                }
                (_, None) => *position = None,
                (None, _) => {}
            }
        }
    }

    /// Facts of several types or sizes under one name: comparing them is an error that is met or missed by chance.
    fn mixed(&self) -> Vec<LoadError> {
        let mut errors = Vec::new();
        for (name, definition) in &self.0 {
            if Answers::of(name).is_some() {
                continue;
            }
            for (index, types) in definition.positions.iter().enumerate() {
                let Some(types) = types else { continue };
                let names: Vec<&str> = types.keys().copied().collect();
                let places = types.values().flatten().map(|statement| &statement.location);
                let last = places.max_by_key(|location| (&location.file, location.line, location.column));
                if let (true, Some(last)) = (names.len() > 1, last) {
                    let message =
                        format!("term {} of `{name}` is of several types: {}", index + 1, names.join(", "));
                    let help = "comparing such facts is an error on some evaluations only: give each type a predicate of its own";
                    errors.push(LoadError::new(LoadErrorKind::Invalid, message).at(last.clone()).help(help));
                }
            }
        }
        errors
    }
}

fn type_of(term: &Term) -> Option<&'static str> {
    Some(match term {
        Term::Variable(_) | Term::Parameter(_) => return None,
        Term::Integer(_) => "integer",
        Term::Str(_) => "string",
        Term::Date(_) => "date",
        Term::Bytes(_) => "bytes",
        Term::Bool(_) => "bool",
        Term::Set(_) => "set",
        Term::Null => "null",
        Term::Array(_) => "array",
        Term::Map(_) => "map",
    })
}

/// What a fact or a rule may state.
fn head(predicate: &Predicate, found: &mut Found<'_>) {
    let (name, terms) = (predicate.name.as_str(), predicate.terms.as_slice());
    if REQUEST.iter().any(|(known, _)| *known == name) {
        found.invalid(format!("`{name}` is what the engine states about a request: a policy must not"));
    }
    let Some((_, arity, says)) = Answers::ALL.into_iter().find(|(known, ..)| *known == name) else { return };
    if terms.len() != arity {
        found.invalid(format!("`{name}` takes {arity} terms, not {}", terms.len()));
        return;
    }
    match (says, terms) {
        (Answers::Effect, [Term::Str(effect)]) if DecisionEffect::parse(effect).is_none() => {
            let known = DecisionEffect::ALL.map(DecisionEffect::as_str);
            let help = suggestion(effect, known).unwrap_or_else(|| known.join(", "));
            found.invalid_but(format!("`{effect}` is not an effect"), help);
        }
        (Answers::Patch, [op, path, value]) => patch(op, path, value, found),
        (_, [term]) if type_of(term).is_some_and(|name| name != "string") => {
            found.invalid(format!("`{name}` takes a string"));
        }
        _ => {}
    }
}

fn patch(op: &Term, path: &Term, value: &Term, found: &mut Found<'_>) {
    match (op, value) {
        (Term::Str(op), Term::Null | Term::Variable(_)) if op == "remove" => {}
        (Term::Str(op), _) if op == "remove" => {
            found.invalid("a `remove` has the value `null`");
        }
        (Term::Str(op), _) if op == "replace" => {}
        (Term::Str(op), Term::Str(source)) if op == REPLACE_FROM => {
            if let Err(error) = Pointer::parse(source) {
                found.invalid(error.to_string());
            }
        }
        (Term::Str(op), _) if op == REPLACE_FROM => {
            found.invalid("a `replace_from` names a place, as a JSON pointer in a string");
        }
        (Term::Variable(_), _) => {}
        _ => {
            found.invalid("a patch is a `\"replace\"`, a `\"replace_from\"` or a `\"remove\"`");
        }
    }
    match path {
        Term::Variable(_) => {}
        Term::Str(path) => {
            if let Err(error) = Pointer::parse(path) {
                found.invalid(error.to_string());
            }
        }
        _ => {
            found.invalid("a patch's place is a JSON pointer in a string");
        }
    }
}

/// What one body may say.
fn body(query: &Rule, definitions: &Definitions<'_>, found: &mut Found<'_>) {
    if query.body.len() > MAX_BODY {
        let message = format!("{} predicates are joined here, more than {MAX_BODY}", query.body.len());
        found.add(
            LoadErrorKind::Bounds,
            message,
            Some("derive a fact from some of them by a rule of its own".to_owned()),
        );
    }
    let survey = expression::survey(&query.body, &query.expressions);
    if survey.closures > MAX_CLOSURES {
        found.add(
            LoadErrorKind::Bounds,
            format!("`.any(…)` and `.all(…)` are nested deeper than {MAX_CLOSURES} levels"),
            None,
        );
    }
    for problem in &survey.problems {
        let kind = match problem {
            Problem::Extern(_) => LoadErrorKind::MissingBuiltin,
            _ => LoadErrorKind::Invalid,
        };
        found.add(kind, problem.to_string(), None);
    }
    if query.scopes.contains(&Scope::Previous) {
        let help = "say `trusting authority` for a token's first block, or name the key of a third party";
        found.invalid_but("`trusting previous` means nothing in a policy", help);
    }
    for predicate in &query.body {
        read(predicate, &query.scopes, definitions, found);
    }
}

/// What a body may read.
fn read(predicate: &Predicate, scopes: &[Scope], definitions: &Definitions<'_>, found: &mut Found<'_>) {
    let name = predicate.name.as_str();
    if Answers::of(name).is_some() {
        found.invalid(format!("`{name}` is an answer: no statement can read it"));
        return;
    }
    let Some(definition) = definitions.0.get(name) else {
        // What a statement trusts may bring predicates that this pack never mentions elsewhere.
        if scopes.is_empty() {
            let known = definitions.0.keys().copied().filter(|known| Answers::of(known).is_none());
            let help = suggestion(name, known);
            found.add(
                LoadErrorKind::Invalid,
                format!("nothing states `{name}`: this would never match"),
                help,
            );
        }
        return;
    };
    if let Some(missing) = definition.trusts.iter().find(|scope| !scopes.contains(scope)) {
        let message =
            format!("`{name}` is derived by a rule that trusts a token: this statement would not see it");
        found.invalid_but(message, format!("say `trusting {missing}` here too"));
    }
    // A token may bring facts of any size and type; what the pack and the request state is known.
    if !scopes.is_empty() {
        return;
    }
    if !definition.arities.contains(&predicate.terms.len()) {
        let known: Vec<String> = definition.arities.iter().map(ToString::to_string).collect();
        found.invalid(format!(
            "`{name}` has {} terms, not {}: this would never match",
            known.join(" or "),
            predicate.terms.len()
        ));
        return;
    }
    for (index, (term, types)) in predicate.terms.iter().zip(&definition.positions).enumerate() {
        if let (Some(wanted), Some(types)) = (type_of(term), types)
            && !types.contains_key(wanted)
        {
            let known: Vec<&str> = types.keys().copied().collect();
            let message = format!(
                "term {} of `{name}` is of type {}, never {wanted}: this would never match",
                index + 1,
                known.join(" or ")
            );
            found.invalid(message);
        }
    }
}

/// Answers that need one another.
fn answers(statements: &[Statement], errors: &mut Vec<LoadError>) {
    let heads: Vec<(&Statement, &Predicate)> = statements
        .iter()
        .filter_map(|statement| match &statement.item {
            Item::Fact(fact) => Some((statement, &fact.predicate)),
            Item::Rule(rule) => Some((statement, &rule.head)),
            Item::Check(_) | Item::Policy(_) => None,
        })
        .collect();
    let effect = |fits: &dyn Fn(&Term) -> bool| {
        heads.iter().find(|(_, head)| head.name == "effect" && head.terms.iter().any(fits))
    };
    let is = |wanted: &str, term: &Term| matches!(term, Term::Str(effect) if effect == wanted);
    let first = |name: &str| heads.iter().find(|(_, head)| head.name == name);
    let mut add = |statement: &Statement, message: &str| {
        errors.push(LoadError::new(LoadErrorKind::Invalid, message).at(statement.location.clone()));
    };
    for (answer, wanted) in [("patch", "redact"), ("step_up", "step_up")] {
        let possible = effect(&|term| matches!(term, Term::Variable(_)) || is(wanted, term));
        if let (Some((statement, _)), None) = (first(answer), possible) {
            add(statement, &format!("a `{answer}` without any `effect(\"{wanted}\")` would never be given"));
        }
    }
    if let (Some((statement, _)), None) = (effect(&|term| is("redact", term)), first("patch")) {
        add(statement, "an `effect(\"redact\")` without any `patch` is not a decision");
    }
}

fn suggestion<'n>(wrong: &str, known: impl IntoIterator<Item = &'n str>) -> Option<String> {
    nearest(wrong, known).map(|name| format!("did you mean `{name}`?"))
}
