//! Rego compiled to WebAssembly by OPA (`opa build -t wasm`, ABI 1.2 and 1.3), run on wasmtime.
//!
//! A pack brings `policy.wasm` and `pack.lock`, both made by `tribunal pack build`; nothing compiles Rego while requests
//! are decided. [`RegoWasmFactory`] loads such a pack, [`build_pack`] makes the two files, [`bundle::read`] takes a bare
//! bundle of OPA's for a pack.
//!
//! # What it holds to
//! - Input is JSON that the host has written, and an input that the module cannot read is a fault: OPA's own `opa_eval`
//!   would go on with `input` undefined.
//! - An evaluation has fuel (deterministic), memory, native stack, a size of its answer and, if somebody sets one, a
//!   deadline. They hold from before the module's start function. Host built-ins cost fuel too.
//! - No evaluation sees another: the heap is put back before each, and an instance that stopped for any reason is dropped.
//! - **It cannot be strict.** The built-ins inside a module swallow their errors, and the ABI has no way for the host's to
//!   report theirs but *undefined*. So a pack has to say `strict_builtin_errors: false`.
//! - It cannot trace: [`explain`](tribunal_engine_core::engine::Engine::explain) gives the verdict and says so.
//!
//! # Map
//! - [`settings`]: what the manifest says
//! - [`load`]: the factory, and all that is refused at load
//! - `decide`: a loaded pack
//! - [`module`]: a module's bytes, checked and mended
//! - `runtime`, `cache`: wasmtime, compiled modules in memory and on disk
//! - `abi`, `host`: what a module exports and imports
//! - `instance`, `pool`: warm instances
//! - `stop`: which fault ended an evaluation
//! - [`compiler`], [`pack_build`]: Rego to WebAssembly, and the lock
//! - [`bundle`]: bundles of OPA's
//! - `image`, `plan`: a module taken apart, and its rules read back from its code
//! - `vocabulary`, `mutate`: what a policy mentions, and its small mistakes, for comparisons of engines
//! - [`bare`]: the module without this engine around it, for measurements
//! - `probe`: one entrypoint's bare value, for suites of others

mod abi;
pub mod bare;
pub mod bundle;
mod cache;
pub mod compiler;
mod decide;
mod host;
mod image;
mod instance;
pub mod load;
pub mod module;
mod mutate;
pub mod pack_build;
mod plan;
mod pool;
mod probe;
mod runtime;
pub mod settings;
mod stop;
mod vocabulary;

pub use cache::cache_refusal;
pub use compiler::{CompileError, OpaCompiler, WasmCompiler};
pub use load::{RegoWasmFactory, is_built};
pub use pack_build::{BuildError, BuiltPack, build_pack};
pub use probe::Probe;
pub use runtime::WASMTIME_VERSION;
pub use settings::entrypoints;

/// The engine's name in manifests and deployments.
pub const ID: &str = "rego-wasm";

/// The module's name inside a pack.
pub const MODULE: &str = "policy.wasm";
