//! The timing. Every sample's answer is compared with the first to its request, outside the clock.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tribunal::core::engine::Registry;

use super::Ready;
use super::protocol::{Job, Measured, Phase};
use crate::memory;
use crate::model::Model;
use crate::statistics::{Figures, Recorder};
use crate::subject::{Answer, Candidate, Catalogue, OwnFigures, Question, Request, Subject, Unavailable};

/// The part of the time that nothing is recorded in.
const WARM_UP: f64 = 0.2;

/// A batch is at least so long, so that reading the clock twice is nothing to it.
const BATCH: Duration = Duration::from_micros(500);

/// Slices that a parallel measurement is cut into, a sample each.
const SLICES: u32 = 8;

/// Decisions after which the memory of a loaded pack is taken.
const SETTLED: usize = 2_000;

/// Why a job ended without figures.
#[derive(Debug)]
pub enum Stopped {
    /// It cannot be done.
    Unavailable(Unavailable),
    /// An answer changed.
    Changed {
        /// The request.
        request: String,
        /// The first answer.
        first: Answer,
        /// Another.
        then: Answer,
    },
}

impl<E: Into<Unavailable>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Stopped::Unavailable(error.into())
    }
}

pub(super) fn failed(message: impl Into<String>) -> Stopped {
    Stopped::Unavailable(Unavailable::Failed(message.into()))
}

/// Does a job.
///
/// # Errors
/// Why it has no figures.
pub fn measure(job: &Job, catalogue: &Catalogue, registry: &Registry) -> Result<Measured, Stopped> {
    let candidate = catalogue
        .get(&job.subject)
        .ok_or_else(|| Unavailable::Missing(format!("this program has no subject `{}`", job.subject)))?;
    if job.model.loads() && !candidate.loads() {
        let message = format!("`{}` is given what is ready-made, and loads nothing", candidate.name());
        return Err(Unavailable::NotApplicable(message).into());
    }
    let before = memory::resident();
    let ready = Ready::of(job, registry)?;
    let started = Instant::now();
    let subjects = ready.sites.iter().map(|site| candidate.open(site)).collect::<Result<Vec<_>, _>>()?;
    let loaded = started.elapsed();
    let Some(subject) = subjects.first() else { return Err(failed("a job has a pack")) };
    let version = subject.version();
    if version.is_empty() {
        // A figure without a version is about nothing.
        return Err(failed("it does not say its version: nothing is measured"));
    }
    let mut asked = Asked::all(subject.as_ref(), &ready.requests)?;
    let first_asked = Instant::now();
    let mut answers = Vec::with_capacity(asked.0.len());
    let mut first_decision = Duration::ZERO;
    for (position, one) in asked.0.iter_mut().enumerate() {
        one.question.ask();
        if position == 0 {
            first_decision = loaded + first_asked.elapsed();
        }
        one.expected = one.question.answer();
        answers.push(one.expected.clone());
    }
    let figures = match (job.phase, job.model) {
        (Phase::Verify, _) => None,
        (Phase::Repeat(times), _) => {
            repeat(&mut asked, times)?;
            None
        }
        (Phase::Measure, Model::LoadCold | Model::LoadCached) => Some(Figures::once(nanoseconds(loaded))),
        (Phase::Measure, Model::FirstDecision) => Some(Figures::once(nanoseconds(first_decision))),
        (Phase::Measure, Model::Memory) => Some(resident(before, &mut asked)?),
        (Phase::Measure, Model::Instructions) => Some(super::instructions::count(job)?),
        (Phase::Measure, Model::DecidePerCall) => Some(per_call(candidate, &ready, job, &answers)?),
        (Phase::Measure, Model::Parallel) => {
            Some(parallel(subject.as_ref(), &ready.requests, job, &answers)?)
        }
        (Phase::Measure, Model::Breakdown) => {
            Some(super::breakdown::measure(subject.as_ref(), &ready.requests, job)?)
        }
        (Phase::Measure, Model::Batch) => Some(batch(&mut asked, job)?),
        (Phase::Measure, Model::Decide | Model::ErrorPath) => {
            let own = match ready.requests.as_slice() {
                [request] => subject.own_figures(request, Duration::from_millis(job.budget_ms)),
                _ => None,
            };
            Some(match own {
                Some(own) => of_its_own(&own?),
                None => one_by_one(&mut asked, job)?,
            })
        }
    };
    Ok(Measured { version, answers, figures })
}

