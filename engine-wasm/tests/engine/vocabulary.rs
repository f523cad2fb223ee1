//! What is found in modules, held against the Rego that they were built from.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::{Value, json};
use tribunal_engine_core::engine::{EngineFactory, Vocabulary};
use tribunal_engine_core::pack::PackFiles;
use tribunal_engine_wasm::RegoWasmFactory;

use crate::harness::{Pack, opa, pack_of};
use crate::shipped;

fn of(pack: &str) -> Vocabulary {
    RegoWasmFactory.vocabulary(&shipped::source(pack, shipped::files(pack))).unwrap()
}

fn literals(vocabulary: &Vocabulary) -> Vec<Value> {
    let literals = vocabulary.rules.iter().flat_map(|rule| &rule.literals);
    literals.map(|literal| literal.value.clone()).collect()
}

fn reads(vocabulary: &Vocabulary) -> BTreeSet<String> {
    vocabulary.rules.iter().flat_map(|rule| &rule.reads).map(ToString::to_string).collect()
}

fn show(vocabulary: &Vocabulary) -> String {
    let mut text = String::new();
    for rule in &vocabulary.rules {
        writeln!(text, "{}", rule.rule).unwrap();
        for place in &rule.reads {
            writeln!(text, "    reads {place}").unwrap();
        }
        for literal in &rule.literals {
            let place = literal.place.as_ref().map(|place| format!(" at {place}")).unwrap_or_default();
            writeln!(text, "    {:?} {}{place}", literal.form, literal.value).unwrap();
        }
    }
    text
}

#[test]
fn a_shipped_pack_mentions() {
    for pack in ["session-budget", "tool-allowlist"] {
        insta::assert_snapshot!(pack, show(&of(pack)));
    }
}

/// Every text and number of the Rego but those that only the answer has, in any order.
#[test]
fn nothing_but_the_constants_of_the_rego_is_found() {
    for (pack, wanted) in [
        (
            "session-budget",
            vec![
                json!("/"),
                json!(7),
                json!(0),
                json!(5),
                json!("spiffe:"),
                json!(""),
                json!("agents"),
                json!("mcp-client"),
                json!(6),
                json!("-"),
                json!(1),
            ],
        ),
        (
            "tool-allowlist",
            vec![
                json!("/"),
                json!("class"),
                json!("tool"),
                json!(""),
                json!("spiffe://"),
                json!("/agents/mcp-client/*/"),
                json!(5),
                json!("-"),
                json!(1),
            ],
        ),
        ("step-up-tools", vec![]),
        ("destination-allowlist", vec![json!(".")]),
    ] {
        let wanted: BTreeSet<String> = wanted.iter().map(Value::to_string).collect();
        let found: BTreeSet<String> = literals(&of(pack)).iter().map(Value::to_string).collect();
        assert_eq!(found, wanted, "{pack}");
    }
}

#[test]
fn the_members_that_a_pack_asks_for_are_found() {
    for (pack, wanted) in [
        ("session-budget", vec!["/context/session_request_count", "/subject/id"]),
        ("tool-allowlist", vec!["/resource/id", "/subject/id"]),
        ("step-up-tools", vec!["/context/step_up/satisfied", "/resource/id"]),
        ("destination-allowlist", vec!["/context/destination_host"]),
        (
            "prompt-injection",
            vec![
                "/derived/injection/count",
                "/derived/injection/found",
                "/derived/injection/text",
                "/derived/links/count",
                "/derived/links/text",
            ],
        ),
        (
            "authzen-todo",
            vec!["/action/name", "/resource/properties/ownerID", "/resource/type", "/subject/id"],
        ),
    ] {
        assert_eq!(reads(&of(pack)), wanted.into_iter().map(str::to_owned).collect(), "{pack}");
    }
}

