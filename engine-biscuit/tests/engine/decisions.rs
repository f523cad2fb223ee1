//! What policies decide.

use std::sync::Arc;

use serde_json::json;
use tribunal_engine_core::contract::Rules;
use tribunal_engine_core::fault::{FaultKind, LimitKind};
use tribunal_engine_core::limits::{Bytes, Limits};

use crate::support::{pack, tool, wire, with_context};

fn rules(names: &[&str]) -> Rules {
    Rules::determined(names.iter().map(|name| (*name).to_owned()))
}

#[test]
fn the_first_policy_that_matches_decides() {
    let allowing = pack("allow if action(\"search\");\ndeny if true;").loaded();
    assert_eq!(allowing.decision(&tool("search")), json!({"effect": "allow"}));
    assert_eq!(allowing.decision(&tool("rm")), json!({"effect": "deny"}));
    let denying = pack("deny if true;\nallow if action(\"search\");").loaded();
    assert_eq!(denying.decision(&tool("search")), json!({"effect": "deny"}));
    assert_eq!(denying.decide(&tool("search")).unwrap().rules, rules(&["deny policy.biscuit:1"]));
}

#[test]
fn nothing_that_matches_is_a_denial() {
    let loaded = pack("allow if action(\"search\");").loaded();
    assert_eq!(loaded.decision(&tool("rm")), json!({"effect": "deny"}));
    assert_eq!(loaded.decide(&tool("rm")).unwrap().rules, rules(&[]));
    assert_eq!(pack("known(1);").loaded().decision(&tool("rm")), json!({"effect": "deny"}));
}

#[test]
fn a_failed_check_denies_although_a_policy_allows() {
    let loaded = pack("check if action(\"search\");\nreject if subject(\"robot\", $id);\ncheck all resource($type, $id), $type == \"tool\";\nallow if true;").loaded();
    assert_eq!(loaded.decision(&tool("search")), json!({"effect": "allow"}));
    assert_eq!(loaded.decision(&tool("rm")), json!({"effect": "deny"}));
    assert_eq!(loaded.decide(&tool("rm")).unwrap().rules, rules(&["check policy.biscuit:1"]));
    let mut robot = tool("search");
    robot["subject"]["type"] = json!("robot");
    assert_eq!(loaded.decide(&robot).unwrap().rules, rules(&["reject policy.biscuit:2"]));
}

#[test]
fn files_are_one_program_in_path_order() {
    let loaded = pack("allow if known($tool), action($tool);")
        .file("a/first.biscuit", "known(\"search\");\ndeny if action(\"rm\");")
        .loaded();
    assert_eq!(loaded.decision(&tool("search")), json!({"effect": "allow"}));
    assert_eq!(loaded.decide(&tool("rm")).unwrap().rules, rules(&["deny a/first.biscuit:2"]));
}

#[test]
fn the_most_severe_effect_wins() {
    let policy = r#"
        allow if action("search");
        effect("allow");
        effect("redact") <- request($r), $r.get("context").get("prompt") == "secret";
        patch("remove", "/context/prompt", null) <- effect_wanted(true);
        effect_wanted(true);
        effect("step_up") <- request($r), $r.get("context").get("amount") == 1;
        step_up("otp");
        step_up("human_approval");
        effect("deny") <- request($r), $r.get("context").get("urgent") == true;
        reason("why");
    "#;
    let loaded = pack(policy).loaded();
    let decide = |context| loaded.decision(&with_context(context));
    assert_eq!(decide(json!({})), json!({"effect": "allow", "reason": "why"}));
    assert_eq!(
        decide(json!({"prompt": "secret"})),
        json!({"effect": "redact", "reason": "why", "patches": [{"op": "remove", "path": "/context/prompt"}]})
    );
    assert_eq!(
        decide(json!({"prompt": "secret", "amount": 1})),
        json!({"effect": "step_up", "reason": "why", "step_up": {"method": "human_approval"}})
    );
    assert_eq!(
        decide(json!({"prompt": "secret", "amount": 1, "urgent": true})),
        json!({"effect": "deny", "reason": "why"})
    );
    // An `effect("allow")` lowers nothing.
    assert_eq!(loaded.decision(&tool("rm")), json!({"effect": "deny", "reason": "why"}));
}

#[test]
fn an_effect_is_named_by_its_statement() {
    let loaded = pack("allow if true;\neffect(\"step_up\") <- action(\"pay\");\nstep_up(\"otp\");").loaded();
    assert_eq!(loaded.decide(&tool("search")).unwrap().rules, rules(&["allow policy.biscuit:1"]));
    assert_eq!(loaded.decide(&tool("pay")).unwrap().rules, rules(&["effect policy.biscuit:2"]));
}

