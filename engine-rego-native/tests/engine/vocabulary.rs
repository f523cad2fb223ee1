//! What policies mention.

use serde_json::{Value, json};
use tribunal_engine_core::contract::Pointer;
use tribunal_engine_core::engine::{EngineFactory, Form, RuleVocabulary, Vocabulary};
use tribunal_engine_core::pack::PackSource;
use tribunal_engine_rego_native::RegoNativeFactory;

use crate::support::{Pack, read, shipped};

/// Every construct, and the data it needs.
pub(crate) fn constructs() -> Pack {
    Pack::rego(include_str!("constructs.rego")).data(&json!({"domain": "example.org"}))
}

/// A rule a line, what it reads after `<`, then its literals.
fn render(vocabulary: &Vocabulary) -> String {
    let mut lines = Vec::new();
    for RuleVocabulary { rule, location, reads, literals } in &vocabulary.rules {
        let reads: Vec<String> = reads.iter().map(ToString::to_string).collect();
        lines.push(format!("{} {rule} < {}", location.as_ref().unwrap(), reads.join(" ")));
        for literal in literals {
            let place = literal.place.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
            let at = literal.location.as_ref().unwrap();
            lines.push(format!("  {}:{} {:?} {place} {}", at.line, at.column, literal.form, literal.value));
        }
    }
    lines.join("\n")
}

#[test]
fn every_construct_is_read() {
    let pack = constructs().source().unwrap();
    insta::assert_snapshot!(render(&RegoNativeFactory.vocabulary(&pack).unwrap()));
}

#[test]
fn rules_are_named_as_the_trace_names_them() {
    let pack = constructs().load().unwrap();
    let vocabulary = RegoNativeFactory.vocabulary(&constructs().source().unwrap()).unwrap();
    let request = json!({"subject": {"id": "alice"}, "action": {"name": "read"}, "context": {"tags": ["public"], "prompt": ""}});
    let trace = pack.explain(&request).unwrap().trace;
    assert!(!trace.is_empty());
    for ran in trace {
        let named = |rule: &&RuleVocabulary| rule.rule == ran.rule && rule.location == ran.location;
        assert_eq!(vocabulary.rules.iter().filter(named).count(), 1, "{ran:?}");
    }
}

/// The literals of a shipped pack as form, place and value.
fn literals(name: &str) -> (Vocabulary, Vec<(Form, Option<String>, Value)>) {
    let (_, files) = shipped().into_iter().find(|(found, _)| found == name).unwrap();
    of(&read(name, files).unwrap())
}

fn of(pack: &PackSource) -> (Vocabulary, Vec<(Form, Option<String>, Value)>) {
    let vocabulary = RegoNativeFactory.vocabulary(pack).unwrap();
    let literals = vocabulary.rules.iter().flat_map(|rule| &rule.literals);
    let literals = literals.map(|literal| {
        (literal.form.clone(), literal.place.as_ref().map(ToString::to_string), literal.value.clone())
    });
    let literals = literals.collect();
    (vocabulary, literals)
}

#[test]
fn shipped_packs_say_what_they_read() {
    for (name, files) in shipped() {
        let vocabulary = RegoNativeFactory.vocabulary(&read(&name, files).unwrap()).unwrap();
        assert!(vocabulary.rules.iter().any(|rule| !rule.reads.is_empty()), "{name}");
        let has_literals = vocabulary.rules.iter().any(|rule| !rule.literals.is_empty());
        assert!(has_literals, "{name}");
    }
}

#[test]
fn the_tool_allowlist_reads_the_caller_and_matches_its_path() {
    let (vocabulary, literals) = literals("tool-allowlist");
    let read = Pointer::parse("/subject/id").unwrap();
    assert!(vocabulary.rules.iter().any(|rule| rule.reads.contains(&read)));
    let agents = json!("spiffe://poc.local/agents/mcp-client/*/dev");
    assert!(literals.contains(&(Form::Glob(vec!['/']), Some("/subject/id".to_owned()), agents)));
    // The reason is only answered.
    assert!(!literals.iter().any(|(_, _, value)| value == "tool_not_allowed" || value == "deny"));
}

#[test]
fn patterns_kept_in_an_object_are_followed_to_where_they_are_matched() {
    let policy = "package p\n\nimport rego.v1\n\ndecision := {\"effect\": \"deny\", \"reason\": concat(\"; \", found)}\n\n\
        found contains finding if {\n\tsome finding, pattern in patterns\n\tregex.match(pattern, input.context.prompt)\n}\n\n\
        patterns := {\"override\": `(?i)ignore|forget`, \"secret\": `key[0-9]+`}\n";
    let literals = of(&Pack::rego(policy).source().unwrap()).1;
    let patterns: Vec<_> = literals.iter().filter(|(form, ..)| *form == Form::Regex).collect();
    assert_eq!(patterns.len(), 2);
    assert!(patterns.iter().all(|(_, place, _)| place.as_deref() == Some("/context/prompt")), "{patterns:?}");
    assert!(!literals.iter().any(|(_, _, value)| value == "override" || value == "secret"));
}

#[test]
fn a_list_looked_up_by_a_variable_holds_whole_values() {
    let (_, literals) = literals("authzen-todo");
    let action = Some("/action/name".to_owned());
    assert!(literals.contains(&(Form::Whole, action, json!("can_create_todo"))), "{literals:?}");
}

#[test]
fn a_pack_that_cannot_be_read_says_why() {
    let pack = Pack::rego("package p\n\ndecision := true if input.x =\n").source().unwrap();
    let errors = RegoNativeFactory.vocabulary(&pack).unwrap_err().to_string();
    assert!(errors.starts_with("test/policy.rego:4:1: expecting expression"), "{errors}");
}