/// Every constant stands in the sources, and is more than a word of the answer: nothing of the runtime's is found.
#[test]
fn every_constant_is_the_policys_own() {
    for pack in shipped::names() {
        let files = shipped::files(&pack);
        let sources: String =
            files.rego_sources().map(|(_, text)| String::from_utf8(text.to_vec()).unwrap()).collect();
        let vocabulary = of(&pack);
        assert!(!vocabulary.rules.is_empty(), "{pack}");
        for literal in literals(&vocabulary) {
            let text = match &literal {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            assert!(sources.contains(&text), "{pack}: {text}");
            let answers = ["allow", "deny", "effect", "reason", "result", "patches"];
            let compared = sources.contains(&format!("== \"{text}\""));
            assert!(compared || !answers.contains(&text.as_str()), "{pack}: {text}");
        }
        for rule in &vocabulary.rules {
            let name = rule.rule.rsplit('.').next().unwrap();
            assert!(rule.rule.starts_with("tribunal.") && sources.contains(name), "{pack}: {}", rule.rule);
        }
    }
}

const FORMS: &str = r#"package t

import rego.v1

decision := {"effect": "allow"} if {
    input.a == "whole"
    input.b != "other whole"
    startswith(input.c, "prefix")
    endswith(input.d, "suffix")
    contains(input.e, "infix")
    regex.match("^re", input.f)
    "element" in input.g
    some x in input.h
    x == "inner"
    input.i < 10
    input.j == 2.5
    count(input.k) > 3
    input.l in {"one", "two"}
    strings.count(input.m, "host") == 4
    helper(input.n, "argument")
    not input.o == "negated"
    every y in input.p { y == "each" }
    level == "high"
    with_input
}

else := {"effect": "redact", "patches": patches} if input.s == "sent"

else := {"effect": "deny", "reason": concat("reason", ["no", "more"])}

helper(x, y) if x == y

level := "high" if input.q == 1

patches := [{"op": "replace", "path": "/z", "value": "patched"}]

with_input if inner with input.r as "mocked"

inner if input.r == "mock"

unreached if input.t == "never"
"#;

#[test]
fn every_form_is_told_where_it_is_plain() {
    let Some(compiler) = opa("every_form_is_told_where_it_is_plain") else { return };
    let pack = pack_of(FORMS, "t/decision", &compiler);
    let vocabulary = RegoWasmFactory.vocabulary(&pack.source().unwrap()).unwrap();
    insta::assert_snapshot!("forms", show(&vocabulary));
}

/// Without the names of functions no rule can be told from another: only the texts are left.
#[test]
fn a_module_without_names_gives_its_texts() {
    let named = Pack::of("decisions", "t/decision");
    let bytes = named.files.get("policy.wasm").unwrap();
    let mut module = wasm_encoder::Module::new();
    for payload in wasmparser::Parser::new(0).parse_all(bytes) {
        let payload = payload.unwrap();
        let is_names =
            matches!(&payload, wasmparser::Payload::CustomSection(section) if section.name() == "name");
        if let Some((id, range)) = payload.as_section().filter(|_| !is_names) {
            module.section(&wasm_encoder::RawSection { id, data: &bytes[range] });
        }
    }
    let settings = named.manifest["engines"]["rego-wasm"].clone();
    let pack = Pack::around(PackFiles::default(), module.finish(), vec!["t/decision".to_owned()], settings);
    let source = pack.source().unwrap();
    let vocabulary = RegoWasmFactory.vocabulary(&source).unwrap();
    assert_eq!(vocabulary.rules.len(), 1);
    assert_eq!(vocabulary.rules[0].rule, "policy.wasm");
    let found = literals(&vocabulary);
    for text in ["search", "shell", "tool", "human_approval"] {
        assert!(found.contains(&json!(text)), "{text}: {found:?}");
    }
    assert!(
        found.iter().all(|literal| literal != "var assignment conflict" && literal != "t/decision"),
        "{found:?}"
    );
    assert!(RegoWasmFactory.mutants(&source).unwrap().is_empty());
    assert!(pack.load().is_ok());
}

/// What cannot be read is refused as at load.
#[test]
fn a_pack_that_does_not_load_has_no_vocabulary() {
    let mut pack = Pack::of("decisions", "t/decision");
    pack.files.insert("policy.wasm", b"\0asm\x01\0\0\0".to_vec());
    let source = pack.source().unwrap();
    let load = pack.load().unwrap_err();
    assert_eq!(RegoWasmFactory.vocabulary(&source).unwrap_err(), load);
    assert_eq!(RegoWasmFactory.mutants(&source).unwrap_err(), load);
}
