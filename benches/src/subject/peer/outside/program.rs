//! A program of `benches/peers`: a job goes in as JSON, a line comes out.

use std::env;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tempfile::TempDir;

use crate::subject::Unavailable;

/// The folder with the programs, instead of the `PATH`.
pub(super) const VARIABLE: &str = "TRIBUNAL_PEERS";

/// Between two looks at whether a program has ended.
const LOOK: Duration = Duration::from_millis(2);

/// The most that is read of what a program says.
const MOST: u64 = 1 << 20;

/// What a program is to do, `P` being where it finds its policy.
#[derive(Debug, Serialize)]
pub(super) struct Job<'a, P> {
    pub(super) policy: &'a P,
    /// The file of the root of `data`.
    pub(super) data: &'a Path,
    /// What is asked; without it the policy is loaded, and that is all.
    pub(super) ask: Option<Ask<'a>>,
}

/// A question, and how long it is asked.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Ask<'a> {
    pub(super) input: &'a Value,
    pub(super) measure_ms: u64,
}

/// What came of a job.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
    /// The library that decides, with its version.
    pub(super) version: String,
    pub(super) decision: Option<Value>,
    pub(super) figures: Option<Figures>,
    /// Why there is no more.
    pub(super) error: Option<String>,
}

/// Figures of evaluations that were timed one by one, in nanoseconds.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Figures {
    pub(super) samples: u64,
    pub(super) mean: f64,
    pub(super) p50: f64,
    pub(super) p90: f64,
    pub(super) p99: Option<f64>,
    pub(super) p999: Option<f64>,
}

/// A program, and how long it may take beside what it is told to measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    path: PathBuf,
    patience: Duration,
}

impl Program {
    /// A program in a folder: this one, or the one that the environment names, or one of the `PATH`.
    pub(super) fn find(name: &str, folder: Option<&Path>, patience: Duration) -> Self {
        let file = format!("{name}{}", env::consts::EXE_SUFFIX);
        let named = || env::var_os(VARIABLE).filter(|named| !named.is_empty()).map(PathBuf::from);
        let path = match folder.map(Path::to_owned).or_else(named) {
            Some(folder) => folder.join(file),
            None => PathBuf::from(file),
        };
        Self { path, patience }
    }

    /// Has a job done.
    ///
    /// # Errors
    /// If the program is not there, fails, says what cannot be read, refuses the job, or takes too long, which ends it.
    pub(super) fn run<P: Serialize>(&self, job: &Job<'_, P>) -> Result<Said, Unavailable> {
        let folder = TempDir::with_prefix("tribunal-bench-peer-").map_err(|error| self.failed(&error))?;
        let [asked, answered, said] = ["job", "answer", "said"].map(|name| folder.path().join(name));
        let text = serde_json::to_string(job).map_err(|error| self.failed(&error))?;
        fs::write(&asked, text).map_err(|error| self.failed(&error))?;
        // Files, not pipes: nothing has to be read while the program runs, nor of a child that it leaves behind.
        let mut command = Command::new(&self.path);
        command
            .stdin(File::open(&asked).map_err(|error| self.failed(&error))?)
            .stdout(File::create(&answered).map_err(|error| self.failed(&error))?)
            .stderr(File::create(&said).map_err(|error| self.failed(&error))?);
        let child = command.spawn().map_err(|error| match error.kind() {
            ErrorKind::NotFound => self.missing(),
            _ => self.failed(&error),
        })?;
        let longest =
            self.patience + job.ask.map_or(Duration::ZERO, |ask| 2 * Duration::from_millis(ask.measure_ms));
        let ended = wait(child, longest).map_err(|error| self.failed(&error))?;
        let (answer, said) = (beginning(&answered), beginning(&said));
        let complained = match said.trim() {
            "" => String::new(),
            said => format!("; on standard error it says: {said}"),
        };
        let Some(status) = ended else {
            let message = format!("it did not end within {} s{complained}", longest.as_secs_f64());
            return Err(self.failed(&message));
        };
        let line: Said = serde_json::from_str(&answer).map_err(|error| {
            self.failed(&format!(
                "it ended with {status}, and its answer cannot be read: {error}{complained}"
            ))
        })?;
        match &line.error {
            Some(error) => Err(Unavailable::Refused(format!("{}: {error}", line.version))),
            None if status.success() => Ok(line),
            None => Err(self.failed(&format!("it ended with {status}{complained}"))),
        }
    }

    pub(super) fn failed(&self, error: &dyn std::fmt::Display) -> Unavailable {
        Unavailable::Failed(format!("`{}`: {error}", self.path.display()))
    }

    fn missing(&self) -> Unavailable {
        Unavailable::Missing(format!(
            "there is no `{}`: `cargo install --locked --path benches/peers` installs it, and `{VARIABLE}` names the folder \
             where it is, if that is not on the `PATH`",
            self.path.display()
        ))
    }
}

/// How a program ended; `None` if it had to be ended.
fn wait(mut child: Child, longest: Duration) -> std::io::Result<Option<ExitStatus>> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if started.elapsed() > longest {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(LOOK);
    }
}

/// The beginning of a file, as text; of one that cannot be read, nothing, which is no answer either.
fn beginning(path: &Path) -> String {
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| file.take(MOST).read_to_end(&mut bytes)) {
        Ok(_) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => String::new(),
    }
}
