//! What a run measured, as data, and as people read it.
//!
//! - [`data`]: the report; every rendering is made of it alone, and can be made again from its JSON
//! - [`text`]: for a terminal
//! - [`figures`]: numbers for people

pub mod data;
pub mod figures;
mod text;

pub use data::{BenchReport, FORMAT, read_json};
pub use text::text;
