//! A run: packs made ready, answers compared, then turn after turn every row and subject in a process of its own.
//!
//! - `draft`: the rows that a plan comes to
//! - `requests`, `given`: what they are asked
//! - `session`: the processes
//! - `drawing`: flamegraphs, when everything is measured

mod draft;
mod drawing;
mod given;
mod requests;
mod session;

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tribunal::LoadErrors;
use tribunal_conformance::parity::compare::{machine, revision};

pub use given::{Given, read_requests};

use crate::definition::Measurement;
use crate::flamegraph::Flamegraphs;
use crate::launch::Launcher;
use crate::memory;
use crate::report::data::{BenchReport, BenchedPack, BenchedSubject, FORMAT, Problem, Row, Run};
use crate::subject::Catalogue;
use crate::workshop::{Beside, Workshop};

use draft::{Draft, Making, drafts};
use session::Session;

/// What is to be measured, and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What is measured.
    pub measurements: Vec<Measurement>,
    /// What the definition is called.
    pub definition: String,
    /// From where the packs that the definition names are seen.
    pub beside: Beside,
    /// The pack of measurements that name none, seen from the working folder; without it, [one that this program
    /// carries](crate::embedded::DEFAULT).
    pub pack: Option<String>,
    /// Requests in place of that pack's own cases.
    pub requests: Option<Vec<Given>>,
    /// Only these engines, and what stands beside them; all, if empty.
    pub engines: Vec<String>,
    /// About how long it takes.
    pub time: Duration,
    /// Processes for each subject in each row.
    pub turns: u32,
    /// The subject that others are compared with; the first engine's, if nobody says.
    pub baseline: Option<String>,
    /// The command line, for the report.
    pub command: String,
    /// What draws flamegraphs of decisions when they are measured, if that is wanted.
    pub flamegraphs: Option<Flamegraphs>,
}

/// How far a run has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Packs that are ready; then, processes that have ended.
    pub done: usize,
    /// As many as there will be.
    pub all: usize,
    /// What is at hand.
    pub at: String,
}

/// Why nothing can be measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A pack or a definition is wrong.
    #[error("{0}")]
    Load(#[from] LoadErrors),
    /// What was asked for cannot be measured.
    #[error("{0}")]
    Input(String),
    /// It was interrupted before anything was measured.
    #[error("it was interrupted while packs were made ready, and nothing is measured")]
    Interrupted,
    /// A folder cannot be used.
    #[error("files of the measurement: {0}")]
    Io(#[from] std::io::Error),
}

impl From<tribunal::core::engine::LoadError> for BenchError {
    fn from(error: tribunal::core::engine::LoadError) -> Self {
        BenchError::Load(error.into())
    }
}

/// Measures, in a workshop that is empty.
///
/// After an interruption the report holds what was measured before it. `kept` is told of the report after each turn.
///
/// # Errors
/// What is wrong with packs and requests. What goes wrong with one subject stands in the report.
pub fn run(
    plan: &Plan,
    catalogue: &Catalogue,
    workshop: &mut Workshop,
    launcher: &dyn Launcher,
    interrupted: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
    kept: &mut dyn FnMut(&BenchReport),
) -> Result<BenchReport, BenchError> {
    let started = (Timestamp::now(), Instant::now());
    let drafts = drafts(plan, catalogue, workshop, &mut Making::new(interrupted, progress))?;
    let mut report = blank(plan, catalogue, &drafts, workshop, started.0);
    let mut session = Session {
        launcher,
        interrupted,
        progress,
        cache: workshop.cache(),
        done: 0,
        all: 0,
        versions: Vec::new(),
    };
    let slots: usize = drafts.iter().map(|draft| draft.subjects.len()).sum();
    session.all = slots * (1 + plan.turns as usize);
    let expected = session.verify(&drafts, &mut report);
    for ((draft, row), expected) in drafts.iter().zip(&mut report.rows).zip(&expected) {
        row.faulted = draft.faulted(expected.as_ref());
        explain(draft, row);
    }
    let turn_time = plan.time.saturating_sub(started.1.elapsed()).max(plan.time.mul_f64(0.25));
    session.measure(plan, &drafts, &expected, turn_time, &mut report, kept);
    session.note_versions(&mut report);
    report.conclude();
    report.run.duration_ms = u64::try_from(started.1.elapsed().as_millis()).unwrap_or(u64::MAX);
    if let Some(flamegraphs) = &plan.flamegraphs {
        session.draw(flamegraphs, &drafts, &mut report);
    }
    Ok(report)
}

/// Puts what the row knows in place of what a subject only finds missing.
fn explain(draft: &Draft<'_>, row: &mut Row) {
    for (subject, entry) in draft.subjects.iter().zip(&mut row.entries) {
        if let (Some(Problem::Unavailable(why)), Some(obstacle)) =
            (&mut entry.problem, draft.obstacle(*subject))
        {
            *why = obstacle;
        }
    }
}

fn blank(
    plan: &Plan,
    catalogue: &Catalogue,
    drafts: &[Draft<'_>],
    workshop: &Workshop,
    started: Timestamp,
) -> BenchReport {
    let is_measured =
        |name: &str| drafts.iter().any(|draft| draft.subjects.iter().any(|one| one.name() == name));
    let subjects: Vec<BenchedSubject> = catalogue
        .iter()
        .filter(|candidate| is_measured(candidate.name()))
        .map(|candidate| BenchedSubject {
            name: candidate.name().to_owned(),
            engine: candidate.engine().to_owned(),
            kind: candidate.kind(),
            about: candidate.about().to_owned(),
            version: None,
        })
        .collect();
    let baseline = plan.baseline.clone().or_else(|| subjects.first().map(|subject| subject.name.clone()));
    let load = memory::load_average();
    BenchReport {
        format: FORMAT,
        run: Run {
            command: plan.command.clone(),
            definition: plan.definition.clone(),
            tribunal: env!("CARGO_PKG_VERSION").to_owned(),
            optimised: !cfg!(debug_assertions),
            revision: revision(Path::new(".")),
            machine: machine(),
            started: started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            duration_ms: 0,
            turns: plan.turns,
            load: load.map(|load| (load, load)),
            cut_short: None,
            flamegraphs: None,
        },
        packs: workshop
            .packs()
            .iter()
            .map(|stock| BenchedPack {
                name: stock.source.manifest.name.clone(),
                version: stock.source.manifest.version.clone(),
                digest: stock.source.digest.clone(),
                origin: stock.origin.clone(),
            })
            .collect(),
        subjects,
        baseline: baseline.unwrap_or_default(),
        rows: drafts.iter().map(Draft::row).collect(),
        targets: Vec::new(),
        conclusion: String::new(),
    }
}
