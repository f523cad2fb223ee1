//! Every scenario of a folder, read and resolved.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use tribunal::LoadErrors;
use tribunal::core::contract::Pointer;
use tribunal::core::document::{Document, with_nearest};
use tribunal::core::engine::{LoadError, LoadErrorKind};
use tribunal::core::location::Location;
use tribunal::files::read_file;

use super::spec::{
    FlowSpec, MemorySpec, ScenarioSpec, StepEffect, StepExpectation, StepSpec, scenario_schema,
};
use super::stage::{Stage, Stages};
use crate::case::edit;
use crate::case::suite::DEFAULT_NOW;

/// The folder of a pack's scenarios, and of those of whole deployments beside packs.
pub const FOLDER: &str = "scenarios";

/// A scenario with everything it takes from others in place.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// What it belongs to: the pack's folder, or `scenarios` for those that stand beside packs.
    pub pack: String,
    /// Where it stands.
    pub location: Location,
    /// As it is written.
    pub spec: Arc<ScenarioSpec>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// What it is played on.
    pub stage: Arc<Stage>,
}

/// A step, ready to be asked.
#[derive(Debug, Clone)]
pub struct Step {
    /// The name, unique in the scenario.
    pub name: String,
    /// Where it stands.
    pub location: Location,
    /// The request, without what flows into it.
    pub request: Value,
    /// The instant for which it is decided.
    pub now: Timestamp,
    /// What flows into it from an earlier step.
    pub content: Option<FlowSpec>,
    /// What it has to do with memory.
    pub memory: Option<MemorySpec>,
    /// What comes of it.
    pub expect: StepExpectation,
}

/// The folders of scenarios in and around a path: the folder itself, its `scenarios`, and those of the packs in it.
///
/// # Errors
/// If a folder cannot be read.
pub fn folders(path: &Path) -> io::Result<Vec<PathBuf>> {
    if path.file_name().is_some_and(|name| name == FOLDER) {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    let inner = entries.iter().filter(|entry| entry.is_dir()).map(|entry| entry.join(FOLDER));
    Ok(std::iter::once(path.join(FOLDER)).chain(inner).filter(|folder| folder.is_dir()).collect())
}

/// Reads every `*.yaml` of a folder of scenarios, or one file.
///
/// # Errors
/// Everything wrong with any scenario, with its place.
pub fn read_folder(path: &Path, stages: &mut Stages) -> Result<Vec<Scenario>, LoadErrors> {
    let unreadable = |error: io::Error| {
        LoadError::new(LoadErrorKind::MissingFile, format!("`{}` cannot be read: {error}", path.display()))
    };
    let mut errors = Vec::new();
    let mut files = Vec::new();
    if path.is_dir() {
        for entry in fs::read_dir(path).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            match file.extension().and_then(|extension| extension.to_str()) {
                Some("yaml") if file.is_file() => files.push(file),
                // A file of scenarios that is never read would look like scenarios that pass.
                Some("yml" | "json") => errors.push(
                    LoadError::new(LoadErrorKind::Invalid, format!("`{}` is never read", file.display()))
                        .help("scenarios stand in `scenarios/*.yaml`"),
                ),
                _ => {}
            }
        }
    } else {
        files.push(path.to_path_buf());
    }
    files.sort();
    let mut scenarios: Vec<Scenario> = Vec::new();
    for file in files {
        match read_file_of_scenarios(&file, stages) {
            Ok(found) => scenarios.extend(found),
            Err(found) => errors.extend(found),
        }
    }
    let mut names: BTreeMap<&str, &Location> = BTreeMap::new();
    for scenario in &scenarios {
        if let Some(first) = names.insert(&scenario.spec.name, &scenario.location) {
            let message = format!("the scenario `{}` stands already at {first}", scenario.spec.name);
            errors.push(LoadError::new(LoadErrorKind::Invalid, message).at(scenario.location.clone()));
        }
    }
    LoadErrors::check(errors)?;
    Ok(scenarios)
}

fn read_file_of_scenarios(path: &Path, stages: &mut Stages) -> Result<Vec<Scenario>, LoadErrors> {
    let document = Document::parse(&path.display().to_string(), &read_file(path)?)?;
    let specs: Vec<ScenarioSpec> = document.read(&scenario_schema())?;
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let reader = Reader { document: &document, specs: &specs, folder: &folder };
    let mut errors = Vec::new();
    let scenarios = specs.iter().enumerate().filter_map(|(index, spec)| {
        let mut found = Vec::new();
        let scenario = reader.scenario(index, spec, stages, &mut found);
        let scenario = scenario.filter(|_| found.is_empty());
        errors.extend(found);
        scenario
    });
    let scenarios = scenarios.collect();
    errors.sort_by(|a: &LoadError, b: &LoadError| a.location.cmp(&b.location));
    LoadErrors::check(errors)?;
    Ok(scenarios)
}

