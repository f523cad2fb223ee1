//! Packs in service: swapped, reloaded, stale, taken out, shadowed.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tribunal::core::contract::parity::Difference;
use tribunal::core::dispatch::Dispatcher;
use tribunal::core::engine::LoadErrorKind;
use tribunal::core::limits::Span;

use crate::scripted::{GATE, check, dispatcher, dispatcher_with, load, request};

/// A pack that allows and says which version of its data it has seen.
fn versioned(name: &str) -> Value {
    json!({
        "name": name, "rules": [{"allow_with_version": true}], "data": {"version": "0"},
        "data_schema": {"required": ["version"], "properties": {"version": {"type": "string"}}},
    })
}

fn reason(dispatcher: &Dispatcher) -> Option<String> {
    dispatcher.evaluate(&request(&json!({}))).decision.reason
}

/// A request sees one set of packs from beginning to end, and never none: every answer is of one of the versions.
#[test]
fn packs_and_data_are_swapped_while_others_evaluate() {
    const SWAPS: usize = 400;
    let dispatcher = dispatcher(&json!([versioned("swapped"), versioned("steady")]));
    let done = AtomicBool::new(false);
    let start = Barrier::new(3);
    thread::scope(|scope| {
        let evaluating: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    let mut seen = std::collections::BTreeSet::new();
                    let mut last = 0;
                    while !done.load(Ordering::Acquire) {
                        let outcome = dispatcher.evaluate(&request(&json!({})));
                        let reason = outcome.decision.reason.expect("both packs allow and say why");
                        let (swapped, steady) = reason.split_once("; ").expect("both were asked");
                        let version: usize = swapped.parse().expect("a version that was once in service");
                        assert!(version >= last, "a swap was undone: {version} after {last}");
                        assert_eq!(steady, "0");
                        last = version;
                        seen.insert(version);
                    }
                    seen.len()
                })
            })
            .collect();
        start.wait();
        for version in 1..=SWAPS {
            let data = json!({"version": version.to_string()}).to_string();
            if version % 2 == 0 {
                dispatcher.swap_data("swapped", "new.json", data.as_bytes()).unwrap();
            } else {
                let mut newer = versioned("swapped");
                newer["data"] = json!({"version": version.to_string()});
                dispatcher.reload("swapped", load(&newer)).unwrap();
            }
            thread::yield_now();
        }
        // On a busy machine the others may not have run yet.
        thread::sleep(Duration::from_millis(20));
        done.store(true, Ordering::Release);
        for thread in evaluating {
            assert!(thread.join().expect("no evaluation failed") >= 1);
        }
    });
    assert_eq!(reason(&dispatcher).as_deref(), Some("400; 0"));
}

