//! `tribunal bench`: a run, or a report written again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tribunal::LoadErrors;
use tribunal::core::document::nearest;
use tribunal::core::limits::Span;
use tribunal::files::read_file;
use tribunal_benches::definition::{self, EMBEDDED, Measurement};
use tribunal_benches::flamegraph::Flamegraphs;
use tribunal_benches::launch::Processes;
use tribunal_benches::model::Model;
use tribunal_benches::report::splice::splice as put;
use tribunal_benches::report::{BenchReport, excerpt, read_json};
use tribunal_benches::subject::Catalogue;
use tribunal_benches::{Plan, Progress, embedded, run as measure};

use crate::command::parity::command_line;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::bench::{self as output, BenchFormat};
use crate::target::known_engine;
use crate::terminal::{self, complain};

/// About how long a run takes where nobody says.
const DEFAULT_TIME: Duration = Duration::from_secs(60);
/// Processes for each figure where nobody says: the fewest from which an interval can be drawn.
const DEFAULT_TURNS: u32 = 5;

/// What is measured, and where it goes.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// A pack's folder, a name in `packs/`, or the one that this program carries. [default: tool-allowlist]
    #[arg(long, value_name = "NAME|PATH")]
    pack: Option<String>,
    /// Only these engines, and what stands beside them; without it, all.
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    engines: Vec<String>,
    /// Requests in place of the pack's cases: a request a line, or an array.
    #[arg(long, value_name = "FILE")]
    requests: Option<PathBuf>,
    /// About how long it takes, as `30s` or `5m`; loading packs comes on top.
    #[arg(long, value_name = "TIME", value_parser = Span::parse, default_value_t = Span(DEFAULT_TIME))]
    time: Span,
    /// Processes for each figure. With fewer than five nothing is called faster.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_TURNS, value_parser = clap::value_parser!(u32).range(1..=1000))]
    turns: u32,
    /// What is measured: a name from `bench list`, or a file of measurements.
    #[arg(long, value_name = "NAME|FILE", default_value = "quick")]
    definition: String,
    /// Take decisions apart, too: the time of each stage, for each engine.
    #[arg(long)]
    breakdown: bool,
    /// Draw where the time of decisions goes, an SVG in this folder for each subject that decides warm. Where `perf` is not to be
    /// had, nothing is drawn. Takes some seconds more for each.
    #[arg(long, value_name = "DIR")]
    flamegraph: Option<PathBuf>,
    /// The subject that others are compared with; without it, the first.
    #[arg(long, value_name = "SUBJECT")]
    baseline: Option<String>,
    /// Keep the report as JSON in this file, written anew after each turn.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// How the report is written; several with --out.
    #[arg(long, value_enum, value_name = "FORMAT", value_delimiter = ',')]
    format: Vec<BenchFormat>,
    /// Write reports into this folder as `bench.html` and so on; all of them, unless --format says which.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Put the figures of every engine into this document, between the marks that it has for them.
    #[arg(long, value_name = "FILE")]
    splice: Option<PathBuf>,
    /// Write a report again from its JSON; nothing is measured.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pack", "engines", "requests", "baseline", "save", "flamegraph"])]
    from: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    if args.out.is_none() && args.format.len() > 1 {
        return Err(Failure::Usage("several reports need a folder: say --out DIR".to_owned()));
    }
    let report = match &args.from {
        Some(file) => read(file)?,
        None => make(args)?,
    };
    output::write(&report, &args.format, args.out.as_deref())?;
    if let Some(file) = &args.splice {
        splice(&report, file)?;
    }
    if args.from.is_none()
        && let Some(why) = &report.run.cut_short
    {
        complain("error", &format!("the run ended early: {why}; what was measured before is shown"));
        return Ok(Exit::Tool);
    }
    Ok(if report.disagrees() { Exit::Failed } else { Exit::Success })
}

/// Reads a report from its JSON.
pub(crate) fn read(file: &Path) -> Result<BenchReport, Failure> {
    let text = read_file(file).map_err(LoadErrors::from)?;
    read_json(&text).map_err(|error| Failure::Input(format!("{}: {error}", file.display())))
}

/// Makes one measurement of a definition, as long as a run takes by itself.
pub(super) fn only(definition: &str, measurement: &str, pack: Option<&str>) -> Result<BenchReport, Failure> {
    let args = Args {
        pack: pack.map(str::to_owned),
        engines: Vec::new(),
        requests: None,
        time: Span(DEFAULT_TIME),
        turns: DEFAULT_TURNS,
        definition: definition.to_owned(),
        breakdown: false,
        flamegraph: None,
        baseline: None,
        save: None,
        format: Vec::new(),
        out: None,
        splice: None,
        from: None,
    };
    make_of(&args, Some(measurement))
}

fn make(args: &Args) -> Result<BenchReport, Failure> {
    make_of(args, None)
}

