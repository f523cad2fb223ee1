//! Several policy engines, one verdict.
//!
//! Tribunal decides requests by policy packs, each on the engine its deployment names: Rego compiled to Wasm, native Rego,
//! Cedar or Biscuit, behind one decision contract. Whatever goes wrong is a denial that says so.
//!
//! This is the crate to embed, and the only one that names every engine.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! use tribunal::{DecisionEffect, PolicyEngine, PolicyRequest, Tribunal};
//!
//! let tribunal = Tribunal::open("../packs/tribunal.yaml")?;
//! let request = PolicyRequest::from_slice(&std::fs::read("../packs/examples/request.json")?)?;
//!
//! let decision = tribunal.evaluate(&request).await; // cannot fail: every fault is a denial
//! match decision.effect {
//!     DecisionEffect::Allow | DecisionEffect::Redact => println!("{}", decision.apply(&request.to_payload())?),
//!     DecisionEffect::StepUp | DecisionEffect::Deny => println!("refused: {:?}", decision.reason),
//! }
//! # assert_eq!(decision.effect, DecisionEffect::Allow);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! # Map
//! - [`registry`](registry()): every engine this program was built with; one line an engine
//! - [`open`]: a deployment read from disk and loaded
//! - [`files`]: packs read from folders and bundles
//! - [`migration`]: coming from FleetForge's library
//! - [`explain`]: why a request was decided as it was
//! - [`core`]: the contract, re-exported
//!
//! # Features
//! `wasm`, `rego-native`, `cedar` and `biscuit`, all on by default. A pack on an engine that was left out is refused at load,
//! or decided by its configured fallback; nothing is allowed because an engine is missing.

pub mod explain;
pub mod files;
pub mod migration;
pub mod open;

pub use open::{Options, Tribunal};
pub use tribunal_engine_core as core;
pub use tribunal_engine_core::contract::{
    AllowAllPolicy, Decision, DecisionEffect, Outcome, PackOutcome, Patch, PolicyEngine, PolicyRequest,
    StepUp, Token,
};
pub use tribunal_engine_core::engine::{EngineFactory, LoadErrors, Registry};
pub use tribunal_engine_core::fault::{Fault, FaultKind};

#[cfg(feature = "biscuit")]
pub use tribunal_engine_biscuit as biscuit;
#[cfg(feature = "cedar")]
pub use tribunal_engine_cedar as cedar;
#[cfg(feature = "rego-native")]
pub use tribunal_engine_rego_native as rego_native;
#[cfg(feature = "wasm")]
pub use tribunal_engine_wasm as wasm;

/// Every engine this program was built with. The only place that names them: a new engine is a crate and a line here.
pub fn registry() -> Registry {
    let mut registry = Registry::new();
    #[cfg(feature = "biscuit")]
    add(&mut registry, tribunal_engine_biscuit::BiscuitFactory);
    #[cfg(feature = "cedar")]
    add(&mut registry, tribunal_engine_cedar::CedarFactory);
    #[cfg(feature = "rego-native")]
    add(&mut registry, tribunal_engine_rego_native::RegoNativeFactory);
    #[cfg(feature = "wasm")]
    add(&mut registry, tribunal_engine_wasm::RegoWasmFactory);
    for id in ["biscuit", "cedar", "rego-native", "rego-wasm"] {
        registry.declare_absent(id);
    }
    registry
}

#[cfg_attr(
    not(any(feature = "wasm", feature = "rego-native", feature = "cedar", feature = "biscuit")),
    expect(dead_code, reason = "a build without engines adds none")
)]
fn add(registry: &mut Registry, factory: impl EngineFactory + 'static) {
    let added = registry.add(factory);
    debug_assert!(added.is_ok(), "two engines of one name are a mistake in `registry`");
}
