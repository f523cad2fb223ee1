//! Native Rego behind the decision contract, on the interpreter of [regorus] 0.14.1. Its register machine is never used.
//!
//! regorus and OPA disagree in places, and some policies make regorus abort the process or parse for minutes. This crate
//! stands between: what a policy may say is checked before regorus runs it (`admission`), every built-in comes from
//! `tribunal-rego-builtins` (`builtins`), and what is left of the differences is a list of known divergences that
//! `conformance` holds in both directions.
//!
//! # Map
//! - `settings`: what a manifest says under `engines.rego-native`
//! - `load`: the factory, its capabilities and bounds
//! - `admission`: the checks before and after parsing
//! - `decide`: a loaded pack: decisions, explanations, other data
//! - `worker`: one regorus engine, built from source and data
//! - `pool`: the workers of a thread
//! - `convert`: values between JSON, regorus and the built-ins
//! - `builtins`: which built-ins there are, and how a worker gets them
//! - `text`: a policy's text by its tokens
//! - `vocabulary`: what a policy mentions of the request
//! - `mutate`: the small mistakes that a policy could have
//! - `unit_tests`: a pack's own `test_` rules
//! - [`bare`]: this engine stage by stage, for measurements
//! - `probe`: one rule's bare value, for suites of others
//! - `error`: what a text of regorus means as a fault or a load error
//!
//! # Strictness
//! A built-in error is a fault. A pack that says `strict_builtin_errors: false` gets OPA's default instead, an undefined
//! result, from every built-in function; an error of an arithmetic operator (a division by zero) stays a fault even so,
//! because regorus cannot be lenient there without swallowing conflicts inside functions too.

mod admission;
pub mod bare;
mod builtins;
mod convert;
mod decide;
mod error;
mod load;
mod mutate;
mod pool;
mod probe;
mod settings;
mod text;
mod unit_tests;
mod vocabulary;
mod worker;

pub use load::RegoNativeFactory;
pub use probe::Probe;
pub use settings::{DecisionRules, Settings};
pub use unit_tests::{TestResult, run_tests};

/// The engine's name in manifests and deployments.
pub const ID: &str = "rego-native";
