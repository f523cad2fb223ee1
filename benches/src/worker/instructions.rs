//! Instructions of a decision, counted by valgrind: the difference between a worker that decides often and one that
//! decides oftener, so that starting, loading and verifying cancel out. They depend on the program and the processor's
//! features alone, so CI can hold a program to them on a busy machine.
//!
//! valgrind shows a program another processor than the machine's, so modules that were compiled outside are not found in the
//! cache: a worker before those that count compiles them for it.

use std::io::{Read, Write};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::measure::{Stopped, failed};
use super::protocol::{Job, Phase, Report};
use crate::model::Model;
use crate::statistics::Figures;
use crate::subject::Unavailable;

/// Passes over the requests, in the run that decides often and in the one that decides oftener.
const PASSES: (u64, u64) = (10, 50);

/// How long all runs may take together: less than whoever started this worker waits for it, so that it can still say why it
/// has no figure.
const LIMIT: Duration = Duration::from_secs(110);

/// Between two looks at whether valgrind has ended.
const LOOK: Duration = Duration::from_millis(20);

/// Counts the instructions of a job's decisions, in the mean over its requests.
pub(super) fn count(job: &Job) -> Result<Figures, Stopped> {
    let until = Instant::now() + LIMIT;
    run(job, 0, until)?;
    let few = run(job, PASSES.0, until)?;
    let more = run(job, PASSES.1, until)?;
    let decisions = (PASSES.1 - PASSES.0).saturating_mul(job.requests.len() as u64);
    if decisions == 0 || more <= few {
        return Err(failed(format!("valgrind counts {few} instructions for less work and {more} for more")));
    }
    Ok(Figures::once((more - few) as f64 / decisions as f64))
}

/// Instructions of a whole worker that decides each request so many times.
fn run(job: &Job, times: u64, until: Instant) -> Result<u64, Stopped> {
    let program =
        std::env::current_exe().map_err(|error| failed(format!("this program is not found: {error}")))?;
    let job = Job { phase: Phase::Repeat(times), model: Model::Decide, ..job.clone() };
    let text = serde_json::to_string(&job).map_err(|error| failed(error.to_string()))?;
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]);
    valgrind.arg(program).args(["bench", "worker"]);
    // It stays in this worker's process group: whoever ends the worker ends the group, and valgrind with it.
    let child = valgrind.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| {
        Unavailable::Missing(format!("`valgrind` counts instructions, and cannot be started: {error}"))
    })?;
    if let Some(mut stdin) = child.stdin.take() {
        // A worker that has ended says why in its report, or on standard error.
        drop(writeln!(stdin, "{text}"));
    }
    let output = finish(child, until)?;
    let said = String::from_utf8_lossy(&output.stderr);
    match serde_json::from_slice::<Report>(&output.stdout) {
        Ok(Report::Measured(_)) => {}
        Ok(Report::Unavailable(why)) => return Err(why.into()),
        Ok(Report::Changed { request, first, then }) => {
            return Err(Stopped::Changed { request, first, then });
        }
        Err(_) => {
            let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("nothing");
            return Err(failed(format!("under valgrind the worker ended with {}: {last}", output.status)));
        }
    }
    counted(&said).ok_or_else(|| failed("valgrind says nothing of instructions"))
}

/// What a process says until it ends, which is at this moment at the latest.
fn finish(mut child: Child, until: Instant) -> Result<Output, Stopped> {
    let wrong = |error: std::io::Error| failed(format!("valgrind: {error}"));
    let stdout = reader(child.stdout.take());
    let stderr = reader(child.stderr.take());
    let status = loop {
        if let Some(status) = child.try_wait().map_err(wrong)? {
            break status;
        }
        if Instant::now() >= until {
            // It may have ended by itself in this moment.
            drop(child.kill());
            drop(child.wait());
            return Err(failed(format!("valgrind was not done after {} s", LIMIT.as_secs())));
        }
        std::thread::sleep(LOOK);
    };
    let read = |reader: std::thread::JoinHandle<Vec<u8>>| {
        reader.join().map_err(|_| failed("what valgrind said could not be read"))
    };
    Ok(Output { status, stdout: read(stdout)?, stderr: read(stderr)? })
}

/// Reads a stream to its end, beside whoever waits. A stream that breaks ends there, and is then no report.
fn reader(stream: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut read = Vec::new();
        if let Some(mut stream) = stream {
            drop(stream.read_to_end(&mut read));
        }
        read
    })
}

/// The figure in a line as `==1== I   refs:      1,234,567`.
fn counted(said: &str) -> Option<u64> {
    let line = said.lines().find(|line| line.contains("refs:") && line.contains(" I "))?;
    let digits: String = line.rsplit(':').next()?.chars().filter(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_from_what_valgrind_says() {
        let said = "==7== Cachegrind\n==7== Command: x\n==7== \n==7== I   refs:      12,345,678\n";
        assert_eq!(counted(said), Some(12_345_678));
        assert_eq!(counted("==7== I refs:      9\n"), Some(9));
        assert_eq!(counted("==7== D refs: 9\n"), None);
        assert_eq!(counted(""), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_process_is_heard_to_its_end_and_ended_when_its_time_is_up() {
        let start = |script: &str| {
            let mut shell = Command::new("sh");
            shell.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            shell.spawn().unwrap()
        };
        let soon = |seconds| Instant::now() + Duration::from_secs(seconds);
        // More than a pipe holds: it would wait for ever for somebody to read.
        let said = finish(start("head -c 200000 /dev/zero; echo refs >&2"), soon(60)).unwrap();
        assert_eq!((said.stdout.len(), said.stderr.as_slice()), (200_000, b"refs\n".as_slice()));
        let child = start("exec sleep 600");
        let id = child.id().to_string();
        let Err(Stopped::Unavailable(Unavailable::Failed(why))) = finish(child, soon(0)) else {
            panic!("it is waited for");
        };
        assert!(why.contains("not done after"), "{why}");
        let is_there = Command::new("kill").args(["-0", &id]).stderr(Stdio::null()).status();
        assert!(!is_there.unwrap().success(), "process {id} is left behind");
    }
}
