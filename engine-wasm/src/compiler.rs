//! Rego to WebAssembly. Run by `tribunal pack build`, never while requests are decided.

use std::fs;
use std::io::{self, Read, Seek};
use std::path::{Component, Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tribunal_engine_core::engine::{LoadError, LoadErrorKind};
use tribunal_engine_core::location::Location;

use crate::MODULE;
use crate::bundle;

/// The version of OPA that packs are built with: another one may mean something else by the same Rego.
pub const OPA_VERSION: &str = "1.22.0";
/// Where to find `opa`, instead of on the `PATH`.
pub const OPA_VARIABLE: &str = "TRIBUNAL_OPA";
/// How long `opa` may take. It needs some tens of milliseconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much of its messages is read, in bytes.
const MAX_SAID: u64 = 1 << 20;

/// Compiles Rego to a module of OPA's ABI.
pub trait WasmCompiler {
    /// The compiler's name for `pack.lock`, as `opa`.
    fn name(&self) -> &str;

    /// Its version, as `1.22.0`.
    fn version(&self) -> &str;

    /// The command that [`WasmCompiler::compile`] stands for, with paths inside the pack.
    fn command(&self, sources: &[(&str, &[u8])], entrypoints: &[String]) -> String;

    /// The module. The same sources, paths and entrypoints give the same bytes, on whatever machine.
    ///
    /// `sources` are paths inside the pack with their text.
    ///
    /// # Errors
    /// What the compiler finds wrong, or why it could not run.
    fn compile(&self, sources: &[(&str, &[u8])], entrypoints: &[String]) -> Result<Vec<u8>, CompileError>;
}

/// Why there is no module.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The compiler is not there.
    #[error("`{program}` does not run: {error} (install OPA {OPA_VERSION}, or name it in {OPA_VARIABLE})")]
    Absent {
        /// What was tried.
        program: PathBuf,
        /// Why it failed.
        error: io::Error,
    },
    /// It is another version than packs are built with.
    #[error(
        "`{program}` is OPA {found}; packs are built with OPA {OPA_VERSION}, so that everybody's build gives the same bytes"
    )]
    Version {
        /// What was asked.
        program: PathBuf,
        /// What it says it is.
        found: String,
    },
    /// The sources are wrong: what the compiler says, each with its place.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Sources(Vec<LoadError>),
    /// A path that would not stay inside the folder.
    #[error("`{0}` is not a path inside a pack")]
    Path(String),
    /// It did not end.
    #[error("the compiler did not end within {} s", PATIENCE.as_secs())]
    Timeout,
    /// What it made cannot be read.
    #[error("the compiler's bundle cannot be used: {0}")]
    Bundle(#[from] bundle::BundleError),
    /// Files could not be written or read.
    #[error("while compiling: {0}")]
    Io(#[from] io::Error),
}

/// OPA's own compiler, run as a program.
#[derive(Debug, Clone)]
pub struct OpaCompiler {
    program: PathBuf,
}

impl OpaCompiler {
    /// The program that `TRIBUNAL_OPA` names, or `opa` on the `PATH`, if its version is [`OPA_VERSION`].
    ///
    /// # Errors
    /// [`CompileError::Absent`] or [`CompileError::Version`].
    pub fn find() -> Result<Self, CompileError> {
        let named = std::env::var_os(OPA_VARIABLE).filter(|value| !value.is_empty());
        Self::at(named.map_or_else(|| PathBuf::from("opa"), PathBuf::from))
    }

    /// The program at a path, if its version is [`OPA_VERSION`].
    ///
    /// # Errors
    /// [`CompileError::Absent`] or [`CompileError::Version`].
    pub fn at(program: PathBuf) -> Result<Self, CompileError> {
        // A program is run from another folder later: a relative path would not be found there.
        let program = if program.components().count() > 1 { std::path::absolute(&program)? } else { program };
        let asked = Command::new(&program).arg("version").stdin(Stdio::null()).output();
        let output = asked.map_err(|error| CompileError::Absent { program: program.clone(), error })?;
        let text = String::from_utf8_lossy(&output.stdout);
        let version = text.lines().find_map(|line| line.strip_prefix("Version: ")).map(str::trim);
        match version {
            Some(OPA_VERSION) => Ok(Self { program }),
            found => Err(CompileError::Version {
                program,
                found: found.map_or("of no known version", |found| found).to_owned(),
            }),
        }
    }

    /// The program, which is of version [`OPA_VERSION`]: conformance runs its server as a reference.
    pub fn program(&self) -> &Path {
        &self.program
    }
}

/// The arguments after `opa`. The paths are relative, because OPA writes them into the module.
fn arguments(sources: &[(&str, &[u8])], entrypoints: &[String]) -> Vec<String> {
    let mut arguments: Vec<String> = ["build", "-t", "wasm"].map(str::to_owned).to_vec();
    for entrypoint in entrypoints {
        arguments.extend(["-e".to_owned(), entrypoint.clone()]);
    }
    arguments.extend(["-o".to_owned(), OUTPUT.to_owned(), "--".to_owned()]);
    arguments.extend(sources.iter().map(|(path, _)| (*path).to_owned()));
    arguments
}

/// The bundle that OPA writes; no path of a pack, since those end in `.rego`.
const OUTPUT: &str = "bundle.tar.gz";

impl WasmCompiler for OpaCompiler {
    fn name(&self) -> &str {
        "opa"
    }

    fn version(&self) -> &str {
        OPA_VERSION
    }

    fn command(&self, sources: &[(&str, &[u8])], entrypoints: &[String]) -> String {
        format!("opa {}", arguments(sources, entrypoints).join(" "))
    }

    fn compile(&self, sources: &[(&str, &[u8])], entrypoints: &[String]) -> Result<Vec<u8>, CompileError> {
        let folder = tempfile::tempdir()?;
        for (path, text) in sources {
            let place = folder.path().join(inside(path)?);
            if let Some(parent) = place.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(place, text)?;
        }
        // OPA writes its errors to standard output.
        let said = tempfile::tempfile()?;
        let child = Command::new(&self.program)
            .args(arguments(sources, entrypoints))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(said.try_clone()?)
            .stderr(said.try_clone()?)
            .spawn();
        let child = child.map_err(|error| CompileError::Absent { program: self.program.clone(), error })?;
        if !wait(child)?.success() {
            let (mut said, mut text) = (said, Vec::new());
            said.rewind()?;
            said.take(MAX_SAID).read_to_end(&mut text)?;
            return Err(CompileError::Sources(said_by_opa(&String::from_utf8_lossy(&text))));
        }
        let bundle = bundle::entries(&fs::read(folder.path().join(OUTPUT))?)?;
        let module = bundle.get(MODULE).ok_or(bundle::BundleError::NoModule)?;
        Ok(module.clone())
    }
}

/// A path that stays inside the folder it is joined to.
fn inside(path: &str) -> Result<&Path, CompileError> {
    let plain = Path::new(path);
    let stays = !path.is_empty() && plain.components().all(|part| matches!(part, Component::Normal(_)));
    // The name of what OPA writes is not for a source to take.
    if stays && path != OUTPUT { Ok(plain) } else { Err(CompileError::Path(path.to_owned())) }
}

fn wait(mut child: Child) -> Result<ExitStatus, CompileError> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if start.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Err(CompileError::Timeout);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// OPA's messages as errors with their places. They are lines `file:line: message`, with the source quoted below.
fn said_by_opa(text: &str) -> Vec<LoadError> {
    let mut errors = Vec::new();
    for line in text.lines() {
        let line =
            line.strip_prefix("error: ").map_or(line, |line| line).trim_start_matches("1 error occurred: ");
        let mut parts = line.splitn(3, ':');
        if let (Some(file), Some(Ok(number)), Some(message)) =
            (parts.next(), parts.next().map(str::parse::<usize>), parts.next())
            && file.ends_with(".rego")
        {
            errors.push(
                LoadError::new(LoadErrorKind::Syntax, message.trim()).at(Location::new(file, number, 1)),
            );
        }
    }
    if errors.is_empty() {
        errors.push(LoadError::new(LoadErrorKind::Invalid, format!("opa: {}", text.trim())));
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_source_leaves_its_folder() {
        for path in ["policy.rego", "lib/a.rego"] {
            assert!(inside(path).is_ok(), "{path}");
        }
        for path in ["", "/etc/x.rego", "../x.rego", "a/../../x.rego", "./x.rego", OUTPUT] {
            assert!(matches!(inside(path), Err(CompileError::Path(_))), "{path}");
        }
    }

    #[test]
    fn messages_of_opa_have_their_places() {
        let two = "error: 2 errors occurred:\npolicy.rego:3: rego_parse_error: unexpected eof token\n\tallow if {\n\t         ^\nlib/b.rego:12: rego_type_error: undefined function f\n";
        let errors = said_by_opa(two);
        assert_eq!(errors.len(), 2);
        assert_eq!(errors[0].to_string(), "policy.rego:3:1: rego_parse_error: unexpected eof token");
        assert_eq!(errors[1].location, Some(Location::new("lib/b.rego", 12, 1)));
        let one = said_by_opa("error: 1 error occurred: policy.rego:1: rego_parse_error: package expected\n");
        assert_eq!(one[0].location, Some(Location::new("policy.rego", 1, 1)));
        assert_eq!(
            said_by_opa("error: entrypoint not found\n")[0].message,
            "opa: error: entrypoint not found"
        );
    }
}
