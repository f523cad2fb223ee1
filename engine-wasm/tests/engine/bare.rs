//! The bare module, which measurements hold the engine against, answers as the engine does.

use serde_json::{Value, json};
use tribunal_engine_core::contract::Decision;
use tribunal_engine_core::engine::Prepared;
use tribunal_engine_core::fault::{Fault, FaultKind, LimitKind};
use tribunal_engine_core::pack::ShapeTable;
use tribunal_engine_wasm::bare::{Bare, Input, Warm};

use crate::harness::{Pack, decide};

fn warm(pack: &Pack) -> Warm {
    Bare::load(&pack.source().unwrap(), &pack.context).unwrap().start().unwrap()
}

/// What the module and the stages say at one second past the epoch.
fn ask(warm: &mut Warm, payload: &Value) -> [Result<Decision, FaultKind>; 2] {
    let open = ShapeTable::everything();
    let request = Prepared::new(payload, open.root(), jiff::Timestamp::from_second(1).unwrap(), None);
    let called = |warm: &mut Warm| -> Result<Decision, Fault> {
        let at = warm.opa_eval(&Input::of(&request)?)?;
        let value = warm.value(at)?;
        Decision::from_wire(&value.ok_or_else(|| Fault::new(FaultKind::UndefinedDecision, ""))?)
    };
    let of_module = called(warm).map_err(|fault| fault.kind);
    let of_stages =
        warm.stages(&request, &mut |_| {}).map(|verdict| verdict.decision).map_err(|fault| fault.kind);
    [of_module, of_stages]
}

#[test]
fn the_bare_module_answers_as_the_engine_at_the_instant_of_the_request() {
    for (fixture, entrypoint, payload) in [
        ("decisions", "t/decision", json!({"tool": "search"})),
        ("decisions", "t/decision", json!({"tool": "shell"})),
        ("decisions", "t/undefined", json!({})),
        ("builtins", "b/clock", json!({})),
    ] {
        let pack = Pack::of(fixture, entrypoint);
        let expected = decide(&*pack.load().unwrap(), &payload).map_err(|fault| fault.kind);
        assert_eq!(ask(&mut warm(&pack), &payload), [expected.clone(), expected], "{entrypoint}");
    }
}

#[test]
fn an_instance_that_failed_is_not_asked_again() {
    let pack = Pack::of("decisions", "t/decision").limits(json!({"fuel": 100_000}));
    let mut warm = warm(&pack);
    let small = json!({"tool": "search"});
    assert_eq!(ask(&mut warm, &small), [Ok(Decision::allow()), Ok(Decision::allow())]);
    let large = json!({"tool": "search", "list": vec![1; 9_000]});
    let fuel = FaultKind::Limit(LimitKind::Fuel);
    assert_eq!(ask(&mut warm, &large), [Err(fuel), Err(FaultKind::NotLoaded)]);
    assert_eq!(ask(&mut warm, &small), [Err(FaultKind::NotLoaded), Err(FaultKind::NotLoaded)]);
}
