//! `tribunal bench`: what each engine costs on a pack.

mod cmp;
mod diff;
mod gate;
mod list;
mod measure;
mod rank;
mod worker;

use tribunal::core::document::nearest;
use tribunal_benches::BenchError;
use tribunal_benches::report::BenchReport;
use tribunal_benches::report::table::Table;
use tribunal_benches::report::text::write_table;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal;

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
  tribunal bench --from before.json --format html > before.html
  tribunal bench cmp before.json cedar rego-wasm --at p99
  tribunal bench gate --candidate cedar --baseline rego-wasm --max-ratio 1.0 --at p99 --from before.json";

#[derive(Debug, clap::Subcommand)]
enum Command {
    List(list::Args),
    Cmp(cmp::Args),
    Diff(diff::Args),
    Rank(rank::Args),
    Gate(gate::Args),
    /// One process that measures one subject, for this command alone.
    #[command(hide = true)]
    Worker(worker::Args),
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    match &args.command {
        None => measure::run(&args.measure),
        Some(Command::List(args)) => list::run(args),
        Some(Command::Cmp(args)) => cmp::run(args),
        Some(Command::Diff(args)) => diff::run(args),
        Some(Command::Rank(args)) => rank::run(args),
        Some(Command::Gate(args)) => gate::run(args),
        Some(Command::Worker(args)) => worker::run(args),
    }
}

/// That a run has such a subject.
fn known_subject(report: &BenchReport, name: &str) -> Result<(), Failure> {
    if report.subject(name).is_some() {
        return Ok(());
    }
    let names = || report.subjects.iter().map(|subject| subject.name.as_str());
    let help = match nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it has {}", names().collect::<Vec<_>>().join(", ")),
    };
    Err(Failure::Input(format!("the run has no subject `{name}` ({help})")))
}

/// Writes a comparison, which has rows or is none.
fn write(table: &Table, otherwise: &str) -> Result<Exit, Failure> {
    if table.rows.is_empty() {
        return Err(Failure::Input(otherwise.to_owned()));
    }
    write_table(&mut terminal::stdout(), table, Some(terminal::width()))?;
    Ok(Exit::Success)
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
