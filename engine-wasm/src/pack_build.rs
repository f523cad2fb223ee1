//! `tribunal pack build`: from a pack's Rego its `policy.wasm`, and the `pack.lock` that ties the two together.

use tribunal_engine_core::pack::{LockedModule, PackFiles, PackLock, files};

use crate::MODULE;
use crate::compiler::{CompileError, WasmCompiler};
use crate::module::{ModuleError, OpaModule};

/// What a build gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltPack {
    /// The bytes of `policy.wasm`.
    pub module: Vec<u8>,
    /// What `pack.lock` says.
    pub lock: PackLock,
}

impl BuiltPack {
    /// The text of `pack.lock`.
    ///
    /// # Errors
    /// Never for a lock that was built; the serialiser's error otherwise.
    pub fn lock_text(&self) -> Result<String, serde_json::Error> {
        lock_text(&self.lock)
    }
}

/// A lock as it stands in a pack.
pub(crate) fn lock_text(lock: &PackLock) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(lock).map(|text| text + "\n")
}

/// Why a pack is not built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Nothing to build.
    #[error("the pack has no Rego but tests")]
    NoSources,
    /// Nothing to build it for.
    #[error("no entrypoint is given")]
    NoEntrypoints,
    /// The compiler refuses.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The compiler's module is not one this engine runs.
    #[error("the compiler's module cannot be used: {0}")]
    Module(#[from] ModuleError),
}

/// Compiles a pack's Rego, without its tests, for the given entrypoints (see [`entrypoints`](crate::entrypoints)).
///
/// # Errors
/// If there is nothing to build, or the compiler refuses.
pub fn build_pack(
    files: &PackFiles,
    entrypoints: &[String],
    compiler: &dyn WasmCompiler,
) -> Result<BuiltPack, BuildError> {
    let sources: Vec<(&str, &[u8])> = files.rego_sources().map(|(path, text)| (path, &**text)).collect();
    if sources.is_empty() {
        return Err(BuildError::NoSources);
    }
    if entrypoints.is_empty() {
        return Err(BuildError::NoEntrypoints);
    }
    let module = compiler.compile(&sources, entrypoints)?;
    OpaModule::read(&module)?;
    let lock = PackLock {
        sources: files.rego_digest(),
        module: LockedModule {
            path: MODULE.to_owned(),
            digest: files::digest(&module),
            entrypoints: entrypoints.to_vec(),
        },
        builder: compiler.name().to_owned(),
        version: compiler.version().to_owned(),
        command: compiler.command(&sources, entrypoints),
    };
    Ok(BuiltPack { module, lock })
}
