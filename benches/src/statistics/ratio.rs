//! Two subjects compared turn by turn.
//!
//! In each turn both were measured in a process of their own, one shortly after the other, so what slowed the machine in that
//! turn slowed both: the ratio is taken within a turn, and the median over the turns is the figure. Its interval is a
//! bootstrap over turns. With as few turns as these an ordinary percentile bootstrap is too narrow, so its ends are pushed
//! out as far as Student's t is wider than the normal distribution (the expanded percentile interval: T. Hesterberg, What
//! Teachers Should Know About the Bootstrap, The American Statistician 69, 2015).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{median, summary::Quantile};
use crate::statistics::Figures;

/// Turns below which there is no interval, and nothing is called faster.
pub const FEWEST: usize = 5;

/// Resamples of the bootstrap.
const RESAMPLES: usize = 10_000;

/// The seed of the bootstrap: the same processes always give the same interval.
const SEED: u64 = 0x7269_6275_6e61_6c21;

/// A cost over another's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    /// The median over the turns.
    pub ratio: f64,
    /// Where it lies with 95 % confidence; `None` with fewer than [`FEWEST`] turns.
    pub interval: Option<Interval>,
    /// Turns in which both were measured.
    pub turns: usize,
}

/// The ends of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// What a ratio of costs says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It costs less: the whole interval is below one.
    Less,
    /// It costs more: the whole interval is above one.
    More,
    /// The interval straddles one.
    NoDifference,
    /// There are too few turns to say.
    TooFew,
}

impl Ratio {
    /// What it says.
    pub fn verdict(&self) -> Verdict {
        match self.interval {
            None => Verdict::TooFew,
            Some(Interval { high, .. }) if high < 1.0 => Verdict::Less,
            Some(Interval { low, .. }) if low > 1.0 => Verdict::More,
            Some(_) => Verdict::NoDifference,
        }
    }
}

