//! What `biscuit-auth` 6.0.0 gets wrong, each with a test that fails without our guard against it.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use biscuit_auth::builder::{AuthorizerBuilder, Fact, MapKey, Term};
use biscuit_auth::{AuthorizerLimits, KeyPair};
use serde_json::json;
use tribunal_engine_core::engine::LoadErrorKind;
use tribunal_engine_core::fault::{FaultKind, LimitKind, TokenFault};
use tribunal_engine_core::limits::Limits;

use crate::support::{attenuate, mint, pack, text, tool, with_context};

/// 1: the default limit is a millisecond of wall clock.
#[test]
fn a_decision_of_some_milliseconds_is_not_a_timeout() {
    let policy = "allow if request($r), $r.get(\"context\").get(\"tags\").all($t -> $t.length() > 0);";
    let tags: Vec<String> = (0..20_000).map(|n| format!("tag{n}")).collect();
    let loaded = pack(policy).loaded();
    assert_eq!(loaded.decision(&with_context(json!({"tags": tags}))), json!({"effect": "allow"}));

    // The same under the defaults of the library.
    let tags = Term::Array(tags.into_iter().map(Term::Str).collect());
    let context = Term::Map(BTreeMap::from([(MapKey::Str("tags".to_owned()), tags)]));
    let request = Term::Map(BTreeMap::from([(MapKey::Str("context".to_owned()), context)]));
    let builder = AuthorizerBuilder::new()
        .code(policy)
        .unwrap()
        .fact(Fact::new("request".to_owned(), vec![request]))
        .unwrap();
    let result = builder.build_unauthenticated().unwrap().authorize();
    assert!(matches!(result, Err(biscuit_auth::error::Token::RunLimit(_))), "{result:?}");
}

fn numbers(count: usize) -> String {
    (0..count).map(|n| format!("v({n});")).collect()
}

/// 2: the clock does not pre-empt a join.
#[test]
fn a_join_that_would_take_seconds_is_refused_at_load() {
    let start = Instant::now();
    for policy in [
        format!("{} deny if v($a), v($b), v($c), v($d), $a + $b + $c + $d < 0; allow if true;", numbers(40)),
        format!("{} w($a) <- v($a), v($b), v($c), v($d), $a + $b + $c + $d < 0; allow if true;", numbers(30)),
        format!("{} reason(\"r\") <- v($a), v($b), v($c), v($d), $a < 0; allow if true;", numbers(50)),
        // Through a rule that multiplies.
        format!(
            "{} p($a, $b) <- v($a), v($b); deny if p($a, $b), p($c, $d), p($e, $f); allow if true;",
            numbers(30)
        ),
        // Patterns cost more than comparisons.
        format!("{} deny if v($a), v($b), v($c), action($t), $t.matches(\"x\"); allow if true;", numbers(60)),
    ] {
        let errors = pack(&policy).errors();
        assert!(errors.has(LoadErrorKind::Bounds), "{errors}");
    }
    assert!(start.elapsed() < Duration::from_secs(2));
    // The author can lower a limit instead.
    let circle =
        "e(1, 2); e(2, 3); r($a, $b) <- e($a, $b); r($a, $c) <- r($a, $b), e($b, $c); allow if r(1, 3);";
    assert_eq!(pack(circle).loaded().decision(&tool("x")), json!({"effect": "allow"}));
}

/// 2, in a token.
#[test]
fn a_join_in_a_token_is_refused_before_it_runs() {
    let root = KeyPair::new();
    let loaded = pack("allow if true;").token("optional").root(&root).loaded();
    let numbers = numbers(45);
    for block in [
        format!("{numbers} check if v($a), v($b), v($c), v($d), $a + $b + $c + $d < 0;"),
        format!("{numbers} w($a) <- v($a), v($b), v($c), v($d), $a < 0;"),
        "check if v($a), v($b), v($c), v($d), v($e), v($f), v($g), v($h), v($i);".to_owned(),
    ] {
        let token = attenuate(&mint(&root, "user(\"u\");"), &block);
        let start = Instant::now();
        assert_eq!(
            loaded.fault_with(&tool("x"), &text(&token)),
            FaultKind::Token(TokenFault::TooLarge),
            "{block}"
        );
        assert!(start.elapsed() < Duration::from_secs(1));
    }
}

