//! The shipped deployment and its example requests, as the README runs them.

use std::path::Path;

use crate::Folder;

#[test]
fn the_examples_are_decided_alike_on_every_engine() {
    let folder = Folder::new();
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packs");
    let config = packs.join("tribunal.yaml").display().to_string();
    for (example, code) in [("request", 0), ("deny", 2), ("step_up", 3), ("redact", 4), ("todo", 0)] {
        let input = packs.join(format!("examples/{example}.json")).display().to_string();
        let run = folder.run(&["eval", "--config", &config, "--input", &input, "--format", "json"]);
        assert_eq!(run.code, code, "{example}: {}{}", run.stdout, run.stderr);
        let run = folder.run(&["eval", "--config", &config, "--input", &input, "--all-engines"]);
        assert_eq!(run.code, code, "{example}: {}{}", run.stdout, run.stderr);
    }
}

#[test]
fn the_deployment_is_ready() {
    let folder = Folder::new();
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packs/tribunal.yaml").display().to_string();
    let run = folder.run(&["check", "--config", &config]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
}
