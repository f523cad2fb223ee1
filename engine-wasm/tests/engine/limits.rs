//! Every limit has its fault, and the engine goes on afterwards.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tribunal_engine_core::engine::LoadErrorKind;
use tribunal_engine_core::fault::{FaultKind, LimitKind};

use crate::harness::{Pack, decide};

fn numbers(count: u32) -> Value {
    json!({"list": (0..count).collect::<Vec<_>>()})
}

#[test]
fn a_policy_that_does_not_end_runs_out_of_fuel_by_default() {
    assert_eq!(Pack::of("decisions", "t/busy").fault(&numbers(400)), FaultKind::Limit(LimitKind::Fuel));
}

#[test]
fn fuel_is_what_the_pack_or_the_deployment_says() {
    let payload = numbers(6);
    let with = |fuel: u64| Pack::of("decisions", "t/busy").limits(json!({"fuel": fuel}));
    assert_eq!(with(1_000_000_000).fault(&payload), FaultKind::UndefinedDecision);
    assert_eq!(with(100_000).fault(&payload), FaultKind::Limit(LimitKind::Fuel));
    assert_eq!(with(1).fault(&payload), FaultKind::Limit(LimitKind::Fuel));
}

#[test]
fn the_same_evaluation_costs_the_same_fuel_every_time() {
    // The least fuel that suffices, found once, suffices on a fresh and on a warm instance, and one less never does.
    let payload = json!({"tool": "search"});
    let suffices = |fuel: u64| {
        let engine = Pack::of("decisions", "t/decision").limits(json!({"fuel": fuel})).load().unwrap();
        let results: Vec<bool> = (0..3).map(|_| decide(&*engine, &payload).is_ok()).collect();
        assert!(results.iter().all(|result| *result == results[0]), "{fuel}: {results:?}");
        results[0]
    };
    let (mut low, mut high) = (1_u64, 10_000_000);
    while low + 1 < high {
        let middle = low.midpoint(high);
        if suffices(middle) { high = middle } else { low = middle }
    }
    assert!(suffices(high) && !suffices(high - 1));
}

#[test]
fn the_largest_request_fits_into_the_default_limits() {
    let words: Vec<String> = (0..60_000).map(|index| format!("a word, number {index}")).collect();
    let payload = json!({"tool": "search", "words": words});
    assert!(payload.to_string().len() > 800_000);
    assert!(Pack::of("decisions", "t/decision").decide(&payload).is_ok());
}

#[test]
fn a_policy_that_eats_memory_is_stopped() {
    let pack = Pack::of("decisions", "t/hungry").limits(json!({"fuel": 100_000_000_000_u64}));
    assert!(pack.decide(&json!({"many": 1000})).is_ok());
    assert_eq!(pack.fault(&json!({"many": 5_000_000})), FaultKind::Limit(LimitKind::Memory));
    let small = pack.limits(json!({"memory": "1MiB", "fuel": 100_000_000_000_u64}));
    assert_eq!(small.fault(&json!({"many": 100_000})), FaultKind::Limit(LimitKind::Memory));
    assert_eq!(small.fault(&json!({"text": "x".repeat(2 << 20)})), FaultKind::Limit(LimitKind::Memory));
}

#[test]
fn an_answer_is_bounded() {
    let pack = Pack::of("decisions", "t/long");
    let payload = |times: u32| json!({"word": "x".repeat(1000), "times": times});
    assert!(pack.decide(&payload(200)).is_ok());
    assert_eq!(pack.fault(&payload(300)), FaultKind::Limit(LimitKind::Output));
    assert_eq!(
        pack.limits(json!({"output": "1KiB"})).fault(&payload(2)),
        FaultKind::Limit(LimitKind::Output)
    );
}

#[test]
fn a_deadline_ends_what_fuel_would_let_run() {
    let pack =
        Pack::of("decisions", "t/busy").limits(json!({"deadline": "30ms", "fuel": 1_000_000_000_000_u64}));
    let engine = pack.load().unwrap();
    let start = Instant::now();
    let fault = decide(&*engine, &numbers(2000)).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Limit(LimitKind::Deadline));
    assert!(start.elapsed() >= Duration::from_millis(30), "never early");
    // A short evaluation on the same engine has its own deadline.
    assert_eq!(decide(&*engine, &numbers(2)).unwrap_err().kind, FaultKind::UndefinedDecision);
}

#[test]
fn an_engine_decides_as_before_after_every_fault() {
    let pack = Pack::of("decisions", "t/conflict").limits(json!({"fuel": 3_000_000, "memory": "2MiB"}));
    let engine = pack.load().unwrap();
    let fine = json!({"tool": "x"});
    let expected = decide(&*engine, &fine).unwrap();
    for (payload, kind) in [
        (json!({"tool": "shell"}), FaultKind::Conflict),
        (json!({"tool": "x", "big": "y".repeat(3 << 20)}), FaultKind::Limit(LimitKind::Memory)),
        (json!({"tool": "x", "many": vec![1; 50_000]}), FaultKind::Limit(LimitKind::Fuel)),
        (json!({}), FaultKind::UndefinedDecision),
    ] {
        assert_eq!(decide(&*engine, &payload).unwrap_err().kind, kind);
        assert_eq!(decide(&*engine, &fine).unwrap(), expected);
    }
}

#[test]
fn data_that_does_not_fit_is_refused_at_load() {
    let data = json!({"tools": vec!["x".repeat(100); 10_000]});
    let pack = Pack::of("decisions", "t/by_data").data(&data);
    assert!(pack.load().is_ok());
    let errors = pack.limits(json!({"memory": "1MiB"})).load().unwrap_err();
    assert!(errors.has(LoadErrorKind::Bounds), "{errors}");
    assert!(errors.to_string().contains("limits.memory"), "{errors}");
    let errors = Pack::of("decisions", "t/decision").limits(json!({"memory": "64KiB"})).load().unwrap_err();
    assert!(errors.has(LoadErrorKind::Bounds), "{errors}");
}
