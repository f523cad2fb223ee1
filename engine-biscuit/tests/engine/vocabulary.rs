//! What policies mention.

use std::fmt::Write;

use serde_json::json;
use tribunal_engine_biscuit::BiscuitFactory;
use tribunal_engine_core::engine::{EngineFactory, Form, Literal, Vocabulary};

use crate::support::{load, pack, payloads, read, shipped, shipped_files};

/// Everything, a line each.
fn shown(vocabulary: &Vocabulary) -> String {
    let mut text = String::new();
    for rule in &vocabulary.rules {
        writeln!(text, "{} at {}", rule.rule, rule.location.as_ref().unwrap()).unwrap();
        for read in &rule.reads {
            writeln!(text, "  reads {read}").unwrap();
        }
        for Literal { value, form, place, location } in &rule.literals {
            let place = place.as_ref().map_or("anything".to_owned(), |place| format!("`{place}`"));
            let location = location.as_ref().unwrap();
            writeln!(text, "  {form:?} {value} against {place}, {}:{}", location.line, location.column)
                .unwrap();
        }
    }
    text
}

#[test]
fn every_construct_is_read() {
    let loaded = pack(include_str!("constructs.biscuit")).loaded();
    let vocabulary = BiscuitFactory.vocabulary(&loaded.source).unwrap();
    insta::assert_snapshot!(shown(&vocabulary));
}

#[test]
fn a_schema_tells_texts_from_lists() {
    let schema = json!({"properties": {"context": {"properties": {
        "roles": {"type": "array"}, "title": {"type": "string"}, "owners": {"type": "object"}, "any": {},
    }}}});
    for (member, forms) in [
        ("roles", vec![Form::Element]),
        ("title", vec![Form::Infix]),
        ("owners", vec![Form::Name]),
        ("any", vec![Form::Element, Form::Infix]),
    ] {
        let policy = format!("allow if request($r), $r.get(\"context\").get(\"{member}\").contains(\"a\");");
        let loaded = pack(&policy).schema(schema.clone()).loaded();
        let vocabulary = BiscuitFactory.vocabulary(&loaded.source).unwrap();
        let literals = vocabulary.rules[0].literals.iter().filter(|literal| literal.value == "a");
        let found: Vec<Form> = literals.map(|literal| literal.form.clone()).collect();
        assert_eq!(found, forms, "{member}");
    }
}

#[test]
fn rules_are_named_as_in_traces() {
    for name in shipped() {
        let loaded = load(&name, shipped_files(&name)).unwrap_or_else(|errors| panic!("{name}: {errors}"));
        let vocabulary = BiscuitFactory.vocabulary(&loaded.source).unwrap();
        let rules: Vec<_> =
            vocabulary.rules.iter().map(|rule| (rule.rule.clone(), rule.location.clone())).collect();
        let payloads = payloads(&name);
        // What Biscuit cannot represent has no trace.
        let traces: Vec<_> =
            payloads.iter().filter_map(|payload| Some(loaded.explain(payload, None).ok()?.trace)).collect();
        assert!(!traces.is_empty(), "{name}");
        for trace in traces {
            let traced: Vec<_> = trace.into_iter().map(|traced| (traced.rule, traced.location)).collect();
            assert_eq!(rules, traced, "{name}");
        }
    }
}

/// What the shipped policies read of the request is known to their schemas or derived, or the reader is wrong.
#[test]
fn shipped_policies_read_what_requests_have() {
    for name in shipped() {
        let loaded = load(&name, shipped_files(&name)).unwrap();
        let vocabulary = BiscuitFactory.vocabulary(&loaded.source).unwrap();
        assert!(vocabulary.rules.iter().any(|rule| !rule.reads.is_empty()), "{name}");
        for read in vocabulary.rules.iter().flat_map(|rule| &rule.reads) {
            let mut shape = Some(loaded.source.named());
            for token in read.tokens() {
                shape = shape.and_then(|shape| shape.member(token));
            }
            assert!(shape.is_some(), "{name}: {read}");
        }
    }
}

#[test]
fn what_is_refused_has_no_vocabulary() {
    let mut files = shipped_files("tool-allowlist");
    files.insert("policy.biscuit", b"allow if nowhere($x);".to_vec());
    let source = read("p", files).unwrap();
    let errors = BiscuitFactory.vocabulary(&source).unwrap_err();
    assert!(errors.to_string().contains("nothing states `nowhere`"), "{errors}");
    assert_eq!(BiscuitFactory.mutants(&source).unwrap_err().to_string(), errors.to_string());
}
