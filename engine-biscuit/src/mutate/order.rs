//! Mistakes between statements: policies in another order, and refusals that are added.

use std::collections::BTreeSet;

use biscuit_auth::builder::Policy;
use tribunal_engine_core::engine::Mutation;

use super::Edit;
use crate::lexeme::Layout;
use crate::syntax::{Item, PolicyFile, Statement};

/// The statements that can make a difference, by name: a policy behind one that always matches is never tried.
pub(super) fn reached<'f>(files: &'f [PolicyFile<'_>]) -> BTreeSet<&'f str> {
    let mut reached = BTreeSet::new();
    let mut decided = false;
    for file in files {
        for statement in &file.statements {
            let policy = matches!(statement.item, Item::Policy(_));
            if !(policy && decided) {
                reached.insert(statement.name.as_str());
            }
            decided |= policy && always(statement, file.text);
        }
    }
    reached
}

/// Whether a policy matches whatever is asked.
fn always(statement: &Statement, text: &str) -> bool {
    let layout = Layout::of(statement, text);
    layout.bodies.iter().any(|body| {
        !body.conditions.is_empty()
            && body.conditions.iter().all(|condition| layout.lexemes.says(condition, "true"))
    })
}

/// The edits between the statements of one file.
pub(super) fn edits(files: &[PolicyFile<'_>], index: usize, reached: &BTreeSet<&str>, edits: &mut Vec<Edit>) {
    let Some(file) = files.get(index) else { return };
    let policies = || {
        file.statements.iter().filter_map(|statement| match &statement.item {
            Item::Policy(policy) => Some((statement, policy)),
            _ => None,
        })
    };
    for ((first, policy), (second, next)) in policies().zip(policies().skip(1)) {
        if policy.kind != next.kind && reached.contains(first.name.as_str()) {
            edits.extend(exchange(first, second, file.text));
        }
    }
    let has_policy = |file: &PolicyFile<'_>| {
        file.statements.iter().any(|statement| matches!(statement.item, Item::Policy(Policy { .. })))
    };
    if files.iter().position(has_policy) == Some(index)
        && let Some((first, _)) = policies().next()
    {
        let start = first.span.start;
        edits.push(Edit::new(Mutation::AddDeny, None, start..start, "deny if true;\n"));
    }
    if index + 1 == files.len()
        && let Some(last) = file.statements.last()
    {
        // The last statement of a file may lack its `;`.
        let (end, ended) = end(last, file.text);
        let with = if ended { "\ncheck if false;" } else { ";\ncheck if false;" };
        edits.push(Edit::new(Mutation::AddDeny, None, end..end, with));
    }
}

/// Two policies in each other's place, and what stands between them where it was.
fn exchange(first: &Statement, second: &Statement, text: &str) -> Option<Edit> {
    let between = text.get(first.span.end..second.span.start)?;
    let with = [text.get(second.span.clone())?, between, text.get(first.span.clone())?].concat();
    let span = first.span.start..second.span.end;
    Some(Edit::new(Mutation::Reorder, Some(first.name.clone()), span, with))
}

/// Where a statement ends, and whether a `;` ends it.
pub(super) fn end(statement: &Statement, text: &str) -> (usize, bool) {
    let rest = text.get(statement.span.end..).unwrap_or("");
    let trimmed = rest.trim_start();
    if trimmed.starts_with(';') {
        (statement.span.end + rest.len() - trimmed.len() + 1, true)
    } else {
        (statement.span.end, false)
    }
}
