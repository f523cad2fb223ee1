//! Redaction as a fixpoint: what goes ahead is a document that every claimed pack has allowed.

use serde_json::{Value, json};
use tribunal::core::dispatch::MAX_ROUNDS;

use crate::scripted::{check, fault};

/// A pack that removes each of these places while it stands there, first things first.
fn removing(name: &str, places: &[&str]) -> Value {
    let remove = |place: &&str| json!({"if": place, "answer": {"effect": "redact", "reason": name, "patches": [{"op": "remove", "path": place}]}});
    let mut rules: Vec<Value> = places.iter().map(remove).collect();
    rules.push(json!({"answer": {"effect": "allow"}}));
    json!({"name": name, "redactable": ["/context"], "rules": rules})
}

/// A pack that wants one set of patches as long as a place stands there.
fn patching(name: &str, condition: &str, patches: &Value) -> Value {
    json!({
        "name": name, "redactable": ["/context"],
        "rules": [{"if": condition, "answer": {"effect": "redact", "patches": patches}}, {"answer": {"effect": "allow"}}],
    })
}

#[test]
fn two_packs_may_remove_neighbours_in_one_array() {
    let payload = json!({"context": {"list": ["a", "b", "c", "d"]}});
    // `/context/list/3` is gone after the first round, so both then allow.
    let first = patching("first", "/context/list/3", &json!([{"op": "remove", "path": "/context/list/1"}]));
    let second = patching("second", "/context/list/3", &json!([{"op": "remove", "path": "/context/list/2"}]));
    for packs in [json!([first, second]), json!([second, first])] {
        let outcome = check(
            "neighbours",
            &packs,
            &payload,
            &serde_json::to_value(dispatched(&packs, &payload)).unwrap(),
        );
        let after = outcome.decision.apply(&payload).unwrap();
        assert_eq!(
            after,
            json!({"context": {"list": ["a", "d"]}}),
            "each removed what it meant, not what moved there"
        );
        assert_eq!(outcome.rounds, 2);
    }
}

fn dispatched(packs: &Value, payload: &Value) -> tribunal::Decision {
    crate::scripted::dispatcher(packs).evaluate(&crate::scripted::request(payload)).decision
}

/// What one redaction uncovers is judged again, by the same pack and by the others.
#[test]
fn a_redaction_that_uncovers_new_matter_is_judged_again() {
    let payload = json!({"context": {"a": 1, "b": 2, "c": 3}});
    let both = json!([{"op": "remove", "path": "/context/b"}, {"op": "remove", "path": "/context/a"}]);
    let outcome = check(
        "by the same pack",
        &json!([removing("peeler", &["/context/a", "/context/b"])]),
        &payload,
        &json!({"effect": "redact", "reason": "peeler", "patches": both}),
    );
    assert_eq!(outcome.rounds, 3, "two that found something, and one that found nothing");

    // The second pack sees the member it refuses only once the first has replaced what hid it.
    let revealing = patching(
        "revealing",
        "/context/a",
        &json!([
            {"op": "remove", "path": "/context/a"}, {"op": "replace", "path": "/context/b", "value": {"secret": true}},
        ]),
    );
    let refusing = json!({
        "name": "refusing",
        "rules": [{"if": "/context/b/secret", "answer": {"effect": "deny", "reason": "secret"}}, {"answer": {"effect": "allow"}}],
    });
    let outcome = check(
        "by another pack",
        &json!([revealing, refusing]),
        &payload,
        &json!({"effect": "deny", "reason": "secret", "patches": [
            {"op": "replace", "path": "/context/b", "value": {"secret": true}}, {"op": "remove", "path": "/context/a"},
        ]}),
    );
    assert_eq!(outcome.rounds, 2);
    assert!(outcome.decision.apply(&payload).is_err(), "the patches of a denial are for the record");
}

#[test]
fn a_redaction_without_an_end_is_a_denial() {
    let places: Vec<String> = (0..8).map(|index| format!("/context/m{index}")).collect();
    let places: Vec<&str> = places.iter().map(String::as_str).collect();
    let payload =
        json!({"context": {"m0": 0, "m1": 1, "m2": 2, "m3": 3, "m4": 4, "m5": 5, "m6": 6, "m7": 7}});
    for depth in 1..=8 {
        let mut expected_rounds = u32::try_from(depth).unwrap() + 1;
        let dispatcher = crate::scripted::dispatcher(&json!([removing("peeler", &places[..depth])]));
        let outcome = dispatcher.evaluate(&crate::scripted::request(&payload));
        if expected_rounds <= MAX_ROUNDS {
            assert_eq!(outcome.decision.effect.as_str(), "redact", "{depth}");
        } else {
            expected_rounds = MAX_ROUNDS;
            assert_eq!(
                outcome.decision.reason.as_deref(),
                Some("engine_error:redaction_incomplete"),
                "{depth}"
            );
        }
        assert_eq!(outcome.rounds, expected_rounds);
    }
    // A pack that is never content, whatever is put there.
    let never =
        patching("never", "/context/m0", &json!([{"op": "replace", "path": "/context/m0", "value": "x"}]));
    let outcome = dispatched(&json!([never]), &payload);
    assert_eq!(outcome.reason.as_deref(), Some("engine_error:redaction_incomplete"));
}

