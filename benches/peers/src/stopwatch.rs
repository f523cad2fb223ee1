//! The timing, which is the one of Tribunal's own workers: each evaluation by itself, those of the first fifth of the time not
//! counted, and each answer compared with the first outside of the clock.

use std::time::{Duration, Instant};

use hdrhistogram::{CreationError, Histogram};

use crate::protocol::Figures;

/// The part of the time that nothing is recorded in.
const WARM_UP: f64 = 0.2;

/// The largest sample that is told apart: more than an hour in nanoseconds.
const MOST: u64 = 1 << 42;

/// A stopwatch for one measurement.
#[derive(Debug)]
pub struct Stopwatch {
    started: Instant,
    budget: Duration,
    histogram: Histogram<u64>,
    sum: u128,
}

/// One evaluation, being timed.
#[derive(Debug)]
#[must_use = "an evaluation is timed from here to `stop`"]
pub struct Lap {
    counts: bool,
    began: Instant,
}

/// An answer that is not the first one: nothing that was timed means anything.
#[derive(Debug, thiserror::Error)]
#[error("it first answered {first}, then {then}")]
pub struct Changed {
    /// The first answer.
    pub first: String,
    /// Another.
    pub then: String,
}

impl Stopwatch {
    /// Begins to measure.
    ///
    /// # Errors
    /// Never with the bounds used here; whoever calls says so to its own caller.
    pub fn start(milliseconds: u64) -> Result<Self, CreationError> {
        let histogram = Histogram::new_with_bounds(1, MOST, 3)?;
        let budget = Duration::from_millis(milliseconds);
        Ok(Self { started: Instant::now(), budget, histogram, sum: 0 })
    }

    /// Whether there is time for another lap; for one that counts there always is.
    pub fn goes_on(&self) -> bool {
        self.histogram.is_empty() || self.started.elapsed() < self.budget
    }

    /// Begins a lap.
    pub fn lap(&self) -> Lap {
        let counts = self.started.elapsed() >= self.budget.mul_f64(WARM_UP);
        Lap { counts, began: Instant::now() }
    }

    /// Ends a lap.
    pub fn stop(&mut self, lap: &Lap) {
        let time = lap.began.elapsed();
        if lap.counts {
            let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(MOST);
            self.histogram.saturating_record(nanoseconds.clamp(1, MOST));
            self.sum += time.as_nanos();
        }
    }

    /// What the laps come to; `None` without one that counts.
    pub fn figures(&self) -> Option<Figures> {
        let samples = self.histogram.len();
        let at = |share: f64| self.histogram.value_at_quantile(share) as f64;
        (samples > 0).then(|| Figures {
            samples,
            mean: self.sum as f64 / samples as f64,
            p50: at(0.5),
            p90: at(0.9),
            p99: (samples >= 100).then(|| at(0.99)),
            p999: (samples >= 1_000).then(|| at(0.999)),
        })
    }
}

/// Holds an answer against the first.
///
/// # Errors
/// If it is another.
pub fn same<A: PartialEq + std::fmt::Display>(first: &A, then: &A) -> Result<(), Changed> {
    if first == then {
        return Ok(());
    }
    Err(Changed { first: first.to_string(), then: then.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fifth_is_not_counted_and_the_rest_is() {
        let mut watch = Stopwatch::start(100).unwrap();
        let (mut laps, mut warm) = (0_u64, 0_u64);
        while watch.goes_on() {
            let lap = watch.lap();
            std::thread::sleep(Duration::from_millis(2));
            watch.stop(&lap);
            laps += 1;
            warm += u64::from(!lap.counts);
        }
        assert!(watch.started.elapsed() >= watch.budget);
        let found = watch.figures().unwrap();
        assert!(warm > 0, "of {laps} laps all are counted");
        assert_eq!(found.samples, laps - warm);
        assert!(found.mean >= 2e6 && found.p50 >= 1.99e6 && found.p90 >= found.p50, "{found:?}");
        assert_eq!((found.p99, found.p999), (None, None), "too few samples to have them");
    }

    #[test]
    fn without_time_one_evaluation_counts() {
        let mut watch = Stopwatch::start(0).unwrap();
        assert_eq!(watch.figures(), None);
        while watch.goes_on() {
            let lap = watch.lap();
            watch.stop(&lap);
        }
        assert_eq!(watch.figures().unwrap().samples, 1);
    }

    #[test]
    fn an_answer_that_changes_is_told() {
        assert!(same(&1, &1).is_ok());
        assert_eq!(same(&1, &2).unwrap_err().to_string(), "it first answered 1, then 2");
    }
}
