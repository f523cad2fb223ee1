//! Static entities, requests beside them, and data.

use std::sync::Arc;

use serde_json::json;
use tribunal_engine_core::contract::DecisionEffect;
use tribunal_engine_core::engine::Prepared;
use tribunal_engine_core::fault::FaultKind;

use crate::support::{Pack, request};

#[test]
fn parents_come_from_static_entities_alone() {
    let loaded =
        Pack::new(r#"permit(principal in Role::"admin", action, resource in ToolGroup::"safe");"#).load();
    let mut payload = request(json!({}));
    assert_eq!(loaded.decision(&payload).effect, DecisionEffect::Deny);
    payload["subject"]["parents"] = json!([{"type": "Role", "id": "admin"}]);
    payload["subject"]["properties"] = json!({"parents": [{"type": "Role", "id": "admin"}]});
    assert_eq!(loaded.decision(&payload).effect, DecisionEffect::Deny);
    payload["subject"]["id"] = json!("root");
    assert_eq!(loaded.decision(&payload).effect, DecisionEffect::Allow);
    payload["resource"]["id"] = json!("delete");
    assert_eq!(loaded.decision(&payload).effect, DecisionEffect::Deny);
}

/// An attack on the contract: properties that shadow static attributes.
#[test]
fn a_static_attribute_cannot_be_given() {
    let loaded = Pack::new(
        r#"permit(principal, action, resource) when { principal has tier && principal.tier == "gold" };"#,
    )
    .load();
    let mut payload = request(json!({}));
    payload["subject"]["properties"] = json!({"tier": "gold"});
    assert_eq!(loaded.decision(&payload).effect, DecisionEffect::Allow);
    payload["subject"]["id"] = json!("root");
    loaded.faults(&payload, FaultKind::EntityConflict, "`tier` is a static attribute of `Agent::\"root\"`");
    // Others stand beside the static ones, parents included.
    payload["subject"]["properties"] = json!({"tools": ["x"]});
    assert_eq!(loaded.decision(&payload).effect, DecisionEffect::Allow);
    let both = r#"permit(principal in Role::"admin", action, resource) when { principal has tools && principal.tools.contains("x") && principal has home };"#;
    assert_eq!(Pack::new(both).load().decision(&payload).effect, DecisionEffect::Allow);
}

#[test]
fn what_attributes_and_literals_lead_to_is_there() {
    for condition in [
        r#"resource has owner && resource.owner in Role::"admin""#,
        r#"resource has owner && resource.owner has home && resource.owner.home.country == "NL""#,
        r#"Agent::"root" in Role::"admin""#,
        r#"Agent::"root" has home && Agent::"root".home.country == "NL""#,
        r#"(if context has urgent then Agent::"nobody" else Agent::"root") in Role::"admin""#,
        r#"{a: {b: Agent::"root"}}.a.b has tier"#,
        r#"{a: Agent::"root"}.a.tier == "gold" || true"#,
        r#"Agent::"root" in [Role::"other", Role::"admin"]"#,
        r#"!(Agent::"unknown" in Role::"admin")"#,
    ] {
        // Attributes that may be absent need their guard, which is not what is tested here.
        let condition = condition
            .replace(r#"{a: Agent::"root"}.a.tier == "gold" || true"#, r#"{a: Agent::"root"}.a has tier"#);
        let loaded =
            Pack::new(&format!("permit(principal, action, resource) when {{ {condition} }};")).load();
        assert_eq!(loaded.decision(&request(json!({}))).effect, DecisionEffect::Allow, "{condition}");
    }
}

#[test]
fn action_groups_are_known() {
    let loaded = Pack::new(
        r#"permit(principal, action in Action::"reading", resource) when { action in Action::"reading" };"#,
    )
    .load();
    let mut payload = request(json!({}));
    assert_eq!(loaded.decision(&payload).effect, DecisionEffect::Deny);
    payload["action"]["name"] = json!("read");
    assert_eq!(loaded.decision(&payload).effect, DecisionEffect::Allow);
}

#[test]
fn data_is_an_entity_and_can_be_replaced() {
    let policy = r#"permit(principal, action, resource) when { Data::"tools" has ceiling && context has amount && context.amount <= Data::"tools".ceiling };"#;
    let loaded = Pack::new(policy).with("data.json", r#"{"ceiling": 10}"#).load();
    let payload = request(json!({"amount": 11}));
    assert_eq!(loaded.decision(&payload).effect, DecisionEffect::Deny);
    let wider = loaded.engine.with_data(Arc::new(json!({"ceiling": 11}))).unwrap();
    let prepared = Prepared::new(&payload, loaded.source.named(), jiff::Timestamp::UNIX_EPOCH, None);
    assert_eq!(wider.decide(&prepared).unwrap().decision.effect, DecisionEffect::Allow);
    assert_eq!(loaded.decision(&payload).effect, DecisionEffect::Deny, "the engine in use stays as it was");
    let emptied = wider.with_data(Arc::new(json!({}))).unwrap();
    assert_eq!(emptied.decide(&prepared).unwrap().decision.effect, DecisionEffect::Deny);
    for data in [json!({"ceiling": 1.5}), json!({"ceiling": null}), json!({"floor": 1}), json!([])] {
        loaded.engine.with_data(Arc::new(data)).unwrap_err();
    }
}

#[test]
fn one_entity_may_be_subject_and_resource() {
    let schema = crate::support::SCHEMA.replace(
        "action call,",
        "action manage appliesTo {principal: [Agent], resource: [Agent], context: Context};\naction call,",
    );
    let input = crate::support::input_schema().to_string().replace("\"risk\"", "\"tier\":{},\"risk\"");
    let input = input.replace("\"owner\":{},", "").replace("\"risk\":{},", "").replace(",\"risk\":{}", "");
    let loaded = Pack::new(r#"permit(principal, action, resource) when { principal == resource && resource has tier && principal has tools };"#)
        .with("schema.cedarschema", &schema)
        .with("input.schema.json", &input)
        .load();
    let mut payload = json!({
        "subject": {"type": "agent", "id": "a", "properties": {"tools": ["x"]}},
        "action": {"name": "manage"},
        "resource": {"type": "agent", "id": "a", "properties": {"tier": "low"}},
    });
    assert_eq!(loaded.decision(&payload).effect, DecisionEffect::Allow);
    payload["subject"]["properties"]["tier"] = json!("high");
    loaded.faults(&payload, FaultKind::EntityConflict, "`tier`");
}
