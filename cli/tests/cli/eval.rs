//! `tribunal eval`: decisions, exit codes, many requests at once.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::{Folder, rego_pack, request};

#[test]
fn each_effect_has_its_exit_code_on_every_engine() {
    let folder = Folder::with_pack();
    for engine in ["biscuit", "cedar", "rego-native", "rego-wasm"] {
        for (tool, code, effect, reason) in [
            ("web_search", 0, "allow", json!(null)),
            ("send_email", 3, "step_up", json!("needs_approval")),
            ("execute_shell", 2, "deny", json!("tool_not_allowed")),
            ("", 2, "deny", json!("engine_error:schema")),
        ] {
            let arguments =
                ["eval", "--pack", "guard", "--engine", engine, "--input", "-", "--format", "json"];
            let run = folder.run_with(&arguments, request(tool).as_bytes());
            assert_eq!(run.code, code, "{tool} on {engine}: {}{}", run.stdout, run.stderr);
            let outcome = run.json();
            assert_eq!(outcome["decision"]["effect"], effect, "{tool} on {engine}");
            assert_eq!(outcome["decision"]["reason"], reason, "{tool} on {engine}");
            assert_eq!(outcome["packs"][0]["engine"], engine);
        }
    }
}

#[test]
fn a_redaction_shows_what_changes() {
    let folder = Folder::new();
    let rule = r#"decision := {"effect": "redact", "reason": "secret", "patches": [
	{"op": "replace", "path": "/context/prompt", "value": "[removed]"},
	{"op": "remove", "path": "/context/key"},
]} if input.context.key

else := {"effect": "allow"}"#;
    rego_pack(&folder, "redactor", "redactable: [/context]\n", rule);
    folder.write("request.json", r#"{"context": {"prompt": "the key is 42", "key": "42"}}"#);
    let run = folder.run(&["eval", "--pack", "redactor", "--input", "request.json"]);
    insta::assert_snapshot!("redact", run.shown(&folder));
    assert_eq!(run.code, 4);
}

#[test]
fn an_answer_is_told_and_explained() {
    let folder = Folder::with_pack();
    folder.write("request.json", request("send_email"));
    for engine in ["biscuit", "cedar", "rego-native", "rego-wasm"] {
        let now = "2026-01-01T00:00:00Z";
        let arguments = [
            "eval",
            "--pack",
            "guard",
            "--engine",
            engine,
            "--input",
            "request.json",
            "--explain",
            "--now",
            now,
        ];
        let run = folder.run(&arguments);
        assert!(
            run.code == 3
                && run.stdout.contains("decided by guard on")
                && run.stdout.contains("tool = \"send_email\"")
        );
        let explained = folder.run(&[&arguments[..], &["--format", "json"]].concat()).json();
        assert_eq!(explained["explanation"][0]["derived"], json!({"tool": "send_email"}), "{engine}");
        assert_eq!(explained["now"], now);
    }
    let run =
        folder.run(&["eval", "--pack", "guard", "--engine", "cedar", "--input", "request.json", "--explain"]);
    insta::assert_snapshot!("explain", run.shown(&folder));
}

