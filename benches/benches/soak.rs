//! Memory over a million decisions, and two threads over one: `cargo bench -p tribunal-benches --bench soak`.
//!
//! Prints a line for each engine. Memory is this process's resident size (Linux), after the first tenth of the decisions
//! and after all of them. Threads are compared in alternating turns of one run, and the median of the ratios is shown.

#![expect(clippy::print_stdout, reason = "this program exists to print")]
#![expect(clippy::expect_used, reason = "a measurement that cannot begin says why and ends")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tribunal::{PolicyRequest, Tribunal};
use tribunal_benches::shipped::{packs, subjects};

const TURN: Duration = Duration::from_millis(500);
const TURNS: usize = 7;

fn main() {
    // `cargo bench` passes its own flags; the one argument of ours is the number of decisions.
    let decisions = std::env::args().find_map(|argument| argument.parse::<u64>().ok()).unwrap_or(1_000_000);
    let text = std::fs::read(packs().join("examples/request.json")).expect("the shipped request is there");
    let request = PolicyRequest::from_slice(&text).expect("the shipped request is one");
    println!(
        "{decisions} decisions an engine, the answer checked each time; two threads over one, median of {TURNS} turns"
    );
    println!("| engine | resident after a tenth | after all | growth | two threads / one |");
    println!("|---|---:|---:|---:|---:|");
    for subject in subjects("tool-allowlist", &request).expect("all engines answer alike") {
        let expected = subject.tribunal.outcome(&request).decision;
        let decide = |count: u64| {
            for _ in 0..count {
                assert_eq!(subject.tribunal.outcome(&request).decision, expected, "{}", subject.name);
            }
        };
        decide(decisions / 10);
        let early = resident();
        decide(decisions - decisions / 10);
        let late = resident();
        let growth = match (early, late) {
            (Some(early), Some(late)) => format!("{:+.2} %", (late as f64 / early as f64 - 1.0) * 100.0),
            _ => "unknown".to_owned(),
        };
        let show = |bytes: Option<u64>| {
            bytes.map_or_else(|| "unknown".to_owned(), |bytes| format!("{} KiB", bytes / 1024))
        };
        println!(
            "| {} | {} | {} | {growth} | {:.2} |",
            subject.name,
            show(early),
            show(late),
            scaling(&subject.tribunal, &request)
        );
    }
}

/// Decisions of two threads over those of one, in alternating turns.
fn scaling(tribunal: &Tribunal, request: &PolicyRequest) -> f64 {
    // Each thread keeps warm instances of its own: let both make them first.
    turn(tribunal, request, 2);
    let mut ratios: Vec<f64> = (0..TURNS)
        .map(|_| {
            let one = turn(tribunal, request, 1);
            turn(tribunal, request, 2) as f64 / one as f64
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    ratios.get(TURNS / 2).copied().expect("there are turns")
}

fn turn(tribunal: &Tribunal, request: &PolicyRequest, threads: usize) -> u64 {
    let stop = AtomicBool::new(false);
    let done = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut count = 0;
                while !stop.load(Ordering::Relaxed) {
                    std::hint::black_box(tribunal.outcome(request));
                    count += 1;
                }
                done.fetch_add(count, Ordering::Relaxed);
            });
        }
        std::thread::sleep(TURN);
        stop.store(true, Ordering::Relaxed);
    });
    done.into_inner()
}

/// Resident memory of this process in bytes, where the system says so (`/proc/self/status`, proc(5)).
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