#[test]
fn bad_data_and_unknown_packs_change_nothing() {
    let dispatcher = dispatcher(&json!([versioned("pack")]));
    for (data, kind) in [
        (&br#"{"version": 1}"#[..], LoadErrorKind::Invalid),
        (b"{}", LoadErrorKind::Invalid),
        (b"[]", LoadErrorKind::Invalid),
        (b"{\"version\": ", LoadErrorKind::Syntax),
    ] {
        let errors = dispatcher.swap_data("pack", "new.json", data).unwrap_err();
        assert!(errors.has(kind), "{errors}");
        assert!(
            errors.iter().all(|error| error.location.as_ref().is_some_and(|place| place.file == "new.json")),
            "{errors}"
        );
        assert_eq!(reason(&dispatcher).as_deref(), Some("0"));
    }
    assert!(dispatcher.swap_data("pakc", "new.json", b"{\"version\": \"1\"}").is_err());
    assert!(dispatcher.unload("pakc").is_err());
    assert!(dispatcher.reload("pakc", load(&versioned("pakc"))).is_err());
    assert_eq!(reason(&dispatcher).as_deref(), Some("0"));
}

/// What `derive:` reads of the data is what is in force, and data it cannot use is refused with its place.
#[test]
fn derived_members_follow_the_data_in_force() {
    let mut pack = versioned("pack");
    let declared = json!({"source": "/context/peer", "ranges": {"data": "/inside"}});
    pack["derive"] = json!({"inside": {"in_ranges": declared}});
    pack["data"] = json!({"version": "0", "inside": ["10.0.0.0/8"]});
    let dispatcher = dispatcher(&json!([pack]));
    let is_inside = |peer: &str| {
        let payload = json!({"context": {"peer": peer}});
        let prepared =
            dispatcher.packs()[0].prepare(&payload, jiff::Timestamp::UNIX_EPOCH).unwrap().into_owned();
        prepared["derived"]["inside"].as_bool().unwrap()
    };
    assert!(is_inside("10.1.2.3") && !is_inside("192.0.2.1"));
    dispatcher.swap_data("pack", "new.json", br#"{"version": "1", "inside": ["192.0.2.0/24"]}"#).unwrap();
    assert!(!is_inside("10.1.2.3") && is_inside("192.0.2.1"));
    for bad in [r#"{"version": "2", "inside": ["192.0.2.1/24"]}"#, r#"{"version": "2"}"#] {
        let errors = dispatcher.swap_data("pack", "new.json", bad.as_bytes()).unwrap_err();
        assert!(errors.has(LoadErrorKind::Invalid), "{errors}");
        assert!(errors.to_string().contains("new.json:1:"), "{errors}");
        assert_eq!(reason(&dispatcher).as_deref(), Some("1"));
        assert!(!is_inside("10.1.2.3") && is_inside("192.0.2.1"), "the old data stays");
    }
    pack["data"] = json!({"version": "0", "inside": ["10/8"]});
    let errors = load(&pack).unwrap_err().to_string();
    assert!(errors.contains("pack/data.json:1:") && errors.contains("`10/8` is no range"), "{errors}");
}

#[test]
fn swapped_data_stands_in_the_outcome() {
    let dispatcher = dispatcher(&json!([versioned("pack")]));
    let identity = || dispatcher.evaluate(&request(&json!({}))).packs[0].identity.clone();
    let before = identity();
    assert_eq!(before.data_digest, None);
    dispatcher.swap_data("pack", "new.json", br#"{"version": "1"}"#).unwrap();
    assert_eq!(identity().digest, before.digest, "the pack is the same");
    assert!(identity().data_digest.as_ref().is_some_and(|digest| digest.starts_with("sha256:")));
}

/// The last good version goes on deciding, says so, and stops when it is too old.
#[test]
fn a_failed_reload_leaves_the_last_good_version_for_a_while() {
    let broken = || load(&json!({"name": "pack", "engines": {"scripted": {"refuse": "syntax"}}}));
    let patient = dispatcher(&json!([versioned("pack")]));
    let strict = dispatcher_with(&json!([versioned("pack")]), |deployment| {
        deployment.max_stale = Some(Span(Duration::from_millis(30)));
    });
    for dispatcher in [&patient, &strict] {
        assert!(!dispatcher.evaluate(&request(&json!({}))).packs[0].stale);
        assert!(dispatcher.reload("pack", broken()).is_err());
    }
    assert!(patient.evaluate(&request(&json!({}))).packs[0].stale, "every outcome says so");
    assert_eq!(reason(&patient).as_deref(), Some("0"));
    thread::sleep(Duration::from_millis(20));
    // A second failure does not make the version younger.
    assert!(strict.reload("pack", broken()).is_err());
    thread::sleep(Duration::from_millis(20));
    assert_eq!(reason(&strict).as_deref(), Some("engine_error:stale"));
    assert_eq!(reason(&patient).as_deref(), Some("0"), "without `max_stale` it decides for ever");
    strict.reload("pack", load(&versioned("pack"))).unwrap();
    assert_eq!(reason(&strict).as_deref(), Some("0"));
    assert!(!strict.evaluate(&request(&json!({}))).packs[0].stale);
}

/// Other data is not another version: a pack that is stale stays so.
#[test]
fn swapping_data_does_not_make_a_stale_pack_fresh() {
    let dispatcher = dispatcher(&json!([versioned("pack")]));
    assert!(
        dispatcher
            .reload("pack", load(&json!({"name": "pack", "engines": {"scripted": {"refuse": "syntax"}}})))
            .is_err()
    );
    dispatcher.swap_data("pack", "new.json", br#"{"version": "1"}"#).unwrap();
    assert!(dispatcher.evaluate(&request(&json!({}))).packs[0].stale);
}

#[test]
fn what_an_unloaded_pack_claims_is_denied() {
    let mut guard = versioned("guard");
    guard["when"] = json!({"boundary": ["tool"]});
    let dispatcher = dispatcher(&json!([guard, versioned("other")]));
    dispatcher.unload("guard").unwrap();
    let decide = |boundary: &str| dispatcher.evaluate(&request(&json!({"boundary": boundary}))).decision;
    assert_eq!(decide("tool").reason.as_deref(), Some("engine_error:not_loaded; 0"));
    assert_eq!(decide("tool").effect.as_str(), "deny", "what it claims is denied, not skipped");
    assert_eq!(decide("egress").effect.as_str(), "allow", "what it does not claim is not its business");
    // Nor does other data, or a version that fails to load, bring it back.
    dispatcher.swap_data("guard", "new.json", br#"{"version": "1"}"#).unwrap();
    assert!(
        dispatcher
            .reload("guard", load(&json!({"name": "guard", "engines": {"scripted": {"refuse": "syntax"}}})))
            .is_err()
    );
    assert_eq!(decide("tool").effect.as_str(), "deny");
    dispatcher.reload("guard", load(&guard)).unwrap();
    assert_eq!(decide("tool").effect.as_str(), "allow");
}

/// A shadow is asked and written down, and decides nothing, whatever it says.
#[test]
fn shadows_never_decide() {
    let answer = |answer: Value| json!({"rules": [answer]});
    let allow = || answer(json!({"answer": {"effect": "allow"}}));
    for (what, deciding, shadow, expected, differences) in [
        ("agreeing", allow(), allow(), "allow", vec![]),
        (
            "a denial",
            allow(),
            answer(json!({"answer": {"effect": "deny", "reason": "no"}})),
            "allow",
            vec![Difference::Effect, Difference::Reason],
        ),
        (
            "a fault",
            allow(),
            answer(json!({"fault": "trap"})),
            "allow",
            vec![Difference::Fault, Difference::Effect],
        ),
        (
            "a panic",
            allow(),
            answer(json!({"panic": true})),
            "allow",
            vec![Difference::Fault, Difference::Effect],
        ),
        (
            "a permission",
            answer(json!({"answer": {"effect": "deny"}})),
            allow(),
            "deny",
            vec![Difference::Effect],
        ),
        (
            "a permission beside a fault",
            answer(json!({"fault": "trap"})),
            allow(),
            "deny",
            vec![Difference::Fault, Difference::Effect],
        ),
        (
            "a redaction",
            allow(),
            answer(
                json!({"answer": {"effect": "redact", "patches": [{"op": "remove", "path": "/context/a"}]}}),
            ),
            "allow",
            vec![Difference::Effect],
        ),
    ] {
        let pack = json!({"name": "guard", "shadow": ["other"], "redactable": ["/context"], "engines": {"scripted": deciding, "other": shadow}});
        let outcome = dispatcher(&json!([pack])).evaluate(&request(&json!({"context": {"a": 1}})));
        assert_eq!(outcome.decision.effect.as_str(), expected, "{what}");
        let shadows = &outcome.packs[0].shadows;
        assert_eq!(shadows.len(), 1, "{what}: it was asked once, and written down");
        assert_eq!(shadows[0].engine, "other");
        assert_eq!(shadows[0].differences, differences, "{what}");
    }
}

#[test]
fn a_shadow_that_cannot_be_loaded_is_refused_with_its_pack() {
    let pack = json!({"name": "guard", "shadow": ["other"], "engines": {"scripted": {"rules": []}, "other": {"refuse": "syntax"}}});
    assert!(load(&pack).is_err());
}

/// The reasons of packs stand in the deployment's order, whatever they are.
#[test]
fn reasons_stand_in_pack_order() {
    let denying =
        |name: &str| json!({"name": name, "rules": [{"answer": {"effect": "deny", "reason": name}}]});
    for (packs, reason) in
        [(json!([denying("a"), denying("b")]), "a; b"), (json!([denying("b"), denying("a")]), "b; a")]
    {
        check(reason, &packs, &json!({}), &json!({"effect": "deny", "reason": reason}));
    }
}

/// Data that is on its way into an old version does not bring that version back.
#[test]
fn a_swap_of_data_does_not_undo_a_reload() {
    let waiting = json!({
        "name": "pack", "data": {"version": "0"},
        "engines": {"scripted": {"rules": [{"answer": {"effect": "allow", "reason": "old policy"}}], "waits": true}},
    });
    let newer = json!({"name": "pack", "rules": [{"answer": {"effect": "deny", "reason": "new policy"}}]});
    let dispatcher = dispatcher(&json!([waiting]));
    thread::scope(|scope| {
        let swap = scope.spawn(|| dispatcher.swap_data("pack", "new.json", br#"{"version": "1"}"#));
        while !GATE.reached.load(Ordering::Acquire) && !swap.is_finished() {
            thread::yield_now();
        }
        dispatcher.reload("pack", load(&newer)).unwrap();
        GATE.open.store(true, Ordering::Release);
        swap.join().expect("no panic").unwrap();
    });
    let pack = &dispatcher.evaluate(&request(&json!({}))).packs[0];
    assert_eq!(pack.decision.reason.as_deref(), Some("new policy"));
    assert!(pack.identity.data_digest.is_some(), "and the data is the newer version's");
}
