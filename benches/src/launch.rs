//! Starting workers, and leaving nothing of them behind.

use std::fmt::Debug;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::subject::Unavailable;
use crate::worker::{Job, Report};

/// How long a worker may take beside what it is told to measure: a cold start of the slowest engine, and more.
const PATIENCE: Duration = Duration::from_secs(120);

/// How much longer it may take for each further pack: they are loaded one after another, and compiled where nobody has done so
/// before.
const FURTHER_PACK: Duration = Duration::from_secs(10);

/// How long a worker may take to end, once it has reported or was told to.
const PARTING: Duration = Duration::from_secs(2);

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
    /// The folder for what workers write meanwhile. They may be ended before they can remove it.
    pub scratch: PathBuf,
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
        let mut worker = self.start().map_err(|error| format!("a worker cannot be started: {error}"))?;
        let (stdin, stdout, stderr) = (worker.stdin.take(), worker.stdout.take(), worker.stderr.take());
        let (Some(mut stdin), Some(stdout), Some(stderr)) = (stdin, stdout, stderr) else {
            return Err("a worker has no streams".to_owned());
        };
        // A job is larger than a pipe, and a worker may never read it: nothing here waits for that. One that has ended
        // already says why on standard error.
        let writer = std::thread::spawn(move || drop(writeln!(stdin, "{text}")));
        let (tell, told) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            let mut line = String::new();
            let read = stdout.read_line(&mut line);
            // Nobody listens any more if the run was interrupted.
            drop(tell.send(read.map(|_| line)));
            // Until the worker has ended, of which hanging up tells.
            drop(stdout.read_to_end(&mut Vec::new()));
        });
        let complaints = std::thread::spawn(move || {
            let lines = BufReader::new(stderr).lines().map_while(Result::ok);
            lines.filter(|line| !line.trim().is_empty()).last()
        });
        let waited = wait(&told, job, interrupted);
        end(&mut worker, &told, &waited);
        let status = worker.wait();
        drop((writer.join(), reader.join()));
        let complaint = complaints.join().ok().flatten();
        match waited {
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

    fn start(&self) -> std::io::Result<Child> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // regorus makes errors on its way to answers. With `RUST_BACKTRACE` each would look up its callers, and a third of a
        // decision be that.
        command.env("RUST_LIB_BACKTRACE", "0");
        // What systems call the folder for what is temporary.
        for name in ["TMPDIR", "TMP", "TEMP"] {
            command.env(name, &self.scratch);
        }
        // Ctrl-C is for the run, which then ends its worker with whatever that has started.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.spawn()
    }
}

enum Waited {
    Line(String),
    Interrupted,
    TooLong,
}

/// How long a job may take.
fn patience(job: &Job) -> Duration {
    let further = u32::try_from(job.packs.len().saturating_sub(1)).unwrap_or(u32::MAX);
    PATIENCE + FURTHER_PACK.saturating_mul(further) + 4 * Duration::from_millis(job.budget_ms)
}

