//! `tribunal parity` and `tribunal mutate`.

use std::fs;

use crate::Folder;

/// A Cedar policy that lets everybody do everything.
const ALL: &str = "@id(\"all\")\npermit (principal, action, resource);\n";

const SCHEMA: &str = r#"{
  "type": "object",
  "required": ["subject", "action", "resource", "context"],
  "properties": {
    "subject": {"type": "object", "required": ["type", "id"],
                "properties": {"type": {"const": "agent"}, "id": {"type": "string"}}},
    "action": {"type": "object", "required": ["name"], "properties": {"name": {"const": "call"}}},
    "resource": {"type": "object", "required": ["type", "id"],
                 "properties": {"type": {"const": "tool"}, "id": {"type": "string"}}},
    "context": {"type": "object", "required": ["amount"], "properties": {"amount": {"type": "integer", "minimum": -1000000, "maximum": 1000000}}}
  }
}"#;

const REGO: &str = "package authz\n\nimport rego.v1\n\ndecision := \"deny\" if input.context.amount >= 100\n\nelse := \"allow\"\n";

fn bare(cedar: &str) -> Folder {
    let folder = Folder::new();
    folder.write("authz.rego", REGO).write("authz.cedar", cedar).write("request.json", SCHEMA);
    folder
}

const BARE: [&str; 9] = [
    "parity",
    "--rego",
    "authz.rego",
    "--entrypoint",
    "authz/decision",
    "--cedar",
    "authz.cedar",
    "--schema",
    "request.json",
];

fn with<'a>(arguments: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [arguments, more].concat()
}

