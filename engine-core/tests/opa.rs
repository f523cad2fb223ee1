//! Derived members against the real `opa`, where it has the function: what a policy in Rego computes itself must be what the
//! host derives for the engines that cannot.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "what tests share may panic as tests do, and a test that is skipped says so"
)]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};
use tribunal_engine_core::derive::{DerivePlan, PackData};
use tribunal_engine_core::document::Document;

/// `TRIBUNAL_OPA`, or `opa` on the path.
fn opa() -> Option<PathBuf> {
    let binary = std::env::var_os("TRIBUNAL_OPA").map_or_else(|| PathBuf::from("opa"), PathBuf::from);
    let version = Command::new(&binary).arg("version").output().ok().filter(|out| out.status.success());
    let Some(version) = version else {
        let why = "SKIPPED: no OPA to compare with (TRIBUNAL_OPA, or `opa` on the PATH)";
        assert!(std::env::var("TRIBUNAL_REQUIRE_OPA").as_deref() != Ok("1"), "{why}");
        println!("{why}");
        return None;
    };
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    assert!(version.starts_with("Version: 1.22.0"), "the truth is OPA 1.22.0, not {version}");
    Some(binary)
}

/// What an expression over `x` comes to in OPA for each input; absent where it comes to nothing.
fn ask(opa: &PathBuf, expression: &str, inputs: &[Value]) -> Map<String, Value> {
    let query = format!("{{sprintf(\"%d\", [i]): y | x := input[i]; y := {expression}}}");
    let mut child = Command::new(opa)
        .args(["eval", "--format", "json", "--stdin-input", &query])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&serde_json::to_vec(inputs).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let value = answer.pointer("/result/0/expressions/0/value").and_then(Value::as_object);
    value.unwrap_or_else(|| panic!("{query}: {answer}")).clone()
}

fn derived(declared: &str, input: &Value) -> Option<Value> {
    let document = Document::parse("pack.yaml", format!("derive: {{y: {{{declared}}}}}").as_bytes()).unwrap();
    let specs = serde_json::from_value(document.value.get("derive").unwrap().clone()).unwrap();
    let plan = DerivePlan::compile(&specs, &document, PackData::from(&json!({})))
        .unwrap_or_else(|errors| panic!("{declared}: {errors}"));
    let payload = json!({"x": input});
    let now = jiff::Timestamp::UNIX_EPOCH;
    plan.apply(&payload, now).ok().and_then(|payload| payload.pointer("/derived/y").cloned())
}

/// That OPA's expression and our function agree on every input.
fn compare(opa: &PathBuf, expression: &str, declared: &str, inputs: &[Value]) {
    let expected = ask(opa, expression, inputs);
    for (index, input) in inputs.iter().enumerate() {
        let got = derived(declared, input);
        assert_eq!(
            got.as_ref(),
            expected.get(&index.to_string()),
            "{declared} of {input}, beside {expression}"
        );
    }
}

/// Texts of all kinds, the same in every run.
fn texts() -> Vec<Value> {
    let strategy = "(\\PC|[a-c]|[ -~]|[0-9./:=&%-]|\\n){0,24}";
    let mut runner = TestRunner::deterministic();
    let mut texts: Vec<Value> =
        (0..400).map(|_| json!(strategy.new_tree(&mut runner).unwrap().current())).collect();
    texts.extend(
        ["", "ΌΣΟΣ", "İstanbul", "STRASSE ẞ", "ǅ", "K\u{212a}k", "ſ", "ab-ba 12.34 aab", "a\nb\nab", "Ⓐ Ꭰ ᏸ"]
            .map(Value::from),
    );
    texts
}

#[test]
fn texts_become_lower_case_as_in_opa() {
    let Some(opa) = opa() else { return };
    // Go's tables are those of Unicode 15: characters that are newer stay as they are there.
    let known: Vec<Value> = texts().into_iter().filter(|text| !is_newer(text.as_str().unwrap())).collect();
    assert!(known.len() > 300);
    compare(&opa, "lower(x)", "lower: {source: /x}", &known);
}

/// Whether a text holds a letter whose case is newer than Unicode 15.
fn is_newer(text: &str) -> bool {
    text.chars().any(|char| matches!(char, '\u{10d50}'..='\u{10d8f}' | '\u{a7cb}'..='\u{a7cf}' | '\u{a7d2}' | '\u{a7d4}' | '\u{a7da}'..='\u{a7dc}' | '\u{1c89}' | '\u{1c8a}' | '\u{16ea0}'..='\u{16ed3}'))
}