/// 2, where the request brings the size.
#[test]
fn nested_loops_over_a_long_list_are_a_limit() {
    let policy = "allow if request($r), $r.get(\"context\").get(\"tags\").all($a -> $r.get(\"context\").get(\"tags\").any($b -> $a == $b));";
    let loaded = pack(policy).loaded();
    let tags = |count: usize| with_context(json!({"tags": vec!["t"; count]}));
    assert_eq!(loaded.decision(&tags(100)), json!({"effect": "allow"}));
    // A loop over the data is not made longer by a long list in the request.
    let other = pack(
        "allow if request($r), data($d), 1 == 1; allow if data($d), $d.get(\"a\").all($x -> $d.get(\"a\").all($y -> $x == $y));",
    );
    assert_eq!(other.data(json!({"a": [1, 1]})).loaded().decision(&tags(90_000)), json!({"effect": "allow"}));
    let start = Instant::now();
    assert_eq!(loaded.fault(&tags(20_000)), FaultKind::Limit(LimitKind::Facts));
    assert!(start.elapsed() < Duration::from_secs(1));
}

/// 3: the limit on facts does not count those that are there from the beginning.
#[test]
fn facts_that_are_there_from_the_beginning_count() {
    let errors = pack(&format!("{} allow if true;", numbers(1001))).errors();
    assert!(errors.has(LoadErrorKind::Bounds), "{errors}");
    let full = pack(&format!("{} allow if action($t);", numbers(1000))).loaded();
    assert_eq!(full.fault(&tool("x")), FaultKind::Limit(LimitKind::Facts));
    let root = KeyPair::new();
    let loaded = pack("allow if true;").token("optional").root(&root).loaded();
    let many = mint(&root, &numbers(1500));
    assert_eq!(loaded.fault_with(&tool("x"), &text(&many)), FaultKind::Limit(LimitKind::Facts));
    let large = mint(&root, &numbers(5000));
    assert_eq!(loaded.fault_with(&tool("x"), &text(&large)), FaultKind::Token(TokenFault::TooLarge));
}

/// 4: no rounds are taken for rounds without end.
#[test]
fn limits_of_zero_are_refused() {
    for limits in
        [Limits { iterations: Some(0), ..Limits::default() }, Limits { facts: Some(0), ..Limits::default() }]
    {
        let errors = pack("allow if true;").limits(limits).errors();
        assert!(errors.has(LoadErrorKind::Bounds), "{errors}");
    }
}

/// Patterns are matched by a function of the engine's, which must answer as the evaluator's own operation does.
#[test]
fn patterns_compiled_once_match_as_the_evaluator_matches() {
    let patterns = [
        "",
        "a",
        "^a$",
        "(?i)STRASSE",
        "(?s).",
        ".",
        r"^\\w+$",
        r"\\d{2,}",
        r"\\bé\\b",
        "[^a-z]",
        "(a|b)*c",
        r"\\p{Greek}",
        r"\\\\",
        "x{0}$",
        "(?x) a b # c",
        "a\nb",
    ];
    let texts =
        ["", "a", "A", "strasse", "straße", "12", "café é", "abc", "αβγ", "\n", "a\nb", "ab", "\u{1F600}"];
    let places = [
        "$t.matches(\"{}\")",
        "[\"x\"].any($x -> $x === \"x\" && $t.matches(\"{}\"))",
        "!$t.matches(\"{}\")",
        "false || $t.matches(\"{}\")",
        "$t.matches(\"{}\").try_or(true)",
    ];
    for pattern in patterns {
        for place in places {
            let policy = format!("allow if action($t), {};", place.replace("{}", pattern));
            let loaded = pack(&policy).loaded();
            for text in texts {
                let fact = Term::Str(text.to_owned());
                let evaluated = AuthorizerBuilder::new()
                    .code_with_params(
                        format!("action({{text}}); {policy}"),
                        [("text".to_owned(), fact)].into(),
                        HashMap::new(),
                    )
                    .unwrap()
                    .set_limits(AuthorizerLimits {
                        max_time: Duration::from_secs(10),
                        ..AuthorizerLimits::default()
                    })
                    .build_unauthenticated()
                    .unwrap()
                    .authorize()
                    .is_ok();
                let effect = if evaluated { "allow" } else { "deny" };
                assert_eq!(loaded.decision(&tool(text)), json!({"effect": effect}), "{policy} {text:?}");
            }
        }
    }
    // What is no text is an error, unless the policy says otherwise.
    let amount = "$r.get(\"context\").get(\"amount\").matches(\"1\")";
    let loaded = pack(&format!("allow if request($r), {amount};")).loaded();
    assert_eq!(loaded.fault(&with_context(json!({"amount": 1}))), FaultKind::EvaluationError);
    assert_eq!(loaded.fault(&with_context(json!({}))), FaultKind::EvaluationError);
    let loaded = pack(&format!("allow if request($r), {amount}.try_or(true);")).loaded();
    assert_eq!(loaded.decision(&with_context(json!({"amount": 1}))), json!({"effect": "allow"}));
}

