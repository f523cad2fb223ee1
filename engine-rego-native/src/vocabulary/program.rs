//! Every definition of a policy, with what its variables are bound by and who calls its functions.

use std::collections::{BTreeMap, HashMap};

use regorus::unstable::{AssignOp, Expr, Literal, LiteralStmt, Ref, Rule, RuleHead};

use crate::admission::RulePlace;
use crate::admission::calls::{Callee, callee};
use crate::admission::scope::Scopes;
use crate::admission::symbols::{ModuleSymbols, Symbols};
use crate::admission::walk::{self, Position, Visitor};
use crate::settings::RulePath;

/// A definition, by its place in [`Program::definitions`].
pub(crate) type Home = usize;

/// Where a function is called, and with what.
pub(crate) type Call<'m> = (Home, &'m [Ref<Expr>]);

/// The definitions of a policy.
pub(crate) struct Program<'m> {
    pub(crate) symbols: &'m Symbols<'m>,
    /// In the order of the text.
    pub(crate) definitions: Vec<Definition<'m>>,
    by_path: BTreeMap<&'m RulePath, Vec<Home>>,
    calls: BTreeMap<RulePath, Vec<Call<'m>>>,
}

/// One definition of a rule or function.
pub(crate) struct Definition<'m> {
    pub(crate) module: &'m ModuleSymbols<'m>,
    pub(crate) rule: &'m Rule,
    pub(crate) place: &'m RulePlace,
    /// What binds its variables. A name that two scopes bind is bound by both.
    pub(crate) bindings: HashMap<&'m str, Vec<Binding<'m>>>,
}

/// What binds a variable.
#[derive(Clone, Copy)]
pub(crate) enum Binding<'m> {
    /// A value.
    Value(&'m Expr),
    /// The elements of a value.
    Element(&'m Expr),
    /// The keys of a value.
    Key(&'m Expr),
    /// What callers hand in at this position.
    Argument(usize),
}

impl<'m> Program<'m> {
    pub(crate) fn of(symbols: &'m Symbols<'m>) -> Self {
        let mut program =
            Program { symbols, definitions: Vec::new(), by_path: BTreeMap::new(), calls: BTreeMap::new() };
        let mut places = symbols.places().iter();
        for module in symbols.modules() {
            let mut scopes = Scopes::new(module, symbols);
            // Places were noted in this order.
            for (rule, place) in module.module.policy.iter().zip(&mut places) {
                let home = program.definitions.len();
                let mut found = Bindings { home, bindings: HashMap::new(), calls: &mut program.calls };
                for (position, arg) in arguments(rule).iter().enumerate() {
                    found.bind(arg, Binding::Argument(position));
                }
                walk::rule(rule, &mut scopes, &mut found);
                let bindings = found.bindings;
                program.by_path.entry(&place.path).or_default().push(home);
                program.definitions.push(Definition { module, rule, place, bindings });
            }
        }
        program
    }

    /// The definition at a place.
    pub(crate) fn definition(&self, home: Home) -> Option<&Definition<'m>> {
        self.definitions.get(home)
    }

    /// The definitions of a rule.
    pub(crate) fn of_rule(&self, path: &[String]) -> &[Home] {
        self.by_path.get(&path.to_vec()).map_or(&[], Vec::as_slice)
    }

    /// What a function is called with, and where.
    pub(crate) fn calls(&self, path: &[String]) -> &[Call<'m>] {
        self.calls.get(path).map_or(&[], Vec::as_slice)
    }
}

/// The patterns of a function's arguments.
pub(crate) fn arguments(rule: &Rule) -> &[Ref<Expr>] {
    match rule {
        Rule::Default { args, .. } | Rule::Spec { head: RuleHead::Func { args, .. }, .. } => args,
        Rule::Spec { .. } => &[],
    }
}

/// The values of a definition, those of its `else` branches included; of a set, its members.
pub(crate) fn values(rule: &Rule) -> Vec<&Expr> {
    match rule {
        Rule::Default { value, .. } => vec![value],
        Rule::Spec { head, bodies, .. } => {
            let own: Option<&Ref<Expr>> = match head {
                RuleHead::Compr { assign, .. } | RuleHead::Func { assign, .. } => {
                    assign.as_ref().map(|assign| &assign.value)
                }
                RuleHead::Set { key, .. } => key.as_ref(),
            };
            let others = bodies.iter().filter_map(|body| Some(&body.assign.as_ref()?.value));
            own.into_iter().chain(others).map(AsRef::as_ref).collect()
        }
    }
}

struct Bindings<'m, 'p> {
    home: Home,
    bindings: HashMap<&'m str, Vec<Binding<'m>>>,
    calls: &'p mut BTreeMap<RulePath, Vec<Call<'m>>>,
}

impl<'m> Bindings<'m, '_> {
    fn name(&mut self, name: &'m str, binding: Binding<'m>) {
        if name != "_" {
            self.bindings.entry(name).or_default().push(binding);
        }
    }

    /// Binds the variables of a pattern, those inside a list by its elements.
    fn bind(&mut self, pattern: &'m Expr, binding: Binding<'m>) {
        match (pattern, binding) {
            (Expr::Var { span, .. }, binding) => self.name(span.text(), binding),
            (Expr::Array { items, .. }, Binding::Value(value)) => {
                items.iter().for_each(|item| self.bind(item, Binding::Element(value)));
            }
            _ => {}
        }
    }
}

impl<'m> Visitor<'m> for Bindings<'m, '_> {
    fn expression(&mut self, expr: &'m Expr, _: Position, scopes: &Scopes<'m>) {
        match expr {
            Expr::AssignExpr { op: AssignOp::ColEq, lhs, rhs, .. } => self.bind(lhs, Binding::Value(rhs)),
            Expr::AssignExpr { op: AssignOp::Eq, lhs, rhs, .. } => {
                for (side, other) in [(lhs, rhs), (rhs, lhs)] {
                    // A rule or `input` is no variable to be bound.
                    if !matches!(side.as_ref(), Expr::Var { span, .. } if !scopes.is_binding(span.text())) {
                        self.bind(side, Binding::Value(other));
                    }
                }
            }
            Expr::Call { fcn, params, .. } => {
                if let Callee::Function(target) = callee(fcn, scopes) {
                    self.calls.entry(target.path).or_default().push((self.home, params));
                }
            }
            _ => {}
        }
    }

    fn pattern(&mut self, _: &'m Expr, _: &Scopes<'m>) {}

    fn statement(&mut self, statement: &'m LiteralStmt, _: &Scopes<'m>) {
        match &statement.literal {
            Literal::SomeIn { key, value, collection, .. } => {
                key.iter().for_each(|key| self.bind(key, Binding::Key(collection)));
                self.bind(value, Binding::Element(collection));
            }
            Literal::Every { key, value, domain, .. } => {
                key.iter().for_each(|key| self.name(key.text(), Binding::Key(domain)));
                self.name(value.text(), Binding::Element(domain));
            }
            _ => {}
        }
    }
}
