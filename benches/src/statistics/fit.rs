//! How a cost grows with what it is paid for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The exponent of a cost that grows as a power of a size: 0 is constant, 1 linear.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Growth {
    /// Fitted over all sizes by least squares on logarithms. A fixed cost hides growth at small sizes.
    pub overall: f64,
    /// Between the two largest sizes, where a fixed cost hides least.
    pub last: f64,
    /// The cost at the largest size over that at the smallest.
    pub factor: f64,
}

/// Fits the growth of a cost over sizes; `None` with fewer than two different positive sizes.
pub fn exponent(points: &[(f64, f64)]) -> Option<Growth> {
    let mut sorted: Vec<(f64, f64)> =
        points.iter().copied().filter(|(size, cost)| *size > 0.0 && *cost > 0.0).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let logs: Vec<(f64, f64)> = sorted.iter().map(|(size, cost)| (size.ln(), cost.ln())).collect();
    let (first, last) = (sorted.first()?, sorted.last()?);
    let count = logs.len() as f64;
    let mean = |part: fn(&(f64, f64)) -> f64| logs.iter().map(part).sum::<f64>() / count;
    let (mean_x, mean_y) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    if spread <= 0.0 {
        return None;
    }
    let along: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let (end, before) = (logs.last()?, logs.get(logs.len().checked_sub(2)?)?);
    let step = end.0 - before.0;
    let last_exponent = if step > 0.0 { (end.1 - before.1) / step } else { along / spread };
    Some(Growth { overall: along / spread, last: last_exponent, factor: last.1 / first.1 })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_needs_two_points() {
        assert_eq!(exponent(&[]), None);
        assert_eq!(exponent(&[(10.0, 1.0)]), None);
        assert_eq!(exponent(&[(10.0, 1.0), (10.0, 2.0)]), None);
    }

    #[test]
    fn a_fixed_cost_hides_growth_only_at_small_sizes() {
        let sizes = [10.0, 100.0, 1_000.0, 10_000.0];
        let found = exponent(&sizes.map(|size| (size, 1_000.0 + size))).unwrap();
        assert!(found.overall < 0.5 && found.last > 0.7, "{found:?}");
        assert!((found.factor - 11_000.0 / 1_010.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn a_power_is_found_again(power in -1.0_f64..3.0, scale in 0.1_f64..1e6) {
            let points = [10.0, 100.0, 500.0, 10_000.0].map(|size: f64| (size, scale * size.powf(power)));
            let found = exponent(&points).unwrap();
            prop_assert!((found.overall - power).abs() < 1e-6 && (found.last - power).abs() < 1e-6, "{found:?}");
        }
    }
}