#[test]
fn reasons_are_sorted_distinct_and_joined() {
    let loaded = pack("allow if true; reason(\"b\"); reason(\"a\"); reason(\"b\") <- action(\"search\"); reason($tool) <- action($tool);").loaded();
    assert_eq!(loaded.decision(&tool("search")), json!({"effect": "allow", "reason": "a; b; search"}));
}

#[test]
fn patches_carry_values_of_json() {
    let policy = r#"
        allow if true;
        effect("redact");
        patch("replace", "/context/prompt", "[x]");
        patch("replace", "/context/amount", 0);
        patch("replace", "/context/tags", ["a", true, null]);
        patch("replace", "/context/owner", {"team": "t"});
        patch("remove", "/context/urgent", null);
    "#;
    let decision = pack(policy).loaded().decision(&tool("search"));
    assert_eq!(
        decision["patches"],
        json!([
            {"op": "replace", "path": "/context/amount", "value": 0},
            {"op": "replace", "path": "/context/owner", "value": {"team": "t"}},
            {"op": "replace", "path": "/context/prompt", "value": "[x]"},
            {"op": "replace", "path": "/context/tags", "value": ["a", true, null]},
            {"op": "remove", "path": "/context/urgent"},
        ])
    );
}

#[test]
fn a_replacement_can_come_from_the_request() {
    let policy = r#"
        allow if true;
        urgent(true) <- request($r), $r.get("context").get("urgent").type() === "bool";
        effect("deny") <- urgent(true);
        effect("redact");
        patch("replace_from", "/context/prompt", "/context/owner");
        patch("replace_from", "/context/amount", "/derived/class");
        patch("replace", "/context/amount", "c");
    "#;
    let loaded = pack(policy).loaded();
    let mut request = with_context(json!({"owner": {"team": "red"}, "prompt": "p", "amount": 1}));
    request["derived"] = json!({"class": "c"});
    assert_eq!(
        loaded.decision(&request)["patches"],
        json!([
            {"op": "replace", "path": "/context/amount", "value": "c"},
            {"op": "replace", "path": "/context/prompt", "value": {"team": "red"}},
        ])
    );
    // Where nothing stands there is nothing to replace by; a denial does not need it.
    request["derived"] = json!({});
    assert_eq!(loaded.fault(&request), FaultKind::MalformedPatch);
    request["context"]["urgent"] = json!(true);
    assert_eq!(loaded.decision(&request), json!({"effect": "deny"}));
}

#[test]
fn answers_of_the_wrong_shape_are_faults() {
    for (policy, kind) in [
        ("allow if true; effect($e) <- action($e);", FaultKind::MalformedDecision),
        ("allow if true; reason($r) <- request($r);", FaultKind::MalformedDecision),
        (
            "allow if true; effect(\"redact\"); patch(\"replace\", $p, 1) <- action($p);",
            FaultKind::MalformedPatch,
        ),
        (
            "allow if true; effect(\"redact\"); patch($op, \"/context\", 1) <- action($op);",
            FaultKind::MalformedPatch,
        ),
        (
            "allow if true; effect(\"redact\"); patch(\"replace\", \"/context\", $t) <- time($t);",
            FaultKind::MalformedPatch,
        ),
        (
            "allow if true; effect(\"redact\"); patch(\"remove\", \"/context\", null) <- action(\"never\");",
            FaultKind::MalformedDecision,
        ),
        ("allow if true; effect(\"step_up\"); step_up($t) <- time($t);", FaultKind::MalformedDecision),
    ] {
        assert_eq!(pack(policy).loaded().fault(&tool("search")), kind, "{policy}");
    }
}

#[test]
fn the_request_is_stated_as_typed_facts() {
    let policy = r#"
        allow if subject("agent", "a1"), action("search"), resource("tool", "t1"),
            request($r), derived($d), data($x), time($now),
            $r.get("context").get("amount") === 9223372036854775807,
            $r.get("context").get("tags") === ["a", 2, true],
            $r.get("context").get("owner") === {"team": "red"},
            $r.get("hidden") === null,
            $r.get("derived") === null,
            $d.get("class") === "c",
            $x.get("tools").contains("search"),
            $now === 2026-11-21T12:00:00Z;
    "#;
    let loaded = pack(policy).data(json!({"tools": ["search"]})).loaded();
    let mut request = with_context(json!({
        "amount": i64::MAX, "tags": ["a", 2, true], "owner": {"team": "red", "hidden": 1.5}, "hidden": null,
    }));
    request["hidden"] = json!(1.5);
    request["derived"] = json!({"class": "c"});
    assert_eq!(loaded.decision(&request), json!({"effect": "allow"}));
}

