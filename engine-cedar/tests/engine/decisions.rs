//! The contract's row "Cedar": what is decided.

use serde_json::json;
use tribunal_engine_core::contract::{Decision, DecisionEffect, Rules};
use tribunal_engine_core::fault::FaultKind;
use tribunal_engine_core::limits::{Bytes, Limits};

use crate::support::{Pack, request};

const ALL: &str = r#"@id("all") @reason("trusted") permit(principal, action, resource);"#;

#[test]
fn no_permit_denies_without_a_reason() {
    let loaded =
        Pack::new(r#"@reason("never") permit(principal, action == Action::"approve", resource);"#).load();
    let verdict = loaded.verdict(&request(json!({})));
    assert_eq!(verdict.decision, Decision { reason: None, ..Decision::deny("") });
    assert_eq!(verdict.rules, Rules::determined([]));
}

#[test]
fn a_permit_allows_with_its_reason_and_name() {
    let verdict = Pack::new(ALL).load().verdict(&request(json!({})));
    assert_eq!(verdict.decision, Decision { reason: Some("trusted".to_owned()), ..Decision::allow() });
    assert_eq!(verdict.rules, Rules::determined(["all".to_owned()]));
    assert_eq!(verdict.rules_evaluated, Some(1));
}

#[test]
fn reasons_of_several_forbids_are_sorted_and_distinct() {
    let policy = format!(
        "{ALL}
        @id(\"z\") @reason(\"b\") forbid(principal, action, resource);
        @id(\"y\") @reason(\"a\") forbid(principal, action == Action::\"call\", resource);
        @id(\"x\") @reason(\"b\") forbid(principal, action, resource == Tool::\"search\");
        @id(\"w\") forbid(principal, action, resource) when {{ true }};
        @id(\"v\") @reason(\"not this\") forbid(principal, action, resource == Tool::\"other\");"
    );
    let loaded = Pack::new(&policy).load();
    // Cedar's own reasons come in another order each time.
    for _ in 0..50 {
        let verdict = loaded.verdict(&request(json!({})));
        assert_eq!(verdict.decision, Decision::deny("a; b"));
        assert_eq!(verdict.rules, Rules::determined(["w", "x", "y", "z"].map(str::to_owned)));
        assert_eq!(serde_json::to_string(&verdict.rules).unwrap(), r#"["w","x","y","z"]"#);
    }
}

#[test]
fn ids_count_over_all_files_of_the_pack() {
    let loaded = Pack::new("permit(principal, action, resource);")
        .with("a.cedar", "@id(\"named\") forbid(principal, action, resource) when { context has urgent };")
        .with("z.cedar", "permit(principal, action, resource);")
        .load();
    assert_eq!(
        loaded.verdict(&request(json!({}))).rules,
        Rules::determined(["policy1".to_owned(), "policy2".to_owned()])
    );
    assert_eq!(
        loaded.verdict(&request(json!({"urgent": true}))).rules,
        Rules::determined(["named".to_owned()])
    );
}

const SOFT: &str = r#"
permit(principal, action, resource) unless { context has urgent && context.urgent };
@id("ask") @effect("step_up") @step_up("human_approval") @reason("large amount")
forbid(principal, action, resource) when { context has amount && context.amount > 100 };
@id("ask2") @effect("step_up") @step_up("other_method") @reason("very large amount")
forbid(principal, action, resource) when { context has amount && context.amount > 1000 };
@id("mask") @redact("/context/args/ssn") @replacement("***") @reason("personal data")
forbid(principal, action, resource) when { context has args.ssn && context.args.ssn != "***" };
@id("drop") @redact("/context/tags, /context/prompt")
forbid(principal, action, resource) when { context has tags && context has prompt };
"#;

#[test]
fn the_most_severe_softening_that_matches_wins() {
    let loaded = Pack::new(SOFT).load();
    let effect = |context| loaded.decision(&request(context)).effect;
    assert_eq!(effect(json!({})), DecisionEffect::Allow);
    assert_eq!(effect(json!({"args": {"ssn": "1"}})), DecisionEffect::Redact);
    assert_eq!(effect(json!({"args": {"ssn": "1"}, "amount": 101})), DecisionEffect::StepUp);
    assert_eq!(effect(json!({"args": {"ssn": "1"}, "amount": 101, "urgent": true})), DecisionEffect::Deny);
    // What a step-up outweighs leaves no trace in it.
    let verdict = loaded.verdict(&request(json!({"args": {"ssn": "1"}, "amount": 101})));
    assert_eq!(
        serde_json::to_value(&verdict.decision).unwrap(),
        json!({"effect": "step_up", "reason": "large amount", "step_up": {"method": "human_approval"}})
    );
    assert_eq!(verdict.rules, Rules::determined(["ask".to_owned()]));
    // Of two, the first in the text says how.
    let both = loaded.decision(&request(json!({"amount": 2000})));
    assert_eq!(both.step_up.unwrap().method.as_deref(), Some("human_approval"));
    assert_eq!(both.reason.as_deref(), Some("large amount; very large amount"));
}

#[test]
fn every_matching_redaction_gives_its_patches() {
    let loaded = Pack::new(SOFT).load();
    let verdict = loaded.verdict(&request(json!({"args": {"ssn": "1"}, "tags": ["a"], "prompt": "p"})));
    assert_eq!(
        serde_json::to_value(&verdict.decision).unwrap(),
        json!({"effect": "redact", "reason": "personal data", "patches": [
            {"op": "replace", "path": "/context/args/ssn", "value": "***"},
            {"op": "remove", "path": "/context/tags"},
            {"op": "remove", "path": "/context/prompt"},
        ]})
    );
    assert_eq!(verdict.rules, Rules::determined(["drop".to_owned(), "mask".to_owned()]));
}

#[test]
fn a_replacement_can_come_from_the_request() {
    let policy = r#"permit(principal, action, resource);
        @id("swap") @redact("/context/prompt") @replacement_from("/context/args/ssn") forbid(principal, action, resource) when { context has prompt };"#;
    let loaded = Pack::new(policy).load();
    let decision = loaded.decision(&request(json!({"prompt": "p", "args": {"ssn": "s"}})));
    assert_eq!(
        serde_json::to_value(&decision.patches).unwrap(),
        json!([{"op": "replace", "path": "/context/prompt", "value": "s"}])
    );
    loaded.faults(
        &request(json!({"prompt": "p"})),
        FaultKind::MalformedPatch,
        "`swap` at pack/policy.cedar:2:9",
    );
}

#[test]
fn reasons_can_come_from_the_request() {
    let policy = r#"@id("all") @reason_from("/context/tags") permit(principal, action, resource);
        @id("late") @reason_from("/context/prompt") forbid(principal, action, resource) when { context has urgent };
        @redact("/context/args/ssn") @reason_from("/context/tags") forbid(principal, action, resource) when { context has args };
        @effect("step_up") @reason_from("/context/prompt") forbid(principal, action, resource) when { context has amount };"#;
    let loaded = Pack::new(policy).load();
    let reason = |context| loaded.decision(&request(context)).reason;
    assert_eq!(reason(json!({"tags": ["b", "a", "", "b"]})).as_deref(), Some("a; b"));
    assert_eq!(reason(json!({"tags": []})), None);
    assert_eq!(reason(json!({"tags": ["a"], "prompt": "now", "urgent": true})).as_deref(), Some("now"));
    assert_eq!(reason(json!({"tags": ["a"], "args": {"ssn": "1"}})).as_deref(), Some("a"));
    assert_eq!(reason(json!({"tags": ["a"], "prompt": "big", "amount": 1})).as_deref(), Some("big"));
}

#[test]
fn a_reason_that_is_not_there_is_a_fault() {
    let policy = r#"@id("all") @reason_from("/context/amount") permit(principal, action, resource);"#;
    let loaded = Pack::new(policy).load();
    for context in [json!({}), json!({"amount": 1})] {
        loaded.faults(
            &request(context),
            FaultKind::MalformedDecision,
            "`all` at pack/policy.cedar:1:1 takes its reason from `/context/amount`",
        );
    }
}

/// cedar.md hazard 2: Cedar skips a forbid that fails, and allows.
#[test]
fn a_forbid_that_fails_is_a_fault() {
    let policy = r#"permit(principal, action, resource);
        @id("sum") forbid(principal, action, resource) when { context has amount && context.amount + 1 > 5 };"#;
    let loaded = Pack::new(policy).load();
    assert_eq!(loaded.decision(&request(json!({"amount": 1}))).effect, DecisionEffect::Allow);
    loaded.faults(
        &request(json!({"amount": i64::MAX})),
        FaultKind::EvaluationError,
        "`sum` at pack/policy.cedar:2:9",
    );
}

#[test]
fn a_permit_or_a_softening_that_fails_is_a_fault_too() {
    for annotation in ["", "@redact(\"/context/prompt\")", "@effect(\"step_up\")"] {
        let effect = if annotation.is_empty() { "permit" } else { "forbid" };
        let policy = format!(
            "permit(principal, action, resource);
             {annotation} {effect}(principal, action, resource) when {{ context has amount && context.amount * 2 > 5 }};"
        );
        let loaded = Pack::new(&policy).load();
        loaded.faults(&request(json!({"amount": i64::MAX})), FaultKind::EvaluationError, "policy1");
    }
}

#[test]
fn a_denial_does_not_ask_the_softening_policies() {
    let policy = r#"forbid(principal, action, resource) when { context has amount };
        permit(principal, action, resource);
        @redact("/context/prompt") forbid(principal, action, resource) when { context has amount && context.amount * 2 > 5 };"#;
    let verdict = Pack::new(policy).load().verdict(&request(json!({"amount": i64::MAX})));
    assert_eq!(verdict.decision.effect, DecisionEffect::Deny);
    assert_eq!(verdict.rules, Rules::determined(["policy0".to_owned()]));
}

#[test]
fn members_beside_the_context_stand_in_it() {
    let policy = r#"permit(principal, action, resource)
        when { context has boundary && context.boundary == "tool" && context has action_properties.dry && context.action_properties.dry };"#;
    let loaded = Pack::new(policy).load();
    let mut payload = request(json!({}));
    assert_eq!(loaded.decision(&payload).effect, DecisionEffect::Deny);
    payload["boundary"] = json!("tool");
    payload["action"]["properties"] = json!({"dry": true});
    assert_eq!(loaded.decision(&payload).effect, DecisionEffect::Allow);
}

#[test]
fn explain_tells_what_ran_and_where() {
    let loaded = Pack::new(SOFT).load();
    let payload = request(json!({"args": {"ssn": "1"}}));
    let prepared = tribunal_engine_core::engine::Prepared::new(
        &payload,
        loaded.source.named(),
        jiff::Timestamp::UNIX_EPOCH,
        None,
    );
    let explanation = loaded.engine.explain(&prepared).unwrap();
    assert_eq!(explanation.verdict, loaded.verdict(&payload));
    let trace: Vec<String> = explanation
        .trace
        .iter()
        .map(|ran| format!("{} {} {}", ran.location.as_ref().unwrap(), ran.rule, ran.note))
        .collect();
    assert_eq!(
        trace,
        [
            "pack/policy.cedar:2:1 policy0 matched",
            "pack/policy.cedar:3:1 ask did not match",
            "pack/policy.cedar:5:1 ask2 did not match",
            "pack/policy.cedar:7:1 mask determined the decision",
            "pack/policy.cedar:9:1 drop did not match",
        ]
    );
    let payload = request(json!({"urgent": true}));
    let prepared = tribunal_engine_core::engine::Prepared::new(
        &payload,
        loaded.source.named(),
        jiff::Timestamp::UNIX_EPOCH,
        None,
    );
    assert!(loaded.engine.explain(&prepared).unwrap().notes[0].contains("were not asked"));
}

#[test]
fn a_decision_larger_than_allowed_is_a_fault() {
    let policy = r#"permit(principal, action, resource);
        @redact("/context/args/ssn") @replacement_from("/context/prompt") forbid(principal, action, resource) when { context has prompt && context has args.ssn };"#;
    let loaded =
        Pack::new(policy).load_within(Limits { output: Some(Bytes(200)), ..Limits::default() }).unwrap();
    let payload = |length: usize| request(json!({"prompt": "p".repeat(length), "args": {"ssn": "1"}}));
    assert_eq!(loaded.decision(&payload(10)).effect, DecisionEffect::Redact);
    assert_eq!(loaded.fault(&payload(500)).kind.as_str(), "limit:output");
}

/// Dispatch refuses a patch on a place that is not there; nothing here lets the request go ahead without it.
#[test]
fn a_redaction_of_an_absent_place_still_asks_for_it() {
    let policy = r#"permit(principal, action, resource);
        @redact("/context/prompt") forbid(principal, action, resource) when { context has urgent };"#;
    let decision = Pack::new(policy).load().decision(&request(json!({"urgent": true})));
    assert_eq!(decision.effect, DecisionEffect::Redact);
    assert_eq!(
        serde_json::to_value(&decision.patches).unwrap(),
        json!([{"op": "remove", "path": "/context/prompt"}])
    );
}
