//! Mutants of modules: that they load, differ, and decide otherwise.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::Timestamp;
use serde_json::{Value, json};
use tribunal_engine_core::document::Document;
use tribunal_engine_core::engine::{EngineFactory, LoadContext, Mutant, Mutation};
use tribunal_engine_core::fault::FaultKind;
use tribunal_engine_core::pack::{PackFiles, PackSource};
use tribunal_engine_wasm::RegoWasmFactory;

use crate::harness::{Pack, decide, opa, pack_of};
use crate::shipped;

/// How many mutants of a pack are run.
const RUN: usize = 6;

fn of(pack: &PackSource) -> Vec<Mutant> {
    RegoWasmFactory.mutants(pack).unwrap()
}

/// The files of a pack with a mutant's in place of its own.
fn mutated(files: &PackFiles, mutant: &Mutant) -> PackFiles {
    let mut files = files.clone();
    for (path, bytes) in &mutant.files {
        files.insert(path, bytes.clone());
    }
    files
}

/// Without the column, which is another one in every build of a module.
fn show(mutants: &[Mutant]) -> String {
    let mut text = String::new();
    let mut rule = "";
    for mutant in mutants {
        let Mutant { mutation, before, after, .. } = mutant;
        let name = mutant.rule.as_deref().unwrap();
        if rule != name {
            writeln!(text, "{name}").unwrap();
            rule = name;
        }
        writeln!(text, "    {}: {before} → {after}", mutation.as_str()).unwrap();
    }
    text
}

/// What an engine is given for a pack's cases, those left out that start from another file's.
fn requests(pack: &PackSource) -> Vec<Value> {
    let files = &pack.files;
    let mut requests = Vec::new();
    let mut by_name: BTreeMap<String, Value> = BTreeMap::new();
    for path in files.paths().filter(|path| path.starts_with("cases/") && path.ends_with(".yaml")) {
        let document = Document::parse(path, files.get(path).unwrap()).unwrap();
        for case in document.value.as_array().unwrap() {
            let mut request = match case["from"].as_str() {
                Some(from) => match by_name.get(from) {
                    Some(request) => request.clone(),
                    None => continue,
                },
                None => case["request"].clone(),
            };
            for (place, value) in case["with"].as_object().into_iter().flatten() {
                let names = place.split('/').skip(1);
                *names.fold(&mut request, |around, name| &mut around[name]) = value.clone();
            }
            by_name.insert(case["name"].as_str().unwrap().to_owned(), request.clone());
            requests.extend(pack.derive.apply(&request, Timestamp::UNIX_EPOCH).ok().map(Cow::into_owned));
        }
    }
    assert!(requests.len() >= 4, "{requests:?}");
    requests
}

#[test]
fn the_mutants_of_a_shipped_pack() {
    for pack in ["session-budget", "tool-allowlist"] {
        let mutants = of(&shipped::source(pack, shipped::files(pack)));
        insta::assert_snapshot!(format!("{pack}-mutants"), show(&mutants));
    }
}

