//! The bare module, which measurements hold the engine against, answers as the engine does.

use serde_json::{Value, json};
use tribunal_engine_core::contract::{Decision, DecisionEffect};
use tribunal_engine_core::engine::{EngineFactory, LoadContext, LoadErrorKind, Prepared};
use tribunal_engine_core::fault::{Fault, FaultKind, LimitKind};
use tribunal_engine_core::pack::{PackSource, ShapeTable};
use tribunal_engine_wasm::RegoWasmFactory;
use tribunal_engine_wasm::bare::per_call::PerCall;
use tribunal_engine_wasm::bare::{Bare, Input, Warm};

use crate::harness::{Fixture, Pack, decide};
use crate::shipped;

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

/// What the engine decides, and what an instance for this decision alone does.
fn both(pack: &PackSource, payload: &Value) -> [Result<Decision, FaultKind>; 2] {
    let open = ShapeTable::everything();
    let request = Prepared::new(payload, open.root(), jiff::Timestamp::from_second(1).unwrap(), None);
    let engine = RegoWasmFactory.load(pack, &LoadContext::default()).unwrap();
    let module = PerCall::load(pack).unwrap();
    let alone = || -> Result<Decision, Fault> {
        let value = module.decide(&Input::of(&request)?)?;
        Decision::from_wire(&value.ok_or_else(|| Fault::new(FaultKind::UndefinedDecision, ""))?)
    };
    let first = alone();
    assert_eq!(alone(), first, "nothing of a decision is left for the next");
    [engine.decide(&request).map(|verdict| verdict.decision), first]
        .map(|decided| decided.map_err(|fault| fault.kind))
}

#[test]
fn an_instance_for_each_decision_answers_as_the_engine() {
    for (name, tool, effect) in [
        ("tool-allowlist", "web_search", DecisionEffect::Allow),
        ("tool-allowlist", "execute_shell", DecisionEffect::Deny),
        ("step-up-tools", "execute_shell", DecisionEffect::StepUp),
    ] {
        let payload = json!({
            "subject": {"type": "agent", "id": "spiffe://poc.local/agents/mcp-client/dspy-researcher/dev"},
            "action": {"name": "tools/call"},
            "resource": {"type": "tool", "id": tool},
        });
        let [engine, alone] = both(&shipped::source(name, shipped::files(name)), &payload);
        assert_eq!(engine.as_ref().map(|decision| decision.effect), Ok(effect), "{name}");
        assert_eq!(alone, engine, "{name}");
    }
    // A built-in of the host's, at the instant of the request; rules that contradict each other; and no answer.
    for (fixture, entrypoint, payload) in [
        ("builtins", "b/clock", json!({})),
        ("decisions", "t/conflict", json!({"tool": "shell"})),
        ("decisions", "t/undefined", json!({})),
    ] {
        let [engine, alone] = both(&Pack::of(fixture, entrypoint).source().unwrap(), &payload);
        assert_eq!(alone, engine, "{entrypoint}");
    }
}

#[test]
fn a_module_without_its_built_ins_is_refused_and_not_answered() {
    let pack = Pack::of("missing", &Fixture::read("missing").entrypoints()[0]).source().unwrap();
    let errors = PerCall::load(&pack).unwrap_err();
    let kinds: Vec<LoadErrorKind> = errors.iter().map(|error| error.kind).collect();
    assert_eq!(kinds, [LoadErrorKind::MissingBuiltin], "{errors}");
}

#[test]
fn an_entrypoint_that_the_module_does_not_have_is_refused() {
    let errors = PerCall::load(&Pack::of("decisions", "t/decisiom").source().unwrap()).unwrap_err();
    assert!(errors.to_string().contains("no entrypoint `t/decisiom`"), "{errors}");
}
