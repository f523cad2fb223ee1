//! Requests and data as typed facts. Text is never put together: a request cannot say anything, only be spoken of.

use std::collections::BTreeMap;

use biscuit_auth::builder::{Fact, MapKey, Term};
use jiff::Timestamp;
use serde_json::Value;
use tribunal_engine_core::contract::Pointer;
use tribunal_engine_core::engine::Prepared;
use tribunal_engine_core::fault::{Fault, FaultKind};
use tribunal_engine_core::pack::{Shape, ShapeTable};

use crate::expression;

/// The predicates the engine states about a request, each with the types of its terms. Nothing else may state them.
pub(crate) const REQUEST: [(&str, &[&str]); 7] = [
    ("subject", &["string", "string"]),
    ("action", &["string"]),
    ("resource", &["string", "string"]),
    (MEMBERS, &["map"]),
    (DERIVED, &["map"]),
    (DATA, &["map"]),
    ("time", &["date"]),
];

/// The members of a request that have no fact of their own, together.
const MEMBERS: &str = "request";
/// The member that has a fact of its own.
const DERIVED: &str = "derived";
/// The pack's data.
pub(crate) const DATA: &str = "data";
/// The predicates that state maps.
pub(crate) const WHOLE: [&str; 3] = [MEMBERS, DERIVED, DATA];

/// What a request states.
#[derive(Debug)]
pub(crate) struct RequestFacts {
    /// Its facts, the pack's data left out.
    pub(crate) facts: Vec<Fact>,
    /// The length of its longest array or object.
    pub(crate) longest: u64,
}

/// A value that Biscuit has no term for, and where it stands, innermost token first.
#[derive(Debug)]
pub(crate) struct Unrepresentable {
    what: &'static str,
    tokens: Vec<String>,
}

impl Unrepresentable {
    fn new(what: &'static str) -> Self {
        Self { what, tokens: Vec::new() }
    }

    fn below(mut self, token: impl Into<String>) -> Self {
        self.tokens.push(token.into());
        self
    }

    /// The place of the value.
    pub(crate) fn pointer(&self) -> Pointer {
        Pointer::from_tokens(self.tokens.iter().rev().cloned())
    }
}

impl std::fmt::Display for Unrepresentable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at `{}`: derive a scaled integer or a text from it", self.what, self.pointer())
    }
}

/// The facts of a request that are `wanted`, by the name of their predicate. What is not wanted is still checked: whether a
/// request can be represented must not depend on what a policy happens to read.
///
/// # Errors
/// [`FaultKind::Unrepresentable`] for a float, a null, an integer beyond 64 bits or an instant before 1970.
pub(crate) fn facts(request: &Prepared<'_>, wanted: impl Fn(&str) -> bool) -> Result<RequestFacts, Fault> {
    let fault = |error: Unrepresentable| Fault::new(FaultKind::Unrepresentable, error.to_string());
    let named = request.named();
    let mut facts = Vec::with_capacity(REQUEST.len());
    let mut state = |name: &str, terms: Option<Vec<Term>>| {
        if wanted(name) {
            facts.extend(terms.map(|terms| Fact::new(name.to_owned(), terms)));
        }
    };
    let text = |member: &str, part: &str| -> Option<Term> {
        named.member(member)?.member(part)?;
        let text = request.payload().get(member)?.get(part)?.as_str()?;
        Some(Term::Str(text.to_owned()))
    };
    let entity = |member: &str| Some(vec![text(member, "type")?, text(member, "id")?]);
    state("subject", entity("subject"));
    state("action", text("action", "name").map(|name| vec![name]));
    state("resource", entity("resource"));
    state("time", Some(vec![date(request.now()).map_err(fault)?]));

    let mut longest = 0;
    let (mut members, mut derived) = (BTreeMap::new(), Term::Map(BTreeMap::new()));
    for (name, value) in request.payload().as_object().into_iter().flatten() {
        let Some(shape) = named.member(name) else { continue };
        let below = |error: Unrepresentable| fault(error.below(name));
        if !wanted(if name == DERIVED { DERIVED } else { MEMBERS }) {
            longest = longest.max(check(value, shape).map_err(below)?);
            continue;
        }
        let term = term(value, shape).map_err(below)?;
        longest = longest.max(expression::longest(&term));
        if name == DERIVED {
            derived = term;
        } else {
            members.insert(MapKey::Str(name.clone()), term);
        }
    }
    longest = longest.max(members.len() as u64);
    state(MEMBERS, Some(vec![Term::Map(members)]));
    state(DERIVED, Some(vec![derived]));
    Ok(RequestFacts { facts, longest })
}

/// The pack's data as one fact.
///
/// # Errors
/// The first value that has no term.
pub(crate) fn data(data: &Value) -> Result<Fact, Unrepresentable> {
    let open = ShapeTable::everything();
    Ok(Fact::new(DATA.to_owned(), vec![term(data, open.root())?]))
}

fn date(instant: Timestamp) -> Result<Term, Unrepresentable> {
    let seconds =
        u64::try_from(instant.as_second()).map_err(|_| Unrepresentable::new("an instant before 1970"))?;
    Ok(Term::Date(seconds))
}

/// A value as a term, the members left out that are not named.
fn term(value: &Value, shape: Shape<'_>) -> Result<Term, Unrepresentable> {
    match value {
        Value::Null => Err(Unrepresentable::new("a null")),
        Value::Bool(boolean) => Ok(Term::Bool(*boolean)),
        Value::Number(number) => number.as_i64().map(Term::Integer).ok_or_else(|| not_an_integer(number)),
        Value::String(text) => Ok(Term::Str(text.clone())),
        Value::Array(items) => {
            let terms = items.iter().enumerate().map(|(index, item)| {
                term(item, shape.items()).map_err(|error| error.below(index.to_string()))
            });
            terms.collect::<Result<_, _>>().map(Term::Array)
        }
        Value::Object(members) => {
            let named = members.iter().filter_map(|(name, value)| Some((name, value, shape.member(name)?)));
            let terms = named.map(|(name, value, shape)| {
                let term = term(value, shape).map_err(|error| error.below(name))?;
                Ok((MapKey::Str(name.clone()), term))
            });
            terms.collect::<Result<_, _>>().map(Term::Map)
        }
    }
}

/// As [`term`], without making it: the length of the longest array or object.
fn check(value: &Value, shape: Shape<'_>) -> Result<u64, Unrepresentable> {
    match value {
        Value::Null => Err(Unrepresentable::new("a null")),
        Value::Number(number) if number.as_i64().is_none() => Err(not_an_integer(number)),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(0),
        Value::Array(items) => {
            items.iter().enumerate().try_fold(items.len() as u64, |longest, (index, item)| {
                check(item, shape.items())
                    .map(|inner| inner.max(longest))
                    .map_err(|error| error.below(index.to_string()))
            })
        }
        Value::Object(members) => members.iter().try_fold(0_u64, |longest, (name, value)| {
            let Some(shape) = shape.member(name) else { return Ok(longest) };
            let inner = check(value, shape).map_err(|error| error.below(name))?;
            Ok(longest.max(inner).max(members.len() as u64))
        }),
    }
}

fn not_an_integer(number: &serde_json::Number) -> Unrepresentable {
    Unrepresentable::new(if number.is_f64() { "a fraction" } else { "an integer above 9223372036854775807" })
}
