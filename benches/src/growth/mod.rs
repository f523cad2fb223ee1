//! How the cost of a decision grows with the request.
//!
//! A place of a request is doubled in size, over at least 1 : 16 up to what the pack's schema or the host's bounds let in, and
//! the exponent is that of what the size adds to the cost: 1 is linear.

mod fill;
mod place;

pub use fill::Fill;
pub use place::Place;

use std::time::{Duration, Instant};

use serde_json::Value;
use tribunal::core::contract::{DecisionEffect, parity};
use tribunal::core::fault::{Fault, FaultKind, LimitKind};
use tribunal::{Decision, PolicyRequest};
use tribunal_conformance::case::Case;
use tribunal_conformance::{Answer, Runner};

use crate::shipped::{Unmeasurable, request_of};
use crate::timing::{Point, exponent, least, per_call};

/// How much steeper growth may be than that of reading and of copying the same request in the same run, or than linear where those
/// are flatter. What is linear has no exponent of exactly 1: timings are noisy, and memory is dearer the more of it is touched,
/// for a copy, too. What is quadratic comes out near 2, and above this even where it is half of the cost at the largest size.
pub const NOISE: f64 = 0.15;

/// Sizes, each half of the next.
const SIZES: u32 = 7;
/// A place that cannot be made larger by as many bytes has no growth to speak of.
const FEWEST_BYTES: usize = 1 << 10;
/// Nor has a list that cannot have as many elements more.
const FEWEST_ELEMENTS: usize = 15;
/// The least share of a cost that counts as added by the size.
const LEAST_SHARE: f64 = 0.2;
/// What one timing takes at least.
const LEAST: Duration = Duration::from_micros(100);
/// No round begins later than this after the first.
const LONGEST: Duration = Duration::from_secs(2);

/// How the cost of each engine grows, as exponents.
#[derive(Debug, Clone)]
pub struct Growth {
    /// The place that grows.
    pub place: Place,
    /// What it is filled with.
    pub fill: Fill,
    /// By engine, in the order of the runners.
    pub engines: Vec<f64>,
    /// Of reading the JSON.
    pub json: f64,
    /// Of copying what was read.
    pub copy: f64,
    /// The engines that reached a limit of theirs, and so denied what others decide: at which size of the request in bytes.
    pub limited: Vec<(usize, LimitKind, usize)>,
}

