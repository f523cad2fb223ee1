//! The contract held against engines whose answers are given: what dispatch and the core do whatever an engine says.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails, and what supports it with it"
)]

mod attacks;
mod coverage;
mod faults;
mod order;
mod redaction;
mod runner;
mod scripted;
mod service;
