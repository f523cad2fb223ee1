//! The Biscuit engine through its public door: packs in, decisions out.

#[expect(clippy::unwrap_used, reason = "a test fails by panicking, what its tests share included")]
mod attenuation;
mod decisions;
mod hazards;
mod loading;
#[expect(clippy::unwrap_used, reason = "a test fails by panicking, what its tests share included")]
mod mutants;
mod projection;
#[expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its support included"
)]
mod support;
mod tokens;
#[expect(clippy::unwrap_used, reason = "a test fails by panicking, what its tests share included")]
mod vocabulary;
