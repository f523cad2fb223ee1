//! Starting workers.

use std::fmt::Debug;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::subject::Unavailable;
use crate::worker::{Job, Report};

/// How long a worker may take beside what it is told to measure: a cold start of the slowest engine, and more.
const PATIENCE: Duration = Duration::from_secs(120);

/// Between two looks at whether the run was interrupted.
const LOOK: Duration = Duration::from_millis(20);

/// Whoever does jobs.
pub trait Launcher: Debug {
    /// Does a job in a process of its own; `None` if the run was interrupted meanwhile.
    fn run(&self, job: &Job, interrupted: &AtomicBool) -> Option<Report>;
}

/// Workers as processes: a program with arguments that reads jobs and writes reports.
#[derive(Debug, Clone)]
pub struct Processes {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

impl Launcher for Processes {
    fn run(&self, job: &Job, interrupted: &AtomicBool) -> Option<Report> {
        match self.exchange(job, interrupted) {
            Ok(report) => report,
            Err(message) => Some(Report::Unavailable(Unavailable::Failed(message))),
        }
    }
}

impl Processes {
    fn exchange(&self, job: &Job, interrupted: &AtomicBool) -> Result<Option<Report>, String> {
        let text = serde_json::to_string(job).map_err(|error| error.to_string())?;
        let mut command = Command::new(&self.program);
        // regorus makes errors on its way to answers. With `RUST_BACKTRACE` each would look up its callers, and a third of a
        // decision be that.
        command.env("RUST_LIB_BACKTRACE", "0");
        command.args(&self.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C is for the run, which then ends its worker.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut worker = command.spawn().map_err(|error| format!("a worker cannot be started: {error}"))?;
        let (stdin, stdout, stderr) = (worker.stdin.take(), worker.stdout.take(), worker.stderr.take());
        let (Some(mut stdin), Some(stdout), Some(stderr)) = (stdin, stdout, stderr) else {
            return Err("a worker has no streams".to_owned());
        };
        let (tell, told) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            let mut line = String::new();
            let read = BufReader::new(stdout).read_line(&mut line);
            // Nobody listens any more if the run was interrupted.
            drop(tell.send(read.map(|_| line)));
        });
        let complaints = std::thread::spawn(move || {
            let lines = BufReader::new(stderr).lines().map_while(Result::ok);
            lines.filter(|line| !line.trim().is_empty()).last()
        });
        // A worker that has ended already says why on standard error.
        drop(writeln!(stdin, "{text}"));
        drop(stdin);
        let line = wait(&told, &mut worker, job, interrupted);
        let status = worker.wait();
        drop(reader.join());
        let complaint = complaints.join().ok().flatten();
        match line {
            Waited::Interrupted => Ok(None),
            Waited::TooLong => Err("the worker did not end in time".to_owned()),
            Waited::Line(line) => serde_json::from_str(&line).map(Some).map_err(|_| {
                let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
                format!(
                    "the worker ended with {status}: {}",
                    complaint.as_deref().unwrap_or("nothing was said")
                )
            }),
        }
    }
}

enum Waited {
    Line(String),
    Interrupted,
    TooLong,
}

fn wait(
    told: &mpsc::Receiver<std::io::Result<String>>,
    worker: &mut Child,
    job: &Job,
    interrupted: &AtomicBool,
) -> Waited {
    let started = Instant::now();
    let longest = PATIENCE + 4 * Duration::from_millis(job.budget_ms);
    let ended = loop {
        match told.recv_timeout(LOOK) {
            Ok(line) => return Waited::Line(line.unwrap_or_default()),
            Err(mpsc::RecvTimeoutError::Disconnected) => return Waited::Line(String::new()),
            Err(mpsc::RecvTimeoutError::Timeout) if interrupted.load(Ordering::Relaxed) => {
                break Waited::Interrupted;
            }
            Err(mpsc::RecvTimeoutError::Timeout) if started.elapsed() > longest => break Waited::TooLong,
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
    };
    end(worker);
    ended
}

/// Ends a worker and whatever it started, or the other way round where `perf` started the worker.
fn end(worker: &mut Child) {
    // It may have ended by itself in this moment.
    #[cfg(unix)]
    rustix::process::kill_process_group(
        rustix::process::Pid::from_child(worker),
        rustix::process::Signal::KILL,
    )
    .unwrap_or(());
    drop(worker.kill());
}
