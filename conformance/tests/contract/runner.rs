//! The runner itself: a case fails if anything of the answer is not as it says, and exceptions fail in both directions.

use std::sync::Arc;

use serde_json::{Value, json};
use tribunal::core::contract::parity::Difference;
use tribunal::core::engine::LoadContext;
use tribunal::core::pack::PackSource;
use tribunal_conformance::{Case, Expectation, Failure, Runner, Suite, offered};

use crate::scripted::{registry, source, source_with};

fn pack() -> Value {
    json!({
        "name": "guard", "redactable": ["/context"],
        "rules": [
            {"if": "/context/a", "answer": {"effect": "redact", "reason": "filtered", "patches": [{"op": "remove", "path": "/context/a"}]}},
            {"if": "/context/pay", "answer": {"effect": "step_up", "step_up": {"method": "mfa"}}},
            {"if": "/context/trap", "fault": "trap"},
            {"if": "/context/late", "answer": {"effect": "deny", "reason": "late", "patches": [{"op": "remove", "path": "/context/late"}]}},
            {"answer": {"effect": "allow"}},
        ],
    })
}

fn runner(pack: &Value) -> Runner {
    let source = Arc::new(source(pack).unwrap());
    Runner::load(source, "scripted", &LoadContext::default(), &registry()).unwrap()
}

fn case(request: &Value, expect: &Value, exceptions: &Value) -> Case {
    let yaml = json!([{"name": "case", "request": request, "expect": expect, "exceptions": exceptions}]);
    let pack: PackSource = source_with(&pack(), &[("cases/a.yaml", &yaml.to_string())]).unwrap();
    Suite::read(&pack).unwrap().cases.remove(0)
}

/// Where the answer differs; `None` if the case passes.
fn differences(request: &Value, expect: &Value) -> Option<Vec<Difference>> {
    match runner(&pack()).run(&case(request, expect, &json!({}))).failure? {
        Failure::Mismatch(found) => Some(found.iter().map(|mismatch| mismatch.what).collect()),
        Failure::NeedlessException => panic!("there is no exception"),
    }
}

#[test]
fn every_respect_of_an_answer_is_compared() {
    let clean = json!({"context": {}});
    let dirty = json!({"context": {"a": 1}});
    let removed = json!([{"op": "remove", "path": "/context/a"}]);
    for (request, expect, found) in [
        (&clean, json!({"effect": "allow"}), None),
        (&clean, json!({"effect": "deny"}), Some(vec![Difference::Effect])),
        (&clean, json!({"effect": "allow", "reason": "so"}), Some(vec![Difference::Reason])),
        (
            &clean,
            json!({"effect": "deny", "fault": "trap"}),
            Some(vec![Difference::Effect, Difference::Fault, Difference::Reason]),
        ),
        (&dirty, json!({"effect": "redact", "reason": "filtered", "patches": removed}), None),
        (&dirty, json!({"effect": "redact", "patches": removed}), Some(vec![Difference::Reason])),
        // Other patches that make the same request are the same redaction.
        (
            &dirty,
            json!({"effect": "redact", "reason": "filtered", "patches": [{"op": "replace", "path": "/context", "value": {}}]}),
            None,
        ),
        (
            &dirty,
            json!({"effect": "redact", "reason": "filtered", "patches": [{"op": "replace", "path": "/context/a", "value": 2}]}),
            Some(vec![Difference::Redaction]),
        ),
        (
            &dirty,
            json!({"effect": "allow", "reason": "filtered"}),
            Some(vec![Difference::Effect, Difference::Redaction]),
        ),
        (&json!({"context": {"pay": 1}}), json!({"effect": "step_up", "step_up": {"method": "mfa"}}), None),
        (&json!({"context": {"pay": 1}}), json!({"effect": "step_up"}), Some(vec![Difference::StepUp])),
        (
            &json!({"context": {"pay": 1}}),
            json!({"effect": "step_up", "step_up": {"method": "call"}}),
            Some(vec![Difference::StepUp]),
        ),
        (&json!({"context": {"trap": 1}}), json!({"effect": "deny", "fault": "trap"}), None),
        (
            &json!({"context": {"trap": 1}}),
            json!({"effect": "deny", "fault": "panic"}),
            Some(vec![Difference::Fault, Difference::Reason]),
        ),
        // A fault is not just any denial, even under its own name.
        (
            &json!({"context": {"trap": 1}}),
            json!({"effect": "deny", "reason": "engine_error:trap"}),
            Some(vec![Difference::Fault]),
        ),
        (&json!({"context": {"late": 1}}), json!({"effect": "deny", "reason": "late"}), None),
        (
            &json!({"context": {"late": 1}}),
            json!({"effect": "deny", "reason": "late", "patches": [{"op": "remove", "path": "/context/late"}]}),
            None,
        ),
        (
            &json!({"context": {"late": 1}}),
            json!({"effect": "deny", "reason": "late", "patches": [{"op": "replace", "path": "/context/late", "value": 2}]}),
            Some(vec![Difference::Redaction]),
        ),
        (&json!({"derived": {}}), json!({"effect": "deny", "fault": "request_bounds"}), None),
    ] {
        assert_eq!(differences(request, &expect), found, "{request} {expect}");
    }
}

