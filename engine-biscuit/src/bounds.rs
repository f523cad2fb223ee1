//! How much work a program can cause, known before it runs.
//!
//! The evaluator joins predicates by nested loops and looks at its clock only between rules: four predicates over forty facts
//! kept it busy for seconds under a limit of a millisecond. So the joins are counted from above first. A unit of work is one
//! fact tried against one predicate, or one expression evaluated, either of which takes up to about a microsecond.
//!
//! The count is a polynomial in the length of the longest collection an `.any(…)` or `.all(…)` can walk, because that length
//! comes with the data or the request; everything else is known when a pack is loaded or a token first seen.

use std::collections::{BTreeSet, HashMap};

use biscuit_auth::builder::{Expression, Predicate, Term};

use crate::expression::{self, Survey};

/// Predicates a rule, check or policy may have.
pub(crate) const MAX_BODY: usize = 8;
/// Levels of `.any(…)` and `.all(…)` inside one another.
pub(crate) const MAX_CLOSURES: usize = 3;
/// Units of work that a pack, a token and a request may cause together: about two seconds at the very worst.
pub(crate) const MAX_WORK: u64 = 2_000_000;
/// What compiling and matching a pattern counts as.
const PATTERN: u64 = 50;

/// One query, as far as it can cost anything.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    body: Vec<String>,
    closures: usize,
    weight: u64,
}

impl Query {
    /// A query, and what its expressions contain.
    pub(crate) fn surveyed(body: &[Predicate], expressions: &[Expression]) -> (Self, Survey) {
        let survey = expression::survey(body, expressions);
        let body = body.iter().map(|predicate| predicate.name.clone()).collect();
        (Self { body, closures: survey.closures, weight: 1 + PATTERN * survey.patterns }, survey)
    }
}

/// One rule.
#[derive(Debug, Clone)]
struct Rule {
    head: String,
    /// Whether its head has no variables: then it makes one fact at most.
    ground: bool,
    query: Query,
}

/// What can cause work: facts by predicate, rules, and queries that run once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Workload {
    facts: HashMap<String, u64>,
    rules: Vec<Rule>,
    queries: Vec<Query>,
    /// The longest collection written into the program.
    longest: u64,
}

impl Workload {
    /// A workload that begins with one fact of each of these predicates.
    pub(crate) fn stating(predicates: impl IntoIterator<Item = &'static str>) -> Self {
        let facts = predicates.into_iter().map(|name| (name.to_owned(), 1)).collect();
        Self { facts, ..Self::default() }
    }

    /// Counts a fact.
    pub(crate) fn fact(&mut self, predicate: &Predicate) {
        *self.facts.entry(predicate.name.clone()).or_default() += 1;
        self.longest = predicate.terms.iter().map(expression::longest).fold(self.longest, u64::max);
    }

    /// Counts a rule.
    pub(crate) fn rule(&mut self, head: &Predicate, query: Query) {
        let ground = !head.terms.iter().any(|term| matches!(term, Term::Variable(_)));
        self.longest = head.terms.iter().map(expression::longest).fold(self.longest, u64::max);
        self.rules.push(Rule { head: head.name.clone(), ground, query });
    }

    /// Counts a query that runs once.
    pub(crate) fn query(&mut self, query: Query) {
        self.queries.push(query);
    }

    /// Counts the collections written into a query.
    pub(crate) fn collections(&mut self, survey: &Survey) {
        self.longest = self.longest.max(survey.longest);
    }

    /// Both together.
    pub(crate) fn with(&self, other: &Workload) -> Workload {
        let mut both = self.clone();
        for (name, count) in &other.facts {
            *both.facts.entry(name.clone()).or_default() += count;
        }
        both.rules.extend(other.rules.iter().cloned());
        both.queries.extend(other.queries.iter().cloned());
        both.longest = both.longest.max(other.longest);
        both
    }

    /// How many facts there are before any rule has run.
    pub(crate) fn fact_count(&self) -> u64 {
        self.facts.values().sum()
    }

    /// An upper bound on the work, under limits on facts and rounds.
    pub(crate) fn work(&self, max_facts: u64, max_rounds: u64) -> Work {
        let (counts, rounds) = self.saturate(max_facts, max_rounds);
        let mut work = Work { longest: self.longest, ..Work::default() };
        // What a rule derives may be a part of the request.
        let open = |query: &Query| {
            let derived = |name: &String| self.rules.iter().any(|rule| rule.head == *name && !rule.ground);
            query.body.iter().any(|name| name == "request" || name == "derived" || derived(name))
        };
        for Rule { query, .. } in &self.rules {
            work.add(query, open(query), &counts, rounds);
        }
        for query in &self.queries {
            work.add(query, open(query), &counts, 1);
        }
        work
    }

    /// How many facts each predicate can come to have, and in how many rounds.
    fn saturate(&self, max_facts: u64, max_rounds: u64) -> (HashMap<&str, u64>, u64) {
        let stated = || self.facts.iter().map(|(name, count)| (name.as_str(), *count));
        let mut counts: HashMap<&str, u64> = stated().collect();
        let mut passes = 0_u64;
        loop {
            passes += 1;
            let mut next: HashMap<&str, u64> = stated().collect();
            for Rule { head, ground, query } in &self.rules {
                let made =
                    query.body.iter().fold(1_u64, |made, name| made.saturating_mul(count(&counts, name)));
                let made = if *ground { made.min(1) } else { made };
                let sum = next.entry(head).or_default();
                *sum = sum.saturating_add(made).min(max_facts.max(count(&counts, head)));
            }
            for (name, value) in &mut next {
                // What still grows after a pass for each rule goes in circles: only the limit on facts stops it.
                if passes > self.rules.len() as u64 + 1 && *value != count(&counts, name) {
                    *value = max_facts;
                }
                // Counts never shrink: a predicate once at the limit stays there.
                *value = (*value).max(count(&counts, name));
            }
            if next == counts {
                break;
            }
            counts = next;
        }
        // Without circles, each pass has followed the rules one step further. With circles, each round but the last makes
        // at least one fact.
        let rounds = if self.circular() {
            let heads: BTreeSet<&str> = self.rules.iter().map(|rule| rule.head.as_str()).collect();
            let after = heads.iter().map(|head| count(&counts, head)).fold(0, u64::saturating_add);
            after.saturating_add(1)
        } else {
            passes
        };
        (counts, rounds.min(max_rounds))
    }

