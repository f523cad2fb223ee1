//! The published schemas: current, and true of what the commands print and of what they read.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{Folder, request};

const NAMES: [&str; 18] = [
    "pack",
    "tribunal",
    "case",
    "scenario",
    "record",
    "policy-decisions",
    "outcome",
    "comparison",
    "lock",
    "check",
    "pack-list",
    "parity",
    "mutation",
    "known-divergences",
    "equivalent-mutants",
    "suites",
    "bench-definition",
    "bench",
];

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas")
}

#[test]
fn committed_schemas_are_current() {
    let folder = Folder::new();
    let update = std::env::var("TRIBUNAL_UPDATE_SCHEMAS").as_deref() == Ok("1");
    for name in NAMES {
        let printed = folder.run(&["schema", name]).stdout;
        let path = committed().join(format!("{name}.schema.json"));
        if update {
            fs::write(&path, &printed).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == printed,
            "{name}.schema.json is not current: run this test with TRIBUNAL_UPDATE_SCHEMAS=1"
        );
    }
    let mut files: Vec<String> = fs::read_dir(committed())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let mut expected = NAMES.map(|name| format!("{name}.schema.json"));
    expected.sort();
    assert_eq!(files, expected);
    let listed = folder.run(&["schema"]).stdout;
    assert_eq!(listed.lines().map(|line| line.split_whitespace().next().unwrap()).collect::<Vec<_>>(), NAMES);
}

pub(crate) fn assert_valid(name: &str, value: &Value) {
    let schema: Value =
        serde_json::from_str(&fs::read_to_string(committed().join(format!("{name}.schema.json"))).unwrap())
            .unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{name}: {errors:?} in {value}");
    // And not of anything at all.
    assert!(!validator.is_valid(&Value::Null), "{name}");
}

#[test]
fn what_is_printed_fits_its_schema() {
    let folder = Folder::with_pack();
    folder.write("request.json", request("send_email"));
    let eval = [
        "eval",
        "--pack",
        "guard",
        "--input",
        "request.json",
        "--format",
        "json",
        "--record",
        "records.ndjson",
        "--explain",
    ];
    assert_valid("outcome", &folder.run(&[&eval[..], &["--engine", "cedar"]].concat()).json());
    assert_valid("comparison", &folder.run(&[&eval[..], &["--all-engines"]].concat()).json());
    folder.write("bad.json", "nonsense");
    assert_valid(
        "outcome",
        &folder
            .run(&["eval", "--pack", "guard", "--engine", "cedar", "--input", "bad.json", "--format", "json"])
            .json(),
    );
    for line in folder.read("records.ndjson").lines() {
        assert_valid("record", &serde_json::from_str(line).unwrap());
    }
    assert_valid("lock", &serde_json::from_str(&folder.read("guard/pack.lock")).unwrap());
    folder.write("guard/policy.cedar", "permit (\n");
    assert_valid("check", &folder.run(&["check", "--pack", "guard", "--format", "json"]).json());
}
