//! `tribunal parity`: whether engines decide alike, or the smallest request on which they do not.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Instant;

use jiff::Timestamp;
use tribunal::core::engine::LoadContext;
use tribunal::core::limits::Span;
use tribunal::core::pack::PackFiles;
use tribunal::files::{read_file, read_pack};
use tribunal::{LoadErrors, Registry};
use tribunal_conformance::parity::bare::{Bare, NAME, NamedFile};
use tribunal_conformance::parity::compare::{machine, revision};
use tribunal_conformance::parity::report::{Bound, ParityReport, Run, SuiteTable};
use tribunal_conformance::parity::{Contestant, Lineup, Wanted, compare, known, written};
use tribunal_conformance::search::{Plan, Progress};

use crate::command::suites::{Suites, run_all};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::parity::{self as output, ReportFormat};
use crate::search_progress::SearchProgress;
use crate::target::known_engine;

/// Ask several engines the same, and report whether they agree: the pack's cases, a search for requests on which they
/// differ, each shrunk to the smallest, laws, and known divergences. Exit code 5 if they differ anywhere.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    subject: Subject,
    /// Only these engines; without it, all that the pack offers.
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    engines: Vec<String>,
    /// Another version of the pack, compared with the first engine by engine.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["rego", "cedar", "biscuit"])]
    against: Option<PathBuf>,
    /// Ask these beside as references, where they are installed: they decide nothing.
    #[arg(long, value_name = "opa|cedar", value_delimiter = ',')]
    reference: Vec<String>,
    /// Run these upstream suites too, on the engines that take part; `all` for all of them.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    suites: Vec<String>,
    /// More cases: a file of cases, read as one of the pack's own. May be repeated.
    #[arg(long, value_name = "FILE")]
    cases: Vec<PathBuf>,
    #[command(flatten)]
    effort: Effort,
    /// How the report is written; several with --out.
    #[arg(long, value_enum, value_name = "FORMAT", value_delimiter = ',')]
    report: Vec<ReportFormat>,
    /// Write reports into this folder as `parity.html` and so on; all of them, unless --report says which.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write the counterexamples as cases into this file, for a pack's `cases/`.
    #[arg(long, value_name = "FILE")]
    write_cases: Option<PathBuf>,
    /// Write a report again from its JSON; nothing is compared.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pack", "against", "engines", "reference", "cases", "write_cases", "suites", "search", "requests"])]
    from: Option<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  tribunal parity --pack packs/tool-allowlist
  tribunal parity --pack packs/tool-allowlist --engines cedar,rego-wasm --search 30s --out report
  tribunal parity --pack packs/tool-allowlist --against ../old/tool-allowlist
  tribunal parity --rego authz.rego --entrypoint authz/decision --cedar authz.cedar --schema request.schema.json
  tribunal parity --from report/parity.json --report html > parity.html";

/// What is compared.
#[derive(Debug, clap::Args)]
#[group(skip)]
struct Subject {
    /// A pack's folder, or a name in `packs/`.
    #[arg(long, value_name = "NAME|PATH", required_unless_present_any = ["rego", "cedar", "biscuit", "from"])]
    pack: Option<PathBuf>,
    /// A Rego policy without a pack; may be repeated.
    #[arg(long, value_name = "FILE", conflicts_with = "pack", requires = "schema")]
    rego: Vec<PathBuf>,
    /// The Rego rule that decides, as `authz/decision`.
    #[arg(long, value_name = "RULE", requires = "rego", conflicts_with = "pack")]
    entrypoint: Option<String>,
    /// A Cedar policy without a pack.
    #[arg(long, value_name = "FILE", conflicts_with = "pack", requires = "schema")]
    cedar: Option<PathBuf>,
    /// Cedar's schema; without it, one is made of --schema.
    #[arg(long, value_name = "FILE", requires = "cedar")]
    cedar_schema: Option<PathBuf>,
    /// Cedar's entities, as JSON.
    #[arg(long, value_name = "FILE", requires = "cedar")]
    entities: Option<PathBuf>,
    /// A Biscuit policy without a pack.
    #[arg(long, value_name = "FILE", conflicts_with = "pack", requires = "schema")]
    biscuit: Option<PathBuf>,
    /// The JSON Schema of the requests that policies without a pack decide.
    #[arg(long, value_name = "FILE", conflicts_with = "pack")]
    schema: Option<PathBuf>,
    /// The data of policies without a pack, as JSON.
    #[arg(long, value_name = "FILE", conflicts_with = "pack")]
    data: Option<PathBuf>,
}

