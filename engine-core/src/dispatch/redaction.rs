//! What redactions may change, and how those of several packs are made one.

use serde_json::Value;

use crate::contract::patch::{self, Patch, Pointer};
use crate::fault::{Fault, FaultKind};

/// What no pack may change, whatever its manifest says: who asks for what, under which ids, across which boundary.
const PROTECTED: [&[&str]; 8] = [
    &["subject"],
    &["action"],
    &["resource", "type"],
    &["resource", "id"],
    &["run_id"],
    &["step_id"],
    &["boundary"],
    &["derived"],
];

/// Whether a place is protected, lies below something protected, or has something protected below it.
pub fn protects(place: &Pointer) -> bool {
    PROTECTED.iter().any(|protected| {
        let protected = Pointer::from_tokens(protected.iter().copied());
        protected.contains(place) || place.contains(&protected)
    })
}

/// Checks the patches of one pack against the request of this round.
///
/// # Errors
/// [`FaultKind::MalformedPatch`] for a place that does not exist, is not redactable or is protected, and for two patches
/// that contradict each other.
pub(super) fn check(patches: &[Patch], payload: &Value, redactable: &[Pointer]) -> Result<(), Fault> {
    for (index, patch) in patches.iter().enumerate() {
        let place = patch.path();
        let refuse =
            |why: &str| Err(Fault::new(FaultKind::MalformedPatch, format!("the patch at `{place}` {why}")));
        if !redactable.iter().any(|prefix| prefix.contains(place)) {
            return refuse("is outside what the manifest makes `redactable`");
        }
        if protects(place) {
            return refuse("touches identity, ids, boundary or derived members");
        }
        if place.get(payload).is_none() {
            return refuse("is on a place that does not exist");
        }
        if patches.iter().skip(index + 1).any(|other| !patch.is_compatible(other)) {
            return refuse("contradicts another of the same pack");
        }
    }
    Ok(())
}

/// Applies what several packs want changed. A pack whose places collide with an earlier pack's waits for the next
/// round, in which every pack is asked again.
///
/// # Errors
/// [`FaultKind::MalformedPatch`] if a patch does not fit after all.
pub(super) fn apply_round<'p>(
    wanted: impl IntoIterator<Item = &'p [Patch]>,
    payload: &Value,
) -> Result<Value, Fault> {
    let mut chosen: Vec<&Patch> = Vec::new();
    for patches in wanted {
        let fits = patches.iter().all(|patch| chosen.iter().all(|earlier| earlier.is_compatible(patch)));
        if fits {
            chosen.extend(patches);
        }
    }
    patch::apply(chosen, payload).map_err(|error| Fault::new(FaultKind::MalformedPatch, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pointer(text: &str) -> Pointer {
        Pointer::parse(text).unwrap()
    }

    fn remove(path: &str) -> Patch {
        Patch::Remove { path: pointer(path) }
    }

    fn replace(path: &str, value: Value) -> Patch {
        Patch::Replace { path: pointer(path), value }
    }

    #[test]
    fn identity_can_never_be_redacted() {
        for place in [
            "",
            "/subject",
            "/subject/properties/x",
            "/action/name",
            "/resource",
            "/resource/id",
            "/run_id",
            "/boundary",
            "/derived/x",
        ] {
            assert!(protects(&pointer(place)), "{place}");
        }
        for place in ["/context", "/resource/properties", "/resource/properties/body", "/other"] {
            assert!(!protects(&pointer(place)), "{place}");
        }
    }

    #[test]
    fn a_patch_must_fit_the_request_and_the_manifest() {
        let payload = json!({"context": {"a": 1, "list": [1, 2]}, "subject": {"id": "x"}, "other": 1});
        let redactable = [pointer("/context"), pointer("/subject")];
        for (patches, fits) in [
            (vec![remove("/context/a")], true),
            (vec![remove("/context/a"), remove("/context/a")], true),
            (vec![remove("/context/list"), replace("/context/list/0", json!(5))], true),
            (vec![remove("/context/b")], false),
            (vec![remove("/context/list/2")], false),
            (vec![remove("/context/list/-")], false),
            (vec![remove("/other")], false),
            (vec![replace("/subject/id", json!("root"))], false),
            (vec![replace("/context/a", json!(1)), replace("/context/a", json!(2))], false),
            (vec![replace("/context/list", json!([])), replace("/context/list/0", json!(2))], false),
            (vec![replace("/context/a", json!(1)), remove("/context/a")], false),
        ] {
            assert_eq!(check(&patches, &payload, &redactable).is_ok(), fits, "{patches:?}");
        }
    }

    #[test]
    fn two_packs_may_remove_neighbours_in_one_array() {
        let payload = json!({"list": ["a", "b", "c", "d"]});
        let (first, second) = ([remove("/list/1")], [remove("/list/2"), remove("/list/1")]);
        let after = apply_round([first.as_slice(), second.as_slice()], &payload).unwrap();
        assert_eq!(after, json!({"list": ["a", "d"]}));
    }

    #[test]
    fn a_pack_that_collides_waits() {
        let payload = json!({"a": 1, "b": 2});
        let (first, second) = ([replace("/a", json!("x"))], [replace("/a", json!("y")), remove("/b")]);
        let after = apply_round([first.as_slice(), second.as_slice()], &payload).unwrap();
        assert_eq!(after, json!({"a": "x", "b": 2}));
    }
}
