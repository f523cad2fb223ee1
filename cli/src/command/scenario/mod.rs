//! `tribunal scenario`: play attacks in several steps.

mod test;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;

/// Play attacks in several steps.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Test(test::Args),
}

pub(crate) fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Test(args) => test::run(args),
    }
}