#[test]
fn exceptions_fail_in_both_directions() {
    let (allow, deny) = (json!({"effect": "allow"}), json!({"effect": "deny"}));
    let excepting = |expect: &Value| json!({"scripted": {"reason": "it is otherwise", "expect": expect}});
    let clean = json!({"context": {}});
    let failure = |case: Case| runner(&pack()).run(&case).failure;
    assert_eq!(failure(case(&clean, &deny, &excepting(&allow))), None, "needed");
    assert_eq!(
        failure(case(&clean, &allow, &excepting(&deny))),
        Some(Failure::NeedlessException),
        "no more needed"
    );
    let neither = failure(case(&clean, &deny, &excepting(&json!({"effect": "step_up"}))));
    assert!(matches!(neither, Some(Failure::Mismatch(_))), "neither");
    let elsewhere = json!({"other": {"reason": "it is otherwise", "expect": allow}});
    assert!(
        matches!(failure(case(&clean, &deny, &elsewhere)), Some(Failure::Mismatch(_))),
        "for another engine"
    );
}

/// Reasons are compared as the pack compares those of its engines.
#[test]
fn reasons_are_compared_as_the_pack_says() {
    for (parity, reason, passes) in [
        ("exact", "b; a", true),
        ("exact", "a; b", false),
        ("set", "a; b", true),
        ("set", "a", false),
        ("ignored", "anything", true),
    ] {
        let pack = json!({"name": "guard", "parity": {"reasons": parity}, "rules": [{"answer": {"effect": "deny", "reason": "b; a"}}]});
        let case = case(&json!({}), &json!({"effect": "deny", "reason": reason}), &json!({}));
        assert_eq!(runner(&pack).run(&case).failure.is_none(), passes, "{parity} {reason}");
    }
}

#[test]
fn a_failure_is_readable() {
    let result =
        runner(&pack()).run(&case(&json!({"context": {"trap": 1}}), &json!({"effect": "allow"}), &json!({})));
    insta::assert_snapshot!(result.failure.unwrap(), @r#"
    effect
      expected: allow
      actual:   deny (trap: the script says so)
    fault
      expected: none
      actual:   trap: the script says so
    reason
      expected: none
      actual:   "engine_error:trap"
    "#);
}

#[test]
fn what_a_pack_offers_is_known_without_its_engines() {
    let pack = source(&pack()).unwrap();
    let offers: Vec<(&str, bool)> =
        offered(&pack, &registry()).map(|offer| (offer.engine, offer.is_built_in)).collect();
    assert_eq!(offers, [("missing", false), ("other", true), ("scripted", true)]);
    let refused = Runner::load(Arc::new(pack), "missing", &LoadContext::default(), &registry()).unwrap_err();
    assert!(refused.is_absence());
}

/// What an expectation says must be one thing; see `Expectation::contradiction`.
#[test]
fn an_expectation_cannot_contradict_itself() {
    for (expect, key) in [
        (json!({"effect": "allow", "fault": "trap"}), Some("effect")),
        (json!({"effect": "deny", "fault": "trap", "reason": "x"}), Some("reason")),
        (json!({"effect": "redact"}), Some("effect")),
        (json!({"effect": "allow", "patches": [{"op": "remove", "path": "/a"}]}), Some("patches")),
        (json!({"effect": "deny", "step_up": {}}), Some("step_up")),
        (json!({"effect": "deny", "fault": "trap"}), None),
        (json!({"effect": "step_up"}), None),
    ] {
        let parsed: Expectation = serde_json::from_value(expect.clone()).unwrap();
        assert_eq!(parsed.contradiction().map(|(key, _)| key), key, "{expect}");
    }
}
