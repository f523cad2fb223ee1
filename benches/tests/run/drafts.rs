//! What rows are asked, and what becomes of a run that is interrupted or has nothing to ask before it begins.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use tribunal_benches::definition::read;
use tribunal_benches::launch::Launcher;
use tribunal_benches::report::data::BenchReport;
use tribunal_benches::run::{Given, read_requests};
use tribunal_benches::subject::{Catalogue, Unavailable};
use tribunal_benches::worker::{Job, Report};
use tribunal_benches::workshop::{Beside, Workshop};
use tribunal_benches::{BenchError, Plan, run};

/// Keeps the jobs, and does none.
#[derive(Debug, Default)]
struct Idle(RefCell<Vec<Job>>);

impl Launcher for Idle {
    fn run(&self, job: &Job, _: &AtomicBool) -> Option<Report> {
        self.0.borrow_mut().push(job.clone());
        Some(Report::Unavailable(Unavailable::Missing("it is only a test".to_owned())))
    }
}

impl Idle {
    /// The texts of the requests of each job.
    fn asked(&self) -> Vec<Vec<String>> {
        let texts = |job: &Job| job.requests.iter().map(|request| request.text.clone()).collect();
        self.0.borrow().iter().map(texts).collect()
    }
}

/// A run that measures nothing, on the pack that the program carries or on another.
fn idle(
    text: &str,
    pack: Option<String>,
    requests: Option<Vec<Given>>,
    interrupted_at: Option<&str>,
) -> (Idle, Vec<String>, Result<BenchReport, BenchError>) {
    let registry = tribunal::registry();
    let catalogue = Catalogue::new(&registry);
    let plan = Plan {
        measurements: read("test.yaml", text.as_bytes(), &catalogue).unwrap(),
        definition: "test".to_owned(),
        beside: Beside::Program,
        pack,
        requests,
        engines: vec!["cedar".to_owned()],
        time: Duration::from_millis(100),
        turns: 1,
        baseline: None,
        command: "test".to_owned(),
        flamegraphs: None,
    };
    let launcher = Idle::default();
    let interrupted = AtomicBool::new(false);
    let mut told = Vec::new();
    let mut tell = |progress: &tribunal_benches::Progress| {
        told.push(format!("{}/{} {}", progress.done, progress.all, progress.at));
        if interrupted_at.is_some_and(|at| progress.at.contains(at)) {
            interrupted.store(true, Ordering::Relaxed);
        }
    };
    let mut workshop = Workshop::new(&registry).unwrap();
    let report = run(&plan, &catalogue, &mut workshop, &launcher, &interrupted, &mut tell, &mut |_| {});
    (launcher, told, report)
}

const ROWS: &str = "\
- name: own
  model: decide
  cases: [a-researcher-searches]
  analysis: x
- name: free
  model: decide
  analysis: x
- name: faulted
  model: error-path
  analysis: x
- name: rules
  model: decide
  vary: {axis: rules, values: [10]}
  analysis: x
- name: input
  model: decide
  vary: {axis: input, values: [10, 5_000]}
  analysis: x
";

#[test]
fn given_requests_go_only_to_rows_that_have_none_of_their_own() {
    let traffic = "{ \"z\": 1,\t\"action\":{} }\n{\"a\": 2}\n";
    let given = read_requests("f", traffic.as_bytes()).unwrap();
    let (launcher, _, report) = idle(ROWS, None, Some(given), None);
    let rows = report.unwrap().rows;
    let asked = launcher.asked();
    let [own, free, faulted, rules, small, large] = asked.as_slice() else { panic!("{asked:?}") };
    assert!(own.len() == 1 && own[0].contains("web_search"), "{own:?}");
    assert_eq!(free, &traffic.lines().collect::<Vec<_>>(), "to the byte");
    assert!(faulted.len() > 1 && !faulted.iter().any(|text| traffic.contains(text)), "{faulted:?}");
    // A pack that was made knows only tools that were made with it.
    assert!(rules.len() == 2 && rules[0].contains("\"t5\""), "{rules:?}");
    // The first, which is larger than the smallest size already.
    assert_eq!(small, &traffic.lines().take(1).collect::<Vec<_>>());
    let filled: Value = serde_json::from_str(&large[0]).unwrap();
    assert!(large.len() == 1 && filled["z"] == 1 && filled["context"]["padding"][0]["name"] == "argument");
    let measured: Vec<Option<u64>> =
        rows.iter().map(|row| row.point.and_then(|point| point.measured)).collect();
    assert_eq!(measured, [None, None, None, None, Some(small[0].len() as u64), Some(large[0].len() as u64)]);
}

