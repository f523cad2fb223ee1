//! Reports for people and for other programs, each written from the data alone.
//!
//! Everything that requests, policies and files say goes through [`crate::escape`] on its way into a page, a terminal or
//! an XML file. The JSON is the report itself, and [`read_json`] takes it back.
//!
//! - [`text`], [`mutation_text`]: for a terminal
//! - [`markdown`], [`mutation_markdown`]: for a comment on a pull request
//! - [`html`], [`mutation_html`]: one file that loads nothing and runs nothing
//! - [`junit`]: for whoever counts tests

mod exercise;
mod facts;
mod figures;
mod html;
mod json;
mod junit;
mod markdown;
mod matrix;
mod mutants;
mod sides;
mod text;
mod verdict;

pub use figures::duration;
pub use html::{html, mutation_html};
pub use json::{ReportError, read_json, read_mutation_json};
pub use junit::junit;
pub use markdown::{markdown, mutation_markdown};
pub use text::{mutation_text, text};
