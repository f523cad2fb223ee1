//! What a pack must decide, as data.
//!
//! - [`spec`]: a case as it is written, and its JSON Schema
//! - [`suite`]: every case of a pack, read and resolved
//! - [`edit`]: the changes by which one case is made of another

pub mod edit;
pub mod spec;
pub mod suite;

pub use spec::{CaseSpec, ExceptionSpec, Expectation, case_schema};
pub use suite::{Case, Suite};
