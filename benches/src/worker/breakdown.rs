//! The stages of a decision. The whole decision, timed as `decide` times it, and the stages, one after another, alternate;
//! what the stages do not account for is dispatch's own: merging, patches, and the outcome.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::measure::{Stopped, failed, timed};
use super::protocol::Job;
use crate::statistics::{Figures, median};
use crate::subject::{Request, Subject, Unavailable};

/// What the stages do not account for.
pub(super) const REST: &str = "dispatch and outcome";

/// The most samples that are kept of each stage and request.
const MOST: usize = 2_000;

/// Readings of the clock from which its own cost is taken.
const READINGS: usize = 2_001;

/// The samples of one request.
#[derive(Default)]
struct Samples {
    whole: Vec<f64>,
    stages: BTreeMap<&'static str, Vec<f64>>,
}

/// Takes a decision apart: of each stage the median of each request, in the mean over the requests.
pub(super) fn measure(subject: &dyn Subject, requests: &[Request], job: &Job) -> Result<Figures, Stopped> {
    let staged =
        subject.staged().ok_or_else(|| Unavailable::NotApplicable("it has no stages to show".to_owned()))?;
    let mut staged = staged?;
    let clock = clock();
    let mut questions = Vec::with_capacity(requests.len());
    for request in requests {
        questions.push((request, subject.question(request)?, Samples::default()));
    }
    timed(job, |counts| {
        for (request, question, samples) in &mut questions {
            let started = Instant::now();
            question.ask();
            let whole = nanoseconds(started.elapsed()) - clock;
            let mut laps = Vec::with_capacity(16);
            let mut last = Instant::now();
            let decided = staged.decide(request, &mut |stage| {
                let now = Instant::now();
                laps.push((stage, now - last));
                last = Instant::now();
            });
            // A fault ends a decision where it ends here, too.
            drop(decided);
            if counts && samples.whole.len() < MOST {
                samples.whole.push(whole.max(0.0));
                for (stage, time) in laps {
                    samples.stages.entry(stage).or_default().push((nanoseconds(time) - clock).max(0.0));
                }
            }
        }
        Ok(())
    })?;
    figures(questions.iter().map(|(_, _, samples)| samples))
        .ok_or_else(|| failed("no time was left for a sample"))
}

fn figures<'s>(samples: impl Iterator<Item = &'s Samples> + Clone) -> Option<Figures> {
    let count = samples.clone().count() as f64;
    let whole: Vec<f64> = samples.clone().filter_map(|one| median(&one.whole)).collect();
    let mean = whole.iter().sum::<f64>() / count;
    let mut parts: BTreeMap<String, f64> = BTreeMap::new();
    for one in samples.clone() {
        for (stage, times) in &one.stages {
            *parts.entry((*stage).to_owned()).or_default() += median(times)? / count;
        }
    }
    let known: f64 = parts.values().sum();
    parts.insert(REST.to_owned(), (mean - known).max(0.0));
    let mut figures = Figures::once(mean);
    figures.samples = samples.map(|one| one.whole.len() as u64).sum();
    figures.parts = parts;
    (figures.samples > 0).then_some(figures)
}

fn nanoseconds(time: Duration) -> f64 {
    time.as_nanos() as f64
}

/// What reading the clock costs.
fn clock() -> f64 {
    let readings: Vec<f64> = (0..READINGS)
        .map(|_| {
            let started = Instant::now();
            nanoseconds(started.elapsed())
        })
        .collect();
    median(&readings).unwrap_or(0.0)
}
