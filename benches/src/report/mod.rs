//! What a run measured, as data, and as people read it.
//!
//! - [`data`]: the report; every rendering is made of it alone, and can be made again from its JSON
//! - [`table`]: what every rendering shows, in words
//! - [`text`](mod@text), [`markdown`](mod@markdown), [`html`](mod@html): for people
//! - [`csv`](mod@csv): for spreadsheets
//! - [`splice`](mod@splice): figures in a README, put there by program
//! - [`figures`]: numbers for people

pub mod csv;
pub mod data;
pub mod figures;
pub mod html;
pub mod markdown;
#[cfg(test)]
pub(crate) mod recorded;
pub mod splice;
pub mod table;
#[cfg(test)]
mod tests;
pub mod text;

pub use csv::csv;
pub use data::{BenchReport, FORMAT, read_json};
pub use html::html;
pub use markdown::{excerpt, markdown};
pub use text::text;