#[test]
fn every_mutant_of_a_shipped_pack_is_a_pack_that_decides() {
    for name in shipped::names() {
        let files = shipped::files(&name);
        let source = shipped::source(&name, files.clone());
        let mutants = of(&source);
        assert_eq!(mutants, of(&source), "{name}");
        assert!((6..=400).contains(&mutants.len()), "{name}: {}", mutants.len());
        assert!(mutants.is_sorted_by_key(|mutant| mutant.location.clone()), "{name}");
        let requests = requests(&source);
        let answers = |files: PackFiles| {
            let engine =
                RegoWasmFactory.load(&shipped::source(&name, files), &LoadContext::default()).ok()?;
            Some(requests.iter().map(|request| decide(&*engine, request)).collect::<Vec<_>>())
        };
        let original = answers(files.clone()).unwrap();
        let (mut run, mut refused, mut trapped, mut noticed) = (0, 0, 0, 0);
        for (index, mutant) in mutants.iter().enumerate() {
            assert_eq!(mutant.files.keys().collect::<Vec<_>>(), ["pack.lock", "policy.wasm"]);
            for (path, bytes) in &mutant.files {
                assert_ne!(files.get(path), Some(bytes), "{mutant}");
            }
            assert!(mutants.iter().filter(|other| other.files == mutant.files).count() == 1, "{mutant}");
            let files = mutated(&files, mutant);
            let lock = |files: &PackFiles| {
                let mut lock: Value = serde_json::from_slice(files.get("pack.lock").unwrap()).unwrap();
                let digest = lock["module"]["digest"].take();
                (lock, digest)
            };
            let ((before, digest), (after, new_digest)) = (lock(&source.files), lock(&files));
            assert_eq!(before, after, "{mutant}");
            assert_ne!(digest, new_digest, "{mutant}");
            // Each is compiled anew to run, so a part has to stand for all.
            if index % mutants.len().div_ceil(RUN) != 0 {
                continue;
            }
            // It is still a module of OPA's: all of it is validated to be read.
            let read = RegoWasmFactory.vocabulary(&shipped::source(&name, files.clone()));
            assert!(read.is_ok(), "{mutant}: {read:?}");
            run += 1;
            match answers(files) {
                None => refused += 1,
                Some(answers) => {
                    let traps = |kind: FaultKind| matches!(kind, FaultKind::Trap | FaultKind::AbiViolation);
                    trapped += usize::from(
                        answers.iter().any(|answer| answer.as_ref().is_err_and(|fault| traps(fault.kind))),
                    );
                    noticed += usize::from(answers != original);
                }
            }
        }
        let counts = format!("{name}: of {run} run, {refused} refused, {trapped} trapped, {noticed} noticed");
        assert!(refused * 10 <= run && trapped * 5 <= run && noticed * 2 >= run, "{counts}");
    }
}

const POLICY: &str = r#"package t

import rego.v1

decision := {"effect": "allow"} if {
	input.tool == "search"
	input.count < 10
	not blocked
	quiet
	every tag in input.tags { tag in {"green", "blue"} }
} else := {"effect": "redact", "patches": []} if {
	regex.match(`(?i)^(?:secret|key)`, input.tool)
	startswith(input.user, "root")
	not endswith(input.user, "root")
} else := {"effect": "deny"}

blocked if input.user == "mallory"

quiet if level < 2

level := 1 if input.loud == false

level := 5 if input.loud == true
"#;

