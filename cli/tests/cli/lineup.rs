//! `tribunal eval --all-engines`.

use serde_json::json;

use crate::{Folder, request};

const ALL: [&str; 6] = ["eval", "--pack", "guard", "--all-engines", "--input", "request.json"];

fn statuses(report: &serde_json::Value) -> Vec<(&str, &str)> {
    let rows = report["engines"].as_array().unwrap();
    rows.iter().map(|row| (row["engine"].as_str().unwrap(), row["status"].as_str().unwrap())).collect()
}

#[test]
fn engines_that_agree_give_the_decisions_code() {
    let folder = Folder::with_pack();
    for (tool, code) in [("web_search", 0), ("send_email", 3), ("execute_shell", 2), ("", 2)] {
        folder.write("request.json", request(tool));
        let run = folder.run(&[&ALL[..], &["--format", "json"]].concat());
        assert_eq!(run.code, code, "{tool}: {}{}", run.stdout, run.stderr);
        let report = run.json();
        assert_eq!(report["agree"], true);
        let expected = ["biscuit", "cedar", "rego-native", "rego-wasm"].map(|engine| (engine, "agrees"));
        assert_eq!(statuses(&report), expected, "{tool}");
    }
    folder.write("request.json", request("execute_shell"));
    insta::assert_snapshot!("all_engines_agree", folder.run(&ALL).shown(&folder));
}

#[test]
fn engines_that_differ_are_5() {
    let folder = Folder::with_pack();
    // Cedar's policy allows every tool.
    folder.edit(
        "guard/policy.cedar",
        "Data::\"guard\".allowed.contains(context.derived.tool)",
        "context.derived.tool like \"*\"",
    );
    folder.write("request.json", request("execute_shell"));
    let run = folder.run(&ALL);
    assert_eq!(run.code, 5);
    insta::assert_snapshot!("all_engines_differ", run.shown(&folder));
    let run = folder.run_with(
        &["eval", "--pack", "guard", "--all-engines", "--input", "-"],
        format!("{}\n{}\n", request("web_search"), request("execute_shell")).as_bytes(),
    );
    assert_eq!(run.code, 5);
    assert_eq!(
        run.lines().iter().map(|line| line["agree"].clone()).collect::<Vec<_>>(),
        [json!(true), json!(false)]
    );
}

#[test]
fn an_engine_that_a_pack_does_not_support_is_no_disagreement() {
    let folder = Folder::with_pack();
    folder.edit(
        "guard/pack.yaml",
        "  biscuit: {}\n",
        "unsupported: {biscuit: \"it has \\e[31mno\\e[0m words for this\"}\n",
    );
    folder.write("request.json", request("web_search"));
    let run = folder.run(&ALL);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    insta::assert_snapshot!("all_engines_unsupported", run.shown(&folder));
    assert!(!run.stdout.contains('\x1b'));
}

#[test]
fn an_engine_that_refuses_its_pack_disagrees() {
    let folder = Folder::with_pack();
    folder
        .write("guard/policy.cedar", "permit (principal, action, resource\n")
        .write("request.json", request("web_search"));
    insta::assert_snapshot!("all_engines_refused", folder.run(&ALL).shown(&folder));
    let run = folder.run(&[&ALL[..], &["--format", "json"]].concat());
    assert_eq!(run.code, 5, "{}", run.stderr);
    assert!(statuses(&run.json()).contains(&("cedar", "differs")));
    // A module that is older than its sources is refused, and nothing stands in for it.
    let folder = Folder::with_pack();
    folder
        .edit("guard/policy.rego", "tool_not_allowed", "not_today")
        .write("request.json", request("web_search"));
    let run = folder.run(&[&ALL[..], &["--format", "json"]].concat());
    assert_eq!(run.code, 5, "{}", run.stderr);
    assert!(statuses(&run.json()).contains(&("rego-wasm", "differs")), "{}", run.stdout);
}

#[test]
fn a_deployments_claims_hold_for_every_engine() {
    let folder = Folder::with_pack();
    folder.write("tribunal.yaml", "packs:\n  - {pack: guard, engine: cedar, when: {boundary: [tool]}}\n");
    let arguments =
        ["eval", "--config", "tribunal.yaml", "--all-engines", "--input", "-", "--format", "json"];
    for (boundary, code, reason) in [
        ("\"tool\"", 2, "tool_not_allowed"),
        ("\"egress\"", 2, "no_pack_matched"),
        ("5", 2, "engine_error:unclassified"),
    ] {
        let request = request("execute_shell").replacen('{', &format!("{{\"boundary\": {boundary}, "), 1);
        let run = folder.run_with(&arguments, request.as_bytes());
        let report = run.json();
        assert_eq!(
            (run.code, report["outcome"]["decision"]["reason"].as_str()),
            (code, Some(reason)),
            "{}",
            run.stderr
        );
        assert_eq!(report["agree"], true, "{report}");
    }
}
