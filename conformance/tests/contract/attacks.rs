//! Attacks on the contract: requests and packs that try to be decided as what they are not.

use serde_json::{Value, json};
use tribunal::core::contract::{PolicyRequest, Token};
use tribunal::core::engine::LoadErrorKind;

use crate::scripted::{check, fault, load, request, source};

const RUN: &str = "018f4a6e-0000-7000-8000-000000000001";
const STEP: &str = "018f4a6e-0000-7000-8000-000000000002";

fn guard(when: &Value) -> Value {
    json!({"name": "guard", "when": when, "rules": [{"answer": {"effect": "deny", "reason": "guarded"}}]})
}

fn permissive() -> Value {
    json!({"name": "permissive", "rules": [{"answer": {"effect": "allow"}}]})
}

/// A request that hides what a guard is chosen by gets past no guard, even where another pack would allow it.
#[test]
fn leaving_out_or_misspelling_what_packs_are_chosen_by_is_unclassified() {
    let unclassified = fault("unclassified");
    let denied = json!({"effect": "deny", "reason": "guarded"});
    let allowed = json!({"effect": "allow"});
    let boundary = json!({"boundary": ["tool"]});
    let action = json!({"action.name": ["tools/call"]});
    let tenant = json!({"/context/tenant": ["a", "b"], "boundary": ["tool"]});
    for (what, when, payload, expected) in [
        ("mine", &boundary, json!({"boundary": "tool"}), &denied),
        ("known and different", &boundary, json!({"boundary": "egress"}), &allowed),
        ("left out", &boundary, json!({}), &unclassified),
        ("misspelt", &boundary, json!({"boundary": "tools"}), &unclassified),
        ("another case", &boundary, json!({"boundary": "Tool"}), &unclassified),
        ("a space behind it", &boundary, json!({"boundary": "tool "}), &unclassified),
        ("null", &boundary, json!({"boundary": null}), &unclassified),
        ("in a list", &boundary, json!({"boundary": ["tool"]}), &unclassified),
        ("a misspelt boundary nobody asks for", &json!({}), json!({"boundary": "tools"}), &unclassified),
        ("mine by action", &action, json!({"action": {"name": "tools/call"}}), &denied),
        ("another action", &action, json!({"action": {"name": "tools/list"}}), &allowed),
        ("no action", &action, json!({"action": {}}), &unclassified),
        ("an action that is no object", &action, json!({"action": "tools/call"}), &unclassified),
        (
            "one key of two different",
            &tenant,
            json!({"boundary": "tool", "context": {"tenant": "c"}}),
            &allowed,
        ),
        ("one key of two absent", &tenant, json!({"boundary": "tool"}), &unclassified),
        ("one absent, the other different", &tenant, json!({"boundary": "egress"}), &allowed),
        ("both", &tenant, json!({"boundary": "tool", "context": {"tenant": "b"}}), &denied),
    ] {
        check(what, &json!([guard(when), permissive()]), &payload, expected);
    }
}

/// Derived members are the host's; a request that brings them would speak for it.
#[test]
fn a_request_cannot_bring_its_own_derived_members() {
    let payload = json!({"derived": {"agent_class": "admin"}});
    let refused = PolicyRequest::from_slice(payload.to_string().as_bytes()).unwrap_err();
    assert_eq!(refused.kind.as_str(), "request_bounds");
    let pack = json!({
        "name": "by-class",
        "derive": {"class": {"regex": {"source": "/subject/id", "pattern": "^agent-(.*)$", "capture": 1}}},
        "rules": [{"if": "/derived/class", "answer": {"effect": "allow"}}, {"answer": {"effect": "deny"}}],
    });
    check("derived", &json!([pack]), &json!({"subject": {"id": "agent-x"}}), &json!({"effect": "allow"}));
    check("not derived", &json!([pack]), &json!({"subject": {"id": "x"}}), &json!({"effect": "deny"}));
    check(
        "under another member",
        &json!([pack]),
        &json!({"subject": {"id": "x"}, "context": {"derived": {"class": "x"}}}),
        &json!({"effect": "deny"}),
    );
}

