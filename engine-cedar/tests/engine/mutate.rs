//! The mistakes that policies are tried with.

use std::collections::HashSet;
use std::fmt::Write;

use serde_json::Value;
use tribunal_engine_cedar::CedarFactory;
use tribunal_engine_core::contract::{Decision, DecisionEffect};
use tribunal_engine_core::engine::{EngineFactory, Mutant, Mutation};
use tribunal_engine_core::pack::PackFiles;

use crate::support::{Loaded, Pack, Shipped, everything};

fn mutants(pack: &Pack) -> Vec<Mutant> {
    CedarFactory.mutants(&pack.source().unwrap()).unwrap()
}

/// The pack with one mutant's files.
fn changed(pack: &Pack, mutant: &Mutant) -> Pack {
    mutant
        .files
        .iter()
        .fold(pack.clone(), |pack, (path, bytes)| pack.with(path, std::str::from_utf8(bytes).unwrap()))
}

fn shown(mutants: &[Mutant]) -> String {
    mutants.iter().fold(String::new(), |mut text, mutant| {
        writeln!(text, "[{}] {mutant}", mutant.rule.as_deref().unwrap_or("-")).unwrap();
        text
    })
}

/// The changes of one kind, as `before → after`.
fn changes(policy: &str, mutation: Mutation) -> Vec<String> {
    let found = mutants(&Pack::new(policy));
    let of_kind = found.iter().filter(|mutant| mutant.mutation == mutation);
    of_kind.map(|mutant| format!("{} → {}", mutant.before, mutant.after)).collect()
}

#[test]
fn every_construct_has_its_mistakes() {
    let pack = everything();
    let found = mutants(&pack);
    for mutant in &found {
        changed(&pack, mutant).load();
    }
    insta::assert_snapshot!("mutants", shown(&found));
}

#[test]
fn only_the_policy_that_is_named_is_changed() {
    let source = everything().source().unwrap();
    let original = source.text("policy.cedar").unwrap();
    let lines: Vec<&str> = original.split_inclusive('\n').collect();
    let rules = CedarFactory.vocabulary(&source).unwrap().rules;
    for mutant in CedarFactory.mutants(&source).unwrap() {
        let text = std::str::from_utf8(&mutant.files["policy.cedar"]).unwrap();
        let Some(rule) = &mutant.rule else {
            assert!(text.starts_with(original), "{mutant}");
            continue;
        };
        let position = rules.iter().position(|known| known.rule == *rule).unwrap();
        let start = rules[position].location.as_ref().unwrap().line;
        let next = &rules[position + 1].location.as_ref().unwrap();
        let end = if next.file == mutant.location.file { next.line } else { lines.len() + 1 };
        assert!((start..end).contains(&mutant.location.line), "{mutant}: {rule} is in {start}..{end}");
        assert!(text.starts_with(&lines[..start - 1].concat()), "{mutant}");
        assert!(text.ends_with(&lines[end - 1..].concat()), "{mutant}");
    }
}

#[test]
fn what_cannot_change_a_decision_is_no_mistake() {
    // Nothing is in an agent or a tool, and both are all that requests can have.
    for scope in ["principal == Agent::\"a\", action, resource", "principal, action, resource == Tool::\"t\""]
    {
        assert!(changes(&format!("permit({scope});"), Mutation::SwapOperator).is_empty(), "{scope}");
    }
    let dropped = changes("permit(principal is Agent, action, resource is Tool);", Mutation::DropCondition);
    assert!(dropped.is_empty(), "{dropped:?}");
    let dropped = changes(
        "permit(principal is Agent, action == Action::\"call\", resource is Tool);",
        Mutation::DropCondition,
    );
    assert_eq!(dropped, ["== Action::\"call\" → "]);
    // Whoever may be the principal has no members either.
    let owned =
        "permit(principal, action, resource) when { resource has owner && resource.owner == principal };";
    assert_eq!(
        changes(owned, Mutation::SwapOperator).last().unwrap(),
        "resource.owner == principal → resource.owner != principal"
    );
    // All the actions there are.
    let all = "permit(principal, action in [Action::\"reading\", Action::\"call\", Action::\"approve\"], resource);";
    assert_eq!(changes(all, Mutation::DropCondition), [""; 0]);
    assert_eq!(changes(all, Mutation::RemoveMember).len(), 3);
}

#[test]
fn what_validation_refuses_is_no_mistake() {
    // Without the test for it, the member may be missing.
    let guarded = "permit(principal, action, resource) when { context has amount && context.amount < 5 };";
    assert_eq!(
        changes(guarded, Mutation::DropCondition),
        ["when { context has amount && context.amount < 5 } → ", "context.amount < 5 → ",]
    );
    // `in` between texts, `||` after a guard.
    assert_eq!(
        changes(guarded, Mutation::SwapOperator),
        [
            "when { context has amount && context.amount < 5 } → unless { context has amount && context.amount < 5 }",
            "context.amount < 5 → context.amount <= 5",
            "context.amount < 5 → context.amount > 5",
        ]
    );
}

