//! What a request becomes, and what it cannot become.

use cedar_policy::{Context, Entities, Entity, EntityUid, Request, RestrictedExpression, Schema};
use proptest::prelude::*;
use serde_json::{Value, json};
use tribunal_engine_core::contract::DecisionEffect;
use tribunal_engine_core::fault::FaultKind;

use crate::support::{Pack, SCHEMA, request};

const ALL: &str = "permit(principal, action, resource);";

/// cedar.md hazard 1: Cedar's own reader makes an entity of this object.
#[test]
fn a_caller_cannot_write_entities_or_extension_values() {
    let policy = r#"permit(principal, action, resource) when {
        context.args has "__entity" && context.args["__entity"].type == "Role" && context.args["__entity"].id == "admin"
    };"#;
    let policy = policy.replacen("when {", "when { context has args &&", 1);
    let loaded = Pack::new(&policy).load();
    let escape = json!({"args": {"__entity": {"type": "Role", "id": "admin"}}});
    assert_eq!(loaded.decision(&request(escape.clone())).effect, DecisionEffect::Allow);
    // Cedar would have made it something else altogether.
    let escaped = Context::from_json_value(escape, None).unwrap();
    assert!(escaped.get("args").unwrap().to_string().contains("Role::\"admin\""));

    let policy = r#"permit(principal, action, resource) when { context has args && context.args has "__extn" && context.args["__extn"].fn == "ip" };"#;
    let loaded = Pack::new(policy).load();
    let escape = json!({"args": {"__extn": {"fn": "ip", "arg": "127.0.0.1"}}});
    assert_eq!(loaded.decision(&request(escape)).effect, DecisionEffect::Allow);
}

#[test]
fn an_object_where_a_text_is_wanted_is_no_way_round() {
    let loaded = Pack::new(ALL).load();
    for value in [
        json!({"__entity": {"type": "Role", "id": "admin"}}),
        json!({"__extn": {"fn": "ip", "arg": "::1"}}),
        json!({}),
    ] {
        loaded.faults(&request(json!({"prompt": value})), FaultKind::Unrepresentable, "`/context/prompt`");
    }
    let mut payload = request(json!({}));
    payload["resource"]["properties"] = json!({"owner": {"__entity": {"type": "Agent", "id": "root"}}});
    loaded.faults(&payload, FaultKind::Unrepresentable, "`/resource/properties/owner`");
    payload["resource"]["properties"] = json!({"owner": "root"});
    payload["resource"]["id"] = json!("new");
    loaded.faults(&payload, FaultKind::Unrepresentable, "which JSON cannot say");
}

#[test]
fn what_cedar_has_no_value_for_is_unrepresentable() {
    let loaded = Pack::new(ALL).load();
    for (context, place) in [
        (json!({"amount": 1.0}), "`/context/amount`"),
        (json!({"amount": 1.5}), "`/context/amount`"),
        (json!({"amount": u64::MAX}), "`/context/amount`"),
        (json!({"amount": null}), "`/context/amount`"),
        (json!({"amount": "1"}), "`/context/amount`"),
        (json!({"urgent": 1}), "`/context/urgent`"),
        (json!({"tags": "a"}), "`/context/tags`"),
        (json!({"tags": ["a", 1]}), "`/context/tags/1`"),
        (json!({"tags": [null]}), "`/context/tags/0`"),
        (json!({"args": {"ssn": 1}}), "`/context/args/ssn`"),
        (json!({"args": {"__entity": {"type": "Role"}}}), "`/context/args/__entity/id`"),
    ] {
        loaded.faults(&request(context), FaultKind::Unrepresentable, place);
    }
}

