//! Decisions, faults and limits.

use std::time::{Duration, Instant};

use serde_json::json;
use tribunal_engine_core::contract::{Decision, DecisionEffect, Rules};
use tribunal_engine_core::engine::{Capability, EngineFactory, LoadErrorKind};
use tribunal_engine_core::fault::{FaultKind, LimitKind};
use tribunal_engine_core::limits::{Bytes, Limits, Span};
use tribunal_engine_rego_native::RegoNativeFactory;

use crate::support::Pack;

const TOOLS: &str = r#"package p

import future.keywords.not

default decision := {"effect": "deny", "reason": "not listed"}

decision := {"effect": "allow"} if {
	tool := input.resource.id
	tool in data.tools
	not blocked(input.subject.id)
}

blocked(id) if startswith(id, "bad")
"#;

#[test]
fn a_rule_decides() {
    let pack = Pack::rego(TOOLS).data(&json!({"tools": ["search"]})).load().unwrap();
    let request = |tool: &str, subject: &str| json!({"subject": {"id": subject}, "resource": {"id": tool}});
    let verdict = pack.decide(&request("search", "good")).unwrap();
    assert_eq!((verdict.decision, verdict.rules), (Decision::allow(), Rules::UNAVAILABLE));
    assert_eq!(pack.decide(&request("search", "bad one")).unwrap().decision, Decision::deny("not listed"));
    assert_eq!(pack.decide(&request("other", "good")).unwrap().decision, Decision::deny("not listed"));
    assert_eq!(pack.decide(&json!({})).unwrap().decision, Decision::deny("not listed"));
}

#[test]
fn a_pair_of_rules_decides() {
    let pack = Pack::rego(
        "package p\ndefault allow := false\nallow if input.ok == true\nreasons contains \"b\" if not allow\nreasons contains \"a\" if not allow\n",
    );
    let pack =
        pack.settings(json!({"decision": {"allow": "p/allow", "reason": "p/reasons"}})).load().unwrap();
    assert_eq!(pack.decide(&json!({"ok": true})).unwrap().decision, Decision::allow());
    assert_eq!(pack.decide(&json!({"ok": 1})).unwrap().decision, Decision::deny("a; b"));
}

#[test]
fn several_files_make_one_policy_and_tests_are_no_part_of_it() {
    let pack = Pack::rego("package p\nimport data.lib.names\ndecision := names.ok(input.name)\n")
        .file("lib/names.rego", "package lib.names\nok(name) := name == \"x\"\n")
        .file("policy_test.rego", "package p\nthis is no rego")
        .load()
        .unwrap();
    assert_eq!(pack.decide(&json!({"name": "x"})).unwrap().decision, Decision::allow());
}

#[test]
fn faults_are_told_apart() {
    for (rego, expected) in [
        ("decision := true if input.missing", FaultKind::UndefinedDecision),
        ("decision := 1", FaultKind::MalformedDecision),
        ("decision := \"permit\"", FaultKind::MalformedDecision),
        (
            "decision := {\"effect\": \"redact\", \"patches\": [{\"op\": \"add\", \"path\": \"/a\"}]}",
            FaultKind::MalformedPatch,
        ),
        ("decision := true if input.x == 1\ndecision := false if input.x == 1", FaultKind::Conflict),
        ("decision := f(input.x)\nf(x) := true if x == 1\nf(x) := false if x < 2", FaultKind::Conflict),
        ("decision := {k: v | some v in [1, 2]; k := input.x}[1]", FaultKind::Conflict),
        ("decision := to_number(input.s) == 1", FaultKind::BuiltinError),
        ("decision := f(input.s)\nf(s) := true if to_number(s) == 1\nf(_) := true", FaultKind::BuiltinError),
        ("decision := 1 / (input.x - 1) == 1", FaultKind::BuiltinError),
        ("decision := input.s + 1 == 1", FaultKind::BuiltinError),
        ("decision := true if { some x in input.s; x == 1 }", FaultKind::EvaluationError),
    ] {
        let pack = Pack::rego(&format!("package p\n{rego}\n")).load().unwrap();
        let fault = pack.decide(&json!({"x": 1, "s": "no number"})).unwrap_err();
        assert_eq!(fault.kind, expected, "{rego}: {fault}");
        // A worker that failed is replaced: the next request is decided as if nothing had been.
        assert_eq!(pack.decide(&json!({"x": 1, "s": "no number"})).unwrap_err().kind, expected, "{rego}");
    }
}

