//! `tribunal mutate`: how many small mistakes in a policy a comparison of engines would notice.

use std::path::PathBuf;
use std::time::Instant;

use jiff::Timestamp;
use tribunal::core::engine::LoadContext;
use tribunal::core::limits::Span;
use tribunal::files::read_pack;
use tribunal_conformance::mutation::{self, MutationPlan, mutate};
use tribunal_conformance::parity::compare::{machine, revision};
use tribunal_conformance::parity::report::{Bound, FORMAT, Fate, MutationReport, Run};
use tribunal_conformance::parity::{Contestant, report};

use crate::command::parity::{Effort, command_line};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::mutation as output;
use crate::report::parity::ReportFormat;
use crate::search_progress::MutantProgress;
use crate::target::known_engine;

/// Plant small mistakes in each engine's policies, one at a time, and search for a request that tells each from the
/// original: how good `tribunal parity` is on these packs. Exit code 5 if too few are found, or a list is not current.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A pack's folder, or a name in `packs/`; may be repeated.
    #[arg(long = "pack", value_name = "NAME|PATH", required = true)]
    packs: Vec<PathBuf>,
    /// Only these engines' policies; without it, those of all that the packs offer.
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    engines: Vec<String>,
    #[command(flatten)]
    effort: Effort,
    /// So many mutants of each engine's policy, chosen by the seed; without it, all.
    #[arg(long, value_name = "N")]
    sample: Option<usize>,
    /// Only mutants whose name has this in it.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Search once more for all survivors of one policy at once, so long, and write those that nothing is found for into
    /// this file, as entries for a pack's `parity/equivalent-mutants.yaml`: each wants a person's reason.
    #[arg(long, value_name = "FILE")]
    confirm: Option<PathBuf>,
    /// How long --confirm searches; the list takes no less than ten minutes.
    #[arg(long, value_name = "TIME", value_parser = Span::parse, default_value = "10m", requires = "confirm")]
    confirm_for: Span,
    /// Fail if fewer of the mutants are found, in percent of those that load and are not listed as equivalent.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    min_kill_rate: Option<f64>,
    /// How the report is written; several with --out.
    #[arg(long, value_enum, value_name = "FORMAT", value_delimiter = ',')]
    report: Vec<ReportFormat>,
    /// Write reports into this folder as `mutation.html` and so on; all of them, unless --report says which.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

fn percent(text: &str) -> Result<f64, String> {
    let wrong = || format!("`{text}` is not a percentage from 0 to 100");
    text.parse::<f64>().ok().filter(|rate| (0.0..=100.0).contains(rate)).ok_or_else(wrong)
}

/// What a mutant is searched for where nobody says: ten seconds.
const TIME: Bound = Bound::Milliseconds(10_000);

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    if args.out.is_none() && args.report.len() > 1 {
        return Err(Failure::Usage("several reports need a folder: say --out DIR".to_owned()));
    }
    output::check(&args.report)?;
    let registry = tribunal::registry();
    for engine in &args.engines {
        known_engine(engine, &registry)?;
    }
    let started = (Timestamp::now(), Instant::now());
    let Some(bound) = args.effort.bound(TIME) else {
        return Err(Failure::Usage("--requests 0 searches for nothing".to_owned()));
    };
    let plan = MutationPlan {
        seed: args.effort.seed,
        bound,
        threads: args.effort.threads(),
        sample: args.sample,
        only: args.only.clone(),
        confirmed_by: args.confirm.as_ref().map(|_| args.confirm_for.0),
    };
    let mut candidates = Vec::new();
    let context = LoadContext::default();
    let shown = MutantProgress::new();
    let mut tables: Vec<report::MutationTable> = Vec::new();
    for pack in &args.packs {
        let pack = super::parity::shipped(pack);
        let contestant = Contestant::read(&pack.display().to_string(), read_pack(&pack)?, &registry)?;
        super::parity::offered(std::slice::from_ref(&contestant), &args.engines)?;
        let offered: Vec<String> = contestant.source.manifest.engines.keys().cloned().collect();
        let wanted: Vec<&String> = offered
            .iter()
            .filter(|engine| args.engines.is_empty() || args.engines.contains(engine))
            .collect();
        for engine in wanted {
            let name = &contestant.source.manifest.name;
            let mut tell =
                |index: usize, all: usize, _: &report::MutantResult| shown.tell(name, engine, index, all);
            let (table, equivalent) = mutate(&contestant, engine, &plan, &context, &registry, &mut tell)?;
            tables.push(table);
            candidates.extend(equivalent);
        }
    }
    shown.finish();
    if let Some(file) = &args.confirm {
        std::fs::write(file, mutation::written(&candidates))
            .map_err(|error| Failure::unwritable(file, &error))?;
    }
    let report = MutationReport {
        format: FORMAT,
        run: Run {
            command: command_line(),
            tribunal: env!("CARGO_PKG_VERSION").to_owned(),
            revision: args.packs.first().and_then(|pack| revision(&super::parity::shipped(pack))),
            machine: machine(),
            started: started.0.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            duration_ms: u64::try_from(started.1.elapsed().as_millis()).unwrap_or(u64::MAX),
        },
        seed: plan.seed,
        bound,
        tables,
    };
    if report.tables.iter().all(|table| table.mutants.is_empty()) {
        let why = match &args.only {
            Some(only) => format!("no mutant has `{only}` in its name"),
            None => "there is nothing to mutate".to_owned(),
        };
        return Err(Failure::Input(why));
    }
    output::write(&report, &args.report, args.out.as_deref())?;
    let is_stale = report.tables.iter().any(|table| !table.stale.is_empty());
    let is_low = args.min_kill_rate.is_some_and(|least| kill_rate(&report).is_none_or(|rate| rate < least));
    Ok(if is_stale || is_low { Exit::Failed } else { Exit::Success })
}

/// Mutants found, in percent of those that load and are not equivalent.
fn kill_rate(report: &MutationReport) -> Option<f64> {
    let fates = || report.tables.iter().flat_map(|table| &table.mutants).map(|mutant| &mutant.fate);
    let killed = fates().filter(|fate| **fate == Fate::Killed).count();
    let survived = fates().filter(|fate| **fate == Fate::Survived).count();
    #[expect(clippy::cast_precision_loss, reason = "a few thousand mutants")]
    (killed + survived > 0).then(|| 100.0 * killed as f64 / (killed + survived) as f64)
}