#[test]
fn engines_that_agree_end_with_0_and_say_what_was_tried() {
    let folder = Folder::with_pack();
    let run = folder.run(&["parity", "--pack", "guard", "--requests", "300", "--report", "json"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let report = run.json();
    assert_eq!(report["objections"], serde_json::json!([]));
    assert_eq!(report["search"]["compared"], 300);
    assert_eq!(report["participants"].as_array().map(Vec::len), Some(4));
    let run = folder.run(&["parity", "--pack", "guard", "--requests", "300"]);
    assert!(run.stdout.contains("agree on"), "{}", run.stdout);
}

#[test]
fn engines_that_differ_end_with_5_and_the_smallest_request() {
    let folder = Folder::with_pack();
    folder.write("guard/policy.cedar", ALL);
    let arguments = ["parity", "--pack", "guard", "--requests", "500", "--engines", "cedar,rego-native"];
    let run = folder.run(&with(&arguments, &["--report", "json", "--write-cases", "found.yaml"]));
    assert_eq!(run.code, 5, "{}", run.stderr);
    let report = run.json();
    let example = &report["search"]["counterexamples"][0];
    assert!(example["size"].as_u64() <= example["found_size"].as_u64());
    // What was found can be given back as cases, and fails there until a policy is mended.
    let run = folder.run(&with(&arguments, &["--cases", "found.yaml", "--report", "json"]));
    assert_eq!(run.code, 5);
    let report = run.json();
    let cases = report["cases"].as_array().unwrap();
    assert!(cases.iter().any(|case| case["name"] == "found-1-1"), "{}", folder.read("found.yaml"));
}

#[test]
fn a_report_is_written_again_from_its_json() {
    let folder = Folder::with_pack();
    folder.write("guard/policy.cedar", ALL);
    let run = folder.run(&["parity", "--pack", "guard", "--requests", "200", "--out", "report"]);
    assert_eq!(run.code, 5);
    for file in ["parity.txt", "parity.json", "parity.html", "parity.md", "parity.junit.xml"] {
        assert!(folder.file(&format!("report/{file}")).exists(), "{file}");
    }
    let again = folder.run(&["parity", "--from", "report/parity.json", "--report", "html"]);
    assert_eq!((again.code, again.stdout), (5, folder.read("report/parity.html")));
    folder.edit("report/parity.json", "\"format\": 1", "\"format\": 9");
    let refused = folder.run(&["parity", "--from", "report/parity.json"]);
    assert_eq!(refused.code, 65, "{}", refused.stderr);
}

#[test]
fn bare_policies_are_compared() {
    let folder = bare("permit (principal, action, resource) unless { context.amount >= 100 };\n");
    let run = folder.run(&with(&BARE, &["--requests", "2000"]));
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let folder = bare("permit (principal, action, resource) unless { context.amount > 100 };\n");
    let run = folder.run(&with(&BARE, &["--requests", "2000", "--report", "json"]));
    assert_eq!(run.code, 5, "{}", run.stderr);
    assert_eq!(run.json()["search"]["counterexamples"][0]["request"]["context"]["amount"], 100);
}

#[test]
fn two_versions_are_compared_engine_by_engine() {
    let folder = Folder::with_pack();
    let arguments =
        ["parity", "--pack", "guard", "--against", "newer", "--requests", "300", "--report", "json"];
    copy(&folder, "guard", "newer");
    let run = folder.run(&arguments);
    assert_eq!(run.code, 0, "{}", run.stderr);
    folder.edit("newer/pack.yaml", "version: 0.1.0", "version: 0.2.0");
    folder.edit("newer/policy.cedar", "permit", "forbid");
    let run = folder.run(&arguments);
    assert_eq!(run.code, 5, "{}", run.stderr);
    let report = run.json();
    let names: Vec<&str> =
        report["participants"].as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
    assert!(names.contains(&"cedar@0.1.0") && names.contains(&"cedar@0.2.0"), "{names:?}");
}

#[test]
fn bad_input_is_told_with_its_place() {
    let folder = Folder::with_pack();
    let shown: Vec<String> = [
        vec!["parity"],
        vec!["parity", "--pack", "gaurd"],
        vec!["parity", "--pack", "guard", "--engines", "ceder"],
        vec!["parity", "--pack", "guard", "--reference", "opal"],
        vec!["parity", "--pack", "guard", "--report", "html,json"],
        vec!["parity", "--pack", "guard", "--search", "soon"],
        vec!["parity", "--pack", "guard", "--cases", "typo.yaml"],
        vec!["parity", "--cedar", "guard/policy.cedar", "--schema", "empty.json"],
        vec![
            "parity",
            "--cedar",
            "guard/policy.cedar",
            "--schema",
            "guard/input.schema.json",
            "--requests",
            "50",
        ],
        vec!["mutate", "--pack", "guard", "--requests", "0"],
        vec!["mutate", "--pack", "guard", "--report", "junit"],
    ]
    .iter()
    .map(|arguments| {
        folder
            .write("typo.yaml", "- name: a\n  reqest: {}\n  expect: {effect: deny}\n")
            .write("empty.json", "{}");
        let run = folder.run(arguments);
        let said = run.stderr.lines().take(4).collect::<Vec<_>>().join("\n");
        format!("$ tribunal {}\nexit {}\n{}\n", arguments.join(" "), run.code, said)
    })
    .collect();
    insta::assert_snapshot!("parity_bad_input", shown.join("\n"));
}

/// An engine that refuses a policy could not be asked: that is no agreement, and the others are compared all the same.
#[test]
fn an_engine_that_refuses_is_counted_and_shown() {
    let folder = Folder::with_pack();
    folder.write("guard/policy.cedar", "permit (\n");
    let run = folder.run(&["parity", "--pack", "guard", "--requests", "100", "--report", "json"]);
    assert_eq!(run.code, 5);
    let report = run.json();
    assert!(
        report["objections"][0]
            .as_str()
            .unwrap()
            .starts_with("cedar could not be asked: guard/policy.cedar:")
    );
    assert_eq!(report["search"]["compared"], 100);
}

#[test]
fn mistakes_are_found_or_listed() {
    let folder = Folder::with_pack();
    let arguments = ["mutate", "--pack", "guard", "--engines", "cedar", "--requests", "2000"];
    let run = folder.run(&with(&arguments, &["--report", "json"]));
    assert_eq!(run.code, 0, "{}", run.stderr);
    let report = run.json();
    let mutants = report["tables"][0]["mutants"].as_array().unwrap();
    let killed = mutants.iter().filter(|mutant| mutant["fate"] == "killed").count();
    assert!(killed > 0 && killed * 2 > mutants.len(), "{killed} of {}", mutants.len());
    let few =
        ["mutate", "--pack", "guard", "--engines", "cedar", "--requests", "1", "--min-kill-rate", "100"];
    assert_eq!(folder.run(&few).code, 5);
    for wrong in ["101", "nan", "-1"] {
        assert_eq!(folder.run(&with(&arguments, &["--min-kill-rate", wrong])).code, 64, "{wrong}");
    }
    assert_eq!(folder.run(&with(&arguments, &["--only", "no-such-mutant"])).code, 65);
    // A list that names what is not there, or what is found, is not current.
    let listed = |mutant: &str| {
        let mutant = serde_json::Value::from(mutant);
        format!(
            "- engine: cedar\n  mutant: {mutant}\n  reason: for a test\n  search: {{seconds: 600, requests: 1, seed: 1}}\n"
        )
    };
    let found = mutants.iter().find(|mutant| mutant["fate"] == "killed").unwrap()["id"].as_str().unwrap();
    for mutant in ["policy.cedar:1:1 drop_not `a` -> `b`", found] {
        folder.write("guard/parity/equivalent-mutants.yaml", listed(mutant));
        let run = folder.run(&with(&arguments, &["--report", "json"]));
        assert_eq!(
            (run.code, run.json()["tables"][0]["stale"].as_array().map(Vec::len)),
            (5, Some(1)),
            "{mutant}"
        );
    }
    folder.write("guard/parity/equivalent-mutants.yaml", listed(found).replace("600", "60"));
    assert_eq!(folder.run(&arguments).code, 65);
}

fn copy(folder: &Folder, from: &str, to: &str) {
    let mut open = vec![folder.file(from)];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.strip_prefix(folder.file(from)).unwrap().display().to_string();
            folder.write(&format!("{to}/{name}"), fs::read(&path).unwrap());
        }
    }
}
