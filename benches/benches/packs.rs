//! What a decision costs, by pack and engine, and how that grows: `cargo bench -p tribunal-benches --bench packs`.
//!
//! Every pack in `packs/` decides its cases on each of its engines, and nothing is timed before each answer is the expected
//! one. Then warm decisions are timed, the engines in turn within each round; a cost is the median over the rounds, in multiples of
//! what it takes to read the same request from JSON, and a pack's is the median over its cases, but for those that no engine is
//! asked about. Growth is [`tribunal_benches::growth`]'s; what is [`NOISE`] steeper than linear, however
//! often it is measured, fails the command.
//!
//! - `--pack NAME`: this pack only
//! - `--rounds N`: rounds of timing (9)
//! - `--no-growth`: what warm decisions cost only, in seconds instead of minutes
//! - `--splice`: puts the table into `packs/README.md`

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this program exists to print")]

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::Value;
use tribunal::core::contract::DecisionEffect;
use tribunal::core::engine::LoadContext;
use tribunal::core::fault::FaultKind;
use tribunal::core::pack::schema::InputSchema;
use tribunal::core::pack::shape::ShapeTable;
use tribunal::files::read_pack;
use tribunal_benches::growth::{Growth, NOISE, Place, growable, measure};
use tribunal_benches::shipped::{Unmeasurable, packs, request_of, splice};
use tribunal_benches::timing::{median, per_call};
use tribunal_conformance::parity::{Contestant, Lineup};
use tribunal_conformance::{Case, Runner};

/// What one timing takes at least.
const LEAST: Duration = Duration::from_micros(50);
const ROUNDS: usize = 9;
/// How often growth that looks too steep is measured before it counts.
const ATTEMPTS: usize = 4;

struct Arguments {
    pack: Option<String>,
    rounds: usize,
    growth: bool,
    splice: bool,
}

/// A pack's line in the table.
struct Row {
    pack: String,
    requests: usize,
    /// Schema and derived members, in multiples of reading the JSON.
    host: f64,
    /// By engine, in multiples of reading the JSON.
    engines: BTreeMap<String, f64>,
    /// Nanoseconds to read each request from JSON.
    units: Vec<f64>,
    growth: Grown,
}

/// How a pack's cost grows.
#[derive(Default)]
struct Grown {
    steepest: Option<Steepest>,
    /// The smallest requests for which an engine reached a limit: by engine, place and limit, in bytes.
    limited: BTreeMap<(String, String, String), usize>,
}

/// The steepest growth of a pack.
struct Steepest {
    exponent: f64,
    engine: String,
    growth: Growth,
}

impl fmt::Display for Steepest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Growth { place, fill, json, copy, .. } = &self.growth;
        write!(f, "{:.2} on {} ({json:.2}, {copy:.2}): {place}, {}", self.exponent, self.engine, fill.name)
    }
}

