//! What comes out of real modules.

use serde_json::{Value, json};
use tribunal_engine_core::contract::{Decision, DecisionEffect, Rules};
use tribunal_engine_core::engine::Prepared;
use tribunal_engine_core::fault::FaultKind;
use tribunal_engine_core::pack::ShapeTable;

use crate::harness::{Pack, decide, reason};

#[test]
fn every_shape_of_answer_is_read() {
    let search = json!({"tool": "search"});
    let decided =
        |entrypoint: &str, payload: &Value| Pack::of("decisions", entrypoint).decide(payload).unwrap();
    assert_eq!(decided("t/decision", &search), Decision::allow());
    assert_eq!(decided("t/decision", &json!({"tool": "shell"})), Decision::deny("forbidden_tool"));
    assert_eq!(decided("t/decision", &json!({})), Decision::deny("no_tool"));
    assert_eq!(decided("t/allow", &search), Decision::allow());
    assert_eq!(decided("t/allow", &json!({"tool": 1})).effect, DecisionEffect::Deny);
    assert_eq!(decided("t/name", &search).effect, DecisionEffect::Deny);
    let step_up = decided("t/step_up", &search);
    assert_eq!(step_up.effect, DecisionEffect::StepUp);
    assert_eq!(step_up.step_up.unwrap().method.as_deref(), Some("human_approval"));
    let redact = decided("t/redact", &search);
    assert_eq!((redact.effect, redact.patches.len()), (DecisionEffect::Redact, 1));
    // A set leaves a module in the order of its hashes.
    assert_eq!(decided("t/set_of_reasons", &search).reason.as_deref(), Some("alpha; mu; zeta"));
}

#[test]
fn nothing_else_is_a_decision() {
    let payload = json!({"tool": "shell", "pairs": [["a", 1], ["a", 2]]});
    for (entrypoint, kind) in [
        ("t/undefined", FaultKind::UndefinedDecision),
        ("t/conflict", FaultKind::Conflict),
        ("t/object_conflict", FaultKind::Conflict),
        ("t/unknown_effect", FaultKind::MalformedDecision),
        ("t/no_effect", FaultKind::MalformedDecision),
        ("t/extra_member", FaultKind::MalformedDecision),
        ("t/number", FaultKind::MalformedDecision),
        ("t/allow_with_patches", FaultKind::MalformedDecision),
        ("t/bad_patch", FaultKind::MalformedPatch),
    ] {
        assert_eq!(Pack::of("decisions", entrypoint).fault(&payload), kind, "{entrypoint}");
    }
}

#[test]
fn a_pair_of_rules_makes_a_decision() {
    let rules = |allow: &str, reason: &str| {
        let decision = json!({"allow": allow, "reason": reason});
        Pack::of("decisions", "").settings(json!({"decision": decision, "strict_builtin_errors": false}))
    };
    let pack = rules("t/allow", "t/reason");
    assert_eq!(pack.decide(&json!({"tool": "search"})).unwrap(), Decision::allow());
    assert_eq!(pack.decide(&json!({"tool": "x"})).unwrap(), Decision::deny("not_search"));
    assert_eq!(rules("t/undefined", "t/reason").fault(&json!({"tool": "x"})), FaultKind::UndefinedDecision);
    assert_eq!(rules("t/name", "t/reason").fault(&json!({"tool": "x"})), FaultKind::MalformedDecision);
    assert_eq!(rules("t/allow", "t/number").fault(&json!({"tool": "x"})), FaultKind::MalformedDecision);
    assert_eq!(rules("t/allow", "t/conflict").fault(&json!({"tool": "shell"})), FaultKind::Conflict);
}

