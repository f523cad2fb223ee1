//! `tribunal eval`: decide requests.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use tribunal::core::contract::record::RecordFailure;
use tribunal::{Fault, FaultKind, PolicyRequest, Token};

use crate::arguments::Format;
use crate::artifact::Artifacts;
use crate::evaluator::{Evaluation, Evaluator};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input::{self, Line, Lines, Requests};
use crate::ledger::{Entry, Ledger};
use crate::lineup::Lineup;
use crate::pipeline;
use crate::recorder::{Recorder, Recording};
use crate::report::{comparison, explanation, outcome};
use crate::target::{Target, known_engine};
use crate::terminal::{self, complain, plain, plain_lines};

/// Decide a request, or many.
///
/// The input is one JSON object, or NDJSON: a request a line. For NDJSON the answers are JSON too, a line each, in the order
/// of the input; the exit code is the most severe one, or 65 if any line was bad. Whatever cannot be read is denied.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,
    /// The request, or requests; `-` is standard input. A name that ends in `.ndjson` or `.jsonl` says that it holds a
    /// request a line.
    #[arg(long, value_name = "FILE|-")]
    input: PathBuf,
    /// Decide every pack on this engine, without fallbacks and shadows.
    #[arg(long, value_name = "ID", conflicts_with = "all_engines")]
    engine: Option<String>,
    /// Ask every engine, and compare the answers: all claimed packs on one engine after the other.
    #[arg(long)]
    all_engines: bool,
    /// Say which pack, rule and engine decided and why, and what was derived.
    #[arg(long)]
    explain: bool,
    /// A file with the token that is shown with the request.
    #[arg(long, value_name = "FILE")]
    token: Option<PathBuf>,
    /// Decide as if it were this instant (RFC 3339).
    #[arg(long, value_name = "INSTANT")]
    now: Option<Timestamp>,
    /// Threads for NDJSON; one for each processor unless given.
    #[arg(long, value_name = "N")]
    jobs: Option<NonZero<u8>>,
    /// How one decision is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Append a record of each decision to this file. A decision that cannot be recorded is a denial, unless the deployment
    /// says otherwise.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Write a `policy_decisions` artifact of each decision into this folder, a file each. A decision whose artifact cannot be
    /// written is a denial, as with --record.
    #[arg(long, value_name = "DIR")]
    artifact: Option<PathBuf>,
}

/// Where decisions are written down.
struct WrittenDown {
    ledger: Ledger,
    /// One thread writes records.
    recorder: Option<Recorder>,
}

/// The most bad lines that are complained about one by one.
const COMPLAINTS: usize = 20;
/// Lines handed to a worker at once, if they are there already.
const BATCH: usize = 64;

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let registry = tribunal::registry();
    if let Some(engine) = &args.engine {
        known_engine(engine, &registry)?;
    }
    let opened = args.target.options(args.engine.as_deref()).and_then(|options| {
        let tribunal = args.target.open(&options, args.all_engines, registry)?;
        Ok((tribunal, read_token(args.token.as_deref())?))
    });
    let (service, token) = match opened {
        Ok((tribunal, token)) => (Ok(tribunal), token),
        Err(usage @ Failure::Usage(_)) => return Err(usage),
        Err(failure) => {
            failure.report();
            let fault = Fault::new(
                FaultKind::NotLoaded,
                "the deployment, a pack, a key or the token cannot be loaded",
            );
            (Err(fault), None)
        }
    };
    if let Ok(tribunal) = &service {
        for warning in tribunal.warnings() {
            complain("warning", &plain(warning));
        }
    }
    // Only a deployment's own words say what must be masked; a bare pack has none.
    let deployed = service.as_ref().ok().filter(|_| args.target.is_deployment());
    let recording = Recording::new(deployed.map(|tribunal| &tribunal.deployment().record));
    let written_down = WrittenDown {
        ledger: Ledger {
            artifacts: args.artifact.as_ref().map(|path| Artifacts::open(path, recording.settings().clone())),
            on_failure: recording.settings().on_failure,
            recording: args.record.is_some().then_some(recording),
        },
        recorder: args.record.as_ref().map(|path| Recorder::open(path)),
    };
    let evaluator = Evaluator { service, lineup: None, explain: args.explain, token, now: args.now };
    let requests = input::open(&args.input)
        .and_then(|(reader, size)| Ok((input::read(reader, input::is_named_for_lines(&args.input))?, size)));
    match requests {
        Ok((Requests::One(text), _)) => one(args, evaluator, written_down, &text),
        Ok((Requests::Lines(lines), size)) => many(args, evaluator, written_down, lines, size),
        Err(error) => {
            Failure::unreadable(&args.input, &error).report();
            let fault = Fault::new(FaultKind::RequestBounds, "the request cannot be read");
            answer(args, Evaluation::refused(fault, args.now), written_down)
        }
    }
}

fn read_token(path: Option<&Path>) -> Result<Option<Token>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let bytes = tribunal::files::read_file(path).map_err(tribunal::LoadErrors::from)?;
    // Editors end a text with a line feed, which is no part of Base64; raw bytes are what they are.
    let token = match std::str::from_utf8(&bytes) {
        Ok(text) => text.trim().as_bytes().to_vec(),
        Err(_) => bytes,
    };
    Ok(Some(Token::new(token)))
}

