//! Floors and peers run under what our engines run under, on one instance, and what fails on them has not denied.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tempfile::TempDir;
use tribunal::DecisionEffect;
use tribunal::core::engine::LoadContext;
use tribunal::core::fault::{FaultKind, LimitKind};
use tribunal::files::read_pack;
use tribunal_benches::definition::read;
use tribunal_benches::report::data::{BenchReport, Problem};
use tribunal_benches::subject::{Answer, Catalogue, Request, Site, Subject, Unavailable};
use tribunal_benches::workshop::{Beside, Workshop};
use tribunal_benches::{Plan, run};
use tribunal_conformance::Suite;

use crate::InProcess;
use crate::planted::{registry, with_planted};

/// A pack in a folder as subjects are opened on it.
fn site(folder: &Path) -> Site {
    Site {
        folder: folder.to_owned(),
        files: read_pack(folder).unwrap(),
        context: LoadContext::default(),
        deadline: None,
        registry: registry(),
    }
}

/// Two cases of a pack, of which the first is denied and the second allowed.
fn requests(site: &Site, names: [&str; 2]) -> [Request; 2] {
    let suite = Suite::read(&site.source().unwrap()).unwrap();
    names.map(|name| {
        let case = suite.cases.iter().find(|case| case.name == name).unwrap();
        Request {
            name: case.name.clone(),
            text: case.request.to_string().into_bytes(),
            payload: case.request.clone(),
            now: case.now,
            token: None,
        }
    })
}

fn open(site: &Site, name: &str) -> Box<dyn Subject> {
    Catalogue::new(&registry()).get(name).unwrap().open(site).unwrap_or_else(|why| panic!("{name}: {why}"))
}

/// The pack that the program carries, under limits of its own.
fn limited(limits: &str) -> TempDir {
    let folder = with_planted();
    let manifest = folder.path().join("pack/pack.yaml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, format!("{text}limits: {limits}\n")).unwrap();
    folder
}

const BUDGET: [&str; 2] = ["a-researcher-over-budget", "the-first-request"];

const REDACTED: &str = "an-address-of-a-person-is-replaced";

const NAMES: [&str; 2] = ["a-researcher-calculates", "a-researcher-searches"];

fn failure(answer: Answer) -> String {
    let Answer::Failed(why) = answer else { panic!("{answer:?}") };
    why
}

#[test]
fn the_packs_own_limits_hold_below_the_engine_too_and_not_for_an_instance_per_call() {
    // Enough to start and to load the data, which has fuel of its own, and for no decision.
    let folder = limited("{fuel: 2_000}");
    let site = site(&folder.path().join("pack"));
    let requests = requests(&site, NAMES);
    let spent = FaultKind::Limit(LimitKind::Fuel);
    let engine = open(&site, "rego-wasm");
    let mut staged = engine.staged().unwrap().unwrap();
    let (floor, peer) = (open(&site, "floor:opa-eval"), open(&site, "peer:wasm-per-call"));
    for (position, request) in requests.iter().enumerate() {
        let mut whole = engine.question(request).unwrap();
        whole.ask();
        for answer in [whole.answer(), staged.decide(request, &mut |_| {})] {
            assert!(
                matches!(&answer, Answer::Decision { fault: Some(kind), .. } if *kind == spent),
                "{answer:?}"
            );
        }
        let failed = |subject: &dyn Subject| {
            let mut question = subject.question(request).unwrap();
            question.ask();
            let answer = question.answer();
            assert!(!question.came_to(&answer), "what has failed twice has not answered");
            failure(answer)
        };
        let mut unlimited = peer.question(request).unwrap();
        unlimited.ask();
        let effect = [DecisionEffect::Deny, DecisionEffect::Allow][position];
        assert_eq!(unlimited.answer(), Answer::Effect(effect));
        // All requests are put to one instance, which is not asked again once it has failed.
        let expected = ["limit:fuel", "not_loaded: this instance has failed before"][position];
        let why = failed(floor.as_ref());
        assert!(why.starts_with(expected), "{why}");
    }
}

#[test]
fn what_is_asked_before_other_questions_on_the_same_instance_is_still_what_it_was() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packs");
    let allowlist = site(&shipped.join("tool-allowlist"));
    let budget = site(&shipped.join("session-budget"));
    let asked = requests(&allowlist, NAMES);
    let asked_of_budget = requests(&budget, BUDGET);
    for (name, site, requests) in [
        ("floor:opa-eval", &allowlist, &asked),
        ("floor:regorus", &budget, &asked_of_budget),
        ("floor:cedar-policy", &allowlist, &asked),
        ("floor:biscuit-auth", &allowlist, &asked),
    ] {
        let subject = open(site, name);
        let mut questions = requests.each_ref().map(|request| subject.question(request).unwrap());
        let answers = questions.each_mut().map(|question| {
            question.ask();
            question.answer()
        });
        assert!(
            answers[0] != answers[1] && answers.iter().all(|answer| answer.repeats(answer)),
            "{answers:?}"
        );
        // As in a batch: all are asked, and then all are compared.
        for _ in 0..2 {
            questions.iter_mut().for_each(|question| question.ask());
            for (position, question) in questions.iter_mut().enumerate() {
                assert!(question.came_to(&answers[position]), "{name} {answers:?}");
                assert!(!question.came_to(&answers[1 - position]), "{name} {answers:?}");
                assert_eq!(question.answer(), answers[position], "{name}");
            }
        }
    }
}

fn taken_apart(cases: &str) -> BenchReport {
    let launcher = InProcess::new(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    let text =
        format!("- name: stages\n  model: breakdown\n{cases}  subjects: [rego-native]\n  analysis: x\n");
    let plan = Plan {
        measurements: read("test.yaml", text.as_bytes(), &launcher.catalogue).unwrap(),
        definition: "test".to_owned(),
        beside: Beside::Folder(folder.path().to_owned()),
        pack: Some(concat!(env!("CARGO_MANIFEST_DIR"), "/../packs/pii").to_owned()),
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
    run(&plan, &launcher.catalogue, &mut workshop, &launcher, &never, &mut |_| {}, &mut |_| {}).unwrap()
}

#[test]
fn redactions_are_left_out_of_a_breakdown_and_refused_where_they_are_asked_for() {
    let report = taken_apart("");
    let row = &report.rows[0];
    assert!(row.requests > 0 && row.entries[0].problem.is_none(), "{:?}", row.entries[0].problem);
    let figures = &row.entries[0].processes[0].figures;
    let sum: f64 = figures.parts.values().sum();
    assert!(figures.parts.len() > 5 && (sum - figures.mean).abs() < 1.0, "{figures:?}");
    let report = taken_apart(&format!("  cases: [{REDACTED}]\n"));
    let Some(Problem::Unavailable(Unavailable::NotApplicable(why))) = &report.rows[0].entries[0].problem
    else {
        panic!("{:?}", report.rows[0].entries[0])
    };
    assert!(why.contains(&format!("`{REDACTED}` is redacted")), "{why}");
}
