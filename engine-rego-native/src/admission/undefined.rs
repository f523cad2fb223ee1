//! Negations and memberships over what may be undefined.
//!
//! OPA evaluates the operands of a negated call, comparison or membership before the negation, so an undefined operand
//! leaves the whole body undefined; regorus evaluates them inside, finds the operand undefined, and answers `true`. An
//! allow rule that says `not blocked(input.user)` would allow everyone without a `user`. A module that imports
//! `future.keywords.not` asks OPA for regorus's reading, and the two agree.
//!
//! Equality alone keeps its direct operands inside the negation in OPA too.

use regorus::unstable::{AssignOp, BoolOp, Expr, Literal, LiteralStmt};
use tribunal_engine_core::engine::{LoadError, LoadErrorKind};

use super::calls::{Callee, callee};
use super::expression::{Reference, Step, each_part, reference};
use super::scope::{Meaning, Scopes};
use super::symbols::{ModuleSymbols, Symbols, place};
use super::walk::{self, Position, Visitor};
use crate::builtins;

/// Refuses what regorus would find true, or bind, where OPA finds it undefined.
pub(crate) fn check(
    module: &ModuleSymbols<'_>,
    symbols: &Symbols<'_>,
    strict: bool,
    errors: &mut Vec<LoadError>,
) {
    let mut scopes = Scopes::new(module, symbols);
    let mut operands = Operands { strict, errors };
    for rule in &module.module.policy {
        walk::rule(rule, &mut scopes, &mut operands);
    }
}

struct Operands<'e> {
    strict: bool,
    errors: &'e mut Vec<LoadError>,
}

