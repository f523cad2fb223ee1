//! A run: packs made ready, answers compared, then turn after turn every row and subject in a process of its own.
//!
//! Subjects are interleaved: each turn goes through all rows and subjects, and begins with another subject than the turn
//! before, so that whatever the machine does meanwhile meets all of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;
use tribunal::core::engine::Registry;
use tribunal::core::pack::ReasonParity;
use tribunal::{LoadErrors, PolicyRequest};
use tribunal_conformance::parity::compare::{machine, revision};

use crate::definition::{Axis, Measurement, Selection, Vary};
use crate::flamegraph::{self, Flamegraphs, Sight};
use crate::launch::Launcher;
use crate::memory;
use crate::model::Model;
use crate::report::data::{
    BenchReport, BenchedPack, BenchedSubject, Disagreement, Entry, FORMAT, Point, Problem, Process, Row, Run,
};
use crate::scale;
use crate::subject::{Answer, Candidate, Catalogue, Kind, Unavailable};
use crate::verify::{Asked, Given, disagreement, verify};
use crate::worker::{Job, JobRequest, Phase, Report};
use crate::workshop::{Stock, Workshop};

/// The least that a process measures, in milliseconds: below it a figure is mostly warm-up.
const LEAST_MS: u64 = 20;

/// The most that a process measures, in milliseconds: more turns tell more than longer ones.
const MOST_MS: u64 = 3_000;

/// The part of a run's time that measuring gets; the rest goes to starting processes and loading packs.
const SHARE: f64 = 0.6;

/// What starting processes and loading packs may take beside, before a run is ended early.
const GRACE: Duration = Duration::from_secs(60);

/// What is to be measured, and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What is measured.
    pub measurements: Vec<Measurement>,
    /// What the definition is called.
    pub definition: String,
    /// The folder that packs in the definition are seen from.
    pub beside: PathBuf,
    /// The pack of measurements that name none.
    pub pack: String,
    /// Requests in place of the pack's own cases, each with its name.
    pub requests: Option<Vec<(String, Value)>>,
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
    /// Processes that have ended.
    pub done: usize,
    /// Processes that there will be.
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
    /// A folder cannot be used.
    #[error("files of the measurement: {0}")]
    Io(#[from] std::io::Error),
}

impl From<tribunal::core::engine::LoadError> for BenchError {
    fn from(error: tribunal::core::engine::LoadError) -> Self {
        BenchError::Load(error.into())
    }
}

/// A row before it is measured.
struct Draft<'c> {
    measurement: Measurement,
    point: Option<Point>,
    stock: Arc<Stock>,
    folders: Vec<PathBuf>,
    requests: Vec<JobRequest>,
    asked: Vec<Asked>,
    subjects: Vec<&'c dyn Candidate>,
    /// Whether an answer that is a fault is an answer.
    may_fault: bool,
}

/// Measures.
///
/// After an interruption the report holds what was measured before it. `kept` is told of the report after each turn.
///
/// # Errors
/// What is wrong with packs and requests. What goes wrong with one subject stands in the report.
pub fn run(
    plan: &Plan,
    catalogue: &Catalogue,
    registry: &Registry,
    launcher: &dyn Launcher,
    interrupted: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
    kept: &mut dyn FnMut(&BenchReport),
) -> Result<BenchReport, BenchError> {
    let started = (Timestamp::now(), Instant::now());
    let mut workshop = Workshop::new(registry)?;
    let drafts = drafts(plan, catalogue, &mut workshop)?;
    let mut report = blank(plan, catalogue, &drafts, &workshop, started.0);
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
    let turn_time = plan.time.saturating_sub(started.1.elapsed()).max(plan.time.mul_f64(0.25));
    session.measure(plan, &drafts, &expected, turn_time, &mut report, kept);
    if let Some(flamegraphs) = &plan.flamegraphs {
        session.draw(flamegraphs, &drafts, &mut report);
    }
    session.note_versions(&mut report);
    report.run.duration_ms = u64::try_from(started.1.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(report)
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
    }
}

/// Every row that a plan comes to.
fn drafts<'c>(
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
                values.iter().map(|value| Some(Point { axis: *axis, value: *value })).collect()
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

