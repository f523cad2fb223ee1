//! Variables that nothing binds.
//!
//! A body can be evaluated if its statements have an order in which each finds its variables bound by those before it. OPA
//! refuses a body without one; regorus writes a line to stderr, evaluates in the order of the text, and may find
//! anything.

use std::collections::HashSet;

use regorus::unstable::{Expr, Literal, Query, Ref, Rule, RuleHead};
use tribunal_engine_core::engine::{LoadError, LoadErrorKind};

use super::calls::{Callee, callee};
use super::expression::{Step, each_part, reference};
use super::scope::{Meaning, Scopes, variables};
use super::symbols::{ModuleSymbols, Symbols, place};
use crate::builtins::{self, Arity};

/// Refuses bodies whose statements have no order.
pub(crate) fn check<'m>(
    module: &'m ModuleSymbols<'m>,
    symbols: &'m Symbols<'m>,
    errors: &mut Vec<LoadError>,
) {
    let mut safety = Safety { scopes: Scopes::new(module, symbols), errors };
    for rule in &module.module.policy {
        let Rule::Spec { head, bodies, .. } = rule.as_ref() else { continue };
        let (args, values): (&[Ref<Expr>], Vec<&'m Expr>) = match head {
            RuleHead::Func { args, assign, .. } => {
                (args, assign.iter().map(|assign| assign.value.as_ref()).collect())
            }
            RuleHead::Compr { assign, .. } => {
                (&[], assign.iter().map(|assign| assign.value.as_ref()).collect())
            }
            RuleHead::Set { key, .. } => (&[], key.iter().map(AsRef::as_ref).collect()),
        };
        safety.scopes.enter_patterns(args.iter().map(AsRef::as_ref));
        let mut bound = HashSet::new();
        args.iter().for_each(|arg| variables(arg, &mut bound));
        for body in bodies {
            let own = body.assign.iter().map(|assign| assign.value.as_ref());
            let values = if body.is_else {
                own.collect()
            } else {
                values.iter().copied().chain(own).collect::<Vec<_>>()
            };
            safety.query(&body.query, &values, &bound);
        }
        if bodies.is_empty() {
            values.iter().for_each(|value| safety.closures(value, &bound));
        }
        safety.scopes.leave();
    }
}

type Bound<'m> = HashSet<&'m str>;

struct Safety<'m, 'e> {
    scopes: Scopes<'m>,
    errors: &'e mut Vec<LoadError>,
}

