//! The laws hold on shipped packs, and an engine that breaks one is found out.

use serde_json::json;
use tribunal::core::engine::LoadContext;
use tribunal_conformance::parity::laws;

use crate::{changed, question, shipped};

#[test]
fn shipped_packs_keep_every_law() {
    let registry = tribunal::registry();
    let contestant = shipped("session-budget");
    let questions: Vec<_> = contestant
        .suite
        .cases
        .iter()
        .map(|case| tribunal_conformance::search::Question {
            request: case.request.clone(),
            now: case.now,
            token: case.token.clone(),
        })
        .collect();
    for engine in contestant.source.manifest.engines.keys() {
        for law in laws::hold(&contestant, engine, 0, &questions, &LoadContext::default(), &registry) {
            assert_eq!(law.broken, None, "{engine}: {}", law.law);
            assert!(law.tried > 0 || law.skipped.is_some(), "{engine}: {}", law.law);
        }
    }
}

/// A policy that looks at everything there is breaks the law of the irrelevant member, and is shown how.
#[test]
fn a_broken_law_is_shown() {
    let rego = "package tribunal.step_up_tools\nimport rego.v1\ndecision := \"allow\" if count(input) == 5\nelse := \"deny\"\n";
    let contestant = changed("step-up-tools", &[("policy.rego", rego)]);
    let request = json!({
        "subject": {"type": "agent", "id": "a"}, "action": {"name": "tools/call"},
        "resource": {"type": "tool", "id": "t"}, "context": {},
    });
    let results = laws::hold(
        &contestant,
        "rego-native",
        0,
        &[question(request)],
        &LoadContext::default(),
        &tribunal::registry(),
    );
    let broken: Vec<_> = results.iter().filter(|law| law.broken.is_some()).collect();
    assert_eq!(broken.len(), 1, "{results:?}");
    let shown = broken[0].broken.as_ref().unwrap();
    assert_eq!(
        (broken[0].law.as_str(), shown.change.as_str()),
        ("irrelevant_member", "`/x_tribunal_irrelevant` added")
    );
    assert_eq!((shown.before.effect.as_str(), shown.after.effect.as_str()), ("allow", "deny"));
}