/// The requests of a row: the run's, or cases of the pack.
fn requests(
    plan: &Plan,
    measurement: &Measurement,
    point: Option<Point>,
    stock: &Stock,
) -> Result<Vec<JobRequest>, BenchError> {
    let wants_faults = measurement
        .requests
        .map_or(measurement.model == Model::ErrorPath, |selection| selection == Selection::Faulted);
    if let (Some(given), false, true) =
        (&plan.requests, wants_faults, measurement.pack.is_none() && measurement.cases.is_empty())
    {
        let now = Timestamp::now().to_string();
        let of = |(name, value): &(String, Value)| JobRequest {
            name: name.clone(),
            text: value.to_string(),
            now: now.clone(),
            token: None,
        };
        return Ok(given.iter().map(of).collect());
    }
    let cases = &stock.suite.cases;
    for name in &measurement.cases {
        if !cases.iter().any(|case| case.name == *name) {
            return Err(BenchError::Input(format!(
                "measurement `{}`: pack `{}` has no case `{name}`",
                measurement.name, stock.source.manifest.name
            )));
        }
    }
    let is_wanted = |case: &&tribunal_conformance::Case| match measurement.cases.as_slice() {
        // Where an engine is excepted, engines differ, and nothing could be compared.
        [] => case.exceptions.is_empty() && case.expect.fault.is_some() == wants_faults,
        names => names.contains(&case.name),
    };
    let of = |case: &tribunal_conformance::Case| JobRequest {
        name: case.name.clone(),
        text: case.request.to_string(),
        now: case.now.to_string(),
        token: case.token.as_ref().map(|token| String::from_utf8_lossy(token.as_bytes()).into_owned()),
    };
    let mut chosen: Vec<JobRequest> = cases.iter().filter(is_wanted).map(of).collect();
    if let Some(Point { axis: Axis::Input, value }) = point {
        chosen.truncate(1);
        for request in &mut chosen {
            request.text = scale::filled(&request.text, value)?;
        }
    }
    Ok(chosen)
}

