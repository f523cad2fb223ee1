//! Two subjects compared turn by turn.
//!
//! In each turn both were measured in a process of their own, one shortly after the other, so what slowed the machine in that
//! turn slowed both: the ratio is taken within a turn, and the median over the turns is the figure. Its interval is that of
//! the sign test: two of the turns' own ratios, chosen so that the true median lies outside with a chance of at most one in twenty,
//! whatever the distribution (H. A. David, H. N. Nagaraja, Order Statistics, 3rd edition, 7.1). It needs six turns: of five, not
//! even the smallest and the largest are so far apart.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{median, summary::Quantile};
use crate::statistics::Figures;

/// Turns below which there is no interval, and nothing is called faster.
pub const FEWEST: usize = 6;

/// The chance that an interval misses.
const MISS: f64 = 0.05;

/// Smaller differences are none: where code and stacks happen to lie moves figures by as much.
pub const RELEVANT: f64 = 0.02;

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

/// What a ratio of costs says. Differences below [`RELEVANT`] are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It costs less: the whole interval is below one by more than that.
    Less,
    /// It costs more: the whole interval is above one by more than that.
    More,
    /// The interval straddles one, or comes as close.
    NoDifference,
    /// There are too few turns to say.
    TooFew,
}

impl Ratio {
    /// What it says.
    pub fn verdict(&self) -> Verdict {
        match self.interval {
            None => Verdict::TooFew,
            Some(Interval { high, .. }) if high < 1.0 - RELEVANT => Verdict::Less,
            Some(Interval { low, .. }) if low > 1.0 / (1.0 - RELEVANT) => Verdict::More,
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
    let mut sorted = logs.to_vec();
    sorted.sort_by(f64::total_cmp);
    let beyond = beyond(sorted.len())?;
    let low = sorted.get(beyond).copied()?;
    let high = sorted.get(sorted.len() - 1 - beyond).copied()?;
    Some(Interval { low: low.exp(), high: high.exp() })
}

/// How many of so many values may lie beyond either end of an interval of their median; `None` if they are too few for any.
fn beyond(count: usize) -> Option<usize> {
    // The chance that at most so many of them lie on one side: the binomial distribution with a half.
    let mut chance = 0.5_f64.powi(i32::try_from(count).ok()?);
    let mut sum = 0.0;
    let mut found = None;
    for outside in 0..count / 2 {
        sum += chance;
        if 2.0 * sum > MISS {
            break;
        }
        found = Some(outside);
        chance *= (count - outside) as f64 / (outside + 1) as f64;
    }
    found
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
        let over = [1.0, 5.0, 2.0, 9.0, 3.0, 7.0];
        let found = compare(&over.map(|cost| cost * 0.5), &over);
        let Interval { low, high } = found.interval.unwrap();
        for part in [found.ratio, low, high] {
            assert!((part - 0.5).abs() < 1e-12, "{found:?}");
        }
        assert_eq!(found.verdict(), Verdict::Less);
    }

    #[test]
    fn what_goes_both_ways_is_no_difference() {
        let found = compare(&[1.0, 1.1, 0.9, 1.2, 1.0, 1.0], &[1.1, 1.0, 1.0, 1.0, 1.0, 1.0]);
        assert_eq!(found.verdict(), Verdict::NoDifference, "{found:?}");
        let few = compare(&[1.0, 1.0], &[9.0, 9.0]);
        assert_eq!((few.verdict(), few.turns), (Verdict::TooFew, 2));
    }

    #[test]
    fn only_turns_of_both_count() {
        let figures: Vec<(u32, Figures)> = (0..8).map(|turn| (turn, Figures::once(2.0))).collect();
        let over: Vec<(u32, Figures)> = (2..10).map(|turn| (turn, Figures::once(1.0))).collect();
        let each = |list: &'static [(u32, Figures)]| list.iter().map(|(turn, figures)| (*turn, figures));
        let found = ratio(each(figures.leak()), each(over.leak()), Quantile::P50, 1.0).unwrap();
        assert!(found.turns == 6 && (found.ratio - 1.0).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn a_quantile_that_was_not_measured_is_no_ratio() {
        let one = [(0, Figures::once(1.0))];
        let each = || one.iter().map(|(turn, figures)| (*turn, figures));
        assert_eq!(ratio(each(), each(), Quantile::P99, 0.0), None);
    }

    #[test]
    fn what_is_within_two_in_a_hundred_is_no_difference() {
        assert_eq!(compare(&[0.99; 9], &[1.0; 9]).verdict(), Verdict::NoDifference);
        assert_eq!(compare(&[0.97; 9], &[1.0; 9]).verdict(), Verdict::Less);
        assert_eq!(compare(&[1.01; 9], &[1.0; 9]).verdict(), Verdict::NoDifference);
        assert_eq!(compare(&[1.03; 9], &[1.0; 9]).verdict(), Verdict::More);
    }

    /// The table of the sign test: the largest number of values beyond either end with a miss of at most 5 %.
    #[test]
    fn intervals_are_those_of_the_sign_test() {
        let table = [
            (5, None),
            (6, Some(0)),
            (7, Some(0)),
            (8, Some(0)),
            (9, Some(1)),
            (12, Some(2)),
            (15, Some(3)),
            (20, Some(5)),
        ];
        for (count, expected) in table {
            assert_eq!(beyond(count), expected, "{count}");
        }
    }

    /// How often an interval misses the true median of what varies without any difference.
    #[test]
    fn an_interval_misses_as_seldom_as_it_says() {
        let mut random = fastrand::Rng::with_seed(7);
        for turns in [6, 7, 9, 15] {
            let misses = (0..4_000).filter(|_| {
                // Skewed, with a median of one.
                let of: Vec<f64> =
                    (0..turns).map(|_| 2.0 * random.f64()).map(|one: f64| one.powi(3)).collect();
                let Interval { low, high } = compare(&of, &vec![1.0; turns]).interval.unwrap();
                low > 1.0 || high < 1.0
            });
            let share = misses.count() as f64 / 4_000.0;
            assert!(share < 0.06, "{turns} turns: {share}");
        }
    }

    proptest! {
        #[test]
        fn an_interval_holds_its_ratio_and_repeats(
            of in prop::collection::vec(0.1_f64..10.0, 6..20),
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
