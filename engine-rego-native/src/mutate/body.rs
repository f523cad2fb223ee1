//! Conditions, negations, and `else` branches that change places.

use std::ops::Range;

use regorus::unstable::{Expr, Literal, LiteralStmt, Query, Rule, RuleBody, RuleHead};
use tribunal_engine_core::engine::Mutation;

use super::edit::Edit;
use super::site::Site;

/// The changes of a body's statements.
pub(crate) fn query(site: &Site<'_, '_, '_>, query: &Query, edits: &mut Vec<Edit>) {
    let ranges: Vec<Range<usize>> =
        query.stmts.iter().map(|statement| site.text.span(&statement.span)).collect();
    for (index, (statement, range)) in query.stmts.iter().zip(&ranges).enumerate() {
        let before = index.checked_sub(1).and_then(|index| ranges.get(index));
        let after = ranges.get(index + 1);
        if is_condition(site, statement) {
            edits.push(match (before, after) {
                (None, None) => site.replace(Mutation::DropCondition, range.clone(), "true"),
                (_, Some(after)) => {
                    site.remove(Mutation::DropCondition, range.start..after.start, range.clone())
                }
                (Some(before), None) => {
                    site.remove(Mutation::DropCondition, before.end..range.end, range.clone())
                }
            });
        }
        match &statement.literal {
            Literal::NotExpr { .. } => negation(site, range, edits),
            Literal::Every { .. } => every(site, query, statement, range, edits),
            Literal::SomeIn { .. } => {
                if let (Some(after), Some(last)) = (after, ranges.last()) {
                    some(site, range, after.start..last.end, edits);
                }
            }
            _ => {}
        }
    }
}

/// Whether a statement can keep a body from holding.
fn is_condition(site: &Site<'_, '_, '_>, statement: &LiteralStmt) -> bool {
    match &statement.literal {
        // A declaration.
        Literal::SomeVars { .. } => false,
        Literal::Expr { expr, .. } => match expr.as_ref() {
            Expr::Bool { value, .. } => *value != regorus::Value::Bool(true),
            Expr::Call { fcn, .. } => site.builtin(fcn).as_deref() != Some("print"),
            _ => true,
        },
        Literal::SomeIn { .. } | Literal::NotExpr { .. } | Literal::Every { .. } => true,
    }
}

fn negation(site: &Site<'_, '_, '_>, range: &Range<usize>, edits: &mut Vec<Edit>) {
    let Some(not) = site.text.find(range.clone(), "not") else { return };
    if let Some(negated) = site.text.next(not.end) {
        let mut edit = site.remove(Mutation::DropNot, not.start..negated.start, range.clone());
        edit.show(site.text.slice(range.clone()), site.text.slice(negated.start..range.end));
        edits.push(edit);
    }
}

/// `every x in xs { … }` as `some x in xs` and what it demands.
fn every(
    site: &Site<'_, '_, '_>,
    query: &Query,
    statement: &LiteralStmt,
    range: &Range<usize>,
    edits: &mut Vec<Edit>,
) {
    let Literal::Every { query: demanded, .. } = &statement.literal else { return };
    let body = site.text.span(&demanded.span);
    let declared = site.text.slice(range.start..body.start).trim_end();
    let Some(declared) = declared.strip_prefix("every") else { return };
    let inner = site.text.slice(body.start + 1..body.end.saturating_sub(1)).trim();
    let some = format!("some{declared}\n{inner}");
    let braced = site.text.span(&query.span).start < range.start;
    let replacement = if braced { some } else { format!("{{ {some} }}") };
    edits.push(site.replace(Mutation::SwapOperator, range.clone(), replacement));
}

/// `some x in xs` as `every x in xs`, with the statements after it.
fn some(site: &Site<'_, '_, '_>, range: &Range<usize>, rest: Range<usize>, edits: &mut Vec<Edit>) {
    let declared = site.text.slice(range.clone());
    let Some(declared) = declared.strip_prefix("some") else { return };
    let every = format!("every{declared} {{\n{}\n}}", site.text.slice(rest.clone()));
    let mut edit = site.replace(Mutation::SwapOperator, range.start..rest.end, every);
    edit.show(site.text.slice(range.clone()), &format!("every{declared}"));
    edits.push(edit);
}

/// Takes out each `else` branch, and lets each change places with the one before it.
pub(crate) fn branches(site: &Site<'_, '_, '_>, rule: &Rule, edits: &mut Vec<Edit>) {
    let Rule::Spec { head, bodies, .. } = rule else { return };
    let Some(first) = first_branch(site, head, bodies) else { return };
    let others = bodies.iter().skip(1).filter(|body| body.is_else).map(|body| Branch::of(site, body));
    let branches: Vec<Branch<'_>> = std::iter::once(first).chain(others).collect();
    for (before, after) in branches.iter().zip(branches.iter().skip(1)) {
        let range = before.range.end..after.range.end;
        edits.push(site.remove(Mutation::DropCondition, range, after.range.clone()));
        // Between equal answers the order decides nothing.
        if before.value != after.value {
            // What begins a branch, `else` or the rule's name, stays where it is.
            let condition = after.condition.unwrap_or("true");
            let swapped = format!("{} if {condition}\n\nelse {}", after.value, before.as_written());
            let mut edit = site.replace(
                Mutation::Reorder,
                before.range.start..after.range.end,
                before.begun_with(&swapped),
            );
            edit.show(site.text.slice(before.range.start..after.range.end), &before.begun_with(&swapped));
            edits.push(edit);
        }
    }
}

/// A branch of a rule.
struct Branch<'t> {
    range: Range<usize>,
    /// `else`, or nothing for the first, which begins with the rule's name before it.
    keyword: &'static str,
    /// `:= value`, or nothing for `true`.
    value: &'t str,
    condition: Option<&'t str>,
}

impl<'t> Branch<'t> {
    fn of(site: &'t Site<'_, '_, '_>, body: &RuleBody) -> Self {
        let range = site.text.span(&body.span);
        let value = body.assign.as_ref().map_or("", |assign| site.text.slice(site.text.span(&assign.span)));
        Self { range, keyword: "else", value, condition: condition(site, &body.query) }
    }

    fn as_written(&self) -> String {
        match self.condition {
            Some(condition) => format!("{} if {condition}", self.value),
            None => self.value.to_owned(),
        }
    }

    fn begun_with(&self, rest: &str) -> String {
        format!("{} {}", self.keyword, rest.trim_start())
    }
}

/// The branch that the rule's name begins.
fn first_branch<'t>(site: &'t Site<'_, '_, '_>, head: &RuleHead, bodies: &[RuleBody]) -> Option<Branch<'t>> {
    let (RuleHead::Compr { span, assign, .. } | RuleHead::Func { span, assign, .. }) = head else {
        return None;
    };
    let body = bodies.first()?;
    let head = site.text.span(span);
    let (start, value) = match assign {
        Some(assign) => {
            let range = site.text.span(&assign.span);
            (range.start, site.text.slice(range))
        }
        None => (head.end, ""),
    };
    let end = site.text.span(&body.span).end;
    Some(Branch { range: start..end, keyword: "", value, condition: condition(site, &body.query) })
}

fn condition<'t>(site: &'t Site<'_, '_, '_>, query: &Query) -> Option<&'t str> {
    let range = site.text.span(&query.span);
    (!query.stmts.is_empty()).then(|| site.text.slice(range))
}