fn nanoseconds(time: Duration) -> f64 {
    time.as_nanos() as f64
}

/// A request made ready, with its first answer.
struct One<'s> {
    name: &'s str,
    question: Box<dyn Question + 's>,
    expected: Answer,
}

/// The requests of a job, made ready.
struct Asked<'s>(Vec<One<'s>>);

impl<'s> Asked<'s> {
    fn all(subject: &'s dyn Subject, requests: &'s [Request]) -> Result<Self, Stopped> {
        if requests.is_empty() {
            return Err(Unavailable::NotApplicable("there is no request to decide".to_owned()).into());
        }
        let one = |request: &'s Request| {
            let question = subject.question(request)?;
            Ok(One { name: &request.name, question, expected: Answer::Allows(false) })
        };
        Ok(Self(requests.iter().map(one).collect::<Result<_, Unavailable>>()?))
    }

    /// With the answers that were given before.
    fn expecting(mut self, answers: &[Answer]) -> Self {
        for (one, expected) in self.0.iter_mut().zip(answers) {
            one.expected.clone_from(expected);
        }
        self
    }
}

impl One<'_> {
    fn check(&mut self) -> Result<(), Stopped> {
        if self.question.came_to(&self.expected) {
            return Ok(());
        }
        let (first, then) = (self.expected.clone(), self.question.answer());
        Err(Stopped::Changed { request: self.name.to_owned(), first, then })
    }
}

fn recorder() -> Result<Recorder, Stopped> {
    Recorder::new().map_err(|error| failed(error.to_string()))
}

fn record(recorder: &mut Recorder, time: Duration) {
    recorder.record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
}

/// Warm-up, then measuring: calls `pass` until the time is over, and says in each whether it counts. At least one pass counts.
pub(super) fn timed(job: &Job, mut pass: impl FnMut(bool) -> Result<(), Stopped>) -> Result<(), Stopped> {
    let budget = Duration::from_millis(job.budget_ms);
    let started = Instant::now();
    let warm = budget.mul_f64(WARM_UP);
    while started.elapsed() < warm {
        pass(false)?;
    }
    loop {
        pass(true)?;
        if started.elapsed() >= budget {
            return Ok(());
        }
    }
}

/// Each decision by itself. A flamegraph knows decisions by this function and [`batch`], so both have to stay functions.
#[inline(never)]
fn one_by_one(asked: &mut Asked<'_>, job: &Job) -> Result<Figures, Stopped> {
    let mut samples = recorder()?;
    timed(job, |counts| {
        for one in &mut asked.0 {
            let started = Instant::now();
            one.question.ask();
            let time = started.elapsed();
            one.check()?;
            if counts {
                record(&mut samples, time);
            }
        }
        Ok(())
    })?;
    samples.figures(1.0).ok_or_else(|| failed("no time was left for a sample"))
}

/// Many decisions under one clock. The answers of each batch's last pass are compared.
#[inline(never)]
fn batch(asked: &mut Asked<'_>, job: &Job) -> Result<Figures, Stopped> {
    let mut passes = 1_u32;
    let clocked = |asked: &mut Asked<'_>, passes: u32| -> Result<Duration, Stopped> {
        let started = Instant::now();
        for _ in 0..passes {
            for one in &mut asked.0 {
                one.question.ask();
            }
        }
        let time = started.elapsed();
        asked.0.iter_mut().try_for_each(One::check)?;
        Ok(time)
    };
    while clocked(asked, passes)? < BATCH {
        passes = passes.saturating_mul(2);
    }
    let mut samples = recorder()?;
    timed(job, |counts| {
        let time = clocked(asked, passes)?;
        if counts {
            record(&mut samples, time);
        }
        Ok(())
    })?;
    let decisions = f64::from(passes) * asked.0.len() as f64;
    samples.figures(decisions).ok_or_else(|| failed("no time was left for a sample"))
}

/// The pack loaded anew for each decision, what was loaded before dropped outside the clock.
fn per_call(
    candidate: &dyn Candidate,
    ready: &Ready,
    job: &Job,
    answers: &[Answer],
) -> Result<Figures, Stopped> {
    let Some(site) = ready.sites.first() else { return Err(failed("a job has a pack")) };
    let mut samples = recorder()?;
    timed(job, |counts| {
        for (request, expected) in ready.requests.iter().zip(answers) {
            let started = Instant::now();
            let subject = candidate.open(site)?;
            let mut question = subject.question(request)?;
            question.ask();
            let time = started.elapsed();
            One { name: &request.name, question, expected: expected.clone() }.check()?;
            if counts {
                record(&mut samples, time);
            }
            if started.elapsed() > Duration::from_millis(job.budget_ms) {
                break;
            }
        }
        Ok(())
    })?;
    samples.figures(1.0).ok_or_else(|| failed("no time was left for a sample"))
}