#[test]
fn an_entity_without_texts_is_not_stated() {
    let loaded = pack("allow if subject($type, $id);").loaded();
    for subject in [json!({"type": "agent"}), json!({"type": "agent", "id": 5}), json!({})] {
        let mut request = tool("search");
        request["subject"] = subject;
        assert_eq!(loaded.decision(&request), json!({"effect": "deny"}));
    }
}

#[test]
fn what_has_no_term_is_unrepresentable_whether_read_or_not() {
    for policy in ["allow if true;", "allow if request($r);"] {
        let loaded = pack(policy).loaded();
        for value in [json!(1.5), json!(null), json!(u64::MAX), json!([[1.0]]), json!([null])] {
            let request = with_context(json!({"tags": [value]}));
            assert_eq!(loaded.fault(&request), FaultKind::Unrepresentable, "{policy} {request}");
        }
        let fault = loaded.decide(&with_context(json!({"tags": ["x", 1.5]}))).unwrap_err();
        assert!(fault.detail.contains("`/context/tags/1`"), "{}", fault.detail);
    }
    assert_eq!(
        wire(pack("allow if true;").loaded().decide_at(&tool("search"), "1969-12-31T23:59:59Z")),
        json!("fault:unrepresentable")
    );
}

#[test]
fn limits_are_faults_of_their_own() {
    let chain = "n(0); p($a) <- n($a); q($a) <- p($a); r($a) <- q($a); allow if r(0);";
    let limits = |limits| pack(chain).limits(limits).loaded();
    assert_eq!(limits(Limits::default()).decision(&tool("x")), json!({"effect": "allow"}));
    assert_eq!(
        limits(Limits { iterations: Some(2), ..Limits::default() }).fault(&tool("x")),
        FaultKind::Limit(LimitKind::Iterations)
    );
    assert_eq!(
        limits(Limits { facts: Some(3), ..Limits::default() }).fault(&tool("x")),
        FaultKind::Limit(LimitKind::Facts)
    );
    let output = pack("allow if true; reason(\"0123456789\");")
        .limits(Limits { output: Some(Bytes(9)), ..Limits::default() });
    assert_eq!(output.loaded().fault(&tool("x")), FaultKind::Limit(LimitKind::Output));
}

#[test]
fn other_data_is_the_same_policy() {
    let loaded = pack("allow if action($tool), data($d), $d.get(\"tools\").contains($tool);")
        .data(json!({"tools": ["search"]}))
        .loaded();
    let other = loaded.engine.with_data(Arc::new(json!({"tools": ["rm"]}))).unwrap();
    assert_eq!(loaded.decision(&tool("search")), json!({"effect": "allow"}));
    assert_eq!(wire(loaded.decide_on(&*other, &tool("search"))), json!({"effect": "deny"}));
    assert_eq!(wire(loaded.decide_on(&*other, &tool("rm"))), json!({"effect": "allow"}));
    assert!(loaded.engine.with_data(Arc::new(json!({"tools": [1.5]}))).is_err());
}

#[test]
fn an_explanation_lists_every_statement_that_ran() {
    let policy = "known(\"search\");\ngood($t) <- known($t), action($t);\ncheck if subject(\"agent\", $id);\ndeny if action(\"rm\");\nallow if good($t);\nallow if true;\nreason(\"r\") <- action(\"x\");";
    let loaded = pack(policy).loaded();
    let explanation = loaded.explain(&tool("search"), None).unwrap();
    assert_eq!(explanation.verdict, loaded.decide(&tool("search")).unwrap());
    let trace: Vec<String> =
        explanation.trace.iter().map(|rule| format!("{}: {}", rule.rule, rule.note)).collect();
    assert_eq!(
        trace,
        [
            "good policy.biscuit:2: derived 1 fact",
            "check policy.biscuit:3: held",
            "deny policy.biscuit:4: did not match",
            "allow policy.biscuit:5: matched; determined the decision",
            "allow policy.biscuit:6: not reached",
            "reason policy.biscuit:7: did not match",
        ]
    );
    assert_eq!(explanation.trace[2].location.as_ref().unwrap().to_string(), "p/policy.biscuit:4:1");
}

#[test]
fn threads_share_a_loaded_pack() {
    let loaded =
        pack("known(\"search\"); allow if known($t), action($t); reason($t) <- action($t);").loaded();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for name in ["search", "rm"].into_iter().cycle().take(100) {
                    let effect = if name == "search" { "allow" } else { "deny" };
                    assert_eq!(loaded.decision(&tool(name)), json!({"effect": effect, "reason": name}));
                }
            });
        }
    });
}
