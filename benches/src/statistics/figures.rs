//! What one process measured of one subject.

use std::collections::BTreeMap;

use hdrhistogram::{Counter, Histogram};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ratio::geometric_mean;

/// The largest sample that is told apart: an hour in nanoseconds, or four terabytes.
const MOST: u64 = 1 << 42;

/// Cells of the exported histogram for each doubling: enough for a plot, few enough for a file.
const CELLS_PER_DOUBLING: f64 = 8.0;

/// The samples of one process, to three digits.
#[derive(Debug)]
pub struct Recorder {
    histogram: Histogram<u64>,
    sum: u128,
    /// By request, where each sample is a decision of one.
    requests: Vec<Request>,
}

/// The samples of one request.
#[derive(Debug)]
struct Request {
    histogram: Histogram<u32>,
    sum: u128,
}

/// What the samples of one process come to, in the row's unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// Samples taken.
    pub samples: u64,
    /// The smallest.
    pub min: f64,
    /// Their mean; each request counts alike.
    pub mean: f64,
    /// Their median. Of several requests the geometric mean of their medians, so that each counts alike, and that a ratio of two
    /// such figures is the mean of the requests' own ratios: the median of a mixture would be one request's, and often the
    /// boundary between two.
    pub p50: f64,
    /// The median distance from the median, inside a request.
    pub mad: f64,
    /// Nine in ten are no larger.
    pub p90: f64,
    /// Ninety-nine in a hundred are no larger; absent for fewer than a hundred samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99: Option<f64>,
    /// Nine hundred and ninety-nine in a thousand are no larger; absent for fewer than a thousand samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p999: Option<f64>,
    /// The largest.
    pub max: f64,
    /// Whether only the mean is known, and stands for the rest: figures that a subject took itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mean_only: bool,
    /// How many samples fell into each cell, eight cells a doubling: the cell's lower end and the count.
    pub histogram: Vec<(f64, u64)>,
    /// What the figure is made of, by name: the stages of a decision, or the memory before and after.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<String, f64>,
}

impl Recorder {
    /// A recorder without samples.
    ///
    /// # Errors
    /// Never with the bounds used here; whoever calls says so to its own caller.
    pub fn new() -> Result<Self, hdrhistogram::CreationError> {
        Self::of_requests(0)
    }

    /// A recorder for samples of so many requests.
    ///
    /// # Errors
    /// As [`Recorder::new`].
    pub fn of_requests(count: usize) -> Result<Self, hdrhistogram::CreationError> {
        let request = || Ok(Request { histogram: Histogram::new_with_bounds(1, MOST, 3)?, sum: 0 });
        let requests = (0..count).map(|_| request()).collect::<Result<_, _>>()?;
        Ok(Self { histogram: Histogram::new_with_bounds(1, MOST, 3)?, sum: 0, requests })
    }

    /// Takes a sample that is no single request's.
    pub fn record(&mut self, value: u64) {
        self.histogram.saturating_record(value.clamp(1, MOST));
        self.sum += u128::from(value);
    }

    /// Takes a sample of one request.
    pub fn record_of(&mut self, request: usize, value: u64) {
        self.record(value);
        if let Some(request) = self.requests.get_mut(request) {
            request.histogram.saturating_record(value.clamp(1, MOST));
            request.sum += u128::from(value);
        }
    }

    /// Samples taken so far.
    pub fn len(&self) -> u64 {
        self.histogram.len()
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.histogram.is_empty()
    }

    /// What the samples come to; `None` without any. Each counts as so many of the unit divided by `per`: a batch of a
    /// hundred decisions is recorded as one sample and reported per decision.
    pub fn figures(&self, per: f64) -> Option<Figures> {
        if self.is_empty() {
            return None;
        }
        let histogram = &self.histogram;
        let samples = histogram.len();
        let at = |quantile: f64| histogram.value_at_quantile(quantile) as f64 / per;
        let whole = Center::of(histogram, self.sum);
        let center = Center::over(self.requests.iter().filter_map(Request::center)).unwrap_or(whole);
        Some(Figures {
            samples,
            min: histogram.min() as f64 / per,
            mean: center.mean / per,
            p50: center.median / per,
            mad: center.deviation / per,
            p90: at(0.9),
            p99: (samples >= 100).then(|| at(0.99)),
            p999: (samples >= 1_000).then(|| at(0.999)),
            max: histogram.max() as f64 / per,
            mean_only: false,
            histogram: cells(histogram, per),
            parts: BTreeMap::new(),
        })
    }
}

impl Figures {
    /// The one figure of a process that takes only one: a load, or a size.
    pub fn once(value: f64) -> Self {
        Self {
            samples: 1,
            min: value,
            mean: value,
            p50: value,
            mad: 0.0,
            p90: value,
            p99: None,
            p999: None,
            max: value,
            mean_only: false,
            histogram: vec![(cell(value), 1)],
            parts: BTreeMap::new(),
        }
    }
}

impl Figures {
    /// The mean that a subject measured of itself, which is all that is known.
    pub fn of_mean(mean: f64, samples: u64) -> Self {
        Self { samples, mean_only: true, histogram: Vec::new(), ..Self::once(mean) }
    }
}

impl Request {
    fn center(&self) -> Option<Center> {
        (!self.histogram.is_empty()).then(|| Center::of(&self.histogram, self.sum))
    }
}

/// Where samples lie.
struct Center {
    mean: f64,
    median: f64,
    deviation: f64,
}

