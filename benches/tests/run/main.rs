//! Runs with planted subjects, in this process: what is left out, what is void, what is kept.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what the tests share may panic as the tests do: that is how a test fails"
)]

mod definitions;
mod drafts;
mod floors;
mod peers;
mod planted;

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use planted::{Planted, registry, with_planted};
use tribunal_benches::definition::{Measurement, read};
use tribunal_benches::launch::Launcher;
use tribunal_benches::report::data::{BenchReport, Problem};
use tribunal_benches::subject::{Answer, Catalogue, Unavailable};
use tribunal_benches::worker::{Job, Phase, Report, answer};
use tribunal_benches::workshop::{Beside, Workshop};
use tribunal_benches::{Plan, run};

/// Does jobs in this process, and keeps them.
#[derive(Debug)]
struct InProcess {
    catalogue: Catalogue,
    jobs: RefCell<Vec<(String, Phase)>>,
    /// Interrupts the run after so many jobs.
    after: Option<usize>,
}

impl Launcher for InProcess {
    fn run(&self, job: &Job, interrupted: &AtomicBool) -> Option<Report> {
        if interrupted.load(Ordering::Relaxed) {
            return None;
        }
        self.jobs.borrow_mut().push((job.subject.clone(), job.phase));
        if self.after.is_some_and(|after| self.jobs.borrow().len() > after) {
            interrupted.store(true, Ordering::Relaxed);
            return None;
        }
        Some(answer(job, &self.catalogue, &registry()))
    }
}

impl InProcess {
    fn new(planted: Vec<Planted>) -> Self {
        let mut catalogue = Catalogue::new(&registry());
        planted.into_iter().for_each(|planted| catalogue.add(planted));
        Self { catalogue, jobs: RefCell::default(), after: None }
    }

    fn measured(&self, subject: &str) -> bool {
        self.jobs.borrow().iter().any(|(name, phase)| name == subject && *phase == Phase::Measure)
    }

    fn run(&self, text: &str, turns: u32) -> BenchReport {
        let folder = with_planted();
        let measurements: Vec<Measurement> = read("test.yaml", text.as_bytes(), &self.catalogue).unwrap();
        let plan = Plan {
            measurements,
            definition: "test".to_owned(),
            beside: Beside::Folder(folder.path().to_owned()),
            pack: Some(folder.path().join("pack").display().to_string()),
            requests: None,
            engines: Vec::new(),
            time: Duration::from_millis(100),
            turns,
            baseline: None,
            command: "test".to_owned(),
            flamegraphs: None,
        };
        let interrupted = AtomicBool::new(false);
        let mut workshop = Workshop::new(&registry()).unwrap();
        run(&plan, &self.catalogue, &mut workshop, self, &interrupted, &mut |_| {}, &mut |_| {}).unwrap()
    }
}

const ONE_CASE: &str =
    "  model: decide\n  cases: [a-researcher-searches, a-researcher-calculates]\n  analysis: For a test\n";

fn decide(subjects: &str) -> String {
    format!("- name: decide\n{}  subjects: [{subjects}]\n", ONE_CASE)
}

#[test]
fn an_engine_that_disagrees_voids_the_row_and_nothing_is_timed() {
    let launcher = InProcess::new(Vec::new());
    // `planted` is an engine that allows whatever it is asked.
    let report = launcher.run(&decide("rego-native, planted"), 1);
    let row = &report.rows[0];
    let void = row.void.as_ref().expect("the row is void");
    assert_eq!((void.name.as_str(), void.differs.as_str()), ("a-researcher-calculates", "effect, reason"));
    assert_eq!((void.first.0.as_str(), void.second.0.as_str()), ("rego-native", "planted"));
    assert!(report.disagrees());
    assert!(!launcher.measured("rego-native") && !launcher.measured("planted"));
    assert!(row.entry("rego-native").is_none(), "a void row gives no figure");
    let mut text = Vec::new();
    tribunal_benches::report::text(&report, &mut text, None).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("disagreement on `a-researcher-calculates`"), "{text}");
    assert!(text.contains("1 of 1 rows are void"), "{text}");
}

#[test]
fn a_peer_that_disagrees_is_left_out_and_shown() {
    let launcher = InProcess::new(vec![Planted::always("peer:planted", true)]);
    let report = launcher.run(&decide("rego-native, \"peer:planted\""), 1);
    let row = &report.rows[0];
    assert_eq!(row.void, None);
    assert!(matches!(row.entries[1].problem, Some(Problem::Disagrees(_))), "{:?}", row.entries[1]);
    assert!(launcher.measured("rego-native") && !launcher.measured("peer:planted"));
    assert_eq!(row.entries[0].processes.len(), 1);
    assert!(!report.disagrees(), "it says nothing against the engines");
}

