//! Derived members: facts an engine may lack, computed once a request by the host and the same for every engine.
//!
//! - [`spec`]: what a manifest can declare
//! - [`plan`]: declarations compiled at load over the pack's data, in the order in which they need each other
//! - `function`: the functions themselves, a family a file
//! - `reading`: a text as people, browsers and models read it
//! - [`detector`], [`scan`]: what should not stand in a text, and how it is taken out
//! - `objection`: what is wrong with a declaration or with the data it reads, and where
//! - `room`: what the members of a request may take up together
#![doc = include_str!("README.md")]

pub mod detector;
mod function;
mod objection;
pub mod plan;
mod reading;
mod room;
pub mod scan;
pub mod spec;

pub use objection::PackData;
pub use plan::DerivePlan;
pub use spec::DeriveSpec;
