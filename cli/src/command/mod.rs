//! The commands, one file each.

pub(crate) mod apply;
pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod engines;
pub(crate) mod eval;
pub(crate) mod man;
pub(crate) mod mutate;
pub(crate) mod pack;
pub(crate) mod parity;
pub(crate) mod scenario;
pub(crate) mod schema;
pub(crate) mod suites;

use crate::arguments::Command;
use crate::exit::Exit;
use crate::failure::Failure;

/// Runs a command.
pub(crate) fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Eval(args) => eval::run(args),
        Command::Check(args) => check::run(args),
        Command::Engines(args) => engines::run(args),
        Command::Pack(command) => pack::run(command),
        Command::Parity(args) => parity::run(args),
        Command::Mutate(args) => mutate::run(args),
        Command::Suites(args) => suites::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Scenario(command) => scenario::run(command),
        Command::Apply(args) => apply::run(args),
        Command::Schema(args) => schema::run(args),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
    }
}
