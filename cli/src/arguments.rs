//! The command line.

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use crate::command;
use crate::exit::Exit;
use crate::failure::Failure;

/// Decide requests by policy packs on several engines, behind one decision contract.
#[derive(Debug, Parser)]
#[command(name = "tribunal", version, after_help = EXIT_CODES, disable_help_subcommand = true, max_term_width = 110)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes:
  0   allow, or success
  1   this tool failed; a decision that could not be recorded
  2   deny
  3   step_up
  4   redact
  5   a comparison, a test or a gate failed
  64  wrong usage
  65  bad input: a request, a deployment or a pack that cannot be read";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Eval(command::eval::Args),
    Check(command::check::Args),
    Engines(command::engines::Args),
    #[command(subcommand)]
    Pack(command::pack::Command),
    Parity(Box<command::parity::Args>),
    Mutate(command::mutate::Args),
    Suites(command::suites::Args),
    Bench(Box<command::bench::Args>),
    #[command(subcommand)]
    Scenario(command::scenario::Command),
    Apply(command::apply::Args),
    Schema(command::schema::Args),
    Completions(command::completions::Args),
    Man(command::man::Args),
}

/// How answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Reads the command line; help and version are printed here.
pub(crate) fn parse() -> Result<Arguments, Failure> {
    Arguments::try_parse().or_else(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            error.print()?;
            std::process::exit(0)
        }
        // The whole help, for who gave no command at all.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            error.print()?;
            std::process::exit(Exit::Usage.code().into())
        }
        // Never by clap itself: the text quotes the command line as it came.
        _ => Err(Failure::Usage(
            error.render().to_string().trim_end().trim_start_matches("error: ").to_owned(),
        )),
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Arguments::command().debug_assert();
    }
}
