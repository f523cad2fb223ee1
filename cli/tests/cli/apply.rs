//! `tribunal apply`.

use serde_json::json;

use crate::Folder;

#[test]
fn changes_are_made_and_refusals_kept() {
    let folder = Folder::new();
    folder.write("request.json", r#"{"context": {"prompt": "the key is 42", "key": "42"}}"#);
    let redact = json!({"effect": "redact", "patches": [
        {"op": "replace", "path": "/context/prompt", "value": "the key is …"},
        {"op": "remove", "path": "/context/key"},
    ]});
    let outcome = json!({"decision": redact, "packs": [], "rounds": 1, "now": "2026-01-01T00:00:00Z", "duration_ns": 1});
    for (decision, code, stdout) in [
        (redact.clone(), 0, json!({"context": {"prompt": "the key is …"}})),
        (outcome.clone(), 0, json!({"context": {"prompt": "the key is …"}})),
        (
            json!({"agree": true, "outcome": outcome, "engines": []}),
            0,
            json!({"context": {"prompt": "the key is …"}}),
        ),
        (json!({"effect": "allow"}), 0, json!({"context": {"prompt": "the key is 42", "key": "42"}})),
        (json!({"effect": "deny", "reason": "no"}), 2, json!(null)),
        (
            json!({"effect": "deny", "reason": "no", "patches": [{"op": "remove", "path": "/context/key"}]}),
            2,
            json!(null),
        ),
        (json!({"effect": "step_up", "step_up": {"method": "m"}}), 3, json!(null)),
        (
            json!({"effect": "redact", "patches": [{"op": "remove", "path": "/context/other"}]}),
            65,
            json!(null),
        ),
        (json!({"effect": "redact"}), 65, json!(null)),
        (json!({"effect": "allow", "patches": [{"op": "remove", "path": "/context/key"}]}), 65, json!(null)),
        (json!({"effect": "permit"}), 65, json!(null)),
        (json!({"packs": []}), 65, json!(null)),
    ] {
        folder.write("decision.json", decision.to_string());
        let run = folder.run(&["apply", "--decision", "decision.json", "--input", "request.json"]);
        assert_eq!(run.code, code, "{decision}: {}", run.stderr);
        assert_eq!(run.stdout.is_empty(), stdout.is_null(), "{decision}");
        if !stdout.is_null() {
            assert_eq!(run.json(), stdout);
        } else {
            assert!(!run.stderr.is_empty(), "{decision}");
        }
    }
    folder.write("decision.json", "{\"effect\": \"deny\", \"effect\": \"allow\"}");
    assert_eq!(folder.run(&["apply", "--decision", "decision.json", "--input", "request.json"]).code, 65);
    assert_eq!(folder.run(&["apply", "--decision", "missing", "--input", "request.json"]).code, 65);
    folder.write("decision.json", "{\"effect\": \"allow\"}").write("request.json", "[]");
    assert_eq!(folder.run(&["apply", "--decision", "decision.json", "--input", "request.json"]).code, 65);
}