/// A mutant decides as the Rego does in which a person makes the same mistake.
#[test]
fn a_mutant_is_the_mistake_that_it_says() {
    let Some(compiler) = opa("a_mutant_is_the_mistake_that_it_says") else { return };
    let pack = pack_of(POLICY, "t/decision", &compiler);
    let source = pack.source().unwrap();
    let mutants = of(&source);
    let mut requests = Vec::new();
    for tool in ["search", "searci", "SECRET", "secret", "key", "a key"] {
        for count in [9, 10, 11] {
            for user in ["alice", "mallory", "mallorz", "root", "roots", "groot", "root root"] {
                for tags in [json!([]), json!(["green"]), json!(["blue", "red"]), json!(["greeo"])] {
                    let loud = requests.len() % 3 == 0;
                    requests.push(
                        json!({"tool": tool, "count": count, "user": user, "tags": tags, "loud": loud}),
                    );
                }
            }
        }
    }
    let answers = |pack: &Pack| {
        let engine = pack.load().unwrap();
        requests.iter().map(|request| decide(&*engine, request)).collect::<Vec<_>>()
    };
    let original = answers(&pack);
    use Mutation::*;
    let mistakes = [
        (FlipEffect, r#""allow""#, r#""deny""#, r#""effect": "allow""#, r#""effect": "deny""#),
        (FlipEffect, r#""deny""#, r#""allow""#, r#""effect": "deny""#, r#""effect": "allow""#),
        (FlipEffect, r#""redact""#, r#""allow""#, "redact", "allow"),
        (
            SwapOperator,
            r#"input.tool == "search""#,
            r#"input.tool != "search""#,
            r#"tool == "search""#,
            r#"tool != "search""#,
        ),
        (DropCondition, r#"input.tool == "search""#, "", r#"input.tool == "search""#, "input.tool"),
        (ChangeLiteral, r#""search""#, r#""searci""#, "search", "searci"),
        (SwapOperator, "input.count < 10", "input.count <= 10", "count < 10", "count <= 10"),
        (DropCondition, "input.count < 10", "", "input.count < 10", "input.count"),
        (OffByOne, "10", "11", "10", "11"),
        (OffByOne, "10", "9", "10", "9"),
        (DropNot, "not", "", "not blocked", "blocked"),
        (DropCondition, "not …", "", "not blocked", "true"),
        (DropCondition, "quiet", "", "\tquiet\n", "\n"),
        (DropCondition, "every …", "", "every tag in input.tags { tag in {\"green\", \"blue\"} }", ""),
        (RemoveMember, r#""green""#, "", r#""green", "#, ""),
        (ChangeLiteral, r#""green""#, r#""greeo""#, "green", "greeo"),
        (ChangePattern, r#""(?i)^(?:secret|key)""#, r#""^(?:secret|key)""#, "(?i)^", "^"),
        (ChangePattern, r#""(?i)^(?:secret|key)""#, r#""(?i)^(?:key)""#, "secret|", ""),
        (SwapOperator, "opa_strings_startswith", "opa_strings_endswith", "startswith", "endswith"),
        (SwapOperator, "opa_strings_endswith", "opa_strings_startswith", "endswith", "startswith"),
        (ChangeLiteral, r#""mallory""#, r#""mallorz""#, "mallory", "mallorz"),
        (OffByOne, "1", "2", "level := 1", "level := 2"),
        (DropCondition, "level < 2", "", "level < 2", "level"),
    ];
    for (mutation, before, after, old, new) in mistakes {
        let of_kind = |mutant: &&Mutant| {
            (mutant.mutation, mutant.before.as_str(), mutant.after.as_str()) == (mutation, before, after)
        };
        let found: Vec<&Mutant> = mutants.iter().filter(of_kind).collect();
        assert!(POLICY.contains(old));
        let expected = answers(&pack_of(&POLICY.replacen(old, new, 1), "t/decision", &compiler));
        assert_ne!(expected, original, "{old}");
        let fits = found.iter().any(|mutant| {
            let files = mutated(&source.files, mutant);
            answers(&Pack { files, ..pack.clone() }) == expected
        });
        assert!(fits, "{mutation:?} {before} → {after} among {}\n{}", found.len(), show(&mutants));
    }
}

/// The boolean and the reason are two rules: only the boolean has effects.
#[test]
fn a_boolean_decision_is_flipped_and_its_reason_is_left() {
    let settings =
        json!({"decision": {"allow": "t/allow", "reason": "t/reason"}, "strict_builtin_errors": false});
    let pack = Pack::of("decisions", "t/allow").settings(settings);
    let source = pack.source().unwrap();
    let mutants = of(&source);
    let flipped: Vec<(&str, &str)> = mutants
        .iter()
        .filter(|mutant| mutant.mutation == Mutation::FlipEffect)
        .map(|mutant| (mutant.before.as_str(), mutant.after.as_str()))
        .collect();
    assert_eq!(flipped, [("true", "false"), ("false", "true")]);
    assert!(mutants.iter().all(|mutant| mutant.before != "\"not_search\""), "{}", show(&mutants));
    let rules: std::collections::BTreeSet<_> =
        mutants.iter().filter_map(|mutant| mutant.rule.clone()).collect();
    assert_eq!(
        rules.into_iter().collect::<Vec<_>>(),
        ["t.allow", "t.reason"],
        "the other rules are not reached"
    );
    for mutant in &mutants {
        let changed = Pack { files: mutated(&source.files, mutant), ..pack.clone() };
        let differs = ["search", "shell", "searci"].into_iter().any(|tool| {
            let request = json!({"tool": tool});
            changed.decide(&request) != pack.decide(&request)
        });
        assert!(differs, "{mutant}");
    }
}