/// Measures; only one measurement, if it is named.
fn make_of(args: &Args, only: Option<&str>) -> Result<BenchReport, Failure> {
    let registry = tribunal::registry();
    for engine in &args.engines {
        known_engine(engine, &registry)?;
    }
    let catalogue = Catalogue::new(&registry);
    if let Some(baseline) = &args.baseline
        && catalogue.get(baseline).is_none()
    {
        let help = match nearest(baseline, catalogue.iter().map(|candidate| candidate.name())) {
            Some(name) => format!("did you mean `{name}`?"),
            None => "`tribunal bench list` shows them".to_owned(),
        };
        return Err(Failure::Usage(format!("there is no subject `{baseline}` ({help})")));
    }
    let (mut measurements, beside) = definition(&args.definition, &catalogue)?;
    if let Some(only) = only {
        measurements.retain(|measurement| measurement.name == only);
        if measurements.is_empty() {
            return Err(Failure::Input(format!("`{}` has no measurement `{only}`", args.definition)));
        }
    }
    if args.breakdown && !measurements.iter().any(|measurement| measurement.model == Model::Breakdown) {
        measurements.extend(breakdown(&catalogue)?);
    }
    let requests = args.requests.as_ref().map(|file| {
        let text = read_file(file).map_err(LoadErrors::from)?;
        Ok::<_, Failure>(tribunal_benches::run::read_requests(&file.display().to_string(), &text)?)
    });
    let launcher = Processes {
        program: std::env::current_exe()
            .map_err(|error| Failure::Tool(format!("this program cannot be found again: {error}")))?,
        arguments: ["bench", "worker"].map(str::to_owned).to_vec(),
    };
    let flamegraphs = args.flamegraph.as_ref().map(|folder| {
        let mut worker = launcher.clone();
        worker.arguments.push("--name-compiled-code".to_owned());
        Flamegraphs::new(folder, worker).map_err(|error| Failure::unwritable(folder, &error))
    });
    let plan = Plan {
        measurements,
        definition: args.definition.clone(),
        beside,
        pack: args.pack.clone().unwrap_or_else(|| embedded::DEFAULT.to_owned()),
        requests: requests.transpose()?,
        engines: args.engines.clone(),
        time: args.time.0,
        turns: args.turns,
        baseline: args.baseline.clone(),
        command: command_line(),
        flamegraphs: flamegraphs.transpose()?,
    };
    if cfg!(debug_assertions) {
        complain("warning", "this program is not optimised: no figure of it says anything");
    }
    let interrupted = interruption()?;
    let bar = bar();
    let mut unsaved = None;
    let mut keep = |report: &BenchReport| {
        let Some(file) = &args.save else { return };
        if let Err(failure) = save(report, file) {
            unsaved = Some(failure);
        }
    };
    let mut tell = |progress: &Progress| {
        bar.set_length(progress.all as u64);
        bar.set_position(progress.done as u64);
        bar.set_message(progress.at.clone());
    };
    let report = measure(&plan, &catalogue, &registry, &launcher, &interrupted, &mut tell, &mut keep)?;
    bar.finish_and_clear();
    keep(&report);
    match unsaved {
        Some(failure) => Err(failure),
        None => Ok(report),
    }
}

/// The measurement that takes decisions apart.
fn breakdown(catalogue: &Catalogue) -> Result<Option<Measurement>, Failure> {
    let (measurements, _) = definition("full", catalogue)?;
    Ok(measurements.into_iter().find(|measurement| measurement.model == Model::Breakdown))
}

/// What is measured, and the folder that its packs are seen from.
fn definition(name: &str, catalogue: &Catalogue) -> Result<(Vec<Measurement>, PathBuf), Failure> {
    if let Some((name, text)) = definition::embedded(name) {
        let file = format!("{name}.yaml (carried by this program)");
        return Ok((definition::read(&file, text.as_bytes(), catalogue)?, PathBuf::new()));
    }
    let path = Path::new(name);
    if !path.exists() && path.components().count() == 1 && path.extension().is_none() {
        let names: Vec<&str> = EMBEDDED.iter().map(|(name, ..)| *name).collect();
        let help = match nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}, or name a file", names.join(", ")),
        };
        return Err(Failure::Input(format!("there is no definition `{name}` ({help})")));
    }
    let text = read_file(path).map_err(LoadErrors::from)?;
    let beside = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    Ok((definition::read(&path.display().to_string(), &text, catalogue)?, beside))
}

/// Puts an excerpt of a report into a document.
fn splice(report: &BenchReport, file: &Path) -> Result<(), Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::unreadable(file, &error))?;
    let mut figures = Vec::new();
    excerpt(report, &mut figures)?;
    let spliced = put(&text, &String::from_utf8_lossy(&figures))
        .map_err(|error| Failure::Input(format!("{}: {error}", file.display())))?;
    std::fs::write(file, spliced).map_err(|error| Failure::unwritable(file, &error))
}

/// Writes a report whole, or leaves the one that is there.
fn save(report: &BenchReport, file: &Path) -> Result<(), Failure> {
    let unwritable = |error: std::io::Error| Failure::unwritable(file, &error);
    let mut text = Vec::new();
    output::json(report, &mut text).map_err(unwritable)?;
    let mut beside = file.as_os_str().to_owned();
    beside.push(".part");
    std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, file)).map_err(unwritable)
}

/// Is set by Ctrl-C and by a request to end.
fn interruption() -> Result<Arc<AtomicBool>, Failure> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, interrupted.clone())
            .map_err(|error| Failure::Tool(format!("signals cannot be listened to: {error}")))?;
    }
    Ok(interrupted)
}

/// A bar for whoever watches.
fn bar() -> ProgressBar {
    if !terminal::is_watched() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    match ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed}  {msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
