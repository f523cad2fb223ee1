//! The command as its users run it: a process with arguments, streams and an exit code.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "what the tests share may panic as the tests do: that is how a test fails"
)]

mod apply;
mod artifact;
mod bench;
mod bench_run;
mod check;
mod eval;
mod hostile;
mod lineup;
mod pack;
mod parity;
mod record;
mod scenario;
mod schema;
mod shipped;
mod suites;
mod usage;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use regex::Regex;
use tempfile::TempDir;

/// What a run of the command came to.
struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Run {
    /// The exit code with both streams, as a snapshot has them.
    fn shown(&self, folder: &Folder) -> String {
        let text = format!("exit {}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr);
        stable(&text.replace(&folder.path().display().to_string(), "[dir]"))
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }

    fn lines(&self) -> Vec<serde_json::Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Takes out of a text what differs from run to run: times, and the widths that follow from them.
fn stable(text: &str) -> String {
    let mut text = text.to_owned();
    for (pattern, shown) in [
        (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "[instant]"),
        (r"\b\d+(\.\d)? (ns|µs|ms|s) *┆", "[time] ┆"),
        (r"time *┆", "time ┆"),
        (r"\b\d+(\.\d)? (ns|µs|ms|s)\b", "[time]"),
        (r" {2,}", "  "),
        ("[─═]+", "─"),
        (r"\d+ (policy\.wasm)", "[size] $1"),
        (r"sha256:[0-9a-f]{64}", "[digest]"),
        (r"(?m) +$", ""),
    ] {
        text = Regex::new(pattern).unwrap().replace_all(&text, shown).into_owned();
    }
    text
}

/// A folder of its own for a test.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A folder with the pack `guard` that `pack new` makes.
    fn with_pack() -> Self {
        let folder = Self::new();
        let run = folder.run(&["pack", "new", "guard"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.file(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }

    /// Writes a file anew with one text in place of another, which must be there.
    fn edit(&self, name: &str, old: &str, new: &str) -> &Self {
        let text = self.read(name);
        assert!(text.contains(old), "{name} has no {old:?}");
        self.write(name, text.replace(old, new))
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, b"")
    }

    fn run_with(&self, arguments: &[&str], stdin: &[u8]) -> Run {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let stdin = stdin.to_vec();
        // A command may end before it has read everything.
        let writer = std::thread::spawn(move || pipe.write_all(&stdin).is_ok());
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Run {
            code: output.status.code().expect("the command was ended by a signal"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tribunal"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE")
            .env_remove("COLUMNS");
        command
    }
}

/// A request to call a tool.
fn request(tool: &str) -> String {
    serde_json::json!({
        "subject": {"type": "agent", "id": "spiffe://example.org/agents/planner"},
        "action": {"name": "tools/call"},
        "resource": {"type": "tool", "id": tool},
    })
    .to_string()
}

/// A pack for native Rego alone, without a schema, whose decision is this rule's body.
fn rego_pack(folder: &Folder, name: &str, manifest: &str, rule: &str) {
    let yaml = format!(
        "name: {name}\nversion: 1.0.0\ndescription: For a test\nengines:\n  rego-native: {{entrypoint: made/decision}}\n{manifest}"
    );
    let yaml = if manifest.contains("input_schema") { yaml } else { format!("{yaml}input_schema: none\n") };
    folder.write(&format!("{name}/pack.yaml"), yaml);
    folder.write(&format!("{name}/policy.rego"), format!("package made\n\nimport rego.v1\n\n{rule}\n"));
}
