//! The processes of a run: first every subject of every row answers once and the answers are compared, then turn after turn is
//! measured.
//!
//! Subjects are interleaved: each turn goes through all rows and subjects, and begins with another subject than the turn
//! before, so that whatever the machine does meanwhile meets all of them.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::draft::Draft;
use super::{Plan, Progress};
use crate::launch::Launcher;
use crate::memory;
use crate::model::Model;
use crate::report::data::{BenchReport, Disagreement, Entry, Problem, Process, Row};
use crate::subject::{Answer, Kind, Unavailable};
use crate::verify::{Given, disagreement, verify};
use crate::worker::{Job, Phase, Report};

/// The least that a process measures, in milliseconds: below it a figure is mostly warm-up.
const LEAST_MS: u64 = 20;

/// The most that a process measures, in milliseconds: more turns tell more than longer ones.
const MOST_MS: u64 = 3_000;

/// The part of a run's time that measuring gets; the rest goes to starting processes and loading packs.
const SHARE: f64 = 0.6;

/// What starting processes and loading packs may take beside, before a run is ended early.
const GRACE: Duration = Duration::from_secs(60);

/// Between two reports that are kept: what is lost at most if this process is killed.
const KEEP: Duration = Duration::from_secs(2);

/// The answers that the processes of a row are held to: the subject's that gave them, and they.
type Expected = Option<(String, Vec<Answer>)>;

/// A run under way.
pub(super) struct Session<'r> {
    pub(super) launcher: &'r dyn Launcher,
    pub(super) interrupted: &'r AtomicBool,
    pub(super) progress: &'r mut dyn FnMut(&Progress),
    pub(super) cache: PathBuf,
    pub(super) done: usize,
    pub(super) all: usize,
    pub(super) versions: Vec<(String, String)>,
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
    pub(super) fn verify(&mut self, drafts: &[Draft<'_>], report: &mut BenchReport) -> Vec<Expected> {
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

    pub(super) fn note_versions(&self, report: &mut BenchReport) {
        for subject in &mut report.subjects {
            let found = self.versions.iter().find(|(name, _)| *name == subject.name);
            subject.version = found.map(|(_, version)| version.clone());
        }
    }

    pub(super) fn measure(
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
        let processes = timed.map(|(draft, row)| {
            let measured = row.entries.iter().filter(|entry| entry.problem.is_none()).count();
            measured * draft.turns(plan) as usize
        });
        let budget_ms = budget(time, processes.sum());
        let started = Instant::now();
        let longest = 2 * plan.time + GRACE + own_time(plan, drafts, report);
        let mut last_kept = Instant::now();
        for turn in 0..plan.turns {
            for (place, draft) in drafts.iter().enumerate() {
                let count = draft.subjects.len();
                if turn >= draft.turns(plan) {
                    self.done += count;
                    continue;
                }
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
                    let held_to = expected.get(place).and_then(Option::as_ref);
                    let void = take(entry, draft, done, held_to, turn, load);
                    if subject.kind() == Kind::Engine {
                        row.void = row.void.take().or(void);
                    }
                    if last_kept.elapsed() >= KEEP {
                        self.note_versions(report);
                        report.conclude();
                        kept(report);
                        last_kept = Instant::now();
                    }
                }
            }
        }
        self.note_versions(report);
        report.conclude();
        kept(report);
    }
}

/// What a run takes beside by the clocks of those who have their own.
fn own_time(plan: &Plan, drafts: &[Draft<'_>], report: &BenchReport) -> Duration {
    let rows = drafts.iter().zip(&report.rows).filter(|(_, row)| row.void.is_none());
    let of_row = |(draft, row): (&Draft<'_>, &Row)| {
        let measured = draft.subjects.iter().zip(&row.entries).filter(|(_, entry)| entry.problem.is_none());
        measured.map(|(subject, _)| subject.own_time()).sum::<Duration>() * draft.turns(plan)
    };
    rows.map(of_row).sum()
}

pub(super) const INTERRUPTED: &str = "it was interrupted";

/// Takes what a process reports into its entry; what it disagrees in, if it does.
fn take(
    entry: &mut Entry,
    draft: &Draft<'_>,
    report: Report,
    expected: Option<&(String, Vec<Answer>)>,
    turn: u32,
    load: Option<f64>,
) -> Option<Disagreement> {
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
                    return None;
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
    let found = match &problem {
        Problem::Disagrees(found) => Some((**found).clone()),
        Problem::Changed(_) | Problem::Unavailable(_) => None,
    };
    entry.problem = Some(problem);
    found
}

fn changed(request: &str, first: &Answer, then: &Answer) -> Problem {
    Problem::Changed(format!("`{request}` was first {}, then {}", first.brief(), then.brief()))
}

/// What a process may measure, so that all of them together take the time there is.
fn budget(time: Duration, processes: usize) -> u64 {
    let each = time.as_millis() as f64 * SHARE / processes.max(1) as f64;
    (each as u64).clamp(LEAST_MS, MOST_MS)
}