#[test]
fn expressions_match_as_in_opa() {
    let Some(opa) = opa() else { return };
    // `\d`, `\w`, `\s` and `\b` know ASCII only in OPA and all of Unicode here, so they are not among these.
    for pattern in [
        "a",
        "^a|b$",
        "(?i)STRASSE|k",
        "[^a-z]+",
        "a*",
        "(?s)a.b",
        "(?m)^[ab]+$",
        "(a+)(b*)",
        "([0-9]+)[.]([0-9]+)",
        "\\p{Lu}",
        "[[:punct:]]{2,}",
        "",
        "a??b",
        "[^a-z]{1,30}",
        "a{0,30}",
        "(a{1,30})(b{0,30})",
        "(?m)^[ab]{1,30}$",
        "[[:punct:]]{2,30}",
        "ab|a.?|[0-9]{1,3}[.:]",
    ] {
        let quoted = pattern.replace('\'', "''");
        let inputs = texts();
        let opas = format!("`{pattern}`");
        compare(
            &opa,
            &format!("regex.match({opas}, x)"),
            &format!("regex: {{source: /x, pattern: '{quoted}'}}"),
            &inputs,
        );
        compare(
            &opa,
            &format!("regex.find_n({opas}, x, 1)[0]"),
            &format!("regex: {{source: /x, pattern: '{quoted}', capture: 0}}"),
            &inputs,
        );
        // Every match is only looked for where it is of bounded length.
        if pattern.contains(['*', '+']) || pattern.contains(",}") {
            continue;
        }
        compare(
            &opa,
            &format!("regex.find_n({opas}, x, -1)"),
            &format!("regex: {{source: /x, pattern: '{quoted}', capture: 0, all: true}}"),
            &inputs,
        );
        for with in ["-", "<$0>", "$$${0}1"] {
            compare(
                &opa,
                &format!("regex.replace(x, {opas}, `{with}`)"),
                &format!("replace: {{source: /x, pattern: '{quoted}', with: '{with}'}}"),
                &inputs,
            );
        }
    }
    compare(
        &opa,
        "[m[2] | m := regex.find_all_string_submatch_n(`(a+)([^a])`, x, -1)[_]]",
        "regex: {source: /x, pattern: '(a{1,30})([^a])', capture: 2, all: true}",
        &texts(),
    );
    compare(
        &opa,
        "[{\"first\": m[1], \"second\": m[2]} | m := regex.find_all_string_submatch_n(`(a+)([^a])`, x, 1)[_]][0]",
        "captures: {source: /x, pattern: '(?P<first>a+)(?P<second>[^a])'}",
        &texts(),
    );
}

#[test]
fn texts_are_decoded_as_in_opa() {
    let Some(opa) = opa() else { return };
    let mut runner = TestRunner::deterministic();
    let encoded: Vec<Value> = (0..200)
        .map(|_| {
            json!("([A-Za-z0-9]|%[2-7][0-9A-F]|%C3%A9|[-._~!])*".new_tree(&mut runner).unwrap().current())
        })
        .filter(|text| !text.as_str().unwrap().contains("%25"))
        .collect();
    compare(&opa, "urlquery.decode(x)", "decode: {source: /x, encoding: percent}", &encoded);
    for (name, encoding) in [("base64", "base64"), ("base64url", "base64url")] {
        let inputs = texts();
        let encoded = ask(&opa, &format!("{name}.encode(x)"), &inputs);
        let encoded: Vec<Value> =
            (0..inputs.len()).map(|index| encoded[&index.to_string()].clone()).collect();
        compare(
            &opa,
            &format!("{name}.decode(x)"),
            &format!("decode: {{source: /x, encoding: {encoding}}}"),
            &encoded,
        );
    }
}

#[test]
fn addresses_lie_in_ranges_as_in_opa() {
    let Some(opa) = opa() else { return };
    let mut runner = TestRunner::deterministic();
    let mut addresses: Vec<Value> = (0..200)
        .map(|_| json!(any::<std::net::Ipv4Addr>().new_tree(&mut runner).unwrap().current().to_string()))
        .collect();
    addresses.extend((0..100).map(|_| {
        let address = any::<std::net::Ipv6Addr>().new_tree(&mut runner).unwrap().current();
        json!(address.to_string())
    }));
    addresses.extend(
        ["10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0", "fd00::", "fe00::", "2001:db8::1"]
            .map(Value::from),
    );
    for range in [
        "10.0.0.0/8",
        "128.0.0.0/1",
        "0.0.0.0/0",
        "192.168.0.0/31",
        "8000::/1",
        "fd00::/8",
        "2001:db8::1/128",
    ] {
        compare(
            &opa,
            &format!("net.cidr_contains(`{range}`, x)"),
            &format!("in_ranges: {{source: /x, ranges: ['{range}']}}"),
            &addresses,
        );
    }
}

#[test]
fn lists_are_counted_and_added_up_as_in_opa() {
    let Some(opa) = opa() else { return };
    let mut runner = TestRunner::deterministic();
    let strategy = prop::collection::vec(-3_000_000_000_i64..3_000_000_000, 0..12);
    let mut lists: Vec<Value> =
        (0..100).map(|_| json!(strategy.new_tree(&mut runner).unwrap().current())).collect();
    compare(&opa, "sum(x)", "sum: {source: /x}", &lists);
    lists.extend([
        json!([1, 1, "1", true, null, [1], [1], {"a": 1, "b": [2]}, {"b": [2], "a": 1}]),
        json!([[], {}, "", 0, false]),
    ]);
    compare(&opa, "count({e | e := x[_]})", "distinct: {source: /x}", &lists);
    compare(&opa, "count(x)", "length: {source: /x}", &lists);
    compare(&opa, "count(x)", "length: {source: /x}", &texts());
}
