//! Rules that need themselves, and how deep the others nest.
//!
//! regorus finds recursion while it evaluates, and not in functions: those end the process by overflowing its stack. So does
//! a chain of rules that is long enough. Both are known from which rule names which.

use std::collections::{BTreeMap, BTreeSet};

use regorus::unstable::{Expr, Literal, LiteralStmt, Query, Rule, RuleHead};
use tribunal_engine_core::engine::{LoadError, LoadErrorKind};
use tribunal_engine_core::location::Location;

use super::bounds;
use super::calls::{Callee, callee};
use super::expression::{Step, each_part, reference};
use super::scope::Scopes;
use super::symbols::{Symbols, head, place};
use super::walk::{self, Position, Visitor};
use crate::settings::RulePath;

/// Refuses recursion, and rules that nest too deeply.
pub(crate) fn check(symbols: &Symbols<'_>, errors: &mut Vec<LoadError>) {
    let graph = Graph::of(symbols);
    match graph.order() {
        Ok(order) => graph.check_depth(&order, errors),
        Err(cycles) => errors.extend(cycles),
    }
}

/// The rules that these need, themselves included.
pub(crate) fn reachable(symbols: &Symbols<'_>, roots: &[&RulePath]) -> BTreeSet<RulePath> {
    let graph = Graph::of(symbols);
    let mut found: BTreeSet<usize> = (0..)
        .zip(&graph.nodes)
        .filter(|(_, node)| roots.contains(&node.path))
        .map(|(index, _)| index)
        .collect();
    let mut open: Vec<usize> = found.iter().copied().collect();
    while let Some(node) = open.pop() {
        open.extend(graph.needs(node).into_iter().filter(|need| found.insert(*need)));
    }
    found.into_iter().filter_map(|node| graph.nodes.get(node)).map(|node| node.path.clone()).collect()
}

/// Which rule names which. A name that could mean several rules means all of them.
struct Graph<'m> {
    nodes: Vec<Node<'m>>,
}

struct Node<'m> {
    path: &'m RulePath,
    place: Location,
    needs: BTreeSet<usize>,
    depth: usize,
}

impl<'m> Graph<'m> {
    fn of(symbols: &'m Symbols<'m>) -> Self {
        let mut nodes: Vec<Node<'m>> = Vec::new();
        let mut index: BTreeMap<&'m RulePath, usize> = BTreeMap::new();
        for path in symbols.paths() {
            index.insert(path, nodes.len());
            nodes.push(Node { path, place: Location::new("", 0, 0), needs: BTreeSet::new(), depth: 0 });
        }
        let mut places = symbols.places().iter();
        for module in symbols.modules() {
            let mut scopes = Scopes::new(module, symbols);
            for rule in &module.module.policy {
                // Places were noted in this order.
                let Some(node) = places.next().and_then(|noted| nodes.get_mut(*index.get(&noted.path)?))
                else {
                    continue;
                };
                let mut needs = Needs { index: &index, found: &mut node.needs };
                walk::rule(rule, &mut scopes, &mut needs);
                node.place = place(head(rule).span());
                node.depth = node.depth.max(rule_depth(rule));
            }
        }
        Self { nodes }
    }

    /// The rules so that each comes after those it needs, or the cycles that keep them from it.
    fn order(&self) -> Result<Vec<usize>, Vec<LoadError>> {
        #[derive(Clone, Copy, PartialEq)]
        enum State {
            New,
            Open,
            Done,
        }
        let mut states = vec![State::New; self.nodes.len()];
        let mut order = Vec::with_capacity(self.nodes.len());
        let mut cycles = Vec::new();
        for start in 0..self.nodes.len() {
            if states.get(start) != Some(&State::New) {
                continue;
            }
            let mut path: Vec<(usize, Vec<usize>)> = vec![(start, self.needs(start))];
            if let Some(state) = states.get_mut(start) {
                *state = State::Open;
            }
            while let Some((node, rest)) = path.last_mut() {
                let Some(next) = rest.pop() else {
                    if let Some(state) = states.get_mut(*node) {
                        *state = State::Done;
                    }
                    order.push(*node);
                    path.pop();
                    continue;
                };
                match states.get(next).copied() {
                    Some(State::New) => {
                        if let Some(state) = states.get_mut(next) {
                            *state = State::Open;
                        }
                        path.push((next, self.needs(next)));
                    }
                    Some(State::Open) => {
                        let members = path.iter().map(|(node, _)| *node).skip_while(|node| *node != next);
                        cycles.push(self.cycle(members.chain([next]).collect()));
                    }
                    Some(State::Done) | None => {}
                }
            }
        }
        if cycles.is_empty() { Ok(order) } else { Err(cycles) }
    }

    fn needs(&self, node: usize) -> Vec<usize> {
        self.nodes.get(node).map(|node| node.needs.iter().copied().collect()).unwrap_or_default()
    }

    fn cycle(&self, members: Vec<usize>) -> LoadError {
        let nodes: Vec<&Node<'_>> = members.iter().filter_map(|node| self.nodes.get(*node)).collect();
        let names: Vec<String> = nodes.iter().map(|node| format!("`{}`", node.path.join("."))).collect();
        let error = LoadError::new(LoadErrorKind::Invalid, format!("recursion: {}", names.join(" needs ")));
        let error = error.help("a rule cannot need itself, nor the package or the data it stands in");
        match nodes.first() {
            Some(node) => error.at(node.place.clone()),
            None => error,
        }
    }

