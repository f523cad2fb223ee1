//! What is told of a pack's policies to whoever searches for requests that matter to them.

use std::collections::BTreeSet;
use std::fmt::Write;

use cedar_policy::PolicySet;
use jiff::Timestamp;
use tribunal_engine_cedar::CedarFactory;
use tribunal_engine_core::engine::{EngineFactory, Form, Prepared, Vocabulary};

use crate::support::{Pack, Shipped, everything};

fn shown(vocabulary: &Vocabulary) -> String {
    let mut text = String::new();
    for rule in &vocabulary.rules {
        writeln!(text, "{} at {}", rule.rule, rule.location.as_ref().unwrap()).unwrap();
        let reads: Vec<String> = rule.reads.iter().map(ToString::to_string).collect();
        writeln!(text, "  reads {}", reads.join(" ")).unwrap();
        for literal in &rule.literals {
            let place = literal.place.as_ref().map_or("?".to_owned(), ToString::to_string);
            let location = literal.location.as_ref().unwrap();
            let (line, column) = (location.line, location.column);
            writeln!(text, "  {line}:{column} {} {:?} {place}", literal.value, literal.form).unwrap();
        }
    }
    text
}

#[test]
fn a_vocabulary_has_what_the_policies_mention() {
    let pack = everything();
    pack.load();
    let vocabulary = CedarFactory.vocabulary(&pack.source().unwrap()).unwrap();
    insta::assert_snapshot!("vocabulary", shown(&vocabulary));
}

#[test]
fn patterns_are_spelt_as_cedar_spells_them() {
    let policy = r#"permit(principal, action, resource) when { context has prompt && context.prompt like "a\*\n*\"" };"#;
    let vocabulary = CedarFactory.vocabulary(&Pack::new(policy).source().unwrap()).unwrap();
    let literals: Vec<_> = vocabulary.rules[0].literals.iter().filter(|l| l.form == Form::Like).collect();
    assert_eq!(literals.len(), 1);
    assert_eq!(literals[0].value, r#"a\*\n*\""#);
}

/// A member beside `context` and one in it are the same to Cedar; where the request has it, the input schema says.
#[test]
fn a_read_stands_where_the_request_has_it() {
    let policy = "permit(principal, action, resource) when { context has boundary && context has prompt && context has nothing };";
    let schema = crate::support::SCHEMA.replace("prompt?: String,", "prompt?: String, nothing?: String,");
    let pack = Pack::new(policy).with("schema.cedarschema", &schema);
    let vocabulary = CedarFactory.vocabulary(&pack.source().unwrap()).unwrap();
    let reads: Vec<String> = vocabulary.rules[0].reads.iter().map(ToString::to_string).collect();
    assert_eq!(reads, ["/boundary", "/context/prompt"]);
}

#[test]
fn what_cannot_be_read_is_an_error_and_no_empty_vocabulary() {
    for pack in [
        Pack::new("permit(principal, action resource);"),
        Pack::new("permit(principal, action, resource);").with("entities.json", "{}"),
        Pack::new("permit(principal, action, resource);").without("policy.cedar"),
    ] {
        let source = pack.source().unwrap();
        let errors = CedarFactory.vocabulary(&source).unwrap_err();
        assert!(errors.iter().all(|error| error.location.is_some() || error.message.contains("missing")));
    }
}

#[test]
fn rules_have_the_names_that_the_engine_uses() {
    for pack in Shipped::all() {
        let loaded = pack.load(pack.files.clone()).unwrap();
        let vocabulary = CedarFactory.vocabulary(&loaded.source).unwrap();
        let written: PolicySet = loaded.source.text("policy.cedar").unwrap().parse().unwrap();
        let ids: BTreeSet<&str> = written.policies().map(|policy| policy.annotation("id").unwrap()).collect();
        let rules = vocabulary.rules.iter().filter(|rule| rule.rule != "entities.json");
        let named: BTreeSet<&str> = rules.clone().map(|rule| rule.rule.as_str()).collect();
        assert_eq!(named, ids, "{}", pack.name);
        let unconditional = |rule: &str| {
            let mut policies = written.policies();
            let policy = policies.find(|policy| policy.annotation("id") == Some(rule)).unwrap();
            let text: String = policy.to_string().split_whitespace().collect();
            text.ends_with("permit(principal,action,resource);")
        };
        for rule in rules.filter(|rule| !unconditional(&rule.rule)) {
            assert!(!rule.reads.is_empty() || !rule.literals.is_empty(), "{}: {}", pack.name, rule.rule);
        }

        let mut traced = BTreeSet::new();
        for request in pack.requests() {
            let prepared = Prepared::new(&request, loaded.source.named(), Timestamp::UNIX_EPOCH, None);
            let Ok(explanation) = loaded.engine.explain(&prepared) else { continue };
            for rule in explanation.trace {
                let known = vocabulary.rules.iter().find(|known| known.rule == rule.rule).unwrap();
                assert_eq!(known.location, rule.location, "{}: {}", pack.name, rule.rule);
                traced.insert(rule.rule);
            }
        }
        assert_eq!(traced.len(), named.len(), "{}: every policy runs for some case", pack.name);
    }
}

/// The members that a shipped policy reads are ones that some case gives.
#[test]
fn what_is_read_stands_in_requests() {
    for pack in Shipped::all() {
        let source = pack.read(pack.files.clone()).unwrap();
        let vocabulary = CedarFactory.vocabulary(&source).unwrap();
        let requests = pack.requests();
        for place in vocabulary.rules.iter().flat_map(|rule| &rule.reads) {
            let given = requests.iter().any(|request| place.get(request).is_some());
            assert!(given, "{}: {place} is in none of {} requests", pack.name, requests.len());
        }
    }
}