/// One file.
struct Reader<'f> {
    document: &'f Document,
    specs: &'f [ScenarioSpec],
    folder: &'f Path,
}

/// Where a step stands in its file.
#[derive(Clone, Copy)]
struct At {
    scenario: usize,
    step: usize,
}

impl At {
    fn place(self, tokens: &[&str]) -> Pointer {
        let step = [self.scenario.to_string(), "steps".to_owned(), self.step.to_string()];
        Pointer::from_tokens(step.into_iter().chain(tokens.iter().map(|token| (*token).to_owned())))
    }
}

impl Reader<'_> {
    fn error(&self, place: &Pointer, message: impl Into<String>) -> LoadError {
        self.document.error(LoadErrorKind::Invalid, place, message)
    }

    fn scenario(
        &self,
        index: usize,
        spec: &ScenarioSpec,
        stages: &mut Stages,
        errors: &mut Vec<LoadError>,
    ) -> Option<Scenario> {
        let place = |tokens: &[&str]| {
            Pointer::from_tokens(
                [index.to_string()].into_iter().chain(tokens.iter().map(|token| (*token).to_owned())),
            )
        };
        let now = self.instant(spec.now.as_deref(), &place(&["now"]), errors);
        let mut steps: Vec<Step> = Vec::new();
        // The keys that hold something when a step is reached, as far as can be told before anybody is asked.
        let mut keys: BTreeSet<&str> = spec.memory.keys().map(String::as_str).collect();
        for (position, step) in spec.steps.iter().enumerate() {
            let at = At { scenario: index, step: position };
            if let Some(first) = steps.iter().find(|earlier| earlier.name == step.name) {
                let message = format!("the step `{}` stands already at {}", step.name, first.location);
                errors.push(self.error(&at.place(&["name"]), message));
            }
            self.check_step(step, at, &spec.steps, &keys, errors);
            keys.extend(step.memory.iter().filter_map(|memory| memory.write.as_deref()));
            let instant = match &step.now {
                Some(text) => self.instant(Some(text), &at.place(&["now"]), errors),
                None => now,
            };
            match self.request(at, &mut BTreeSet::new()) {
                Ok(request) => steps.push(Step {
                    name: step.name.clone(),
                    location: self.document.locate(&at.place(&[])),
                    request,
                    now: instant,
                    content: step.content.clone(),
                    memory: step.memory.clone(),
                    expect: step.expect.clone(),
                }),
                Err(error) => errors.push(error),
            }
        }
        let deployment = place(&["deployment"]);
        let stage = match stages.of_spec(spec.deployment.as_ref(), self.folder) {
            Ok(stage) => stage,
            Err(found) => {
                // What has no place of its own is about what this scenario deploys.
                errors.extend(found.into_iter().map(|error| match error.location {
                    Some(_) => error,
                    None => error.at(self.document.locate(&deployment)),
                }));
                return None;
            }
        };
        Some(Scenario {
            pack: owner(self.folder),
            location: self.document.locate(&place(&[])),
            spec: Arc::new(spec.clone()),
            steps,
            stage,
        })
    }

    fn instant(&self, text: Option<&str>, place: &Pointer, errors: &mut Vec<LoadError>) -> Timestamp {
        let Some(text) = text else { return DEFAULT_NOW };
        text.parse().unwrap_or_else(|_| {
            errors.push(
                self.error(place, format!("`{text}` is not an instant: write one as `2026-11-21T12:00:00Z`")),
            );
            DEFAULT_NOW
        })
    }

    /// What no schema can say about a step.
    fn check_step(
        &self,
        step: &StepSpec,
        at: At,
        steps: &[StepSpec],
        keys: &BTreeSet<&str>,
        errors: &mut Vec<LoadError>,
    ) {
        if let Some(flow) = &step.content {
            let earlier = steps.iter().take(at.step);
            if !earlier.clone().any(|earlier| earlier.name == flow.from) {
                let known: Vec<String> = earlier.map(|earlier| earlier.name.clone()).collect();
                let error = self.error(
                    &at.place(&["content", "from"]),
                    format!("there is no earlier step `{}`", flow.from),
                );
                errors.push(with_nearest(error, &flow.from, &known));
            }
        }
        let mut refuse = |tokens: &[&str], message: String| {
            errors.push(self.error(&at.place(tokens), message));
        };
        match step.memory.as_ref().map(|memory| (&memory.write, &memory.read)) {
            Some((Some(_), Some(_)) | (None, None)) => {
                refuse(&["memory"], "a step either writes or reads memory".to_owned());
            }
            Some((Some(_), None)) if step.memory.as_ref().is_some_and(|memory| memory.wrap.is_some()) => {
                refuse(&["memory", "wrap"], "only what is read is wrapped".to_owned());
            }
            Some((None, Some(key))) if !keys.contains(key.as_str()) => {
                refuse(&["memory", "read"], format!("nothing writes `{key}` before this step"));
            }
            _ => {}
        }
        let StepExpectation { effect, reason, fault, packs, present, absent, artifact } = &step.expect;
        let decided = [
            ("reason", reason.is_some()),
            ("fault", fault.is_some()),
            ("packs", !packs.is_empty()),
            ("present", !present.is_empty()),
            ("absent", !absent.is_empty()),
            ("artifact", !artifact.is_empty()),
        ];
        let needs =
            step.content.is_some() || step.memory.as_ref().is_some_and(|memory| memory.read.is_some());
        match effect {
            StepEffect::Blocked => {
                for (key, _) in decided.iter().filter(|(_, is_there)| *is_there) {
                    refuse(&["expect", key], format!("a step that is not asked has no `{key}`"));
                }
                if !needs {
                    let message = "a step that needs nothing of another is never blocked";
                    refuse(&["expect", "effect"], message.to_owned());
                }
            }
            StepEffect::Deny | StepEffect::StepUp => {
                for (key, is_there) in [("present", !present.is_empty()), ("absent", !absent.is_empty())] {
                    if is_there {
                        refuse(&["expect", key], "what is refused does not go ahead".to_owned());
                    }
                }
            }
            StepEffect::Allow | StepEffect::Redact => {}
        }
        if fault.is_some() {
            if *effect != StepEffect::Deny {
                refuse(&["expect", "fault"], "a fault is a `deny`".to_owned());
            }
            if reason.is_some() {
                refuse(&["expect", "reason"], "a fault brings its own reason".to_owned());
            }
        }
    }

    /// The request of a step, that of the step it starts from included. `visited` are the steps that wait for this one.
    fn request(&self, at: At, visited: &mut BTreeSet<(usize, usize)>) -> Result<Value, LoadError> {
        let step = self.step(at).ok_or_else(|| self.error(&at.place(&[]), "there is no such step"))?;
        if !visited.insert((at.scenario, at.step)) {
            return Err(
                self.error(&at.place(&["from"]), format!("the step `{}` starts from itself", step.name))
            );
        }
        let mut request = match (&step.request, &step.from) {
            (Some(request), None) => {
                if !step.without.is_empty() || !step.with.is_empty() {
                    let message = "`without` and `with` change the request of another step: they need `from`";
                    return Err(self.error(&at.place(&[]), message));
                }
                Value::Object(request.clone())
            }
            (None, Some(from)) => self.request(self.find(from, at)?, visited)?,
            _ => return Err(self.error(&at.place(&[]), "a step has either a `request` or a `from`")),
        };
        for (index, place) in step.without.iter().enumerate() {
            if edit::remove(&mut request, place).is_none() {
                let message = format!("nothing stands at `{place}` in the request it starts from");
                return Err(self.error(&at.place(&["without", &index.to_string()]), message));
            }
        }
        for (place, value) in &step.with {
            if edit::set(&mut request, place, value.clone()).is_none() {
                let message = format!("nothing can stand at `{place}` in the request it starts from");
                return Err(self.error(&at.place(&["with", &place.to_string()]), message));
            }
        }
        if let (Some(boundary), Value::Object(members)) = (&step.boundary, &mut request) {
            members.insert("boundary".to_owned(), Value::from(boundary.as_str()));
        }
        Ok(request)
    }

    fn step(&self, at: At) -> Option<&StepSpec> {
        self.specs.get(at.scenario)?.steps.get(at.step)
    }

    /// The step that another starts from: `step`, or `scenario/step`.
    fn find(&self, from: &str, at: At) -> Result<At, LoadError> {
        let (scenario, step) = match from.split_once('/') {
            Some((scenario, step)) => (self.specs.iter().position(|spec| spec.name == scenario), step),
            None => (Some(at.scenario), from),
        };
        let found = scenario.and_then(|scenario| {
            let steps = &self.specs.get(scenario)?.steps;
            let step = steps.iter().position(|candidate| candidate.name == step)?;
            Some(At { scenario, step })
        });
        found.ok_or_else(|| {
            let own = self.specs.get(at.scenario).into_iter().flat_map(|spec| &spec.steps);
            let others = self
                .specs
                .iter()
                .flat_map(|spec| spec.steps.iter().map(move |step| format!("{}/{}", spec.name, step.name)));
            let known: Vec<String> = own.map(|step| step.name.clone()).chain(others).collect();
            let error = self.error(&at.place(&["from"]), format!("there is no step `{from}`"));
            with_nearest(error, from, &known)
        })
    }
}

/// The name of what a folder of scenarios belongs to.
fn owner(folder: &Path) -> String {
    let is_of_pack = folder.join("../pack.yaml").is_file();
    let owner = folder.canonicalize().ok().and_then(|folder| {
        let owner = if is_of_pack { folder.parent()? } else { &folder };
        Some(owner.file_name()?.to_string_lossy().into_owned())
    });
    owner.unwrap_or_else(|| FOLDER.to_owned())
}
