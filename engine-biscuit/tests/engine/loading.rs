//! What is refused at load, and where the errors point.

use serde_json::json;
use tribunal_engine_biscuit::BiscuitFactory;
use tribunal_engine_core::engine::{Capability, EngineFactory, LoadErrorKind};

use crate::support::pack;

/// Each with the kind of its first error, and what that error says, place included.
#[test]
fn errors_say_what_and_where() {
    use LoadErrorKind::{Bounds, Invalid, MissingBuiltin, Syntax};
    for (policy, kind, says) in [
        ("allow if true;\nfact(;", Syntax, "p/policy.biscuit:2:"),
        ("allow if\n  action(\"a\"), $x ! 5;", Syntax, "p/policy.biscuit:2:"),
        ("/* no end", Syntax, "p/policy.biscuit:1:1: this comment has no `*/`"),
        ("// fine\nknown(\"open);", Syntax, "p/policy.biscuit:2:7: this text has no closing"),
        ("known({name});", Syntax, "p/policy.biscuit:1:7: a policy has no parameters"),
        ("p($x) <- action($y);", Syntax, "$x"),
        ("permit if true;", Syntax, "p/policy.biscuit:1:"),
        (
            "allow if true; // c\nallow if actoin($t);",
            Invalid,
            "p/policy.biscuit:2:1: nothing states `actoin`: this would never match (did you mean `action`?)",
        ),
        ("allow if subject($id);", Invalid, "`subject` has 2 terms, not 1"),
        ("allow if subject(1, $id);", Invalid, "term 1 of `subject` is of type string, never integer"),
        ("subject(\"agent\", \"root\");", Invalid, "`subject` is what the engine states"),
        ("time($t) <- data($t);", Invalid, "`time` is what the engine states"),
        ("allow if effect(\"deny\"); effect(\"deny\");", Invalid, "`effect` is an answer"),
        ("effect(\"step-up\");", Invalid, "`step-up` is not an effect (did you mean `step_up`?)"),
        ("effect(\"deny\", 1);", Invalid, "`effect` takes 1 terms, not 2"),
        ("reason(5);", Invalid, "`reason` takes a string"),
        (
            "effect(\"redact\"); patch(\"add\", \"/a\", 1);",
            Invalid,
            "a patch is a `\"replace\"`, a `\"replace_from\"` or a `\"remove\"`",
        ),
        ("effect(\"redact\"); patch(\"remove\", \"/a\", 1);", Invalid, "a `remove` has the value `null`"),
        ("effect(\"redact\"); patch(\"replace\", \"a\", 1);", Invalid, "not a JSON pointer"),
        ("effect(\"redact\"); patch(\"replace_from\", \"/a\", \"b\");", Invalid, "not a JSON pointer"),
        ("effect(\"redact\"); patch(\"replace_from\", \"/a\", 1);", Invalid, "names a place"),
        ("effect(\"redact\"); patch(\"replace_from\", \"/a\", $t) <- action($t);", Invalid, "names a place"),
        ("effect(\"redact\");", Invalid, "without any `patch`"),
        ("patch(\"remove\", \"/a\", null);", Invalid, "without any `effect(\"redact\")`"),
        ("step_up(\"otp\");", Invalid, "without any `effect(\"step_up\")`"),
        ("allow if action($t), $t.extern::lookup();", MissingBuiltin, "`extern::lookup`"),
        ("allow if action($t), $t.extern::matches(\"x\");", MissingBuiltin, "`extern::matches`"),
        ("allow if action($t), $u == 1;", Invalid, "no predicate of this statement binds `$u`"),
        ("allow if action($t), request($r), [1].any($t -> $t == 1);", Invalid, "the closure's `$t` hides"),
        (
            "v(1);\nv(\"a\");",
            Invalid,
            "p/policy.biscuit:2:1: term 1 of `v` is of several types: integer, string",
        ),
        ("allow if true trusting previous;", Invalid, "`trusting previous` means nothing"),
        ("allow if role(\"admin\") trusting authority;", Invalid, "the pack does not require one"),
        (
            "r($x) <- role($x) trusting authority;\ndeny if r(\"bad\");",
            Invalid,
            "p/policy.biscuit:2:1: `r` is derived by a rule that trusts a token",
        ),
        (
            "v(1); allow if v($a), v($b), v($c), v($d), v($e), v($f), v($g), v($h), v($i);",
            Bounds,
            "9 predicates are joined here, more than 8",
        ),
    ] {
        let errors = pack(policy).errors();
        let first = errors.iter().next().unwrap();
        assert_eq!(first.kind, kind, "{policy}: {errors}");
        assert!(first.to_string().contains(says), "{policy}: {errors}");
    }
}

