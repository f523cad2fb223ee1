//! Comparisons and functions that have a neighbour.

use regorus::unstable::{AssignOp, BinOp, BoolOp, Expr};
use tribunal_engine_core::engine::Mutation;

use super::edit::Edit;
use super::site::Site;

/// Functions that are taken for each other.
const NEIGHBOURS: [&[&str]; 2] =
    [&["startswith", "endswith", "contains"], &["strings.any_prefix_match", "strings.any_suffix_match"]];

/// The changes of an expression's operator.
pub(crate) fn expression(site: &Site<'_, '_, '_>, expr: &Expr, edits: &mut Vec<Edit>) {
    let (lhs, rhs, written, others): (_, _, _, &[&str]) = match expr {
        Expr::BoolExpr { op, lhs, rhs, .. } => match op {
            BoolOp::Eq => (lhs, rhs, "==", &["!="]),
            BoolOp::Ne => (lhs, rhs, "!=", &["=="]),
            BoolOp::Lt => (lhs, rhs, "<", &["<=", ">"]),
            BoolOp::Le => (lhs, rhs, "<=", &["<", ">="]),
            BoolOp::Gt => (lhs, rhs, ">", &[">=", "<"]),
            BoolOp::Ge => (lhs, rhs, ">=", &[">", "<="]),
        },
        Expr::AssignExpr { op: AssignOp::Eq, lhs, rhs, .. } => (lhs, rhs, "=", &["!="]),
        Expr::BinExpr { op: BinOp::Union, lhs, rhs, .. } => (lhs, rhs, "|", &["&"]),
        Expr::BinExpr { op: BinOp::Intersection, lhs, rhs, .. } => (lhs, rhs, "&", &["|"]),
        Expr::Call { fcn, .. } => return function(site, fcn, edits),
        _ => return,
    };
    // Between the operands stand the operator and, at most, brackets.
    let between = site.text.expression(lhs).end..site.text.expression(rhs).start;
    if let Some(operator) = site.text.find(between, written) {
        for other in others {
            edits.push(site.replace(Mutation::SwapOperator, operator.clone(), *other));
        }
    }
}

fn function(site: &Site<'_, '_, '_>, function: &Expr, edits: &mut Vec<Edit>) {
    let Some(name) = site.builtin(function) else { return };
    let Some(family) = NEIGHBOURS.iter().find(|family| family.contains(&name.as_str())) else { return };
    for other in family.iter().filter(|other| **other != name) {
        edits.push(site.replace(Mutation::SwapOperator, site.text.expression(function), *other));
    }
}