fn one(
    args: &Args,
    mut evaluator: Evaluator,
    written_down: WrittenDown,
    text: &[u8],
) -> Result<Exit, Failure> {
    if args.all_engines
        && let (Ok(tribunal), Ok(request)) = (&evaluator.service, PolicyRequest::from_slice(text))
    {
        evaluator.lineup = Some(Lineup::load(tribunal, request.payload().ok()));
    }
    let evaluation = evaluator.evaluate(text);
    if let (Exit::Input, Ok(_), Some(fault)) =
        (Exit::of(&evaluation.outcome), &evaluator.service, &evaluation.outcome.fault)
    {
        complain(
            "error",
            &format!(
                "`{}` is not a request: {}",
                plain(&args.input.display().to_string()),
                plain(&fault.detail)
            ),
        );
    }
    answer(args, evaluation, written_down)
}

/// How much it matters that something could not be written down.
fn severity(on_failure: RecordFailure) -> &'static str {
    match on_failure {
        RecordFailure::Deny => "error",
        RecordFailure::Ignore => "warning",
    }
}

/// Writes down and prints one answer.
fn answer(args: &Args, evaluation: Evaluation, written_down: WrittenDown) -> Result<Exit, Failure> {
    let WrittenDown { ledger, mut recorder } = written_down;
    let mut entry = ledger.draft(evaluation);
    ledger.enter(&mut entry, recorder.as_mut());
    for why in &entry.missed {
        complain(severity(ledger.on_failure), &plain(why));
    }
    let evaluation = entry.evaluation;
    match args.format {
        Format::Json => terminal::print_json(&evaluation.report())?,
        Format::Text => write_text(&mut terminal::stdout(), &evaluation)?,
    }
    Ok(evaluation.exit())
}

fn write_text(out: &mut dyn Write, evaluation: &Evaluation) -> io::Result<()> {
    let request = evaluation.request.payload().ok();
    match &evaluation.engines {
        Some(rows) => comparison::write(out, request, &evaluation.outcome, rows)?,
        None => outcome::write(out, request, &evaluation.outcome)?,
    }
    if let Some(packs) = &evaluation.explanation {
        explanation::write(out, &evaluation.outcome, packs)?;
    }
    out.flush()
}

/// What a worker makes of a line.
struct Answered {
    number: u64,
    entry: Entry,
    json: io::Result<Vec<u8>>,
}

fn many(
    args: &Args,
    mut evaluator: Evaluator,
    written_down: WrittenDown,
    mut lines: Lines,
    size: Option<u64>,
) -> Result<Exit, Failure> {
    if args.all_engines
        && let Ok(tribunal) = &evaluator.service
    {
        evaluator.lineup = Some(Lineup::load(tribunal, None));
    }
    let jobs = args
        .jobs
        .map(NonZero::from)
        .or_else(|| std::thread::available_parallelism().ok())
        .unwrap_or(NonZero::<usize>::MIN);
    let WrittenDown { ledger, mut recorder } = written_down;
    let ledger = Arc::new(ledger);
    let is_loaded = evaluator.service.is_ok();
    let evaluator = Arc::new(evaluator);
    let drafting = ledger.clone();
    let work = move |line: Line| {
        let entry = drafting.draft(evaluator.evaluate(&line.text));
        let json = json_line(&entry.evaluation);
        (Answered { number: line.number, entry, json }, line.text.len())
    };
    let source = move || {
        let mut batch: Vec<Line> = lines.next()?.into_iter().collect();
        while !batch.is_empty() && batch.len() < BATCH && lines.is_ready() {
            match lines.next()? {
                Some(line) => batch.push(line),
                None => break,
            }
        }
        Ok((!batch.is_empty()).then_some(batch))
    };
    let progress = progress(size);
    let is_terminal = io::stdout().is_terminal();
    let mut out = BufWriter::new(io::stdout().lock());
    let mut exit: Option<Exit> = None;
    let mut complaints = 0_usize;
    let ended = pipeline::in_order(jobs, source, work, |batch| {
        for (mut answered, length) in batch {
            if ledger.enter(&mut answered.entry, recorder.as_mut()) {
                answered.json = json_line(&answered.entry.evaluation);
            }
            let Entry { evaluation, missed, .. } = &answered.entry;
            let ended = evaluation.exit();
            let mut tell = |kind: &str, why: &str| {
                complaints += 1;
                if complaints <= COMPLAINTS {
                    complain(kind, &format!("line {}: {}", answered.number, plain_lines(why)));
                }
            };
            for why in missed {
                tell(severity(ledger.on_failure), why);
            }
            if let (Exit::Input | Exit::Tool, true, true, Some(fault)) =
                (ended, is_loaded, missed.is_empty(), &evaluation.outcome.fault)
            {
                tell("error", &fault.detail);
            }
            exit = exit.max(Some(ended));
            let json = answered.json?;
            if is_terminal {
                out.write_all(
                    tribunal_conformance::escape::json(&String::from_utf8_lossy(&json)).as_bytes(),
                )?;
            } else {
                out.write_all(&json)?;
            }
            progress.inc(length as u64 + 1);
        }
        out.flush()
    });
    progress.finish_and_clear();
    if complaints > COMPLAINTS {
        complain("error", &format!("{} more lines were bad", complaints - COMPLAINTS));
    }
    match (ended, exit) {
        (Ok(()), Some(exit)) => Ok(exit),
        (Ok(()), None) => Err(Failure::Input(format!("`{}` holds no request", args.input.display()))),
        // Whether reading or writing broke off, the answers are not complete.
        (Err(error), _) => Err(Failure::Output(error)),
    }
}

fn json_line(evaluation: &Evaluation) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(&evaluation.report())?;
    line.push(b'\n');
    Ok(line)
}

/// A bar for whoever watches, by the bytes that have been answered.
fn progress(size: Option<u64>) -> ProgressBar {
    if !terminal::shows_progress() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match size {
        Some(size) => (ProgressBar::new(size), "{bar:40} {bytes}/{total_bytes}  {elapsed}, {eta} left"),
        None => (ProgressBar::no_length(), "{spinner} {bytes}  {elapsed}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
