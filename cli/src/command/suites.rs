//! `tribunal suites`: the suites of others, on the engines they are for.

use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use tribunal::Registry;
use tribunal::core::document::nearest;
use tribunal_conformance::parity::report::SuiteTable;
use tribunal_conformance::suites::counts::Counts;
use tribunal_conformance::suites::{
    DEFAULT_FOLDER, FOLDER_VARIABLE, SuiteError, SuiteName, run as run_suite,
};

use crate::arguments::Format;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::suites;
use crate::target::known_engine;
use crate::terminal::{self, complain, plain};

/// Run upstream suites: OPA's, Cedar's, Biscuit's, AuthZEN's, and the probes of Rego.
///
/// Cases that do not pass are held against the lists of known divergences in both directions. Exit code 5 if one is not listed,
/// if a listed one passes, or if fewer pass than did. rego-wasm needs `opa`; TRIBUNAL_CACHE names a folder that keeps what it
/// builds.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A suite; may be given several times. All without it
    #[arg(long = "suite", value_name = "NAME")]
    suites: Vec<String>,
    /// An engine; may be given several times. All that a suite is for without it
    #[arg(long = "engine", value_name = "ID")]
    engines: Vec<String>,
    /// The folder of the suites; `TRIBUNAL_SUITES`, or `../shared/suites`, without it
    #[arg(long = "suites", value_name = "DIR")]
    folder: Option<PathBuf>,
    /// How the tables are written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let registry = tribunal::registry();
    let Suites { tables, fallen } = run_all(&args.suites, &args.engines, args.folder.as_deref(), &registry)?;
    match args.format {
        Format::Json => terminal::print_json(&tables)?,
        Format::Text => suites::write(&mut terminal::stdout(), &tables)?,
    }
    if tables.iter().all(|table| table.skipped.is_some()) {
        return Err(Failure::Input("every suite was skipped: nothing was run".to_owned()));
    }
    for sentence in &fallen {
        complain("error", &plain(sentence));
    }
    match fallen.is_empty() && tables.iter().all(SuiteTable::holds) {
        true => Ok(Exit::Success),
        false => Ok(Exit::Failed),
    }
}

/// What suites came to.
pub(crate) struct Suites {
    /// A table for each suite and engine.
    pub(crate) tables: Vec<SuiteTable>,
    /// Where fewer cases pass than did, a sentence each.
    pub(crate) fallen: Vec<String>,
}

/// Runs suites on engines; all there are, where none is named.
///
/// # Errors
/// Names of which there are none, a folder that is not there, a suite that cannot be read.
pub(crate) fn run_all(
    suites: &[String],
    engines: &[String],
    folder: Option<&Path>,
    registry: &Registry,
) -> Result<Suites, Failure> {
    let chosen = chosen(suites, engines, registry)?;
    let folder = folder
        .map(Path::to_owned)
        .or_else(|| std::env::var_os(FOLDER_VARIABLE).map(PathBuf::from))
        .unwrap_or_else(|| DEFAULT_FOLDER.into());
    if !folder.is_dir() {
        let message = format!("the folder of the suites, `{}`, is not there", folder.display());
        return Err(Failure::Input(message));
    }
    let counts = Counts::committed()?;
    let mut tables = Vec::new();
    let mut fallen = Vec::new();
    for (suite, engine) in chosen {
        let bar = bar(suite, engine);
        let table = run_suite(suite, engine, &folder, registry, &|done, total| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        });
        bar.finish_and_clear();
        let table = table?;
        if let Some(reason) = &table.skipped {
            complain("warning", &plain(&format!("{suite} on {engine} is skipped: {reason}")));
        }
        let shortfall = counts.shortfall(&table);
        fallen.extend(shortfall.fallen);
        fallen.extend(shortfall.smaller);
        tables.push(table);
    }
    Ok(Suites { tables, fallen })
}

/// The suites with their engines, in the order of the suites.
fn chosen(
    suites: &[String],
    engines: &[String],
    registry: &Registry,
) -> Result<Vec<(SuiteName, &'static str)>, Failure> {
    if let Some(name) = suites.iter().find(|name| SuiteName::of(name).is_none()) {
        let names = SuiteName::ALL.map(SuiteName::as_str);
        let help = match nearest(name, names) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("there are {}", names.join(", ")),
        };
        return Err(Failure::Usage(format!("there is no suite `{name}` ({help})")));
    }
    for engine in engines {
        known_engine(engine, registry)?;
    }
    let is_chosen = |list: &[String], name: &str| list.is_empty() || list.iter().any(|chosen| chosen == name);
    let mut chosen = Vec::new();
    for suite in SuiteName::ALL.into_iter().filter(|suite| is_chosen(suites, suite.as_str())) {
        let engines = suite.engines().iter().copied().filter(|engine| is_chosen(engines, engine));
        chosen.extend(engines.map(|engine| (suite, engine)));
    }
    if chosen.is_empty() {
        let engines = engines.join(", ");
        return Err(Failure::Usage(format!("{} is not for {engines}", suites.join(", "))));
    }
    Ok(chosen)
}

/// A bar for whoever watches.
fn bar(suite: SuiteName, engine: &str) -> ProgressBar {
    if !terminal::shows_progress() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0).with_message(format!("{suite} on {engine}"));
    match ProgressStyle::with_template("{bar:40} {pos}/{len}  {msg}  {elapsed}, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

impl From<SuiteError> for Failure {
    fn from(error: SuiteError) -> Self {
        match error {
            SuiteError::NotFor { .. } => Failure::Usage(error.to_string()),
            SuiteError::Absent(_) | SuiteError::Io { .. } | SuiteError::Syntax { .. } => {
                Failure::Input(error.to_string())
            }
            SuiteError::NoCompiler(_) => Failure::Tool(error.to_string()),
        }
    }
}
