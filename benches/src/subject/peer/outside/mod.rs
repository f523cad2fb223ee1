//! Other libraries, in programs of their own (`benches/peers`): one that cannot be built into this program, for it would bring a
//! second wasmtime, or build regorus with other features. Each times itself, its policy loaded and its input read.

mod program;
#[cfg(test)]
#[cfg(all(unix, feature = "rego-native"))]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tempfile::TempDir;
use tribunal::Decision;
use tribunal::core::dispatch::LoadedPack;
use tribunal::core::pack::PackSource;
use tribunal_conformance::Runner;

use crate::subject::{Answer, Candidate, Kind, OwnFigures, Question, Request, Site, Subject, Unavailable};
use program::{Ask, Job, Program, Said};

/// How long a program may take to start and to load a policy. A measurement starts it four times, and has to be done before
/// whoever started this process loses patience.
const PATIENCE: Duration = Duration::from_secs(25);

/// A library in a program of its own.
#[derive(Debug)]
pub(super) struct Outside {
    name: &'static str,
    engine: &'static str,
    about: &'static str,
    program: &'static str,
    policy: fn(&PackSource, &str, &Path) -> Result<Policy, Unavailable>,
    /// Where the program is, if not where the environment says.
    folder: Option<PathBuf>,
    patience: Duration,
}

/// A policy as a program is given it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Policy {
    /// As OPA compiled it.
    #[cfg(feature = "wasm")]
    Compiled { module: PathBuf, entrypoint: String },
    /// As it was written.
    #[cfg(feature = "rego-native")]
    Rego { files: Vec<PathBuf>, rule: String },
}

impl Outside {
    #[cfg(feature = "wasm")]
    pub(super) const OPA_WASM: Self = Self {
        name: "peer:opa-wasm",
        engine: "rego-wasm",
        about: "the crate `opa-wasm`, by its own clock: one instance kept, JSON values in and out",
        program: "tribunal-peer-opa-wasm",
        policy: compiled,
        folder: None,
        patience: PATIENCE,
    };
    #[cfg(feature = "rego-native")]
    pub(super) const REGORUS: Self = Self {
        name: "peer:regorus",
        engine: "rego-native",
        about: "plain regorus with its own built-ins, glob among them, by its own clock: an engine kept",
        program: "tribunal-peer-regorus",
        policy: rego,
        folder: None,
        patience: PATIENCE,
    };
}

impl Candidate for Outside {
    fn name(&self) -> &str {
        self.name
    }

    fn engine(&self) -> &str {
        self.engine
    }

    fn kind(&self) -> Kind {
        Kind::Peer
    }

    fn about(&self) -> &str {
        self.about
    }

    fn loads(&self) -> bool {
        false
    }

    fn open(&self, site: &Site) -> Result<Box<dyn Subject>, Unavailable> {
        let program = Program::find(self.program, self.folder.as_deref(), self.patience);
        let source = site.source()?;
        let settings: Settings = source.settings(self.engine).map_err(tribunal::LoadErrors::from)?;
        let Some(entrypoint) = settings.entrypoint else {
            return Err(Unavailable::NotApplicable("the pack has no one `entrypoint`".to_owned()));
        };
        let folder =
            TempDir::with_prefix("tribunal-bench-outside-").map_err(|error| program.failed(&error))?;
        let data = folder.path().join("data.json");
        write(&data, source.data.to_string().as_bytes())?;
        let policy = (self.policy)(&source, &entrypoint, folder.path())?;
        let version = program.run(&Job { policy: &policy, data: &data, ask: None })?.version;
        let pack = Runner::load(source, self.engine, &site.context, &site.registry)?.loaded();
        Ok(Box::new(Open { program, version, policy, data, pack, _folder: folder }))
    }
}

/// What both Rego engines' settings say of the rule that decides.
#[derive(Debug, Deserialize)]
struct Settings {
    entrypoint: Option<String>,
}

