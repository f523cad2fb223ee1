//! The rows that a plan comes to, each with its pack, its requests and its subjects.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tribunal::core::pack::ReasonParity;

use super::requests::requests;
use super::{BenchError, Plan};
use crate::definition::{Axis, Measurement, Selection, Vary};
use crate::model::Model;
use crate::report::data::{Entry, Point, Row};
use crate::scale;
use crate::subject::{Answer, Candidate, Catalogue};
use crate::verify::Asked;
use crate::worker::{Job, JobRequest, Phase};
use crate::workshop::{Stock, Workshop};

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

/// Every row that a plan comes to.
pub(super) fn drafts<'c>(
    plan: &Plan,
    catalogue: &'c Catalogue,
    workshop: &mut Workshop,
) -> Result<Vec<Draft<'c>>, BenchError> {
    let mut drafts = Vec::new();
    for measurement in &plan.measurements {
        let subjects = catalogue.chosen(&measurement.subjects, &plan.engines);
        let values: Vec<Option<Point>> = match &measurement.vary {
            None => vec![None],
            Some(Vary { axis, values }) => {
                values.iter().map(|value| Some(Point::new(*axis, *value))).collect()
            }
        };
        for point in values {
            drafts.push(draft(plan, measurement, point, subjects.clone(), workshop)?);
        }
    }
    if drafts.iter().all(|draft| draft.subjects.is_empty()) {
        return Err(BenchError::Input(
            "nothing is left to measure: no measurement has one of these engines".to_owned(),
        ));
    }
    drafts.retain(|draft| !draft.subjects.is_empty());
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
    point: Option<Point>,
    subjects: Vec<&'c dyn Candidate>,
    workshop: &mut Workshop,
) -> Result<Draft<'c>, BenchError> {
    let stock = match point {
        Some(point @ Point { axis: Axis::Rules | Axis::Data, .. }) => {
            let made = scale::made(point);
            match workshop.packs().iter().find(|stock| stock.asked == made.name) {
                Some(known) => known.clone(),
                None => workshop.put(&made.name, made.origin, &made.files)?,
            }
        }
        _ => match &measurement.pack {
            Some(pack) => workshop.pack(pack, &plan.beside)?,
            None => workshop.pack(&plan.pack, Path::new(""))?,
        },
    };
    let requests = requests(plan, measurement, point, &stock)?;
    let folders = match measurement.packs {
        None | Some(1) => vec![stock.folder.clone()],
        Some(count) => workshop.copies(&stock, count)?,
    };
    let asked = requests
        .iter()
        .map(|request| {
            let payload =
                serde_json::from_str(&request.text).map_err(|error| BenchError::Input(error.to_string()))?;
            Ok(Asked { name: request.name.clone(), payload })
        })
        .collect::<Result<_, BenchError>>()?;
    let faulted = measurement.model == Model::ErrorPath || measurement.requests == Some(Selection::Faulted);
    Ok(Draft {
        measurement: measurement.clone(),
        point,
        stock,
        folders,
        requests,
        asked,
        subjects,
        may_fault: faulted || !measurement.cases.is_empty() || plan.requests.is_some(),
    })
}

impl Draft<'_> {
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
        match self.point {
            Some(point) => {
                format!("{} ({} {}): {subject}", self.measurement.name, point.axis.as_str(), point.value)
            }
            None => format!("{}: {subject}", self.measurement.name),
        }
    }

    pub(super) fn reasons(&self) -> ReasonParity {
        self.stock.source.manifest.parity.reasons
    }

    /// A request of the pack's own that should be answered and faults, which would be timed as if it were an answer.
    pub(super) fn unwanted_fault(&self, reference: Option<&(String, Vec<Answer>)>) -> Option<String> {
        if self.may_fault {
            return None;
        }
        let (_, answers) = reference?;
        let fault = |answer: &Answer| match answer {
            Answer::Decision { fault: Some(kind), .. } => Some(*kind),
            _ => None,
        };
        let found =
            self.asked.iter().zip(answers).find_map(|(asked, answer)| Some((&asked.name, fault(answer)?)));
        found.map(|(name, kind)| {
            format!("`{name}` is denied by the fault `{kind}`: there is no answer to time")
        })
    }
}
