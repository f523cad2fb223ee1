//! `tribunal bench rank`: everybody against the best.

use std::path::PathBuf;

use tribunal_benches::compare;
use tribunal_benches::statistics::Quantile;

use super::{measure, write};
use crate::exit::Exit;
use crate::failure::Failure;

/// Rank the engines of a run by the geometric mean of their ratios to the best, over the rows of decisions that all of them
/// have.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A report, made with --save or --format json.
    #[arg(value_name = "REPORT")]
    report: PathBuf,
    /// By which figure: mean, p50, p90, p99 or p99.9.
    #[arg(long, value_name = "QUANTILE", value_parser = Quantile::parse, default_value = "p50")]
    at: Quantile,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let report = measure::read(&args.report)?;
    write(&compare::rank(&report, args.at), "no row has every engine")
}