#[cfg(feature = "wasm")]
fn compiled(source: &PackSource, entrypoint: &str, folder: &Path) -> Result<Policy, Unavailable> {
    let bytes = source.files.get(tribunal::wasm::MODULE);
    let bytes = bytes.ok_or_else(|| Unavailable::NotApplicable("the pack has no module".to_owned()))?;
    let module = folder.join("policy.wasm");
    write(&module, bytes)?;
    Ok(Policy::Compiled { module, entrypoint: entrypoint.to_owned() })
}

#[cfg(feature = "rego-native")]
fn rego(source: &PackSource, entrypoint: &str, folder: &Path) -> Result<Policy, Unavailable> {
    let mut files = Vec::new();
    for (path, text) in source.files.rego_sources() {
        let place = folder.join("policies").join(path);
        write(&place, text)?;
        files.push(place);
    }
    Ok(Policy::Rego { files, rule: format!("data.{}", entrypoint.replace('/', ".")) })
}

fn write(place: &Path, bytes: &[u8]) -> Result<(), Unavailable> {
    let written = place.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(place, bytes));
    written.map_err(|error| Unavailable::Failed(format!("`{}`: {error}", place.display())))
}

struct Open {
    program: Program,
    version: String,
    policy: Policy,
    data: PathBuf,
    pack: Arc<LoadedPack>,
    _folder: TempDir,
}

impl Open {
    fn run(&self, request: &Request, measured: Duration) -> Result<Said, Unavailable> {
        let input = self.pack.prepare(&request.payload, request.now)?;
        let measure_ms = u64::try_from(measured.as_millis()).map_err(|error| self.program.failed(&error))?;
        let ask = Some(Ask { input: &input, measure_ms });
        self.program.run(&Job { policy: &self.policy, data: &self.data, ask })
    }

    fn decided(&self, said: &Said) -> Result<Answer, Unavailable> {
        let decision = said.decision.as_ref().ok_or_else(|| self.program.failed(&"it says no decision"))?;
        Ok(answer(decision))
    }
}

impl Subject for Open {
    fn version(&self) -> String {
        self.version.clone()
    }

    fn question<'s>(&'s self, request: &'s Request) -> Result<Box<dyn Question + 's>, Unavailable> {
        // A library that cannot answer, for want of a built-in, say, is told here with its reason.
        let answer = self.decided(&self.run(request, Duration::ZERO)?)?;
        Ok(Box::new(Evaluated { open: self, request, answer }))
    }

    fn own_figures(&self, request: &Request, budget: Duration) -> Option<Result<OwnFigures, Unavailable>> {
        Some(self.run(request, budget).and_then(|said| {
            let answer = Some(self.decided(&said)?);
            let figures = said.figures.filter(|figures| figures.samples > 0 && figures.mean > 0.0);
            let figures = figures.ok_or_else(|| self.program.failed(&"it says no figures"))?;
            let percentiles = [
                (0.5, Some(figures.p50)),
                (0.9, Some(figures.p90)),
                (0.99, figures.p99),
                (0.999, figures.p999),
            ];
            let percentiles = percentiles.into_iter().filter_map(|(share, value)| Some((share, value?)));
            Ok(OwnFigures {
                samples: figures.samples,
                mean: figures.mean,
                percentiles: percentiles.collect(),
                answer,
            })
        }))
    }
}

struct Evaluated<'s> {
    open: &'s Open,
    request: &'s Request,
    answer: Answer,
}

impl Question for Evaluated<'_> {
    fn ask(&mut self) {
        let said = self.open.run(self.request, Duration::ZERO);
        let decided = said.and_then(|said| self.open.decided(&said));
        self.answer = decided.unwrap_or(Answer::Allows(false));
    }

    fn answer(&mut self) -> Answer {
        self.answer.clone()
    }
}

/// What a policy says before dispatch holds it to the contract.
fn answer(decision: &Value) -> Answer {
    Decision::from_wire(decision).map_or(Answer::Allows(false), |decision| Answer::Effect(decision.effect))
}
