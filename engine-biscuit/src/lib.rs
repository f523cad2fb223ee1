//! Biscuit behind Tribunal's decision contract: the Datalog of [Biscuit](https://www.biscuitsec.org) as a policy language,
//! and Biscuit tokens as credentials, on `biscuit-auth` 6.0.0.
//!
//! # A policy
//! Every `*.biscuit` file of a pack is authorizer code; the files are read in path order and evaluated as one authorizer.
//!
//! ```text
//! // What the engine states about each request, typed, never as text:
//! //   subject(type, id)  action(name)  resource(type, id)    where the request has them as strings
//! //   request({…})       the members the input schema names  derived({…})  the host's derived members
//! //   data({…})          the pack's data                      time(now)     the request's instant
//! denied_tool("rm");
//! allowed($tool) <- data($d), action($tool), $d.get("tools").contains($tool);
//!
//! deny if action($tool), denied_tool($tool);          // the first `allow` or `deny` that matches decides
//! allow if action($tool), allowed($tool);
//!
//! reason("tool_not_allowed") <- action($tool), denied_tool($tool);
//! // What may be absent is `null`, and comparing that is an error: ask for the type first. Terms are tried from the left.
//! effect("step_up") <- request($r), $r.get("context").get("amount").type() === "integer",
//!                      $r.get("context").get("amount") > 1000;
//! step_up("human_approval");
//! ```
//!
//! *Answers* are facts and rules with the heads `effect(e)`, `reason(text)`, `patch(op, pointer, value)` and `step_up(method)`.
//! The decision is the most severe of the matched policy, the failed checks and every `effect`. `reason`s are given whatever
//! the effect is; `patch`es count for a `redact` only (`remove` has the value `null`, `replace_from` the
//! pointer of the place whose value is taken, as `"/derived/x"`), `step_up` for a `step_up` only, and of
//! several methods the first in alphabetical order is demanded. Answers are read rule by rule after the policies have been
//! tried, so nothing but the pack's own statements can give one: an answer in a token is never looked at.
//!
//! # Tokens
//! A token's blocks are invisible to a statement unless it says `trusting authority` or `trusting <key>`; a pack with such a
//! statement must have `token: required`. A token is checked against the deployment's root keys and revocation list, never
//! against anything in a request. Its own failed checks deny, and name block and check. With `token: optional` a request
//! without a token is decided as if the pack had none, so nothing in a token can widen what is allowed; its checks still narrow.
//!
//! # Bounds
//! `biscuit-auth`'s clock does not pre-empt, and its limits ignore facts that are there from the beginning. Every statement,
//! those of tokens included, is therefore admitted only if the work it can cause is bounded; `tribunal engines` lists the
//! bounds. Facts and rounds are limited deterministically; the clock comes last.
//!
//! Every evaluation error is a fault, except where a policy says `.try_or(…)`. Facts of mixed types in one position are refused,
//! in a pack at load and in a token when it is shown: whether the error is met would depend on the order of a hash table.
//!
//! # Map
//! - `load`: [`BiscuitFactory`], which reads a pack
//! - `syntax`: splitting, bounding and parsing policy text, with places; `lint`: what a program must not say
//! - `program`: statements sorted by what they do; `patterns`: their regular expressions, compiled once; `projection`: queries
//!   that are given what they read
//! - `expression`: what one expression contains; `bounds`: how much work a program can cause
//! - `convert`: requests and data as typed facts
//! - `token`: whom to believe; `credential`: what is inside a token
//! - [`bare`]: the evaluator without this engine around it, for measurements
//! - [`probe`]: tokens judged by bare code, for the specification's samples
//! - `decide`: the engine; `answer`: the decision made of what it finds; `error`: errors as faults
//! - `lexeme`: policy text in pieces with places; `vocabulary`: what a policy mentions; `mutate`: the mistakes it could have
//! - `attenuate`: what the holder of a token can make of it

mod answer;
mod attenuate;
pub mod bare;
mod bounds;
mod convert;
mod credential;
mod decide;
mod error;
mod expression;
mod lexeme;
mod lint;
mod load;
mod mutate;
mod patterns;
pub mod probe;
mod program;
mod projection;
mod syntax;
mod token;
mod vocabulary;

pub use attenuate::{Attenuated, Only, attenuations};
pub use decide::Judgement;
pub use load::{BiscuitFactory, Settings};
