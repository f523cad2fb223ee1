//! A pack's statements sorted by what they do: facts, rules, checks and policies for the evaluator, and answers, which are
//! read one by one after it.

use std::collections::BTreeSet;

use biscuit_auth::KeyPair;
use biscuit_auth::builder::{AuthorizerBuilder, Check, Policy, Rule, Scope, Term};
use biscuit_auth::error::Token;

use crate::bounds::{Query, Workload};
use crate::convert::REQUEST;
use crate::patterns::{MATCHES, Patterns};
use crate::projection::{self, Path};
use crate::syntax::{Item, Statement};

/// A program, checked and ready to be given facts.
#[derive(Debug)]
pub(crate) struct Program {
    /// The statements as they are written.
    pub(crate) written: Form,
    /// The statements with [projected](projection) queries: what is evaluated wherever it can be.
    pub(crate) projected: Form,
    /// The statements, in text order.
    pub(crate) statements: Vec<Statement>,
    /// The statements behind the evaluator's indices of policies and checks.
    pub(crate) policies: Vec<usize>,
    /// See `policies`.
    pub(crate) checks: Vec<usize>,
    /// What the program can cost, the request's facts included. A projection is counted as the map it is taken from.
    pub(crate) workload: Workload,
    /// Facts the pack itself states.
    pub(crate) facts: u64,
}

/// A program's statements in the words in which the evaluator is given them.
#[derive(Debug)]
pub(crate) struct Form {
    /// Everything but limits, data and requests.
    pub(crate) authorizer: AuthorizerBuilder,
    /// Rules that make facts, by statement, as queries of their own: for traces.
    pub(crate) rules: Vec<(usize, Rule)>,
    /// The statements that give answers.
    pub(crate) answers: Vec<Answer>,
    /// The predicates that some statement reads.
    pub(crate) reads: BTreeSet<String>,
    /// The members that are stated for it beside those.
    pub(crate) paths: BTreeSet<Path>,
}

/// What an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answers {
    Effect,
    Reason,
    Patch,
    StepUp,
}

impl Answers {
    /// The predicates that give answers, with the number of their terms.
    pub(crate) const ALL: [(&'static str, usize, Answers); 4] = [
        ("effect", 1, Answers::Effect),
        ("reason", 1, Answers::Reason),
        ("patch", 3, Answers::Patch),
        ("step_up", 1, Answers::StepUp),
    ];

    /// What a predicate's answer says, if it gives one.
    pub(crate) fn of(name: &str) -> Option<Answers> {
        Self::ALL.into_iter().find(|(known, ..)| *known == name).map(|(.., answers)| answers)
    }
}

/// A statement that gives an answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) statement: usize,
    pub(crate) says: Answers,
    pub(crate) source: Source,
}

/// Where the terms of an answer come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// A fact: always the same.
    Constant(Vec<Term>),
    /// A rule, asked as a query: so what it says is the pack's, whatever facts of the same name a token may bring.
    Query(Rule),
}

impl Program {
    /// Sorts statements that have been checked.
    ///
    /// # Errors
    /// What the evaluator refuses after all.
    pub(crate) fn new(statements: Vec<Statement>) -> Result<Self, Token> {
        let (mut policies, mut checks) = (Vec::new(), Vec::new());
        let mut workload = Workload::stating(REQUEST.iter().map(|(name, _)| *name));
        let mut facts = 0;
        for (index, statement) in statements.iter().enumerate() {
            let item = &statement.item;
            for query in item.queries() {
                let (cost, survey) = Query::surveyed(&query.body, &query.expressions);
                workload.collections(&survey);
                match item {
                    Item::Rule(rule) if Answers::of(&rule.head.name).is_none() => {
                        workload.rule(&rule.head, cost)
                    }
                    _ => workload.query(cost),
                }
            }
            match item {
                Item::Fact(fact) if Answers::of(&fact.predicate.name).is_none() => {
                    facts += 1;
                    workload.fact(&fact.predicate);
                }
                Item::Fact(_) | Item::Rule(_) => {}
                Item::Check(_) => checks.push(index),
                Item::Policy(_) => policies.push(index),
            }
        }
        let written = Form::of(&statements, |query, _| query.clone())?;
        let projected = Form::of(&statements, projection::projected)?;
        Ok(Self { written, projected, statements, policies, checks, workload, facts })
    }

    /// Whether any statement looks into tokens.
    pub(crate) fn trusts(statements: &[Statement]) -> Option<&Statement> {
        statements
            .iter()
            .find(|statement| statement.item.queries().iter().any(|query| !query.scopes.is_empty()))
    }
}

impl Form {
    /// The statements with each query in its place.
    ///
    /// # Errors
    /// What the evaluator refuses after all.
    fn of(
        statements: &[Statement],
        place: impl Fn(&Rule, &mut BTreeSet<Path>) -> Rule,
    ) -> Result<Self, Token> {
        // Statements without `trusting` trust this key, whose secret is dropped here: no block of a token can be signed by it,
        // so they see the pack's and the request's facts only.
        let nobody = Scope::PublicKey(KeyPair::new().public());
        let mut authorizer = AuthorizerBuilder::new().scope(nobody.clone());
        let (mut rules, mut answers) = (Vec::new(), Vec::new());
        let (mut reads, mut paths) = (BTreeSet::new(), BTreeSet::new());
        let mut patterns = Patterns::default();
        let mut query = |query: &Rule| {
            let query = patterns.replaced(&place(query, &mut paths));
            reads.extend(query.body.iter().map(|predicate| predicate.name.clone()));
            query
        };
        // A query looks at the token's first block unless told otherwise, whatever the authorizer's own scope is.
        let scoped = |mut rule: Rule| {
            if rule.scopes.is_empty() {
                rule.scopes.push(nobody.clone());
            }
            rule
        };
        for (index, statement) in statements.iter().enumerate() {
            match &statement.item {
                Item::Fact(fact) => match Answers::of(&fact.predicate.name) {
                    Some(says) => {
                        let source = Source::Constant(fact.predicate.terms.clone());
                        answers.push(Answer { statement: index, says, source });
                    }
                    None => authorizer = authorizer.fact(fact.clone())?,
                },
                Item::Rule(rule) => match Answers::of(&rule.head.name) {
                    Some(says) => {
                        let source = Source::Query(scoped(query(rule)));
                        answers.push(Answer { statement: index, says, source });
                    }
                    None => {
                        let rule = query(rule);
                        authorizer = authorizer.rule(rule.clone())?;
                        rules.push((index, scoped(rule)));
                    }
                },
                Item::Check(check) => {
                    let queries = check.queries.iter().map(&mut query).collect();
                    authorizer = authorizer.check(Check { queries, kind: check.kind.clone() })?;
                }
                Item::Policy(policy) => {
                    let queries = policy.queries.iter().map(&mut query).collect();
                    authorizer = authorizer.policy(Policy { queries, kind: policy.kind.clone() })?;
                }
            }
        }
        if let Some(function) = patterns.function() {
            authorizer = authorizer.register_extern_func(MATCHES.to_owned(), function);
        }
        Ok(Self { authorizer, rules, answers, reads, paths })
    }
}