    fn check_depth(&self, order: &[usize], errors: &mut Vec<LoadError>) {
        let mut depths = vec![0; self.nodes.len()];
        for &index in order {
            let Some(node) = self.nodes.get(index) else { continue };
            let below = node.needs.iter().filter_map(|need| depths.get(*need).copied()).max();
            let depth = node.depth + below.unwrap_or(0);
            if let Some(slot) = depths.get_mut(index) {
                *slot = depth;
            }
            // Only the first rule of a chain that is too long is told.
            if depth > bounds::EVALUATION_DEPTH && below.unwrap_or(0) <= bounds::EVALUATION_DEPTH {
                let message = format!(
                    "`{}` nests {depth} units deep with the rules it needs, more than {}",
                    node.path.join("."),
                    bounds::EVALUATION_DEPTH
                );
                errors.push(LoadError::new(LoadErrorKind::Bounds, message).at(node.place.clone()));
            }
        }
    }
}

/// Collects the rules that a rule names.
struct Needs<'g, 'm> {
    index: &'g BTreeMap<&'m RulePath, usize>,
    found: &'g mut BTreeSet<usize>,
}

impl<'m> Visitor<'m> for Needs<'_, '_> {
    fn expression(&mut self, expr: &'m Expr, _: Position, scopes: &Scopes<'m>) {
        match expr {
            Expr::Call { fcn, .. } => {
                if let Callee::Function(target) = callee(fcn, scopes) {
                    self.found.extend(self.index.get(&target.path));
                }
            }
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                let Some(target) = scopes.data_path(expr) else { return };
                self.found.extend(scopes.symbols.below(&target.path).filter_map(|path| self.index.get(path)));
                let above = (0..target.path.len()).filter_map(|length| target.path.get(..length));
                self.found.extend(above.filter_map(|path| self.index.get(&path.to_vec())));
            }
            _ => {}
        }
    }

    fn pattern(&mut self, _: &'m Expr, _: &Scopes<'m>) {}

    fn statement(&mut self, _: &'m LiteralStmt, _: &Scopes<'m>) {}
}

const RULE: usize = 4;
const QUERY: usize = 3;
const LOOP: usize = 3;

/// How deep the evaluation of one rule nests, the rules it needs left out.
fn rule_depth(rule: &Rule) -> usize {
    match rule {
        Rule::Default { value, .. } => RULE + depth(value),
        Rule::Spec { head, bodies, .. } => {
            let values = match head {
                RuleHead::Compr { refr, assign, .. } => {
                    vec![refr, assign.as_ref().map_or(refr, |assign| &assign.value)]
                }
                RuleHead::Set { refr, key, .. } => vec![refr, key.as_ref().unwrap_or(refr)],
                RuleHead::Func { args, assign, .. } => {
                    args.iter().chain(assign.iter().map(|assign| &assign.value)).collect()
                }
            };
            let head_loops: usize = values.iter().map(|value| loops(value)).sum();
            let head_depth = values.into_iter().map(|value| depth(value)).max().unwrap_or(0);
            let bodies = bodies.iter().map(|body| {
                let assign = body
                    .assign
                    .as_ref()
                    .map_or(0, |assign| depth(&assign.value) + LOOP * loops(&assign.value));
                query_depth(&body.query, head_depth.max(assign) + LOOP * head_loops)
            });
            RULE + bodies.max().unwrap_or(0).max(head_depth + LOOP * head_loops)
        }
    }
}

/// Each loop of a body holds the statements after it inside.
fn query_depth(query: &Query, terms: usize) -> usize {
    let mut looping = 0;
    let mut deepest = terms;
    for statement in &query.stmts {
        let exprs: Vec<&Expr> = match &statement.literal {
            Literal::SomeVars { .. } => vec![],
            Literal::SomeIn { key, value, collection, .. } => {
                looping += 1;
                key.iter().chain([value, collection]).map(AsRef::as_ref).collect()
            }
            Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => vec![expr],
            Literal::Every { domain, query, .. } => {
                deepest = deepest.max(LOOP + query_depth(query, 0));
                vec![domain]
            }
        };
        for expr in exprs.into_iter().chain(statement.with_mods.iter().map(|modifier| modifier.r#as.as_ref()))
        {
            looping += loops(expr);
            deepest = deepest.max(depth(expr));
        }
    }
    QUERY + LOOP * looping + deepest
}

/// Loops that an expression opens: an index that is a variable, and `walk`.
fn loops(expr: &Expr) -> usize {
    let mut count = match expr {
        Expr::Call { fcn, .. } => usize::from(fcn.span().text() == "walk"),
        _ => 0,
    };
    count += reference(expr)
        .steps
        .iter()
        .filter(|step| {
            matches!(step, Step::Index(Expr::Var { .. } | Expr::Array { .. } | Expr::Object { .. }))
        })
        .count();
    each_part(expr, &mut |part| count += loops(part));
    count
}

fn depth(expr: &Expr) -> usize {
    let mut deepest = match expr {
        Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
            query_depth(query, depth(term) + LOOP * loops(term))
        }
        Expr::ObjectCompr { key, value, query, .. } => {
            query_depth(query, depth(key).max(depth(value)) + LOOP * (loops(key) + loops(value)))
        }
        // A chain of steps is followed without nesting by the evaluation, if not by every pass before it.
        expr => reference(expr).steps.len() / 8,
    };
    each_part(expr, &mut |part| deepest = deepest.max(depth(part)));
    1 + deepest
}
