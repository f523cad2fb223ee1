//! `tribunal bench`: what each engine costs on a pack.

mod list;
mod measure;
mod worker;

use crate::exit::Exit;
use crate::failure::Failure;
use tribunal_benches::BenchError;

/// Measure what each engine costs on a pack: loading, deciding, threads, memory. Answers are compared before anything is
/// timed. Without arguments: a pack that this program carries, on every engine, in about a minute. Exit code 5 if engines
/// disagree.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    measure: measure::Args,
}

const EXAMPLES: &str = "Examples:
  tribunal bench
  tribunal bench --pack packs/session-budget --engines cedar,rego-wasm --save before.json
  tribunal bench --pack my-pack --requests traffic.ndjson --out report
  tribunal bench --from before.json --format html > before.html";

#[derive(Debug, clap::Subcommand)]
enum Command {
    List(list::Args),
    #[command(hide = true)]
    Worker,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    match &args.command {
        None => measure::run(&args.measure),
        Some(Command::List(args)) => list::run(args),
        Some(Command::Worker) => worker::run(),
    }
}

impl From<BenchError> for Failure {
    fn from(error: BenchError) -> Self {
        match error {
            BenchError::Load(errors) => Failure::Load(errors),
            BenchError::Input(message) => Failure::Input(message),
            BenchError::Io(_) => Failure::Tool(error.to_string()),
        }
    }
}