#[test]
fn lenient_built_ins_are_undefined_and_conflicts_stay_faults() {
    let lenient = json!({"entrypoint": "p/decision", "strict_builtin_errors": false});
    let rego = "package p\ndefault decision := false\ndecision := to_number(input.s) == 1\n";
    let strict = Pack::rego(rego).load().unwrap();
    assert_eq!(strict.decide(&json!({"s": "x"})).unwrap_err().kind, FaultKind::BuiltinError);
    let pack = Pack::rego(rego).settings(lenient.clone()).load().unwrap();
    assert_eq!(pack.decide(&json!({"s": "x"})).unwrap().decision.effect, DecisionEffect::Deny);
    // regorus's own lenient mode drops the conflict of `g` and takes the second `f`.
    let rego =
        "package p\ndecision := f(1)\nf(x) := g(x)\nf(_) := true\ng(x) := 1 if x == 1\ng(x) := 2 if x == 1\n";
    let pack = Pack::rego(rego).settings(lenient).load().unwrap();
    assert_eq!(pack.decide(&json!({})).unwrap_err().kind, FaultKind::Conflict);
}

#[test]
fn a_heavy_evaluation_stops_at_its_deadline() {
    let limits = Limits { deadline: Some(Span(Duration::from_millis(50))), ..Limits::default() };
    let heavy =
        "count([1 | some a in xs; some b in xs; some c in xs; some d in xs; a + b + c + d == -1]) > 0";
    let rego = format!("package p\nxs := numbers.range(1, 300)\ndecision := {heavy}\n");
    let pack = Pack::rego(&rego).limits(limits).load().unwrap();
    let began = Instant::now();
    assert_eq!(pack.decide(&json!({})).unwrap_err().kind, FaultKind::Limit(LimitKind::Deadline));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // The deadline is also held where regorus swallows errors of functions, and inside built-ins.
    let functions = "decision := f(1)\nf(_) := inner\nf(_) := true\n";
    let rego = format!("package p\nxs := numbers.range(1, 300)\n{functions}inner := true if {{ {heavy} }}\n");
    let pack = Pack::rego(&rego).limits(limits).load().unwrap();
    assert_eq!(pack.decide(&json!({})).unwrap_err().kind, FaultKind::Limit(LimitKind::Deadline));
}

#[test]
fn an_answer_that_is_too_large_is_a_fault() {
    let rego = "package p\ndecision := {\"effect\": \"deny\", \"reason\": concat(\",\", [sprintf(\"%d\", [x]) | some x in numbers.range(1, 1000)])}\n";
    let pack = Pack::rego(rego).load().unwrap();
    assert_eq!(pack.decide(&json!({})).unwrap().decision.effect, DecisionEffect::Deny);
    let limits = Limits { output: Some(Bytes(1024)), ..Limits::default() };
    let pack = Pack::rego(rego).limits(limits).load().unwrap();
    assert_eq!(pack.decide(&json!({})).unwrap_err().kind, FaultKind::Limit(LimitKind::Output));
}

#[test]
fn the_clock_is_the_requests() {
    let pack = Pack::rego("package p\ndecision := time.now_ns() == 1700000000000000000\n").load().unwrap();
    assert_eq!(pack.decide(&json!({})).unwrap().decision, Decision::allow());
}

#[test]
fn prints_go_nowhere_and_change_nothing() {
    let pack = Pack::rego("package p\ndecision if { print(\"x\", input.missing); true }\n").load().unwrap();
    assert_eq!(pack.decide(&json!({})).unwrap().decision, Decision::allow());
}

#[test]
fn other_data_makes_another_engine() {
    let pack = Pack::rego(TOOLS).data(&json!({"tools": ["search"]})).load().unwrap();
    let request = json!({"subject": {"id": "s"}, "resource": {"id": "shell"}});
    assert_eq!(pack.decide(&request).unwrap().decision.effect, DecisionEffect::Deny);
    let other = pack.engine.with_data(std::sync::Arc::new(json!({"tools": ["shell"]}))).unwrap();
    assert_eq!(other.decide(&pack.prepare(&request)).unwrap().decision, Decision::allow());
    assert_eq!(pack.decide(&request).unwrap().decision.effect, DecisionEffect::Deny);
    let errors = pack.engine.with_data(std::sync::Arc::new(json!({"p": {"decision": true}}))).unwrap_err();
    assert!(errors.to_string().contains("where the rule `p.decision` is"), "{errors}");
}

