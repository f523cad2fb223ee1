//! The fault table of the contract: the rows that the core and dispatch can have.

use serde_json::{Value, json};
use tribunal::core::contract::{DecisionEffect, PolicyRequest};
use tribunal::core::engine::LoadErrorKind;
use tribunal::core::fault::FaultKind;

use crate::scripted::{check, dispatcher, fault, load, request};

fn allowing() -> Value {
    json!({"name": "allowing", "rules": [{"answer": {"effect": "allow"}}]})
}

/// Whatever fault an engine meets is a denial that names it, and no other pack's permission changes that.
#[test]
fn every_fault_of_an_engine_denies_by_its_name() {
    for kind in FaultKind::ALL {
        let pack = json!({"name": "failing", "rules": [{"fault": kind.as_str()}]});
        let outcome =
            check(kind.as_str(), &json!([allowing(), pack, allowing()]), &json!({}), &fault(kind.as_str()));
        assert_eq!(outcome.packs[1].fault.as_ref().map(|fault| fault.kind), Some(kind));
    }
}

#[test]
fn rows_of_the_core() {
    let redact = |path: &str| json!({"effect": "redact", "patches": [{"op": "remove", "path": path}]});
    let rows = [
        ("no rule speaks", json!({"rules": []}), json!({}), "undefined_decision"),
        (
            "a redact without patches",
            json!({"rules": [{"answer": {"effect": "redact"}}]}),
            json!({}),
            "malformed_decision",
        ),
        (
            "an allow with patches",
            json!({"rules": [{"answer": {"effect": "allow", "patches": [{"op": "remove", "path": "/context/a"}]}}], "redactable": ["/context"]}),
            json!({"context": {"a": 1}}),
            "malformed_decision",
        ),
        (
            "a step-up demanded beside a denial",
            json!({"rules": [{"answer": {"effect": "deny", "step_up": {"method": "mfa"}}}]}),
            json!({}),
            "malformed_decision",
        ),
        (
            "a patch outside `redactable`",
            json!({"rules": [{"answer": redact("/context/a")}]}),
            json!({"context": {"a": 1}}),
            "malformed_patch",
        ),
        (
            "a patch beside `redactable`",
            json!({"rules": [{"answer": redact("/context/ab")}], "redactable": ["/context/a"]}),
            json!({"context": {"a": 1, "ab": 2}}),
            "malformed_patch",
        ),
        (
            "a patch on nothing",
            json!({"rules": [{"answer": redact("/context/b")}], "redactable": ["/context"]}),
            json!({"context": {"a": 1}}),
            "malformed_patch",
        ),
        (
            "a request against the schema",
            json!({"rules": [{"answer": {"effect": "allow"}}], "schema": {"required": ["subject"]}}),
            json!({}),
            "schema",
        ),
        (
            "a source that cannot be read",
            json!({"rules": [{"answer": {"effect": "allow"}}], "derive": {"x": {"lower": {"source": "/context/a"}}}}),
            json!({"context": {"a": 1}}),
            "derive",
        ),
        (
            "no token where one is required",
            json!({"rules": [{"answer": {"effect": "allow"}}], "token": "required"}),
            json!({}),
            "token:missing",
        ),
        ("a panic", json!({"rules": [{"panic": true}]}), json!({}), "panic"),
    ];
    for (what, pack, payload, kind) in rows {
        if kind == "token:missing" {
            // No scripted engine has tokens, so such a pack does not even load.
            let errors = load(&named(&pack)).unwrap_err();
            assert!(errors.has(LoadErrorKind::Unsupported), "{errors}");
            continue;
        }
        check(what, &json!([named(&pack)]), &payload, &fault(kind));
        check(what, &json!([allowing(), named(&pack)]), &payload, &fault(kind));
    }
}

fn named(pack: &Value) -> Value {
    let mut pack = pack.clone();
    pack["name"] = json!("guard");
    pack
}

#[test]
fn rows_of_the_front_door() {
    let deep = format!("{}1{}", r#"{"a":"#.repeat(65), "}".repeat(65));
    let many = format!(r#"{{"a": [{}1]}}"#, "1,".repeat(100_000));
    let large = format!(r#"{{"a": "{}"}}"#, "x".repeat(1 << 20));
    for (what, text) in [
        ("truncated", &br#"{"a": "#[..]),
        ("not an object", b"[]"),
        ("a name twice", br#"{"a": 1, "a": 2}"#),
        ("not UTF-8", b"{\"a\": \"\xff\"}"),
        ("a number that would be rounded", br#"{"a": 12345678901234567890123}"#),
        ("too deep", deep.as_bytes()),
        ("too many values", many.as_bytes()),
        ("too large", large.as_bytes()),
        ("its own `derived`", br#"{"derived": {}}"#),
    ] {
        let refused = PolicyRequest::from_slice(text).expect_err(what);
        assert_eq!(refused.kind, FaultKind::RequestBounds, "{what}");
    }
    // A value made by a program passes no door, so dispatch holds the bounds.
    let dispatcher = dispatcher(&json!([allowing()]));
    let mut nested = json!(1);
    for _ in 0..65 {
        nested = json!({ "a": nested });
    }
    for (what, payload) in [("too deep", nested), ("too many values", json!({"a": vec![0; 100_001]}))] {
        let request = PolicyRequest::from_object(payload.as_object().unwrap().clone()).unwrap();
        let outcome = dispatcher.evaluate(&request);
        assert_eq!(outcome.decision.reason.as_deref(), Some("engine_error:request_bounds"), "{what}");
        assert!(outcome.packs.is_empty(), "{what}: no pack was asked");
    }
}

#[test]
fn a_request_that_no_pack_claims_is_denied() {
    let pack = json!({"name": "egress", "when": {"boundary": ["egress"]}, "rules": [{"answer": {"effect": "allow"}}]});
    check("claimed", &json!([pack]), &json!({"boundary": "egress"}), &json!({"effect": "allow"}));
    let outcome = check(
        "unclaimed",
        &json!([pack]),
        &json!({"boundary": "tool"}),
        &json!({"effect": "deny", "reason": "no_pack_matched"}),
    );
    assert_eq!(outcome.rounds, 0);
    check("no packs at all", &json!([]), &json!({}), &json!({"effect": "deny", "reason": "no_pack_matched"}));
}

/// A panic is caught where it happens: the next request is decided as if nothing had been.
#[test]
fn a_panic_leaves_the_decision_point_whole() {
    let pack = json!({"name": "fragile", "rules": [{"if": "/context/poison", "panic": true}, {"answer": {"effect": "allow"}}]});
    let dispatcher = dispatcher(&json!([pack]));
    for (payload, effect) in [
        (json!({}), DecisionEffect::Allow),
        (json!({"context": {"poison": 1}}), DecisionEffect::Deny),
        (json!({}), DecisionEffect::Allow),
    ] {
        assert_eq!(dispatcher.evaluate(&request(&payload)).decision.effect, effect);
    }
    let loading = json!({"name": "fragile", "engines": {"scripted": {"refuse": "panic"}}});
    assert!(load(&loading).unwrap_err().has(LoadErrorKind::Invalid));
}
