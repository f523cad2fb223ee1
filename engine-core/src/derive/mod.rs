//! Derived members: facts an engine may lack, computed once a request by the host and the same for every engine.
//!
//! A manifest declares them under `derive:`; they stand in the request under `derived`. A source that is absent gives an
//! absent member. A source of another type, or one a function cannot read, is fault `derive`. An engine that can express a
//! condition itself does so: four engines reading one derived boolean would prove nothing about their agreement.
//!
//! - [`spec`]: what a manifest can declare
//! - [`plan`]: declarations compiled at load, in the order in which they need each other
//! - `function`: the functions themselves

pub mod detector;
mod function;
pub mod plan;
mod reading;
pub mod scan;
pub mod spec;

pub use plan::DerivePlan;
pub use spec::DeriveSpec;
