//! The rule that every member is once missing and once of another type, on requests made for it.

use serde_json::{Value, json};
use tribunal_conformance::Suite;
use tribunal_conformance::coverage::gaps;

use crate::scripted::source_with;

fn found(schema: &Value, requests: &[Value]) -> Vec<String> {
    let cases: Value = requests
        .iter()
        .enumerate()
        .map(|(index, request)| json!({"name": format!("case-{index}"), "request": request, "expect": {"effect": "deny"}}))
        .collect();
    let pack = json!({"name": "guard", "rules": [], "schema": schema});
    let pack = source_with(&pack, &[("cases/a.yaml", &cases.to_string())]).unwrap();
    let suite = Suite::read(&pack).unwrap();
    gaps(&pack, &suite.cases).iter().map(|(place, gap)| format!("{place} {gap}")).collect()
}

#[test]
fn members_that_no_case_leaves_out_or_mistypes_are_found() {
    let schema = json!({
        "required": ["subject"],
        "properties": {
            "subject": {"$ref": "#/$defs/entity"},
            "kind": {"enum": ["a", 1]},
            "anything": {},
            "context": {"anyOf": [{"type": "object", "properties": {"count": {"type": "integer"}}}]},
        },
        "$defs": {"entity": {"type": "object", "properties": {"id": {"type": "string"}}}},
    });
    let nothing_special =
        json!({"subject": {"id": "x"}, "kind": "a", "anything": 1, "context": {"count": 1}});
    let all = [
        "/anything never missing",
        "/context never missing",
        "/context never of another type",
        "/context/count never missing",
        "/context/count never of another type",
        "/kind never missing",
        "/kind never of another type",
        "/subject never missing",
        "/subject never of another type",
        "/subject/id never missing",
        "/subject/id never of another type",
    ];
    assert_eq!(found(&schema, std::slice::from_ref(&nothing_special)), all);
    // A member is missing only from an object that is there.
    let missing = [json!({}), json!({"subject": {}}), json!({"context": {}})];
    let mistyped = [
        json!({"subject": 1, "kind": true, "context": []}),
        json!({"subject": {"id": 5}, "context": {"count": 1.5}, "kind": 2}),
    ];
    let every: Vec<Value> = missing.iter().chain(&mistyped).cloned().collect();
    assert_eq!(found(&schema, &every), Vec::<String>::new());
    let left = found(&schema, &mistyped);
    assert!(left.iter().all(|gap| gap.ends_with("never missing")), "{left:?}");
    assert_eq!(left.len(), 5, "{left:?}");
}