#[test]
fn a_failure_agrees_with_no_denial_and_not_with_itself() {
    let failing = || Planted::saying("peer:planted", Answer::Failed("it fell over".to_owned()));
    let launcher = InProcess::new(vec![failing()]);
    // `a-researcher-calculates` is denied.
    let text = decide("rego-native, \"peer:planted\"").replace("a-researcher-searches, ", "");
    let report = launcher.run(&text, 1);
    let [native, peer] = report.rows[0].entries.as_slice() else { panic!("two entries") };
    assert!(native.summary.is_some() && native.problem.is_none(), "{native:?}");
    let Some(Problem::Disagrees(found)) = &peer.problem else { panic!("{peer:?}") };
    assert_eq!(found.second, ("peer:planted".to_owned(), "no answer: it fell over".to_owned()));
    assert!(!launcher.measured("peer:planted"));
    // By itself it is its own reference.
    let launcher = InProcess::new(vec![failing()]);
    let report = launcher.run(&decide("\"peer:planted\""), 1);
    assert!(matches!(report.rows[0].entries[0].problem, Some(Problem::Disagrees(_))), "{report:?}");
    assert!(!launcher.measured("peer:planted"));
}

#[test]
fn an_answer_that_changes_while_it_is_timed_leaves_no_figure() {
    // Verifying and the first of measuring ask each request once; then it answers otherwise.
    let launcher = InProcess::new(vec![Planted::changing("peer:planted", 3)]);
    let text = decide("\"peer:planted\"").replace(", a-researcher-calculates", "");
    let report = launcher.run(&text, 1);
    let entry = &report.rows[0].entries[0];
    let Some(Problem::Changed(what)) = &entry.problem else { panic!("{entry:?}") };
    assert!(what.contains("`a-researcher-searches` was first allow, then not an allow"), "{what}");
    assert!(entry.processes.is_empty() && entry.summary.is_none());
}

#[test]
fn without_a_version_nothing_is_measured() {
    let launcher = InProcess::new(vec![Planted::always("peer:planted", true).version("")]);
    let report = launcher.run(&decide("\"peer:planted\"").replace(", a-researcher-calculates", ""), 1);
    let entry = &report.rows[0].entries[0];
    let Some(Problem::Unavailable(Unavailable::Failed(why))) = &entry.problem else { panic!("{entry:?}") };
    assert!(why.contains("does not say its version"), "{why}");
    assert!(!launcher.measured("peer:planted"));
}

#[test]
fn an_interrupted_run_keeps_what_was_measured() {
    let mut launcher = InProcess::new(Vec::new());
    // Two answers to compare, two processes of the first turn, and one of the second.
    launcher.after = Some(5);
    let report = launcher.run(&decide("rego-native, cedar"), 5);
    assert_eq!(report.run.cut_short.as_deref(), Some("it was interrupted"));
    let kept: Vec<usize> = report.rows[0].entries.iter().map(|entry| entry.processes.len()).collect();
    assert_eq!(kept.iter().sum::<usize>(), 3, "{kept:?}");
    assert!(report.rows[0].entries.iter().all(|entry| entry.summary.is_some() && entry.problem.is_none()));
    let again = tribunal_benches::report::read_json(&serde_json::to_vec(&report).unwrap()).unwrap();
    assert_eq!(again, report);
}

#[test]
fn a_pack_that_does_not_load_on_one_engine_is_measured_on_the_others() {
    let launcher = InProcess::new(Vec::new());
    let folder = with_planted();
    std::fs::write(folder.path().join("pack/policy.cedar"), "permit (\n").unwrap();
    let measurements =
        read("test.yaml", decide("rego-native, cedar").as_bytes(), &launcher.catalogue).unwrap();
    let plan = Plan {
        measurements,
        definition: "test".to_owned(),
        beside: Beside::Folder(folder.path().to_owned()),
        pack: Some(folder.path().join("pack").display().to_string()),
        requests: None,
        engines: Vec::new(),
        time: Duration::from_millis(100),
        turns: 1,
        baseline: None,
        command: "test".to_owned(),
        flamegraphs: None,
    };
    let never = AtomicBool::new(false);
    let mut workshop = Workshop::new(&registry()).unwrap();
    let report =
        run(&plan, &launcher.catalogue, &mut workshop, &launcher, &never, &mut |_| {}, &mut |_| {}).unwrap();
    let [native, cedar] = report.rows[0].entries.as_slice() else { panic!("two entries") };
    assert!(native.summary.is_some() && native.problem.is_none());
    let Some(Problem::Unavailable(Unavailable::Refused(why))) = &cedar.problem else { panic!("{cedar:?}") };
    assert!(why.contains("policy.cedar:1:9"), "{why}");
}

#[test]
fn what_takes_long_takes_fewer_turns_than_the_run_has() {
    let launcher = InProcess::new(Vec::new());
    let long = decide("rego-native, cedar") + "  turns: 1\n";
    let text = long.replace("name: decide", "name: long") + &decide("rego-native, cedar") + "  turns: 9\n";
    let report = launcher.run(&text, 2);
    let processes: Vec<usize> =
        report.rows.iter().flat_map(|row| &row.entries).map(|entry| entry.processes.len()).collect();
    assert_eq!(processes, [1, 1, 2, 2]);
    assert_eq!(report.run.cut_short, None);
}

#[test]
fn turns_begin_with_different_subjects() {
    let launcher = InProcess::new(Vec::new());
    launcher.run(&decide("rego-native, cedar"), 2);
    let measured: Vec<String> = launcher
        .jobs
        .borrow()
        .iter()
        .filter(|(_, phase)| *phase == Phase::Measure)
        .map(|(subject, _)| subject.clone())
        .collect();
    assert_eq!(measured, ["rego-native", "cedar", "cedar", "rego-native"]);
}
