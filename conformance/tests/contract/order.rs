//! What must not depend on the order of packs, as properties of whole evaluations.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::scripted::{dispatcher, request};

/// A pack that answers one thing, or removes the places it knows until none is left.
fn packs() -> impl Strategy<Value = Value> {
    let fixed = prop_oneof![
        Just(json!([{"answer": {"effect": "allow"}}])),
        Just(json!([{"answer": {"effect": "deny", "reason": "no"}}])),
        Just(json!([{"answer": {"effect": "step_up", "step_up": {"method": "mfa"}}}])),
        Just(json!([{"fault": "trap"}])),
        Just(json!([{"panic": true}])),
    ];
    let removing = proptest::collection::btree_set(prop_oneof![Just("a"), Just("b"), Just("c")], 0..3).prop_map(|names: BTreeSet<&str>| {
        let mut rules: Vec<Value> = names
            .iter()
            .map(|name| {
                let place = format!("/context/{name}");
                json!({"if": place, "answer": {"effect": "redact", "patches": [{"op": "remove", "path": place}]}})
            })
            .collect();
        rules.push(json!({"answer": {"effect": "allow"}}));
        Value::Array(rules)
    });
    prop_oneof![1 => fixed, 4 => removing]
}

fn deployment(rules: Vec<Value>) -> Value {
    let pack =
        |(index, rules)| json!({"name": format!("pack-{index}"), "redactable": ["/context"], "rules": rules});
    rules.into_iter().enumerate().map(pack).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn effect_and_redacted_request_do_not_depend_on_pack_order(
        (ordered, shuffled) in proptest::collection::vec(packs(), 1..5).prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        let payload = json!({"context": {"a": 1, "b": 2, "c": 3}});
        let decide = |rules| dispatcher(&deployment(rules)).evaluate(&request(&payload)).decision;
        let (ordered, shuffled) = (decide(ordered), decide(shuffled));
        prop_assert_eq!(ordered.effect, shuffled.effect);
        prop_assert_eq!(ordered.apply(&payload), shuffled.apply(&payload));
    }

    #[test]
    fn another_pack_never_lowers_severity(before in proptest::collection::vec(packs(), 1..4), added in packs()) {
        let payload = json!({"context": {"a": 1, "b": 2, "c": 3}});
        let decide = |rules| dispatcher(&deployment(rules)).evaluate(&request(&payload)).decision.effect;
        let mut after = before.clone();
        after.push(added);
        prop_assert!(decide(after) >= decide(before));
    }
}
