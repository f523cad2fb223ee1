//! How long a call takes, and how that grows.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Nanoseconds a call takes, over as many calls as fill `least`; one at any rate. Half as long it is called untimed before, so
/// that nothing another call left behind in caches and branch predictors is counted.
pub fn per_call<T>(least: Duration, mut call: impl FnMut() -> T) -> f64 {
    let (warming, batch) = calls(least / 2, 1, &mut call);
    // What takes as long as that on its own has warmed itself.
    if warming >= least * 10 {
        return warming.as_nanos() as f64 / batch as f64;
    }
    let (elapsed, calls) = calls(least, batch, &mut call);
    elapsed.as_nanos() as f64 / calls as f64
}

/// Calls until the time is filled: how long that took, and how many calls it was. The clock is read after `batch` calls and
/// whenever the calls have doubled, so that it does not show beside calls of less than a microsecond.
fn calls<T>(least: Duration, batch: u64, call: &mut impl FnMut() -> T) -> (Duration, u64) {
    let mut calls = 0_u64;
    let mut batch = batch;
    let started = Instant::now();
    loop {
        for _ in 0..batch {
            black_box(call());
        }
        calls += batch;
        let elapsed = started.elapsed();
        if elapsed >= least {
            return (elapsed, calls);
        }
        batch = calls;
    }
}

/// The median, the upper one of an even number; `None` of nothing.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// The least, which of several timings is the one with the least noise in it.
pub fn least(values: &[f64]) -> Option<f64> {
    values.iter().copied().min_by(f64::total_cmp)
}

/// A size and what it costs.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    /// The size, above zero.
    pub size: f64,
    /// The cost, above zero.
    pub cost: f64,
    /// How much the point counts.
    pub weight: f64,
}

/// The power of its size with which a cost grows: the slope of the line of least squares on logarithmic axes. `None` of points
/// that have no slope: fewer than two sizes, or a size or cost that is not above zero.
pub fn exponent(points: &[Point]) -> Option<f64> {
    if points.iter().any(|point| point.size <= 0.0 || point.cost <= 0.0) {
        return None;
    }
    let logs: Vec<(f64, f64, f64)> =
        points.iter().map(|point| (point.size.ln(), point.cost.ln(), point.weight)).collect();
    let weight: f64 = logs.iter().map(|log| log.2).sum();
    let mean_x = logs.iter().map(|log| log.0 * log.2).sum::<f64>() / weight;
    let mean_y = logs.iter().map(|log| log.1 * log.2).sum::<f64>() / weight;
    let spread: f64 = logs.iter().map(|log| (log.0 - mean_x).powi(2) * log.2).sum();
    let together: f64 = logs.iter().map(|log| (log.0 - mean_x) * (log.1 - mean_y) * log.2).sum();
    if spread > 0.0 { Some(together / spread) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(size: f64, cost: f64) -> Point {
        Point { size, cost, weight: 1.0 }
    }

    #[test]
    fn powers_are_found_again() {
        for power in [0.0, 0.5, 1.0, 2.0] {
            let points = [1.0_f64, 2.0, 4.0, 8.0, 16.0].map(|n| point(n, 3.0 * n.powf(power)));
            assert!((exponent(&points).unwrap() - power).abs() < 1e-9, "{power}");
        }
    }

    #[test]
    fn what_has_no_slope_has_no_exponent() {
        assert_eq!(exponent(&[]), None);
        assert_eq!(exponent(&[point(1.0, 1.0)]), None);
        assert_eq!(exponent(&[point(2.0, 1.0), point(2.0, 3.0)]), None);
        assert_eq!(exponent(&[point(1.0, 1.0), point(2.0, -3.0)]), None);
    }

    #[test]
    fn a_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(Vec::new()), None);
    }
}
