//! OPA itself: one process answers any number of calls.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use tribunal_rego_builtins::Value;

/// A call of a built-in.
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) args: Vec<Value>,
}

impl Call {
    /// `name arg, arg`, the arguments as OPA writes values.
    pub(crate) fn parse(line: &str) -> Result<Call, String> {
        let (name, args) = line.split_once(' ').unwrap_or((line, ""));
        match Value::parse_rego(&format!("[{args}]")) {
            Ok(Value::Array(args)) => Ok(Call { name: name.to_owned(), args }),
            Ok(other) => Err(format!("`{other}` are no arguments")),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let args: Vec<String> = self.args.iter().map(Value::to_rego).collect();
        write!(f, "{} {}", self.name, args.join(", "))
    }
}

pub(crate) struct Oracle {
    binary: PathBuf,
}

impl Oracle {
    /// `TRIBUNAL_OPA`, or `opa` on the path.
    pub(crate) fn find() -> Option<Oracle> {
        let binary = std::env::var_os("TRIBUNAL_OPA").map_or_else(|| PathBuf::from("opa"), PathBuf::from);
        let version = Command::new(&binary).arg("version").output().ok().filter(|out| out.status.success());
        let Some(version) = version else {
            let why = "SKIPPED: no OPA to compare with (TRIBUNAL_OPA, or `opa` on the PATH)";
            assert!(std::env::var("TRIBUNAL_REQUIRE_OPA").as_deref() != Ok("1"), "{why}");
            println!("{why}");
            return None;
        };
        let version = String::from_utf8_lossy(&version.stdout).into_owned();
        assert!(version.starts_with("Version: 1.22.0"), "the truth is OPA 1.22.0, not {version}");
        Some(Oracle { binary })
    }

    /// The outcome of each call, in order.
    pub(crate) fn ask(&self, calls: &[Call]) -> Vec<String> {
        // One rule a line, so that an error's row names the call. The arguments pass through `object.get`, whose
        // result may be of any type, so that the compiler refuses no call. Version 0 of the language still has the
        // deprecated built-ins.
        let mut module = String::from("package t\n");
        for (index, call) in calls.iter().enumerate() {
            let args: Vec<String> = call
                .args
                .iter()
                .map(|arg| format!("object.get({{\"a\": {}}}, input, 0)", ascii(&arg.to_rego())))
                .collect();
            module.push_str(&format!(
                "r[{index}] := sprintf(\"%v\", [[{}({})]])\n",
                call.name,
                args.join(", ")
            ));
        }
        static QUESTIONS: AtomicUsize = AtomicUsize::new(0);
        let question = QUESTIONS.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("rego-builtins-{}-{question}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("t.rego");
        std::fs::write(&file, module).unwrap();
        let mut child = Command::new(&self.binary)
            .args([
                "eval",
                "--format",
                "json",
                "--show-builtin-errors",
                "--v0-compatible",
                "--stdin-input",
                "--data",
            ])
            .arg(&file)
            .arg("data.t.r")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(b"\"a\"").unwrap();
        let output = child.wait_with_output().unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let mut outcomes = BTreeMap::new();
        for error in answer["errors"].as_array().into_iter().flatten() {
            let row = error["location"]["row"].as_u64().unwrap_or(0);
            let known =
                ["eval_builtin_error", "eval_type_error"].contains(&error["code"].as_str().unwrap_or(""));
            assert!(known && row >= 2, "{error}");
            outcomes.insert(row - 2, "error".to_owned());
        }
        let results = answer["result"][0]["expressions"][0]["value"].as_object();
        for (index, text) in results.unwrap_or_else(|| panic!("no result: {answer}")) {
            let text = text.as_str().unwrap();
            let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap();
            outcomes.insert(index.parse().unwrap(), inner.to_owned());
        }
        (0..calls.len() as u64)
            .map(|index| outcomes.remove(&index).unwrap_or_else(|| "undefined".to_owned()))
            .collect()
    }
}

/// Characters beyond ASCII occur in strings only; a module may not hold all of them unescaped.
fn ascii(term: &str) -> String {
    let mut out = String::new();
    for c in term.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            out.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    out
}
