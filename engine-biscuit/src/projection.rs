//! Queries that are given the members they read in place of all of the data or the request.
//!
//! For each expression, closure, `&&` and `||`, and that in every round, the evaluator copies whatever the variables of a query
//! hold. A query that binds `data($d)` to ask for `$d.get("tools").get("known")` so copies all of the pack's data, again and
//! again. Here it becomes a query of `data/tools/known($d/tools/known)`, a fact of that member alone. No text of a pack or a
//! token can name such a predicate, and a query that trusts a token is left as it is written, so that no block can state one.
//!
//! What a query says stays the same, its errors too: where a member cannot be asked for, since what should hold it is no map,
//! [`Path::of`] has no answer, and the queries are evaluated as they are written.

use std::collections::BTreeSet;

use biscuit_auth::builder::{Binary, Fact, MapKey, Op, Predicate, Rule, Term};
use tribunal_engine_core::contract::Pointer;

use crate::convert::{DATA, WHOLE};

/// A member of one of the maps that the engine states.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path {
    /// The predicate that states the map.
    predicate: String,
    keys: Vec<MapKey>,
    /// The predicate that states the member.
    name: String,
}

impl Path {
    fn new(predicate: &str, keys: &[String]) -> Self {
        Self {
            predicate: predicate.to_owned(),
            keys: keys.iter().cloned().map(MapKey::Str).collect(),
            name: below(predicate, keys),
        }
    }

    /// Whether it leads into the pack's data, which is the same for every request.
    pub(crate) fn is_data(&self) -> bool {
        self.predicate == DATA
    }

    /// The fact of the member, null if it is missing, found in the facts of the maps.
    ///
    /// `None` where asking for it would be an error.
    pub(crate) fn of(&self, whole: &[Fact]) -> Option<Fact> {
        let fact = whole.iter().find(|fact| fact.predicate.name == self.predicate)?;
        let mut member = fact.predicate.terms.first()?;
        for key in &self.keys {
            let Term::Map(members) = member else { return None };
            member = members.get(key).unwrap_or(&Term::Null);
        }
        Some(Fact::new(self.name.clone(), vec![member.clone()]))
    }
}

/// What a member is called below a predicate or a variable, neither of which can have a slash where it is written.
fn below(name: &str, keys: &[String]) -> String {
    format!("{name}{}", Pointer::from_tokens(keys.iter().cloned()))
}

/// The query that reads members in place of maps, wherever members are all that it asks of a map. They are noted in `paths`.
pub(crate) fn projected(query: &Rule, paths: &mut BTreeSet<Path>) -> Rule {
    let mut projected = query.clone();
    if !query.scopes.is_empty() {
        return projected;
    }
    projected.body.clear();
    for predicate in &query.body {
        let Some((variable, lists)) = read_by_members(predicate, query) else {
            projected.body.push(predicate.clone());
            continue;
        };
        for expression in &mut projected.expressions {
            rename(&mut expression.ops, variable, &lists);
        }
        for keys in lists {
            let path = Path::new(&predicate.name, &keys);
            let term = Term::Variable(below(variable, &keys));
            projected.body.push(Predicate::new(path.name.clone(), vec![term]));
            paths.insert(path);
        }
    }
    projected
}

/// The variable of a map that a query asks for members only, and the keys to each, none of which lies inside another.
fn read_by_members<'q>(predicate: &'q Predicate, query: &Rule) -> Option<(&'q str, BTreeSet<Vec<String>>)> {
    let [Term::Variable(variable)] = predicate.terms.as_slice() else { return None };
    let terms = query.body.iter().chain([&query.head]).flat_map(|predicate| &predicate.terms);
    let bound = terms.filter(|term| matches!(term, Term::Variable(name) if name == variable)).count();
    if !WHOLE.contains(&predicate.name.as_str()) || bound != 1 {
        return None;
    }
    let mut lists = BTreeSet::new();
    for expression in &query.expressions {
        note_keys(&expression.ops, variable, &mut lists);
    }
    let outermost = |keys: &Vec<String>| !lists.iter().any(|other| other != keys && keys.starts_with(other));
    let outermost: BTreeSet<_> = lists.iter().filter(|keys| outermost(keys)).cloned().collect();
    // A variable that is used itself has no keys, and one that is never used has no lists.
    (!outermost.is_empty() && !outermost.contains([].as_slice())).then_some((variable, outermost))
}

