//! The small mistakes a policy could have: each the policy's own text with one edit.
//!
//! What the engine refuses at load cannot go unnoticed, so an edit after which the files do not parse, or say what a policy
//! must not, is no mutant. What is left can be refused for the work it causes only.

mod order;
mod pattern;
mod statement;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use tribunal_engine_core::engine::{Mutant, Mutation};
use tribunal_engine_core::location::Location;

use crate::lint;
use crate::syntax::{self, PolicyFile, Statement};

/// Characters of a text that a mutant shows.
const SHOWN: usize = 60;

/// One change to one file.
#[derive(Debug)]
struct Edit {
    mutation: Mutation,
    /// The statement that is changed.
    rule: Option<String>,
    /// What is replaced, in bytes of the file.
    span: Range<usize>,
    /// As much of it as a person would name: without the separator that goes with it.
    named: Range<usize>,
    with: String,
}

impl Edit {
    fn new(mutation: Mutation, rule: Option<String>, span: Range<usize>, with: impl Into<String>) -> Self {
        Self { mutation, rule, named: span.clone(), span, with: with.into() }
    }
}

/// Every mutant of a policy, in the order of its text.
pub(crate) fn mutants(files: &[PolicyFile<'_>]) -> Vec<Mutant> {
    let reached = order::reached(files);
    let mut mutants = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let mut edits = Vec::new();
        for statement in &file.statements {
            if reached.contains(statement.name.as_str()) {
                statement::edits(statement, file.text, &mut edits);
            }
        }
        order::edits(files, index, &reached, &mut edits);
        edits.sort_by_key(|edit| edit.named.start);
        let mut texts = BTreeSet::from([file.text.to_owned()]);
        for edit in edits {
            let Some(text) = edited(file.text, &edit) else { continue };
            if loads(files, index, &text) && texts.insert(text.clone()) {
                mutants.push(mutant(file, edit, text));
            }
        }
    }
    mutants
}

fn edited(text: &str, Edit { span, with, .. }: &Edit) -> Option<String> {
    Some([text.get(..span.start)?, with, text.get(span.end..)?].concat())
}

/// Whether a policy can be read with another text in one of its files.
fn loads(files: &[PolicyFile<'_>], changed: usize, text: &str) -> bool {
    let mut statements: Vec<Statement> = Vec::new();
    for (index, file) in files.iter().enumerate() {
        if index != changed {
            statements.extend_from_slice(&file.statements);
        } else if let Ok(parsed) = syntax::parse(file.path, &file.name, text) {
            statements.extend(parsed);
        } else {
            return false;
        }
    }
    lint::check(&statements).is_empty()
}

fn mutant(file: &PolicyFile<'_>, edit: Edit, text: String) -> Mutant {
    let Edit { mutation, rule, named, with, .. } = edit;
    Mutant {
        mutation,
        rule,
        location: Location::of_offset(file.name.as_str(), file.text, named.start),
        before: shortened(file.text.get(named).unwrap_or("")),
        after: shortened(&with),
        files: BTreeMap::from([(file.path.to_owned(), Arc::from(text.into_bytes()))]),
    }
}

/// A text on one line, and not a long one.
fn shortened(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(SHOWN) {
        Some(_) => line.chars().take(SHOWN - 1).chain(['…']).collect(),
        None => line,
    }
}