/// A caller cannot speak for another run by carrying its id along.
#[test]
fn a_request_cannot_carry_another_runs_id() {
    let (run, step) = (RUN.parse().unwrap(), STEP.parse().unwrap());
    let dispatcher = crate::scripted::dispatcher(&json!([permissive()]));
    for (payload, reason) in [
        (json!({"run_id": RUN, "step_id": STEP}), None),
        (json!({"run_id": STEP}), Some("engine_error:request_bounds")),
        (json!({"step_id": "nonsense"}), Some("engine_error:request_bounds")),
        (json!({"derived": {}}), Some("engine_error:request_bounds")),
    ] {
        let decision = dispatcher.evaluate(&PolicyRequest::new(run, step, payload.clone())).decision;
        assert_eq!(decision.reason.as_deref(), reason, "{payload}");
    }
}

/// Who asks for what can be redacted by no pack: neither may the manifest offer it, nor a patch reach it from above.
#[test]
fn identity_cannot_be_redacted() {
    let payload = json!({
        "subject": {"type": "agent", "id": "mallory", "properties": {"clearance": "none"}}, "action": {"name": "read"},
        "resource": {"type": "file", "id": "f", "properties": {"body": "text"}}, "boundary": "tool", "run_id": RUN, "step_id": STEP, "context": {"a": 1},
    });
    for place in [
        "",
        "/subject",
        "/subject/id",
        "/subject/properties/clearance",
        "/action/name",
        "/resource",
        "/resource/id",
        "/boundary",
        "/run_id",
        "/step_id",
        "/derived",
    ] {
        let pack =
            json!({"name": "greedy", "redactable": [place], "rules": [{"answer": {"effect": "allow"}}]});
        let errors = source(&pack).expect_err(place);
        assert!(errors.has(LoadErrorKind::Invalid), "{place}: {errors}");
        for patch in [
            json!({"op": "replace", "path": place, "value": "alice"}),
            json!({"op": "remove", "path": place}),
        ] {
            let pack = json!({
                "name": "greedy", "redactable": ["/context", "/resource/properties"],
                "rules": [{"answer": {"effect": "redact", "patches": [patch]}}],
            });
            check(place, &json!([pack]), &payload, &fault("malformed_patch"));
        }
    }
    // A neighbour of an identity is data.
    let pack = json!({
        "name": "fair", "redactable": ["/resource/properties"],
        "rules": [
            {"if": "/resource/properties/body", "answer": {"effect": "redact", "patches": [{"op": "remove", "path": "/resource/properties/body"}]}},
            {"answer": {"effect": "allow"}},
        ],
    });
    let redacted =
        json!({"effect": "redact", "patches": [{"op": "remove", "path": "/resource/properties/body"}]});
    check("a property", &json!([pack]), &payload, &redacted);
}

/// An artefact that is not what its lock says is not "an engine that is not there".
#[test]
fn a_fallback_stands_in_for_absence_alone() {
    let answers = json!({"rules": [{"answer": {"effect": "allow"}}]});
    for (refusal, stands_in) in
        [("absent", true), ("artefact", false), ("syntax", false), ("invalid", false), ("panic", false)]
    {
        let pack = json!({"name": "guard", "fallback": "other", "engines": {"scripted": {"refuse": refusal}, "other": answers}});
        let loaded = load(&pack);
        assert_eq!(loaded.is_ok(), stands_in, "{refusal}");
        if let Ok(loaded) = loaded {
            assert_eq!(loaded.identity().engine, "other");
            assert_eq!(loaded.identity().fallback_from.as_deref(), Some("scripted"));
        }
        let alone = json!({"name": "guard", "engines": {"scripted": {"refuse": refusal}, "other": answers}});
        assert!(load(&alone).is_err(), "{refusal}: nobody configured a fallback");
    }
    let not_built_in = json!({"name": "guard", "engine": "missing", "fallback": "other", "engines": {"missing": {}, "other": answers}});
    let outcome = check("not built in", &json!([not_built_in]), &json!({}), &json!({"effect": "allow"}));
    assert_eq!(outcome.packs[0].identity.fallback_from.as_deref(), Some("missing"), "every outcome says so");
    let broken = json!({"name": "guard", "engine": "missing", "fallback": "other", "engines": {"missing": {}, "other": {"refuse": "artefact"}}});
    assert!(load(&broken).is_err(), "a fallback is no licence for a broken pack");
}

/// A pack that does not look at tokens is not reached by one.
#[test]
fn a_token_nobody_asked_for_changes_nothing() {
    let dispatcher = crate::scripted::dispatcher(&json!([permissive()]));
    let request = request(&json!({})).with_token(Token::new("nonsense"));
    assert_eq!(dispatcher.evaluate(&request).decision.reason, None);
}
