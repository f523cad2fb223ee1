//! Tests of native Rego through the contract.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test cannot do without ends it")]

mod decisions;
mod forms;
mod hazards;
mod mutate;
mod support;
mod vocabulary;