/// 5: a pattern that does not compile matches nothing, so a `deny if` with one allows.
#[test]
fn patterns_are_literals_that_compile() {
    for condition in [
        "$t.matches(\"[\")",
        "$t.matches($t)",
        "$t.matches(\"a\" + \"b\")",
        "$t.matches((\"a\"))",
        "!(true && $t.matches(\"(\"))",
        "[\"x\"].any($x -> $x.matches(\"*\"))",
        "$t.matches(\"(a{1000}){1000}\")",
    ] {
        for statement in ["deny if", "reject if", "reason(\"r\") <-"] {
            let policy =
                format!("allow if action(\"ok\");\n{statement} action($t), {condition}; allow if true;");
            let errors = pack(&policy).errors();
            assert!(
                errors.has(LoadErrorKind::Invalid) && errors.to_string().contains("p/policy.biscuit:2:1"),
                "{policy}: {errors}"
            );
        }
    }
    let loaded = pack("deny if action($t), $t.matches(\"^r[m]$\"); allow if true;").loaded();
    assert_eq!(loaded.decision(&tool("rm")), json!({"effect": "deny"}));
    assert_eq!(loaded.decision(&tool("rmdir")), json!({"effect": "allow"}));

    let root = KeyPair::new();
    let loaded = pack("allow if true;").token("optional").root(&root).loaded();
    let token = mint(&root, "reject if action($t), $t.matches(\"[\");");
    assert_eq!(loaded.fault_with(&tool("rm"), &text(&token)), FaultKind::Token(TokenFault::Malformed));
}

/// 6: which of several facts is met first is a matter of chance.
#[test]
fn facts_of_mixed_types_never_decide_by_chance() {
    let errors = pack("v(1); v(\"a\"); allow if v($x), $x > 0;").errors();
    assert!(errors.has(LoadErrorKind::Invalid), "{errors}");
    let root = KeyPair::new();
    let loaded = pack("allow if v($x), $x > 0 trusting authority;").token("required").root(&root).loaded();
    for _ in 0..40 {
        let token = text(&mint(&root, "v(1); v(\"a\");"));
        assert_eq!(loaded.fault_with(&tool("x"), &token), FaultKind::Token(TokenFault::Malformed));
    }
}

/// 6: an error is never an answer, and always the same fault.
#[test]
fn every_error_of_an_expression_is_one_fault() {
    let root = KeyPair::new();
    for condition in [
        "1 / 0 == 1",
        "9223372036854775807 + 1 > 0",
        "$r.get(\"x\").get(\"y\") == 1",
        "$r === 1",
        "$r.get(\"x\")",
    ] {
        for statement in ["deny if", "reject if", "check if", "allow if", "effect(\"deny\") <-", "p(1) <-"] {
            let loaded = pack(&format!("{statement} request($r), {condition}; allow if true;")).loaded();
            assert_eq!(loaded.fault(&tool("x")), FaultKind::EvaluationError, "{statement} {condition}");
        }
        let loaded = pack("allow if true;").token("optional").root(&root).loaded();
        let token = mint(&root, &format!("check if request($r), {condition};"));
        assert_eq!(loaded.fault_with(&tool("x"), &text(&token)), FaultKind::EvaluationError, "{condition}");
    }
}

