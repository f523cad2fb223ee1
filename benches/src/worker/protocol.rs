//! The lines that a run and its workers exchange.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::Model;
use crate::statistics::Figures;
use crate::subject::{Answer, Unavailable};

/// What a worker is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// Whether anything is timed.
    pub phase: Phase,
    /// Who is measured.
    pub subject: String,
    /// What is measured.
    pub model: Model,
    /// Folders of packs: one, or as many as a load takes.
    pub packs: Vec<PathBuf>,
    /// What is decided, in turn.
    pub requests: Vec<JobRequest>,
    /// Threads that decide at once.
    pub threads: usize,
    /// How long is measured, in milliseconds, where the model does not say so itself.
    pub budget_ms: u64,
    /// The folder of compiled modules, if any may be used.
    pub cache: Option<PathBuf>,
}

/// Whether anything is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Each request is decided once.
    Verify,
    /// And then measured.
    Measure,
    /// Each request is decided so many times, for whoever counts instructions from outside.
    Repeat(u64),
}

/// A request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobRequest {
    /// What it is called.
    pub name: String,
    /// Its JSON.
    pub text: String,
    /// Its instant (RFC 3339).
    pub now: String,
    /// The token shown with it.
    pub token: Option<String>,
}

/// What came of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Report {
    /// It was done.
    Measured(Measured),
    /// It cannot be done.
    Unavailable(Unavailable),
    /// An answer changed from one sample to the next: nothing that was timed means anything.
    Changed {
        /// The request.
        request: String,
        /// The first answer.
        first: Box<Answer>,
        /// Another.
        then: Box<Answer>,
    },
}

/// What a worker found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// The version of what decided.
    pub version: String,
    /// The answer to each request.
    pub answers: Vec<Answer>,
    /// The figures; `None` where nothing was timed.
    pub figures: Option<Figures>,
}
