//! What is measured: the moment in a decision point's life that a figure is about.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What one figure of a measurement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// Reading and loading the pack in a fresh process, with no compiled module kept from before.
    LoadCold,
    /// The same, with compiled modules kept on disk by an earlier process.
    LoadCached,
    /// Loading the pack and deciding one request, in a fresh process.
    FirstDecision,
    /// One decision after another on a loaded pack, each timed by itself.
    Decide,
    /// Loading the pack anew for each decision, in a process that has done so before.
    DecidePerCall,
    /// Many decisions under one clock: what `decide` measures, without the clock.
    Batch,
    /// As many threads as the row says, deciding at once; time by the wall, per decision.
    Parallel,
    /// Decisions of requests that are denied by a fault.
    ErrorPath,
    /// Memory of the process that loading the pack and deciding adds.
    Memory,
    /// Instructions of one decision, counted by valgrind: the same on every machine, however busy.
    Instructions,
    /// The stages of a decision, each by itself.
    Breakdown,
}

/// What a figure is counted in. Less is better of either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Time.
    Nanoseconds,
    /// Memory.
    Bytes,
    /// Work.
    Instructions,
}

impl Unit {
    /// What tables for programs call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Unit::Nanoseconds => "ns",
            Unit::Bytes => "bytes",
            Unit::Instructions => "instructions",
        }
    }
}

impl Model {
    /// Every model.
    pub const ALL: [Model; 11] = {
        use Model::*;
        [
            LoadCold,
            LoadCached,
            FirstDecision,
            Decide,
            DecidePerCall,
            Batch,
            Parallel,
            ErrorPath,
            Memory,
            Instructions,
            Breakdown,
        ]
    };

    /// What definitions and tables call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Model::LoadCold => "load-cold",
            Model::LoadCached => "load-cached",
            Model::FirstDecision => "first-decision",
            Model::Decide => "decide",
            Model::DecidePerCall => "decide-per-call",
            Model::Batch => "batch",
            Model::Parallel => "parallel",
            Model::ErrorPath => "error-path",
            Model::Memory => "memory",
            Model::Instructions => "instructions",
            Model::Breakdown => "breakdown",
        }
    }

    /// What it measures, in a line.
    pub fn about(self) -> &'static str {
        match self {
            Model::LoadCold => "reading and loading the pack in a fresh process, nothing kept from before",
            Model::LoadCached => "the same, with compiled modules kept on disk",
            Model::FirstDecision => "loading the pack and deciding one request, in a fresh process",
            Model::Decide => "one decision after another on a loaded pack",
            Model::DecidePerCall => "loading the pack anew for each decision",
            Model::Batch => "many decisions under one clock",
            Model::Parallel => "several threads deciding at once, by the wall, per decision",
            Model::ErrorPath => "decisions that are denied by a fault",
            Model::Memory => "memory that loading the pack and deciding adds to the process",
            Model::Instructions => "instructions of one decision, counted by valgrind",
            Model::Breakdown => "the stages of a decision, each by itself",
        }
    }

    /// What its figures are counted in.
    pub fn unit(self) -> Unit {
        match self {
            Model::Memory => Unit::Bytes,
            Model::Instructions => Unit::Instructions,
            _ => Unit::Nanoseconds,
        }
    }

    /// Whether a process goes on measuring for as long as it is given; the others take what they take.
    pub fn takes_time(self) -> bool {
        match self {
            Model::Decide
            | Model::DecidePerCall
            | Model::Batch
            | Model::Parallel
            | Model::ErrorPath
            | Model::Breakdown => true,
            Model::LoadCold
            | Model::LoadCached
            | Model::FirstDecision
            | Model::Memory
            | Model::Instructions => false,
        }
    }

    /// Whether only what loads packs can be measured by it; a bare crate given what is ready-made cannot.
    pub fn loads(self) -> bool {
        match self {
            Model::LoadCold
            | Model::LoadCached
            | Model::FirstDecision
            | Model::DecidePerCall
            | Model::Memory => true,
            Model::Decide
            | Model::Batch
            | Model::Parallel
            | Model::ErrorPath
            | Model::Instructions
            | Model::Breakdown => false,
        }
    }
}
