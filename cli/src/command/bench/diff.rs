//! `tribunal bench diff`: two runs.

use std::path::PathBuf;

use tribunal_benches::compare;
use tribunal_benches::statistics::Quantile;

use super::{measure, write};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::{self, complain};

/// What has changed from one run to another, on the same machine. Their processes were not measured side by side: only
/// figures that lie wholly apart are called faster or slower.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The earlier report.
    #[arg(value_name = "BEFORE")]
    before: PathBuf,
    /// The later report.
    #[arg(value_name = "AFTER")]
    after: PathBuf,
    /// By which figure: mean, p50, p90, p99 or p99.9.
    #[arg(long, value_name = "QUANTILE", value_parser = Quantile::parse, default_value = "p50")]
    at: Quantile,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let (before, after) = (measure::read(&args.before)?, measure::read(&args.after)?);
    let found = compare::diff(&before, &after, args.at);
    for warning in &found.warnings {
        complain("warning", &terminal::plain(warning));
    }
    write(&found.table, "the two runs have no row in common")
}
