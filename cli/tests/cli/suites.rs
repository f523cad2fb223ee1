//! Upstream suites by the command, on small ones of our own.

use serde_json::json;

use crate::{Folder, Run};

/// A line of `rego-probes/probes.jsonl` about `data.p.x := 1`, with the answer that OPA is said to have given.
fn probe(name: &str, answer: i32) -> String {
    let opa = json!({"value": answer});
    let module = "package p\nx := 1\n";
    json!({"name": name, "module": module, "query": "data.p.x", "opa": opa, "opa_strict": opa}).to_string()
        + "\n"
}

/// The probes of this text on native Rego.
fn probes(text: &str, format: &str) -> Run {
    let folder = Folder::new();
    folder.write("suites/rego-probes/probes.jsonl", text);
    let arguments =
        ["--suites", "suites", "--suite", "rego-probes", "--engine", "rego-native", "--format", format];
    folder.run(&[&["suites"][..], &arguments].concat())
}

#[test]
fn what_is_not_as_listed_fails() {
    // The lists name probes that a folder without them does not have.
    let run = probes(&(probe("good", 1) + &probe("bad", 2)), "json");
    assert_eq!(run.code, 5, "{}", run.stderr);
    let table = &run.json()[0];
    assert_eq!((&table["suite"], &table["engine"]), (&json!("rego-probes"), &json!("rego-native")));
    let counted = |mode| json!({"name": mode, "passed": 1, "failed": 1, "refused": 0});
    assert_eq!(table["folders"], json!([counted("lenient"), counted("strict")]));
    let failure = |mode| {
        json!({
            "case": format!("{mode}: bad"), "folder": mode, "how": "failed", "detail": "wanted 2; came 1", "known": null,
        })
    };
    assert_eq!(table["failures"], json!([failure("strict"), failure("lenient")]));
    let stale = table["stale"].as_array().unwrap();
    assert!(
        stale.len() > 100
            && stale.iter().all(|case| case.as_str().unwrap().ends_with(": is not in the suite"))
    );
    crate::schema::assert_valid("suites", &run.json());
}

#[test]
fn a_known_divergence_that_passes_fails() {
    let run = probes(&probe("0.1+0.2", 1), "text");
    assert_eq!(run.code, 5, "{}", run.stderr);
    for line in ["listed strict: 0.1+0.2: passes", "listed lenient: 0.1+0.2: passes"] {
        assert!(run.stdout.contains(line), "{}", run.stdout);
    }
}

#[test]
fn a_case_that_cannot_be_read_is_a_failure() {
    let run = probes(&(probe("good", 1) + "{\"name\": \"bad\"}\n"), "json");
    assert_eq!(run.code, 5, "{}", run.stderr);
    let failures = run.json()[0]["failures"].as_array().unwrap().clone();
    assert_eq!(failures.len(), 2, "{failures:?}");
    for failure in failures {
        let detail = failure["detail"].as_str().unwrap();
        assert!(detail.starts_with("the case cannot be read: "), "{detail}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_65_with_its_place() {
    let run = probes(&(probe("good", 1) + "{\"name\": nonsense}\n"), "json");
    assert_eq!((run.code, run.stdout.as_str()), (65, ""));
    assert!(run.stderr.contains("suites/rego-probes/probes.jsonl:2:11: "), "{}", run.stderr);
}

#[test]
fn a_folder_that_is_not_there_is_65() {
    let run = Folder::new().run(&["suites", "--suites", "nowhere"]);
    assert_eq!((run.code, run.stdout.as_str()), (65, ""));
    assert!(run.stderr.contains("`nowhere`"), "{}", run.stderr);
}

#[test]
fn a_suite_that_is_not_there_is_told() {
    let folder = Folder::new();
    folder.write("suites/LICENSE", "");
    let mut command = folder.command(&["suites", "--suites", "suites", "--suite", "cedar-corpus"]);
    let run = |command: &mut std::process::Command| command.output().unwrap();
    let skipped = run(command.env_remove("TRIBUNAL_REQUIRE_SUITES"));
    // Where every suite was skipped, nothing was run: that is no success.
    assert_eq!(skipped.status.code(), Some(65));
    assert!(String::from_utf8_lossy(&skipped.stdout).contains("SKIPPED"));
    assert!(String::from_utf8_lossy(&skipped.stderr).contains("cedar-corpus on cedar is skipped"));
    let required = run(command.env("TRIBUNAL_REQUIRE_SUITES", "1"));
    assert_eq!(required.status.code(), Some(65));
}

#[test]
fn suites_and_engines_that_are_none_are_64() {
    let folder = Folder::new();
    folder.write("suites/LICENSE", "");
    for (arguments, says) in [
        (&["--suite", "opa-complience"][..], "did you mean `opa-compliance`?"),
        (&["--suite", "zzz"], "there are opa-compliance, rego-probes"),
        (&["--engine", "cedr"], "did you mean `cedar`?"),
        (&["--suite", "cedar-corpus", "--engine", "biscuit"], "cedar-corpus is not for biscuit"),
    ] {
        let run = folder.run(&[&["suites", "--suites", "suites"][..], arguments].concat());
        assert_eq!((run.code, run.stdout.as_str()), (64, ""), "{arguments:?}");
        assert!(run.stderr.contains(says), "{}", run.stderr);
    }
}
