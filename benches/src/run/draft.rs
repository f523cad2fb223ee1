//! The rows that a plan comes to, each with its pack, its requests and its subjects.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tribunal::core::fault::FaultKind;
use tribunal::core::pack::ReasonParity;

use super::requests::{requests, wants_faults};
use super::{BenchError, Plan, Progress};
use crate::definition::{Axis, Measurement};
use crate::embedded;
use crate::model::Model;
use crate::report::data::{Entry, Point, Row};
use crate::subject::{Answer, Candidate, Catalogue, Unavailable};
use crate::verify::Asked;
use crate::worker::{Job, JobRequest, Phase};
use crate::workshop::{Beside, Stock, Workshop};

/// A row before it is measured.
pub(super) struct Draft<'c> {
    pub(super) measurement: Measurement,
    pub(super) point: Option<Point>,
    pub(super) stock: Arc<Stock>,
    pub(super) folders: Vec<PathBuf>,
    pub(super) requests: Vec<JobRequest>,
    pub(super) asked: Vec<Asked>,
    pub(super) subjects: Vec<&'c dyn Candidate>,
    /// Whether an answer that is a fault is an answer.
    may_fault: bool,
}

/// Packs being made ready, told of one by one, until the run is interrupted.
pub(super) struct Making<'r> {
    pub(super) interrupted: &'r AtomicBool,
    pub(super) progress: &'r mut dyn FnMut(&Progress),
    done: usize,
    all: usize,
}

impl<'r> Making<'r> {
    pub(super) fn new(interrupted: &'r AtomicBool, progress: &'r mut dyn FnMut(&Progress)) -> Self {
        Self { interrupted, progress, done: 0, all: 0 }
    }

    /// Goes on, unless the run was interrupted.
    fn go_on(&self) -> Result<(), BenchError> {
        if self.interrupted.load(Ordering::Relaxed) { Err(BenchError::Interrupted) } else { Ok(()) }
    }

    fn tell(&mut self, at: &str) -> Result<(), BenchError> {
        self.go_on()?;
        (self.progress)(&Progress { done: self.done, all: self.all, at: format!("making {at}") });
        Ok(())
    }
}

/// Every row that a plan comes to.
pub(super) fn drafts<'c>(
    plan: &Plan,
    catalogue: &'c Catalogue,
    workshop: &mut Workshop,
    making: &mut Making<'_>,
) -> Result<Vec<Draft<'c>>, BenchError> {
    let measurements: Vec<Measurement> = plan.measurements.iter().flat_map(Measurement::on_each).collect();
    let mut wanted: Vec<(&Measurement, Option<(Axis, u64)>)> = Vec::new();
    for measurement in &measurements {
        match &measurement.vary {
            None => wanted.push((measurement, None)),
            Some(vary) => {
                wanted.extend(vary.sizes().into_iter().map(|size| (measurement, Some((vary.axis, size)))));
            }
        }
    }
    making.all = wanted.len();
    let mut drafts = Vec::new();
    for (measurement, size) in wanted {
        let subjects = catalogue.chosen(&measurement.subjects, &plan.engines);
        if !subjects.is_empty() {
            making.tell(&name(measurement, size))?;
            drafts.push(draft(plan, measurement, size, subjects, workshop, making)?);
        }
        making.done += 1;
    }
    // Ctrl-C also ends a compiler, which then says that it has failed.
    making.go_on()?;
    if drafts.is_empty() {
        return Err(BenchError::Input(
            "nothing is left to measure: no measurement has one of these engines".to_owned(),
        ));
    }
    if let Some(silent) = drafts.iter().map(Draft::silence).collect::<Option<Vec<_>>>() {
        return Err(BenchError::Input(silent.into_iter().next().unwrap_or_default()));
    }
    if let Some(baseline) = &plan.baseline
        && !drafts.iter().any(|draft| draft.subjects.iter().any(|subject| subject.name() == baseline))
    {
        return Err(BenchError::Input(format!(
            "`{baseline}`, with which others are to be compared, is not measured"
        )));
    }
    Ok(drafts)
}

fn draft<'c>(
    plan: &Plan,
    measurement: &Measurement,
    size: Option<(Axis, u64)>,
    subjects: Vec<&'c dyn Candidate>,
    workshop: &mut Workshop,
    making: &mut Making<'_>,
) -> Result<Draft<'c>, BenchError> {
    let stock = match (size, &measurement.pack, &plan.pack) {
        (Some((axis, value)), ..) if axis.makes_a_pack() => workshop.made(axis, value)?,
        (_, Some(pack), _) => workshop.pack(pack, &plan.beside)?,
        (_, None, Some(pack)) => workshop.pack(pack, &Beside::Folder(PathBuf::new()))?,
        (_, None, None) => workshop.carried(embedded::DEFAULT)?,
    };
    let requests = requests(plan, measurement, size, &stock)?;
    let folders = match measurement.packs {
        None | Some(1) => vec![stock.folder.clone()],
        Some(count) => workshop.copies(&stock, count, &mut || making.go_on())?,
    };
    let asked = requests
        .iter()
        .map(|request| {
            let payload =
                serde_json::from_str(&request.text).map_err(|error| BenchError::Input(error.to_string()))?;
            Ok(Asked { name: request.name.clone(), payload })
        })
        .collect::<Result<_, BenchError>>()?;
    let point = size.map(|(axis, value)| Point { axis, value, measured: measured(axis, &stock, &requests) });
    Ok(Draft {
        measurement: measurement.clone(),
        point,
        stock,
        folders,
        requests,
        asked,
        subjects,
        may_fault: wants_faults(measurement) || !measurement.cases.is_empty() || plan.requests.is_some(),
    })
}

