//! The engine on real modules of OPA's, built from `tests/modules/*.rego`, and on modules that are not.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails"
)]
#![expect(clippy::print_stderr, reason = "a skipped test says so aloud")]

mod bare;
mod building;
mod caching;
mod decisions;
mod forged;
mod harness;
mod limits;
mod mutate;
mod refusals;
mod sharing;
mod shipped;
mod vocabulary;
