//! How long a call takes, and how that grows.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Nanoseconds a call takes, over as many calls as fill `least`; one at any rate.
pub fn per_call<T>(least: Duration, mut call: impl FnMut() -> T) -> f64 {
    let mut calls = 0_u64;
    let mut batch = 1_u64;
    let started = Instant::now();
    loop {
        for _ in 0..batch {
            black_box(call());
        }
        calls += batch;
        let elapsed = started.elapsed();
        if elapsed >= least {
            return elapsed.as_nanos() as f64 / calls as f64;
        }
        // Reading the clock must not show beside calls that take less than a microsecond.
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

/// The power of its size with which a cost grows: the slope of the line of least squares through the points (size, cost) on
/// logarithmic axes. `None` of points that have no slope: fewer than two sizes, or one that is not above zero.
pub fn exponent(points: &[(f64, f64)]) -> Option<f64> {
    let positive = |point: &&(f64, f64)| point.0 > 0.0 && point.1 > 0.0;
    if points.iter().filter(positive).count() < points.len().max(2) {
        return None;
    }
    let logs: Vec<(f64, f64)> = points.iter().map(|(size, cost)| (size.ln(), cost.ln())).collect();
    let count = logs.len() as f64;
    let mean_x = logs.iter().map(|log| log.0).sum::<f64>() / count;
    let mean_y = logs.iter().map(|log| log.1).sum::<f64>() / count;
    let spread: f64 = logs.iter().map(|log| (log.0 - mean_x).powi(2)).sum();
    let together: f64 = logs.iter().map(|log| (log.0 - mean_x) * (log.1 - mean_y)).sum();
    if spread > 0.0 { Some(together / spread) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_found_again() {
        for power in [0.0, 0.5, 1.0, 2.0] {
            let points: Vec<_> = [1.0_f64, 2.0, 4.0, 8.0, 16.0].map(|n| (n, 3.0 * n.powf(power))).into();
            assert!((exponent(&points).unwrap() - power).abs() < 1e-9, "{power}");
        }
    }

    #[test]
    fn what_has_no_slope_has_no_exponent() {
        assert_eq!(exponent(&[]), None);
        assert_eq!(exponent(&[(1.0, 1.0)]), None);
        assert_eq!(exponent(&[(2.0, 1.0), (2.0, 3.0)]), None);
        assert_eq!(exponent(&[(1.0, 1.0), (2.0, -3.0)]), None);
    }

    #[test]
    fn a_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(Vec::new()), None);
    }
}
