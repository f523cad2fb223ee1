//! `tribunal check`.

use crate::{Folder, rego_pack};

#[test]
fn a_sound_pack_and_deployment_are_ready() {
    let folder = Folder::with_pack();
    folder.write("tribunal.yaml", "packs:\n  - {pack: guard, engine: cedar, shadow: [biscuit]}\n");
    for arguments in [&["check"][..], &["check", "--config", "tribunal.yaml"], &["check", "--pack", "guard"]]
    {
        let run = folder.run(arguments);
        assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
        assert_eq!(run.stdout, "ready: 0 errors, 0 warnings\n");
    }
    assert_eq!(folder.run(&["check", "--format", "json"]).json()["ready"], true);
}

#[test]
fn everything_wrong_is_told_at_once_with_its_lines() {
    let folder = Folder::with_pack();
    folder.edit(
        "guard/policy.cedar",
        "permit (principal is Agent, action",
        "permit (principal is Agnt, action",
    );
    folder.edit("guard/policy.biscuit", "deny if true;", "deny if tru;");
    folder.edit("guard/policy.rego", "tool_not_allowed", "not_today");
    folder.edit("guard/cases/decisions.yaml", "effect: step_up", "efect: step_up");
    folder.write("tribunal.yaml", "packs:\n  - {pack: guard, engine: rego-native}\n  - {pack: missing, engine: cedar}\nroot_keys: [{file: none.pem}]\n");
    let run = folder.run(&["check"]);
    assert_eq!(run.code, 65);
    insta::assert_snapshot!("check_errors", run.shown(&folder));
    let run = folder.run(&["check", "--format", "json"]);
    let report = run.json();
    assert_eq!((run.code, &report["ready"]), (65, &serde_json::json!(false)));
    let errors = report["errors"].as_array().unwrap();
    assert_eq!(report["blocker_count"], errors.len());
    for file in ["policy.cedar", "policy.biscuit", "decisions.yaml"] {
        let named =
            |error: &&serde_json::Value| error["file"].as_str().is_some_and(|name| name.ends_with(file));
        let error = errors.iter().find(named).unwrap_or_else(|| panic!("{file}: {report}"));
        assert!(error["line"].as_u64().unwrap() > 1 && error["column"].is_u64(), "{error}");
    }
    for says in ["pack build", "missing", "none.pem"] {
        assert!(run.stdout.contains(says), "{says}: {}", run.stdout);
    }
    // Packs are looked at even where the deployment itself is wrong.
    folder.write("tribunal.yaml", "packs:\n  - {pack: guard, engin: cedar}\n");
    let run = folder.run(&["check", "--format", "json"]);
    assert!(run.stdout.contains("engin") && run.stdout.contains("policy.biscuit"), "{}", run.stdout);
}

#[test]
fn warnings_block_only_if_they_are_denied() {
    let folder = Folder::new();
    rego_pack(&folder, "open", "", r#"decision := {"effect": "allow"}"#);
    let run = folder.run(&["check", "--pack", "open"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "ready: 0 errors, 1 warning\n"), "{}", run.stderr);
    let run = folder.run(&["check", "--pack", "open", "--deny-warnings", "--format", "json"]);
    assert_eq!(run.code, 5);
    let report = run.json();
    assert_eq!(
        (&report["ready"], &report["blocker_count"]),
        (&serde_json::json!(false), &serde_json::json!(1))
    );
}

#[test]
fn limits_are_for_the_engines_that_run() {
    let folder = Folder::with_pack();
    let deadline = "limits: {deadline: 100ms}";
    let deployed = |pack: &str, rest: &str| {
        folder.write("tribunal.yaml", format!("packs:\n  - {{pack: guard, {pack}}}\n{rest}\n"));
        folder.run(&["check"])
    };
    for (pack, rest) in [("engine: biscuit", deadline), (&format!("engine: biscuit, {deadline}"), "")] {
        let run = deployed(pack, rest);
        assert_eq!((run.code, run.stdout.as_str()), (0, "ready: 0 errors, 0 warnings\n"), "{}", run.stderr);
    }
    for pack in ["engine: cedar", "engine: biscuit, shadow: [cedar]", "engine: biscuit, fallback: cedar"] {
        let run = deployed(pack, deadline);
        assert_eq!(run.code, 65, "{pack}");
        assert!(run.stderr.contains("pack `guard` under the `limits` of its deployment"), "{}", run.stderr);
    }
}

#[test]
fn what_is_missing_is_told_beside_what_is_wrong() {
    let folder = Folder::with_pack();
    folder.write("tribunal.yaml", "packs: [{pack: guard, engine: cedar, data: none.json}]\n");
    folder.edit("guard/policy.cedar", "permit (principal is Agent", "permit (principal is Agnt");
    let told = |says: &[&str]| {
        let run = folder.run(&["check"]);
        assert_eq!(run.code, 65);
        for says in says {
            assert!(run.stderr.contains(says), "{says}: {}", run.stderr);
        }
    };
    told(&["`none.json` cannot be read", "unrecognized entity type `Agnt`"]);
    folder.edit("guard/pack.yaml", "description:", "descripton:");
    std::fs::remove_file(folder.file("guard/input.schema.json")).unwrap();
    folder.edit("guard/data.json", "\"approval\"", "\"aproval\"");
    told(&[
        "`none.json` cannot be read",
        "`guard/input.schema.json` is missing",
        "unknown key `descripton`",
        "unknown key `aproval`",
    ]);
    // Even a manifest that does not parse hides no other file.
    folder.write("guard/pack.yaml", "name: [\n");
    told(&["`none.json` cannot be read", "unknown key `aproval`"]);
}

#[test]
fn a_misspelt_function_is_told_in_a_line() {
    let folder = Folder::with_pack();
    folder.edit("guard/pack.yaml", "{regex: {source", "{regx: {source");
    let report = folder.run(&["check", "--pack", "guard", "--format", "json"]).json();
    insta::assert_snapshot!(serde_json::to_string_pretty(&report["errors"]).unwrap(), @r#"
    [
      {
        "message": "unknown function `regx` in `derive.tool`",
        "file": "guard/pack.yaml",
        "line": 12,
        "column": 10,
        "help": "did you mean `regex`? One derived member, by one function: `tribunal schema pack` and the README of `derive` list them all."
      }
    ]
    "#);
}
