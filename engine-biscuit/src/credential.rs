//! What is inside a token: bounded and checked before any of it is evaluated.
//!
//! A token's blocks are Datalog too, written by whoever held the token last. The same things that are refused in a pack are
//! refused in them, and their work is counted with the pack's.

use std::collections::{BTreeSet, HashMap};
use std::mem::{Discriminant, discriminant};

use biscuit_auth::builder::{Convert, Expression, Predicate, Term};
use biscuit_auth::datalog::{self, SymbolTable};
use biscuit_auth::format::convert::proto_block_to_token_block;
use biscuit_auth::format::schema;
use biscuit_auth::{PublicKey, error as biscuit};
use prost::Message;
use tribunal_engine_core::fault::{Fault, TokenFault};

use crate::bounds::{MAX_BODY, MAX_CLOSURES, Query, Workload};
use crate::convert::REQUEST;
use crate::error::{token, verification};

/// Size of a token, in bytes before Base64.
pub(crate) const MAX_TOKEN: usize = 32 << 10;
/// Blocks of a token: each costs a signature to check.
pub(crate) const MAX_BLOCKS: usize = 32;
/// Versions of blocks: Datalog 3.0 to 3.3.
const VERSIONS: std::ops::RangeInclusive<u32> = 3..=6;
/// Operations in one expression of a token.
const MAX_OPERATIONS: usize = 256;
/// Additions in one query of a token.
const MAX_ADDITIONS: usize = 16;

/// What a token can cause, and what it looks at.
#[derive(Debug, Default)]
pub(crate) struct Content {
    pub(crate) workload: Workload,
    /// The predicates its rules and checks read.
    pub(crate) reads: BTreeSet<String>,
}

/// One block as it came, and the key of the third party that signed it, if one did.
#[derive(Debug)]
pub(crate) struct WireBlock {
    block: schema::Block,
    third_party: Option<schema::PublicKey>,
}

/// The blocks of a token within the bounds on its size and their number, before any signature is checked.
///
/// # Errors
/// `token:too_large`, `token:malformed`, and `token:unsupported_version` for blocks of another Datalog than 3.0 to 3.3.
pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<WireBlock>, Fault> {
    let malformed = |error: prost::DecodeError| token(TokenFault::Malformed, error.to_string());
    if bytes.len() > MAX_TOKEN {
        return Err(token(TokenFault::TooLarge, format!("a token has at most {MAX_TOKEN} bytes")));
    }
    if bytes.is_empty() {
        return Err(token(TokenFault::Malformed, "the token is empty"));
    }
    let wire = schema::Biscuit::decode(bytes).map_err(malformed)?;
    if wire.blocks.len() >= MAX_BLOCKS {
        return Err(token(TokenFault::TooLarge, format!("a token has at most {MAX_BLOCKS} blocks")));
    }
    let blocks = std::iter::once(wire.authority).chain(wire.blocks).map(|signed| {
        let block = schema::Block::decode(signed.block.as_slice()).map_err(malformed)?;
        match block.version {
            Some(version) if VERSIONS.contains(&version) => Ok(WireBlock {
                block,
                third_party: signed.external_signature.map(|signature| signature.public_key),
            }),
            version => Err(token(
                TokenFault::UnsupportedVersion,
                format!("a block has the version {}", version.unwrap_or(0)),
            )),
        }
    });
    blocks.collect()
}