/// What a size in bytes came to: requests and data grow by whole records.
fn measured(axis: Axis, stock: &Stock, requests: &[JobRequest]) -> Option<u64> {
    match axis {
        Axis::Input => requests.first().map(|request| request.text.len() as u64),
        Axis::Data => stock.source.files.get("data.json").map(|data| data.len() as u64),
        Axis::Rules | Axis::Threads => None,
    }
}

/// What a row is called while it is made and measured.
fn name(measurement: &Measurement, size: Option<(Axis, u64)>) -> String {
    match (size, &measurement.pack) {
        (Some((axis, value)), _) => format!("{} ({} {value})", measurement.name, axis.as_str()),
        (None, Some(pack)) => format!("{} on {pack}", measurement.name),
        (None, None) => measurement.name.clone(),
    }
}

/// The fault behind an answer.
fn fault(answer: &Answer) -> Option<FaultKind> {
    match answer {
        Answer::Decision { fault, .. } => *fault,
        _ => None,
    }
}

impl Draft<'_> {
    /// Processes that each of its figures takes.
    pub(super) fn turns(&self, plan: &Plan) -> u32 {
        self.measurement.turns.map_or(plan.turns, |most| most.min(plan.turns))
    }

    pub(super) fn row(&self) -> Row {
        Row {
            measurement: self.measurement.name.clone(),
            model: self.measurement.model,
            unit: self.measurement.model.unit(),
            analysis: self.measurement.analysis.clone(),
            pack: self.stock.index,
            packs: self.measurement.packs,
            point: self.point,
            requests: self.requests.len(),
            faulted: 0,
            void: None,
            entries: self.subjects.iter().map(|subject| Entry::new(subject.name())).collect(),
        }
    }

    pub(super) fn job(&self, subject: &str, phase: Phase, budget_ms: u64, cache: &Path) -> Job {
        let threads = match self.point {
            Some(Point { axis: Axis::Threads, value, .. }) => usize::try_from(value).unwrap_or(usize::MAX),
            _ => 1,
        };
        // Verifying fills the cache, also for those that are then measured with it.
        let is_cold = phase == Phase::Measure && self.measurement.model == Model::LoadCold;
        Job {
            phase,
            subject: subject.to_owned(),
            model: self.measurement.model,
            packs: self.folders.clone(),
            requests: self.requests.clone(),
            threads,
            budget_ms,
            cache: (!is_cold).then(|| cache.to_owned()),
        }
    }

    pub(super) fn at(&self, subject: &str) -> String {
        let size = self.point.map(|point| (point.axis, point.value));
        format!("{}: {subject}", name(&self.measurement, size))
    }

    pub(super) fn reasons(&self) -> ReasonParity {
        self.stock.source.manifest.parity.reasons
    }

    /// Why there is nothing to ask, if there is nothing.
    fn silence(&self) -> Option<String> {
        let pack = &self.stock.source.manifest.name;
        self.requests.is_empty().then(|| match (wants_faults(&self.measurement), &self.measurement.pack) {
            (true, _) => format!("pack `{pack}` has no case that is denied by a fault"),
            (false, Some(_)) => format!("pack `{pack}` has no case that a policy answers"),
            (false, None) => {
                format!(
                    "pack `{pack}` has no case that a policy answers: give requests with `--requests FILE`"
                )
            }
        })
    }

    /// Why a subject cannot be measured here, where the row knows it better than the subject, which only misses something.
    pub(super) fn obstacle(&self, subject: &dyn Candidate) -> Option<Unavailable> {
        let unbuilt = || self.stock.unbuilt.clone().filter(|_| subject.engine() == "rego-wasm");
        self.silence().map(Unavailable::NotApplicable).or_else(unbuilt)
    }

    /// How many requests a fault denies, by the answers that others are held to.
    pub(super) fn faulted(&self, reference: Option<&(String, Vec<Answer>)>) -> usize {
        reference.map_or(0, |(_, answers)| answers.iter().filter_map(fault).count())
    }

    /// A request of the pack's own that should be answered and faults, which would be timed as if it were an answer.
    pub(super) fn unwanted_fault(&self, reference: Option<&(String, Vec<Answer>)>) -> Option<String> {
        if self.may_fault {
            return None;
        }
        let (_, answers) = reference?;
        let found =
            self.asked.iter().zip(answers).find_map(|(asked, answer)| Some((&asked.name, fault(answer)?)));
        found.map(|(name, kind)| {
            format!("`{name}` is denied by the fault `{kind}`: there is no answer to time")
        })
    }
}