    /// Whether some rule can feed itself.
    fn circular(&self) -> bool {
        let mut left: Vec<&Rule> = self.rules.iter().collect();
        loop {
            let waits =
                |rule: &Rule| rule.query.body.iter().any(|name| left.iter().any(|other| other.head == *name));
            let still: Vec<&Rule> = left.iter().copied().filter(|rule| waits(rule)).collect();
            if still.len() == left.len() {
                return !still.is_empty();
            }
            left = still;
        }
    }
}

fn count(counts: &HashMap<&str, u64>, name: &str) -> u64 {
    counts.get(name).copied().unwrap_or(0)
}

/// An upper bound on work, still open in the lengths of the longest collections of the data and of the request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Work {
    /// Units by levels of closures, of queries that cannot meet a collection of the request.
    closed: [u64; MAX_CLOSURES + 1],
    /// Units by levels of closures, of the others.
    open: [u64; MAX_CLOSURES + 1],
    longest: u64,
}

impl Work {
    fn add(&mut self, query: &Query, open: bool, counts: &HashMap<&str, u64>, rounds: u64) {
        let mut tried = 0_u64;
        let mut matched = 1_u64;
        for name in &query.body {
            matched = matched.saturating_mul(count(counts, name));
            tried = tried.saturating_add(matched);
        }
        let evaluated = matched.saturating_mul(query.weight);
        let units = if open { &mut self.open } else { &mut self.closed };
        for (closures, more) in [(0, tried), (query.closures, evaluated)] {
            if let Some(sum) = units.get_mut(closures) {
                *sum = sum.saturating_add(more.saturating_mul(rounds));
            }
        }
    }

    /// The bound where the longest collections of data and request have these lengths.
    pub(crate) fn units(&self, data: u64, request: u64) -> u64 {
        let fixed = self.longest.max(data).max(1);
        let polynomial = |units: &[u64], length: u64| {
            units.iter().rev().fold(0_u64, |sum, units| sum.saturating_mul(length).saturating_add(*units))
        };
        polynomial(&self.closed, fixed).saturating_add(polynomial(&self.open, fixed.max(request)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(body: &[&str]) -> Query {
        Query { body: body.iter().map(|name| (*name).to_owned()).collect(), closures: 0, weight: 1 }
    }

    fn rule(head: &str, ground: bool, body: &[&str]) -> Rule {
        Rule { head: head.to_owned(), ground, query: query(body) }
    }

    fn facts(counts: &[(&str, u64)]) -> HashMap<String, u64> {
        counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    fn units(workload: &Workload) -> u64 {
        workload.work(1000, 30).units(0, 0)
    }

    #[test]
    fn joins_multiply() {
        let workload = Workload {
            facts: facts(&[("a", 10)]),
            queries: vec![query(&["a", "a", "a"])],
            ..Workload::default()
        };
        assert_eq!(units(&workload), 10 + 100 + 1000 + 1000);
    }

    #[test]
    fn a_chain_runs_as_often_as_it_is_long_and_a_circle_up_to_the_limits() {
        let chain = vec![rule("c", false, &["b"]), rule("b", false, &["a"])];
        let chain = Workload { facts: facts(&[("a", 2)]), rules: chain, ..Workload::default() };
        assert_eq!(units(&chain), (2 + 2 + 2 + 2) * 3);
        let circle = Workload {
            facts: facts(&[("a", 2)]),
            rules: vec![rule("a", false, &["a"])],
            ..Workload::default()
        };
        assert_eq!(units(&circle), (1000 + 1000) * 30);
    }

    #[test]
    fn a_circle_of_rules_without_variables_ends_when_all_their_facts_are_there() {
        let rules = vec![rule("a", true, &["a"]), rule("a", true, &["b"])];
        let workload = Workload { facts: facts(&[("b", 1)]), rules, ..Workload::default() };
        // Two facts at most, so three rounds; each tries two facts of `a` and one of `b`.
        assert_eq!(units(&workload), (2 + 2 + 1 + 1) * 3);
    }

    #[test]
    fn what_no_fact_feeds_costs_nothing() {
        let idle = Workload { rules: vec![rule("a", false, &["a", "b"])], ..Workload::default() };
        assert_eq!(idle.work(1000, 30).units(1_000_000, 1_000_000), 0);
    }

    #[test]
    fn closures_multiply_by_the_longest_collection_they_can_meet() {
        let nested = |name: &str| Query { closures: 2, ..query(&[name]) };
        let workload = |name: &str| Workload {
            facts: facts(&[(name, 1)]),
            queries: vec![nested(name)],
            ..Workload::default()
        };
        let open = workload("request").work(1000, 30);
        assert_eq!(
            (open.units(0, 0), open.units(10, 100), open.units(100, 10)),
            (2, 1 + 100 * 100, 1 + 100 * 100)
        );
        let closed = workload("data").work(1000, 30);
        assert_eq!((closed.units(10, 100), closed.units(0, 100)), (1 + 10 * 10, 2));
        assert_eq!(open.units(0, u64::MAX), u64::MAX);
    }
}