#[test]
fn packs_that_collide_take_turns() {
    let payload = json!({"context": {"a": 1, "b": 2}});
    let first = patching(
        "first",
        "/context/b",
        &json!([{"op": "remove", "path": "/context/b"}, {"op": "replace", "path": "/context/a", "value": "x"}]),
    );
    let second = json!({
        "name": "second", "redactable": ["/context"],
        "rules": [
            {"if": "/context/b", "answer": {"effect": "redact", "patches": [{"op": "replace", "path": "/context/a", "value": {"y": 1}}]}},
            {"if": "/context/a/y", "answer": {"effect": "allow"}},
            {"if": "/context/a", "answer": {"effect": "redact", "patches": [{"op": "replace", "path": "/context/a", "value": {"y": 1}}]}},
            {"answer": {"effect": "allow"}},
        ],
    });
    let outcome = check(
        "in turns",
        &json!([first, second]),
        &payload,
        &json!({"effect": "redact", "patches": [
            {"op": "replace", "path": "/context/a", "value": {"y": 1}}, {"op": "remove", "path": "/context/b"},
        ]}),
    );
    assert_eq!(outcome.rounds, 3);
}

/// A removed parent takes its children along, whoever wanted them changed.
#[test]
fn a_removed_parent_swallows_its_children() {
    let payload = json!({"context": {"a": {"b": 1}}});
    let parent = removing("parent", &["/context/a"]);
    let child =
        patching("child", "/context/a/b", &json!([{"op": "replace", "path": "/context/a/b", "value": 2}]));
    for packs in [json!([parent, child]), json!([child, parent])] {
        let decision = json!({"effect": "redact", "reason": "parent", "patches": [{"op": "remove", "path": "/context/a"}]});
        check("swallowed", &packs, &payload, &decision);
    }
}

/// The schema holds in every round: a redaction cannot make a document that would have been refused.
#[test]
fn a_redaction_cannot_leave_the_schema() {
    let mut pack = removing("careless", &["/context/a"]);
    pack["schema"] = json!({"properties": {"context": {"required": ["a"]}}});
    let outcome = dispatched(&json!([pack]), &json!({"context": {"a": 1}}));
    assert_eq!(outcome.reason.as_deref(), Some("engine_error:schema"));
}

/// Derived members are derived again from what is left, so a redaction that worked is seen to have worked.
#[test]
fn derived_members_follow_the_redaction() {
    let pack = json!({
        "name": "filter", "redactable": ["/context/text"],
        "derive": {"bad": {"regex": {"source": "/context/text", "pattern": "^bad (.*)$", "capture": 1}}},
        "rules": [
            {"if": "/derived/bad", "answer": {"effect": "redact", "reason": "bad", "patches": [{"op": "replace", "path": "/context/text", "value": "good"}]}},
            {"answer": {"effect": "allow"}},
        ],
    });
    let patches = json!([{"op": "replace", "path": "/context/text", "value": "good"}]);
    check(
        "derived again",
        &json!([pack]),
        &json!({"context": {"text": "bad words"}}),
        &json!({"effect": "redact", "reason": "bad", "patches": patches}),
    );
}

/// Patches that contradict each other are not settled by chance.
#[test]
fn one_pack_cannot_contradict_itself() {
    let payload = json!({"context": {"a": {"b": 1}}});
    for patches in [
        json!([{"op": "replace", "path": "/context/a", "value": 1}, {"op": "replace", "path": "/context/a", "value": 2}]),
        json!([{"op": "replace", "path": "/context/a", "value": 1}, {"op": "remove", "path": "/context/a"}]),
        json!([{"op": "replace", "path": "/context/a", "value": {}}, {"op": "replace", "path": "/context/a/b", "value": 2}]),
    ] {
        check(
            &patches.to_string(),
            &json!([patching("torn", "/context/a", &patches)]),
            &payload,
            &fault("malformed_patch"),
        );
    }
}

/// A guard that claims the request as it would become was never asked about it as it was: the redaction is refused.
#[test]
fn a_redaction_cannot_carry_a_request_past_a_guard() {
    let masking = patching(
        "masking",
        "/context/raw",
        &json!([{"op": "replace", "path": "/context/kind", "value": "payment"}, {"op": "remove", "path": "/context/raw"}]),
    );
    let guard = json!({
        "name": "guard", "when": {"/context/kind": ["payment"]}, "rules": [{"answer": {"effect": "deny", "reason": "guarded"}}],
    });
    let payload = json!({"context": {"kind": "pay", "raw": true}});
    check("past a guard", &json!([masking, guard]), &payload, &fault("unclassified"));
}

#[test]
fn a_decision_with_more_patches_than_can_be_compared_is_refused() {
    let patches: Vec<Value> =
        (0..1_001).map(|index| json!({"op": "remove", "path": format!("/context/list/{index}")})).collect();
    let payload = json!({"context": {"list": vec![0; 2_000]}});
    let pack = patching("eager", "/context/list/1999", &json!(patches));
    check("too many patches", &json!([pack]), &payload, &fault("limit:output"));
}
