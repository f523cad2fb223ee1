//! Static bounds. Cedar has no limits at run time; its evaluation takes time linear in the policies and in the request, and
//! both are bounded, so what an evaluation can cost is bounded when the pack is loaded.

use cedar_policy_core::ast::{Expr, ExprKind, Literal};

/// Policies in a pack.
pub(crate) const POLICIES: usize = 20_000;
/// Bytes of all policy files together, and of the schema.
pub(crate) const TEXT: usize = 8 << 20;
/// Bytes of `entities.json`.
pub(crate) const ENTITIES: usize = 64 << 20;
/// Elements of one set literal: it is built anew by every evaluation. Longer lists belong in entities.
pub(crate) const SET: usize = 1_000;
/// Characters of one `like` pattern: matching takes time in proportion to pattern and text together.
pub(crate) const PATTERN: usize = 256;
/// Characters of one string literal.
pub(crate) const STRING: usize = 4_096;
/// Brackets, `if`s, negations: levels of these that a parser descends.
pub(crate) const NESTING: usize = 32;
/// Operators in one expression outside brackets: each is a level of the syntax tree.
pub(crate) const CHAIN: usize = 256;
/// Types that one declaration of the schema may come to once every name in it is spelt out.
pub(crate) const TYPES: u64 = 100_000;

/// The bounds, for people.
pub(crate) fn described() -> Vec<String> {
    vec![
        format!("at most {POLICIES} policies in {} MiB of text; {} MiB of static entities", TEXT >> 20, ENTITIES >> 20),
        format!("at most {SET} elements in a set literal, {PATTERN} characters in a `like` pattern, {STRING} in a string"),
        format!(
            "at most {NESTING} levels of nesting and {CHAIN} operators in one expression, a quarter of what a thread with 2 MiB \
             of stack can load"
        ),
        "no deadline: an evaluation visits each policy whose scope fits once, so its time is bounded by the policies' text and \
         the request's size; fuel, memory, facts and iterations are replaced by these bounds"
            .to_owned(),
    ]
}

/// What in an expression is beyond the bounds.
pub(crate) fn exceeded(condition: &Expr) -> Option<String> {
    condition.subexpressions().find_map(|expression| match expression.expr_kind() {
        ExprKind::Set(elements) if elements.len() > SET => Some(format!(
            "a set literal has {} elements, more than {SET}: it would be built anew by every evaluation",
            elements.len()
        )),
        ExprKind::Like { pattern, .. } if pattern.len() > PATTERN => {
            Some(format!("a `like` pattern has {} characters, more than {PATTERN}", pattern.len()))
        }
        ExprKind::Lit(Literal::String(text)) if text.chars().count() > STRING => {
            Some(format!("a string has {} characters, more than {STRING}", text.chars().count()))
        }
        _ => None,
    })
}
