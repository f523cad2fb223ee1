//! Annotations that make no sense are refused, with their place.

use tribunal_engine_core::engine::LoadErrorKind;

use crate::support::{MANIFEST, Pack};

/// The policies below begin on line 2.
fn refused(policy: &str, place: &str, says: &str) {
    Pack::new(&format!("permit(principal, action, resource);\n{policy}")).refused(
        LoadErrorKind::Invalid,
        place,
        says,
    );
}

#[test]
fn wrong_annotations_are_refused() {
    for (policy, column, says) in [
        (r#"@raeson("x") permit(principal, action, resource);"#, 1, "did you mean `reason`?"),
        (
            r#"@id("a") @obligation("x") permit(principal, action, resource);"#,
            10,
            "unknown annotation `@obligation`",
        ),
        (r#"@reason permit(principal, action, resource);"#, 1, "`@reason` needs a text"),
        (r#"@reason_from("x") permit(principal, action, resource);"#, 1, "not a JSON pointer"),
        (
            r#"@reason("x") @reason_from("/context/tags") permit(principal, action, resource);"#,
            14,
            "it can only be one",
        ),
        (r#"@id("") permit(principal, action, resource);"#, 1, "`@id` needs a text"),
        (r#"@effect("redact") forbid(principal, action, resource);"#, 1, "`step_up` is the only one"),
        (r#"@effect("allow") forbid(principal, action, resource);"#, 1, "`step_up` is the only one"),
        (r#"@step_up("m") forbid(principal, action, resource);"#, 1, "needs `@effect(\"step_up\")`"),
        (
            r#"@effect("step_up") @redact("/context/prompt") forbid(principal, action, resource);"#,
            20,
            "write two",
        ),
        (r#"@replacement("x") forbid(principal, action, resource);"#, 1, "needs `@redact`"),
        (r#"@replacement_from("/context/x") forbid(principal, action, resource);"#, 1, "needs `@redact`"),
        (
            r#"@redact("/context/prompt") @replacement("x") @replacement_from("/context/x") forbid(principal, action, resource);"#,
            46,
            "it can only be one",
        ),
        (
            r#"@redact("/context/prompt") @replacement_from("x") forbid(principal, action, resource);"#,
            28,
            "not a JSON pointer",
        ),
        (r#"@redact("context/prompt") forbid(principal, action, resource);"#, 1, "not a JSON pointer"),
        (r#"@redact("/context/prompt,") forbid(principal, action, resource);"#, 1, "`` does not lie under"),
        (
            r#"@redact("/context/amount") forbid(principal, action, resource);"#,
            1,
            "`/context/amount` does not lie under",
        ),
        (r#"@redact("/context") forbid(principal, action, resource);"#, 1, "does not lie under"),
        (r#"@redact("/context/promptly") forbid(principal, action, resource);"#, 1, "does not lie under"),
        (r#"@effect("step_up") permit(principal, action, resource);"#, 1, "on a permit"),
        (r#"@redact("/context/prompt") permit(principal, action, resource);"#, 1, "on a permit"),
        (r#"@replacement("x") permit(principal, action, resource);"#, 1, "on a permit"),
    ] {
        refused(policy, &format!("pack/policy.cedar:2:{column}: "), says);
    }
}

#[test]
fn nothing_is_redactable_unless_the_manifest_says_so() {
    let manifest = MANIFEST.replace("redactable: [/context/prompt, /context/args, /context/tags]", "");
    Pack::new(r#"@redact("/context/prompt") forbid(principal, action, resource);"#)
        .with("pack.yaml", &manifest)
        .refused(LoadErrorKind::Invalid, "pack/policy.cedar:1:1", "does not lie under `redactable`");
}

/// cedar.md hazard 8: Cedar does not take `@id` for the policy's id.
#[test]
fn an_id_stands_once_in_the_pack() {
    let policy = r#"@id("a") permit(principal, action, resource);"#;
    Pack::new(policy).with("other.cedar", policy).refused(
        LoadErrorKind::Invalid,
        "pack/policy.cedar:1:1",
        "the policy id `a` is taken by the policy at pack/other.cedar:1:1",
    );
    refused(
        r#"@id("policy0") permit(principal, action, resource);"#,
        "pack/policy.cedar:2:1",
        "taken by the policy at pack/policy.cedar:1:1",
    );
}

#[test]
fn templates_are_refused() {
    for slot in ["principal == ?principal, action, resource", "principal, action, resource in ?resource"] {
        Pack::new(&format!("// a template\npermit({slot});")).refused(
            LoadErrorKind::Unsupported,
            "pack/policy.cedar:2:1",
            "template",
        );
    }
}
