//! The small store of one request answers as the whole store does.

use std::collections::BTreeSet;

use cedar_policy::{
    Authorizer, Context, Entities, Entity, EntityUid, PolicySet, Request, RestrictedExpression, Schema,
};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use tribunal_engine_core::contract::{DecisionEffect, Rules};

use crate::support::Pack;

const SCHEMA: &str = r#"
entity G in [G];
entity A in [G] = {n?: Long, m?: Long, friend?: A, to?: {a?: A}, all?: Set<A>} tags A;
entity R in [G] = {owner?: A};
action x appliesTo {principal: [A], resource: [R], context: {flag?: Bool}};
"#;

const MANIFEST: &str = "
name: graph
version: 1.0.0
description: A graph of entities
engines: {cedar: {types: {a: A, r: R}}}
";

const INPUT: &str = r#"{"properties": {"subject": {"properties": {"properties": {"properties": {"n": {}}}}}, "context": {"properties": {"flag": {}}}}}"#;

const CONDITIONS: [&str; 14] = [
    r#"principal in G::"g0""#,
    r#"principal has friend && principal.friend has friend && principal.friend.friend in G::"g1""#,
    r#"principal has friend && principal.friend has friend && principal.friend.friend has n"#,
    r#"resource has owner && resource.owner has to && resource.owner.to has a && resource.owner.to.a has m"#,
    r#"resource has owner && resource.owner in G::"g0""#,
    r#"A::"a3" has friend && A::"a3".friend in G::"g0""#,
    r#"A::"a1" in G::"g1""#,
    r#"principal.hasTag("t") && principal.getTag("t") has n"#,
    r#"A::"a2".hasTag("t") && A::"a2".getTag("t").hasTag("t") && A::"a2".getTag("t").getTag("t") in G::"g0""#,
    r#"(if context has flag then A::"a1" else A::"a2") has friend"#,
    r#"{x: {y: A::"a4"}}.x.y has m"#,
    r#"principal has all && principal.all.contains(A::"a0") && principal has n"#,
    r#"resource has owner && resource.owner == principal && resource.owner has n && resource.owner.n > 3"#,
    r#"A::"a0" has n && A::"a0".n > 3"#,
];

fn reference(id: usize) -> Value {
    json!({"__entity": {"type": "A", "id": format!("a{id}")}})
}

/// A static graph: a0 … a5, of which some may be missing, groups g0 and g1, and one resource.
fn graph() -> impl Strategy<Value = Value> {
    let maybe = || prop::option::weighted(0.8, 0..6_usize);
    let agent =
        (maybe(), maybe(), maybe(), maybe(), prop::option::weighted(0.7, 0..2_usize), any::<(bool, bool)>());
    (prop::collection::btree_map(0..6_usize, agent, 3..7), maybe(), any::<bool>()).prop_map(|(agents, owner, nested)| {
        let parents = if nested { json!([{"type": "G", "id": "g1"}]) } else { json!([]) };
        let mut entities = vec![
            json!({"uid": {"type": "G", "id": "g0"}, "attrs": {}, "parents": parents}),
            json!({"uid": {"type": "G", "id": "g1"}, "attrs": {}, "parents": []}),
        ];
        let owner = owner.map_or(json!({}), |owner| json!({"owner": reference(owner)}));
        entities.push(json!({"uid": {"type": "R", "id": "r"}, "attrs": owner, "parents": []}));
        for (id, (friend, to, all, tag, group, (n, m))) in agents {
            let mut attributes = serde_json::Map::new();
            let members = [
                ("friend", friend.map(reference)),
                ("to", to.map(|to| json!({"a": reference(to)}))),
                ("all", all.map(|all| json!([reference(all)]))),
                ("n", n.then(|| json!(5))),
                ("m", m.then(|| json!(1))),
            ];
            attributes.extend(members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
            let parents: Vec<Value> = group.iter().map(|group| json!({"type": "G", "id": format!("g{group}")})).collect();
            let tags = tag.map_or(json!({}), |tag| json!({"t": reference(tag)}));
            entities.push(json!({"uid": {"type": "A", "id": format!("a{id}")}, "attrs": attributes, "parents": parents, "tags": tags}));
        }
        Value::Array(entities)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn nothing_within_reach_is_missing(
        graph in graph(),
        conditions in prop::collection::vec((select(vec!["permit", "forbid"]), select(CONDITIONS.to_vec())), 1..5),
        principal in 0..6_usize,
        given in any::<bool>(),
        flag in any::<bool>(),
    ) {
        let text: String = conditions.iter().map(|(effect, when)| format!("{effect}(principal, action, resource) when {{ {when} }};\n")).collect();
        let pack = Pack::new(&text)
            .with("pack.yaml", MANIFEST)
            .with("schema.cedarschema", SCHEMA)
            .with("entities.json", &graph.to_string())
            .with("input.schema.json", INPUT);
        let loaded = pack.load();

        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).unwrap();
        let whole = Entities::from_json_value(graph, Some(&schema)).unwrap();
        let uid = |text: &str| text.parse::<EntityUid>().unwrap();
        let agent = uid(&format!("A::\"a{principal}\""));
        let held = whole.get(&agent).cloned();
        let given = given && held.as_ref().is_none_or(|held| held.attr("n").is_none());

        let mut payload = json!({
            "subject": {"type": "a", "id": format!("a{principal}")},
            "action": {"name": "x"},
            "resource": {"type": "r", "id": "r"},
        });
        let mut context = Vec::new();
        if flag {
            payload["context"] = json!({"flag": true});
            context.push(("flag".to_owned(), RestrictedExpression::new_bool(true)));
        }
        // The same addition, made to the whole store by Cedar itself.
        let whole = if given {
            payload["subject"]["properties"] = json!({"n": 7});
            let mut entity = held.as_ref().map_or_else(
                || json!({"uid": {"type": "A", "id": format!("a{principal}")}, "attrs": {}, "parents": []}),
                |held| held.to_json_value().unwrap(),
            );
            entity["attrs"]["n"] = json!(7);
            whole.upsert_entities([Entity::from_json_value(entity, Some(&schema)).unwrap()], Some(&schema)).unwrap()
        } else {
            whole
        };
        let policies: PolicySet = text.parse().unwrap();
        let context = Context::from_pairs(context).unwrap();
        let request = Request::new(agent, uid("Action::\"x\""), uid("R::\"r\""), context, Some(&schema)).unwrap();
        let response = Authorizer::new().is_authorized(&request, &policies, &whole);
        prop_assert_eq!(response.diagnostics().errors().count(), 0);

        let verdict = loaded.verdict(&payload);
        let allowed = response.decision() == cedar_policy::Decision::Allow;
        prop_assert_eq!(verdict.decision.effect == DecisionEffect::Allow, allowed);
        let reasons: BTreeSet<String> = response.diagnostics().reason().map(ToString::to_string).collect();
        prop_assert_eq!(verdict.rules, Rules::determined(reasons));
    }
}
