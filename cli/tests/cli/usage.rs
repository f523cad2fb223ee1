//! Help, wrong usage, and the commands around the main one.

use crate::Folder;

#[test]
fn help_says_what_there_is() {
    let folder = Folder::new();
    for (name, arguments) in [
        ("help", &["--help"][..]),
        ("help_eval", &["eval", "--help"]),
        ("help_check", &["check", "--help"]),
        ("help_pack", &["pack", "--help"]),
        ("help_pack_test", &["pack", "test", "--help"]),
        ("help_apply", &["apply", "--help"]),
        ("help_scenario_test", &["scenario", "test", "--help"]),
    ] {
        insta::assert_snapshot!(name, folder.run(arguments).shown(&folder));
    }
    assert!(folder.run(&["--version"]).stdout.starts_with("tribunal "));
}

#[test]
fn wrong_usage_is_64() {
    let folder = Folder::with_pack();
    for arguments in [
        &[][..],
        &["decide"],
        &["eval"],
        &["eval", "--input", "-"],
        &["eval", "--pack", "guard", "--input", "-", "--format", "xml"],
        &["eval", "--pack", "guard", "--input", "-", "--now", "yesterday"],
        &["eval", "--pack", "guard", "--input", "-", "--jobs", "0"],
        &["eval", "--pack", "guard", "--input", "-", "--data", "guard"],
        &["eval", "--pack", "guard", "--input", "-", "--data", "guard=a", "--data", "guard=b"],
        &["eval", "--pack", "guard", "--input", "-", "--engine", "cedr"],
        &["eval", "--pack", "guard", "--input", "-", "--engine", "cedar", "--all-engines"],
        &["check", "--config", "a", "--pack", "b"],
        &["apply", "--decision", "-", "--input", "-"],
        &["pack", "new", "Not_A_Name"],
        &["schema", "nonsense"],
        &["completions", "nonsense"],
    ] {
        let run = folder.run(arguments);
        assert_eq!(run.code, 64, "{arguments:?}: {}", run.stderr);
        assert!(run.stdout.is_empty() && !run.stderr.is_empty(), "{arguments:?}");
    }
    let run = folder.run(&["eval", "--pack", "guard", "--input", "-", "--engine", "cedr"]);
    assert!(run.stderr.contains("did you mean `cedar`?"), "{}", run.stderr);
}

#[test]
fn engines_are_listed_with_what_they_can_do() {
    let folder = Folder::new();
    let run = folder.run(&["engines", "--format", "json"]);
    let listed = run.json();
    let names: Vec<&str> =
        listed.as_array().unwrap().iter().map(|engine| engine["engine"].as_str().unwrap()).collect();
    assert_eq!(names, ["biscuit", "cedar", "rego-native", "rego-wasm"]);
    assert!(
        listed
            .as_array()
            .unwrap()
            .iter()
            .all(|engine| engine["version"].is_string() && engine["built_in"] == true)
    );
    insta::assert_snapshot!("engines", folder.run(&["engines"]).shown(&folder));
}

#[test]
fn completions_and_manual_pages_are_written() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = folder.run(&["completions", shell]);
        assert!(run.code == 0 && run.stdout.contains("tribunal"), "{shell}");
    }
    assert_eq!(folder.run(&["man", "pages"]).code, 0);
    for page in ["tribunal.1", "tribunal-eval.1", "tribunal-pack-build.1"] {
        assert!(folder.read(&format!("pages/{page}")).contains(".TH"), "{page}");
    }
}
