//! `tribunal eval --artifact`.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::schema::assert_valid;
use crate::{Folder, rego_pack, request};

const EVAL: [&str; 6] = ["eval", "--config", "tribunal.yaml", "--input", "-", "--artifact"];

/// A deployment of a pack that takes card numbers out of prompts.
fn folder() -> Folder {
    let folder = Folder::new();
    let rule = r#"decision := {"effect": "redact", "reason": "payment_card", "patches": [{
	"op": "replace",
	"path": "/context/prompt",
	"value": regex.replace(input.context.prompt, `[0-9]{16}`, "[filtered-card]"),
}]} if regex.match(`[0-9]{16}`, input.context.prompt)

else := {"effect": "allow"} if is_string(input.context.prompt)"#;
    rego_pack(&folder, "cards", "redactable: [/context/prompt]\n", rule);
    folder.write("tribunal.yaml", "packs: [{pack: cards, engine: rego-native}]\n");
    folder
}

fn step(step: u32, prompt: &str) -> String {
    json!({
        "run_id": "018f0000-0000-7000-8000-000000000001",
        "step_id": format!("018f0000-0000-7000-8000-{step:012}"),
        "boundary": "ingress",
        "context": {"prompt": prompt, "trust": {"origin": "https://example.com", "level": "untrusted"}},
    })
    .to_string()
}

fn artifacts(folder: &Folder) -> Vec<(String, Value)> {
    let mut found: Vec<(String, Value)> = fs::read_dir(folder.file("artifacts"))
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, serde_json::from_slice(&fs::read(entry.path()).unwrap()).unwrap())
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

#[test]
fn a_step_leaves_its_artifact() {
    let folder = folder();
    let text = step(7, "charge 4111111111111111 today");
    let arguments =
        [&EVAL[..], &["artifacts", "--record", "records.ndjson", "--now", "2026-11-21T12:00:00Z"]].concat();
    assert_eq!(folder.run_with(&arguments, text.as_bytes()).code, 4);
    let found = artifacts(&folder);
    let [(name, artifact)] = found.as_slice() else { panic!("one artifact: {found:?}") };
    assert_valid("policy-decisions", artifact);
    assert!(!artifact.to_string().contains("4111"), "{artifact}");
    let id = artifact["decision_id"].as_str().unwrap();
    let (run, step) = ("018f0000-0000-7000-8000-000000000001", "018f0000-0000-7000-8000-000000000007");
    assert_eq!(*name, format!("{run}.{step}.{id}.json"));
    let record: Value = serde_json::from_str(&folder.read("records.ndjson")).unwrap();
    assert_eq!(record["decision_id"], id, "record and artifact name the decision alike");
    assert_eq!(artifact["metadata"], json!({"trust": "derived", "source": "policy firewall"}));
    assert_eq!(artifact["source_trust"], json!({"origin": "https://example.com", "level": "untrusted"}));
    assert_eq!(artifact["now"], "2026-11-21T12:00:00Z");
    assert_eq!(artifact["samples"]["previews"][0]["shown"], "charge [filtered-card] today");
    assert_eq!(artifact["counts"]["effects"], json!({"allow": 0, "redact": 1, "step_up": 0, "deny": 0}));
}