fn note_keys(ops: &[Op], variable: &str, lists: &mut BTreeSet<Vec<String>>) {
    for (index, op) in ops.iter().enumerate() {
        match op {
            Op::Value(Term::Variable(name)) if name == variable => {
                lists.insert(keys(ops.get(index + 1..).unwrap_or(&[])));
            }
            Op::Closure(_, body) => note_keys(body, variable, lists),
            _ => {}
        }
    }
}

/// The keys of the `.get("…").get("…")` that operations begin with, which stand in postfix order.
fn keys(ops: &[Op]) -> Vec<String> {
    let key = |pair: &[Op]| match pair {
        [Op::Value(Term::Str(key)), Op::Binary(Binary::Get)] => Some(key.clone()),
        _ => None,
    };
    ops.chunks(2).map_while(key).collect()
}

fn rename(ops: &mut Vec<Op>, variable: &str, lists: &BTreeSet<Vec<String>>) {
    let mut index = 0;
    while let Some((op, after)) = ops.get_mut(index..).and_then(<[Op]>::split_first_mut) {
        index += 1;
        match op {
            Op::Value(Term::Variable(name)) if name == variable => {
                let keys = keys(after);
                if let Some(keys) = lists.iter().find(|list| keys.starts_with(list)) {
                    *name = below(variable, keys);
                    ops.drain(index..index + 2 * keys.len());
                }
            }
            Op::Closure(_, body) => rename(body, variable, lists),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_binds_the_outermost_members_that_it_reads() {
        for (written, wanted) in [
            (
                r#"q($t) <- action($t), data($d), $d.get("tools").get("known").contains($t)"#,
                r#"q($t) <- action($t), data/tools/known($d/tools/known), $d/tools/known.contains($t)"#,
            ),
            (
                r#"q(true) <- request($r), $r.get("a").get("b").type() === "map" && $r.get("a").get("b").get("c") === $r.get("d")"#,
                r#"q(true) <- request/a/b($r/a/b), request/d($r/d), $r/a/b.type() === "map" && $r/a/b.get("c") === $r/d"#,
            ),
            (
                r#"q(true) <- derived($d), ["x"].any($x -> $d.get("list").get(0) === $x)"#,
                r#"q(true) <- derived/list($d/list), ["x"].any($x -> $d/list.get(0) === $x)"#,
            ),
        ] {
            let written: Rule = written.parse().unwrap();
            let mut paths = BTreeSet::new();
            assert_eq!(projected(&written, &mut paths).to_string(), wanted);
            assert!(!paths.is_empty());
        }
    }

    #[test]
    fn a_query_that_needs_the_map_or_trusts_a_token_stays() {
        for written in [
            "q($d) <- data($d)",
            r#"q($d) <- data($d), $d.get("on")"#,
            r#"q(true) <- data($d), other($d), $d.get("on")"#,
            r#"q(true) <- data($d), $d.get("on"), $d.length() === 1"#,
            r#"q(true) <- data($d), key($k), $d.get($k)"#,
            r#"q(true) <- other($d), $d.get("on")"#,
            r#"q(true) <- data($d), $d.get("on") trusting authority"#,
        ] {
            let written: Rule = written.parse().unwrap();
            let mut paths = BTreeSet::new();
            assert_eq!(projected(&written, &mut paths), written);
            assert_eq!(paths, BTreeSet::new());
        }
    }
}
