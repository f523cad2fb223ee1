//! `tribunal scenario test`.

use std::fs;

use serde_json::Value;

use crate::schema::assert_valid;
use crate::{Folder, rego_pack};

const SCENARIOS: &str = "\
- name: a-key-comes-in
  description: A key comes in and is not passed on
  attack: disallowed_egress
  steps:
    - name: comes-in
      boundary: ingress
      request: {context: {prompt: the key is K-4711}}
      memory: {write: notes}
      expect: {effect: redact, reason: key, absent: [K-4711]}
    - name: is-read
      boundary: memory_read
      from: comes-in
      memory: {read: notes}
      expect: {effect: allow, present: ['the key is [key]']}
  assert: {absent: [K-4711], last: allow}
";

fn folder() -> Folder {
    let folder = Folder::new();
    let rule = r#"decision := {"effect": "redact", "reason": "key", "patches": [{
	"op": "replace",
	"path": "/context/prompt",
	"value": regex.replace(input.context.prompt, `K-[0-9]+`, "[key]"),
}]} if regex.match(`K-[0-9]`, input.context.prompt)

else := {"effect": "allow"} if is_string(input.context.prompt)"#;
    rego_pack(&folder, "packs/keys", "redactable: [/context/prompt]\n", rule);
    folder.edit("packs/keys/pack.yaml", "name: packs/keys", "name: keys");
    folder.write("packs/keys/scenarios/keys.yaml", SCENARIOS);
    folder.write(
        "packs/scenarios/whole.yaml",
        SCENARIOS.replace("  steps:", "  deployment: {packs: [{pack: ../keys}]}\n  steps:"),
    );
    folder
}

#[test]
fn scenarios_are_found_and_played() {
    let folder = folder();
    let run = folder.run(&["scenario", "test", "packs"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    insta::assert_snapshot!("scenario_test", run.shown(&folder));
    for path in ["packs/keys", "packs/keys/scenarios", "packs/keys/scenarios/keys.yaml"] {
        let run = folder.run(&["scenario", "test", path, "--format", "json"]);
        assert_eq!((run.code, run.json()["passed"].as_u64()), (0, Some(1)), "{path}: {}", run.stderr);
    }
    assert_eq!(folder.run(&["scenario", "test", "packs", "--engine", "rego-native"]).code, 0);
    // What no scenario can be played on, and what is not there, proves nothing.
    for arguments in [
        &["packs", "--engine", "cedar"][..],
        &["packs", "--filter", "no-such"],
        &["packs/keys/cases"],
        &["missing"],
    ] {
        assert_eq!(folder.run(&[&["scenario", "test"], arguments].concat()).code, 65, "{arguments:?}");
    }
    assert_eq!(folder.run(&["scenario", "test", "packs", "--engine", "cedr"]).code, 64);
}

#[test]
fn a_scenario_that_fails_is_5_in_every_format() {
    let folder = folder();
    folder.edit("packs/keys/scenarios/keys.yaml", "reason: key", "reason: secret");
    let run = folder.run(&["scenario", "test", "packs"]);
    assert_eq!(run.code, 5);
    insta::assert_snapshot!("scenario_test_failure", run.shown(&folder));
    let run = folder.run(&["scenario", "test", "packs", "--format", "json"]);
    assert_eq!(
        (run.code, run.json()["failed"].as_u64(), run.json()["passed"].as_u64()),
        (5, Some(1), Some(1))
    );
    let run = folder.run(&["scenario", "test", "packs/keys", "--format", "junit"]);
    assert_eq!(run.code, 5);
    assert!(
        run.stdout.contains(r#"<testcase classname="keys.rego-native" name="a-key-comes-in""#),
        "{}",
        run.stdout
    );
    // A pack that does not load fails what is played on it.
    folder.write("packs/keys/policy.rego", "package made\n\ndecision := ");
    let run = folder.run(&["scenario", "test", "packs/scenarios"]);
    assert_eq!(run.code, 5);
    assert!(run.stdout.contains("its packs do not load"), "{}", run.stdout);
}

#[test]
fn scenarios_are_played_against_another_deployment() {
    let folder = folder();
    folder.write(
        "tribunal.yaml",
        "packs: [{pack: packs/keys, engine: rego-native, when: {boundary: [tool]}}]\n",
    );
    let run =
        folder.run(&["scenario", "test", "packs/keys", "--config", "tribunal.yaml", "--format", "json"]);
    let engines: Vec<Value> =
        run.json()["tests"].as_array().unwrap().iter().map(|test| test["engine"].clone()).collect();
    assert_eq!((run.code, engines), (5, vec!["rego-native".into(), "as-deployed".into()]));
    assert!(run.stdout.contains("no_pack_matched"), "{}", run.stdout);
    folder.write("tribunal.yaml", "packs: 5\n");
    assert_eq!(folder.run(&["scenario", "test", "packs/keys", "--config", "tribunal.yaml"]).code, 65);
}

#[test]
fn bad_scenarios_are_refused_with_their_place() {
    let folder = folder();
    folder.edit(
        "packs/keys/scenarios/keys.yaml",
        "memory: {read: notes}",
        "memory: {red: notes}\n      content: {from: nobody}",
    );
    let run = folder.run(&["scenario", "test", "packs"]);
    assert_eq!(run.code, 65);
    insta::assert_snapshot!("scenario_bad_input", run.shown(&folder));
}

#[test]
fn artifacts_of_all_steps_are_written() {
    let folder = folder();
    let run = folder.run(&["scenario", "test", "packs/keys", "--artifact", "artifacts"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let files: Vec<_> = fs::read_dir(folder.file("artifacts/rego-native")).unwrap().collect();
    assert_eq!(files.len(), 2);
    for file in files {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(!text.contains("4711"), "{text}");
        assert_valid("policy-decisions", &serde_json::from_str(&text).unwrap());
    }
    folder.write("file", "not a folder");
    let run = folder.run(&["scenario", "test", "packs/keys", "--artifact", "file"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("cannot be written"), "{}", run.stderr);
}
