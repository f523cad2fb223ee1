//! The WebAssembly that rego-wasm needs for a question, built by `opa`.
//!
//! To build a module takes tens of milliseconds, and to compile it some hundreds, so both are kept where the caller has a
//! folder for them: `modules/<digest>.wasm` by the compiler's version, the entrypoint and the sources, and `code/` as
//! rego-wasm itself keeps machine code.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tribunal::Registry;
use tribunal::core::engine::{LoadContext, LoadErrors};
use tribunal::core::pack::{PackFiles, PackSource, lock};
use tribunal::wasm::{BuildError, CompileError, MODULE, OpaCompiler, Probe, WasmCompiler, build_pack};

use super::rego::{Answer, Prober, Question};

/// Builds modules, and asks rego-wasm with them.
pub(crate) struct Modules {
    compiler: Kept,
    code: Option<PathBuf>,
}

/// Why there is no module.
enum Unbuilt {
    /// The compiler refuses the Rego.
    Refused(LoadErrors),
    /// It did not get to it.
    Broken(String),
}

impl Modules {
    /// Builds with the `opa` that is installed.
    ///
    /// # Errors
    /// If it is not there, or is another version.
    pub(crate) fn find(cache: Option<&Path>) -> Result<Self, CompileError> {
        let folder = cache.map(|cache| cache.join("modules"));
        let compiler = Kept { opa: OpaCompiler::find()?, folder };
        Ok(Self { compiler, code: cache.map(|cache| cache.join("code")) })
    }

    /// The files of a pack with its module and the lock that vouches for it.
    fn build(&self, mut files: PackFiles, entrypoint: &str) -> Result<PackFiles, Unbuilt> {
        let broken = |error: &dyn std::error::Error| Unbuilt::Broken(format!("no module was built: {error}"));
        let built =
            build_pack(&files, &[entrypoint.to_owned()], &self.compiler).map_err(|error| match error {
                BuildError::Compile(CompileError::Sources(errors)) => match LoadErrors::check(errors) {
                    Err(errors) => Unbuilt::Refused(errors),
                    Ok(()) => Unbuilt::Broken("`opa` fails and does not say why".to_owned()),
                },
                error => broken(&error),
            })?;
        files.insert(lock::FILE, built.lock_text().map_err(|error| broken(&error))?.into_bytes());
        files.insert(MODULE, built.module);
        Ok(files)
    }
}

impl Prober for Modules {
    fn ask(&self, question: &Question, files: PackFiles, registry: &Registry) -> Result<Answer, String> {
        let files = match self.build(files, &question.entrypoint()) {
            Ok(files) => files,
            Err(Unbuilt::Refused(errors)) => return Ok(Answer::Refused(errors)),
            Err(Unbuilt::Broken(why)) => return Err(why),
        };
        let context = LoadContext { cache: self.code.clone(), ..LoadContext::default() };
        let pack = PackSource::read("case", files, registry);
        match pack.and_then(|pack| Probe::load(&pack, &context)) {
            Ok(probe) => Ok(Answer::of(probe.value(question.input.as_ref()))),
            Err(errors) => Ok(Answer::Refused(errors)),
        }
    }

    fn loses_order(&self) -> bool {
        true
    }
}

/// `opa`, whose modules are kept.
struct Kept {
    opa: OpaCompiler,
    folder: Option<PathBuf>,
}

impl Kept {
    fn digest(&self, sources: &[(&str, &[u8])], entrypoints: &[String]) -> String {
        let mut digest = Sha256::new();
        let mut add = |bytes: &[u8]| {
            digest.update(bytes.len().to_le_bytes());
            digest.update(bytes);
        };
        add(self.opa.command(sources, entrypoints).as_bytes());
        add(self.opa.version().as_bytes());
        for (path, text) in sources {
            add(path.as_bytes());
            add(text);
        }
        digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Other processes read the folder too: a file is there whole or not at all.
    fn keep(folder: &Path, path: &Path, module: &[u8]) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let file = tempfile::NamedTempFile::new_in(folder)?;
        fs::write(file.path(), module)?;
        file.persist(path)?;
        Ok(())
    }
}

impl WasmCompiler for Kept {
    fn name(&self) -> &str {
        self.opa.name()
    }

    fn version(&self) -> &str {
        self.opa.version()
    }

    fn command(&self, sources: &[(&str, &[u8])], entrypoints: &[String]) -> String {
        self.opa.command(sources, entrypoints)
    }

    fn compile(&self, sources: &[(&str, &[u8])], entrypoints: &[String]) -> Result<Vec<u8>, CompileError> {
        let Some(folder) = &self.folder else { return self.opa.compile(sources, entrypoints) };
        let path = folder.join(format!("{}.wasm", self.digest(sources, entrypoints)));
        if let Ok(module) = fs::read(&path) {
            return Ok(module);
        }
        let module = self.opa.compile(sources, entrypoints)?;
        Self::keep(folder, &path, &module)?;
        Ok(module)
    }
}
