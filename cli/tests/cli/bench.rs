//! `bench`: a small run from end to end, reports written again, comparisons and the gate by recorded figures, bad input.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::schema::assert_valid;
use crate::{Folder, Run};

/// A definition that two engines are measured by in a moment.
const SMALL: &str = "\
- name: decide
  model: decide
  cases: [a-researcher-searches, a-researcher-calculates]
  subjects: [engines, 'floor:json']
  analysis: For a test
- name: nowhere
  model: decide
  pack: session-budget
  subjects: ['peer:opa-bench']
  analysis: OPA is not where the test says
";

fn measured(folder: &Folder) -> Run {
    folder.write("small.yaml", SMALL);
    let mut command = folder.command(&[
        "bench",
        "--definition",
        "small.yaml",
        "--engines",
        "cedar,rego-native",
        "--time",
        "1s",
        "--turns",
        "1",
        "--save",
        "saved.json",
        "--out",
        "reports",
    ]);
    let output = command.env("TRIBUNAL_OPA", "/nowhere/opa").output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// In a folder with nothing in it: a pack that the program carries is verified, measured and reported.
#[test]
fn a_run_is_verified_measured_and_reported() {
    let folder = Folder::new();
    let run = measured(&folder);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let saved: Value = serde_json::from_str(&folder.read("saved.json")).unwrap();
    assert_valid("bench", &saved);
    assert_eq!(saved, serde_json::from_str::<Value>(&folder.read("reports/bench.json")).unwrap());
    let row = &saved["rows"][0];
    assert_eq!(row["void"], Value::Null);
    let names: Vec<&str> =
        row["entries"].as_array().unwrap().iter().map(|entry| entry["subject"].as_str().unwrap()).collect();
    assert_eq!(names, ["rego-native", "cedar", "floor:json"]);
    for entry in row["entries"].as_array().unwrap() {
        assert!(entry["summary"]["p50"].as_f64().unwrap() > 0.0, "{entry}");
    }
    // What is missing stays in the table, with its reason.
    let missing = &saved["rows"][1]["entries"][0];
    assert_eq!(missing["problem"]["unavailable"]["why"], "missing", "{missing}");
    assert!(run.stdout.contains("`peer:opa-bench`: missing: "), "{}", run.stdout);
    let unwrapped = run.stdout.replace('\n', " ");
    assert!(unwrapped.contains("All 2 engines decide alike."), "{}", run.stdout);

    // Every report again, from the JSON alone.
    for (format, name) in
        [("json", "bench.json"), ("csv", "bench.csv"), ("md", "bench.md"), ("html", "bench.html")]
    {
        let again = folder.run(&["bench", "--from", "saved.json", "--format", format]);
        assert_eq!(again.code, 0, "{}", again.stderr);
        assert_eq!(again.stdout, folder.read(&format!("reports/{name}")), "{format}");
    }
    let csv = folder.read("reports/cedar.csv");
    assert!(csv.lines().count() == 2 && csv.contains("cedar,decide,decide,tool-allowlist"), "{csv}");
    assert!(folder.read("reports/peer-opa-bench.csv").contains("missing: "));
    let page = folder.read("reports/bench.html");
    for loaded in ["<script", "src=", "href=\"http", "url(", "@import"] {
        assert!(!page.contains(loaded), "{loaded}");
    }
    assert!(page.contains("<svg") && page.contains("default-src 'none'"));

    // Into a document, between its marks.
    let marks = ["<!-- begin: tribunal bench --splice -->", "<!-- end: tribunal bench --splice -->"];
    folder.write("README.md", format!("# Mine\n{}\n{}\nmore\n", marks[0], marks[1]));
    let spliced = folder.run(&["bench", "--from", "saved.json", "--splice", "README.md"]);
    assert_eq!(spliced.code, 0, "{}", spliced.stderr);
    let readme = folder.read("README.md");
    assert!(readme.contains("| cedar |") && readme.ends_with("\nmore\n"), "{readme}");
    folder.write("plain.md", "no marks\n");
    let plain = folder.run(&["bench", "--from", "saved.json", "--splice", "plain.md"]);
    assert!(plain.code == 65 && plain.stderr.contains("is missing"), "{}", plain.stderr);

    // The paragraph and the targets are in the report, for programs.
    assert_eq!(saved["targets"], json!([]), "the targets are about another definition");
    assert!(saved["conclusion"].as_str().unwrap().contains("All 2 engines decide alike."), "{saved}");

    // And comparisons of one turn, from which nothing can be concluded.
    let cmp = folder.run(&["bench", "cmp", "saved.json", "cedar", "rego-native"]);
    assert!(cmp.code == 0 && cmp.stdout.contains("too few processes to say"), "{}", cmp.stdout);
    assert_eq!(folder.run(&["bench", "rank", "saved.json"]).code, 0);
    let diff = folder.run(&["bench", "diff", "saved.json", "saved.json"]);
    assert!(diff.code == 0 && diff.stdout.contains("too few processes to say"), "{}", diff.stdout);
    assert_eq!(
        diff.stderr.contains("the later run is of a program that is not optimised"),
        cfg!(debug_assertions)
    );
    let gate = ["bench", "gate", "--candidate", "cedar", "--baseline", "rego-native", "--max-ratio", "1000"];
    let gate = folder.run(&[&gate[..], &["--from", "saved.json"]].concat());
    let says = if cfg!(debug_assertions) { "a program that is not optimised" } else { "not shown" };
    assert!(gate.code == 5 && gate.stdout.contains(says), "{}", gate.stdout);
}

/// Seven turns of two engines, whose p99 stand in these ratios.
fn recorded(folder: &Folder, ratios: [f64; 7]) {
    let entry = |subject: &str, p99s: [f64; 7]| {
        let processes: Vec<Value> = p99s
            .iter()
            .enumerate()
            .map(|(turn, p99)| {
                json!({"turn": turn, "load": 0.5, "figures": {
                    "samples": 1000, "min": 1.0, "mean": p99 / 2.0, "p50": p99 / 2.0, "mad": 1.0, "p90": p99 * 0.9,
                    "p99": p99, "p999": p99 * 2.0, "max": p99 * 3.0, "histogram": [[p99 / 2.0, 1000]],
                }})
            })
            .collect();
        json!({"subject": subject, "summary": {
            "processes": 7, "samples": 7000, "min": 1.0, "mean": 50.0, "p50": 50.0, "mad": 1.0, "p90": 90.0,
            "p99": 100.0, "p999": 200.0, "max": 300.0, "spread": 0.1,
        }, "processes": processes})
    };
    let subject =
        |name: &str| json!({"name": name, "engine": name, "kind": "engine", "about": "x", "version": "1"});
    let report = json!({
        "format": 1,
        "run": {
            "command": "tribunal bench", "definition": "quick", "tribunal": "0.1.0", "optimised": true, "revision": null,
            "machine": {"system": "linux", "processor": null, "threads": 2}, "started": "2026-01-01T00:00:00Z",
            "duration_ms": 1000, "turns": 7, "load": [0.1, 0.2], "cut_short": null,
        },
        "packs": [{"name": "p", "version": "1.0.0", "digest": "sha256:0", "origin": "p"}],
        "subjects": [subject("rego-wasm"), subject("cedar")],
        "baseline": "rego-wasm",
        "rows": [{
            "measurement": "decide", "model": "decide", "unit": "nanoseconds", "analysis": "x", "pack": 0, "requests": 1,
            "entries": [entry("rego-wasm", [100.0; 7]), entry("cedar", ratios.map(|ratio| ratio * 100.0))],
        }],
        "targets": [],
        "conclusion": "x",
    });
    assert_valid("bench", &report);
    folder.write("recorded.json", report.to_string());
}

fn gate(folder: &Folder, more: &[&str]) -> Run {
    let arguments = [
        "bench",
        "gate",
        "--candidate",
        "cedar",
        "--baseline",
        "rego-wasm",
        "--at",
        "p99",
        "--from",
        "recorded.json",
    ];
    folder.run(&[&arguments[..], more].concat())
}

#[test]
fn the_gate_decides_by_the_interval() {
    let folder = Folder::new();
    for (ratios, limit, code, says) in [
        ([0.5, 0.52, 0.48, 0.51, 0.5, 0.49, 0.5], "1.0", 0, "pass, at most 1.00 ×"),
        ([0.5, 0.52, 0.48, 0.51, 0.5, 0.49, 0.5], "0.4", 5, "FAIL, more than 0.400 ×"),
        // The figure is within, its interval is not.
        ([0.9, 1.3, 0.7, 1.2, 0.8, 0.9, 1.1], "1.0", 5, "FAIL, not shown to be at most 1.00 ×"),
    ] {
        recorded(&folder, ratios);
        let run = gate(&folder, &["--max-ratio", limit]);
        assert_eq!(run.code, code, "{}{}", run.stdout, run.stderr);
        assert!(run.stdout.contains(says) && run.stdout.contains(" × ["), "{}", run.stdout);
    }
}

/// What a run shows counts only if the run was what it was to be.
#[test]
fn the_gate_does_not_decide_by_a_run_that_is_unfit() {
    let folder = Folder::new();
    let with = |change: &dyn Fn(&mut Value)| {
        recorded(&folder, [0.5; 7]);
        let mut report: Value = serde_json::from_str(&folder.read("recorded.json")).unwrap();
        change(&mut report);
        assert_valid("bench", &report);
        folder.write("recorded.json", report.to_string());
        let run = gate(&folder, &[]);
        (run.code, run.stdout)
    };
    let (code, says) = with(&|report| report["run"]["optimised"] = json!(false));
    assert!(
        code == 5 && says.contains("FAIL, nothing is shown: the run is of a program that is not optimised"),
        "{says}"
    );
    // The row was whole when the run ended.
    let (code, says) = with(&|report| report["run"]["cut_short"] = json!("it was interrupted"));
    assert_eq!(code, 0, "{says}");
    let (code, says) = with(&|report| {
        report["run"]["cut_short"] = json!("it was interrupted");
        report["rows"][0]["entries"][1]["processes"].as_array_mut().unwrap().pop();
    });
    assert!(
        code == 5 && says.contains("ended early (it was interrupted): of `cedar` it has 6 of 7"),
        "{says}"
    );
    let (code, says) = with(&|report| {
        let why = json!({"unavailable": {"why": "failed", "detail": "a worker ended"}});
        report["rows"][0]["entries"][0]["problem"] = why;
    });
    assert!(code == 5 && says.contains("`rego-wasm` has a problem: failed: a worker ended"), "{says}");
}

#[test]
fn a_gate_that_cannot_be_decided_is_bad_input() {
    let folder = Folder::new();
    recorded(&folder, [1.0; 7]);
    for (more, says) in [
        (&["--measurement", "nonsense"][..], "has no measurement `nonsense`"),
        (&["--value", "2"], "has no measurement `decide`"),
    ] {
        let run = gate(&folder, more);
        assert_eq!(run.code, 65, "{}", run.stdout);
        assert!(run.stderr.contains(says), "{}", run.stderr);
    }
    let run = folder.run(&[
        "bench",
        "gate",
        "--candidate",
        "ceder",
        "--baseline",
        "rego-wasm",
        "--from",
        "recorded.json",
    ]);
    assert!(run.code == 65 && run.stderr.contains("did you mean `cedar`?"), "{}", run.stderr);
    let damaged = folder.read("recorded.json").replace("\"format\":1", "\"format\":99");
    folder.write("recorded.json", damaged);
    let run = gate(&folder, &[]);
    assert!(run.code == 65 && run.stderr.contains("format 99"), "{}", run.stderr);
    folder.write("recorded.json", "{\"format\": 1}");
    assert_eq!(gate(&folder, &[]).code, 65);
}

#[test]
fn bad_input_says_where() {
    let folder = Folder::new();
    folder.write("typo.yaml", "- name: a\n  modle: decide\n  analysis: x\n");
    folder.write("requests.ndjson", "{\"subject\": {}}\n{\"derived\": 1}\n");
    folder.write("empty.ndjson", "\n");
    for (arguments, code, says) in [
        (&["--definition", "typo.yaml"][..], 65, "typo.yaml:2:3"),
        (&["--definition", "quikc"], 65, "did you mean `quick`?"),
        (&["--definition", "no.yaml"], 65, "no.yaml"),
        (&["--pack", "nowhere"], 65, "there is no pack `nowhere`"),
        (&["--requests", "requests.ndjson"], 65, "requests.ndjson:2:1: `derived`"),
        (&["--requests", "empty.ndjson"], 65, "there is no request"),
        (&["--from", "typo.yaml"], 65, "not a report"),
        (&["--engines", "ceder"], 64, "did you mean `cedar`?"),
        (&["--baseline", "ceder"], 64, "did you mean `cedar`?"),
        (&["--baseline", "floor:json", "--engines", "cedar"], 65, "is not measured"),
        (&["--format", "json,csv"], 64, "say --out DIR"),
        (&["--turns", "0"], 64, "0"),
        (&["--time", "soon"], 64, "soon"),
    ] {
        let run = folder.run(&[&["bench"][..], arguments].concat());
        assert_eq!(run.code, code, "{arguments:?}: {}{}", run.stdout, run.stderr);
        assert!(run.stderr.contains(says), "{arguments:?}: {}", run.stderr);
    }
}

/// Ctrl-C ends a run with what was measured.
#[cfg(unix)]
#[test]
fn an_interrupted_run_says_so_and_keeps_its_report() {
    let folder = Folder::new();
    folder.write("small.yaml", SMALL);
    let mut command = folder.command(&[
        "bench",
        "--definition",
        "small.yaml",
        "--engines",
        "cedar",
        "--time",
        "1s",
        "--turns",
        "1000",
        "--save",
        "saved.json",
    ]);
    let child = command
        .env("TRIBUNAL_OPA", "/nowhere/opa")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let started = Instant::now();
    // The report is there after the first turn.
    while !folder.file("saved.json").exists() {
        assert!(started.elapsed() < Duration::from_secs(60), "no turn has ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    let signalled = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(signalled.success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("the run ended early: it was interrupted"), "{stderr}");
    let saved: Value = serde_json::from_str(&folder.read("saved.json")).unwrap();
    assert_eq!(saved["run"]["cut_short"], "it was interrupted");
    assert!(!saved["rows"][0]["entries"][0]["processes"].as_array().unwrap().is_empty());
    assert!(String::from_utf8(output.stdout).unwrap().contains("The run ended early (it was interrupted)"));
}

const FLAMEGRAPH: [&str; 13] = [
    "bench",
    "--definition",
    "small.yaml",
    "--engines",
    "cedar,rego-wasm",
    "--time",
    "1s",
    "--turns",
    "1",
    "--save",
    "saved.json",
    "--flamegraph",
    "flames",
];

/// A small run that draws into `flames`.
fn drawing(folder: &Folder) -> Command {
    folder.write("small.yaml", SMALL);
    let mut command = folder.command(&FLAMEGRAPH);
    command.env("TRIBUNAL_OPA", "/nowhere/opa").stdin(Stdio::null());
    command
}

fn run_of(mut command: Command) -> Run {
    let output = command.output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The files in a folder, by name.
fn names(folder: &Folder, path: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder.file(path)).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Decisions drawn by the real `perf`: ours in the picture, starting and measuring not.
#[test]
fn decisions_are_drawn_where_perf_is() {
    let probe = Command::new("perf")
        .args(["record", "--quiet", "--output", "/dev/null", "--", "true"])
        .stdin(Stdio::null())
        .output();
    if !probe.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: `perf` is not installed or not permitted, so no flamegraph was drawn");
        return;
    }
    let folder = Folder::new();
    let run = run_of(drawing(&folder));
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("flamegraphs in `flames`: decide-rego-wasm.svg, "), "{}", run.stdout);
    assert_eq!(
        names(&folder, "flames"),
        ["decide-cedar.svg", "decide-floor-json.svg", "decide-rego-wasm.svg"]
    );
    let saved: Value = serde_json::from_str(&folder.read("saved.json")).unwrap();
    assert_valid("bench", &saved);
    assert_eq!(saved["run"]["flamegraphs"]["missing"], json!([]));
    let cedar = folder.read("flames/decide-cedar.svg");
    assert!(cedar.contains("tribunal_engine_cedar::") && cedar.contains("decision"), "{cedar}");
    for left_out in ["one_by_one", "came_to", "read_pack", "dl_main"] {
        assert!(!cedar.contains(left_out), "{left_out}");
    }
    // Compiled code has names.
    let wasm = folder.read("flames/decide-rego-wasm.svg");
    assert!(wasm.contains("opa_"), "{wasm}");
}

#[test]
fn without_perf_a_run_goes_on_and_says_so() {
    let folder = Folder::new();
    let mut command = drawing(&folder);
    command.env("PATH", "/nowhere");
    let run = run_of(command);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert_eq!(run.stdout.matches("no flamegraph: `perf`").count(), 1, "{}", run.stdout);
    assert!(names(&folder, "flames").is_empty());
    let markdown = folder.run(&["bench", "--from", "saved.json", "--format", "md"]);
    assert!(markdown.stdout.contains("no flamegraph: `perf`"), "{}", markdown.stdout);
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_before_anything_is_measured() {
    let folder = Folder::new();
    folder.write("flames", "a file");
    let run = run_of(drawing(&folder));
    assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("`flames` cannot be written"), "{}", run.stderr);
    assert!(run.stdout.is_empty() && !folder.file("saved.json").exists(), "{}", run.stdout);
}

/// Ctrl-C while a worker is looked at: what was measured is kept, nothing half drawn, and nothing goes on running.
#[cfg(unix)]
#[test]
fn an_interrupted_drawing_leaves_no_half_picture() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new();
    // Records at once what is tried first, and then goes on and on, as would whoever it started.
    let perf = "#!/bin/sh\ncase \"$*\" in *' -- true') exit 0;; esac\ntouch drawing\nsleep 600\n";
    folder.write("bin/perf", perf);
    std::fs::set_permissions(folder.file("bin/perf"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.file("bin").display(), std::env::var("PATH").unwrap());
    let mut command = drawing(&folder);
    command.env("PATH", path).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let started = Instant::now();
    while !folder.file("drawing").exists() {
        assert!(started.elapsed() < Duration::from_secs(60), "nothing is drawn");
        std::thread::sleep(Duration::from_millis(20));
    }
    let signalled = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(signalled.success());
    let output = child.wait_with_output().unwrap();
    assert!(started.elapsed() < Duration::from_secs(120), "whoever `perf` started was waited for");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("the run ended early: it was interrupted"), "{stderr}");
    assert!(names(&folder, "flames").is_empty());
    let saved: Value = serde_json::from_str(&folder.read("saved.json")).unwrap();
    assert!(!saved["rows"][0]["entries"][0]["processes"].as_array().unwrap().is_empty());
}

#[test]
fn what_can_be_measured_is_listed() {
    let folder = Folder::new();
    insta::assert_snapshot!("bench_list", folder.run(&["bench", "list"]).shown(&folder));
    insta::assert_snapshot!("help_bench", folder.run(&["bench", "--help"]).shown(&folder));
}