impl Growth {
    /// The steepest engine's index and exponent.
    pub fn steepest(&self) -> Option<(usize, f64)> {
        self.engines.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// How much steeper that is than what is linear without doubt; below zero if it is flatter.
    pub fn excess(&self) -> f64 {
        self.steepest().map_or(0.0, |(_, exponent)| exponent - self.json.max(self.copy).max(1.0))
    }
}

/// A request of some size.
struct Sized {
    /// Bytes more than the request has that everything begins with, itself the first size.
    added: f64,
    text: String,
    request: PolicyRequest,
    /// What is decided, by engine: sizes that are decided otherwise have costs of their own.
    outcomes: Vec<(DecisionEffect, Option<FaultKind>)>,
}

/// Where a case's request grows far enough for its growth to be measured, and by how much.
pub fn growable(
    runner: &Runner,
    case: &Case,
    places: impl IntoIterator<Item = Place>,
) -> Vec<(Place, usize)> {
    let accepted = |request: &Value| {
        let answer = runner.answer(&Case { request: request.clone(), ..case.clone() });
        let refused = [FaultKind::Schema, FaultKind::RequestBounds, FaultKind::Unclassified];
        answer.fault.is_none_or(|fault| !refused.contains(&fault.kind))
    };
    let mut found = Vec::new();
    for place in places {
        let most = place.most(&case.request, accepted);
        let each = place.each(most);
        let fewest = if each.is_some() { FEWEST_ELEMENTS } else { FEWEST_BYTES };
        if let Some(each) = each {
            let length = each.most(&case.request, accepted);
            if most * length >= FEWEST_BYTES {
                found.push((each, length));
            }
        }
        if most >= fewest {
            found.push((place, most));
        }
    }
    found
}

/// Measures how the cost of a case's request grows with one of its places, on every engine in turn.
///
/// `None` where the fill finds no room in the place.
///
/// # Errors
/// Engines that disagree on any of the sizes: then no figure would mean anything.
pub fn measure(
    runners: &[&Runner],
    case: &Case,
    place: &Place,
    most: usize,
    fill: &Fill,
    rounds: usize,
) -> Result<Option<Growth>, Unmeasurable> {
    let mut sizes = vec![sized(runners, case, (place, fill), case.request.clone(), usize::MAX)?];
    let Some(base) = sizes.first().and_then(Option::as_ref).map(|base| base.text.len()) else {
        return Ok(None);
    };
    for halved in (0..SIZES).rev() {
        let Some(grown) = place.grow(&case.request, fill, most >> halved) else { return Ok(None) };
        sizes.push(sized(runners, case, (place, fill), grown, base)?);
    }
    // Beyond the host's bounds nothing is decided; a fill of few long pieces may give one size twice.
    let mut sizes: Vec<Sized> = sizes.into_iter().flatten().collect();
    sizes.dedup_by_key(|size| size.text.len());
    let mut timings = vec![vec![Vec::new(); sizes.len()]; runners.len() + 2];
    let started = Instant::now();
    for round in 0..rounds {
        if round > 0 && started.elapsed() > LONGEST {
            break;
        }
        for (at, size) in sizes.iter().enumerate() {
            let json = || serde_json::from_slice::<Value>(size.text.as_bytes());
            record(&mut timings, runners.len(), at, per_call(LEAST, json));
            let copy = || size.request.to_payload();
            record(&mut timings, runners.len() + 1, at, per_call(LEAST, copy));
            for (engine, runner) in runners.iter().enumerate() {
                record(
                    &mut timings,
                    engine,
                    at,
                    per_call(LEAST, || runner.dispatcher().evaluate(&size.request)),
                );
            }
        }
    }
    let mut exponents: Vec<f64> = timings
        .iter()
        .enumerate()
        .map(|(side, timings)| {
            let costs: Vec<f64> = timings.iter().filter_map(|timings| least(timings)).collect();
            // Reading and copying, the last sides, have no outcome: theirs is the same for all sizes.
            let points: Vec<Decided> = sizes
                .iter()
                .zip(costs)
                .map(|(size, cost)| (size.outcomes.get(side).copied(), size.added, cost))
                .collect();
            steepest(&points)
        })
        .collect();
    let (Some(copy), Some(json)) = (exponents.pop(), exponents.pop()) else { return Ok(None) };
    let limited = (0..runners.len()).filter_map(|engine| {
        sizes.iter().find_map(|size| match size.outcomes.get(engine)? {
            (_, Some(FaultKind::Limit(limit))) => Some((engine, *limit, size.text.len())),
            _ => None,
        })
    });
    let limited = limited.collect();
    Ok(Some(Growth { place: place.clone(), fill: *fill, engines: exponents, json, copy, limited }))
}

fn record(timings: &mut [Vec<Vec<f64>>], side: usize, size: usize, time: f64) {
    if let Some(timings) = timings.get_mut(side).and_then(|sizes| sizes.get_mut(size)) {
        timings.push(time);
    }
}

/// The request, and what all engines decide; `None` beyond the host's bounds.
fn sized(
    runners: &[&Runner],
    case: &Case,
    (place, fill): (&Place, &Fill),
    request: Value,
    base: usize,
) -> Result<Option<Sized>, Unmeasurable> {
    let text = request.to_string();
    let case = Case { request, ..case.clone() };
    let answers: Vec<Answer> = runners.iter().map(|runner| runner.answer(&case)).collect();
    let Ok(request) = request_of(&case) else { return Ok(None) };
    let Some((runner, first)) = runners.first().zip(answers.first()) else { return Ok(None) };
    let result = |answer: &'_ Answer| answer.fault.clone().map_or(Ok(answer.decision.clone()), Err);
    for (other, answer) in runners.iter().zip(&answers) {
        let (first, answer) = (result(first), result(answer));
        let reasons = runner.pack().manifest.parity.reasons;
        // An engine that has had enough denies: that is no other opinion, and is told apart.
        let is_limit = |answer: &Result<_, Fault>| {
            answer.as_ref().is_err_and(|fault| matches!(fault.kind, FaultKind::Limit(_)))
        };
        if is_limit(&first) || is_limit(&answer) {
            continue;
        }
        let differences = parity::differences(&case.request, first.as_ref(), answer.as_ref(), reasons);
        if !differences.is_empty() {
            return Err(Unmeasurable::Disagreement(format!(
                "`{}` on `{}` and `{}` differ in {differences:?} over {} bytes from the case `{}` with {} in {place}: {} and {}",
                runner.pack().manifest.name,
                runner.engine(),
                other.engine(),
                text.len(),
                case.name,
                fill.name,
                said(&first),
                said(&answer),
            )));
        }
    }
    let outcomes = answers
        .iter()
        .map(|answer| (answer.decision.effect, answer.fault.as_ref().map(|fault| fault.kind)))
        .collect();
    Ok(Some(Sized { added: text.len().saturating_sub(base) as f64, text, request, outcomes }))
}

fn said(answer: &Result<Decision, Fault>) -> String {
    match answer {
        Ok(decision) => format!("{} {:?}", decision.effect, decision.reason),
        Err(fault) => fault.to_string(),
    }
}

/// What was decided of a size, the bytes added, and the cost.
type Decided = (Option<(DecisionEffect, Option<FaultKind>)>, f64, f64);

/// The steepest exponent among the sizes that are decided alike.
fn steepest(sizes: &[Decided]) -> f64 {
    sizes
        .chunk_by(|one, next| one.0 == next.0)
        .filter_map(|alike| {
            let points: Vec<(f64, f64)> = alike.iter().map(|(_, size, cost)| (*size, *cost)).collect();
            growth_of(&points)
        })
        .fold(0.0, f64::max)
}

/// The exponent of what sizes add to the cost of the least of them.
///
/// A fixed cost hides growth, so that it is taken off. The less a size adds, the more of that is noise, and the less it
/// counts. Where hardly any size adds anything, the exponent is that of the whole cost.
fn growth_of(points: &[(f64, f64)]) -> Option<f64> {
    let (least, larger) = points.split_first()?;
    let added: Vec<Point> = larger
        .iter()
        .filter(|(_, cost)| cost - least.1 > cost * LEAST_SHARE)
        .map(|(size, cost)| Point {
            size: size - least.0,
            cost: cost - least.1,
            weight: ((cost - least.1) / cost).powi(2),
        })
        .collect();
    if added.len() >= 3 {
        return exponent(&added);
    }
    let whole: Vec<Point> =
        larger.iter().map(|(size, cost)| Point { size: *size, cost: *cost, weight: 1.0 }).collect();
    if whole.len() >= 3 { exponent(&whole) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(cost: impl Fn(f64) -> f64) -> f64 {
        let sizes = [0.0].into_iter().chain((0..7).map(|at| f64::from(1_024 << at)));
        let points: Vec<(f64, f64)> = sizes.map(|n| (n, cost(n))).collect();
        growth_of(&points).unwrap()
    }

    #[test]
    fn a_fixed_cost_hides_no_growth() {
        let linear = over(|n| 1e6 + 20.0 * n);
        assert!((linear - 1.0).abs() < 1e-9, "{linear}");
        let quadratic = over(|n| 1e6 + n * n / 1e3);
        assert!(quadratic > 1.9, "{quadratic}");
        // Half of the cost at 64 KiB.
        let partly = over(|n| 1e4 + 20.0 * n + n * n / 3.3e3);
        assert!(partly > 1.0 + NOISE, "{partly}");
    }

    #[test]
    fn what_hardly_grows_has_a_small_exponent() {
        let flat = over(|n| 1e6 + n);
        assert!(flat < 0.1, "{flat}");
    }

    #[test]
    fn each_way_of_deciding_has_its_own_growth() {
        let deny = Some((DecisionEffect::Deny, None));
        let redact = Some((DecisionEffect::Redact, None));
        let linear = |at: u32, times: f64| (f64::from(1 << at), times * f64::from(1 << at));
        let sizes = (0..10).map(|at| {
            let (size, cost) = linear(at, if at < 5 { 1.0 } else { 50.0 });
            (if at < 5 { deny } else { redact }, size, cost)
        });
        let exponent = steepest(&sizes.collect::<Vec<_>>());
        assert!((exponent - 1.0).abs() < 1e-9, "{exponent}");
    }
}