/// 7: an authorizer that was saved and read back has lost its facts and rules.
#[test]
fn other_data_keeps_every_fact_rule_and_limit() {
    let policy = "bad(\"rm\"); worse($t) <- bad($t); deny if worse($t), action($t); allow if true;";
    let loaded = pack(policy).limits(Limits { iterations: Some(1), ..Limits::default() }).loaded();
    let other = loaded.engine.with_data(std::sync::Arc::new(json!({"x": 1}))).unwrap();
    assert_eq!(
        loaded.decide_on(&*other, &tool("rm")).unwrap_err().kind,
        FaultKind::Limit(LimitKind::Iterations)
    );
    let loaded = pack(policy).loaded();
    let other = loaded.engine.with_data(std::sync::Arc::new(json!({"x": 1}))).unwrap();
    assert_eq!(crate::support::wire(loaded.decide_on(&*other, &tool("rm"))), json!({"effect": "deny"}));
}

/// 8: facts of a token's first block stand beside the pack's.
#[test]
fn a_tokens_facts_are_not_the_packs() {
    let root = KeyPair::new();
    let policy = r#"
        allowed_tool("search");
        good($t) <- allowed_tool($t);
        deny if action("pay"), urgent(1);
        urgent(2);
        allow if action($t), good($t);
        effect("redact") <- action("read");
        patch("remove", "/context/prompt", null) <- action("read");
        effect("step_up") <- action("pay");
        step_up("otp") <- action("pay");
        reason("own") <- action("read");
        reason($t) <- allowed_tool($t), action("read");
    "#;
    let token = r#"
        allowed_tool("evil"); good("evil"); urgent(1); query(true);
        effect("allow"); effect("deny"); effect("nonsense"); reason("injected"); step_up("aaa");
        patch("replace", "/subject/id", "root"); patch("replace", "/context", "x");
        effect($e) <- allowed_tool($e);
        good($t) <- action($t);
    "#;
    let with = pack(policy).token("optional").root(&root).loaded();
    let first = mint(&root, token);
    for token in [attenuate(&first, token), first] {
        for name in ["search", "evil", "read", "pay"] {
            assert_eq!(with.decision_with(&tool(name), &text(&token)), with.decision(&tool(name)), "{name}");
        }
        assert_eq!(with.decision_with(&tool("evil"), &text(&token))["effect"], json!("deny"));
    }
}

/// 8: what a statement trusts, and nothing more, is seen by it.
#[test]
fn a_token_is_seen_by_statements_that_trust_it() {
    let root = KeyPair::new();
    let policy = r#"
        allow if role("admin") trusting authority;
        effect("step_up") <- role("new") trusting authority;
        reason("known role") <- role($r) trusting authority;
    "#;
    let loaded = pack(policy).token("required").root(&root).loaded();
    let admin = mint(&root, "role(\"admin\");");
    assert_eq!(
        loaded.decision_with(&tool("x"), &text(&admin)),
        json!({"effect": "allow", "reason": "known role"})
    );
    let new = mint(&root, "role(\"admin\"); role(\"new\"); effect(\"allow\"); effect(\"deny\");");
    assert_eq!(
        loaded.decision_with(&tool("x"), &text(&new)),
        json!({"effect": "step_up", "reason": "known role"})
    );
    let claimed = attenuate(&mint(&root, "user(\"u\");"), "role(\"admin\");");
    assert_eq!(loaded.decision_with(&tool("x"), &text(&claimed)), json!({"effect": "deny"}));
}

