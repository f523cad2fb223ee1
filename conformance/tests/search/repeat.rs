//! The same seed asks the same, on any number of threads; and a pack agrees with itself.

use tribunal::core::engine::LoadContext;
use tribunal_conformance::parity::Lineup;
use tribunal_conformance::parity::report::Bound;
use tribunal_conformance::search::{Findings, Material, Plan, explore};

use crate::{changed, shipped};

const REQUESTS: u64 = 1_500;

fn findings(lineup: &Lineup, seed: u64, threads: usize) -> Findings {
    let contestant = &lineup.contestants[0];
    let material =
        Material::gather(&[&contestant.source], &contestant.suite.cases, &lineup.vocabularies, []).unwrap();
    let bound = Bound::Requests(REQUESTS);
    explore(
        &lineup.panel,
        &material,
        &Plan { seed, bound, threads, stop_at_first: false, timed_of: 0 },
        &mut |_| {},
    )
}

fn comparable(findings: &Findings) -> impl PartialEq + std::fmt::Debug + use<> {
    let Findings {
        tried, refused_by_host, compared, answers, determined, literals, kept, disagreements, ..
    } = findings.clone();
    (tried, refused_by_host, compared, answers, determined, literals, kept, disagreements)
}

#[test]
fn a_seed_makes_one_search_on_any_number_of_threads() {
    let registry = tribunal::registry();
    let mistaken = changed(
        "session-budget",
        &[("policy.cedar", "@id(\"all\") permit (principal, action, resource);\n")],
    );
    let engines = ["cedar".to_owned(), "rego-wasm".to_owned()];
    let lineup = Lineup::load(vec![mistaken], &engines, Vec::new(), &LoadContext::default(), &registry);
    let one = findings(&lineup, 7, 1);
    assert_eq!(one.compared, REQUESTS);
    assert!(!one.disagreements.is_empty());
    for threads in [2, 3] {
        assert_eq!(comparable(&one), comparable(&findings(&lineup, 7, threads)), "{threads} threads");
    }
    assert_ne!(comparable(&one), comparable(&findings(&lineup, 8, 1)));
}

#[test]
fn a_pack_agrees_with_itself_on_every_engine() {
    let registry = tribunal::registry();
    for pack in ["tool-allowlist", "step-up-tools", "session-budget"] {
        let twice = vec![shipped(pack), shipped(pack)];
        let lineup = Lineup::load(twice, &[], Vec::new(), &LoadContext::default(), &registry);
        assert_eq!(lineup.panel.members().len(), 8);
        let findings = findings(&lineup, 3, 2);
        assert_eq!((findings.compared, findings.disagreements), (REQUESTS, Vec::new()), "{pack}");
        assert!(findings.answers.iter().all(|counts| counts.len() > 1), "{pack}: {:?}", findings.answers);
    }
}
