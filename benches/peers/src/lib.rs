//! What the programs of this package share: a job comes in as JSON, one line of JSON goes out.
//!
//! Each program is another library that decides what Tribunal decides, used as its own documentation shows, and timed by its
//! own clock. Tribunal's `bench` starts them as `peer:opa-wasm` and `peer:regorus`, and holds their answers against its own.
//!
//! - [`protocol`]: the job and the line
//! - [`stopwatch`]: the timing, as Tribunal's own workers time

pub mod protocol;
pub mod stopwatch;

use std::error::Error;
use std::io::{Write, stderr, stdin, stdout};
use std::process::ExitCode;

use serde::de::DeserializeOwned;

use protocol::{Job, Said};

/// Reads a job, has it done, and says what came of it: exit code 0 with a line, 1 with a line that has an error, 2 if there is
/// no job, or nobody to say it to.
///
/// What was found before an error stays in the line.
pub fn serve<P: DeserializeOwned>(
    version: &str,
    work: impl FnOnce(&Job<P>, &mut Said) -> Result<(), Box<dyn Error>>,
) -> ExitCode {
    let job: Job<P> = match serde_json::from_reader(stdin().lock()) {
        Ok(job) => job,
        Err(error) => return complain(&format!("standard input is no job: {error}")),
    };
    let mut said = Said::by(version);
    said.error = work(&job, &mut said).err().map(|error| whole(error.as_ref()));
    match serde_json::to_string(&said).map(|line| writeln!(stdout(), "{line}")) {
        Ok(Ok(())) => ExitCode::from(u8::from(said.error.is_some())),
        Ok(Err(error)) => complain(&error.to_string()),
        Err(error) => complain(&error.to_string()),
    }
}

fn complain(message: &str) -> ExitCode {
    // Without standard error the exit code has to do.
    drop(writeln!(stderr(), "error: {message}"));
    ExitCode::from(2)
}

/// An error with its causes, which is where a trap says what it was.
fn whole(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
