//! `tribunal pack build`: from a pack's Rego its `policy.wasm` and `pack.lock`.

use std::path::PathBuf;

use crate::exit::Exit;
use crate::failure::Failure;

/// Compile the packs' Rego to `policy.wasm`, and write `pack.lock`. Needs OPA 1.22.0 on the PATH; deciding never does.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The packs' folders.
    #[arg(default_value = ".", num_args = 1..)]
    packs: Vec<PathBuf>,
    /// Write nothing; fail if what is there is not what a build makes (exit code 5).
    #[arg(long)]
    check: bool,
}

#[cfg(not(feature = "wasm"))]
pub(crate) fn run(_args: &Args) -> Result<Exit, Failure> {
    Err(Failure::Tool("the engine `rego-wasm` is not built into this program".to_owned()))
}

#[cfg(feature = "wasm")]
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    compiled::run(args)
}

/// Builds a pack where there is a compiler, and tells whether there was.
#[cfg(not(feature = "wasm"))]
pub(super) fn run_if_possible(_pack: &std::path::Path) -> Result<bool, Failure> {
    Ok(false)
}

/// Builds a pack where there is a compiler, and tells whether there was.
#[cfg(feature = "wasm")]
pub(super) fn run_if_possible(pack: &std::path::Path) -> Result<bool, Failure> {
    compiled::run_if_possible(pack)
}

#[cfg(feature = "wasm")]
mod compiled {
    use std::io::Write;
    use std::path::Path;

    use tribunal::LoadErrors;
    use tribunal::core::pack::{PackFiles, PackSource, lock};
    use tribunal::files::read_pack;
    use tribunal::wasm::{self, BuildError, CompileError, MODULE, OpaCompiler, WasmCompiler, build_pack};

    use super::Args;
    use crate::exit::Exit;
    use crate::failure::Failure;
    use crate::terminal::{self, plain};

    pub(super) fn run_if_possible(pack: &Path) -> Result<bool, Failure> {
        let Ok(compiler) = OpaCompiler::find() else { return Ok(false) };
        put(pack, build(pack, &compiler)?)?;
        Ok(true)
    }

    pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
        let compiler = OpaCompiler::find().map_err(|error| Failure::Tool(error.to_string()))?;
        let mut out = terminal::stdout();
        let mut exit = Exit::Success;
        for pack in &args.packs {
            let name = pack.display().to_string();
            let built = build(pack, &compiler)?;
            let is_current = built.iter().all(|file| file.is_current);
            let says = match (args.check, is_current) {
                (_, true) => "is current",
                (true, false) => {
                    exit = exit.max(Exit::Failed);
                    "is not what a build makes: run `tribunal pack build`"
                }
                (false, false) => {
                    put(pack, built)?;
                    "built"
                }
            };
            writeln!(out, "{}: {says}", plain(&name))?;
        }
        Ok(exit)
    }

    fn put(pack: &Path, [module, lock]: [Built; 2]) -> Result<(), Failure> {
        // The module first: a lock without its module is refused at load, as is the other way round.
        write(&pack.join(MODULE), &module.bytes)?;
        write(&pack.join(lock::FILE), &lock.bytes)
    }

    /// A file of a build, and whether the pack has the very same.
    struct Built {
        bytes: Vec<u8>,
        is_current: bool,
    }

    fn build(pack: &Path, compiler: &dyn WasmCompiler) -> Result<[Built; 2], Failure> {
        if !pack.is_dir() {
            return Err(Failure::Input(format!("`{}` is not a pack's folder", pack.display())));
        }
        let mut files = read_pack(pack)?;
        let old = files.clone();
        // What was built before, and may be broken, must not keep it from being built anew.
        files = PackFiles::new(
            files
                .paths()
                .filter(|path| *path != lock::FILE)
                .filter_map(|path| Some((path.to_owned(), files.get(path)?.to_vec()))),
        );
        let source = PackSource::read(&pack.display().to_string(), files, &tribunal::registry())?;
        let entrypoints = wasm::entrypoints(&source).map_err(LoadErrors::from)?;
        let built =
            build_pack(&source.files, &entrypoints, compiler).map_err(|error| failure(pack, error))?;
        let file = |path: &str, bytes: Vec<u8>| {
            let is_current = old.get(path).is_some_and(|found| **found == *bytes);
            Built { bytes, is_current }
        };
        Ok([file(MODULE, built.module.clone()), file(lock::FILE, built.lock_text()?.into_bytes())])
    }

    fn failure(pack: &Path, error: BuildError) -> Failure {
        match error {
            BuildError::Compile(CompileError::Sources(errors)) => {
                let named = errors.into_iter().map(|mut error| {
                    if let Some(location) = &mut error.location {
                        location.file = pack.join(&location.file).display().to_string();
                    }
                    error
                });
                match LoadErrors::check(named.collect()) {
                    Err(errors) => Failure::Load(errors),
                    Ok(()) => Failure::Tool(format!(
                        "`{}` cannot be built, and the compiler does not say why",
                        pack.display()
                    )),
                }
            }
            BuildError::NoSources
            | BuildError::NoEntrypoints
            | BuildError::Compile(CompileError::Path(_)) => {
                Failure::Input(format!("`{}` cannot be built: {error}", pack.display()))
            }
            error => Failure::Tool(format!("`{}` cannot be built: {error}", pack.display())),
        }
    }

    /// Puts a file in its place as a whole: nobody ever reads half of it.
    fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        let written =
            tempfile::Builder::new().prefix(".tribunal-").tempfile_in(folder).and_then(|mut file| {
                file.write_all(bytes)?;
                readable_by_all(file.as_file())?;
                file.persist(path).map_err(|error| error.error)
            });
        written.map(drop).map_err(|error| Failure::unwritable(path, &error))
    }

    /// A temporary file is its owner's alone; what is built is read by whoever may read the pack.
    #[cfg(unix)]
    fn readable_by_all(file: &std::fs::File) -> std::io::Result<()> {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(std::fs::Permissions::from_mode(0o644))
    }

    #[cfg(not(unix))]
    fn readable_by_all(_file: &std::fs::File) -> std::io::Result<()> {
        Ok(())
    }
}