impl Draft<'_> {
    fn row(&self) -> Row {
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

    fn job(&self, subject: &str, phase: Phase, budget_ms: u64, cache: &Path) -> Job {
        let threads = match self.point {
            Some(Point { axis: Axis::Threads, value }) => usize::try_from(value).unwrap_or(usize::MAX),
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

    fn at(&self, subject: &str) -> String {
        match self.point {
            Some(point) => {
                format!("{} ({} {}): {subject}", self.measurement.name, point.axis.as_str(), point.value)
            }
            None => format!("{}: {subject}", self.measurement.name),
        }
    }

    fn reasons(&self) -> ReasonParity {
        self.stock.source.manifest.parity.reasons
    }
}

/// The answers that the processes of a row are held to: the subject's that gave them, and they.
type Expected = Option<(String, Vec<Answer>)>;

struct Session<'r> {
    launcher: &'r dyn Launcher,
    interrupted: &'r AtomicBool,
    progress: &'r mut dyn FnMut(&Progress),
    cache: PathBuf,
    done: usize,
    all: usize,
    versions: Vec<(String, String)>,
}

impl Session<'_> {
    fn tell(&mut self, at: String) {
        (self.progress)(&Progress { done: self.done, all: self.all, at });
    }

    fn launch(&mut self, job: &Job) -> Option<Report> {
        if self.interrupted.load(Ordering::Relaxed) {
            return None;
        }
        let report = self.launcher.run(job, self.interrupted);
        self.done += 1;
        report
    }

    /// Has every subject of every row answer once, and compares the answers.
    fn verify(&mut self, drafts: &[Draft<'_>], report: &mut BenchReport) -> Vec<Expected> {
        let mut expected = Vec::with_capacity(drafts.len());
        // Many rows ask the same of the same.
        let mut known: Vec<(Job, Result<Vec<Answer>, Problem>)> = Vec::new();
        for (draft, row) in drafts.iter().zip(&mut report.rows) {
            let mut given = Vec::with_capacity(draft.subjects.len());
            for subject in &draft.subjects {
                self.tell(format!("comparing answers, {}", draft.at(subject.name())));
                let job = Job { threads: 1, ..draft.job(subject.name(), Phase::Verify, 0, &self.cache) };
                let key = Job {
                    model: if job.model.loads() { Model::LoadCached } else { Model::Decide },
                    ..job.clone()
                };
                let answers = match known.iter().find(|(other, _)| *other == key) {
                    Some((_, answers)) => {
                        self.done += 1;
                        answers.clone()
                    }
                    None => {
                        let Some(answers) = self.answers(&job) else {
                            report.run.cut_short = Some(INTERRUPTED.to_owned());
                            return expected;
                        };
                        known.push((key, answers.clone()));
                        answers
                    }
                };
                given.push(Given { subject: subject.name().to_owned(), kind: subject.kind(), answers });
            }
            let found = verify(&draft.asked, &given, draft.reasons());
            row.void = found.void;
            for (entry, problem) in row.entries.iter_mut().zip(found.problems) {
                entry.problem = problem;
            }
            if let Some(fault) = draft.unwanted_fault(found.reference.as_ref()) {
                for entry in row.entries.iter_mut().filter(|entry| entry.problem.is_none()) {
                    entry.problem = Some(Problem::Unavailable(Unavailable::Refused(fault.clone())));
                }
            }
            expected.push(found.reference);
        }
        expected
    }

    /// A subject's answers; `None` if the run was interrupted.
    fn answers(&mut self, job: &Job) -> Option<Result<Vec<Answer>, Problem>> {
        let unavailable = |why| Some(Err(Problem::Unavailable(why)));
        match self.launch(job)? {
            Report::Measured(measured) => {
                self.note(&job.subject, measured.version);
                Some(Ok(measured.answers))
            }
            Report::Unavailable(why) => unavailable(why),
            Report::Changed { request, first, then } => Some(Err(changed(&request, &first, &then))),
        }
    }

    fn note(&mut self, subject: &str, version: String) {
        if !self.versions.iter().any(|(known, _)| known == subject) {
            self.versions.push((subject.to_owned(), version));
        }
    }

    fn note_versions(&self, report: &mut BenchReport) {
        for subject in &mut report.subjects {
            let found = self.versions.iter().find(|(name, _)| *name == subject.name);
            subject.version = found.map(|(_, version)| version.clone());
        }
    }

    fn measure(
        &mut self,
        plan: &Plan,
        drafts: &[Draft<'_>],
        expected: &[Expected],
        time: Duration,
        report: &mut BenchReport,
        kept: &mut dyn FnMut(&BenchReport),
    ) {
        let is_open = |row: &Row| row.void.is_none();
        let timed = drafts
            .iter()
            .zip(&report.rows)
            .filter(|(draft, row)| draft.measurement.model.takes_time() && is_open(row));
        let slots: usize =
            timed.map(|(_, row)| row.entries.iter().filter(|entry| entry.problem.is_none()).count()).sum();
        let budget_ms = budget(time, slots, plan.turns);
        let started = Instant::now();
        let longest = 2 * plan.time + GRACE;
        for turn in 0..plan.turns {
            for (place, draft) in drafts.iter().enumerate() {
                let count = draft.subjects.len();
                for step in 0..count {
                    let position = (step + turn as usize) % count;
                    let (Some(subject), Some(row)) =
                        (draft.subjects.get(position), report.rows.get_mut(place))
                    else {
                        continue;
                    };
                    let is_void = row.void.is_some();
                    let Some(entry) = row.entries.get_mut(position) else { continue };
                    if is_void || entry.problem.is_some() {
                        self.done += 1;
                        continue;
                    }
                    if turn > 0 && started.elapsed() > longest {
                        let message =
                            format!("it took far longer than the {} s it was given", plan.time.as_secs());
                        report.run.cut_short = Some(message);
                        return;
                    }
                    self.tell(format!("turn {} of {}, {}", turn + 1, plan.turns, draft.at(subject.name())));
                    let load = memory::load_average();
                    let job = draft.job(subject.name(), Phase::Measure, budget_ms, &self.cache);
                    let Some(done) = self.launch(&job) else {
                        report.run.cut_short = Some(INTERRUPTED.to_owned());
                        return;
                    };
                    if let (Some((_, most)), Some(load)) = (report.run.load.as_mut(), load) {
                        *most = most.max(load);
                    }
                    let expected = expected.get(place).and_then(Option::as_ref);
                    take(entry, draft, done, expected, turn, load);
                }
            }
            self.note_versions(report);
            kept(report);
        }
    }
}

impl Session<'_> {
    /// Has whoever decided without a problem drawn, unless the run was interrupted before.
    fn draw(&mut self, flamegraphs: &Flamegraphs, drafts: &[Draft<'_>], report: &mut BenchReport) {
        if report.run.cut_short.is_some() {
            return;
        }
        let sights = sights(drafts, &report.rows, &self.cache);
        self.all += sights.len();
        let drawn = flamegraphs.draw(&sights, self.interrupted, &mut |sight| {
            self.done += 1;
            let at = format!("drawing {}", sight.file());
            (self.progress)(&Progress { done: self.done, all: self.all, at });
        });
        report.run.flamegraphs = Some(drawn);
        if self.interrupted.load(Ordering::Relaxed) {
            report.run.cut_short = Some(INTERRUPTED.to_owned());
        }
    }
}

/// Subjects in rows of decisions that a flamegraph can be drawn of: those that decide in the worker, without a problem.
fn sights(drafts: &[Draft<'_>], rows: &[Row], cache: &Path) -> Vec<Sight> {
    let mut sights = Vec::new();
    for (draft, row) in drafts.iter().zip(rows) {
        if !matches!(row.model, Model::Decide | Model::Batch) || row.void.is_some() {
            continue;
        }
        let name = match row.point {
            Some(Point { axis, value }) => format!("{}-{}-{value}", row.measurement, axis.as_str()),
            None => row.measurement.clone(),
        };
        for (subject, entry) in draft.subjects.iter().zip(&row.entries) {
            if subject.kind() != Kind::Peer && entry.problem.is_none() {
                let job = draft.job(subject.name(), Phase::Measure, flamegraph::BUDGET_MS, cache);
                sights.push(Sight { row: name.clone(), job });
            }
        }
    }
    sights
}

const INTERRUPTED: &str = "it was interrupted";

/// Takes what a process reports into its entry.
fn take(
    entry: &mut Entry,
    draft: &Draft<'_>,
    report: Report,
    expected: Option<&(String, Vec<Answer>)>,
    turn: u32,
    load: Option<f64>,
) {
    let problem = match report {
        Report::Measured(measured) => {
            let differs = expected.and_then(|(name, expected)| {
                let second = (entry.subject.as_str(), measured.answers.as_slice());
                disagreement(&draft.asked, (name, expected), second, draft.reasons())
            });
            match (differs, measured.figures) {
                (Some(found), _) => Problem::Disagrees(Box::new(found)),
                (None, Some(figures)) => {
                    entry.processes.push(Process { turn, load, figures });
                    entry.summarise();
                    return;
                }
                (None, None) => Problem::Unavailable(Unavailable::Failed("it took no figure".to_owned())),
            }
        }
        Report::Unavailable(why) => Problem::Unavailable(why),
        Report::Changed { request, first, then } => changed(&request, &first, &then),
    };
    if !matches!(problem, Problem::Unavailable(_)) {
        // What was timed before was not always this answer either.
        entry.processes.clear();
        entry.summary = None;
    }
    entry.problem = Some(problem);
}

fn changed(request: &str, first: &Answer, then: &Answer) -> Problem {
    Problem::Changed(format!("`{request}` was first {}, then {}", first.brief(), then.brief()))
}

/// What a process may measure, so that all of them together take the time there is.
fn budget(time: Duration, slots: usize, turns: u32) -> u64 {
    let processes = (slots.max(1) as f64) * f64::from(turns.max(1));
    let each = time.as_millis() as f64 * SHARE / processes;
    (each as u64).clamp(LEAST_MS, MOST_MS)
}

impl Draft<'_> {
    /// A request of the pack's own that should be answered and faults, which would be timed as if it were an answer.
    fn unwanted_fault(&self, reference: Option<&(String, Vec<Answer>)>) -> Option<String> {
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

/// Reads requests from a file: an array, or a request a line.
///
/// # Errors
/// Lines that are no requests, with their numbers.
pub fn read_requests(file: &str, text: &[u8]) -> Result<Vec<(String, Value)>, BenchError> {
    let wrong = |place: String, why: &str| BenchError::Input(format!("{file}:{place}: {why}"));
    let named = |number: usize, value: Value| -> Result<(String, Value), BenchError> {
        let name = format!("request {number}");
        let request = PolicyRequest::from_slice(value.to_string().as_bytes());
        request.map(|_| (name, value)).map_err(|fault| wrong(number.to_string(), &fault.detail))
    };
    let text = std::str::from_utf8(text).map_err(|_| wrong("1".to_owned(), "the file is not UTF-8"))?;
    let values: Vec<(usize, Value)> = if text.trim_start().starts_with('[') {
        let values: Vec<Value> = serde_json::from_str(text)
            .map_err(|error| wrong(error.line().to_string(), &error.to_string()))?;
        values.into_iter().enumerate().map(|(index, value)| (index + 1, value)).collect()
    } else if let Ok(value) = serde_json::from_str::<Value>(text) {
        vec![(1, value)]
    } else {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        lines
            .map(|(index, line)| {
                let value = serde_json::from_str(line);
                value
                    .map(|value| (index + 1, value))
                    .map_err(|error| wrong((index + 1).to_string(), &error.to_string()))
            })
            .collect::<Result<_, _>>()?
    };
    if values.is_empty() {
        return Err(wrong("1".to_owned(), "there is no request"));
    }
    values.into_iter().map(|(number, value)| named(number, value)).collect()
}

/// The disagreements of a report, each once.
pub fn disagreements(report: &BenchReport) -> Vec<&Disagreement> {
    let mut found: Vec<&Disagreement> = Vec::new();
    for row in &report.rows {
        let of_entries = row.entries.iter().filter_map(|entry| match &entry.problem {
            Some(Problem::Disagrees(found)) => Some(&**found),
            _ => None,
        });
        for one in row.void.iter().chain(of_entries) {
            if !found.contains(&one) {
                found.push(one);
            }
        }
    }
    found
}
