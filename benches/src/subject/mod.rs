//! What is measured: our engines, the bare crates below them, and others that do the same.
//!
//! A [`Candidate`] can be measured if it is here and takes the pack; opened on a pack it is a [`Subject`], which makes a
//! [`Question`] of each request. Only [`Question::ask`] is timed. Whatever it came to is compared afterwards.
//!
//! - [`ours`]: our engines, from JSON to a decision, and from further inside
//! - `stages`: our engines, stage by stage
//! - `floor`: the bare crates below our engines
//! - `peer`: other ways to the same answer
//! - [`answer`]: what answers have in common
//! - `absent`: floors and peers that a program was built without
//! - [`catalogue`]: every candidate by name

#[cfg(not(all(unix, feature = "wasm", feature = "rego-native", feature = "cedar", feature = "biscuit")))]
mod absent;
pub mod answer;
pub mod catalogue;
mod floor;
pub mod ours;
mod peer;
mod stages;

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tribunal::Token;
use tribunal::core::engine::{LoadContext, Registry};
use tribunal::core::limits::Span;
use tribunal::core::pack::{PackFiles, PackSource};
use tribunal::{Fault, LoadErrors};

pub use answer::Answer;
pub use catalogue::Catalogue;

/// What a candidate is to the engines that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One of our engines, from JSON to a decision.
    Engine,
    /// The same engine, entered further inside.
    Level,
    /// What is below an engine and cannot be undercut: the bare crate with everything made ready.
    Floor,
    /// Another way to the same answer.
    Peer,
}

impl Kind {
    /// What tables call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Engine => "engine",
            Kind::Level => "level",
            Kind::Floor => "floor",
            Kind::Peer => "peer",
        }
    }
}

/// What can be measured, if it is here.
pub trait Candidate: Debug + Send + Sync {
    /// Its name, as `cedar` or `floor:regorus`.
    fn name(&self) -> &str;

    /// The engine of ours that it is, or stands beside.
    fn engine(&self) -> &str;

    /// What it is to the engines.
    fn kind(&self) -> Kind;

    /// What is timed, in a line.
    fn about(&self) -> &str;

    /// Whether opening it does what whoever uses it does to load the pack.
    fn loads(&self) -> bool;

    /// How long a process of it takes by a clock of its own, whatever it is given to measure: no time, if it heeds that.
    fn own_time(&self) -> Duration {
        Duration::ZERO
    }

    /// Loads the pack.
    ///
    /// # Errors
    /// Why it cannot be measured on this pack.
    fn open(&self, site: &Site) -> Result<Box<dyn Subject>, Unavailable>;
}

/// A pack loaded for measuring.
pub trait Subject: Send + Sync {
    /// The version of what decides, as a receipt: no version, no measurement.
    fn version(&self) -> String;

    /// A request, with everything made ready that is not to be timed.
    ///
    /// # Errors
    /// Why this request cannot be asked.
    fn question<'s>(&'s self, request: &'s Request) -> Result<Box<dyn Question + 's>, Unavailable>;

    /// Figures that it takes itself, as `opa bench` does, in nanoseconds for each sample of so many decisions; `None` if it
    /// is asked.
    fn own_figures(&self, _request: &Request, _budget: Duration) -> Option<Result<OwnFigures, Unavailable>> {
        None
    }

    /// The same decisions stage by stage; `None` if it has no stages to show.
    fn staged<'s>(&'s self) -> Option<Result<Box<dyn Staged + 's>, Unavailable>> {
        None
    }
}

/// Decisions stage by stage.
pub trait Staged {
    /// Decides as [`Question::ask`] does, `lap` being told of the end of each stage: what the engine proposes, or the denial
    /// for the fault that ended it early. One question and no rounds: what a redaction leads to is dispatch's.
    fn decide(&mut self, request: &Request, lap: &mut dyn FnMut(&'static str)) -> Answer;
}

/// Figures that a subject took itself.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnFigures {
    /// Decisions that were timed.
    pub samples: u64,
    /// Nanoseconds of a decision, in the mean.
    pub mean: f64,
    /// Percentiles in nanoseconds, by the share below.
    pub percentiles: Vec<(f64, f64)>,
    /// What it decided meanwhile, where it says so.
    pub answer: Option<Answer>,
}

/// A request that can be asked again and again.
pub trait Question: Send {
    /// Decides once, with whatever it takes each time. This alone is timed.
    fn ask(&mut self);

    /// What the last decision came to. Nobody asks for it while anything is timed.
    fn answer(&mut self) -> Answer;

    /// Whether the last decision came to this. Called between two samples, so it disturbs the caches as little as it can.
    fn came_to(&mut self, expected: &Answer) -> bool {
        self.answer().repeats(expected)
    }
}

/// Where a candidate is opened.
#[derive(Debug)]
pub struct Site {
    /// The pack's folder.
    pub folder: PathBuf,
    /// Its files, read.
    pub files: PackFiles,
    /// What engines are loaded with.
    pub context: LoadContext,
    /// What takes the place of a deadline that the pack sets, where no clock is to decide anything.
    pub deadline: Option<Span>,
    /// The engines of this program.
    pub registry: Registry,
}

impl Site {
    /// Reads and checks the pack, as whoever loads it has to.
    ///
    /// # Errors
    /// Everything wrong with it.
    pub fn source(&self) -> Result<Arc<PackSource>, LoadErrors> {
        let origin = self.folder.display().to_string();
        let mut source = PackSource::read(&origin, self.files.clone(), &self.registry)?;
        if let (Some(own), Some(lifted)) = (&mut source.manifest.limits.deadline, self.deadline) {
            *own = lifted;
        }
        Ok(Arc::new(source))
    }

    /// What dispatch loads the pack's engines with: the pack's own limits hold, too.
    pub fn within_limits(&self, source: &PackSource) -> LoadContext {
        let limits = self.context.limits.tightest(source.manifest.limits);
        LoadContext { limits, ..self.context.clone() }
    }
}

/// A request to decide.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What it is called.
    pub name: String,
    /// As it comes in.
    pub text: Vec<u8>,
    /// The same, read.
    pub payload: Value,
    /// Its instant.
    pub now: Timestamp,
    /// The token shown with it.
    pub token: Option<Token>,
}

/// Why a candidate is not measured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "why", content = "detail")]
pub enum Unavailable {
    /// It is not on this machine, or not in this program.
    #[error("missing: {0}")]
    Missing(String),
    /// It has no part in this pack or this measurement.
    #[error("not for this: {0}")]
    NotApplicable(String),
    /// It refuses the pack or the request.
    #[error("refused: {0}")]
    Refused(String),
    /// It failed.
    #[error("failed: {0}")]
    Failed(String),
}

impl From<LoadErrors> for Unavailable {
    fn from(errors: LoadErrors) -> Self {
        if errors.is_absence() {
            Unavailable::Missing(errors.to_string())
        } else {
            Unavailable::Refused(errors.to_string())
        }
    }
}

impl From<Fault> for Unavailable {
    fn from(fault: Fault) -> Self {
        Unavailable::Refused(format!("{}: {}", fault.kind, fault.detail))
    }
}
