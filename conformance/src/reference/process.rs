//! Programs that are run to their end: where they are, and what they say.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a program may take that only has to answer. A wall clock that denies is one that a busy machine can trip, so
/// it is far more than any needs.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Between two looks at whether a program has ended.
const LOOK: Duration = Duration::from_micros(500);

/// The program to run, and where it was looked for, for whoever has to install it.
pub(super) fn find(command: &'static str, variable: &str, binary: Option<&Path>) -> (PathBuf, String) {
    if let Some(binary) = binary {
        return (binary.to_owned(), format!("`{}` was asked for", binary.display()));
    }
    match env::var_os(variable).filter(|named| !named.is_empty()) {
        Some(named) => {
            let program = PathBuf::from(named);
            let looked = format!("{variable} names `{}`", program.display());
            (program, looked)
        }
        None => (
            PathBuf::from(command),
            format!("{variable} is not set, and `{command}` is looked for on the PATH"),
        ),
    }
}

/// What a program said, on both of its outputs, and how it ended.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) status: ExitStatus,
    pub(super) text: String,
}

/// Runs a program to its end. Its outputs go through a file in `folder`.
///
/// # Errors
/// If it does not start, or does not end within [`PATIENCE`].
pub(super) fn run(command: &mut Command, folder: &Path) -> io::Result<Said> {
    let output = tempfile::NamedTempFile::new_in(folder)?;
    let both = output.reopen()?;
    let mut child = command.stdin(Stdio::null()).stdout(both.try_clone()?).stderr(both).spawn()?;
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if started.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            let message = format!("it did not end within {} s", PATIENCE.as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        }
        thread::sleep(LOOK);
    };
    Ok(Said { status, text: text(output.path())? })
}

/// A file's text, whatever its bytes.
pub(super) fn text(file: &Path) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&fs::read(file)?).into_owned())
}
