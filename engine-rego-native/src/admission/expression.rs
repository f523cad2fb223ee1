//! Expressions taken apart.

use regorus::unstable::Expr;

/// A reference taken apart: what it starts from, and the steps after that.
pub(crate) struct Reference<'m> {
    pub(crate) base: &'m Expr,
    pub(crate) steps: Vec<Step<'m>>,
}

/// A step of a reference.
pub(crate) enum Step<'m> {
    /// `.name` or `["name"]`.
    Name(&'m str),
    /// `[anything else]`.
    Index(&'m Expr),
}

/// Takes a reference apart; anything else is a base without steps.
pub(crate) fn reference(mut expr: &Expr) -> Reference<'_> {
    let mut steps = Vec::new();
    loop {
        match expr {
            Expr::RefDot { refr, field, .. } => {
                steps.push(Step::Name(field.0.text()));
                expr = refr;
            }
            Expr::RefBrack { refr, index, .. } => {
                steps.push(match index.as_ref() {
                    Expr::String { value: regorus::Value::String(name), .. } => Step::Name(name),
                    index => Step::Index(index),
                });
                expr = refr;
            }
            base => {
                steps.reverse();
                return Reference { base, steps };
            }
        }
    }
}

/// The expressions directly inside another, comprehensions left out.
pub(crate) fn each_part<'m>(expr: &'m Expr, visit: &mut impl FnMut(&'m Expr)) {
    match expr {
        Expr::RefDot { .. } | Expr::RefBrack { .. } => {
            let reference = reference(expr);
            if !matches!(reference.base, Expr::Var { .. }) {
                visit(reference.base);
            }
            for step in reference.steps {
                if let Step::Index(index) = step {
                    visit(index);
                }
            }
        }
        Expr::Array { items, .. } | Expr::Set { items, .. } => items.iter().for_each(|item| visit(item)),
        Expr::Object { fields, .. } => fields.iter().for_each(|(_, key, value)| {
            visit(key);
            visit(value);
        }),
        Expr::Call { params, .. } => params.iter().for_each(|param| visit(param)),
        Expr::UnaryExpr { expr, .. } => visit(expr),
        Expr::BinExpr { lhs, rhs, .. }
        | Expr::BoolExpr { lhs, rhs, .. }
        | Expr::ArithExpr { lhs, rhs, .. }
        | Expr::AssignExpr { lhs, rhs, .. } => {
            visit(lhs);
            visit(rhs);
        }
        Expr::Membership { key, value, collection, .. } => {
            key.iter().for_each(|key| visit(key));
            visit(value);
            visit(collection);
        }
        _ => {}
    }
}