#[test]
fn an_explanation_lists_the_rules_that_ran() {
    let rego = "package p\ndefault decision := false\ndecision if {\n\tinput.x == 1\n\thelper\n}\nhelper if input.y == 2\nunused if input.z\n";
    let pack = Pack::rego(rego).load().unwrap();
    let explained = pack.explain(&json!({"x": 1, "y": 2})).unwrap();
    assert_eq!(explained.verdict, pack.decide(&json!({"x": 1, "y": 2})).unwrap());
    let trace: Vec<String> = explained
        .trace
        .iter()
        .map(|rule| format!("{} {} {}", rule.rule, rule.location.as_ref().unwrap(), rule.note))
        .collect();
    let ran = [
        "p.decision test/policy.rego:2:1 ran",
        "p.decision test/policy.rego:3:1 ran",
        "p.helper test/policy.rego:7:1 ran",
    ];
    assert_eq!(trace, ran);
    let missed = pack.explain(&json!({"x": 2})).unwrap();
    assert_eq!(missed.trace[1].note, "ran; line 5 was not reached");
    // The worker that traced it is used again, and tells nothing of the requests before.
    assert_eq!(pack.explain(&json!({"x": 1, "y": 2})).unwrap(), explained);
    assert_eq!(pack.explain(&json!({"x": 2})).unwrap(), missed);
    let fresh = Pack::rego(rego).load().unwrap();
    assert_eq!(fresh.explain(&json!({"x": 2})).unwrap(), missed);
}

#[test]
fn threads_decide_at_once_and_alike() {
    let pack = Pack::rego(TOOLS).data(&json!({"tools": ["search"]})).load().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let pack = &pack;
            scope.spawn(move || {
                for round in 0..200 {
                    let tool = if (round + thread) % 2 == 0 { "search" } else { "other" };
                    let request = json!({"subject": {"id": "s"}, "resource": {"id": tool}});
                    let expected =
                        if tool == "search" { DecisionEffect::Allow } else { DecisionEffect::Deny };
                    assert_eq!(pack.decide(&request).unwrap().decision.effect, expected);
                }
            });
        }
    });
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let rego = "package p\ndecision := true\nf(x) := x\nq.a := 1\n";
    let load = |settings: serde_json::Value| Pack::rego(rego).settings(settings).refused();
    for (settings, says) in [
        (json!({}), "neither `entrypoint` nor `decision`"),
        (
            json!({"entrypoint": "p/decision", "decision": {"allow": "p/decision", "reason": "p/decision"}}),
            "cannot both",
        ),
        (json!({"entrypoint": "p/decison"}), "did you mean `p/decision`?"),
        (json!({"entrypoint": "p//decision"}), "is not the path of a rule"),
        (json!({"entrypoint": "p"}), "is a package"),
        (json!({"entrypoint": "p/f"}), "is a function"),
        (json!({"entrypoint": "p/q"}), "only the beginning"),
        (json!({"entrypoint": "p/decision", "strict": true}), "strict"),
    ] {
        let text = load(settings.clone());
        assert!(text.contains(says), "{settings}: {text}");
        assert!(text.starts_with("test/pack.yaml:1:"), "{text}");
    }
    assert_eq!(Pack::rego(rego).settings(json!({"entrypoint": "p/decision"})).load().map(|_| ()), Ok(()));
}

#[test]
fn data_that_would_take_the_place_of_a_rule_is_refused() {
    let errors = Pack::rego("package p\ndecision := false\n")
        .data(&json!({"p": {"decision": true}}))
        .load()
        .map(|_| ())
        .unwrap_err();
    assert!(errors.has(LoadErrorKind::Invalid));
    assert!(Pack::rego("package p\ndecision := false\n").data(&json!({"p": 1})).load().is_err());
    assert!(
        Pack::rego("package p\ndecision := data.p.other\n")
            .data(&json!({"p": {"other": true}}))
            .load()
            .is_ok()
    );
}

#[test]
fn the_schema_of_the_settings_stands_alone() {
    let schema = RegoNativeFactory.settings_schema().to_string();
    assert!(!schema.contains("$ref") && schema.contains("strict_builtin_errors"), "{schema}");
}

#[test]
fn what_is_declared_is_true() {
    let can = RegoNativeFactory.capabilities();
    assert!(can.has(Capability::Deadline) && can.has(Capability::StrictBuiltins));
    assert!(!can.has(Capability::Fuel) && !can.has(Capability::Tokens) && !can.has(Capability::Rules));
}
