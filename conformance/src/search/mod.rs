//! The search for a request on which engines differ, and the smallest such request.
//!
//! What makes requests, what judges answers and what drives both are apart, as in wasmtime's differential fuzzing:
//!
//! - [`panel`]: who is asked, and when answers differ (the oracle)
//! - [`material`], [`generate`]: requests, made of cases, schema, data and the words of the policies
//! - `inverse`: derived members read backwards, to where what a policy looks for has to be put
//! - `place`, `text`, `number`: what may be put where, and what lies near it
//! - [`explore`](mod@explore): many questions on many threads, the same for the same seed
//! - [`shrink`](mod@shrink): the smallest question on which they still differ in the same way

pub mod explore;
pub mod generate;
mod inverse;
pub mod material;
mod number;
pub mod panel;
mod place;
pub mod shrink;
mod text;

pub use explore::{Disagreement, Findings, Plan, Progress, explore};
pub use generate::Generator;
pub use material::Material;
pub use panel::{Answer, Member, Panel, Question, Reply};
pub use shrink::shrink;