#[test]
fn many_steps_leave_an_artifact_each() {
    let folder = folder();
    // The same step several times, as a step has several boundaries; steps without ids; and lines that are no requests.
    let mut lines: Vec<String> = (0..200).map(|index| step(index % 50, "hello")).collect();
    lines.push(r#"{"context": {"prompt": "hello"}}"#.to_owned());
    lines.push(r#"{"run_id": "../../etc/passwd", "context": {"prompt": "hello"}}"#.to_owned());
    lines.push("nonsense".to_owned());
    let run =
        folder.run_with(&[&EVAL[..], &["artifacts", "--jobs", "4"]].concat(), lines.join("\n").as_bytes());
    assert_eq!((run.code, run.lines().len()), (65, 203), "{}", run.stderr);
    let found = artifacts(&folder);
    assert_eq!(found.len(), 203);
    let ids: BTreeSet<&str> =
        found.iter().map(|(_, artifact)| artifact["decision_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 203);
    let of = |start: &str| found.iter().filter(|(name, _)| name.starts_with(start)).count();
    assert_eq!((of("018f0000-0000-7000-8000-000000000001."), of("none.none.")), (200, 3));
    // An id that is no UUID is no part of a name, nor of the document.
    assert!(!serde_json::to_string(&found).unwrap().contains("passwd"));
}

#[test]
fn an_artifact_that_cannot_be_written_is_a_denial() {
    let folder = folder();
    folder.write("file", "not a folder");
    for artifact in ["file", "file/inside"] {
        let arguments = [&EVAL[..], &[artifact, "--format", "json", "--record", "records.ndjson"]].concat();
        let run = folder.run_with(&arguments, step(1, "hello").as_bytes());
        assert_eq!(run.code, 1, "{}", run.stderr);
        let denied = json!({"effect": "deny", "reason": "engine_error:record_unwritten"});
        assert_eq!(run.json()["decision"], denied);
        let says = format!("the artifact cannot be written to `{artifact}`: ");
        assert!(run.stderr.contains(&says), "{}", run.stderr);
        let run = folder.run_with(&arguments, format!("{0}\n{0}\n", step(1, "hello")).as_bytes());
        assert_eq!(run.code, 1, "{}", run.stderr);
        assert!(run.lines().iter().all(|line| line["decision"] == denied), "{}", run.stdout);
        assert!(run.stderr.contains(&format!("line 2: {says}")), "{}", run.stderr);
    }
    // Records tell what was decided in the end.
    for line in folder.read("records.ndjson").lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        assert_eq!(record["decision"]["effect"], "deny");
    }
    folder.write(
        "tribunal.yaml",
        "packs: [{pack: cards, engine: rego-native}]\nrecord: {on_failure: ignore}\n",
    );
    let one = step(1, "hello");
    for (input, warning) in [
        (one.clone(), "warning: the artifact cannot be written"),
        (format!("{one}\n{one}\n"), "warning: line 2: the artifact cannot be written"),
    ] {
        let run = folder.run_with(&[&EVAL[..], &["file"]].concat(), input.as_bytes());
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stderr.contains(warning), "{}", run.stderr);
    }
}

/// An artifact of a decision that did not stand would be a lie to whoever reads it.
#[test]
fn an_artifact_tells_that_the_record_could_not_be_written() {
    let folder = folder();
    let one = step(1, "hello");
    // A folder cannot be appended to.
    let arguments = [&EVAL[..], &["artifacts", "--record", "cards"]].concat();
    assert_eq!(folder.run_with(&arguments, one.as_bytes()).code, 1);
    assert_eq!(folder.run_with(&arguments, format!("{one}\n{one}\n").as_bytes()).code, 1);
    let found = artifacts(&folder);
    assert_eq!(found.len(), 3, "one a decision, and no draft: {found:?}");
    for (_, artifact) in found {
        assert_eq!((&artifact["effect"], &artifact["fault"]), (&json!("deny"), &json!("record_unwritten")));
    }
    // Where decisions stand all the same, they are told as they are.
    folder.write(
        "tribunal.yaml",
        "packs: [{pack: cards, engine: rego-native}]\nrecord: {on_failure: ignore}\n",
    );
    fs::remove_dir_all(folder.file("artifacts")).unwrap();
    let run = folder.run_with(&arguments, one.as_bytes());
    assert_eq!((run.code, &artifacts(&folder)[0].1["effect"]), (0, &json!("allow")), "{}", run.stderr);
    assert!(run.stderr.contains("warning: the record cannot be written"), "{}", run.stderr);
}

/// A bare pack says nothing about what may be written down.
#[test]
fn without_a_deployment_no_text_is_shown() {
    let folder = folder();
    let arguments =
        ["eval", "--pack", "cards", "--engine", "rego-native", "--input", "-", "--artifact", "artifacts"];
    assert_eq!(folder.run_with(&arguments, step(1, "charge 4111111111111111 today").as_bytes()).code, 4);
    let (_, artifact) = artifacts(&folder).remove(0);
    assert!(!artifact.to_string().contains("charge"), "{artifact}");
    assert_eq!(artifact["patches"][0]["before"], json!({"type": "string", "length": 29}));
    // And what cannot be loaded is denied, and told so.
    folder.write("tribunal.yaml", "packs: 5\n");
    assert_eq!(folder.run_with(&[&EVAL[..], &["artifacts"]].concat(), request("x").as_bytes()).code, 65);
    let faults: Vec<Value> =
        artifacts(&folder).into_iter().map(|(_, artifact)| artifact["fault"].clone()).collect();
    assert!(faults.contains(&json!("not_loaded")), "{faults:?}");
}
