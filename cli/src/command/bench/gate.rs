//! `tribunal bench gate`: whether a candidate costs at most so many times what a baseline costs.

use std::io::Write;
use std::path::PathBuf;

use tribunal_benches::gate::{Decided, Gate};
use tribunal_benches::report::figures::{three, times};
use tribunal_benches::statistics::{Quantile, Ratio};

use super::measure;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal;

/// Fail, with exit code 5, unless a run shows that a candidate costs at most so many times what a baseline costs. Decided by
/// the 95 % interval: one that has the limit in it does not pass, nor does a run that is not optimised or ended early.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Who must not cost more, as `cedar`.
    #[arg(long, value_name = "SUBJECT")]
    candidate: String,
    /// Than whom, as `rego-wasm`.
    #[arg(long, value_name = "SUBJECT")]
    baseline: String,
    /// How many times as much at most.
    #[arg(long, value_name = "RATIO", default_value_t = 1.0, value_parser = positive)]
    max_ratio: f64,
    /// By which figure: mean, p50, p90, p99 or p99.9.
    #[arg(long, value_name = "QUANTILE", value_parser = Quantile::parse, default_value = "p50")]
    at: Quantile,
    /// In which measurement.
    #[arg(long, value_name = "NAME", default_value = "decide")]
    measurement: String,
    /// At which value of the size that the measurement varies.
    #[arg(long, value_name = "N")]
    value: Option<u64>,
    /// Decide by this report; without it, the measurement is made now.
    #[arg(long, value_name = "REPORT")]
    from: Option<PathBuf>,
    /// What is measured without --from: a name from `bench list`, or a file of measurements.
    #[arg(long, value_name = "NAME|FILE", default_value = "quick", conflicts_with = "from")]
    definition: String,
    /// The pack that is measured without --from.
    #[arg(long, value_name = "NAME|PATH", conflicts_with = "from")]
    pack: Option<String>,
}

fn positive(text: &str) -> Result<f64, String> {
    let found = text.parse::<f64>().ok().filter(|ratio| ratio.is_finite() && *ratio > 0.0);
    found.ok_or_else(|| format!("`{text}` is not a ratio above 0"))
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let report = match &args.from {
        Some(file) => measure::read(file)?,
        None => measure::only(&args.definition, &args.measurement, args.pack.as_deref())?,
    };
    let gate = Gate {
        candidate: args.candidate.clone(),
        baseline: args.baseline.clone(),
        measurement: args.measurement.clone(),
        value: args.value,
        at: args.at,
        max_ratio: args.max_ratio,
    };
    for subject in [&args.candidate, &args.baseline] {
        super::known_subject(&report, subject)?;
    }
    let decided = gate.decide(&report).map_err(|error| Failure::Input(error.to_string()))?;
    let limit = three(args.max_ratio);
    let say = |ratio: &Ratio, word: &str| {
        format!(
            "`{}` costs {} what `{}` costs, at {} of `{}` over {} turns: {word} {limit} ×",
            args.candidate,
            times(ratio),
            args.baseline,
            args.at.as_str(),
            args.measurement,
            ratio.turns,
        )
    };
    let (sentence, exit) = match &decided {
        Decided::Holds(ratio) => (say(ratio, "pass, at most"), Exit::Success),
        Decided::Broken(ratio) => (say(ratio, "FAIL, more than"), Exit::Failed),
        Decided::NotShown(ratio) => (say(ratio, "FAIL, not shown to be at most"), Exit::Failed),
        Decided::Unfit(why) => (format!("FAIL, nothing is shown: {why}"), Exit::Failed),
    };
    writeln!(terminal::stdout(), "{}", terminal::plain(&sentence))?;
    Ok(exit)
}
