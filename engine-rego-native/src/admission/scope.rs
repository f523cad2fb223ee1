//! What a name means at a place of a policy.

use std::collections::HashSet;

use regorus::unstable::{AssignOp, Expr, Literal, Query};

use super::expression::{Reference, Step, each_part, reference};
use super::symbols::{Import, ModuleSymbols, Symbols};
use crate::settings::RulePath;

/// What a name stands for.
pub(crate) enum Meaning {
    /// A variable that is declared around here.
    Local,
    /// A variable that its use binds, or that nothing binds.
    Free,
    /// The request, or the member of it at this path.
    Input(RulePath),
    /// A path of rules and data.
    Data(RulePath),
}

/// A path of rules and data that a reference leads to.
pub(crate) struct DataPath {
    pub(crate) path: RulePath,
    /// Whether the reference ends there, so far as can be seen.
    pub(crate) exact: bool,
}

/// The variables known at a place.
pub(crate) struct Scopes<'m> {
    pub(crate) module: &'m ModuleSymbols<'m>,
    pub(crate) symbols: &'m Symbols<'m>,
    frames: Vec<Frame<'m>>,
}

#[derive(Default)]
struct Frame<'m> {
    /// Declared here: by an argument, `:=`, `some` or `every`.
    declared: HashSet<&'m str>,
    /// Declared by `some x` alone, which does not bind it.
    unbound: HashSet<&'m str>,
    /// Named in a statement that could bind it.
    named: HashSet<&'m str>,
}

impl<'m> Frame<'m> {
    fn of(query: &'m Query) -> Self {
        let mut frame = Frame::default();
        for statement in &query.stmts {
            match &statement.literal {
                Literal::SomeVars { vars, .. } => {
                    frame.declared.extend(vars.iter().map(|var| var.text()));
                    frame.unbound.extend(vars.iter().map(|var| var.text()));
                }
                Literal::SomeIn { key, value, collection, .. } => {
                    key.iter().chain([value]).for_each(|pattern| variables(pattern, &mut frame.declared));
                    variables(collection, &mut frame.named);
                }
                Literal::Expr { expr, .. } => {
                    if let Expr::AssignExpr { op: AssignOp::ColEq, lhs, .. } = expr.as_ref() {
                        variables(lhs, &mut frame.declared);
                    }
                    variables(expr, &mut frame.named);
                }
                Literal::Every { domain, .. } => variables(domain, &mut frame.named),
                Literal::NotExpr { .. } => {}
            }
        }
        frame
    }
}

impl<'m> Scopes<'m> {
    pub(crate) fn new(module: &'m ModuleSymbols<'m>, symbols: &'m Symbols<'m>) -> Self {
        Self { module, symbols, frames: Vec::new() }
    }

    /// Enters a place where these patterns declare variables.
    pub(crate) fn enter_patterns(&mut self, patterns: impl IntoIterator<Item = &'m Expr>) {
        let mut frame = Frame::default();
        for pattern in patterns {
            variables(pattern, &mut frame.declared);
        }
        self.frames.push(frame);
    }

    /// Enters a place where these names are declared.
    pub(crate) fn enter_names(&mut self, names: impl IntoIterator<Item = &'m str>) {
        self.frames.push(Frame { declared: names.into_iter().collect(), ..Frame::default() });
    }

    /// Enters a body.
    pub(crate) fn enter_query(&mut self, query: &'m Query) {
        self.frames.push(Frame::of(query));
    }

    /// The names a body declares.
    pub(crate) fn declared(query: &'m Query) -> HashSet<&'m str> {
        Frame::of(query).declared
    }

    /// Whether the place entered last declares a name.
    pub(crate) fn declares(&self, name: &str) -> bool {
        self.frames.last().is_some_and(|frame| frame.declared.contains(name))
    }

    /// Whether the place entered last declares or names a variable, so that it may still be bound there.
    pub(crate) fn is_binding(&self, name: &str) -> bool {
        let known = |frame: &Frame<'_>| frame.declared.contains(name) || frame.named.contains(name);
        self.frames.last().is_some_and(known) && matches!(self.meaning(name), Meaning::Local | Meaning::Free)
    }

    /// Leaves what was entered last.
    pub(crate) fn leave(&mut self) {
        self.frames.pop();
    }

    /// What a name means here.
    pub(crate) fn meaning(&self, name: &str) -> Meaning {
        if self.frames.iter().any(|frame| frame.declared.contains(name)) {
            return Meaning::Local;
        }
        match name {
            "input" => return Meaning::Input(Vec::new()),
            "data" => return Meaning::Data(Vec::new()),
            _ => {}
        }
        let mut path = self.module.package.clone();
        path.push(name.to_owned());
        if self.symbols.below(&path).next().is_some() {
            return Meaning::Data(path);
        }
        match self.module.imports.get(name) {
            Some(Import::Data(path)) => Meaning::Data(path.clone()),
            Some(Import::Input(path)) => Meaning::Input(path.clone()),
            None => Meaning::Free,
        }
    }

    /// Whether a variable has a value once the statements outside negations are done.
    pub(crate) fn is_bound(&self, name: &str) -> bool {
        let named = || self.frames.iter().any(|frame| frame.named.contains(name));
        match self.frames.iter().rev().find(|frame| frame.declared.contains(name)) {
            Some(frame) if frame.unbound.contains(name) => named(),
            Some(_) => true,
            None => name != "_" && named(),
        }
    }

    /// Whether no variable of an expression could be bound by it.
    pub(crate) fn is_closed(&self, expr: &'m Expr) -> bool {
        let mut found = HashSet::new();
        variables(expr, &mut found);
        found.into_iter().all(|name| matches!(self.meaning(name), Meaning::Input(_) | Meaning::Data(_)))
    }

    /// Whether a reference starts from an import.
    pub(crate) fn is_imported(&self, expr: &Expr) -> bool {
        match reference(expr).base {
            Expr::Var { span, .. } => self.module.imports.contains_key(span.text()),
            _ => false,
        }
    }

    /// The rules and data a reference leads to, if it does not start from the request or a variable.
    pub(crate) fn data_path(&self, expr: &Expr) -> Option<DataPath> {
        let Reference { base, steps } = reference(expr);
        let Expr::Var { span, .. } = base else { return None };
        let Meaning::Data(mut path) = self.meaning(span.text()) else { return None };
        for step in steps {
            match step {
                Step::Name(name) => path.push(name.to_owned()),
                Step::Index(_) => return Some(DataPath { path, exact: false }),
            }
        }
        Some(DataPath { path, exact: true })
    }
}

/// The variables of an expression, those inside comprehensions left out.
pub(crate) fn variables<'m>(expr: &'m Expr, found: &mut HashSet<&'m str>) {
    if let Expr::Var { span, .. } = reference(expr).base {
        found.insert(span.text());
    }
    each_part(expr, &mut |part| variables(part, found));
}
