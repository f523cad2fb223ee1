//! Built-ins and functions, and forms that regorus reads otherwise than OPA.

use regorus::unstable::{BUILTINS, Expr, LiteralStmt, Span};
use tribunal_engine_core::document::nearest;
use tribunal_engine_core::engine::{LoadError, LoadErrorKind};

use super::expression::{Step, reference};
use super::scope::{DataPath, Meaning, Scopes};
use super::symbols::{ModuleSymbols, Symbols, place};
use super::walk::{self, Position, Visitor};
use crate::builtins::{self, Arity};

/// Refuses calls of what is not there, and forms that cannot be trusted.
pub(crate) fn check(module: &ModuleSymbols<'_>, symbols: &Symbols<'_>, errors: &mut Vec<LoadError>) {
    let mut scopes = Scopes::new(module, symbols);
    let mut calls = Calls { errors };
    for rule in &module.module.policy {
        walk::rule(rule, &mut scopes, &mut calls);
    }
}

struct Calls<'e> {
    errors: &'e mut Vec<LoadError>,
}

/// What a call calls.
pub(crate) enum Callee {
    /// A function of the pack.
    Function(DataPath),
    /// A built-in, there or not.
    Builtin(String),
}

/// What the function expression of a call means.
pub(crate) fn callee(function: &Expr, scopes: &Scopes<'_>) -> Callee {
    let reference = reference(function);
    let names = reference.steps.iter().map(|step| match step {
        Step::Name(name) => *name,
        Step::Index(_) => "[…]",
    });
    let Expr::Var { span, .. } = reference.base else { return Callee::Builtin("(…)".to_owned()) };
    let written: Vec<&str> = std::iter::once(span.text()).chain(names).collect();
    match scopes.data_path(function) {
        // A package may be named as the family of a built-in is, as `regex` or `time`.
        Some(target) if span.text() == "data" || scopes.symbols.rule(&target.path).is_some() => {
            Callee::Function(target)
        }
        Some(target) if builtins::arity(&written.join(".")).is_none() => Callee::Function(target),
        _ => Callee::Builtin(written.join(".")),
    }
}

impl Calls<'_> {
    fn refuse(&mut self, kind: LoadErrorKind, span: &Span, message: String, help: Option<String>) {
        let error = LoadError::new(kind, message).at(place(span));
        self.errors.push(match help {
            Some(help) => error.help(help),
            None => error,
        });
    }

    fn call(&mut self, span: &Span, function: &Expr, given: usize, position: Position, scopes: &Scopes<'_>) {
        let (name, taken, binds) = match callee(function, scopes) {
            Callee::Function(target) => {
                let name = target.path.join(".");
                match scopes.symbols.rule(&target.path).and_then(|rule| rule.arity) {
                    // regorus does not look through an import for the function whose result is to be bound.
                    Some(arity) => (name, arity, !scopes.is_imported(function)),
                    None => {
                        let known: Vec<String> =
                            scopes.symbols.functions().map(|path| path.join(".")).collect();
                        let help = nearest(&name, known.iter().map(String::as_str))
                            .map(|known| format!("did you mean `data.{known}`?"));
                        return self.refuse(
                            LoadErrorKind::Invalid,
                            span,
                            format!("there is no function `data.{name}`"),
                            help,
                        );
                    }
                }
            }
            Callee::Builtin(name) => match builtins::arity(&name) {
                Some(Arity::Exactly(arity)) => {
                    let binds =
                        BUILTINS.get(name.as_str()).is_some_and(|(_, known)| usize::from(*known) == arity);
                    (name, arity, binds)
                }
                Some(Arity::Any) => return,
                // regorus follows a relation only where its second argument is a pattern.
                Some(Arity::Relation) if given == 2 && position == Position::Statement => return,
                Some(Arity::Relation) => {
                    let message = format!("`{name}` is a relation: its value cannot be used");
                    let help = Some(format!("write `{name}(value, [path, part])` as a statement"));
                    return self.refuse(LoadErrorKind::Unsupported, span, message, help);
                }
                None => {
                    let mut known: Vec<&str> = builtins::names().collect();
                    known.extend(
                        scopes.symbols.functions().filter_map(|path| path.last()).map(String::as_str),
                    );
                    let help = nearest(&name, known).map(|known| format!("did you mean `{known}`?"));
                    let message =
                        format!("there is no built-in `{name}` in native Rego, nor a function of this pack");
                    return self.refuse(LoadErrorKind::MissingBuiltin, span, message, help);
                }
            },
        };
        if given == taken + 1 {
            // In a statement of its own regorus binds the last argument to the result, if it knows the name. Elsewhere it
            // compares, and takes two undefined values for equal.
            if binds && position == Position::Statement {
                return;
            }
            let message =
                format!("`{name}` has one argument too many: a result is not written as the last argument");
            self.refuse(
                LoadErrorKind::Unsupported,
                span,
                message,
                Some(format!("write `result := {name}(…)`")),
            );
        } else if given != taken {
            self.refuse(
                LoadErrorKind::Invalid,
                span,
                format!("`{name}` takes {taken} arguments, not {given}"),
                None,
            );
        }
    }
}

