//! `tribunal bench cmp`: two subjects of one run.

use std::path::PathBuf;

use tribunal_benches::compare;
use tribunal_benches::statistics::Quantile;

use super::{known_subject, measure, write};
use crate::exit::Exit;
use crate::failure::Failure;

/// Compare two subjects of a run, row by row, with the geometric mean over the rows of decisions that have both.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A report, made with --save or --format json.
    #[arg(value_name = "REPORT")]
    report: PathBuf,
    /// One.
    #[arg(value_name = "SUBJECT")]
    first: String,
    /// The other.
    #[arg(value_name = "OTHER")]
    second: String,
    /// By which figure: mean, p50, p90, p99 or p99.9.
    #[arg(long, value_name = "QUANTILE", value_parser = Quantile::parse, default_value = "p50")]
    at: Quantile,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let report = measure::read(&args.report)?;
    for subject in [&args.first, &args.second] {
        known_subject(&report, subject)?;
    }
    write(&compare::cmp(&report, &args.first, &args.second, args.at), "the two were never measured together")
}
