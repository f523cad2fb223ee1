//! `tribunal eval --record`.

use serde_json::{Value, json};

use crate::{Folder, request};

fn deployment(folder: &Folder, record: &str) {
    folder.write("tribunal.yaml", format!("packs:\n  - {{pack: guard, engine: cedar}}\n{record}"));
}

fn records(folder: &Folder) -> Vec<Value> {
    folder.read("records.ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const EVAL: [&str; 6] = ["eval", "--config", "tribunal.yaml", "--input", "-", "--record"];

#[test]
fn every_decision_is_recorded() {
    let folder = Folder::with_pack();
    deployment(&folder, "record: {mask: [/subject/id]}\n");
    for tool in ["web_search", "execute_shell"] {
        folder.run_with(&[&EVAL[..], &["records.ndjson"]].concat(), request(tool).as_bytes());
    }
    folder.run_with(&[&EVAL[..], &["records.ndjson"]].concat(), b"{\"secret");
    let records = records(&folder);
    let effects: Vec<&Value> = records.iter().map(|record| &record["decision"]["effect"]).collect();
    assert_eq!(effects, ["allow", "deny", "deny"]);
    assert_eq!(records[0]["input"]["full"]["subject"]["id"], "[masked]");
    assert_eq!(records[0]["packs"][0]["pack"], "guard");
    assert_eq!(records[2]["input"], json!({"full": null}));
    let ids: Vec<&str> = records.iter().map(|record| record["decision_id"].as_str().unwrap()).collect();
    assert!(ids.is_sorted() && ids.iter().all(|id| id.as_bytes()[14] == b'7'), "{ids:?}");
}

#[test]
fn no_record_is_lost_under_many_jobs() {
    let folder = Folder::with_pack();
    deployment(&folder, "");
    let lines: String = (0..2000).map(|index| request(&format!("tool-{index}")) + "\n").collect();
    let run = folder.run_with(&[&EVAL[..], &["records.ndjson", "--jobs", "8"]].concat(), lines.as_bytes());
    assert_eq!((run.code, run.lines().len()), (2, 2000), "{}", run.stderr);
    let tools: Vec<String> = records(&folder)
        .iter()
        .map(|record| record["input"]["full"]["resource"]["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(tools, (0..2000).map(|index| format!("tool-{index}")).collect::<Vec<_>>());
}

#[test]
fn a_record_that_cannot_be_written_is_a_denial() {
    let folder = Folder::with_pack();
    deployment(&folder, "");
    // A folder cannot be appended to, and nothing fits on a full disk.
    for file in ["guard", "missing/records.ndjson", "/dev/full"] {
        if file.starts_with("/dev/") && !cfg!(target_os = "linux") {
            continue;
        }
        let arguments = [&EVAL[..], &[file, "--format", "json"]].concat();
        let run = folder.run_with(&arguments, request("web_search").as_bytes());
        assert_eq!(run.code, 1, "{file}: {}", run.stderr);
        assert_eq!(
            run.json()["decision"],
            json!({"effect": "deny", "reason": "engine_error:record_unwritten"}),
            "{file}"
        );
        let says = format!("the record cannot be written to `{file}`: ");
        assert!(run.stderr.contains(&says), "{file}: {}", run.stderr);
        let run = folder.run_with(&arguments, format!("{0}\n{0}\n", request("web_search")).as_bytes());
        assert_eq!(run.code, 1, "{file}: {}", run.stderr);
        assert!(run.lines().iter().all(|line| line["decision"]["effect"] == "deny"), "{file}");
    }
    deployment(&folder, "record: {on_failure: ignore}\n");
    let run = folder.run_with(&[&EVAL[..], &["guard"]].concat(), request("web_search").as_bytes());
    assert_eq!(run.code, 0, "{}", run.stderr);
}

#[test]
fn without_a_deployment_no_request_is_written_down() {
    let folder = Folder::with_pack();
    folder.write("tribunal.yaml", "packs: 5\n");
    let run = folder.run_with(&[&EVAL[..], &["records.ndjson"]].concat(), request("web_search").as_bytes());
    assert_eq!(run.code, 65);
    let records = records(&folder);
    assert_eq!(records[0]["decision"]["reason"], "engine_error:not_loaded");
    assert!(records[0]["input"]["digest"].is_string() && !folder.read("records.ndjson").contains("planner"));
}