#[test]
fn data_stands_at_the_root_and_can_be_replaced() {
    let pack = Pack::of("decisions", "t/by_data").data(&json!({"tools": ["search"]}));
    let engine = pack.load().unwrap();
    let effect = |engine, tool: &str| decide(engine, &json!({"tool": tool})).unwrap().effect;
    let other = engine.with_data(json!({"tools": ["mail"]}).into()).unwrap();
    for _ in 0..3 {
        assert_eq!(effect(&*engine, "search"), DecisionEffect::Allow);
        assert_eq!(effect(&*engine, "mail"), DecisionEffect::Deny);
        assert_eq!(effect(&*other, "search"), DecisionEffect::Deny);
        assert_eq!(effect(&*other, "mail"), DecisionEffect::Allow);
    }
    let huge = json!({"tools": vec!["x".repeat(1000); 20_000]});
    assert!(engine.with_data(huge.into()).is_err());
    assert_eq!(effect(&*engine, "search"), DecisionEffect::Allow);
}

#[test]
fn a_text_passes_through_unchanged() {
    let echo = Pack::of("decisions", "t/echo").load().unwrap();
    for text in
        ["", "a\"b\\c/d", "\u{0}\u{1}\u{1f}\u{7f}", "é 漢字 🦀 \u{2028}", "</script>", "\u{10ffff}\u{fffd}"]
    {
        assert_eq!(reason(decide(&*echo, &json!({"tool": text}))), text, "{text:?}");
    }
}

#[test]
fn the_hosts_built_ins_see_what_the_policy_gave_them() {
    let answer = |entrypoint: &str, payload| reason(Pack::of("builtins", entrypoint).decide(&payload));
    let text = answer("b/text", json!({"agent": "a1", "tool": {"x": [1, null]}, "times": 3}));
    assert_eq!(text, r#"a1 may not call {"x": [1, null]} (3 times)"#);
    assert_eq!(answer("b/sets", json!({"list": [3, 1, 2, 1]})), "{1, 2, 3}");
    assert_eq!(answer("b/sets", json!({"list": []})), "set()");
    assert_eq!(answer("b/keys", json!({"list": [1, [2]]})), "{1: true, [2]: true}");
    assert_eq!(answer("b/clock", json!({})), "1000000000");
}

#[test]
fn a_host_built_in_that_fails_is_undefined_as_in_opa() {
    assert_eq!(reason(Pack::of("builtins", "b/fails").decide(&json!({"tool": "no version"}))), "undefined");
    assert_eq!(Pack::of("builtins", "b/fails").decide(&json!({"tool": "1.0.0"})).unwrap(), Decision::allow());
    assert_eq!(Pack::of("builtins", "b/undefined").decide(&json!({"tool": "a"})).unwrap(), Decision::allow());
    assert_eq!(Pack::of("builtins", "b/undefined").fault(&json!({"tool": 1})), FaultKind::UndefinedDecision);
}

#[test]
fn an_instant_that_regos_clock_cannot_hold_is_a_fault() {
    let engine = Pack::of("builtins", "b/clock").load().unwrap();
    let (open, payload) = (ShapeTable::everything(), json!({}));
    let request = Prepared::new(&payload, open.root(), jiff::Timestamp::MAX, None);
    assert_eq!(engine.decide(&request).unwrap_err().kind, FaultKind::Unrepresentable);
}

#[test]
fn an_explanation_says_that_there_is_no_trace() {
    let engine = Pack::of("decisions", "t/decision").load().unwrap();
    let (open, payload) = (ShapeTable::everything(), json!({"tool": "search"}));
    let explained =
        engine.explain(&Prepared::new(&payload, open.root(), jiff::Timestamp::UNIX_EPOCH, None)).unwrap();
    assert_eq!(explained.verdict.decision, Decision::allow());
    assert_eq!(explained.verdict.rules, Rules::UNAVAILABLE);
    assert!(explained.trace.is_empty() && explained.notes[0].contains("no trace"));
}

#[test]
fn a_module_with_too_small_a_memory_is_mended() {
    // That the fixture has the defect is asserted where the module is read.
    let pack = Pack::of("long_names", "l/decision");
    assert_eq!(pack.decide(&json!({"tool": "search"})).unwrap(), Decision::allow());
    assert_eq!(pack.decide(&json!({"rule": 7})).unwrap(), Decision::allow());
    assert_eq!(pack.decide(&json!({"rule": 999})).unwrap().effect, DecisionEffect::Deny);
}
