//! Whether engines decide alike, and what is said about it.
//!
//! - [`report`]: what a comparison found, as data

pub mod report;
