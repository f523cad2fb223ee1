//! `tribunal pack`: write, look at, build and test packs.

mod build;
mod new;
mod show;
mod test;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;

/// Write, look at, build and test packs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    New(new::Args),
    Show(show::Args),
    Build(build::Args),
    Test(test::Args),
}

pub(crate) fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::New(args) => new::run(args),
        Command::Show(args) => show::run(args),
        Command::Build(args) => build::run(args),
        Command::Test(args) => test::run(args),
    }
}
