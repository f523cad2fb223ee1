//! The command `tribunal`: decide requests, check deployments, build and test packs.
//!
//! # Map
//! - [`arguments`]: the command line
//! - [`command`]: one file a command
//! - [`exit`]: exit codes, which are API
//! - [`failure`]: what keeps a command from doing its work
//! - [`terminal`]: what reaches a terminal, and what never does
//! - [`target`]: which deployment or pack a command is about
//! - [`input`]: one request or many, read with bounds
//! - [`pipeline`]: many requests at once, answered in their order
//! - [`evaluator`]: one request decided, explained and compared
//! - [`lineup`]: the same packs on every engine
//! - [`ledger`]: decisions written down, such that all that is written tells the outcome that counts
//! - [`recorder`]: a record of each, a line of one file
//! - [`artifact`]: the same for others to read, a file each
//! - [`report`]: answers for people
//! - [`beside`]: references and tokens beside a comparison
//! - [`search_progress`]: how far a search has come
//! - [`template`]: packs that new packs start from
//! - [`schemas`]: the JSON Schemas of every file

mod arguments;
mod artifact;
mod beside;
mod command;
mod evaluator;
mod exit;
mod failure;
mod input;
mod ledger;
mod lineup;
mod pipeline;
mod recorder;
mod report;
mod schemas;
mod search_progress;
mod target;
mod template;
mod terminal;

fn main() -> std::process::ExitCode {
    let exit =
        arguments::parse().and_then(|arguments| command::run(&arguments.command)).unwrap_or_else(|failure| {
            failure.report();
            failure.exit()
        });
    exit.into()
}
