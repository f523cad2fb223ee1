//! References: evaluators that are not ours, beside the engines in a comparison.
//!
//! They show whether our Rego is OPA's Rego, and our Cedar the `cedar` command's. A reference stands for the engine that it
//! is held against: it is asked by that engine's settings, in that engine's strictness. It is in no registry, so it never
//! decides in service; where it is not installed, a comparison goes without it and says so.
//!
//! - [`opa()`]: OPA 1.22.0, through its server, kept warm: about a tenth of a millisecond an answer
//! - [`cedar()`]: the `cedar` command, run once or twice for each answer: several milliseconds, for thousands of requests
//!   and not for millions
//!
//! # What cannot be compared
//! A reference has no limits: a request on which an engine runs out of fuel is a disagreement. It sees the clock of the
//! machine and not the request's instant, so a policy that asks for the time, or for anything else that the request does
//! not settle (`http.send`, `rand.intn`, …), is refused here instead of being reported as a divergence on every request.

#[cfg(all(unix, feature = "cedar"))]
mod cedar;
#[cfg(all(unix, feature = "wasm"))]
mod http;
#[cfg(all(unix, feature = "wasm"))]
mod kept;
#[cfg(all(unix, feature = "wasm"))]
mod opa;
#[cfg(all(unix, any(feature = "wasm", feature = "cedar")))]
mod process;

use std::io;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use tribunal::core::engine::{
    Capabilities, Engine, EngineFactory, EngineInfo, LoadContext, LoadError, LoadErrorKind, LoadErrors,
    Mutant, Registry, RegistryError, Vocabulary,
};
use tribunal::core::location::Location;
use tribunal::core::pack::PackSource;

use crate::runner::Runner;

/// Where to find `opa`, instead of on the `PATH`.
pub const OPA_VARIABLE: &str = "TRIBUNAL_OPA";
/// Where to find `cedar`, instead of on the `PATH`.
pub const CEDAR_VARIABLE: &str = "TRIBUNAL_CEDAR";

/// An evaluator that is not ours, with a pack.
#[derive(Debug, Clone)]
pub struct Reference {
    /// What reports call it, as `opa (reference)`.
    pub name: String,
    /// The evaluator, as `opa`.
    pub engine: &'static str,
    /// Its version, as `OPA 1.22.0`.
    pub version: String,
    /// The engine it stands for, as `rego-native`: the one whose settings it runs with.
    pub stands_for: &'static str,
    /// The pack on it.
    pub loaded: Arc<dyn Engine>,
}

/// Why a reference takes no part.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    /// The program is not there.
    #[error("the reference `{command}` is not installed: {looked}: {error}")]
    NotInstalled {
        /// The program.
        command: &'static str,
        /// Where it was looked for.
        looked: String,
        /// Why it does not run.
        error: String,
    },
    /// The program is of another version than the one that our engines are held to.
    #[error("the reference `{command}` is of another version: {error}")]
    OtherVersion {
        /// The program.
        command: &'static str,
        /// Which one, and which it should be.
        error: String,
    },
    /// This program cannot run it.
    #[error("the reference `{command}` needs a Unix and a program built with the feature `{feature}`")]
    NotBuilt {
        /// The program.
        command: &'static str,
        /// The feature.
        feature: &'static str,
    },
    /// The pack offers no engine that it could stand for.
    #[error("the reference `{command}` has no part in this: {error}")]
    NotOffered {
        /// The program.
        command: &'static str,
        /// What the pack offers instead.
        error: LoadError,
    },
    /// The policy asks for what the request does not settle.
    #[error(
        "{location}: `{builtin}` depends on more than the request, so OPA's answers cannot be compared with those of a request's own instant"
    )]
    Unsettled {
        /// The built-in.
        builtin: String,
        /// Where it is called.
        location: Location,
    },
    /// It refuses the policy, which our engines may well take.
    #[error("the reference refuses the policy: {0}")]
    Refused(LoadErrors),
    /// It did not come up.
    #[error("the reference did not start: {0}")]
    DidNotStart(String),
    /// Its files could not be written, or it could not be run.
    #[error("the reference could not be prepared: {0}")]
    Io(#[from] io::Error),
}

/// A pack on OPA's server. `binary` is looked at before [`OPA_VARIABLE`] and the `PATH`.
///
/// It stands for `rego-native` if the pack offers that, otherwise for `rego-wasm`.
///
/// # Errors
/// Why OPA takes no part.
#[cfg_attr(
    not(all(unix, feature = "wasm")),
    expect(unused_variables, reason = "a build that cannot run it only says so")
)]
pub fn opa(pack: &PackSource, binary: Option<&Path>) -> Result<Reference, ReferenceError> {
    #[cfg(all(unix, feature = "wasm"))]
    return opa::start(pack, binary);
    #[cfg(not(all(unix, feature = "wasm")))]
    return Err(ReferenceError::NotBuilt { command: "opa", feature: "wasm" });
}

/// A pack on the `cedar` command. `binary` is looked at before [`CEDAR_VARIABLE`] and the `PATH`.
///
/// # Errors
/// Why it takes no part.
#[cfg_attr(
    not(all(unix, feature = "cedar")),
    expect(unused_variables, reason = "a build that cannot run it only says so")
)]
pub fn cedar(pack: &PackSource, binary: Option<&Path>) -> Result<Reference, ReferenceError> {
    #[cfg(all(unix, feature = "cedar"))]
    return cedar::prepare(pack, binary);
    #[cfg(not(all(unix, feature = "cedar")))]
    return Err(ReferenceError::NotBuilt { command: "cedar", feature: "cedar" });
}

impl Reference {
    /// The pack on this reference, to be asked as an engine is: through the whole of dispatch. `pack` is the one that the
    /// reference was made of. A case is judged by what it expects of the engine that the reference stands for.
    ///
    /// # Errors
    /// If the pack cannot be dispatched to the engine that it stands for.
    pub fn runner(&self, pack: &Arc<PackSource>) -> Result<Runner, LoadErrors> {
        let mut registry = Registry::new();
        registry.add(StandIn(self.clone())).map_err(|RegistryError(id)| {
            LoadError::new(LoadErrorKind::Invalid, format!("`{id}` is registered already"))
        })?;
        Runner::load(pack.clone(), self.stands_for, &LoadContext::default(), &registry)
    }
}

/// Gives out a reference where dispatch looks for the engine that it stands for.
#[derive(Debug)]
struct StandIn(Reference);

impl EngineFactory for StandIn {
    fn info(&self) -> EngineInfo {
        EngineInfo { id: self.0.stands_for, version: self.0.version.clone() }
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { can: Default::default(), bounds: Vec::new() }
    }

    fn settings_schema(&self) -> Value {
        json!({"type": "object"})
    }

    fn load(&self, _: &PackSource, _: &LoadContext) -> Result<Arc<dyn Engine>, LoadErrors> {
        Ok(self.0.loaded.clone())
    }

    fn vocabulary(&self, _: &PackSource) -> Result<Vocabulary, LoadErrors> {
        Ok(Vocabulary::default())
    }

    fn mutants(&self, _: &PackSource) -> Result<Vec<Mutant>, LoadErrors> {
        Ok(Vec::new())
    }
}
