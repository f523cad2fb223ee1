//! Whether engines decide alike, and what is said about it.
//!
//! - [`lineup`]: who is compared
//! - [`compare`](mod@compare): cases, search, laws and known divergences, from the question to the report
//! - [`counterexample`]: requests on which participants differ, shrunk and explained
//! - [`known`]: divergences that a pack lists
//! - [`laws`]: what every engine is held to by itself
//! - [`bare`]: policies without a pack, made one
//! - [`report`]: what a comparison found, as data
//! - [`render`]: that data as text, Markdown, HTML and JUnit's XML, and read from JSON
//! - [`written`]: counterexamples as cases

mod answer;
pub mod bare;
pub mod compare;
pub mod counterexample;
pub mod known;
pub mod laws;
pub mod lineup;
pub mod render;
pub mod report;
pub mod written;

pub use compare::{Wanted, compare};
pub use lineup::{Beside, Contestant, Lineup};
pub use report::{MutationReport, ParityReport};
