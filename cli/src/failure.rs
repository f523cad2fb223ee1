//! What keeps a command from doing its work.

use std::io;
use std::path::Path;

use tribunal::LoadErrors;

use crate::exit::Exit;
use crate::report::problems;
use crate::terminal::{self, plain_lines};

/// A failure of a command. A decision that says no is not one.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line is wrong.
    Usage(String),
    /// Something the command was given cannot be read.
    Input(String),
    /// A deployment or a pack is refused.
    Load(LoadErrors),
    /// The work cannot be done here.
    Tool(String),
    /// The answer could not be written.
    Output(io::Error),
}

impl Failure {
    /// That a file cannot be read.
    pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Failure::Input(format!("`{}` cannot be read: {error}", path.display()))
    }

    /// That a file cannot be written.
    pub(crate) fn unwritable(path: &Path, error: &io::Error) -> Self {
        Failure::Tool(format!("`{}` cannot be written: {error}", path.display()))
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Failure::Usage(_) => Exit::Usage,
            Failure::Input(_) | Failure::Load(_) => Exit::Input,
            Failure::Tool(_) | Failure::Output(_) => Exit::Tool,
        }
    }

    /// Says on standard error what is wrong. Whoever has closed standard output knows already.
    pub(crate) fn report(&self) {
        match self {
            Failure::Usage(message) | Failure::Input(message) | Failure::Tool(message) => {
                terminal::complain("error", &plain_lines(message));
            }
            Failure::Load(errors) => problems::complain(errors.iter()),
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Failure::Output(error) => {
                terminal::complain("error", &format!("the answer cannot be written: {error}"))
            }
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Output(error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Failure::Output(error.into())
    }
}

impl From<LoadErrors> for Failure {
    fn from(errors: LoadErrors) -> Self {
        Failure::Load(errors)
    }
}
