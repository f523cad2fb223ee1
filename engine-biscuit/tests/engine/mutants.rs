//! The mistakes that policies could have.

use std::collections::BTreeSet;

use tribunal_engine_biscuit::BiscuitFactory;
use tribunal_engine_core::contract::DecisionEffect;
use tribunal_engine_core::engine::{EngineFactory, Mutant, Mutation};

use crate::support::{Loaded, load, pack, payloads, read, shipped, shipped_files, tool};

fn mutants(policy: &str) -> Vec<Mutant> {
    BiscuitFactory.mutants(&pack(policy).loaded().source).unwrap()
}

fn shown(mutants: &[Mutant]) -> String {
    mutants.iter().map(|mutant| format!("{mutant}\n")).collect()
}

fn text(mutant: &Mutant) -> &str {
    let (_, bytes) = mutant.files.iter().next().unwrap();
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn every_construct_has_its_mistakes() {
    insta::assert_snapshot!(shown(&mutants(include_str!("constructs.biscuit"))));
}

#[test]
fn an_edit_changes_what_it_says_and_nothing_else() {
    let policy = "allow if action(\"a\"), // no comment here\n  resource(\"t\", $x);"
        .replace(" // no comment here", "");
    let texts: Vec<String> = mutants(&policy).iter().map(|mutant| text(mutant).to_owned()).collect();
    for expected in [
        "deny if action(\"a\"),\n  resource(\"t\", $x);",
        "allow if resource(\"t\", $x);",
        "allow if action(\"a\");",
        "allow if action(\"b\"),\n  resource(\"t\", $x);",
        "allow if action(\"a\"),\n  resource(\"u\", $x);",
        "deny if true;\nallow if action(\"a\"),\n  resource(\"t\", $x);",
        "allow if action(\"a\"),\n  resource(\"t\", $x);\ncheck if false;",
    ] {
        assert!(texts.iter().any(|text| text == expected), "{expected}\nis not among\n{texts:#?}");
    }
    assert_eq!(texts.len(), 7, "{texts:#?}");
}

#[test]
fn policies_change_places_only_where_their_order_decides() {
    let reordered = |policy: &str| -> Vec<String> {
        let mutants = mutants(policy);
        let reordered = mutants.iter().filter(|mutant| mutant.mutation == Mutation::Reorder);
        reordered.map(|mutant| text(mutant).to_owned()).collect()
    };
    assert_eq!(
        reordered("deny if action(\"a\") ;\n// why\nallow if true"),
        ["allow if true ;\n// why\ndeny if action(\"a\")"]
    );
    assert!(reordered("allow if action(\"a\"); allow if action(\"b\");").is_empty());
    // The second pair is never reached.
    assert_eq!(reordered("allow if true; deny if action(\"a\"); allow if action(\"b\");").len(), 1);
}

#[test]
fn a_file_without_a_last_semicolon_is_added_to() {
    for policy in ["allow if true", "allow if true; // why", "allow if true ;"] {
        let loaded = pack(policy).loaded();
        let mutants = BiscuitFactory.mutants(&loaded.source).unwrap();
        let added = mutants.iter().filter(|mutant| mutant.mutation == Mutation::AddDeny);
        assert_eq!(added.count(), 2, "{policy}");
    }
}

#[test]
fn mutants_of_several_files_change_one() {
    let pack =
        pack("allow if allowed($a), action($a);").file("tables.biscuit", "allowed(\"a\"); allowed(\"b\");");
    let loaded = pack.loaded();
    let mutants = BiscuitFactory.mutants(&loaded.source).unwrap();
    assert_eq!(loaded.decision(&tool("a")), serde_json::json!({"effect": "allow"}));
    assert!(mutants.iter().all(|mutant| mutant.files.len() == 1));
    let removed: Vec<&str> = mutants
        .iter()
        .filter(|mutant| mutant.mutation == Mutation::RemoveMember)
        .map(|mutant| mutant.rule.as_deref().unwrap())
        .collect();
    assert_eq!(removed, ["allowed tables.biscuit:1", "allowed tables.biscuit:1:15"]);
    assert_eq!(mutants.last().unwrap().location.file, "p/tables.biscuit");
}

/// Mutants of a shipped pack that are loaded, at most.
const LOADED: usize = 40;

/// How strict an answer is; a fault is a denial.
fn severity(loaded: &Loaded, payload: &serde_json::Value) -> DecisionEffect {
    loaded.decide(payload).map_or(DecisionEffect::Deny, |verdict| verdict.decision.effect)
}

#[test]
fn mutants_of_shipped_packs_are_packs() {
    for name in shipped() {
        let original = load(&name, shipped_files(&name)).unwrap();
        let source = &original.source;
        let vocabulary = BiscuitFactory.vocabulary(source).unwrap();
        let statements: BTreeSet<&str> = vocabulary.rules.iter().map(|rule| rule.rule.as_str()).collect();
        // The facts of a table are named as well, though they are no rules.
        let policy = source.text("policy.biscuit").unwrap();
        let is_fact = |rule: &str| {
            let (predicate, _) = rule.split_once(' ').unwrap();
            policy.lines().any(|line| line.starts_with(&format!("{predicate}(")) && line.ends_with(");"))
        };
        let mutants = BiscuitFactory.mutants(source).unwrap();
        let payloads = payloads(&name);
        let mut seen = BTreeSet::new();
        let mut refused = 0;
        let mut kinds = BTreeSet::new();
        for (index, mutant) in mutants.iter().enumerate() {
            kinds.insert(mutant.mutation);
            if let Some(rule) = &mutant.rule {
                assert!(statements.contains(rule.as_str()) || is_fact(rule), "{name}: {rule}");
            }
            let mut files = source.files.clone();
            for (path, bytes) in &mutant.files {
                assert_ne!(source.files.get(path).unwrap(), bytes, "{name}: {mutant}");
                assert_eq!(mutant.location.file, source.file_name(path));
                files.insert(path.clone(), bytes.clone());
            }
            for path in source.files.paths() {
                let changed = files.get(path) != source.files.get(path);
                assert_eq!(changed, mutant.files.contains_key(path), "{name}: {mutant}");
            }
            assert!(seen.insert(files.digest()), "{name}: {mutant}");
            // Each is read and compiled anew, so a part has to stand for all.
            if index % mutants.len().div_ceil(LOADED) != 0 {
                continue;
            }
            assert!(read(&name, files.clone()).is_ok(), "{name}: {mutant}");
            let Ok(mutated) = load(&name, files) else {
                refused += 1;
                continue;
            };
            if mutant.mutation == Mutation::AddDeny {
                for payload in &payloads {
                    let (before, after) = (severity(&original, payload), severity(&mutated, payload));
                    assert!(after >= before, "{name}: {mutant}: {payload}");
                }
            }
        }
        println!("{name}: {} mutants, {refused} refused, {kinds:?}", mutants.len());
        assert!(refused * 100 <= mutants.len() * 15, "{name}: {refused} of {} refused", mutants.len());
        for kind in [Mutation::FlipEffect, Mutation::DropCondition, Mutation::AddDeny] {
            assert!(kinds.contains(&kind), "{name}: {kind:?}");
        }
    }
}
