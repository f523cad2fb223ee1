//! What a search for disagreements costs beside the engines it asks: `cargo bench -p tribunal-benches --bench search`.
//!
//! Prints a line for each shipped pack, on all the engines it offers. *Engines* is the time inside them; *host* what every
//! request costs in service too (front door, schema, derived members); *search* the rest: making requests, comparing
//! answers, keeping books, and what the host refused. Two threads are compared with one in alternating turns of one run,
//! and the median of the ratios is shown. Every answer is compared with every other engine's while this is measured.

#![expect(clippy::print_stdout, reason = "this program exists to print")]
#![expect(clippy::expect_used, reason = "a measurement that cannot begin says why and ends")]

use std::time::{Duration, Instant};

use tribunal::core::engine::LoadContext;
use tribunal::files::read_pack;
use tribunal_benches::shipped::packs;
use tribunal_conformance::parity::report::Bound;
use tribunal_conformance::parity::{Contestant, Lineup};
use tribunal_conformance::search::{Findings, Generator, Material, Plan, explore};

const TURNS: u64 = 5;

fn main() {
    // `cargo bench` passes its own flags; the one argument of ours is the number of requests.
    let requests = std::env::args().find_map(|argument| argument.parse::<u64>().ok()).unwrap_or(5_000);
    println!("{requests} requests a turn, {TURNS} turns; shares of the time on one thread");
    println!("| pack | engines | host | search | search / engines | two threads / one |");
    println!("|---|---:|---:|---:|---:|---:|");
    let mut names: Vec<_> = std::fs::read_dir(packs())
        .expect("the shipped packs are there")
        .filter_map(|entry| Some(entry.ok()?.path()).filter(|path| path.join("pack.yaml").exists()))
        .collect();
    names.sort();
    for path in names {
        measure(&path, requests);
    }
}

fn measure(path: &std::path::Path, requests: u64) {
    let registry = tribunal::registry();
    let files = read_pack(path).expect("a shipped pack can be read");
    let contestant =
        Contestant::read(&path.display().to_string(), files, &registry).expect("a shipped pack is one");
    let name = contestant.source.manifest.name.clone();
    let lineup = Lineup::load(vec![contestant], &[], Vec::new(), &LoadContext::default(), &registry);
    let contestant = lineup.contestants.first().expect("it was put in");
    let material = Material::gather(&[&contestant.source], &contestant.suite.cases, &lineup.vocabularies, [])
        .expect("there is a pack");
    let run = |seed: u64, threads: usize, timed_of: u64| -> Findings {
        let plan = Plan { seed, bound: Bound::Requests(requests), threads, stop_at_first: false, timed_of };
        let findings = explore(&lineup.panel, &material, &plan, &mut |_| {});
        assert!(findings.disagreements.is_empty(), "{name}: the engines disagree: nothing is measured");
        findings
    };
    run(0, 2, 0);
    let mut shares = Vec::new();
    let mut ratios = Vec::new();
    for turn in 1..=TURNS {
        let timed = run(turn, 1, 1);
        let engines: Duration = timed.times.iter().flatten().map(|time| Duration::from_nanos(*time)).sum();
        let host = host_time(&lineup, &material, turn, timed.tried);
        let search = timed.duration.saturating_sub(engines).saturating_sub(host);
        shares.push((engines, host, search));
        let one = run(turn + 100, 1, 0).duration;
        let two = run(turn + 100, 2, 0).duration;
        ratios.push(one.as_secs_f64() / two.as_secs_f64());
    }
    let sum = |part: fn(&(Duration, Duration, Duration)) -> Duration| -> f64 {
        shares.iter().map(part).sum::<Duration>().as_secs_f64()
    };
    let (engines, host, search) = (sum(|share| share.0), sum(|share| share.1), sum(|share| share.2));
    let all = engines + host + search;
    ratios.sort_by(f64::total_cmp);
    let ratio = ratios.get(ratios.len() / 2).copied().expect("there are turns");
    println!(
        "| {name} | {:.0} % | {:.0} % | {:.0} % | {:.2} | {ratio:.2} |",
        100.0 * engines / all,
        100.0 * host / all,
        100.0 * search / all,
        search / engines,
    );
}

/// What the host's part costs for as many requests of the same search: the front door's bounds, schema and derived members.
fn host_time(lineup: &Lineup, material: &Material, seed: u64, requests: u64) -> Duration {
    let member = lineup.panel.members().first().expect("an engine answers");
    let loaded = member.runner().loaded();
    let mut generator = Generator::new(material, seed);
    let questions: Vec<_> = (0..requests).map(|_| generator.question(&[])).collect();
    let started = Instant::now();
    for question in &questions {
        let _outcome = std::hint::black_box(loaded.prepare(&question.request, question.now));
    }
    started.elapsed()
}
