//! Times, for people: `cargo test -p tribunal-engine-cedar --release -- --ignored --nocapture measure`.

use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

use cedar_policy::{Authorizer, Context, Entities, Entity, EntityUid, PolicySet, Request, Schema};
use serde_json::{Value, json};
use tribunal_engine_cedar::index::PolicyIndex;
use tribunal_engine_core::engine::Prepared;

use crate::support::{Pack, SCHEMA, request};

/// The median time of one call.
fn median<T>(calls: u32, mut call: impl FnMut() -> T) -> Duration {
    let mut times: Vec<Duration> = (0..31)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..calls {
                black_box(call());
            }
            start.elapsed() / calls
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

fn uid(text: &str) -> EntityUid {
    text.parse().unwrap()
}

fn context() -> Value {
    json!({"prompt": "summarise the report", "amount": 50, "urgent": false, "tags": ["a", "b", "c"],
           "args": {"ssn": "1"}, "boundary": "tool"})
}

#[test]
#[ignore = "prints times"]
fn measure_index_against_all_policies() {
    for (name, scope) in [
        ("action ==", "principal, action == Action::\"t{n}\", resource"),
        ("resource ==", "principal, action, resource == Tool::\"t{n}\""),
    ] {
        let mut text = String::new();
        for number in 0..10_000 {
            writeln!(
                text,
                "permit({}) when {{ context.prompt like \"*x*\" }};",
                scope.replace("{n}", &number.to_string())
            )
            .unwrap();
        }
        let policies: PolicySet = text.parse().unwrap();
        let entities = Entities::empty();
        let start = Instant::now();
        let index = PolicyIndex::new(&policies, &entities);
        let built = start.elapsed();
        let context = Context::from_pairs([]).unwrap();
        let request =
            Request::new(uid("Agent::\"a\""), uid("Action::\"t77\""), uid("Tool::\"t77\""), context, None)
                .unwrap();
        let all = median(1, || Authorizer::new().is_authorized(&request, &policies, &entities));
        let indexed = median(1_000, || index.authorize(&request, &entities));
        println!("10 000 policies with `{name}`: all {all:?}, indexed {indexed:?} (built in {built:?})");
    }
}

#[test]
#[ignore = "prints times"]
fn measure_decisions() {
    let all = "permit(principal, action, resource);";
    let five = r#"
        permit(principal, action == Action::"call", resource) when { context has prompt && context.prompt like "sum*" };
        forbid(principal, action, resource) when { principal has tier && principal.tier == "untrusted" };
        forbid(principal, action, resource) when { context has amount && context.amount > 1000 };
        @effect("step_up") forbid(principal, action, resource) when { context has urgent && context.urgent };
        @redact("/context/args/ssn") forbid(principal, action, resource) when { context has args.ssn && context.args.ssn == "2" };"#;
    let mut payload = request(context());
    payload["subject"]["properties"] = json!({"tier": "silver"});
    for (name, policy) in [("1 policy", all), ("5 policies", five)] {
        let loaded = Pack::new(policy).load();
        let time = median(2_000, || {
            loaded
                .engine
                .decide(&Prepared::new(&payload, loaded.source.named(), jiff::Timestamp::UNIX_EPOCH, None))
                .unwrap()
        });
        println!("decide, {name}: {time:?}");
    }

    let (schema, _) = Schema::from_cedarschema_str(SCHEMA).unwrap();
    let json = json!({"prompt": "summarise the report", "amount": 50, "urgent": false, "tags": ["a", "b", "c"],
                      "args": {"ssn": "1"}, "boundary": "tool"});
    let action = uid("Action::\"call\"");
    let policies: PolicySet = all.parse().unwrap();
    let attributes =
        json!({"uid": {"type": "Agent", "id": "a1"}, "attrs": {"tier": "silver"}, "parents": []});
    let context = median(500, || Context::from_json_value(json.clone(), Some((&schema, &action))).unwrap());
    let whole = median(500, || {
        let context = Context::from_json_value(json.clone(), Some((&schema, &action))).unwrap();
        let request =
            Request::new(uid("Agent::\"a1\""), action.clone(), uid("Tool::\"new\""), context, Some(&schema))
                .unwrap();
        let agent = Entity::from_json_value(attributes.clone(), Some(&schema)).unwrap();
        let entities = Entities::from_entities([agent], Some(&schema)).unwrap();
        Authorizer::new().is_authorized(&request, &policies, &entities)
    });
    println!(
        "the same through Cedar's own JSON and validation, 1 policy: {whole:?}, of which from_json_value {context:?}"
    );
}

#[test]
#[ignore = "prints times"]
fn measure_static_entities() {
    for count in [10, 1_000, 10_000] {
        let agents: Vec<Value> = (0..count)
            .map(|id| json!({"uid": {"type": "Agent", "id": format!("a{id}")}, "attrs": {}, "parents": [{"type": "Role", "id": "r"}]}))
            .collect();
        let loaded = Pack::new("permit(principal in Role::\"r\", action, resource);")
            .with("entities.json", &Value::Array(agents.clone()).to_string())
            .load();
        let mut payload = request(json!({}));
        payload["subject"]["properties"] = json!({"tier": "silver"});
        let time = median(1_000, || {
            loaded
                .engine
                .decide(&Prepared::new(&payload, loaded.source.named(), jiff::Timestamp::UNIX_EPOCH, None))
                .unwrap()
        });
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).unwrap();
        let whole = Entities::from_json_value(Value::Array(agents), Some(&schema)).unwrap();
        let tool = Entity::new_no_attrs(uid("Tool::\"new\""), Default::default());
        let added = median(1, || whole.clone().add_entities([tool.clone()], None).unwrap());
        println!("{count} static entities: decide {time:?}; Cedar's clone and add_entities alone {added:?}");
    }
}
