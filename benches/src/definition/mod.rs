//! Measurements as data: what is measured, on which pack and requests, of which subjects, and why.
//!
//! A file is a list of [`Measurement`]s in YAML, checked against a published schema (`tribunal schema bench-definition`):
//! an unknown key, subject, pack or axis is an error with its place and the nearest right name.
//!
//! - [`spec`]: what a file says
//! - [`read`](mod@read): reading and checking it

pub mod read;
pub mod spec;

pub use read::{DefinitionError, EMBEDDED, embedded, read};
pub use spec::{Axis, Measurement, Selection, Size, Vary, Word, definition_schema};