#[test]
fn a_number_is_one_off_at_both_ends_of_what_cedar_has() {
    let numbers = |number: &str| {
        changes(
            &format!(
                "permit(principal, action, resource) when {{ context has amount && context.amount == {number} }};"
            ),
            Mutation::OffByOne,
        )
    };
    assert_eq!(numbers("0"), ["0 → 1", "0 → -1"]);
    assert_eq!(numbers("-1"), ["-1 → 0", "-1 → -2"]);
    assert_eq!(numbers("9223372036854775807"), ["9223372036854775807 → 9223372036854775806"]);
    assert_eq!(numbers("-9223372036854775808"), ["-9223372036854775808 → -9223372036854775807"]);
    assert_eq!(numbers("- 5"), ["- 5 → -4", "- 5 → -6"]);
}

#[test]
fn a_star_that_stands_for_itself_is_no_wildcard() {
    let patterns = |pattern: &str| {
        let policy = format!(
            "permit(principal, action, resource) when {{ context has prompt && context.prompt like \"{pattern}\" }};"
        );
        let found = changes(&policy, Mutation::ChangePattern);
        found.into_iter().map(|change| change.split_once(" → ").unwrap().1.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(patterns("a"), ["\"*a\"", "\"a*\""]);
    assert_eq!(patterns("*"), ["\"\""]);
    assert_eq!(patterns(""), ["\"*\""]);
    assert_eq!(patterns("*a*b"), ["\"a*b\"", "\"*ab\"", "\"*a*b*\""]);
    assert_eq!(patterns(r"a\*"), [r#""*a\*""#, r#""a\**""#]);
    assert_eq!(patterns(r"\\*"), [r#""*\\*""#, r#""\\""#]);
    // As long in bytes as it is not in characters.
    assert_eq!(patterns("é*"), ["\"*é*\"", "\"é\""]);
}

#[test]
fn a_text_changes_whatever_it_ends_in() {
    let texts = |text: &str| {
        changes(
            &format!(
                "permit(principal, action, resource) when {{ context has prompt && context.prompt == \"{text}\" }};"
            ),
            Mutation::ChangeLiteral,
        )
    };
    for (text, other) in
        [("", "x"), ("a", "x"), ("x", "y"), (r"a\n", r"a\nx"), ("é", "x"), (r"\u{e9}", r"\u{e9}x")]
    {
        let shown = |text: &str| format!("\"{text}\"");
        assert_eq!(texts(text), [format!("{} → {}", shown(text), shown(other))], "{text}");
    }
}

#[test]
fn comments_between_operands_stay_comments() {
    let policy = "permit(principal, action, resource)\nwhen { context has amount // is there && set\n  && // or ||\n  context.amount == 1 // and\n};// end";
    let pack = Pack::new(policy);
    let found = mutants(&pack);
    for mutant in &found {
        changed(&pack, mutant).load();
    }
    let dropped = changes(policy, Mutation::DropCondition);
    assert!(dropped.contains(&"context.amount == 1 → ".to_owned()), "{dropped:?}");
    assert_eq!(found.iter().filter(|mutant| mutant.mutation == Mutation::AddDeny).count(), 2);
}

#[test]
fn policies_of_several_files_are_changed_in_their_own() {
    let pack = Pack::new("permit(principal, action, resource);")
        .with("a.cedar", "forbid(principal, action == Action::\"approve\", resource);");
    let found = mutants(&pack);
    let files: Vec<(&str, &str)> = found
        .iter()
        .map(|mutant| (mutant.mutation.as_str(), mutant.files.keys().next().unwrap().as_str()))
        .collect();
    assert_eq!(
        files,
        [
            ("flip_effect", "a.cedar"),
            ("drop_condition", "a.cedar"),
            ("change_literal", "a.cedar"),
            ("flip_effect", "policy.cedar"),
            // In the last file, so that no policy changes its number.
            ("add_deny", "policy.cedar"),
            ("add_deny", "policy.cedar"),
        ]
    );
    assert_eq!(found[3].rule.as_deref(), Some("policy1"));
    assert_eq!(found[0].location.file, "pack/a.cedar");
}

#[test]
fn a_policy_that_cannot_be_read_has_no_mutants() {
    let source = Pack::new("permit(principal, action resource);").source().unwrap();
    CedarFactory.mutants(&source).unwrap_err();
}

/// The files of a shipped pack with those of a mutant.
fn with(pack: &Shipped, mutant: &Mutant) -> PackFiles {
    let mut files = pack.files.clone();
    for (path, bytes) in &mutant.files {
        files.insert(path.clone(), bytes.clone());
    }
    files
}

#[test]
fn mutants_of_shipped_packs_can_be_loaded() {
    for pack in Shipped::all() {
        let source = pack.read(pack.files.clone()).unwrap();
        let found = CedarFactory.mutants(&source).unwrap();
        assert!(found.len() > 5, "{}: {}", pack.name, found.len());
        let mut texts = HashSet::new();
        let mut refused = 0;
        for mutant in &found {
            assert!(texts.insert(mutant.files.clone()), "{}: {mutant} is there twice", pack.name);
            let files = with(&pack, mutant);
            let read = pack.read(files.clone()).unwrap_or_else(|errors| panic!("{mutant}: {errors}"));
            let different: Vec<&str> =
                files.paths().filter(|path| files.get(path) != pack.files.get(path)).collect();
            assert_eq!(different, mutant.files.keys().collect::<Vec<_>>(), "{}: {mutant}", pack.name);
            assert!(different.contains(&mutant.location.file.rsplit('/').next().unwrap()));
            assert_ne!(mutant.before, mutant.after, "{}: {mutant}", pack.name);
            assert!(mutant.before.chars().count() <= 60 && !mutant.before.contains('\n'), "{mutant}");
            assert!(mutant.after.chars().count() <= 60 && !mutant.after.contains('\n'), "{mutant}");
            if let Err(errors) = CedarFactory.load(&read, &Default::default()) {
                let file = read.file_name(different[0]);
                let inside = |location: &tribunal_engine_core::location::Location| location.file == file;
                assert!(errors.iter().all(|error| error.location.as_ref().is_some_and(inside)), "{errors}");
                refused += 1;
            }
        }
        assert!(refused * 100 <= found.len() * 15, "{}: {refused} of {}", pack.name, found.len());
    }
}

/// What an engine answers, a fault being a denial without a reason.
fn answer(loaded: &Loaded, request: &Value) -> Decision {
    loaded.try_verdict(request).map_or_else(
        |_| Decision { effect: DecisionEffect::Deny, reason: None, patches: Vec::new(), step_up: None },
        |verdict| verdict.decision,
    )
}

fn severity(decision: &Decision) -> usize {
    DecisionEffect::ALL.iter().position(|effect| *effect == decision.effect).unwrap()
}

#[test]
fn another_forbid_never_leads_to_a_milder_decision() {
    for pack in Shipped::all() {
        let original = pack.load(pack.files.clone()).unwrap();
        let requests = pack.requests();
        let found = CedarFactory.mutants(&original.source).unwrap();
        let mut refused_more = 0;
        for mutant in found.iter().filter(|mutant| mutant.mutation == Mutation::AddDeny) {
            let changed = pack.load(with(&pack, mutant)).unwrap();
            for request in &requests {
                let (was, is) = (answer(&original, request), answer(&changed, request));
                assert!(severity(&is) >= severity(&was), "{}: {mutant}: {request}", pack.name);
                refused_more += usize::from(severity(&is) > severity(&was));
            }
        }
        assert!(refused_more > 0, "{}: nothing was refused that was not before", pack.name);
    }
}

/// A mistake of each kind is noticed by the cases of some shipped pack, so none of them is idle.
#[test]
fn mistakes_change_decisions() {
    let mut noticed = HashSet::new();
    for pack in Shipped::all() {
        let original = pack.load(pack.files.clone()).unwrap();
        let requests = pack.requests();
        let found = CedarFactory.mutants(&original.source).unwrap();
        let mut killed = 0;
        let mistakes: Vec<&Mutant> =
            found.iter().filter(|mutant| mutant.mutation != Mutation::AddDeny).collect();
        for mutant in &mistakes {
            let changed = pack.load(with(&pack, mutant)).unwrap();
            if requests.iter().any(|request| answer(&original, request) != answer(&changed, request)) {
                noticed.insert(mutant.mutation);
                killed += 1;
            } else {
                eprintln!("{}: survives {mutant}", pack.name);
            }
        }
        eprintln!("{}: {killed} of {} by {} requests", pack.name, mistakes.len(), requests.len());
        assert!(killed * 2 > mistakes.len(), "{}: {killed} of {}", pack.name, mistakes.len());
    }
    let kinds = [
        Mutation::FlipEffect,
        Mutation::DropCondition,
        Mutation::SwapOperator,
        Mutation::ChangeLiteral,
        Mutation::RemoveMember,
    ];
    assert!(kinds.iter().all(|kind| noticed.contains(kind)), "{noticed:?}");
}
