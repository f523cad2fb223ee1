//! The small mistakes that a policy could have, each as one edit of its text.
//!
//! - `edit`: a change of a text
//! - `site`: what is known of the place of a change
//! - `body`: conditions, negations, and `else` branches that change places
//! - `operator`: comparisons and functions that have a neighbour
//! - `literal`: numbers, texts, and the members of lists, sets and objects
//! - `pattern`: globs and regular expressions
//! - `answer`: effects, and a denial in front

mod answer;
mod body;
mod edit;
mod literal;
mod operator;
mod pattern;
mod site;

use std::collections::{BTreeMap, HashSet};

use regorus::unstable::{Expr, Literal, LiteralStmt, Query, Rule};
use tribunal_engine_core::engine::{Mutant, Vocabulary};
use tribunal_engine_core::location::Location;
use tribunal_engine_core::pack::PackSource;

use crate::admission;
use crate::admission::recursion::reachable;
use crate::admission::scope::Scopes;
use crate::admission::symbols::Symbols;
use crate::admission::walk::{self, Position, Visitor};
use crate::settings::Question;
use crate::text::Text;
use crate::vocabulary::answers::Answers;
use crate::vocabulary::flow::Flows;
use crate::vocabulary::program::{Program, arguments};
use crate::vocabulary::uses::Uses;
use crate::worker::Source;
use edit::Edit;
use site::Site;

/// A change of one file, and the rule it is made in.
pub(crate) struct Change {
    /// The file, as an index into the sources.
    file: usize,
    rule: String,
    edit: Edit,
}

/// Every change worth trying, in the order of the text. Some may make a policy that does not load.
pub(crate) fn changes(
    symbols: &Symbols<'_>,
    texts: &[(&Source, Text<'_>)],
    question: &Question,
    vocabulary: &Vocabulary,
) -> Vec<Change> {
    let program = Program::of(symbols);
    let flows = Flows::of_program(&program);
    let uses = Uses::of(&flows);
    let answers = Answers::of(&flows, question);
    let asked: Vec<_> = question.rules().into_iter().map(|(rule, _)| rule).collect();
    let in_reach = reachable(symbols, &asked);
    let mut changes = Vec::new();
    for (home, definition) in program.definitions.iter().enumerate() {
        let named = |(source, _): &(&Source, Text<'_>)| source.name == definition.place.place.file;
        let Some(file) = texts.iter().position(named).filter(|_| in_reach.contains(&definition.place.path))
        else {
            continue;
        };
        let Some((_, text)) = texts.get(file) else { continue };
        let site = Site { home, text, flows: &flows, uses: &uses, answers: &answers };
        // A function's patterns are no expressions to the walk.
        let exprs = arguments(definition.rule).iter().map(AsRef::as_ref).collect();
        let mut collector = Collector { parts: Parts { exprs, queries: Vec::new() } };
        let mut scopes = Scopes::new(definition.module, symbols);
        walk::rule(definition.rule, &mut scopes, &mut collector);
        let mut edits = Vec::new();
        rule_edits(&site, definition.rule, &collector.parts, &mut edits);
        answer::add_denial(&site, definition, question, vocabulary, &mut edits);
        edits.sort_by_key(|edit: &Edit| (edit.at(), edit.mutation));
        let rule = definition.place.path.join(".");
        changes.extend(edits.into_iter().map(|edit| Change { file, rule: rule.clone(), edit }));
    }
    changes.sort_by_key(|change| (change.file, change.edit.at()));
    changes
}

fn rule_edits<'m>(site: &Site<'_, '_, 'm>, rule: &'m Rule, parts: &Parts<'m>, edits: &mut Vec<Edit>) {
    let bodies = match rule {
        Rule::Spec { bodies, .. } => bodies.as_slice(),
        Rule::Default { .. } => &[],
    };
    for query in bodies.iter().map(|body| body.query.as_ref()).chain(parts.queries.iter().copied()) {
        body::query(site, query, edits);
    }
    body::branches(site, rule, edits);
    answer::values(site, rule, edits);
    for expr in &parts.exprs {
        answer::expression(site, expr, edits);
        operator::expression(site, expr, edits);
        literal::expression(site, expr, edits);
        pattern::expression(site, expr, edits);
    }
}

/// The parts of a rule.
struct Parts<'m> {
    exprs: Vec<&'m Expr>,
    /// Bodies inside expressions and of `every`.
    queries: Vec<&'m Query>,
}

struct Collector<'m> {
    parts: Parts<'m>,
}

impl<'m> Visitor<'m> for Collector<'m> {
    fn expression(&mut self, expr: &'m Expr, _: Position, _: &Scopes<'m>) {
        self.parts.exprs.push(expr);
        if let Expr::ArrayCompr { query, .. }
        | Expr::SetCompr { query, .. }
        | Expr::ObjectCompr { query, .. } = expr
        {
            self.parts.queries.push(query);
        }
    }

    fn pattern(&mut self, _: &'m Expr, _: &Scopes<'m>) {}

    fn statement(&mut self, statement: &'m LiteralStmt, _: &Scopes<'m>) {
        if let Literal::Every { query, .. } = &statement.literal {
            self.parts.queries.push(query);
        }
    }
}

/// The changes as mutants: those that a pack with them is still taken in with, each policy once.
pub(crate) fn mutants(
    pack: &PackSource,
    sources: &[Source],
    question: &Question,
    strict: bool,
    changes: Vec<Change>,
) -> Vec<Mutant> {
    let paths: Vec<&str> = pack.files.rego_sources().map(|(path, _)| path).collect();
    let mut seen: HashSet<(usize, String)> = HashSet::new();
    let mut mutants = Vec::new();
    let mut changed = sources.to_vec();
    for Change { file, rule, edit } in changes {
        let (Some(path), Some(source)) = (paths.get(file), sources.get(file)) else { continue };
        let Some(text) = edit.of(&source.text) else { continue };
        if text == source.text || !seen.insert((file, text.clone())) {
            continue;
        }
        let Some(slot) = changed.get_mut(file) else { continue };
        slot.text.clone_from(&text);
        let admitted = admission::admit(&changed, pack, question, strict).is_ok();
        if let Some(slot) = changed.get_mut(file) {
            slot.text.clone_from(&source.text);
        }
        if admitted {
            mutants.push(Mutant {
                mutation: edit.mutation,
                rule: Some(rule),
                location: Location::of_offset(&*source.name, &source.text, edit.at()),
                before: edit.before,
                after: edit.after,
                files: BTreeMap::from([((*path).to_owned(), text.into_bytes().into())]),
            });
        }
    }
    mutants
}
