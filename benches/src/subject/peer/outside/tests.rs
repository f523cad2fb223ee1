//! Programs that are planted where a peer is looked for.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tribunal::DecisionEffect;

use super::Outside;
use crate::model::Model;
use crate::subject::{Answer, Catalogue, Unavailable};
use crate::worker::{Job, JobRequest, Phase, Report, answer};

/// What a program says of a policy that it has loaded.
const LOADED: &str = r#"{"version": "fake 1"}"#;

const ALLOWS: &str = r#"{"version": "fake 1", "decision": {"effect": "allow"}, "figures":
    {"samples": 4, "mean": 10.5, "p50": 9.0, "p90": 12.0}}"#;

const DENIES: &str = r#"{"version": "fake 1", "decision": {"effect": "deny", "reason": "no"}, "figures":
    {"samples": 4, "mean": 10.5, "p50": 9.0, "p90": 12.0}}"#;

/// A folder with a peer that is a shell script.
fn folder(script: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join(Outside::REGORUS.program);
    // A shell writes it: a file that is open for writing, if only in the fork of another test, cannot be run.
    let mut shell = Command::new("sh");
    shell.args(["-c", "cat > \"$0\" && chmod +x \"$0\""]).arg(place).stdin(Stdio::piped());
    let mut shell = shell.spawn().unwrap();
    write!(shell.stdin.take().unwrap(), "#!/bin/sh\njob=$(cat)\n{script}\n").unwrap();
    assert!(shell.wait().unwrap().success());
    folder
}

/// A script that says one thing where it is given a policy, another where it is asked, another where it measures.
fn saying(loaded: &str, asked: &str, measured: &str) -> String {
    format!(
        "case \"$job\" in *'\"ask\":null'*) echo '{loaded}';; *'\"measure_ms\":0}}'*) echo '{asked}';; *) echo '{measured}';; esac"
    )
}

fn measured(folder: &Path, patience: Duration) -> Report {
    let mut catalogue = Catalogue::new(&tribunal::registry());
    let folder = Some(folder.to_owned());
    catalogue.add(Outside { name: "peer:fake", folder, patience, ..Outside::REGORUS });
    let text = r#"{
        "subject": {"type": "agent", "id": "spiffe://poc.local/agents/mcp-client/dspy-researcher/dev"},
        "action": {"name": "tools/call"}, "resource": {"type": "tool", "id": "web_search"}}"#;
    let request = JobRequest {
        name: "a-researcher-searches".to_owned(),
        text: text.to_owned(),
        now: "2026-11-21T12:00:00Z".to_owned(),
        token: None,
    };
    let job = Job {
        phase: Phase::Measure,
        subject: "peer:fake".to_owned(),
        model: Model::Decide,
        packs: vec![crate::shipped::packs().join("tool-allowlist")],
        requests: vec![request],
        threads: 1,
        budget_ms: 100,
        cache: None,
    };
    answer(&job, &catalogue, &tribunal::registry())
}

/// Longer than any of the programs takes that do not wait on purpose.
const LONG: Duration = Duration::from_secs(100);

fn unavailable(script: &str, patience: Duration) -> Unavailable {
    match measured(folder(script).path(), patience) {
        Report::Unavailable(why) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn figures_are_taken_as_they_are_said() {
    let found = measured(folder(&saying(LOADED, ALLOWS, ALLOWS)).path(), LONG);
    let Report::Measured(found) = found else { panic!("{found:?}") };
    assert_eq!(found.version, "fake 1");
    assert_eq!(found.answers, [Answer::Effect(DecisionEffect::Allow)]);
    let figures = found.figures.unwrap();
    assert_eq!((figures.samples, figures.mean, figures.p50, figures.p90), (4, 10.5, 9.0, 12.0));
    assert_eq!((figures.p99, figures.p999), (None, None));
}

#[test]
fn an_answer_is_what_the_program_says_and_has_to_stay_it() {
    let found = measured(folder(&saying(LOADED, DENIES, DENIES)).path(), LONG);
    let Report::Measured(found) = found else { panic!("{found:?}") };
    assert_eq!(found.answers, [Answer::Effect(DecisionEffect::Deny)], "a run then shows the disagreement");
    let changed = measured(folder(&saying(LOADED, ALLOWS, DENIES)).path(), LONG);
    let Report::Changed { request, first, then } = changed else { panic!("{changed:?}") };
    assert_eq!(request, "a-researcher-searches");
    assert_eq!(first, Box::new(Answer::Effect(DecisionEffect::Allow)));
    assert_eq!(then, Box::new(Answer::Effect(DecisionEffect::Deny)));
}

#[test]
fn a_program_that_is_not_there_is_missing_and_it_is_said_how_to_get_it() {
    let nothing = tempfile::tempdir().unwrap();
    let Report::Unavailable(Unavailable::Missing(why)) = measured(nothing.path(), LONG) else { panic!() };
    for part in ["tribunal-peer-regorus", "cargo install --locked --path benches/peers", "TRIBUNAL_PEERS"] {
        assert!(why.contains(part), "{why}");
    }
}

#[test]
fn what_is_no_answer_fails_with_what_the_program_complained_of() {
    for (script, parts) in [
        ("echo hello; echo oops >&2; exit 3", ["oops", "exit status: 3"]),
        ("echo oops >&2", ["oops", "EOF"]),
        ("kill -9 $$", ["signal: 9", "EOF"]),
        (r#"echo '{"version": "fake 1"}'; exit 3"#, ["tribunal-peer-regorus", "exit status: 3"]),
        (r#"echo '{"version": "fake 1", "speed": 1}'"#, ["unknown field `speed`", "exit status: 0"]),
        (&saying(LOADED, LOADED, LOADED), ["it says no decision", "tribunal-peer-regorus"]),
        (
            &saying(LOADED, ALLOWS, r#"{"version": "fake 1", "decision": true}"#),
            ["no figures", "tribunal-peer"],
        ),
    ] {
        let Unavailable::Failed(why) = unavailable(script, LONG) else { panic!("{script}") };
        assert!(parts.iter().all(|part| why.contains(part)), "{script}: {why}");
    }
}

#[test]
fn a_program_that_refuses_says_why() {
    let refuses = r#"{"version": "fake 1", "error": "no such built-in"}"#;
    let why = unavailable(&saying(LOADED, refuses, ALLOWS), LONG);
    assert_eq!(why, Unavailable::Refused("fake 1: no such built-in".to_owned()));
}

#[test]
fn a_program_that_takes_too_long_is_ended() {
    let began = Instant::now();
    let folder = folder("echo $$ > \"$0.pid\"; echo still at it >&2; exec sleep 90");
    // Long enough for the shell to begin on a busy machine.
    let Report::Unavailable(Unavailable::Failed(why)) = measured(folder.path(), Duration::from_secs(5))
    else {
        panic!()
    };
    assert!(why.contains("did not end within 5 s") && why.contains("still at it"), "{why}");
    assert!(began.elapsed() < Duration::from_secs(80));
    let pid = std::fs::read_to_string(folder.path().join("tribunal-peer-regorus.pid")).unwrap();
    let alive = Command::new("sh").args(["-c", "kill -0 \"$0\" 2>/dev/null", pid.trim()]).status().unwrap();
    assert!(!alive.success(), "process {pid} is still there");
}