/// How long is searched.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Effort {
    /// Search for so long, as `30s` or `5m`.
    #[arg(long, value_name = "TIME", value_parser = Span::parse, conflicts_with = "requests")]
    pub(crate) search: Option<Span>,
    /// Search so many requests that reach the engines; 0 for no search. [default: 20000]
    #[arg(long, value_name = "N")]
    pub(crate) requests: Option<u64>,
    /// The seed: with the same seed and number of requests the same is asked.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Threads; without it, one a processor.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
}

/// Requests searched where nobody says how many.
const REQUESTS: u64 = 20_000;

impl Effort {
    /// What bounds a search; `None` for no search.
    pub(crate) fn bound(&self, otherwise: Bound) -> Option<Bound> {
        match (self.search, self.requests) {
            (Some(Span(time)), _) => {
                Some(Bound::Milliseconds(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
            }
            (None, Some(0)) => None,
            (None, Some(requests)) => Some(Bound::Requests(requests)),
            (None, None) => Some(otherwise),
        }
    }

    /// Threads to search on.
    pub(crate) fn threads(&self) -> usize {
        let there_are = std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or(there_are, usize::from)
    }
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    if args.out.is_none() && args.report.len() > 1 {
        return Err(Failure::Usage("several reports need a folder: say --out DIR".to_owned()));
    }
    let report = match &args.from {
        Some(file) => output::read(file)?,
        None => make(args)?,
    };
    output::write(&report, &args.report, args.out.as_deref())?;
    Ok(if report.agrees() { Exit::Success } else { Exit::Failed })
}

fn make(args: &Args) -> Result<ParityReport, Failure> {
    let registry = tribunal::registry();
    for engine in &args.engines {
        known_engine(engine, &registry)?;
    }
    if let Some(twice) = args
        .engines
        .iter()
        .enumerate()
        .find(|(at, name)| args.engines.iter().take(*at).any(|other| other == *name))
    {
        return Err(Failure::Usage(format!("`{}` is named twice: an engine agrees with itself", twice.1)));
    }
    let started = (Timestamp::now(), Instant::now());
    let (origin, files) = args.subject.files()?;
    let files = with_cases(files, &args.cases)?;
    let mut contestants = vec![Contestant::read(&origin, files, &registry)?];
    if let Some(other) = &args.against {
        contestants.push(Contestant::read(&other.display().to_string(), read_pack(other)?, &registry)?);
    }
    offered(&contestants, &args.engines)?;
    let known = match contestants.first() {
        Some(first) => known::read(&first.source)?,
        None => Vec::new(),
    };
    let context = LoadContext::default();
    let beside = crate::beside::references(&args.reference, &contestants)?;
    let lineup = Lineup::load(contestants, &args.engines, beside, &context, &registry);
    let (suites, fallen) = suites(args, &lineup, &registry)?;
    let plan = args.effort.bound(Bound::Requests(REQUESTS)).map(|bound| Plan {
        seed: args.effort.seed,
        bound,
        threads: args.effort.threads(),
        stop_at_first: false,
        timed_of: 16,
    });
    let run = Run {
        command: command_line(),
        tribunal: env!("CARGO_PKG_VERSION").to_owned(),
        revision: revision(Path::new(&origin)),
        machine: machine(),
        started: started.0.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        duration_ms: 0,
    };
    let shown = SearchProgress::new(plan.map(|plan| plan.bound));
    let wanted = Wanted {
        plan,
        tokens: crate::beside::attenuated(&lineup),
        known,
        suites,
        context: &context,
        registry: &registry,
        run,
    };
    let mut report = compare(&lineup, wanted, &mut |progress: Progress| shown.tell(progress));
    shown.finish();
    report.objections.extend(fallen);
    report.run.duration_ms = u64::try_from(started.1.elapsed().as_millis()).unwrap_or(u64::MAX);
    if let Some(file) = &args.write_cases {
        write_cases(&mut report, file)?;
    }
    Ok(report)
}

/// The suites wanted, on the engines that are asked, and where fewer cases pass than did.
fn suites(
    args: &Args,
    lineup: &Lineup,
    registry: &Registry,
) -> Result<(Vec<SuiteTable>, Vec<String>), Failure> {
    if args.suites.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let named: Vec<String> = args.suites.iter().filter(|name| *name != "all").cloned().collect();
    let asked = lineup
        .participants
        .iter()
        .filter(|participant| !participant.is_reference && participant.refused.is_none());
    let engines: Vec<String> = asked.map(|participant| participant.engine.clone()).collect();
    let Suites { tables, fallen } = run_all(&named, &engines, None, registry)?;
    Ok((tables, fallen))
}

/// That every engine named is one that a pack offers: asking for another proves nothing.
pub(crate) fn offered(contestants: &[Contestant], engines: &[String]) -> Result<(), Failure> {
    for engine in engines {
        for contestant in contestants {
            if !contestant.source.manifest.engines.contains_key(engine) {
                return Err(LoadErrors::from(contestant.source.not_offered(engine)).into());
            }
        }
    }
    Ok(())
}

impl Subject {
    /// The folder of bare policies, if they have one, so that errors name files as they were given.
    fn folder(&self) -> String {
        let mut files = self.rego.iter().chain(&self.cedar).chain(&self.biscuit);
        let folder = files.next().and_then(|file| file.parent());
        let Some(folder) = folder.filter(|folder| files.all(|file| file.parent() == Some(folder))) else {
            return NAME.to_owned();
        };
        if folder.as_os_str().is_empty() { ".".to_owned() } else { folder.display().to_string() }
    }

    /// The files of what is compared, and what to call it.
    fn files(&self) -> Result<(String, PackFiles), Failure> {
        if let Some(pack) = &self.pack {
            let pack = shipped(pack);
            return Ok((pack.display().to_string(), read_pack(&pack)?));
        }
        let named = |path: &PathBuf| {
            let bytes = read_file(path).map_err(LoadErrors::from)?;
            Ok::<_, Failure>(NamedFile { name: path.display().to_string(), bytes })
        };
        let optional = |path: &Option<PathBuf>| path.as_ref().map(named).transpose();
        let bare = Bare {
            rego: self.rego.iter().map(named).collect::<Result<_, _>>()?,
            entrypoint: self.entrypoint.clone(),
            cedar: optional(&self.cedar)?,
            cedar_schema: optional(&self.cedar_schema)?,
            entities: optional(&self.entities)?,
            biscuit: optional(&self.biscuit)?,
            schema: optional(&self.schema)?,
            data: optional(&self.data)?,
        };
        Ok((self.folder(), bare.files()?))
    }
}

/// A pack's folder, or the folder of that name in `packs/`.
pub(crate) fn shipped(pack: &Path) -> PathBuf {
    let shipped = Path::new("packs").join(pack);
    let is_name = !pack.exists() && pack.components().count() == 1 && shipped.exists();
    if is_name { shipped } else { pack.to_owned() }
}

fn with_cases(mut files: PackFiles, cases: &[PathBuf]) -> Result<PackFiles, Failure> {
    for (index, path) in cases.iter().enumerate() {
        let bytes = read_file(path).map_err(LoadErrors::from)?;
        let stem = path.file_stem().map_or("cases".into(), |stem| stem.to_string_lossy());
        files.insert(format!("cases/{stem}-given-{}.yaml", index + 1), bytes);
    }
    Ok(files)
}

fn write_cases(report: &mut ParityReport, file: &Path) -> Result<(), Failure> {
    let Some(text) =
        written::cases(report, &format!("found-{}", report.search.as_ref().map_or(0, |search| search.seed)))
    else {
        return Ok(());
    };
    std::fs::write(file, text).map_err(|error| Failure::unwritable(file, &error))?;
    let name = file.display().to_string();
    for example in report.search.iter_mut().flat_map(|search| &mut search.counterexamples) {
        if example.known.is_none() {
            example.written_to = Some(name.clone());
        }
    }
    Ok(())
}

/// The command line as it was given.
pub(crate) fn command_line() -> String {
    let quoted = |argument: OsString| {
        let text = argument.to_string_lossy().into_owned();
        let is_plain = |char: char| char.is_alphanumeric() || "-_./=,:@+".contains(char);
        if !text.is_empty() && text.chars().all(is_plain) {
            text
        } else {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
    };
    let arguments: Vec<String> = std::env::args_os().skip(1).map(quoted).collect();
    format!("tribunal {}", arguments.join(" "))
}
