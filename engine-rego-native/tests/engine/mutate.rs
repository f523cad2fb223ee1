//! The small mistakes that policies could have.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::json;
use tribunal_engine_core::contract::{Decision, DecisionEffect};
use tribunal_engine_core::engine::{EngineFactory, LoadContext, Mutant, Mutation};
use tribunal_engine_core::pack::{PackFiles, PackSource};
use tribunal_engine_rego_native::RegoNativeFactory;

use crate::support::{Loaded, Pack, read, shipped};
use crate::vocabulary::constructs;

fn render(mutants: &[Mutant]) -> String {
    mutants.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// A mutant of a pack, loaded.
fn load(pack: &PackSource, mutant: &Mutant) -> Loaded {
    let source = read("test", mutated(pack, mutant)).unwrap();
    let engine = RegoNativeFactory.load(&source, &LoadContext::default()).unwrap();
    Loaded { engine, source }
}

/// The files of a pack with those of a mutant in their places.
fn mutated(pack: &PackSource, mutant: &Mutant) -> PackFiles {
    let mut files = pack.files.clone();
    for (path, bytes) in &mutant.files {
        files.insert(path.clone(), bytes.clone());
    }
    files
}

#[test]
fn every_construct_can_be_mistaken() {
    let pack = constructs().source().unwrap();
    let mutants = RegoNativeFactory.mutants(&pack).unwrap();
    insta::assert_snapshot!(render(&mutants));
    let kinds: BTreeSet<Mutation> = mutants.iter().map(|mutant| mutant.mutation).collect();
    assert_eq!(kinds.len(), 10, "{kinds:?}");
    // What is not needed for a decision cannot change one.
    assert!(!mutants.iter().any(|mutant| mutant.rule.as_deref() == Some("p.unreached")));
}

#[test]
fn the_mistakes_of_shipped_packs() {
    let mut refused = Vec::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (name, files) in shipped() {
        let pack = read(&name, files).unwrap();
        let mutants = RegoNativeFactory.mutants(&pack).unwrap();
        assert!(mutants.len() >= 8, "{name} has only {}", mutants.len());
        counts.insert(name.clone(), mutants.len());
        let mut seen = HashSet::new();
        for mutant in &mutants {
            assert!(seen.insert(&mutant.files), "{name}: {mutant} is made twice");
            let files = mutated(&pack, mutant);
            let differ: Vec<&str> =
                files.paths().filter(|path| files.get(path) != pack.files.get(path)).collect();
            let listed: Vec<&str> = mutant.files.keys().map(String::as_str).collect();
            assert_eq!(differ, listed, "{name}: {mutant}");
            assert!(mutant.location.file.ends_with(listed[0]), "{mutant}");
            assert!(mutant.before.chars().count() <= 60 && !mutant.after.contains('\n'), "{mutant}");
            assert!(mutant.rule.as_ref().is_some_and(|rule| rule.starts_with("tribunal.")), "{mutant}");
            let source = read(&name, files).unwrap();
            match RegoNativeFactory.load(&source, &LoadContext::default()) {
                Err(errors) => refused.push(format!("{name}: {mutant}: {errors}")),
                // A pattern is changed into a pattern.
                Ok(engine) if mutant.mutation == Mutation::ChangePattern => {
                    let request = json!({"subject": {"id": "a/b"}, "context": {"prompt": "text"}});
                    let loaded = Loaded { engine, source };
                    assert!(
                        loaded.decide(&request).is_ok(),
                        "{name}: {mutant}: {:?}",
                        loaded.decide(&request)
                    );
                }
                Ok(_) => {}
            }
        }
    }
    let made: usize = counts.values().sum();
    println!("{counts:?}, {} refused", refused.len());
    assert!(
        refused.len() * 100 <= made * 15,
        "{} of {made} do not load:\n{}",
        refused.len(),
        refused.join("\n")
    );
}

#[test]
fn a_mistake_changes_decisions_as_it_says() {
    let rego = r#"package p
import future.keywords.not
import rego.v1

decision := {"effect": "deny", "reason": "blocked"} if blocked

else := {"effect": "allow"} if {
	input.level <= 2; startswith(input.tool, "read_")
}

else := {"effect": "deny"}

blocked if not input.name in {"ann", "bob"}
"#;
    let pack = Pack::rego(rego).source().unwrap();
    let mutants = RegoNativeFactory.mutants(&pack).unwrap();
    let request = |name: &str, level: u32, tool: &str| json!({"name": name, "level": level, "tool": tool});
    let ann = request("ann", 2, "read_file");
    let bob = request("bob", 2, "read_file");
    let eve = request("eve", 2, "read_file");
    for (shown, request, expected) in [
        ("5:24 flip_effect: `\"deny\"` → `\"allow\"`", &eve, Some(DecisionEffect::Allow)),
        ("5:56 drop_condition: `blocked` → `true`", &ann, Some(DecisionEffect::Deny)),
        (
            "8:2 drop_condition: `input.level <= 2` → ``",
            &request("ann", 9, "read_x"),
            Some(DecisionEffect::Allow),
        ),
        ("8:14 swap_operator: `<=` → `<`", &ann, Some(DecisionEffect::Deny)),
        ("8:17 off_by_one: `2` → `3`", &request("ann", 3, "read_x"), Some(DecisionEffect::Allow)),
        (
            "8:20 swap_operator: `startswith` → `contains`",
            &request("ann", 1, "x_read_y"),
            Some(DecisionEffect::Allow),
        ),
        (
            "13:12 drop_not: `not input.name in {\"ann\", \"bob\"}` → `input.name in {\"ann\", \"bob\"}`",
            &ann,
            Some(DecisionEffect::Deny),
        ),
        ("13:31 remove_member: `\"ann\"` → ``", &ann, Some(DecisionEffect::Deny)),
        ("13:41 change_literal: `\"bob\"` → `\"boc\"`", &bob, Some(DecisionEffect::Deny)),
        ("11:1 drop_condition: `else := {\"effect\": \"deny\"}` → ``", &ann, Some(DecisionEffect::Allow)),
    ] {
        let found = mutants.iter().find(|mutant| mutant.to_string() == format!("test/policy.rego:{shown}"));
        let effect = found.map(|mutant| load(&pack, mutant).decide(request).unwrap().decision.effect);
        assert_eq!(effect, expected, "{shown} in\n{}", render(&mutants));
    }
    // With the last two branches exchanged, the one without a condition decides.
    let reordered = mutants.iter().filter(|mutant| mutant.mutation == Mutation::Reorder);
    let reordered: Vec<_> = reordered.map(|mutant| load(&pack, mutant)).collect();
    assert_eq!(reordered.len(), 2);
    assert_eq!(reordered[0].decide(&eve).unwrap().decision, Decision::allow());
    assert_eq!(reordered[1].decide(&ann).unwrap().decision.effect, DecisionEffect::Deny);
}

#[test]
fn an_added_denial_never_leads_to_a_milder_decision() {
    let requests: Vec<_> = ["alice", "bob", "eve", "svc-1@example.org", "1@example.org"]
        .into_iter()
        .flat_map(|id| {
            ["read", "write"].map(|action| {
                json!({
                    "subject": {"id": id},
                    "action": {"name": action},
                    "context": {"prompt": "a secret", "tags": ["public", id]},
                })
            })
        })
        .collect();
    let pack = constructs().source().unwrap();
    let original = constructs().load().unwrap();
    let mutants = RegoNativeFactory.mutants(&pack).unwrap();
    let denials = mutants.iter().filter(|mutant| mutant.mutation == Mutation::AddDeny);
    let denials: Vec<_> = denials.map(|mutant| load(&pack, mutant)).collect();
    assert_eq!(denials.len(), 4);
    let mut changed = vec![0; denials.len()];
    for request in &requests {
        let before = original.decide(request).unwrap().decision;
        for (denial, changed) in denials.iter().zip(&mut changed) {
            let after = denial.decide(request).unwrap().decision;
            assert!(after.effect >= before.effect, "{request}: {before:?}, then {after:?}");
            *changed += usize::from(after != before);
        }
    }
    // Each holds for some requests, and all but the first for some only.
    assert_eq!(changed[0], requests.len());
    assert!(changed.iter().skip(1).all(|changed| (1..requests.len()).contains(changed)), "{changed:?}");
}

#[test]
fn a_pair_of_rules_is_denied_by_its_first() {
    let rego = "package p\n\nimport rego.v1\n\ndefault allow := false\n\nallow if input.ok == \"yes\"\n\nreason := \"no\" if not allow\n";
    let pair = || Pack::rego(rego).settings(json!({"decision": {"allow": "p/allow", "reason": "p/reason"}}));
    let pack = pair().source().unwrap();
    let mutants = RegoNativeFactory.mutants(&pack).unwrap();
    let request = json!({"ok": "yes"});
    assert_eq!(pair().load().unwrap().decide(&request).unwrap().decision, Decision::allow());
    let mut denied = 0;
    for mutant in mutants.iter().filter(|mutant| mutant.mutation == Mutation::AddDeny) {
        let effect = load(&pack, mutant).decide(&request).unwrap().decision.effect;
        denied += usize::from(effect == DecisionEffect::Deny);
    }
    assert_eq!(denied, 2, "{}", render(&mutants));
    // A text that is only a reason stays.
    assert!(!render(&mutants).contains("\"no\""), "{}", render(&mutants));
}
