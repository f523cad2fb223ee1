//! Lists that fail in both directions, and everything that must not be passed over in silence.

use tribunal::core::engine::LoadContext;
use tribunal_conformance::parity::compare::machine;
use tribunal_conformance::parity::report::{Bound, ParityReport, Run};
use tribunal_conformance::parity::{Contestant, Lineup, Wanted, compare, known};
use tribunal_conformance::search::Plan;

use crate::{changed, shipped};

/// A Cedar policy that lets everybody do everything.
const ALL: &str = "@id(\"all\") permit (principal, action, resource);\n";

fn report(contestant: Contestant, engines: &[&str], requests: u64) -> ParityReport {
    let registry = tribunal::registry();
    let context = LoadContext::default();
    let known = known::read(&contestant.source).unwrap();
    let engines: Vec<String> = engines.iter().map(|engine| (*engine).to_owned()).collect();
    let lineup = Lineup::load(vec![contestant], &engines, Vec::new(), &context, &registry);
    let bound = Bound::Requests(requests);
    let wanted = Wanted {
        plan: Some(Plan { seed: 1, bound, threads: 2, stop_at_first: false, timed_of: 16 }),
        tokens: Vec::new(),
        known,
        suites: Vec::new(),
        context: &context,
        registry: &registry,
        run: Run {
            command: "test".to_owned(),
            tribunal: String::new(),
            revision: None,
            machine: machine(),
            started: String::new(),
            duration_ms: 0,
        },
    };
    compare(&lineup, wanted, &mut |_| {})
}

#[test]
fn agreement_says_what_was_tried() {
    let report = report(shipped("step-up-tools"), &["cedar", "rego-native"], 1_000);
    assert_eq!(report.objections, Vec::<String>::new());
    let search = report.search.unwrap();
    assert_eq!(search.compared, 1_000);
    assert!(search.exercised.literals.iter().any(|literal| literal.tried > 0));
    assert!(search.exercised.rules.iter().any(|rule| rule.determined.is_some_and(|times| times > 0)));
    assert!(report.cases.iter().all(|row| row.differences.is_empty() && row.cells.len() == 2));
    assert!(report.laws.iter().any(|law| law.tried > 0));
}

#[test]
fn a_disagreement_is_shrunk_explained_and_objected_to() {
    let mistaken = changed("step-up-tools", &[("policy.cedar", ALL)]);
    let report = report(mistaken, &["cedar", "rego-native"], 1_000);
    assert!(!report.agrees());
    let search = report.search.unwrap();
    let example = &search.counterexamples[0];
    assert!(example.size <= example.found_size);
    let [Some(cedar), Some(rego)] = example.answers.as_slice() else { panic!("two answers") };
    assert_eq!(cedar.answer.effect.as_str(), "allow");
    assert_eq!(rego.answer.effect.as_str(), "step_up");
    assert_eq!(cedar.answer.rules.as_deref(), Some(["all".to_owned()].as_slice()));
    assert!(!rego.trace.is_empty());
}

#[test]
fn an_engine_that_refuses_the_pack_is_a_disagreement() {
    let broken = changed("step-up-tools", &[("policy.cedar", "permit (principal, action, resource")]);
    let report = report(broken, &[], 200);
    let cedar = report.participants.iter().find(|participant| participant.engine == "cedar").unwrap();
    assert!(cedar.refused.as_ref().is_some_and(|why| why.contains("policy.cedar")), "{:?}", cedar.refused);
    assert!(report.objections.iter().any(|objection| objection.starts_with("cedar could not be asked")));
    // The others are compared all the same.
    assert_eq!(report.search.unwrap().compared, 200);
    assert!(report.cases.iter().all(|row| row.cells.iter().filter(|cell| cell.is_some()).count() == 3));
}

#[test]
fn known_divergences_are_held_both_ways() {
    let request = r#"{subject: {type: agent, id: a}, action: {name: tools/call}, resource: {type: tool, id: database_write}, context: {}}"#;
    let list = format!(
        "- name: cedar-allows-all\n  engines: [cedar]\n  covers: same_rules\n  request: {request}\n  reason: planted for a test\n  upstream: https://example.org/1\n"
    );
    let listed = [("policy.cedar", ALL), ("parity/known-divergences.yaml", list.as_str())];
    let report_of =
        |files: &[(&str, &str)]| report(changed("step-up-tools", files), &["cedar", "rego-native"], 1_000);
    let report = report_of(&listed);
    assert!(report.known[0].holds, "{:?}", report.known);
    let search = report.search.unwrap();
    assert!(
        search.counterexamples.iter().any(|example| example.known.as_deref() == Some("cedar-allows-all"))
    );
    assert!(report.known[0].times > 0);

    let report = report_of(&listed[1..]);
    assert!(!report.known[0].holds);
    assert_eq!(report.objections, ["the known divergence `cedar-allows-all` is none any more: delete it"]);
}

#[test]
fn a_list_with_a_mistake_is_refused_with_its_place() {
    let list = "- name: x\n  engines: [ceder]\n  request: {}\n  reason: r\n- name: x\n  engines: [cedar]\n  reqest: {}\n  reason: ' '\n";
    let contestant = changed("step-up-tools", &[("parity/known-divergences.yaml", list)]);
    insta::assert_snapshot!(known::read(&contestant.source).unwrap_err().to_string(), @r#"
    packs/step-up-tools/parity/known-divergences.yaml:5:3: the key `request` is missing in `1` (A request on which they do.)
    packs/step-up-tools/parity/known-divergences.yaml:7:3: unknown key `reqest` in `1` (did you mean `request`?)
    packs/step-up-tools/parity/known-divergences.yaml:8:3: " " does not match "\S" in `1.reason` (Why they differ, for those who read the pack.)
    "#);
    let list = "- name: x\n  engines: [ceder]\n  request: {}\n  reason: r\n- name: x\n  engines: [cedar]\n  request: {}\n  now: today\n  reason: r\n";
    let contestant = changed("step-up-tools", &[("parity/known-divergences.yaml", list)]);
    insta::assert_snapshot!(known::read(&contestant.source).unwrap_err().to_string(), @r"
    packs/step-up-tools/parity/known-divergences.yaml:2:3: the pack does not offer `ceder` (did you mean `cedar`?)
    packs/step-up-tools/parity/known-divergences.yaml:5:3: the divergence `x` is listed twice
    packs/step-up-tools/parity/known-divergences.yaml:8:3: not an instant: write one as `2026-11-21T12:00:00Z`
    ");
}