#[test]
fn what_cannot_be_read_is_denied_and_65() {
    let folder = Folder::with_pack();
    folder
        .write("truncated.json", "{\"subject\": ")
        .write("empty.json", "")
        .write("bytes.json", b"{\"a\": \"\xff\"}");
    folder.write("twice.json", r#"{"a": 1, "a": 2}"#).write("list.json", "[]");
    folder.write("deep.json", "[".repeat(100_000)).write("derived.json", r#"{"derived": {}}"#);
    folder.write("huge.json", format!("{{\"a\": \"{}\"}}", "x".repeat(2 << 20)));
    folder.write("good.json", request("web_search"));
    for input in [
        "truncated.json",
        "empty.json",
        "bytes.json",
        "twice.json",
        "list.json",
        "deep.json",
        "derived.json",
        "huge.json",
        "missing.json",
        "guard",
    ] {
        let run = folder
            .run(&["eval", "--pack", "guard", "--engine", "cedar", "--input", input, "--format", "json"]);
        assert_eq!(run.code, 65, "{input}: {}", run.stderr);
        assert_eq!(
            run.json()["decision"],
            json!({"effect": "deny", "reason": "engine_error:request_bounds"}),
            "{input}"
        );
        assert!(run.stderr.starts_with("error: "), "{input}: {}", run.stderr);
        // Nothing is read beyond the bound, so nobody knows how large it is.
        let is_too_large = run.stderr.contains("the text has more than 1048576 bytes");
        assert_eq!(is_too_large, input == "huge.json", "{input}: {}", run.stderr);
    }
    for arguments in [
        &["--config", "missing.yaml"][..],
        &["--pack", "missing"],
        &["--pack", "guard"],
        &["--pack", "good.json"],
        &["--pack", "guard", "--engine", "cedar", "--token", "missing"],
        &["--pack", "guard", "--engine", "cedar", "--root-key", "missing"],
        &["--pack", "guard", "--engine", "cedar", "--data", "guard=missing"],
        &["--pack", "guard", "--engine", "cedar", "--data", "other=good.json"],
    ] {
        let run = folder.run(&[&["eval", "--input", "good.json", "--format", "json"], arguments].concat());
        assert_eq!(run.code, 65, "{arguments:?}: {}", run.stderr);
        assert_eq!(
            run.json()["decision"],
            json!({"effect": "deny", "reason": "engine_error:not_loaded"}),
            "{arguments:?}"
        );
        assert!(!run.stderr.is_empty(), "{arguments:?}");
    }
    let run = folder.run(&["eval", "--pack", "guard", "--engine", "cedar", "--input", "truncated.json"]);
    insta::assert_snapshot!("malformed_request", run.shown(&folder));
}

#[test]
fn data_that_does_not_fit_is_told_as_a_manifest_is() {
    let folder = Folder::with_pack();
    folder.write("request.json", request("web_search"));
    let long = "x".repeat(1000);
    let text = |allowed: &str| {
        format!("{{\n  \"aproval\": [],\n  \"allowed\": [\n{allowed}\n  ],\n  \"approval\": \"{long}\"\n}}\n")
    };
    folder.write("data.json", text(&["0"; 1001].join(",\n")));
    let data = ["--data", "guard=data.json", "--input", "request.json"];
    let run = folder.run(&[&["eval", "--pack", "guard", "--engine", "cedar"][..], &data].concat());
    assert_eq!(run.code, 65);
    let count = run.stderr.matches("data.json:").count();
    assert_eq!(count, 21, "{}", run.stderr);
    for says in ["0 is not of type \"string\" in `allowed.0`", "and 983 more errors from here on"] {
        assert!(run.stderr.contains(says), "{says}: {}", run.stderr);
    }
    folder.write("data.json", text("\"web_search\""));
    let run = folder.run(&[&["eval", "--pack", "guard", "--engine", "cedar"][..], &data].concat());
    insta::assert_snapshot!("misfitting_data", run.shown(&folder));
}

#[test]
fn a_broken_deployment_is_told_with_its_lines() {
    let folder = Folder::with_pack();
    folder.write(
        "tribunal.yaml",
        "packs:\n  - pack: guard\n    engine: cedr\n    wen: {}\non_no_pack: maybe\n",
    );
    folder.write("request.json", request("web_search"));
    let run = folder.run(&["eval", "--config", "tribunal.yaml", "--input", "request.json"]);
    insta::assert_snapshot!("broken_deployment", run.shown(&folder));
    assert_eq!(run.code, 65);
    // Every request of many is denied then, a line each.
    let run = folder.run_with(
        &["eval", "--config", "tribunal.yaml", "--input", "-"],
        format!("{0}\n{0}\n", request("a")).as_bytes(),
    );
    assert_eq!((run.code, run.lines().len()), (65, 2));
    assert!(run.lines().iter().all(|line| line["decision"]["reason"] == "engine_error:not_loaded"));
}

#[test]
fn a_deployment_routes_and_one_of_its_packs_can_be_picked() {
    let folder = Folder::with_pack();
    rego_pack(&folder, "never", "", r#"decision := {"effect": "deny", "reason": "never"}"#);
    folder.write(
        "tribunal.yaml",
        "packs:\n  - {pack: guard, engine: cedar, when: {boundary: [tool]}}\n  - {pack: never, engine: rego-native, when: {boundary: [egress]}}\n",
    );
    let with_boundary = |boundary: &str| {
        let mut request: Value = serde_json::from_str(&request("web_search")).unwrap();
        request["boundary"] = json!(boundary);
        request.to_string()
    };
    for (boundary, arguments, code, reason) in [
        ("tool", &[][..], 0, json!(null)),
        ("egress", &[], 2, json!("never")),
        ("ingress", &[], 2, json!("no_pack_matched")),
        ("tol", &[], 2, json!("engine_error:unclassified")),
        ("tool", &["--pack", "never"], 2, json!("never")),
        ("egress", &["--pack", "guard"], 0, json!(null)),
        ("tool", &["--pack", "other"], 65, json!("engine_error:not_loaded")),
    ] {
        let all =
            [&["eval", "--config", "tribunal.yaml", "--input", "-", "--format", "json"], arguments].concat();
        let run = folder.run_with(&all, with_boundary(boundary).as_bytes());
        assert_eq!(
            (run.code, &run.json()["decision"]["reason"]),
            (code, &reason),
            "{boundary} {arguments:?}: {}",
            run.stderr
        );
    }
}

#[test]
fn data_takes_the_place_of_the_packs_own() {
    let folder = Folder::with_pack();
    folder
        .write("other.json", r#"{"allowed": ["execute_shell"], "approval": ["x"]}"#)
        .write("bad.json", r#"{"allowed": 5}"#);
    for engine in ["biscuit", "cedar", "rego-native", "rego-wasm"] {
        let arguments = ["eval", "--pack", "guard", "--engine", engine, "--input", "-", "--data"];
        let run = folder
            .run_with(&[&arguments[..], &["guard=other.json"]].concat(), request("execute_shell").as_bytes());
        assert_eq!(run.code, 0, "{engine}: {}", run.stderr);
        let run = folder
            .run_with(&[&arguments[..], &["guard=bad.json"]].concat(), request("execute_shell").as_bytes());
        assert_eq!(run.code, 65, "{engine}");
    }
}

#[test]
fn many_requests_are_answered_in_their_order() {
    let folder = Folder::with_pack();
    let tools = ["web_search", "send_email", "execute_shell", "calculator"];
    let effects = ["allow", "step_up", "deny", "allow"];
    let count = 1000;
    let lines: String = (0..count).map(|index| request(tools[index % 4]) + "\n").collect();
    folder.write("requests.ndjson", &lines);
    for jobs in ["1", "2", "7"] {
        let run = folder.run(&[
            "eval",
            "--pack",
            "guard",
            "--engine",
            "cedar",
            "--input",
            "requests.ndjson",
            "--jobs",
            jobs,
        ]);
        assert_eq!(run.code, 2, "{}", run.stderr);
        let found: Vec<String> =
            run.lines().iter().map(|line| line["decision"]["effect"].as_str().unwrap().to_owned()).collect();
        let expected: Vec<String> = (0..count).map(|index| effects[index % 4].to_owned()).collect();
        assert_eq!(found, expected, "{jobs} jobs");
    }
}

#[test]
fn the_most_severe_of_many_answers_is_the_exit_code() {
    let folder = Folder::with_pack();
    for (tools, code) in [
        (&["web_search", "calculator"][..], 0),
        (&["web_search", "send_email", "calculator"], 3),
        (&["send_email", "execute_shell", "web_search"], 2),
    ] {
        let lines: String = tools.iter().map(|tool| request(tool) + "\n").collect();
        let run = folder
            .run_with(&["eval", "--pack", "guard", "--engine", "cedar", "--input", "-"], lines.as_bytes());
        assert_eq!((run.code, run.lines().len()), (code, tools.len()), "{tools:?}");
    }
}

#[test]
fn a_bad_line_is_denied_at_its_place() {
    let folder = Folder::with_pack();
    let good = request("web_search");
    let lines = format!(
        "{good}\n\n{{\"a\": 1, \"a\": 2}}\nnonsense\n{good}\n{{\"x\": \"{}\"}}\n{good}",
        "x".repeat(2 << 20)
    );
    let run = folder.run_with(
        &["eval", "--pack", "guard", "--engine", "cedar", "--input", "-", "--jobs", "3"],
        lines.as_bytes(),
    );
    assert_eq!(run.code, 65);
    let effects: Vec<Value> = run.lines().iter().map(|line| line["decision"]["effect"].clone()).collect();
    assert_eq!(effects, ["allow", "deny", "deny", "allow", "deny", "allow"]);
    for line in ["line 3: ", "line 4: ", "line 6: "] {
        assert!(run.stderr.contains(line), "{}", run.stderr);
    }
    // The first line may be the bad one, where the file's name says that each is a request.
    folder.write("requests.jsonl", format!("{{\"truncated\":\n{good}\n"));
    let run = folder.run(&["eval", "--pack", "guard", "--engine", "cedar", "--input", "requests.jsonl"]);
    assert_eq!((run.code, run.lines().len()), (65, 2));
    folder.write("empty.ndjson", "\n\n");
    assert_eq!(
        folder.run(&["eval", "--pack", "guard", "--engine", "cedar", "--input", "empty.ndjson"]).code,
        65
    );
}

#[test]
fn answers_come_while_requests_do() {
    let folder = Folder::with_pack();
    let mut child = folder
        .command(&["eval", "--pack", "guard", "--engine", "cedar", "--input", "/dev/stdin", "--jobs", "2"])
        .args(["--record", "records.ndjson"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut answers = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    // Whether there are many is known with the second.
    writeln!(stdin, "{0}\n{0}", request("web_search")).unwrap();
    for _ in 0..2 {
        assert!(answers.next().unwrap().unwrap().contains("\"allow\""));
    }
    writeln!(stdin, "{}", request("execute_shell")).unwrap();
    assert!(answers.next().unwrap().unwrap().contains("\"deny\""));
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(2));
    assert_eq!(folder.read("records.ndjson").lines().count(), 3);
}

#[test]
fn a_closed_output_is_no_panic_and_no_success() {
    let folder = Folder::with_pack();
    let lines: String = (0..20_000).map(|_| request("web_search") + "\n").collect();
    folder.write("requests.ndjson", &lines).write("request.json", request("web_search"));
    for arguments in [
        &["eval", "--pack", "guard", "--engine", "cedar", "--input", "requests.ndjson"][..],
        &["eval", "--pack", "guard", "--engine", "cedar", "--input", "request.json"],
        &["eval", "--pack", "guard", "--engine", "cedar", "--input", "request.json", "--format", "json"],
        &["pack", "show", "guard"],
        &["completions", "bash"],
        &["schema", "pack"],
        &["engines"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = folder
            .command(arguments)
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
        assert!(stderr.is_empty(), "{arguments:?}: {stderr}");
    }
}