/// A figure of one subject over that of another, over the turns in which both were measured. `plus` is added to what the
/// other costs. `None` without such turns, or where the other costs nothing.
pub fn ratio<'f>(
    of: impl IntoIterator<Item = (u32, &'f Figures)>,
    over: impl IntoIterator<Item = (u32, &'f Figures)>,
    at: Quantile,
    plus: f64,
) -> Option<Ratio> {
    let over: Vec<(u32, f64)> = over
        .into_iter()
        .filter_map(|(turn, figures)| Some((turn, at.of(figures)? + plus)))
        .filter(|(_, cost)| *cost > 0.0)
        .collect();
    // Logarithms: turned round, a ratio says exactly the opposite.
    let logs: Vec<f64> = of
        .into_iter()
        .filter_map(|(turn, figures)| {
            let (_, other) = over.iter().find(|(other, _)| *other == turn)?;
            Some((at.of(figures)? / other).ln())
        })
        .filter(|log| log.is_finite())
        .collect();
    Some(Ratio { ratio: median(&logs)?.exp(), interval: interval(&logs), turns: logs.len() })
}

fn interval(logs: &[f64]) -> Option<Interval> {
    if logs.len() < FEWEST {
        return None;
    }
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut resample = Vec::with_capacity(logs.len());
    let mut medians: Vec<f64> = (0..RESAMPLES)
        .filter_map(|_| {
            resample.clear();
            resample.extend((0..logs.len()).filter_map(|_| logs.get(random.usize(..logs.len()))));
            median(&resample)
        })
        .collect();
    medians.sort_by(f64::total_cmp);
    let beyond = (tail(logs.len()) * RESAMPLES as f64).floor() as usize;
    let low = medians.get(beyond).copied()?;
    let high = medians.get(RESAMPLES - 1 - beyond).copied()?;
    Some(Interval { low: low.exp(), high: high.exp() })
}

/// The share cut off at either end of the bootstrap distribution for so many turns: the normal distribution's below
/// `-sqrt(n / (n - 1)) t(0.975, n - 1)`.
fn tail(turns: usize) -> f64 {
    const TAILS: [(usize, f64); 12] = [
        (5, 0.000_954),
        (6, 0.002_432),
        (7, 0.004_109),
        (8, 0.005_738),
        (9, 0.007_225),
        (10, 0.008_551),
        (12, 0.010_757),
        (15, 0.013_207),
        (20, 0.015_881),
        (25, 0.017_582),
        (30, 0.018_754),
        (40, 0.020_258),
    ];
    // Between two entries the smaller tail is the wider interval.
    TAILS.iter().rev().find(|(least, _)| *least <= turns).map_or(0.0, |(_, tail)| *tail)
}

/// The geometric mean; `None` of nothing.
pub fn geometric_mean(ratios: &[f64]) -> Option<f64> {
    if ratios.is_empty() {
        return None;
    }
    Some((ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn compare(of: &[f64], over: &[f64]) -> Ratio {
        let turns = |values: &[f64]| -> Vec<(u32, Figures)> {
            values.iter().enumerate().map(|(turn, value)| (turn as u32, Figures::once(*value))).collect()
        };
        let (of, over) = (turns(of), turns(over));
        let pairs = |list: &'_ [(u32, Figures)]| -> Vec<(u32, Figures)> { list.to_vec() };
        let (of, over) = (pairs(&of), pairs(&over));
        ratio(of.iter().map(|(t, f)| (*t, f)), over.iter().map(|(t, f)| (*t, f)), Quantile::P50, 0.0).unwrap()
    }

    #[test]
    fn what_slows_a_turn_slows_both() {
        // Every turn of another speed, the same ratio in each: nothing is uncertain.
        let over = [1.0, 5.0, 2.0, 9.0, 3.0];
        let found = compare(&over.map(|cost| cost * 0.5), &over);
        let Interval { low, high } = found.interval.unwrap();
        for part in [found.ratio, low, high] {
            assert!((part - 0.5).abs() < 1e-12, "{found:?}");
        }
        assert_eq!(found.verdict(), Verdict::Less);
    }

    #[test]
    fn what_goes_both_ways_is_no_difference() {
        let found = compare(&[1.0, 1.1, 0.9, 1.2, 1.0], &[1.1, 1.0, 1.0, 1.0, 1.0]);
        assert_eq!(found.verdict(), Verdict::NoDifference, "{found:?}");
        let few = compare(&[1.0, 1.0], &[9.0, 9.0]);
        assert_eq!((few.verdict(), few.turns), (Verdict::TooFew, 2));
    }

    #[test]
    fn only_turns_of_both_count() {
        let figures: Vec<(u32, Figures)> = (0..7).map(|turn| (turn, Figures::once(2.0))).collect();
        let over: Vec<(u32, Figures)> = (2..9).map(|turn| (turn, Figures::once(1.0))).collect();
        let each = |list: &'static [(u32, Figures)]| list.iter().map(|(turn, figures)| (*turn, figures));
        let found = ratio(each(figures.leak()), each(over.leak()), Quantile::P50, 1.0).unwrap();
        assert!(found.turns == 5 && (found.ratio - 1.0).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn a_quantile_that_was_not_measured_is_no_ratio() {
        let one = [(0, Figures::once(1.0))];
        let each = || one.iter().map(|(turn, figures)| (*turn, figures));
        assert_eq!(ratio(each(), each(), Quantile::P99, 0.0), None);
    }

    #[test]
    fn the_tail_narrows_towards_that_of_many() {
        let tails: Vec<f64> = (FEWEST..60).map(tail).collect();
        assert!(tails.is_sorted() && tails.iter().all(|tail| *tail > 0.0 && *tail < 0.025));
    }

    proptest! {
        #[test]
        fn an_interval_holds_its_ratio_and_repeats(
            of in prop::collection::vec(0.1_f64..10.0, 5..20),
            scale in 0.1_f64..10.0,
        ) {
            let over: Vec<f64> = of.iter().enumerate().map(|(turn, cost)| cost * scale * (1.0 + turn as f64 / 50.0)).collect();
            let found = compare(&of, &over);
            let Interval { low, high } = found.interval.unwrap();
            prop_assert!(low <= found.ratio * 1.000_001 && found.ratio <= high * 1.000_001, "{found:?}");
            prop_assert_eq!(&found, &compare(&of, &over));
            // Turned round, it says the opposite.
            let inverse = compare(&over, &of);
            let turned = match found.verdict() {
                Verdict::Less => Verdict::More,
                Verdict::More => Verdict::Less,
                other => other,
            };
            prop_assert_eq!(inverse.verdict(), turned);
        }

        #[test]
        fn a_geometric_mean_lies_between_and_turns_round(ratios in prop::collection::vec(0.01_f64..100.0, 1..30)) {
            let mean = geometric_mean(&ratios).unwrap();
            let low = ratios.iter().copied().fold(f64::INFINITY, f64::min);
            let high = ratios.iter().copied().fold(0.0, f64::max);
            prop_assert!(low * 0.999_999 <= mean && mean <= high * 1.000_001);
            let inverse: Vec<f64> = ratios.iter().map(|ratio| 1.0 / ratio).collect();
            prop_assert!((geometric_mean(&inverse).unwrap() * mean - 1.0).abs() < 1e-9);
        }
    }
}