#[test]
fn members_the_input_schema_does_not_name_are_left_out() {
    let loaded = Pack::new(r#"permit(principal, action, resource) unless { context has args };"#).load();
    let mut payload = request(json!({"unnamed": null, "args": {"unnamed": 1.5}}));
    assert_eq!(loaded.decision(&payload).effect, DecisionEffect::Deny);
    payload["context"] = json!({"unnamed": null});
    payload["also_unnamed"] = json!([1.5, null]);
    payload["subject"]["properties"] = json!({"home": "nowhere"});
    payload["action"]["properties"] = json!({"unnamed": 1.5});
    assert_eq!(loaded.decision(&payload).effect, DecisionEffect::Allow);
}

#[test]
fn lists_are_sets() {
    let loaded = Pack::new(
        r#"permit(principal, action, resource) when { context has tags && context.tags == ["a", "b"] };"#,
    )
    .load();
    assert_eq!(loaded.decision(&request(json!({"tags": ["b", "a", "b"]}))).effect, DecisionEffect::Allow);
    assert_eq!(loaded.decision(&request(json!({"tags": ["b"]}))).effect, DecisionEffect::Deny);
}

#[test]
fn types_are_an_allow_list() {
    let loaded = Pack::new(ALL).load();
    for (pointer, value, says) in [
        ("/subject/type", json!("Agent"), "no `Agent`"),
        ("/subject/type", json!("Role"), "no `Role`"),
        ("/subject/type", json!(5), "`/subject/type`"),
        ("/subject/id", json!(null), "`/subject/id`"),
        ("/subject", json!("agent"), "`subject`"),
        ("/subject/type", json!("tool"), "does not apply"),
        ("/resource/type", json!("agent"), "does not apply"),
        ("/resource/type", json!("role"), "no `role`"),
        ("/action/name", json!("reading"), "no action `reading`"),
        ("/action/name", json!("fly"), "no action `fly`"),
        ("/action/name", json!(["call"]), "`/action/name`"),
        ("/action", json!(null), "`action`"),
        ("/context", json!([]), "`context`"),
    ] {
        let mut payload = request(json!({}));
        *payload.pointer_mut(pointer).unwrap() = value;
        loaded.faults(&payload, FaultKind::Unrepresentable, says);
    }
    for missing in ["subject", "action", "resource"] {
        let mut payload = request(json!({}));
        payload.as_object_mut().unwrap().remove(missing);
        loaded.faults(&payload, FaultKind::Unrepresentable, missing);
    }
}

#[test]
fn an_enumerated_type_has_only_its_ids() {
    let schema = SCHEMA.replace(
        "entity Tool in [ToolGroup] = {owner?: Agent, risk?: Long};",
        "entity Tool enum [\"search\"];",
    );
    let loaded = Pack::new(ALL)
        .with("schema.cedarschema", &schema)
        .with("entities.json", "[]")
        .with("input.schema.json", r#"{"properties": {"context": {}}}"#)
        .load();
    let mut payload = request(json!({}));
    assert_eq!(loaded.decision(&payload).effect, DecisionEffect::Allow);
    payload["resource"]["id"] = json!("other");
    loaded.faults(&payload, FaultKind::Unrepresentable, "no `Tool` with the id");
}

#[test]
fn a_clash_in_the_context_is_found_at_the_latest_by_the_request() {
    // Named by a reference, so not plainly visible at load.
    let input = json!({
        "$ref": "#/$defs/request",
        "$defs": {"request": {"properties": {"boundary": {}, "context": {"properties": {"boundary": {}}}}}},
    });
    let loaded = Pack::new(ALL).with("input.schema.json", &input.to_string()).load();
    let mut payload = request(json!({"boundary": "a"}));
    assert_eq!(loaded.decision(&payload).effect, DecisionEffect::Allow);
    payload["boundary"] = json!("b");
    loaded.faults(&payload, FaultKind::Unrepresentable, "`boundary`");
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        prop_oneof![Just(json!(1)), Just(json!(i64::MIN)), Just(json!(u64::MAX)), Just(json!(1.5))],
        "[ab]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("(ssn|type|id|x|prompt|tags)", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn context_value() -> impl Strategy<Value = Value> {
    let maybe = |likely: BoxedStrategy<Value>| prop_oneof![4 => Just(None), 6 => likely.prop_map(Some), 1 => json_value().prop_map(Some)];
    (
        maybe("[ab]{0,2}".prop_map(Value::from).boxed()),
        maybe(any::<i64>().prop_map(Value::from).boxed()),
        maybe(prop::collection::vec("[ab]".prop_map(Value::from), 0..3).prop_map(Value::from).boxed()),
        maybe(Just(json!({"ssn": "a"})).boxed()),
        maybe(any::<bool>().prop_map(Value::from).boxed()),
    )
        .prop_map(|(prompt, amount, tags, args, urgent)| {
            let members =
                [("prompt", prompt), ("amount", amount), ("tags", tags), ("args", args), ("urgent", urgent)];
            members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
        })
}

/// JSON as Cedar without types, escapes or a schema; `None` for what Cedar has no value for.
fn untyped(value: &Value) -> Option<RestrictedExpression> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => RestrictedExpression::new_bool(*value),
        Value::Number(number) => RestrictedExpression::new_long(number.as_i64()?),
        Value::String(text) => RestrictedExpression::new_string(text.clone()),
        Value::Array(items) => {
            RestrictedExpression::new_set(items.iter().map(untyped).collect::<Option<Vec<_>>>()?)
        }
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| Some((name.clone(), untyped(value)?)));
            RestrictedExpression::new_record(members.collect::<Option<Vec<_>>>()?).unwrap()
        }
    })
}

proptest! {
    /// Conversion by type refuses exactly what Cedar's own validation of requests and entities refuses.
    #[test]
    fn a_request_is_representable_exactly_if_cedar_finds_it_valid(
        context in context_value(),
        tier in prop::option::of(prop_oneof![4 => "[ab]".prop_map(Value::from), 1 => json_value()]),
    ) {
        let loaded = {
            thread_local!(static LOADED: crate::support::Loaded = everything_named());
            LOADED.with(|loaded| {
                let mut payload = request(context.clone());
                if let Some(tier) = &tier {
                    payload["subject"]["properties"] = json!({"tier": tier});
                }
                loaded.try_verdict(&payload)
            })
        };
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).unwrap();
        let uid = |text: &str| text.parse::<EntityUid>().unwrap();
        let valid = || {
            let members = context.as_object().unwrap().iter();
            let members = members.map(|(name, value)| Some((name.clone(), untyped(value)?))).collect::<Option<Vec<_>>>()?;
            let context = Context::from_pairs(members).ok()?;
            Request::new(uid("Agent::\"a1\""), uid("Action::\"call\""), uid("Tool::\"search\""), context, Some(&schema)).ok()?;
            let attributes = tier.iter().map(|tier| Some(("tier".to_owned(), untyped(tier)?))).collect::<Option<_>>()?;
            let agent = Entity::new(uid("Agent::\"a1\""), attributes, Default::default()).ok()?;
            Entities::from_entities([agent], Some(&schema)).ok()
        };
        match loaded {
            Ok(_) => prop_assert!(valid().is_some()),
            Err(fault) => {
                prop_assert_eq!(fault.kind, FaultKind::Unrepresentable);
                prop_assert!(valid().is_none(), "{}", fault);
            }
        }
    }
}

/// The pack with an input schema that names whatever is there.
fn everything_named() -> crate::support::Loaded {
    let open = json!({"additionalProperties": true, "patternProperties": {"": {"$ref": "#"}}, "items": {"$ref": "#"}});
    Pack::new(ALL).with("input.schema.json", &open.to_string()).load()
}