fn is_fraction(expr: &Expr) -> bool {
    matches!(expr, Expr::Number { span, .. } if span.text().contains(['.', 'e', 'E']))
}

fn is_literal(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::String { .. }
            | Expr::RawString { .. }
            | Expr::Number { .. }
            | Expr::Bool { .. }
            | Expr::Null { .. }
    )
}

impl<'m> Visitor<'m> for Calls<'_> {
    fn expression(&mut self, expr: &'m Expr, position: Position, scopes: &Scopes<'m>) {
        match expr {
            Expr::Call { span, fcn, params, .. } => self.call(span, fcn, params.len(), position, scopes),
            Expr::UnaryExpr { span, expr, .. } if !matches!(expr.as_ref(), Expr::Number { .. }) => {
                let message = "only numbers can be negated with `-`".to_owned();
                self.refuse(LoadErrorKind::Syntax, span, message, Some("subtract from 0".to_owned()));
            }
            Expr::Var { span, .. } | Expr::RefDot { span, .. } | Expr::RefBrack { span, .. } => {
                let Some(target) = scopes.data_path(expr) else { return };
                if scopes.symbols.is_beginning(&target.path) {
                    // OPA builds an object of what is below, empty if all of it is undefined; regorus may find nothing.
                    let name = target.path.join(".");
                    let message = format!("`{name}` is no rule, only the beginning of the names of some");
                    self.refuse(
                        LoadErrorKind::Unsupported,
                        span,
                        message,
                        Some("name one of them".to_owned()),
                    );
                }
            }
            Expr::ArithExpr { span, lhs, rhs, .. } if is_fraction(lhs) || is_fraction(rhs) => {
                // 100 * 1.1 is 110 to OPA, which calculates in decimals, and 110.00000000000001 to regorus.
                let message = "regorus calculates fractions in binary, OPA in decimals".to_owned();
                let help = Some("call `plus`, `minus`, `mul` or `div`, which are OPA's".to_owned());
                self.refuse(LoadErrorKind::Unsupported, span, message, help);
            }
            Expr::Object { span, fields, .. }
                if fields.len() > 1 && fields.iter().any(|(_, key, _)| !is_literal(key)) =>
            {
                // Of two equal keys OPA may keep the first and regorus the last.
                let message = "a computed key beside others may be one of them".to_owned();
                let help = Some("join objects with `object.union`".to_owned());
                self.refuse(LoadErrorKind::Unsupported, span, message, help);
            }
            _ => {}
        }
    }

    fn pattern(&mut self, pattern: &'m Expr, scopes: &Scopes<'m>) {
        match pattern {
            // OPA wants an object of these members and no others, regorus is content with more.
            Expr::Object { span, .. } if !scopes.is_closed(pattern) => {
                let message = "an object with variables takes apart any object that has its members, not only those of OPA".to_owned();
                let help = Some("take members by name, as in `value := object.name`".to_owned());
                self.refuse(LoadErrorKind::Unsupported, span, message, help);
            }
            Expr::Array { items, .. } => items.iter().for_each(|item| self.pattern(item, scopes)),
            _ => {}
        }
    }

    fn statement(&mut self, statement: &'m LiteralStmt, scopes: &Scopes<'m>) {
        for modifier in &statement.with_mods {
            let target = reference(&modifier.refr);
            let is_document = match target.base {
                Expr::Var { span, .. } => match scopes.meaning(span.text()) {
                    Meaning::Input(_) => true,
                    Meaning::Data(_) => scopes.data_path(&modifier.refr).is_some_and(|target| {
                        scopes.symbols.rule(&target.path).is_none_or(|rule| rule.arity.is_none())
                    }),
                    Meaning::Local | Meaning::Free => false,
                },
                _ => false,
            };
            if !is_document {
                let message = format!("`with {}` would replace a function", modifier.refr.span().text());
                let help = Some("hand the value in as an argument or in `input`".to_owned());
                self.refuse(LoadErrorKind::Unsupported, &modifier.span, message, help);
            }
        }
    }
}
