//! The laws of merging, as properties: whoever adds a pack to a deployment relies on them.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::Value;
use tribunal_engine_core::contract::{Decision, DecisionEffect, Patch, Pointer, StepUp};

/// Few different values, so that equal ones meet often.
fn pointers() -> impl Strategy<Value = Pointer> {
    prop_oneof![Just("/a"), Just("/a/b"), Just("/list/0"), Just("/list/1")]
        .prop_map(|text| Pointer::parse(text).unwrap())
}

fn patches() -> impl Strategy<Value = Patch> {
    prop_oneof![
        pointers().prop_map(|path| Patch::Remove { path }),
        (pointers(), 0..3_i64).prop_map(|(path, value)| Patch::Replace { path, value: Value::from(value) }),
    ]
}

fn reasons() -> impl Strategy<Value = Option<String>> {
    option::of(
        prop_oneof![Just(""), Just("a"), Just("b; a"), Just("tool_not_allowed")].prop_map(str::to_owned),
    )
}

fn demands() -> impl Strategy<Value = Option<StepUp>> {
    option::of(
        prop_oneof![Just("mfa"), Just("human_approval")]
            .prop_map(|method| StepUp { method: Some(method.to_owned()), ..StepUp::default() }),
    )
}

/// Decisions as engines may give them: whatever is not well-formed never reaches a merge.
fn decisions() -> impl Strategy<Value = Decision> {
    (proptest::sample::select(DecisionEffect::ALL.to_vec()), reasons(), vec(patches(), 0..4), demands())
        .prop_map(|(effect, reason, patches, step_up)| Decision {
            effect,
            reason,
            patches: if effect == DecisionEffect::Allow { Vec::new() } else { patches },
            step_up: if effect == DecisionEffect::StepUp { step_up } else { None },
        })
        .prop_filter("a redact has patches", |decision| decision.clone().well_formed().is_ok())
}

proptest! {
    #[test]
    fn merge_is_associative(a in decisions(), b in decisions(), c in decisions()) {
        let at_once = Decision::merge([a.clone(), b.clone(), c.clone()]);
        let from_the_left = Decision::merge([Decision::merge([a.clone(), b.clone()]), c.clone()]);
        let from_the_right = Decision::merge([a, Decision::merge([b, c])]);
        prop_assert_eq!(&at_once, &from_the_left);
        prop_assert_eq!(&at_once, &from_the_right);
    }

    #[test]
    fn the_effect_does_not_depend_on_pack_order(
        (ordered, shuffled) in vec(decisions(), 1..6).prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        prop_assert_eq!(Decision::merge(ordered).effect, Decision::merge(shuffled).effect);
    }

    #[test]
    fn another_decision_never_lowers_severity(before in vec(decisions(), 1..6), place in any::<prop::sample::Index>(), added in decisions()) {
        let effect = Decision::merge(before.clone()).effect;
        let mut after = before;
        after.insert(place.index(after.len() + 1), added.clone());
        let merged = Decision::merge(after);
        prop_assert!(merged.effect >= effect);
        prop_assert!(merged.effect >= added.effect);
    }

    #[test]
    fn a_merge_is_one_of_its_effects_and_demands_nothing_else(all in vec(decisions(), 1..6)) {
        let merged = Decision::merge(all.clone());
        prop_assert_eq!(Some(merged.effect), all.iter().map(|decision| decision.effect).max());
        prop_assert_eq!(merged.step_up.is_some(), merged.effect == DecisionEffect::StepUp && all.iter().any(|decision| decision.step_up.is_some()));
    }

    #[test]
    fn a_merge_has_every_patch_once(all in vec(decisions(), 1..6)) {
        let merged = Decision::merge(all.clone());
        for (index, patch) in merged.patches.iter().enumerate() {
            prop_assert!(!merged.patches.iter().skip(index + 1).any(|other| other == patch), "a patch stands twice");
        }
        prop_assert!(all.iter().flat_map(|decision| &decision.patches).all(|patch| merged.patches.contains(patch)), "a patch is lost");
    }

    #[test]
    fn merging_one_decision_changes_nothing_but_an_empty_reason(decision in decisions()) {
        let merged = Decision::merge([decision.clone()]);
        let reason = decision.reason.clone().filter(|reason| !reason.is_empty());
        prop_assert_eq!((merged.effect, merged.reason, merged.step_up), (decision.effect, reason, decision.step_up));
    }
}

/// Absence is no decision, and no decision is no permission.
#[test]
fn nothing_merged_is_a_denial() {
    assert_eq!(Decision::merge([]), Decision::deny("no_pack_matched"));
}