fn wait(told: &Receiver<std::io::Result<String>>, job: &Job, interrupted: &AtomicBool) -> Waited {
    let started = Instant::now();
    let longest = patience(job);
    loop {
        match told.recv_timeout(LOOK) {
            Ok(line) => return Waited::Line(line.unwrap_or_default()),
            Err(RecvTimeoutError::Disconnected) => return Waited::Line(String::new()),
            Err(RecvTimeoutError::Timeout) if interrupted.load(Ordering::Relaxed) => {
                return Waited::Interrupted;
            }
            Err(RecvTimeoutError::Timeout) if started.elapsed() > longest => return Waited::TooLong,
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Ends a worker and whatever it started: politely, unless it has reported and ends by itself; then by force.
fn end(worker: &mut Child, told: &Receiver<std::io::Result<String>>, waited: &Waited) {
    if !matches!(waited, Waited::Line(_)) {
        signal(worker, Force::Ask);
    }
    let parting = Instant::now();
    while parting.elapsed() < PARTING {
        if let Err(RecvTimeoutError::Disconnected) = told.recv_timeout(LOOK) {
            break;
        }
    }
    signal(worker, Force::Kill);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Force {
    Ask,
    Kill,
}

/// To the worker's whole group. It is not waited for yet, so the id is nobody else's.
#[cfg(unix)]
fn signal(worker: &mut Child, force: Force) {
    use rustix::process::{Pid, Signal, kill_process_group};

    let signal = if force == Force::Ask { Signal::TERM } else { Signal::KILL };
    // Everybody may have ended by themselves in this moment.
    let _gone = kill_process_group(Pid::from_child(worker), signal);
}

#[cfg(not(unix))]
fn signal(worker: &mut Child, force: Force) {
    if force == Force::Kill {
        drop(worker.kill());
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::fs;
    use std::path::Path;

    use tempfile::TempDir;

    use super::*;
    use crate::model::Model;
    use crate::worker::{JobRequest, Phase};

    fn job(request: &str) -> Job {
        let request = JobRequest {
            name: "a".to_owned(),
            text: request.to_owned(),
            now: "2026-01-01T00:00:00Z".to_owned(),
            token: None,
        };
        Job {
            phase: Phase::Verify,
            subject: "a".to_owned(),
            model: Model::Decide,
            packs: Vec::new(),
            requests: vec![request],
            threads: 1,
            budget_ms: 0,
            cache: None,
        }
    }

    /// Workers that are scripts, and the folder for what they leave.
    fn script(text: &str) -> (Processes, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let arguments = vec!["-c".to_owned(), text.to_owned()];
        (Processes { program: "/bin/sh".into(), arguments, scratch: folder.path().to_owned() }, folder)
    }

    /// Whether the process whose id stands in a file is at an end, now or in a moment.
    fn has_ended(id: &Path) -> bool {
        let stat = format!("/proc/{}/stat", fs::read_to_string(id).unwrap().trim());
        // What has ended and was not waited for is listed as a zombie.
        let is_over = |stat: &str| stat.rsplit(')').next().unwrap().trim_start().starts_with('Z');
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(10) {
            if fs::read_to_string(&stat).map_or(true, |stat| is_over(&stat)) {
                return true;
            }
            std::thread::sleep(LOOK);
        }
        false
    }

    /// Interrupts once a file is there.
    fn interrupted_after(workers: &Processes, job: &Job, file: &Path) -> Option<Report> {
        let interrupted = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let started = Instant::now();
                while !file.exists() && started.elapsed() < Duration::from_secs(60) {
                    std::thread::sleep(LOOK);
                }
                interrupted.store(true, Ordering::Relaxed);
            });
            workers.run(job, &interrupted)
        })
    }

    #[test]
    fn a_job_with_more_packs_may_take_longer() {
        let of = |packs: usize| patience(&Job { packs: vec!["p".into(); packs], ..job("{}") });
        assert_eq!((of(1), of(2)), (PATIENCE, PATIENCE + FURTHER_PACK));
        // A hundred modules are compiled in two to four minutes here, on two processors that others use, too.
        assert!(of(100) > Duration::from_secs(600));
    }

    #[test]
    fn what_a_worker_has_started_ends_with_it() {
        for deaf in ["", "trap '' TERM;"] {
            let (workers, folder) = script(&format!(
                "({deaf} sh -c 'echo $$ > \"$TMPDIR/part\"; mv \"$TMPDIR/part\" \"$TMPDIR/id\"; exec sleep 300') & wait"
            ));
            let id = folder.path().join("id");
            assert_eq!(interrupted_after(&workers, &job("{}"), &id), None);
            assert!(has_ended(&id), "a child lives on {deaf}");
        }
    }

    #[test]
    fn a_worker_that_reports_leaves_nothing_behind_either() {
        let (workers, folder) = script(
            "sleep 300 >&2 & echo $! > \"$TMPDIR/id\"; echo '{\"unavailable\": {\"why\": \"failed\", \"detail\": \"x\"}}'",
        );
        let report = workers.run(&job("{}"), &AtomicBool::new(false));
        assert_eq!(report, Some(Report::Unavailable(Unavailable::Failed("x".to_owned()))));
        assert!(has_ended(&folder.path().join("id")));
    }

    #[test]
    fn a_job_that_is_not_read_holds_nothing_up() {
        let (workers, folder) = script("touch \"$TMPDIR/ready\"; sleep 300");
        let large = job(&"x".repeat(4 << 20));
        assert_eq!(interrupted_after(&workers, &large, &folder.path().join("ready")), None);
    }

    #[test]
    fn a_worker_that_fails_says_why() {
        let (workers, _folder) = script("echo 'out of luck' >&2; exit 3");
        let report = workers.run(&job("{}"), &AtomicBool::new(false));
        let Some(Report::Unavailable(Unavailable::Failed(why))) = report else { panic!("{report:?}") };
        assert!(why.contains("exit status: 3: out of luck"), "{why}");
    }
}