impl Center {
    fn of<C: Counter>(histogram: &Histogram<C>, sum: u128) -> Self {
        let median = histogram.value_at_quantile(0.5);
        Self {
            mean: sum as f64 / histogram.len() as f64,
            median: median as f64,
            deviation: deviation(histogram, median),
        }
    }

    /// Of several requests: the mean of their means, the geometric mean of their medians, and their mean deviation in
    /// proportion to that.
    fn over(requests: impl Iterator<Item = Self>) -> Option<Self> {
        let requests: Vec<Self> = requests.collect();
        let count = requests.len() as f64;
        let mean = |part: fn(&Self) -> f64| requests.iter().map(part).sum::<f64>() / count;
        let median = geometric_mean(&requests.iter().map(|one| one.median).collect::<Vec<f64>>())?;
        let deviation = median * mean(|one| one.deviation / one.median);
        Some(Self { mean: mean(|one| one.mean), median, deviation })
    }
}

/// The median of the distances from the median.
fn deviation<C: Counter>(histogram: &Histogram<C>, median: u64) -> f64 {
    let mut distances: Vec<(u64, u64)> = histogram
        .iter_recorded()
        .map(|step| (step.value_iterated_to().abs_diff(median), step.count_at_value().as_u64()))
        .collect();
    distances.sort_unstable();
    let half = histogram.len().div_ceil(2);
    let mut seen = 0;
    for (distance, count) in distances {
        seen += count;
        if seen >= half {
            return distance as f64;
        }
    }
    0.0
}

fn cells(histogram: &Histogram<u64>, per: f64) -> Vec<(f64, u64)> {
    let mut cells: Vec<(f64, u64)> = Vec::new();
    for step in histogram.iter_recorded() {
        let at = cell(step.value_iterated_to() as f64 / per);
        match cells.last_mut() {
            Some((last, count)) if *last == at => *count += step.count_at_value(),
            _ => cells.push((at, step.count_at_value())),
        }
    }
    cells
}

/// The lower end of the cell that a value falls into, with few digits, so that equal cells are equal in a file too.
fn cell(value: f64) -> f64 {
    let place = (value.max(f64::MIN_POSITIVE).log2() * CELLS_PER_DOUBLING).floor();
    let exact = (place / CELLS_PER_DOUBLING).exp2();
    (exact * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn figures(values: &[u64]) -> Figures {
        let mut recorder = Recorder::new().unwrap();
        values.iter().for_each(|value| recorder.record(*value));
        recorder.figures(1.0).unwrap()
    }

    #[test]
    fn no_sample_is_no_figure() {
        assert_eq!(Recorder::new().unwrap().figures(1.0), None);
    }

    #[test]
    fn a_percentile_needs_samples_enough_to_have_it() {
        assert_eq!(figures(&[5; 99]).p99, None);
        assert_eq!(figures(&[5; 100]).p99, Some(5.0));
        assert_eq!(figures(&[5; 999]).p999, None);
        assert_eq!(figures(&[5; 1_000]).p999, Some(5.0));
    }

    #[test]
    fn a_batch_is_reported_by_the_decision() {
        let mut recorder = Recorder::new().unwrap();
        recorder.record(500);
        recorder.record(1_500);
        let found = recorder.figures(100.0).unwrap();
        assert_eq!((found.min, found.mean, found.samples), (5.0, 10.0, 2));
    }

    #[test]
    fn each_request_counts_alike() {
        let mut recorder = Recorder::of_requests(2).unwrap();
        for (request, value) in [(0, 10_000), (1, 90_000), (0, 10_000), (1, 90_000), (0, 10_000)] {
            recorder.record_of(request, value);
        }
        let found = recorder.figures(1.0).unwrap();
        // The median of the mixture would be 10 µs, and with one sample more of the other 90.
        assert!((found.p50 - 30_000.0).abs() < 50.0 && (found.mean - 50_000.0).abs() < 1.0, "{found:?}");
        assert_eq!((found.samples, found.min, found.mad), (5, 10_000.0, 0.0));
    }

    proptest! {
        /// Against the definition, on the sorted values; the recorder keeps three digits.
        #[test]
        fn figures_are_those_of_the_samples(mut values in prop::collection::vec(1_u64..1_000_000_000, 1..400)) {
            let found = figures(&values);
            values.sort_unstable();
            let rank = |share: f64| values[((share * values.len() as f64).ceil() as usize).clamp(1, values.len()) - 1] as f64;
            let close = |a: f64, b: f64| (a - b).abs() <= b * 0.002 + 1.0;
            prop_assert!(close(found.p50, rank(0.5)), "{} {}", found.p50, rank(0.5));
            prop_assert!(close(found.p90, rank(0.9)), "{} {}", found.p90, rank(0.9));
            prop_assert!(found.min <= found.p50 && found.p50 <= found.p90 && found.p90 <= found.max);
            let mean = values.iter().map(|value| *value as f64).sum::<f64>() / values.len() as f64;
            prop_assert!((found.mean - mean).abs() <= mean * 1e-9);
            let mut distances: Vec<f64> = values.iter().map(|value| (*value as f64 - rank(0.5)).abs()).collect();
            distances.sort_by(f64::total_cmp);
            let mad = distances[distances.len().div_ceil(2) - 1];
            prop_assert!((found.mad - mad).abs() <= rank(1.0) * 0.004 + 2.0, "{} {mad}", found.mad);
            let counted: u64 = found.histogram.iter().map(|(_, count)| count).sum();
            prop_assert_eq!(counted, values.len() as u64);
            prop_assert!(found.histogram.is_sorted_by(|a, b| a.0 < b.0));
        }
    }
}
