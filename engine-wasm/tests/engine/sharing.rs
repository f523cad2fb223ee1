//! One loaded pack under many evaluations, one after another and at once.

use std::collections::BTreeMap;
use std::sync::Barrier;

use serde_json::{Value, json};
use tribunal_engine_core::engine::Engine;
use tribunal_engine_core::fault::FaultKind;

use crate::harness::{Pack, decide};

/// Requests of every outcome with what a fresh engine says about each.
fn requests(pack: &Pack) -> Vec<(Value, Result<String, FaultKind>)> {
    let payloads = [
        json!({"tool": "search", "pairs": []}),
        json!({"tool": "shell"}),
        json!({}),
        json!({"tool": "é 🦀", "deep": {"a": [{"b": [[]]}]}}),
        json!({"tool": "search", "big": "x".repeat(50_000)}),
        json!({"tool": ["a"], "numbers": [0, -1, 1.5, u64::MAX, i64::MIN, 1e300]}),
    ];
    let asked = payloads.into_iter().map(|payload| {
        let answer = answer(&*pack.load().unwrap(), &payload);
        (payload, answer)
    });
    asked.collect()
}

fn answer(engine: &dyn Engine, payload: &Value) -> Result<String, FaultKind> {
    decide(engine, payload)
        .map(|decision| serde_json::to_string(&decision).unwrap())
        .map_err(|fault| fault.kind)
}

#[test]
fn a_warm_instance_answers_as_a_fresh_one() {
    for entrypoint in ["t/decision", "t/conflict", "t/by_data", "t/absent_input", "t/echo"] {
        let pack = Pack::of("decisions", entrypoint).data(&json!({"tools": ["search"]}));
        let requests = requests(&pack);
        let engine = pack.load().unwrap();
        for round in 0..20 {
            for (payload, expected) in &requests {
                assert_eq!(answer(&*engine, payload), *expected, "{entrypoint}, round {round}");
            }
        }
    }
}

#[test]
fn what_a_module_keeps_of_a_pattern_does_not_reach_the_next_request() {
    let pack = Pack::of("regex", "r/decision");
    let engine = pack.load().unwrap();
    let mut expected: BTreeMap<String, Result<String, FaultKind>> = BTreeMap::new();
    for round in 0..300 {
        let payload = json!({
            "patterns": [format!("^a{{{}}}$", round % 7), format!("b+{}", "c".repeat(round % 5)), format!("(x|y){round}")],
            "text": "a".repeat(round % 11),
        });
        let warm = answer(&*engine, &payload);
        let key = payload.to_string();
        if round < 40 {
            expected.insert(key.clone(), answer(&*pack.load().unwrap(), &payload));
        }
        let allowed = round % 11 == round % 7;
        assert_eq!(warm.clone().unwrap().contains("allow"), allowed, "round {round}");
        if let Some(expected) = expected.get(&key) {
            assert_eq!(warm, *expected, "round {round}");
        }
    }
}

#[test]
fn threads_share_a_pack_and_get_their_own_answers() {
    let pack = Pack::of("decisions", "t/echo").data(&json!({"tools": ["search"]}));
    let engine = pack.load().unwrap();
    let barrier = Barrier::new(4);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (engine, barrier) = (&engine, &barrier);
            scope.spawn(move || {
                barrier.wait();
                for round in 0..300 {
                    let text = format!("thread {thread}, round {round}");
                    let decision = decide(&**engine, &json!({"tool": text})).unwrap();
                    assert_eq!(decision.reason.as_deref(), Some(text.as_str()));
                    // A fault on one thread takes nothing from the others.
                    let fault = decide(&**engine, &json!({"tool": {"not": "a text"}})).unwrap_err();
                    assert_eq!(fault.kind, FaultKind::MalformedDecision);
                }
            });
        }
    });
}

#[test]
fn a_pack_is_loaded_and_dropped_while_others_decide() {
    let pack = Pack::of("decisions", "t/decision");
    let engine = pack.load().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..20 {
                drop(pack.load().unwrap());
            }
        });
        for _ in 0..500 {
            assert!(decide(&*engine, &json!({"tool": "search"})).is_ok());
        }
    });
}
