//! Who is compared: a pack on its engines, two versions of it, and references beside them.

use std::sync::Arc;
use std::time::Duration;

use tribunal::core::engine::{Capability, LoadContext, LoadErrors, Registry, Vocabulary};
use tribunal::core::limits::Span;
use tribunal::core::pack::{PackFiles, PackSource};

use super::report;
use crate::case::Suite;
use crate::runner::Runner;
use crate::search::Panel;

/// Time an answer may take where the engine has a deadline: no wall clock decides anything in a comparison, and nothing
/// hangs. What bounds an evaluation instead are the deterministic limits (fuel, facts, iterations), which stay on.
const GENEROUS: Span = Span(Duration::from_secs(60));

/// A pack that is compared, with its cases.
#[derive(Debug)]
pub struct Contestant {
    /// The pack, without the deadline its manifest may set.
    pub source: Arc<PackSource>,
    /// Its cases.
    pub suite: Suite,
}

impl Contestant {
    /// Reads a pack for a comparison.
    ///
    /// # Errors
    /// Everything wrong with its manifest, schemas, data, lock or cases.
    pub fn read(origin: &str, files: PackFiles, registry: &Registry) -> Result<Self, LoadErrors> {
        let mut source = PackSource::read(origin, files, registry)?;
        source.manifest.limits.deadline = None;
        let suite = Suite::read(&source)?;
        Ok(Self { source: Arc::new(source), suite })
    }
}

/// Someone who stands beside as a reference and decides nothing.
#[derive(Debug)]
pub struct Beside {
    /// What reports call it, as `opa (reference)`.
    pub name: String,
    /// The engine, as `opa`.
    pub engine: String,
    /// It, with the pack; or why it is not there.
    pub runner: Result<Runner, String>,
}

/// Everyone who is asked, and everyone who should have been.
#[derive(Debug)]
pub struct Lineup {
    /// The packs, in the order of the report.
    pub contestants: Vec<Contestant>,
    /// Those who answer.
    pub panel: Panel,
    /// All of them, in the order of the report's columns.
    pub participants: Vec<report::Participant>,
    /// What each participant's policy mentions; empty for who is not asked.
    pub vocabularies: Vec<Vocabulary>,
    /// For each participant its place in the panel.
    seats: Vec<Option<usize>>,
}

impl Lineup {
    /// Loads every pack on every engine wanted (all that it offers, where none is named), and puts the references beside.
    ///
    /// An engine that refuses a pack is in the lineup all the same, as one that could not be asked.
    pub fn load(
        contestants: Vec<Contestant>,
        engines: &[String],
        beside: Vec<Beside>,
        context: &LoadContext,
        registry: &Registry,
    ) -> Self {
        let mut entries = Vec::new();
        let mut participants = Vec::new();
        let mut seats = Vec::new();
        let mut vocabularies = Vec::new();
        let several = contestants.len() > 1;
        let mut seat =
            |participant: report::Participant, runner: Result<Runner, String>, vocabulary: Vocabulary| {
                let refused = match runner {
                    Ok(runner) => {
                        seats.push(Some(entries.len()));
                        entries.push((participant.name.clone(), participant.is_reference, runner));
                        None
                    }
                    Err(why) => {
                        seats.push(None);
                        Some(why)
                    }
                };
                participants.push(report::Participant { refused, ..participant });
                vocabularies.push(vocabulary);
            };
        for (pack, contestant) in contestants.iter().enumerate() {
            let source = &contestant.source;
            let offered = source.manifest.engines.keys();
            let wanted: Vec<&String> =
                if engines.is_empty() { offered.collect() } else { engines.iter().collect() };
            for engine in wanted {
                let label = match several {
                    true if contestants
                        .iter()
                        .all(|other| other.source.manifest.version == source.manifest.version) =>
                    {
                        format!("{engine} ({})", if pack == 0 { "first" } else { "second" })
                    }
                    true => format!("{engine}@{}", source.manifest.version),
                    false => engine.clone(),
                };
                let participant = |version| report::Participant {
                    name: label.clone(),
                    engine: engine.clone(),
                    version,
                    pack,
                    is_reference: false,
                    refused: None,
                    latency: None,
                };
                match load(contestant, engine, context, registry) {
                    Ok((runner, vocabulary)) => {
                        let version = runner.loaded().identity().engine_version.clone();
                        seat(participant(version), Ok(runner), vocabulary);
                    }
                    Err(errors) => {
                        let version = registry.get(engine).map(|factory| factory.info().version);
                        let version = version.unwrap_or_else(|| "not built in".to_owned());
                        seat(participant(version), Err(errors.to_string()), Vocabulary::default());
                    }
                }
            }
        }
        for Beside { name, engine, runner } in beside {
            let version = runner.as_ref().map(|runner| runner.loaded().identity().engine_version.clone());
            let participant = report::Participant {
                name,
                engine,
                version: version.unwrap_or_else(|_| "not installed".to_owned()),
                pack: 0,
                is_reference: true,
                refused: None,
                latency: None,
            };
            seat(participant, runner, Vocabulary::default());
        }
        Self { panel: Panel::new(entries), contestants, participants, vocabularies, seats }
    }

    /// Something of every member of the panel, by participant.
    pub fn by_participant<T: Clone>(&self, members: &[T]) -> Vec<Option<T>> {
        self.seats.iter().map(|seat| seat.and_then(|seat| members.get(seat)).cloned()).collect()
    }

    /// The place in the panel of a participant.
    pub fn seat(&self, participant: usize) -> Option<usize> {
        self.seats.get(participant).copied().flatten()
    }

    /// The packs as the report names them.
    pub fn packs(&self) -> Vec<report::ComparedPack> {
        self.contestants.iter().map(|contestant| compared(&contestant.source)).collect()
    }
}

/// A pack as reports name it.
pub fn compared(source: &PackSource) -> report::ComparedPack {
    report::ComparedPack {
        name: source.manifest.name.clone(),
        version: source.manifest.version.clone(),
        digest: source.digest.clone(),
        origin: source.origin.clone(),
        unsupported: source.manifest.unsupported.clone(),
    }
}

/// Loads a pack on an engine as comparisons do.
///
/// # Errors
/// Everything wrong with the pack on that engine.
pub fn load(
    contestant: &Contestant,
    engine: &str,
    context: &LoadContext,
    registry: &Registry,
) -> Result<(Runner, Vocabulary), LoadErrors> {
    let source = &contestant.source;
    let mut context = contestant.suite.trusted(context);
    let factory = registry.get(engine);
    context.limits.deadline =
        factory.filter(|factory| factory.capabilities().has(Capability::Deadline)).map(|_| GENEROUS);
    let runner = Runner::load(source.clone(), engine, &context, registry)?;
    let vocabulary = match factory {
        Some(factory) => factory.vocabulary(source)?,
        None => Vocabulary::default(),
    };
    Ok((runner, vocabulary))
}
