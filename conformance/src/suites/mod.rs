//! Suites that others wrote, run on the engines by one runner.
//!
//! A suite's cases are read by its own module, put to an engine by [`run`], and counted by folder: answered as the suite
//! wants it, answered otherwise, or refused, which is what an engine does with what it cannot answer soundly. What did not
//! pass is held against a list of known divergences in both directions.
//!
//! # Map
//! - `opa_compliance`, `rego_probes`, `cedar_corpus`, `biscuit_samples`, `authzen`: the suites' formats, and what each wants
//! - `rego`: a question to a Rego engine; `modules`: the WebAssembly that rego-wasm needs for it
//! - `runner`: cases put to an engine on every core, and the table of what came
//! - `divergences`: the lists of known ones, `conformance/divergences/<engine>/<suite>.jsonl`
//! - [`counts`]: how many cases passed when that was last written down
//! - `reading`: the files of suites

mod authzen;
#[cfg(feature = "biscuit")]
mod biscuit_samples;
#[cfg(feature = "cedar")]
mod cedar_corpus;
pub mod counts;
mod divergences;
#[cfg(feature = "wasm")]
mod modules;
#[cfg(any(feature = "wasm", feature = "rego-native"))]
mod opa_compliance;
mod reading;
#[cfg(any(feature = "wasm", feature = "rego-native"))]
mod rego;
#[cfg(any(feature = "wasm", feature = "rego-native"))]
mod rego_probes;
mod runner;

use std::fmt;
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use tribunal::Registry;
use tribunal::core::location::Location;

use crate::parity::report::SuiteTable;
use runner::Source;

/// The variable that names the folder of the suites.
pub const FOLDER_VARIABLE: &str = "TRIBUNAL_SUITES";
/// Where the suites are if nobody says: beside the project.
pub const DEFAULT_FOLDER: &str = "../shared/suites";
/// The variable that names a folder for what is slow to make again: the modules that `opa` builds, and their machine code.
pub const CACHE_VARIABLE: &str = "TRIBUNAL_CACHE";

/// A suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SuiteName {
    /// OPA's own suite, as swift-opa carries it.
    OpaCompliance,
    /// The project's probes of Rego, with the answers of OPA 1.22.0.
    RegoProbes,
    /// Cedar's integration tests.
    CedarCorpus,
    /// The samples of the Biscuit specification.
    BiscuitSamples,
    /// The Todo application of the AuthZEN interoperability tests.
    Authzen,
}

impl SuiteName {
    /// All of them.
    pub const ALL: [SuiteName; 5] = [
        SuiteName::OpaCompliance,
        SuiteName::RegoProbes,
        SuiteName::CedarCorpus,
        SuiteName::BiscuitSamples,
        SuiteName::Authzen,
    ];

    /// The suite's name, which is its folder's.
    pub fn as_str(self) -> &'static str {
        match self {
            SuiteName::OpaCompliance => "opa-compliance",
            SuiteName::RegoProbes => "rego-probes",
            SuiteName::CedarCorpus => "cedar-corpus",
            SuiteName::BiscuitSamples => "biscuit-samples",
            SuiteName::Authzen => "authzen",
        }
    }

    /// The suite of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.as_str() == name)
    }

    /// The engines it is for.
    pub fn engines(self) -> &'static [&'static str] {
        match self {
            SuiteName::OpaCompliance | SuiteName::RegoProbes => &["rego-native", "rego-wasm"],
            SuiteName::CedarCorpus => &["cedar"],
            SuiteName::BiscuitSamples => &["biscuit"],
            SuiteName::Authzen => &["rego-wasm", "rego-native", "cedar", "biscuit"],
        }
    }
}

impl fmt::Display for SuiteName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a suite could not be run. A single case that cannot be read is none of these: it failed.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// The suite is not for this engine.
    #[error("the suite `{suite}` is not for the engine `{engine}`")]
    NotFor {
        /// The suite.
        suite: SuiteName,
        /// The engine.
        engine: String,
    },
    /// The suite is not there, and `TRIBUNAL_REQUIRE_SUITES` says that it has to be.
    #[error("{0}, and TRIBUNAL_REQUIRE_SUITES is set")]
    Absent(String),
    /// There is no `opa` to build modules with, and `TRIBUNAL_REQUIRE_OPA` says that there has to be.
    #[error("{0}, and TRIBUNAL_REQUIRE_OPA is set")]
    NoCompiler(String),
    /// A file cannot be read.
    #[error("`{}` cannot be read: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file is not what its suite is written in.
    #[error("{location}: {message}")]
    Syntax {
        /// Where.
        location: Location,
        /// What is wrong.
        message: String,
    },
}