#[test]
fn a_size_of_input_begins_with_the_shortest_case() {
    let (launcher, _, report) = idle(ROWS, None, None, None);
    let asked = launcher.asked();
    let shortest = asked[1].iter().map(String::len).min().unwrap();
    assert_eq!(asked[4].iter().map(String::len).collect::<Vec<_>>(), [shortest]);
    assert!(!asked[4][0].contains("padding") && !asked[4][0].contains("context"), "{}", asked[4][0]);
    let point = report.unwrap().rows[4].point.unwrap();
    assert_eq!((point.value, point.measured), (10, Some(shortest as u64)));
}

#[test]
fn data_tells_its_bytes() {
    let text = "- name: data\n  model: decide\n  vary: {axis: data, values: [1_000]}\n  analysis: x\n";
    let (launcher, _, report) = idle(text, None, None, None);
    let data = launcher.0.borrow()[0].packs[0].join("data.json");
    // The workshop is gone with the run, and so is everything in it.
    assert!(!data.exists());
    let measured = report.unwrap().rows[0].point.unwrap().measured.unwrap();
    assert!(measured > 980 && measured < 1_020, "{measured}");
}

#[test]
fn a_pack_without_cases_asks_for_requests() {
    let folder = crate::planted::with_planted();
    let pack = folder.path().join("pack");
    std::fs::remove_dir_all(pack.join("cases")).unwrap();
    let pack = Some(pack.display().to_string());
    let text =
        "- name: free\n  model: decide\n  analysis: x\n- name: faulted\n  model: error-path\n  analysis: x\n";
    // The planted engine is unknown here.
    let manifest = folder.path().join("pack/pack.yaml");
    let known = std::fs::read_to_string(&manifest).unwrap().replace("  planted: {}\n", "");
    std::fs::write(&manifest, known).unwrap();
    let (launcher, _, report) = idle(text, pack.clone(), None, None);
    let error = report.unwrap_err().to_string();
    assert!(error.contains("`tool-allowlist` has no case") && error.contains("--requests"), "{error}");
    assert!(launcher.asked().is_empty());
    let given = read_requests("f", b"{}").unwrap();
    let rows = idle(text, pack, Some(given), None).2.unwrap().rows;
    let problem = |row: usize| format!("{:?}", rows[row].entries[0].problem);
    assert!(problem(0).contains("only a test"), "{}", problem(0));
    assert!(problem(1).contains("no case that is denied by a fault"), "{}", problem(1));
}

#[test]
fn making_packs_is_told_of_and_can_be_interrupted() {
    let (_, told, report) = idle(ROWS, None, None, None);
    assert!(report.is_ok());
    assert_eq!(told[0], "0/6 making own");
    assert_eq!(told[3], "3/6 making rules (rules 10)");
    for at in ["making own", "making input (input 5000)"] {
        let (launcher, told, report) = idle(ROWS, None, None, Some(at));
        assert!(matches!(report, Err(BenchError::Interrupted)), "{at}: {report:?}");
        assert!(launcher.asked().is_empty());
        assert!(told.last().unwrap().ends_with(at), "{told:?}");
    }
}

#[test]
fn each_pack_is_a_row_with_its_case() {
    let text = "- name: shipped\n  model: decide\n  analysis: x\n  each:\n    session-budget: the-first-request\n    \
                tool-allowlist: a-researcher-searches\n";
    let given = read_requests("f", b"{\"a\": 2}").unwrap();
    let (launcher, told, report) = idle(text, None, Some(given), None);
    let report = report.unwrap();
    let packs: Vec<&str> = report.rows.iter().map(|row| report.packs[row.pack].name.as_str()).collect();
    assert_eq!(packs, ["session-budget", "tool-allowlist"]);
    assert!(report.rows.iter().all(|row| row.measurement == "shipped" && row.requests == 1));
    assert!(told[1].ends_with("making shipped on tool-allowlist"), "{told:?}");
    let asked = launcher.asked();
    assert!(!asked[0][0].contains("web_search"), "{asked:?}");
    assert!(asked[1][0].contains("web_search"), "{asked:?}");
    let mut shown = Vec::new();
    tribunal_benches::report::text(&report, &mut shown, None).unwrap();
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("2 packs · 1 request each"), "{shown}");
    assert!(shown.contains("`cedar`: missing: it is only a test"), "{shown}");
    // A pack or a case that is none is an error, and no row without figures.
    for (from, to) in [("session-budget", "sesion-budget"), ("the-first-request", "the-last-request")] {
        let error = idle(&text.replace(from, to), None, None, None).2.unwrap_err().to_string();
        assert!(error.contains(to), "{error}");
    }
}