#[test]
fn all_errors_are_reported_at_once() {
    let errors = pack("allow if (;\nok(1);\nfact(;").file("z.biscuit", "deny if )").errors();
    let places: Vec<String> =
        errors.iter().map(|error| error.location.as_ref().unwrap().to_string()).collect();
    assert_eq!(places.len(), 3, "{errors}");
    for (place, start) in places.iter().zip(["p/policy.biscuit:1:", "p/policy.biscuit:3:", "p/z.biscuit:1:"])
    {
        assert!(place.starts_with(start), "{place}");
    }
}

#[test]
fn a_pack_needs_policies_and_a_schema() {
    let errors = pack("allow if true;").without_schema().errors();
    assert!(errors.has(LoadErrorKind::Unsupported), "{errors}");
}

#[test]
fn data_must_have_terms() {
    for data in [json!({"a": 1.5}), json!({"a": [null]}), json!({"a": u64::MAX})] {
        let errors = pack("allow if true;").data(data).errors();
        assert!(errors.has(LoadErrorKind::Unsupported) && errors.to_string().contains("`/a"), "{errors}");
    }
}

#[test]
fn comments_and_separators_stand_anywhere_between_statements() {
    let policy = "// a ; comment \" with anything (((\n/* and { more\n; */ known(\"a;b\\\"(((\") ; \n\n// end\nallow if known($k), $k == \"a;b\\\"(((\" /* not here */";
    let errors = pack(policy).errors();
    assert!(errors.to_string().contains("p/policy.biscuit:6:"), "{errors}");
    let loaded = pack(&policy.replace("/* not here */", "")).loaded();
    assert_eq!(loaded.decision(&json!({})), json!({"effect": "allow"}));
}

#[test]
fn statements_on_one_line_have_names_of_their_own() {
    let loaded = pack("deny if action(\"a\"); deny if action(\"b\"); allow if true;").loaded();
    let names: Vec<String> = ["a", "b"]
        .iter()
        .map(|tool| loaded.decide(&crate::support::tool(tool)).unwrap().rules.to_string())
        .collect();
    assert_eq!(names, ["deny policy.biscuit:1", "deny policy.biscuit:1:22"]);
}

#[test]
fn the_settings_are_empty_and_closed() {
    let schema = BiscuitFactory.settings_schema();
    assert_eq!(schema["additionalProperties"], json!(false));
    assert!(schema.get("$defs").is_none());
    assert!(BiscuitFactory.capabilities().has(Capability::Tokens));
    assert!(!BiscuitFactory.capabilities().has(Capability::Floats));
}

#[test]
fn the_policy_in_the_crates_documentation_is_one() {
    let docs = include_str!("../../src/lib.rs").lines().map(|line| line.trim_start_matches("//!"));
    let lines =
        docs.skip_while(|line| line.trim() != "```text").skip(1).take_while(|line| line.trim() != "```");
    // Comments stand between statements: one at a line's end follows its `;`.
    let policy: String = lines.map(|line| format!("{line}\n")).collect();
    let loaded = pack(&policy).data(json!({"tools": ["search"]})).loaded();
    let context = |amount: i64| crate::support::with_context(json!({"amount": amount}));
    assert_eq!(loaded.decision(&context(1)), json!({"effect": "allow"}));
    assert_eq!(
        loaded.decision(&context(1001)),
        json!({"effect": "step_up", "step_up": {"method": "human_approval"}})
    );
    assert_eq!(loaded.decision(&crate::support::tool("rm"))["effect"], json!("deny"));
}