/// What may be said about a run.
#[derive(Debug, Clone)]
pub struct Options {
    /// A folder for what is slow to make again; nothing is kept without one.
    pub cache: Option<PathBuf>,
    /// Puts one case in so many to the engine: a sample, the same one every time.
    pub every: NonZero<usize>,
}

impl Default for Options {
    /// Every case, and the folder that [`CACHE_VARIABLE`] names.
    fn default() -> Self {
        let cache = std::env::var_os(CACHE_VARIABLE).filter(|folder| !folder.is_empty());
        Self { cache: cache.map(PathBuf::from), every: NonZero::<usize>::MIN }
    }
}

/// Told how many cases have been answered, and of how many. Called from several threads.
pub type Progress<'p> = &'p (dyn Fn(usize, usize) + Sync);

/// Runs a suite on an engine. `folder` is the folder of all suites.
///
/// A suite that is not in the folder, or that needs what this machine or program lacks, is a table that says why it was
/// skipped; with `TRIBUNAL_REQUIRE_SUITES=1`, and for `opa` with `TRIBUNAL_REQUIRE_OPA=1`, it is an error.
///
/// # Errors
/// A suite that is not for the engine, or whose files cannot be read.
pub fn run(
    suite: SuiteName,
    engine: &str,
    folder: &Path,
    registry: &Registry,
    progress: Progress<'_>,
) -> Result<SuiteTable, SuiteError> {
    run_with(suite, engine, folder, registry, &Options::default(), progress)
}

/// [`run`], with more to say about it.
///
/// # Errors
/// As [`run`].
pub fn run_with(
    suite: SuiteName,
    engine: &str,
    folder: &Path,
    registry: &Registry,
    options: &Options,
    progress: Progress<'_>,
) -> Result<SuiteTable, SuiteError> {
    let Some(engine) = suite.engines().iter().copied().find(|offered| *offered == engine) else {
        return Err(SuiteError::NotFor { suite, engine: engine.to_owned() });
    };
    let table = |version: String| SuiteTable {
        suite: suite.as_str().to_owned(),
        engine: engine.to_owned(),
        version,
        folders: Vec::new(),
        failures: Vec::new(),
        stale: Vec::new(),
        skipped: None,
    };
    let Some(factory) = registry.get(engine) else {
        let skipped = Some(format!("the engine `{engine}` is not built into this program"));
        return Ok(SuiteTable { skipped, ..table(String::new()) });
    };
    let table = table(factory.info().version);
    let folder = folder.join(suite.as_str());
    if !folder.is_dir() {
        let reason = format!("`{}` is not there", folder.display());
        if is_required("TRIBUNAL_REQUIRE_SUITES") {
            return Err(SuiteError::Absent(reason));
        }
        return Ok(SuiteTable { skipped: Some(reason), ..table });
    }
    match cases(suite, engine, &folder, registry, options)? {
        Source::Skipped(reason) => Ok(SuiteTable { skipped: Some(reason), ..table }),
        Source::Cases(cases) => {
            let known = divergences::list(engine, suite)?;
            Ok(runner::run(table, cases, known, options.every, progress))
        }
    }
}

#[cfg_attr(
    not(any(feature = "wasm", feature = "rego-native")),
    expect(unused_variables, reason = "only Rego has something to build")
)]
fn cases<'r>(
    suite: SuiteName,
    engine: &'static str,
    folder: &Path,
    registry: &'r Registry,
    options: &Options,
) -> Result<Source<'r>, SuiteError> {
    match suite {
        #[cfg(any(feature = "wasm", feature = "rego-native"))]
        SuiteName::OpaCompliance => opa_compliance::cases(engine, folder, registry, options),
        #[cfg(any(feature = "wasm", feature = "rego-native"))]
        SuiteName::RegoProbes => rego_probes::cases(engine, folder, registry, options),
        #[cfg(feature = "cedar")]
        SuiteName::CedarCorpus => cedar_corpus::cases(folder),
        #[cfg(feature = "biscuit")]
        SuiteName::BiscuitSamples => biscuit_samples::cases(folder),
        SuiteName::Authzen => authzen::cases(engine, folder, registry),
        #[cfg(not(all(
            feature = "cedar",
            feature = "biscuit",
            any(feature = "wasm", feature = "rego-native")
        )))]
        _ => Ok(Source::Skipped(format!("this program was built without what asks `{engine}`"))),
    }
}

/// Whether a variable says that something must not be skipped.
fn is_required(variable: &str) -> bool {
    std::env::var(variable).is_ok_and(|value| value == "1")
}

impl SuiteTable {
    /// Whether everything that did not pass is listed, and everything listed is so. A suite that was skipped shows nothing.
    pub fn holds(&self) -> bool {
        self.stale.is_empty() && self.failures.iter().all(|failure| failure.known.is_some())
    }
}