/// Something that has to be evaluated once its variables are bound.
enum Task<'m> {
    /// A value that is needed; its indices may be bound by it.
    Value(&'m Expr),
    /// A negation, which binds nothing.
    Negation(&'m Expr),
    /// Two sides of which one binds the other.
    Equation(&'m Expr, &'m Expr),
    /// A pattern bound by a value.
    Binding { value: &'m Expr, patterns: Vec<&'m Expr> },
}

impl<'m> Safety<'m, '_> {
    /// Checks a body with what its variables reach, and every body inside.
    fn query(&mut self, query: &'m Query, terms: &[&'m Expr], outer: &Bound<'m>) {
        self.scopes.enter_query(query);
        let mut bound = outer.clone();
        // A name declared here is another variable than the one outside.
        bound.retain(|name| !self.scopes.declares(name));
        let mut tasks: Vec<(&'m Expr, Task<'m>)> = Vec::new();
        for statement in &query.stmts {
            tasks.extend(
                statement
                    .with_mods
                    .iter()
                    .map(|modifier| (modifier.r#as.as_ref(), Task::Value(&modifier.r#as))),
            );
            match &statement.literal {
                Literal::SomeVars { .. } => {}
                Literal::SomeIn { key, value, collection, .. } => {
                    let patterns = key.iter().chain([value]).map(AsRef::as_ref).collect();
                    tasks.push((collection, Task::Binding { value: collection, patterns }));
                }
                Literal::Expr { expr, .. } => self.statement(expr, &mut tasks),
                Literal::NotExpr { expr, .. } => tasks.push((expr, Task::Negation(expr))),
                Literal::Every { domain, .. } => tasks.push((domain, Task::Value(domain))),
            }
        }
        // A comprehension waits for the variables it shares with the body, unless they wait for it.
        let mut patient = true;
        while !tasks.is_empty() {
            let before = tasks.len();
            tasks.retain(|(_, task)| match self.attempt(task, &bound, patient) {
                Some(new) => {
                    bound.extend(new);
                    false
                }
                None => true,
            });
            match (tasks.len() == before, patient) {
                (false, _) => patient = true,
                (true, true) => patient = false,
                (true, false) => break,
            }
        }
        for (expr, _) in &tasks {
            let message = format!("`{}` has variables that nothing binds before it", expr.span().text());
            self.errors.push(LoadError::new(LoadErrorKind::Invalid, message).at(place(expr.span())));
        }
        if tasks.is_empty() {
            for statement in &query.stmts {
                match &statement.literal {
                    Literal::SomeVars { .. } => {}
                    Literal::SomeIn { collection, .. } => self.closures(collection, &bound),
                    Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => self.closures(expr, &bound),
                    Literal::Every { key, value, domain, query, .. } => {
                        self.closures(domain, &bound);
                        let names = || key.iter().chain([value]).map(|name| name.text());
                        self.scopes.enter_names(names());
                        let inner = bound.iter().copied().chain(names()).collect();
                        self.query(query, &[], &inner);
                        self.scopes.leave();
                    }
                }
            }
            terms.iter().for_each(|term| self.closures(term, &bound));
        }
        self.scopes.leave();
    }

    /// Checks the comprehensions of an expression.
    fn closures(&mut self, expr: &'m Expr, bound: &Bound<'m>) {
        match expr {
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                self.query(query, &[term], bound)
            }
            Expr::ObjectCompr { key, value, query, .. } => self.query(query, &[key, value], bound),
            expr => {
                let mut parts = Vec::new();
                each_part(expr, &mut |part| parts.push(part));
                parts.into_iter().for_each(|part| self.closures(part, bound));
            }
        }
    }

    fn statement(&self, expr: &'m Expr, tasks: &mut Vec<(&'m Expr, Task<'m>)>) {
        match expr {
            Expr::AssignExpr { lhs, rhs, .. } => self.equation(expr, lhs, rhs, tasks),
            Expr::Call { fcn, params, .. } => match params.split_last() {
                Some((result, params)) if self.arity(fcn) == Some(params.len()) => {
                    tasks.extend(params.iter().map(|param| (expr, Task::Value(param))));
                    if let Some(value) = params.first() {
                        tasks.push((expr, Task::Binding { value, patterns: vec![result] }));
                    }
                }
                _ => tasks.push((expr, Task::Value(expr))),
            },
            expr => tasks.push((expr, Task::Value(expr))),
        }
    }

    fn equation(&self, whole: &'m Expr, lhs: &'m Expr, rhs: &'m Expr, tasks: &mut Vec<(&'m Expr, Task<'m>)>) {
        match (lhs, rhs) {
            (Expr::Array { items: left, .. }, Expr::Array { items: right, .. })
                if left.len() == right.len() =>
            {
                left.iter().zip(right).for_each(|(left, right)| self.equation(whole, left, right, tasks));
            }
            _ => tasks.push((whole, Task::Equation(lhs, rhs))),
        }
    }

    fn arity(&self, function: &Expr) -> Option<usize> {
        match callee(function, &self.scopes) {
            Callee::Function(target) => self.scopes.symbols.rule(&target.path)?.arity,
            Callee::Builtin(name) => match builtins::arity(&name)? {
                Arity::Exactly(arity) => Some(arity),
                Arity::Relation => Some(1),
                Arity::Any => None,
            },
        }
    }

    /// The variables a task binds, if it can be done.
    fn attempt(&self, task: &Task<'m>, bound: &Bound<'m>, patient: bool) -> Option<Bound<'m>> {
        match task {
            Task::Value(value) => self.value(value, bound, patient),
            Task::Negation(value) => self.value(value, bound, patient)?.is_subset(bound).then(Bound::new),
            Task::Binding { value, patterns } => {
                let mut new = self.value(value, bound, patient)?;
                for pattern in patterns {
                    self.pattern(pattern, bound, patient, &mut new)?;
                }
                Some(new)
            }
            Task::Equation(lhs, rhs) => [(lhs, rhs), (rhs, lhs)].into_iter().find_map(|(value, pattern)| {
                let mut new = self.value(value, bound, patient)?;
                self.pattern(pattern, bound, patient, &mut new)?;
                Some(new)
            }),
        }
    }

    /// What a pattern binds: variables by themselves, and by the values of anything else in it.
    fn pattern(
        &self,
        pattern: &'m Expr,
        bound: &Bound<'m>,
        patient: bool,
        new: &mut Bound<'m>,
    ) -> Option<()> {
        match pattern {
            Expr::Var { span, .. } => {
                new.insert(span.text());
                Some(())
            }
            Expr::Array { items, .. } => {
                items.iter().try_for_each(|item| self.pattern(item, bound, patient, new))
            }
            Expr::Object { fields, .. } => fields.iter().try_for_each(|(_, key, value)| {
                new.extend(self.value(key, bound, patient)?);
                self.pattern(value, bound, patient, new)
            }),
            value => {
                new.extend(self.value(value, bound, patient)?);
                Some(())
            }
        }
    }

    /// What the evaluation of an expression binds, if its variables allow it: the variables of its indices.
    fn value(&self, expr: &'m Expr, bound: &Bound<'m>, patient: bool) -> Option<Bound<'m>> {
        let mut new = Bound::new();
        match expr {
            Expr::ArrayCompr { .. } | Expr::SetCompr { .. } | Expr::ObjectCompr { .. } => {
                let mut named = HashSet::new();
                self.closure_variables(expr, &mut named);
                let waits = patient
                    && named.into_iter().any(|name| self.scopes.is_binding(name) && !bound.contains(name));
                return (!waits).then_some(new);
            }
            Expr::Var { span, .. } => {
                let known = !self.is_variable(span.text()) || bound.contains(span.text());
                return known.then_some(new);
            }
            Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                let reference = reference(expr);
                new.extend(self.value(reference.base, bound, patient)?);
                for step in reference.steps {
                    if let Step::Index(index) = step {
                        self.pattern(index, bound, patient, &mut new)?;
                    }
                }
            }
            expr => {
                let mut complete = true;
                each_part(expr, &mut |part| match self.value(part, bound, patient) {
                    Some(found) => new.extend(found),
                    None => complete = false,
                });
                if !complete {
                    return None;
                }
            }
        }
        Some(new)
    }

    fn is_variable(&self, name: &str) -> bool {
        matches!(self.scopes.meaning(name), Meaning::Local | Meaning::Free)
    }

    /// Every name in a comprehension that it does not declare itself.
    fn closure_variables(&self, expr: &'m Expr, found: &mut HashSet<&'m str>) {
        let (query, terms): (&'m Query, Vec<&'m Expr>) = match expr {
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => (query, vec![term]),
            Expr::ObjectCompr { key, value, query, .. } => (query, vec![key, value]),
            expr => {
                variables(expr, found);
                return each_part(expr, &mut |part| self.closure_variables(part, found));
            }
        };
        let mut inside = HashSet::new();
        terms.into_iter().for_each(|term| self.closure_variables(term, &mut inside));
        self.query_variables(query, &mut inside);
        let declared = Scopes::declared(query);
        found.extend(inside.into_iter().filter(|name| !declared.contains(name)));
    }

    fn query_variables(&self, query: &'m Query, found: &mut HashSet<&'m str>) {
        for statement in &query.stmts {
            statement.with_mods.iter().for_each(|modifier| self.closure_variables(&modifier.r#as, found));
            match &statement.literal {
                Literal::SomeVars { .. } => {}
                Literal::SomeIn { key, value, collection, .. } => {
                    key.iter()
                        .chain([value, collection])
                        .for_each(|expr| self.closure_variables(expr, found));
                }
                Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => {
                    self.closure_variables(expr, found)
                }
                Literal::Every { key, value, domain, query, .. } => {
                    let mut inside = HashSet::new();
                    self.query_variables(query, &mut inside);
                    let declared = Scopes::declared(query);
                    let own =
                        |name: &&str| key.iter().chain([value]).any(|declared| declared.text() == *name);
                    found.extend(inside.into_iter().filter(|name| !declared.contains(name) && !own(name)));
                    self.closure_variables(domain, found);
                }
            }
        }
    }
}
