//! `bench` as a process among others: where its report goes, how it is ended, what it leaves behind, whom it asks what.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{Folder, Run};

const SMALL: &str =
    "- name: decide\n  model: decide\n  cases: [a-researcher-searches]\n  analysis: For a test\n";

/// Engines beside `opa bench`, which is a script here.
const BESIDE_OPA: &str = "\
- name: decide
  model: decide
  cases: [a-researcher-searches]
  subjects: [cedar, 'peer:opa-bench']
  analysis: For a test
";

const MADE: &str = "\
- name: rules
  model: decide
  vary: {axis: rules, values: [10, 20]}
  analysis: For a test
";

/// A folder in which `opa` is a script, and with a place for what is temporary.
fn with_opa(eval: &str, build: &str) -> Folder {
    let folder = Folder::new();
    let script = format!(
        "#!/bin/sh\n\
         here={}\n\
         case \"$1\" in\n\
         version) echo 'Version: 1.22.0' ;;\n\
         eval) {eval} ;;\n\
         bench) echo '{{\"N\": 1000, \"T\": 1000000, \"Extra\": {{}}}}' ;;\n\
         build) {build} ;;\n\
         esac\n",
        folder.path().display()
    );
    folder.write("opa", script);
    fs::set_permissions(folder.file("opa"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(folder.file("tmp")).unwrap();
    folder
}

/// What `opa eval` prints of an effect.
fn evaluates_to(effect: &str) -> String {
    format!(
        "echo x >> \"$here/asked\"; echo '{{\"result\": [{{\"expressions\": [{{\"value\": {{\"effect\": \"{effect}\"}}}}]}}]}}'"
    )
}

fn bench(folder: &Folder, definition: &str, more: &[&str]) -> Command {
    folder.write("definition.yaml", definition);
    let fixed = ["bench", "--definition", "definition.yaml", "--time", "1s"];
    let mut command = folder.command(&[&fixed[..], more].concat());
    let opa = folder.file("opa");
    let opa = if opa.exists() { opa } else { "/nowhere/opa".into() };
    command.env("TRIBUNAL_OPA", opa);
    if folder.file("tmp").exists() {
        command.env("TMPDIR", folder.file("tmp"));
    }
    command
}

fn ended(mut command: Command) -> Run {
    finish(start(&mut command))
}

fn start(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn finish(child: Child) -> Run {
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(120), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

fn saved(folder: &Folder) -> Value {
    serde_json::from_str(&folder.read("saved.json")).unwrap()
}

#[test]
fn what_cannot_be_kept_is_not_measured() {
    let folder = Folder::new();
    folder.write("file", "x").write("plain.md", "no marks\n");
    for (arguments, code, says) in [
        (["--save", "nowhere/saved.json"], 1, "`nowhere/saved.json` cannot be written"),
        (["--save", "."], 1, "`.` cannot be written"),
        (["--out", "file"], 1, "`file` cannot be written"),
        (["--splice", "plain.md"], 65, "is missing"),
        (["--splice", "nowhere.md"], 65, "nowhere.md"),
    ] {
        let run = ended(bench(&folder, SMALL, &arguments));
        assert_eq!(run.code, code, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(says), "{arguments:?}: {}", run.stderr);
        assert!(run.stdout.is_empty() && !run.stderr.contains("not optimised"), "{}", run.stderr);
    }
}

#[test]
fn a_report_that_is_not_kept_is_shown_all_the_same() {
    let folder = Folder::new();
    fs::create_dir(folder.file("kept")).unwrap();
    let more = ["--engines", "cedar", "--turns", "1000", "--save", "kept/saved.json"];
    let child = start(&mut bench(&folder, SMALL, &more));
    wait_until("a turn", || folder.file("kept/saved.json").exists());
    fs::rename(folder.file("kept"), folder.file("gone")).unwrap();
    signal(&child, "-INT");
    let run = finish(child);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("`kept/saved.json` cannot be written"), "{}", run.stderr);
    assert!(run.stdout.contains("The run ended early"), "{}", run.stdout);
}

#[test]
fn a_report_that_is_kept_at_last_is_kept() {
    let folder = with_opa(&evaluates_to("allow"), "exit 1");
    fs::create_dir(folder.file("kept")).unwrap();
    let more = ["--turns", "1000", "--save", "kept/saved.json"];
    let child = start(&mut bench(&folder, BESIDE_OPA, &more));
    wait_until("a turn", || folder.file("kept/saved.json").exists());
    fs::rename(folder.file("kept"), folder.file("gone")).unwrap();
    let asked = folder.read("asked").len();
    // Each turn asks once: one at least has ended without a place for its report.
    wait_until("three turns", || folder.read("asked").len() >= asked + 3 * "x\n".len());
    fs::rename(folder.file("gone"), folder.file("kept")).unwrap();
    signal(&child, "-INT");
    let run = finish(child);
    assert!(!run.stderr.contains("cannot be written"), "{}", run.stderr);
    assert!(run.stderr.contains("the run ended early: it was interrupted"), "{}", run.stderr);
    assert!(folder.read("kept/saved.json").contains("it was interrupted"));
}

/// Neither a process nor a file.
#[cfg(target_os = "linux")]
#[test]
fn an_interrupted_run_leaves_nothing_behind() {
    let folder =
        with_opa("echo $$ > \"$here/part\"; mv \"$here/part\" \"$here/id\"; exec sleep 300", "exit 1");
    let child = start(&mut bench(&folder, BESIDE_OPA, &[]));
    wait_until("`opa eval` runs", || folder.file("id").exists());
    assert!(fs::read_dir(folder.file("tmp")).unwrap().next().is_some());
    signal(&child, "-INT");
    let run = finish(child);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("it was interrupted"), "{}", run.stderr);
    let stat = format!("/proc/{}/stat", folder.read("id").trim());
    // Whoever has ended and was not waited for is listed as a zombie.
    let has_ended = || fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z "));
    wait_until("`opa eval` ends", has_ended);
    let left: Vec<_> = fs::read_dir(folder.file("tmp")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn an_interruption_is_heard_while_packs_are_made() {
    let folder = with_opa("exit 1", "touch \"$here/building\"; sleep 1; exit 1");
    let child = start(&mut bench(&folder, MADE, &[]));
    wait_until("`opa build` runs", || folder.file("building").exists());
    signal(&child, "-INT");
    let run = finish(child);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("interrupted while packs were made ready"), "{}", run.stderr);
    assert!(run.stdout.is_empty(), "{}", run.stdout);
}

#[test]
fn the_second_signal_ends_it_at_once() {
    let folder = with_opa("exit 1", "touch \"$here/building\"; exec sleep 40");
    let child = start(&mut bench(&folder, MADE, &[]));
    wait_until("`opa build` runs", || folder.file("building").exists());
    let started = Instant::now();
    signal(&child, "-INT");
    std::thread::sleep(Duration::from_millis(500));
    signal(&child, "-INT");
    let run = finish(child);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
}

/// A terminal that goes away ends a run as Ctrl-C does, unless it was started with `nohup`.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_that_goes_away_loses_nothing() {
    // Whoever runs these tests may have been started with `nohup` themselves.
    for (begin, is_ended) in
        [("exec env --default-signal=HUP \"$0\" \"$@\"", true), ("trap '' HUP; exec \"$0\" \"$@\"", false)]
    {
        let folder = Folder::new();
        let turns = if is_ended { "1000" } else { "3" };
        let plain = bench(&folder, SMALL, &["--engines", "cedar", "--turns", turns, "--save", "saved.json"]);
        let mut command = Command::new("/bin/sh");
        command.args(["-c", begin]).arg(plain.get_program()).args(plain.get_args());
        command.current_dir(plain.get_current_dir().unwrap());
        command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let child = start(&mut command);
        wait_until("a turn", || folder.file("saved.json").exists());
        signal(&child, "-HUP");
        let run = finish(child);
        assert_eq!(run.code, i32::from(is_ended), "{}", run.stderr);
        let cut_short = saved(&folder)["run"]["cut_short"].clone();
        assert_eq!(cut_short, if is_ended { "it was interrupted".into() } else { Value::Null });
    }
}

#[test]
fn without_a_name_the_pack_is_the_one_that_the_program_carries() {
    let folder = Folder::new();
    folder.write("tool-allowlist/pack.yaml", "name: [\n");
    let arguments = ["--engines", "cedar", "--turns", "1", "--save", "saved.json"];
    let run = ended(bench(&folder, SMALL, &arguments));
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(saved(&folder)["packs"][0]["origin"], "tool-allowlist (carried by this program)");
    let named = ended(bench(&folder, SMALL, &[&arguments[..], &["--pack", "tool-allowlist"]].concat()));
    assert!(named.code == 65 && named.stderr.contains("tool-allowlist/pack.yaml:2:1"), "{}", named.stderr);
}

#[test]
fn a_pack_that_is_made_says_what_is_missing_to_build_it() {
    let folder = Folder::new();
    let run = ended(bench(
        &folder,
        MADE,
        &["--engines", "cedar,rego-wasm", "--turns", "1", "--save", "saved.json"],
    ));
    assert_eq!(run.code, 0, "{}", run.stderr);
    for row in saved(&folder)["rows"].as_array().unwrap() {
        let problem = &row["entries"][0]["problem"]["unavailable"];
        assert_eq!(problem["why"], "missing", "{row}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("/nowhere/opa") && detail.contains("TRIBUNAL_OPA"), "{detail}");
        assert!(row["entries"][1]["summary"].is_object(), "{row}");
    }
    assert!(!run.stdout.contains("pack build"), "{}", run.stdout);
}

#[test]
fn requests_that_fault_are_counted() {
    let folder = Folder::new();
    folder.write(
        "traffic.json",
        "[{\"subject\": {\"type\": \"agent\", \"id\": \"a\"}, \"action\": {\"name\": \"tools/call\"}, \
         \"resource\": {\"type\": \"tool\", \"id\": \"t\"}},\n {\"subject\": 5}]",
    );
    let free = "- name: decide\n  model: decide\n  analysis: For a test\n";
    let arguments =
        ["--engines", "cedar", "--turns", "1", "--save", "saved.json", "--requests", "traffic.json"];
    let run = ended(bench(&folder, free, &arguments));
    assert_eq!(run.code, 0, "{}", run.stderr);
    let row = &saved(&folder)["rows"][0];
    assert_eq!((&row["requests"], &row["faulted"]), (&2.into(), &1.into()), "{row}");
    crate::schema::assert_valid("bench", &saved(&folder));
}

#[test]
fn a_peer_that_disagrees_is_shown_and_proves_nothing_of_the_engines() {
    let folder = with_opa(&evaluates_to("deny"), "exit 1");
    let run = ended(bench(&folder, BESIDE_OPA, &["--turns", "1", "--save", "saved.json"]));
    assert_eq!(run.code, 0, "{}", run.stderr);
    let row = &saved(&folder)["rows"][0];
    assert!(row["entries"][1]["problem"]["disagrees"].is_object(), "{row}");
    assert!(row["entries"][0]["summary"].is_object(), "{row}");
    assert!(run.stdout.contains("it disagrees with `cedar`"), "{}", run.stdout);
}

#[test]
fn a_report_that_is_written_again_takes_nothing_that_is_about_measuring() {
    let folder = Folder::new();
    for more in [&["--definition", "full"][..], &["--time", "3s"], &["--turns", "3"], &["--breakdown"]] {
        let run = folder.run(&[&["bench", "--from", "saved.json"][..], more].concat());
        assert_eq!(run.code, 64, "{more:?}: {}", run.stderr);
        assert!(run.stderr.contains("--from"), "{}", run.stderr);
    }
}
