//! `tribunal pack`: write, list, look at, build and test packs.

mod build;
mod list;
mod new;
mod show;
mod test;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;

pub(crate) use list::Listed;

/// Write, list, look at, build and test packs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    New(new::Args),
    List(list::Args),
    Show(show::Args),
    Build(build::Args),
    Test(test::Args),
}

pub(crate) fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::New(args) => new::run(args),
        Command::List(args) => list::run(args),
        Command::Show(args) => show::run(args),
        Command::Build(args) => build::run(args),
        Command::Test(args) => test::run(args),
    }
}
