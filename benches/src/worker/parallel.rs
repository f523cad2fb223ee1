//! Several threads that decide at once: the time by the wall, over all decisions.
//!
//! Answers are compared by the threads themselves, in place, so that comparing is a part of the time; it is the same part on one
//! thread and on several.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

use super::asked::Asked;
use super::measure::{Stopped, WARM_UP, failed, nanoseconds, recorder};
use super::protocol::Job;
use crate::statistics::Figures;
use crate::subject::{Answer, Request, Subject};

/// Slices that a measurement is cut into, a sample each.
const SLICES: u32 = 8;

/// Between two looks at whether every thread is ready.
const LOOK: Duration = Duration::from_millis(1);

/// Decisions of one thread, on cache lines of their own: only their thread writes them, and no other is slowed by that.
#[derive(Default)]
#[repr(align(128))]
struct Count(AtomicU64);

/// What the threads of a measurement share.
#[derive(Default)]
struct Shared {
    ready: AtomicUsize,
    begun: AtomicBool,
    ended: AtomicBool,
    stopped: Mutex<Option<Stopped>>,
}

pub(super) fn measure(
    subject: &dyn Subject,
    requests: &[Request],
    job: &Job,
    answers: &[Answer],
) -> Result<Figures, Stopped> {
    let budget = Duration::from_millis(job.budget_ms);
    let slice = budget.mul_f64(1.0 - WARM_UP) / SLICES;
    let shared = Shared::default();
    let counts: Vec<Count> = (0..job.threads).map(|_| Count::default()).collect();
    let all = || counts.iter().map(|Count(count)| count.load(Ordering::Relaxed)).sum::<u64>();
    let mut slices = Vec::new();
    thread::scope(|scope| {
        for Count(count) in &counts {
            let shared = &shared;
            let decide = move || {
                let asked = Asked::all(subject, requests).map(|asked| asked.expecting(answers));
                shared.ready.fetch_add(1, Ordering::Release);
                if let Err(why) = asked.and_then(|mut asked| shared.decide(&mut asked, count)) {
                    shared.stop(why);
                }
            };
            if let Err(error) = Builder::new().spawn_scoped(scope, decide) {
                shared.stop(failed(format!("{} threads cannot be started: {error}", job.threads)));
                return;
            }
        }
        while shared.ready.load(Ordering::Acquire) < job.threads {
            thread::sleep(LOOK);
        }
        shared.begun.store(true, Ordering::Release);
        thread::sleep(budget.mul_f64(WARM_UP));
        for _ in 0..SLICES {
            let (before, started) = (all(), Instant::now());
            thread::sleep(slice);
            slices.push((started.elapsed(), all() - before));
        }
        shared.ended.store(true, Ordering::Relaxed);
    });
    if let Some(why) = shared.stopped.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(why);
    }
    // Picoseconds, so that a decision's share of the wall keeps its digits.
    const PER: f64 = 1_000.0;
    let mut samples = recorder(0)?;
    let mut waited = Duration::ZERO;
    for (time, decisions) in slices {
        waited += time;
        // A slice in which none ended belongs to the next that has one.
        if decisions > 0 {
            samples.record((nanoseconds(waited) * PER / decisions as f64) as u64);
            waited = Duration::ZERO;
        }
    }
    samples.figures(PER).ok_or_else(|| failed("no decision ended in time"))
}

impl Shared {
    /// Ends the measurement with the first reason there was.
    fn stop(&self, why: Stopped) {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
        self.ended.store(true, Ordering::Relaxed);
    }

    fn decide(&self, asked: &mut Asked<'_>, count: &AtomicU64) -> Result<(), Stopped> {
        while !self.begun.load(Ordering::Acquire) && !self.ended.load(Ordering::Relaxed) {
            thread::sleep(LOOK);
        }
        loop {
            for one in &mut asked.0 {
                if self.ended.load(Ordering::Relaxed) {
                    return Ok(());
                }
                one.question.ask();
                one.check()?;
                count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            }
        }
    }
}
