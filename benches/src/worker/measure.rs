//! The timing. Every sample's answer is compared with the first to its request, outside the clock.

use std::hint::black_box;
use std::time::{Duration, Instant};

use tribunal::core::engine::Registry;
use tribunal::files::read_pack;

use super::Ready;
use super::asked::{Asked, One};
use super::protocol::{Job, Measured, Phase};
use crate::memory;
use crate::model::Model;
use crate::statistics::{Figures, Recorder};
use crate::subject::{Answer, Candidate, Catalogue, OwnFigures, Site, Subject, Unavailable};

/// The part of the time that nothing is recorded in.
pub(super) const WARM_UP: f64 = 0.2;

/// A batch is at least so long, so that reading the clock twice is nothing to it.
const BATCH: Duration = Duration::from_micros(500);

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
        first: Box<Answer>,
        /// Another.
        then: Box<Answer>,
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
    let ready = Ready::of(job, candidate.engine(), registry)?;
    let started = Instant::now();
    let subjects = ready.sites.iter().map(|site| opened(candidate, site)).collect::<Result<Vec<_>, _>>()?;
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
            Some(super::parallel::measure(subject.as_ref(), &ready.requests, job, &answers)?)
        }
        (Phase::Measure, Model::Breakdown) => {
            Some(super::breakdown::measure(subject.as_ref(), &ready.requests, &answers, job)?)
        }
        (Phase::Measure, Model::Batch) => Some(batch(&mut asked, job)?),
        (Phase::Measure, Model::Decide | Model::ErrorPath) => {
            let own = match ready.requests.as_slice() {
                [request] => subject.own_figures(request, Duration::from_millis(job.budget_ms)),
                _ => None,
            };
            Some(match own {
                Some(own) => of_its_own(&own?, &asked)?,
                None => one_by_one(&mut asked, job)?,
            })
        }
    };
    Ok(Measured { version, answers, figures })
}

/// A pack read from disk and loaded: what is paid by whoever has only its folder.
fn opened(candidate: &dyn Candidate, site: &Site) -> Result<Box<dyn Subject>, Unavailable> {
    let files = read_pack(&site.folder)?;
    let site = Site {
        folder: site.folder.clone(),
        files,
        context: site.context.clone(),
        deadline: site.deadline,
        registry: site.registry.clone(),
    };
    candidate.open(&site)
}

pub(super) fn nanoseconds(time: Duration) -> f64 {
    time.as_nanos() as f64
}

/// A recorder for samples of so many requests; of none, if a sample is of all of them.
pub(super) fn recorder(requests: usize) -> Result<Recorder, Stopped> {
    Recorder::of_requests(requests).map_err(|error| failed(error.to_string()))
}

fn whole_nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
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
    let mut samples = recorder(asked.0.len())?;
    timed(job, |counts| {
        for (request, one) in asked.0.iter_mut().enumerate() {
            let started = Instant::now();
            one.question.ask();
            let time = started.elapsed();
            one.check()?;
            if counts {
                samples.record_of(request, whole_nanoseconds(time));
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
    let mut samples = recorder(0)?;
    timed(job, |counts| {
        let time = clocked(asked, passes)?;
        if counts {
            samples.record(whole_nanoseconds(time));
        }
        Ok(())
    })?;
    let decisions = f64::from(passes) * asked.0.len() as f64;
    samples.figures(decisions).ok_or_else(|| failed("no time was left for a sample"))
}

/// The pack read and loaded anew for each decision, what was loaded before dropped outside the clock. However long a load
/// takes, each request is decided so at least once, so that every subject's figure is of the same requests.
fn per_call(
    candidate: &dyn Candidate,
    ready: &Ready,
    job: &Job,
    answers: &[Answer],
) -> Result<Figures, Stopped> {
    let Some(site) = ready.sites.first() else { return Err(failed("a job has a pack")) };
    let mut samples = recorder(ready.requests.len())?;
    let started = Instant::now();
    let budget = Duration::from_millis(job.budget_ms);
    loop {
        for (place, (request, expected)) in ready.requests.iter().zip(answers).enumerate() {
            let asked = Instant::now();
            let subject = opened(candidate, site)?;
            let mut question = subject.question(request)?;
            question.ask();
            let time = asked.elapsed();
            One { name: &request.name, question, expected: expected.clone() }.check()?;
            samples.record_of(place, whole_nanoseconds(time));
        }
        if started.elapsed() >= budget {
            break;
        }
    }
    samples.figures(1.0).ok_or_else(|| failed("no time was left for a sample"))
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

/// Figures that a subject took itself, if it answered meanwhile as it did before: its percentiles, or only its mean.
fn of_its_own(own: &OwnFigures, asked: &Asked<'_>) -> Result<Figures, Stopped> {
    for (one, then) in asked.0.iter().zip(&own.answer) {
        if one.expected != *then {
            let (first, then) = (Box::new(one.expected.clone()), Box::new(then.clone()));
            return Err(Stopped::Changed { request: one.name.to_owned(), first, then });
        }
    }
    let at = |share: f64| {
        let found = own.percentiles.iter().find(|(known, _)| (known - share).abs() < 1e-9);
        found.map(|(_, value)| *value)
    };
    let mean = Figures::of_mean(own.mean, own.samples);
    Ok(match (at(0.5), at(0.9)) {
        (Some(p50), Some(p90)) => {
            Figures { mean_only: false, p50, p90, p99: at(0.99), p999: at(0.999), ..mean }
        }
        _ => mean,
    })
}