impl Operands<'_> {
    fn refuse(&mut self, expr: &Expr, message: String, help: String) {
        self.errors
            .push(LoadError::new(LoadErrorKind::Unsupported, message).at(place(expr.span())).help(help));
    }

    /// The first part of a negated expression that may be undefined before the negation.
    fn undefined_in_negation<'x>(&self, expr: &'x Expr, scopes: &Scopes<'_>) -> Option<&'x Expr> {
        match expr {
            Expr::BoolExpr { op: BoolOp::Eq, lhs, rhs, .. }
            | Expr::AssignExpr { op: AssignOp::Eq, lhs, rhs, .. } => {
                [lhs, rhs].into_iter().find_map(|side| self.undefined_in_reference(side, scopes))
            }
            Expr::Call { params, .. } => params.iter().find_map(|param| self.undefined(param, scopes)),
            Expr::BoolExpr { lhs, rhs, .. }
            | Expr::ArithExpr { lhs, rhs, .. }
            | Expr::BinExpr { lhs, rhs, .. }
            | Expr::AssignExpr { lhs, rhs, .. } => {
                [lhs, rhs].into_iter().find_map(|side| self.undefined(side, scopes))
            }
            Expr::Membership { key, value, collection, .. } => {
                key.iter().chain([value, collection]).find_map(|part| self.undefined(part, scopes))
            }
            expr => self.undefined_in_reference(expr, scopes),
        }
    }

    /// The first part of a reference, its indices or its base, that may be undefined; the reference itself may be.
    fn undefined_in_reference<'x>(&self, expr: &'x Expr, scopes: &Scopes<'_>) -> Option<&'x Expr> {
        let Reference { base, steps } = reference(expr);
        if !matches!(base, Expr::Var { .. })
            && let Some(found) = self.undefined(base, scopes)
        {
            return Some(found);
        }
        steps.into_iter().find_map(|step| match step {
            Step::Index(index) => self.undefined(index, scopes),
            Step::Name(_) => None,
        })
    }

    /// The first part of an expression that may be undefined, the expression itself included.
    fn undefined<'x>(&self, expr: &'x Expr, scopes: &Scopes<'_>) -> Option<&'x Expr> {
        let first = |parts: &[&'x regorus::unstable::Ref<Expr>]| {
            parts.iter().find_map(|part| self.undefined(part, scopes))
        };
        match expr {
            Expr::String { .. }
            | Expr::RawString { .. }
            | Expr::Number { .. }
            | Expr::Bool { .. }
            | Expr::Null { .. } => None,
            Expr::ArrayCompr { .. } | Expr::SetCompr { .. } | Expr::ObjectCompr { .. } => None,
            Expr::UnaryExpr { expr, .. } => first(&[expr]),
            Expr::Array { items, .. } | Expr::Set { items, .. } => {
                items.iter().find_map(|item| first(&[item]))
            }
            Expr::Object { fields, .. } => fields.iter().find_map(|(_, key, value)| first(&[key, value])),
            Expr::BoolExpr { lhs, rhs, .. }
            | Expr::ArithExpr { lhs, rhs, .. }
            | Expr::BinExpr { lhs, rhs, .. } => first(&[lhs, rhs]),
            Expr::Membership { key, value, collection, .. } => {
                key.iter().find_map(|key| first(&[key])).or_else(|| first(&[value, collection]))
            }
            Expr::Var { span, .. } => match scopes.meaning(span.text()) {
                Meaning::Local | Meaning::Free => None,
                Meaning::Input(path) => (!path.is_empty()).then_some(expr),
                Meaning::Data(path) => (!self.is_defined(&path, scopes)).then_some(expr),
            },
            Expr::RefDot { .. } | Expr::RefBrack { .. } => match scopes.data_path(expr) {
                Some(target) if target.exact && self.is_defined(&target.path, scopes) => None,
                _ => Some(expr),
            },
            Expr::Call { fcn, params, .. } => match callee(fcn, scopes) {
                // Leniently, an error leaves even these undefined.
                Callee::Builtin(name) if self.strict && builtins::is_total(&name) => {
                    params.iter().find_map(|param| first(&[param]))
                }
                _ => Some(expr),
            },
            Expr::AssignExpr { .. } => Some(expr),
        }
    }

    fn is_defined(&self, path: &[String], scopes: &Scopes<'_>) -> bool {
        path.is_empty() || scopes.symbols.rule(path).is_some_and(|rule| rule.always_defined)
    }

    /// The first variable of a negated expression that nothing outside it binds.
    fn unbound<'x>(&self, expr: &'x Expr, scopes: &Scopes<'_>) -> Option<&'x Expr> {
        if let base @ Expr::Var { span, .. } = reference(expr).base {
            let open = matches!(scopes.meaning(span.text()), Meaning::Local | Meaning::Free);
            if open && !scopes.is_bound(span.text()) {
                return Some(base);
            }
        }
        let mut found = None;
        each_part(expr, &mut |part| found = found.or_else(|| self.unbound(part, scopes)));
        found
    }

    fn negation(&mut self, expr: &Expr, scopes: &Scopes<'_>) {
        if let Some(found) = self.unbound(expr, scopes) {
            let name = found.span().text().to_owned();
            let message = format!("the variable `{name}` is bound nowhere outside this negation");
            return self.refuse(found, message, format!("bind it first, as in `some {name} in …`"));
        }
        if scopes.module.modern_not {
            return;
        }
        if let Some(found) = self.undefined_in_negation(expr, scopes) {
            let part = found.span().text().to_owned();
            let message = format!(
                "`{part}` may be undefined inside this negation, which OPA and regorus then read differently"
            );
            let help = format!(
                "bind it first, `value := {part}`, and negate over `value`; or `import future.keywords.not`, and the negation is true where it is undefined"
            );
            self.refuse(found, message, help);
        }
    }

    fn membership(&mut self, expr: &Expr, position: Position, scopes: &Scopes<'_>) {
        let Expr::Membership { key, value, collection, .. } = expr else { return };
        // regorus finds an undefined value at an absent key, and gives `false` for an undefined collection.
        let mut parts: Vec<&Expr> = Vec::new();
        if key.is_some() {
            parts.push(value);
        }
        if position == Position::Operand {
            parts.extend(key.iter().chain([value, collection]).map(AsRef::as_ref));
        }
        if let Some(found) = parts.into_iter().find_map(|part| self.undefined(part, scopes)) {
            let part = found.span().text().to_owned();
            let message =
                format!("`{part}` may be undefined here, and regorus would give `in` a value all the same");
            self.refuse(found, message, format!("bind it first, `value := {part}`"));
        }
    }
}

impl<'m> Visitor<'m> for Operands<'_> {
    fn expression(&mut self, expr: &'m Expr, position: Position, scopes: &Scopes<'m>) {
        self.membership(expr, position, scopes);
        if let base @ Expr::Var { span, .. } = reference(expr).base {
            let free = matches!(scopes.meaning(span.text()), Meaning::Free);
            if free && span.text() != "_" && !scopes.is_bound(span.text()) {
                let message =
                    format!("nothing binds the variable `{}`, and no rule has this name", span.text());
                self.errors.push(LoadError::new(LoadErrorKind::Invalid, message).at(place(base.span())));
            }
        }
    }

    fn pattern(&mut self, _: &'m Expr, _: &Scopes<'m>) {}

    fn statement(&mut self, statement: &'m LiteralStmt, scopes: &Scopes<'m>) {
        if let Literal::NotExpr { expr, .. } = &statement.literal {
            self.negation(expr, scopes);
        }
        // regorus forgets that a value was undefined if another `with` follows.
        if let Some((_, earlier)) = statement.with_mods.split_last() {
            for modifier in earlier {
                if let Some(found) = self.undefined(&modifier.r#as, scopes) {
                    let part = found.span().text().to_owned();
                    let message =
                        format!("`{part}` may be undefined, and is not the last value of this `with`");
                    self.refuse(found, message, format!("bind it first, `value := {part}`"));
                }
            }
        }
    }
}
