//! What the holder of a token can make of it without any key: for a search that looks for what must not be possible.

use std::collections::HashMap;

use biscuit_auth::UnverifiedBiscuit;
use biscuit_auth::builder::{BlockBuilder, Term};
use biscuit_auth::error;
use jiff::Timestamp;
use tribunal_engine_core::contract::Token;
use tribunal_engine_core::fault::{Fault, TokenFault};

use crate::credential;
use crate::error::{token, verification};
use crate::token::raw;

/// What a block restricts a token to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Only {
    /// The action of this name.
    Action(String),
    /// The resource of this id.
    Resource(String),
    /// Requests before this instant.
    Before(Timestamp),
}

/// A token made of another.
#[derive(Debug, Clone)]
pub struct Attenuated {
    /// What was done to it, in words, as `with a check that never holds`.
    pub description: String,
    /// The token, as URL-safe Base64.
    pub token: Token,
}

/// Every token that a search makes of one: with one block more, for each of `only` among others, and sealed. None of them may
/// be allowed what the token is not. Nothing can be made of a sealed token, so there are none of one.
///
/// # Errors
/// `token:malformed`, `token:too_large` and `token:unsupported_version`, for a token that cannot be read. Its signatures
/// are not looked at: whoever attenuates a token need not know its root key.
pub fn attenuations(shown: &Token, only: &[Only]) -> Result<Vec<Attenuated>, Fault> {
    let bytes = raw(shown)?;
    credential::decode(&bytes)?;
    let read = UnverifiedBiscuit::from(&bytes).map_err(|error| verification(&error))?;
    let mut all = Vec::new();
    for (description, block) in blocks(only)? {
        match read.append(block) {
            Ok(attenuated) => all.push(encoded(description, &attenuated)?),
            Err(error::Token::AlreadySealed | error::Token::AppendOnSealed) => return Ok(Vec::new()),
            Err(error) => return Err(verification(&error)),
        }
    }
    let sealed = read.seal().map_err(|error| verification(&error))?;
    all.push(encoded("sealed".to_owned(), &sealed)?);
    Ok(all)
}

/// The blocks to append, with what they do. Values go in as terms: nothing in them can be Datalog.
fn blocks(only: &[Only]) -> Result<Vec<(String, BlockBuilder)>, Fault> {
    let fixed = [
        ("with a check that always holds", "check if true;"),
        ("with a check that never holds", "check if false;"),
        (
            "with facts and rules that allow everything",
            "effect(\"allow\"); effect($e) <- action($e); allow(true);",
        ),
        ("with a fact that the request states", "action(\"*\");"),
    ];
    let mut blocks = Vec::new();
    for (description, code) in fixed {
        blocks.push((description.to_owned(), block(code, None)?));
    }
    for only in only {
        let (description, code, value) = match only {
            Only::Action(name) => (
                format!("for the action `{name}` only"),
                "check if action({value});",
                Term::Str(name.clone()),
            ),
            Only::Resource(id) => (
                format!("for the resource `{id}` only"),
                "check if resource($type, {value});",
                Term::Str(id.clone()),
            ),
            Only::Before(instant) => {
                let seconds = u64::try_from(instant.as_second()).map_err(|_| {
                    token(TokenFault::Malformed, "a token has no instant before 1970 to expire at")
                })?;
                (
                    format!("that expires at {instant}"),
                    "check if time($now), $now < {value};",
                    Term::Date(seconds),
                )
            }
        };
        blocks.push((description, block(code, Some(value))?));
    }
    Ok(blocks)
}

fn block(code: &str, value: Option<Term>) -> Result<BlockBuilder, Fault> {
    let parameters = value.into_iter().map(|value| ("value".to_owned(), value)).collect();
    BlockBuilder::new()
        .code_with_params(code, parameters, HashMap::new())
        .map_err(|error| verification(&error))
}

fn encoded(description: String, made: &UnverifiedBiscuit) -> Result<Attenuated, Fault> {
    let text = made.to_base64().map_err(|error| verification(&error))?;
    Ok(Attenuated { description, token: Token::new(text) })
}