/// 8: a token that speaks as the request does is not believed.
#[test]
fn a_token_cannot_state_the_request() {
    let root = KeyPair::new();
    let loaded = pack("allow if subject(\"admin\", $id), role($id) trusting authority;")
        .token("required")
        .root(&root)
        .loaded();
    for block in
        ["subject(\"admin\", \"a1\"); role(\"a1\");", "role(\"a1\"); subject(\"admin\", $id) <- role($id);"]
    {
        assert_eq!(
            loaded.fault_with(&tool("x"), &text(&mint(&root, block))),
            FaultKind::Token(TokenFault::Malformed),
            "{block}"
        );
    }
}

/// 10: the parser's recursion would end the process.
#[test]
fn deep_policies_are_refused_before_they_are_parsed() {
    let deep = |open: &str, close: &str, depth: usize| {
        format!("allow if {}true{};", open.repeat(depth), close.repeat(depth))
    };
    let array = |depth: usize| format!("known({}1{});", "[".repeat(depth), "]".repeat(depth));
    let chain = |operator: &str, count: usize| format!("allow if 1{} == 1;", operator.repeat(count));
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(move || {
            for policy in [
                deep("(", ")", 100_000),
                deep("!", "", 100_000),
                deep("! ", "", 100_000),
                deep("(!", ")", 60_000),
                array(100_000),
                format!("known({}1", "{\"a\":".repeat(100_000)),
                chain(" + 1", 100_000),
                chain(".length()", 100_000),
                format!("allow if true{};", " && true".repeat(100_000)),
                format!("allow if {}$a;", "[1].any($a -> ".repeat(100_000)),
                // Brackets in a string do not hide those outside.
                format!("x y; \"; allow if {}\";", "(".repeat(100_000)),
                format!("allow if \"{}\" == {}1;", ")".repeat(100_000), "(".repeat(100_000)),
                format!("{} deny if", "(".repeat(100_000)),
            ] {
                let errors = pack(&policy).errors();
                assert!(errors.has(LoadErrorKind::Bounds) || errors.has(LoadErrorKind::Syntax), "{errors}");
            }
            // The deepest that is let in does fit.
            for policy in [
                deep("(", ")", 64),
                deep("!", "", 64),
                array(63),
                chain(" + 0", 509),
                format!("allow if true{};", " && true".repeat(256)),
            ] {
                pack(&policy).loaded();
            }
            pack(&format!("allow if \"{}\" != \"\";", "(((;".repeat(1000))).loaded();
        })
        .unwrap()
        .join()
        .unwrap();
    let errors = pack(&format!("//{}\nallow if true;", "x".repeat(1 << 20))).errors();
    assert!(errors.has(LoadErrorKind::Bounds), "{errors}");
}

/// 11: a text that is no public key would panic.
#[test]
fn keys_that_are_none_are_errors_with_their_place() {
    for key in
        ["ed25519/00", "secp256r1/00", &format!("ed25519/{}", "02".repeat(32)), "ed25519/zz", "ed25519/"]
    {
        let errors =
            pack(&format!("allow if true;\ndeny if r(1) trusting {key};")).token("required").errors();
        assert!(errors.to_string().contains("p/policy.biscuit:2:23: "), "{key}: {errors}");
        assert!(
            errors.has(LoadErrorKind::Invalid) && errors.to_string().contains("is not a public key"),
            "{key}: {errors}"
        );
    }
    // In a string it is a text like any other.
    pack("allow if action(\"ed25519/00\");").loaded();
}

/// 15: a request put into text could say anything.
#[test]
fn a_request_cannot_speak_datalog() {
    let loaded = pack(
        "denied(\"rm\"); allow if action(\"ok\"); deny if action($t), denied($t); reason($t) <- action($t);",
    )
    .loaded();
    for name in [
        "x\"); action(\"ok",
        "ok\");//",
        "ok\"",
        "{ok}",
        "$t",
        "\\\"",
        "ok\n",
        "true",
        "hex:00",
        "",
        "\u{0}",
        "é\"), action(\"ok",
    ] {
        let decision = loaded.decision(&tool(name));
        assert_eq!(decision["effect"], json!("deny"), "{name:?}");
        assert_eq!(decision["reason"], if name.is_empty() { json!(null) } else { json!(name) });
    }
}
