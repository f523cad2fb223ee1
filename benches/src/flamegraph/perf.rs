//! Recording a worker with `perf`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;

use tempfile::TempDir;

use super::fold::{Folded, processes};
use crate::launch::{Launcher, Processes};
use crate::worker::{Job, Report};

/// Samples a second: of some seconds, enough to tell a hundredth. Not a number that anything else repeats at.
const FREQUENCY: &str = "499";

/// Programs are built without frame pointers, so each sample takes the stack with it, up to the most that the kernel gives:
/// engines that call themselves for each part of an expression need it.
const CALLERS: &str = "dwarf,65528";

/// Where the kernel says what may be looked at.
const PARANOID: &str = "/proc/sys/kernel/perf_event_paranoid";

/// Where a recording lies.
fn data(folder: &Path) -> PathBuf {
    folder.join("perf.data")
}

fn recording(folder: &Path) -> Vec<String> {
    // The program lies where it was: no copy of it for later.
    let options = ["record", "--quiet", "--no-buildid-cache", "--freq", FREQUENCY, "--call-graph", CALLERS];
    let output = ["--output".to_owned(), data(folder).display().to_string(), "--".to_owned()];
    options.into_iter().map(str::to_owned).chain(output).collect()
}

/// Whether `perf` is there and may look at a process of ours.
///
/// # Errors
/// Why not, in a line.
pub(super) fn permitted() -> Result<(), String> {
    let folder = TempDir::with_prefix("tribunal-flamegraph-").map_err(|error| error.to_string())?;
    let mut perf = command();
    perf.args(recording(folder.path())).arg("true").stdin(Stdio::null());
    let output = perf
        .output()
        .map_err(|error| format!("`perf` draws on what it records, and cannot be started: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let paranoid = fs::read_to_string(PARANOID).ok();
    Err(refusal(&said, paranoid.as_deref()))
}

/// What `perf` says, in a line.
fn refusal(said: &str, paranoid: Option<&str>) -> String {
    let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty() && *line != "Error:");
    let line = lines.next().unwrap_or("nothing was said").trim_end_matches('.');
    match paranoid {
        Some(level) => {
            format!("`perf record` is refused: {line} (`perf_event_paranoid` is {})", level.trim())
        }
        None => format!("`perf record` is refused: {line}"),
    }
}

fn command() -> Command {
    let mut perf = Command::new("perf");
    // Nobody's preferences for colours and pagers.
    perf.env("PERF_CONFIG", "/dev/null").env("LC_ALL", "C");
    perf
}

/// Runs a worker for a job under `perf`, and folds the stacks it was found in.
pub(super) fn stacks(worker: &Processes, job: &Job, interrupted: &AtomicBool) -> Result<Folded, String> {
    let folder = TempDir::with_prefix("tribunal-flamegraph-").map_err(|error| error.to_string())?;
    let mut arguments = recording(folder.path());
    // Nothing stands between `perf` and the worker: of a program that becomes another, `perf` takes the libraries of the first
    // for those of the second, and finds no callers in them.
    arguments.push(worker.program.display().to_string());
    arguments.extend(worker.arguments.iter().cloned());
    let perf = Processes { program: PathBuf::from("perf"), arguments };
    match perf.run(job, interrupted) {
        None => return Err("the run was interrupted".to_owned()),
        Some(Report::Measured(_)) => {}
        Some(Report::Unavailable(why)) => return Err(why.to_string()),
        Some(Report::Changed { request, .. }) => return Err(format!("`{request}` was answered in two ways")),
    }
    let mut script = command();
    script
        .args(["script", "--no-inline", "--fields", "pid,time,ip,sym,dso", "--input"])
        .arg(data(folder.path()));
    let output = script.stdin(Stdio::null()).output().map_err(|error| format!("`perf script`: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    for process in processes(&text) {
        // wasmtime leaves the names of compiled code there. Where nothing was compiled, there is nothing.
        drop(fs::remove_file(format!("/tmp/perf-{process}.map")));
    }
    if !output.status.success() {
        return Err(refusal(&String::from_utf8_lossy(&output.stderr), None));
    }
    Folded::read(&text)
}

#[cfg(test)]
mod tests {
    use super::refusal;

    #[test]
    fn a_refusal_is_a_line() {
        let said = "Error:\nAccess to performance monitoring and observability operations is limited.\nConsider adjusting\n";
        assert_eq!(
            refusal(said, Some("4\n")),
            "`perf record` is refused: Access to performance monitoring and observability operations is limited \
             (`perf_event_paranoid` is 4)"
        );
        assert_eq!(refusal("", None), "`perf record` is refused: nothing was said");
    }
}
