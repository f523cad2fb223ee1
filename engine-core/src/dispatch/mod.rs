//! dispatch
pub mod redaction;