/// What the blocks contain. They must have been verified: this says what is wrong with them in detail.
///
/// # Errors
/// `token:malformed`, `token:too_large`, `token:unsupported_version`.
pub(crate) fn inspect(blocks: &[WireBlock]) -> Result<Content, Fault> {
    let refused = |error: biscuit::Format| verification(&biscuit::Token::Format(error));
    let mut content = Content::default();
    let mut shared = SymbolTable::new();
    let mut decoded = Vec::with_capacity(blocks.len());
    for WireBlock { block, third_party } in blocks {
        let third_party = third_party.as_ref().map(PublicKey::from_proto).transpose().map_err(refused)?;
        // A third party does not see the token it signs for: its block has symbols of its own.
        if third_party.is_none() {
            shared.extend(&SymbolTable::from(block.symbols.clone()).map_err(refused)?).map_err(refused)?;
        }
        decoded
            .push((proto_block_to_token_block(block, third_party).map_err(refused)?, third_party.is_some()));
    }
    let mut types = HashMap::new();
    for (block, third_party) in &decoded {
        let symbols = if *third_party { &block.symbols } else { &shared };
        for fact in &block.facts {
            let fact = Predicate::convert_from(&fact.predicate, symbols).map_err(refused)?;
            stated(&fact)?;
            unmixed(&fact, &mut types)?;
            content.workload.fact(&fact);
        }
        for rule in &block.rules {
            let head = Predicate::convert_from(&rule.head, symbols).map_err(refused)?;
            stated(&head)?;
            let query = content.query(rule, symbols)?;
            content.workload.rule(&head, query);
        }
        for query in block.checks.iter().flat_map(|check| &check.queries) {
            let query = content.query(query, symbols)?;
            content.workload.query(query);
        }
    }
    Ok(content)
}

/// A token must not state what the request does: to a statement that trusts it, both would look the same.
fn stated(head: &Predicate) -> Result<(), Fault> {
    match REQUEST.iter().find(|(name, types)| *name == head.name && types.len() == head.terms.len()) {
        Some((name, _)) => {
            Err(token(TokenFault::Malformed, format!("a token must not state `{name}`, as the request does")))
        }
        None => Ok(()),
    }
}

/// Facts of several types in one position: whether comparing them is an error or a match would be a matter of chance.
fn unmixed(
    fact: &Predicate,
    types: &mut HashMap<(String, usize, usize), Discriminant<Term>>,
) -> Result<(), Fault> {
    for (index, term) in fact.terms.iter().enumerate() {
        let kind = discriminant(term);
        if *types.entry((fact.name.clone(), fact.terms.len(), index)).or_insert(kind) != kind {
            return Err(token(
                TokenFault::Malformed,
                format!("term {} of `{}` is of several types", index + 1, fact.name),
            ));
        }
    }
    Ok(())
}

impl Content {
    fn query(&mut self, rule: &datalog::Rule, symbols: &SymbolTable) -> Result<Query, Fault> {
        let refused = |error: biscuit::Format| verification(&biscuit::Token::Format(error));
        let predicates = rule.body.iter().map(|predicate| Predicate::convert_from(predicate, symbols));
        let body: Vec<Predicate> = predicates.collect::<Result<_, _>>().map_err(refused)?;
        let expressions =
            rule.expressions.iter().map(|expression| Expression::convert_from(expression, symbols));
        let expressions: Vec<Expression> = expressions.collect::<Result<_, _>>().map_err(refused)?;
        let (query, survey) = Query::surveyed(&body, &expressions);
        if let Some(problem) = survey.problems.first() {
            return Err(token(TokenFault::Malformed, problem.to_string()));
        }
        // The evaluator writes to the terminal when it meets such a head.
        let head = Predicate::convert_from(&rule.head, symbols).map_err(refused)?;
        let bound = |term: &Term| body.iter().any(|predicate| predicate.terms.contains(term));
        if head.terms.iter().any(|term| matches!(term, Term::Variable(_)) && !bound(term)) {
            return Err(token(TokenFault::Malformed, "a rule states a variable that nothing binds"));
        }
        let bounds = [
            (body.len(), MAX_BODY, "predicates"),
            (survey.closures, MAX_CLOSURES, "levels of closures"),
            (survey.operations, MAX_OPERATIONS, "operations"),
            (survey.additions, MAX_ADDITIONS, "additions"),
        ];
        if let Some((_, most, what)) = bounds.into_iter().find(|(found, most, _)| found > most) {
            return Err(token(
                TokenFault::TooLarge,
                format!("a rule or check of a token has at most {most} {what}"),
            ));
        }
        self.workload.collections(&survey);
        self.reads.extend(body.into_iter().map(|predicate| predicate.name));
        Ok(query)
    }
}
