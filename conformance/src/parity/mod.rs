//! Whether engines decide alike, and what is said about it.
//!
//! - [`report`]: what a comparison found, as data
//! - [`render`]: that data as text, Markdown, HTML and JUnit's XML, and read from JSON

pub mod render;
pub mod report;