type Failed = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, Failed> {
    let arguments = Arguments::read()?;
    let load = std::fs::read_to_string("/proc/loadavg").ok();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(packs())? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        if let Some(name) = name.filter(|_| path.join("pack.yaml").exists()) {
            names.push(name);
        }
    }
    names.sort();
    if let Some(wanted) = &arguments.pack {
        names.retain(|name| name == wanted);
    }
    if names.is_empty() {
        return Err("there is no such pack".into());
    }
    let mut versions = BTreeMap::new();
    let mut rows = Vec::new();
    for name in names {
        rows.push(row(&packs().join(&name), &arguments, &mut versions)?);
    }
    let report = render(&rows, &versions, load.as_deref());
    println!("{report}");
    if arguments.splice {
        splice(&packs().join("README.md"), &report)?;
    }
    let mut code = ExitCode::SUCCESS;
    for row in &rows {
        if let Some(steepest) = row.growth.steepest.as_ref().filter(|steepest| is_too_steep(&steepest.growth))
        {
            eprintln!("`{}` grows worse than linearly: {steepest}", row.pack);
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

impl Arguments {
    fn read() -> Result<Self, Failed> {
        let mut read = Self { pack: None, rounds: ROUNDS, growth: true, splice: false };
        let mut given = std::env::args().skip(1);
        while let Some(argument) = given.next() {
            match argument.as_str() {
                // Cargo's own.
                "--bench" => {}
                "--pack" => read.pack = Some(given.next().ok_or("`--pack` needs a name")?),
                "--rounds" => {
                    read.rounds = given.next().ok_or("`--rounds` needs a number")?.parse::<usize>()?.max(1)
                }
                "--no-growth" => read.growth = false,
                "--splice" => read.splice = true,
                other => {
                    return Err(format!(
                        "`{other}` is not known: --pack NAME, --rounds N, --no-growth, --splice"
                    )
                    .into());
                }
            }
        }
        if read.splice && read.pack.is_some() {
            return Err("`--splice` writes the whole table: leave `--pack` out".into());
        }
        Ok(read)
    }
}

fn row(path: &Path, arguments: &Arguments, versions: &mut BTreeMap<String, String>) -> Result<Row, Failed> {
    let registry = tribunal::registry();
    let contestant = Contestant::read(&path.display().to_string(), read_pack(path)?, &registry)?;
    let pack = contestant.source.manifest.name.clone();
    let lineup = Lineup::load(vec![contestant], &[], Vec::new(), &LoadContext::default(), &registry);
    for participant in &lineup.participants {
        if let Some(why) = &participant.refused {
            return Err(format!("`{pack}` on `{}`: {why}", participant.name).into());
        }
        versions.insert(participant.engine.clone(), participant.version.clone());
    }
    let runners: Vec<&Runner> = lineup.panel.members().iter().map(|member| member.runner()).collect();
    let cases: Vec<&Case> =
        lineup.contestants.iter().flat_map(|contestant| &contestant.suite.cases).collect();
    verify(&runners, &cases)?;
    let asked: Vec<&Case> = cases.into_iter().filter(|case| case.expect.fault.is_none()).collect();
    let row = warm(pack, &runners, &asked, arguments.rounds)?;
    let growth = if arguments.growth { grown(&runners, &asked, arguments.rounds)? } else { Grown::default() };
    let cells: Vec<String> =
        row.engines.iter().map(|(engine, cost)| format!("{engine} {}", multiple(*cost))).collect();
    eprintln!("{}: {}", row.pack, cells.join(", "));
    Ok(Row { growth, ..row })
}

/// No figure without the expected answer from every engine.
fn verify(runners: &[&Runner], cases: &[&Case]) -> Result<(), Unmeasurable> {
    let mut wrong = String::new();
    for (runner, case) in runners.iter().flat_map(|runner| cases.iter().map(move |case| (runner, case))) {
        if let Some(failure) = runner.run(case).failure {
            wrong.push_str(&format!(
                "{}: `{}` on {}: {failure}\n",
                case.location,
                case.name,
                runner.engine()
            ));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Unmeasurable::Disagreement(wrong)) }
}

/// Costs of warm decisions.
fn warm(pack: String, runners: &[&Runner], cases: &[&Case], rounds: usize) -> Result<Row, Failed> {
    let mut units = Vec::new();
    let mut hosts = Vec::new();
    let mut engines = vec![Vec::new(); runners.len()];
    for case in cases {
        let text = case.request.to_string();
        let request = request_of(case)?;
        let loaded = runners.first().ok_or("no engine")?.loaded();
        let mut json = Vec::new();
        let mut host = Vec::new();
        let mut times = vec![Vec::new(); runners.len()];
        for _ in 0..rounds {
            json.push(per_call(LEAST, || serde_json::from_slice::<Value>(text.as_bytes())));
            host.push(per_call(LEAST, || loaded.prepare(&case.request, case.now).map(drop)));
            for (runner, times) in runners.iter().zip(&mut times) {
                times.push(per_call(LEAST, || runner.dispatcher().evaluate(&request)));
            }
        }
        let unit = median(json).ok_or("no round")?;
        units.push(unit);
        hosts.push(median(host).ok_or("no round")? / unit);
        for (engine, times) in engines.iter_mut().zip(times) {
            engine.push(median(times).ok_or("no round")? / unit);
        }
    }
    let requests = units.len();
    let mut costs = BTreeMap::new();
    for (runner, ratios) in runners.iter().zip(engines) {
        costs.insert(runner.engine().to_owned(), median(ratios).ok_or("no case that an engine decides")?);
    }
    let host = median(hosts).ok_or("no case that an engine decides")?;
    Ok(Row { pack, requests, host, engines: costs, units, growth: Grown::default() })
}

/// The steepest growth of any place with any fill on any engine.
fn grown(runners: &[&Runner], cases: &[&Case], rounds: usize) -> Result<Grown, Failed> {
    let Some(first) = runners.first() else { return Ok(Grown::default()) };
    let everything = ShapeTable::everything();
    let named = first.pack().input_schema.as_ref().map_or(&everything, InputSchema::shape);
    // What is allowed has passed everything that could have ended the decision early.
    let (allowed, others): (Vec<&Case>, Vec<&Case>) =
        cases.iter().partition(|case| case.expect.effect == DecisionEffect::Allow);
    let mut begun: BTreeMap<Place, &Case> = BTreeMap::new();
    for case in allowed.into_iter().chain(others) {
        for place in Place::of(&case.request, named.root()) {
            begun.entry(place).or_insert(case);
        }
    }
    if let Some(case) = begun.values().next().copied() {
        begun.extend(Place::unnamed().map(|place| (place, case)));
    }
    // Three at least: one alone may have met anything.
    let rounds = rounds.div_ceil(3).max(2);
    let mut grown = Grown::default();
    for (place, case) in begun {
        for (place, most) in growable(first, case, [place]) {
            let started = Instant::now();
            for fill in place.fills() {
                let again = |rounds| measure(runners, case, &place, most, fill, rounds);
                let Some(mut growth) = again(rounds)? else { continue };
                // Noise does not happen every time; growth does.
                for _ in 1..ATTEMPTS {
                    if is_too_steep(&growth)
                        && let Some(next) = again(rounds * 3)?
                    {
                        growth = gentler(growth, next);
                    }
                }
                let name =
                    |at: usize| runners.get(at).map_or_else(String::new, |runner| runner.engine().to_owned());
                for (at, limit, bytes) in &growth.limited {
                    let limit = FaultKind::Limit(*limit).to_string();
                    let known = grown.limited.entry((name(*at), place.to_string(), limit)).or_insert(*bytes);
                    *known = (*known).min(*bytes);
                }
                let Some((at, exponent)) = growth.steepest() else { continue };
                let engine = name(at);
                let found = Steepest { exponent, engine, growth };
                if is_too_steep(&found.growth) {
                    eprintln!("  {found}");
                }
                if grown.steepest.as_ref().is_none_or(|known| found.growth.excess() > known.growth.excess()) {
                    grown.steepest = Some(found);
                }
            }
            eprintln!("  {place}, by {most} more: {:.1} s", started.elapsed().as_secs_f64());
        }
    }
    Ok(grown)
}

fn is_too_steep(growth: &Growth) -> bool {
    growth.excess() > NOISE
}

fn gentler(one: Growth, other: Growth) -> Growth {
    if other.excess() < one.excess() { other } else { one }
}

fn multiple(ratio: f64) -> String {
    if ratio < 9.95 { format!("{ratio:.1}×") } else { format!("{ratio:.0}×") }
}

fn render(rows: &[Row], versions: &BTreeMap<String, String>, load: Option<&str>) -> String {
    let engines: Vec<&str> = versions.keys().map(String::as_str).collect();
    let mut text = format!(
        "| pack | requests | {} | of it host | steepest growth (reading, copying): where |\n",
        engines.join(" | ")
    );
    text.push_str(&format!("|---|---:|{}---:|---|\n", "---:|".repeat(engines.len())));
    for row in rows {
        let cells: Vec<String> = engines
            .iter()
            .map(|engine| row.engines.get(*engine).map_or_else(|| "—".to_owned(), |cost| multiple(*cost)))
            .collect();
        let growth = row.growth.steepest.as_ref().map_or_else(|| "—".to_owned(), Steepest::to_string);
        text.push_str(&format!(
            "| `{}` | {} | {} | {} | {growth} |\n",
            row.pack,
            row.requests,
            cells.join(" | "),
            multiple(row.host)
        ));
    }
    for row in rows {
        for ((engine, place, limit), bytes) in &row.growth.limited {
            text.push_str(&format!(
                "\n- `{}` on {engine} denies with `{limit}` from a request of {} KiB on, where {place} grows.",
                row.pack,
                bytes >> 10
            ));
        }
    }
    if rows.iter().any(|row| !row.growth.limited.is_empty()) {
        text.push('\n');
    }
    let units: Vec<f64> = rows.iter().flat_map(|row| row.units.iter().copied()).collect();
    let micros = |time: Option<f64>| time.map_or_else(|| "?".to_owned(), |time| format!("{:.1}", time / 1e3));
    let least = micros(units.iter().copied().min_by(f64::total_cmp));
    let most = micros(units.iter().copied().max_by(f64::total_cmp));
    let versions: Vec<String> =
        versions.iter().map(|(engine, version)| format!("{engine} {version}")).collect();
    text.push_str(&format!(
        "\nReading a request from JSON took {} µs in this run (median; {least} to {most} µs). {}; {}.\n",
        micros(median(units)),
        machine(load),
        versions.join(", ")
    ));
    text
}

/// The class of machine, and how busy it was.
fn machine(load: Option<&str>) -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").ok();
    let model = cpu
        .as_deref()
        .and_then(|text| text.lines().find_map(|line| line.strip_prefix("model name")))
        .and_then(|line| line.split_once(':'))
        .map_or(std::env::consts::ARCH, |(_, model)| model.trim());
    let mut machine = format!("{model}, {}", std::env::consts::OS);
    if let Ok(count) = std::thread::available_parallelism() {
        machine.push_str(&format!(", {count} processors"));
    }
    if let Some(load) = load.and_then(|load| load.split(' ').next()) {
        machine.push_str(&format!(", load {load} before it began"));
    }
    machine
}