/// Several threads at once: the time by the wall, over all decisions.
fn parallel(
    subject: &dyn Subject,
    requests: &[Request],
    job: &Job,
    answers: &[Answer],
) -> Result<Figures, Stopped> {
    let budget = Duration::from_millis(job.budget_ms);
    let slice = budget.mul_f64(1.0 - WARM_UP) / SLICES;
    let ended = AtomicBool::new(false);
    let begin = Barrier::new(job.threads + 1);
    let stopped: Mutex<Option<Stopped>> = Mutex::new(None);
    let counts: Vec<std::sync::atomic::AtomicU64> =
        (0..job.threads).map(|_| std::sync::atomic::AtomicU64::new(0)).collect();
    let all = || counts.iter().map(|count| count.load(Ordering::Relaxed)).sum::<u64>();
    let mut slices = Vec::new();
    std::thread::scope(|scope| {
        for count in &counts {
            let (ended, begin, stopped) = (&ended, &begin, &stopped);
            scope.spawn(move || {
                let asked = Asked::all(subject, requests).map(|asked| asked.expecting(answers));
                begin.wait();
                let done = asked.and_then(|mut asked| decide_until(&mut asked, ended, count));
                if let Err(why) = done {
                    *stopped.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
                }
            });
        }
        begin.wait();
        std::thread::sleep(budget.mul_f64(WARM_UP));
        for _ in 0..SLICES {
            let (before, started) = (all(), Instant::now());
            std::thread::sleep(slice);
            slices.push((started.elapsed(), all() - before));
        }
        ended.store(true, Ordering::Relaxed);
    });
    if let Some(why) = stopped.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(why);
    }
    // Picoseconds, so that a decision's share of the wall keeps its digits.
    const PER: f64 = 1_000.0;
    let mut samples = recorder()?;
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

fn decide_until(
    asked: &mut Asked<'_>,
    ended: &AtomicBool,
    count: &std::sync::atomic::AtomicU64,
) -> Result<(), Stopped> {
    loop {
        for one in &mut asked.0 {
            if ended.load(Ordering::Relaxed) {
                return Ok(());
            }
            one.question.ask();
            one.check()?;
            // Only this thread writes; the others read it seldom.
            count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    }
}

/// Memory that was added since before anything was read.
fn resident(before: Option<u64>, asked: &mut Asked<'_>) -> Result<Figures, Stopped> {
    let missing =
        || Unavailable::Missing("this system does not say how much memory a process has".to_owned());
    let before = before.ok_or_else(missing)?;
    let loaded = memory::resident().ok_or_else(missing)?;
    for _ in 0..SETTLED.div_ceil(asked.0.len()) {
        for one in &mut asked.0 {
            one.question.ask();
            one.check()?;
        }
    }
    let settled = memory::resident().ok_or_else(missing)?;
    let mut figures = Figures::once(settled.saturating_sub(before) as f64);
    let part = |name: &str, bytes: u64| (name.to_owned(), bytes as f64);
    figures.parts = [part("before", before), part("loaded", loaded), part("settled", settled)].into();
    Ok(figures)
}

/// For whoever counts from outside.
fn repeat(asked: &mut Asked<'_>, times: u64) -> Result<(), Stopped> {
    for _ in 0..times {
        for one in &mut asked.0 {
            black_box(&mut one.question).ask();
        }
    }
    asked.0.iter_mut().try_for_each(One::check)
}

/// Figures that a subject took itself.
fn of_its_own(own: &OwnFigures) -> Figures {
    let at = |share: f64| {
        let found = own.percentiles.iter().find(|(known, _)| (known - share).abs() < 1e-9);
        found.map(|(_, value)| *value)
    };
    let mut figures = Figures::once(own.mean);
    figures.samples = own.samples;
    figures.p50 = at(0.5).unwrap_or(own.mean);
    figures.p90 = at(0.9).unwrap_or(own.mean);
    figures.p99 = at(0.99);
    figures.p999 = at(0.999);
    figures
}
