//! The decision contract of Tribunal, and the dispatch that holds every engine to it.
//!
//! This crate names no engine, starts no runtime and opens no file. Floors above it bring those.
//!
//! # Map
//! - [`contract`]: request, decision, merge, patches, outcome
//! - [`fault`]: what can go wrong, and the one function that turns it into a denial
//! - [`limits`]: bounds on requests and evaluations
//! - [`pack`]: manifest, files, schemas, lock of a pack
//! - [`derive`](mod@derive): facts the host computes once a request
//! - [`engine`]: the two traits an engine implements, and what it sees
//! - [`config`]: the deployment, `tribunal.yaml`
//! - [`dispatch`]: claim, derive, decide, merge, redact until nobody objects
//! - [`document`], [`location`]: files that people write, with the place of every value

pub mod config;
pub mod contract;
pub mod derive;
pub mod dispatch;
pub mod document;
pub mod engine;
pub mod fault;
pub mod limits;
pub mod location;
pub mod pack;

/// For implementing [`contract::PolicyEngine`] without depending on `async-trait` by name.
pub use async_trait::async_trait;
