//! Instructions of a decision, counted by valgrind: the difference between a worker that decides often and one that
//! decides oftener, so that starting, loading and verifying cancel out. They depend on the program and the processor's
//! features alone, so CI can hold a program to them on a busy machine.

use std::io::Write;
use std::process::{Command, Stdio};

use super::measure::Stopped;
use super::protocol::{Job, Phase, Report};
use crate::model::Model;
use crate::statistics::Figures;
use crate::subject::Unavailable;

/// Passes over the requests, in the run that decides often and in the one that decides oftener.
const PASSES: (u64, u64) = (4, 12);

/// Counts the instructions of a job's decisions, in the mean over its requests.
pub(super) fn count(job: &Job) -> Result<Figures, Stopped> {
    let few = run(job, PASSES.0)?;
    let more = run(job, PASSES.1)?;
    let decisions = (PASSES.1 - PASSES.0).saturating_mul(job.requests.len() as u64);
    if decisions == 0 || more <= few {
        return Err(failed(format!("valgrind counts {few} instructions for less work and {more} for more")));
    }
    Ok(Figures::once((more - few) as f64 / decisions as f64))
}

fn failed(message: String) -> Stopped {
    Stopped::Unavailable(Unavailable::Failed(message))
}

/// Instructions of a whole worker that decides each request so many times.
fn run(job: &Job, times: u64) -> Result<u64, Stopped> {
    let program =
        std::env::current_exe().map_err(|error| failed(format!("this program is not found: {error}")))?;
    let job = Job { phase: Phase::Repeat(times), model: Model::Decide, ..job.clone() };
    let text = serde_json::to_string(&job).map_err(|error| failed(error.to_string()))?;
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]);
    valgrind.arg(program).args(["bench", "worker"]);
    let child = valgrind.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| {
        Unavailable::Missing(format!("`valgrind` counts instructions, and cannot be started: {error}"))
    })?;
    if let Some(mut stdin) = child.stdin.take() {
        // A worker that has ended says why in its report, or on standard error.
        drop(writeln!(stdin, "{text}"));
    }
    let output = child.wait_with_output().map_err(|error| failed(format!("valgrind: {error}")))?;
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
    counted(&said).ok_or_else(|| failed("valgrind says nothing of instructions".to_owned()))
}

/// The figure in a line as `==1== I   refs:      1,234,567`.
fn counted(said: &str) -> Option<u64> {
    let line = said.lines().find(|line| line.contains("refs:") && line.contains(" I "))?;
    let digits: String = line.rsplit(':').next()?.chars().filter(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn the_count_is_read_from_what_valgrind_says() {
        let said = "==7== Cachegrind\n==7== Command: x\n==7== \n==7== I   refs:      12,345,678\n";
        assert_eq!(counted(said), Some(12_345_678));
        assert_eq!(counted("==7== I refs:      9\n"), Some(9));
        assert_eq!(counted("==7== D refs: 9\n"), None);
        assert_eq!(counted(""), None);
    }
}
