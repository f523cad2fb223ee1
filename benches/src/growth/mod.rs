//! How the cost of a decision grows with the request.
//!
//! A place of a request is doubled in size, over at least 1 : 16 up to what the pack's schema or the host's bounds let in, and
//! the exponent is that of what the size adds to the cost: 1 is linear.

mod fill;
mod place;

pub use fill::{BENIGN, Fill, HOSTILE};
pub use place::Place;

use std::time::Duration;

use serde_json::Value;
use tribunal::PolicyRequest;
use tribunal::core::contract::{DecisionEffect, parity};
use tribunal::core::fault::FaultKind;
use tribunal_conformance::case::Case;
use tribunal_conformance::{Answer, Runner};

use crate::Unmeasurable;
use crate::timing::{exponent, least, per_call};

/// The steepest growth there may be. What is linear comes out between 0.95 and 1.1: caches and the allocator make the larger
/// sizes a little dearer for each byte, and the timings are noisy. What is quadratic comes out near 2, and near 1.3 even where it is
/// only a fifth of the cost at the largest size.
pub const STEEPEST: f64 = 1.15;

/// Sizes, each half of the next.
const SIZES: u32 = 7;
/// A place that cannot be made larger by as many bytes has no growth to speak of.
const FEWEST_BYTES: usize = 1 << 10;
/// Nor has a list that cannot have as many elements more.
const FEWEST_ELEMENTS: usize = 15;
/// What one timing takes at least.
const LEAST: Duration = Duration::from_micros(100);

/// How one engine's cost, or that of reading the JSON, grows.
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
}

impl Growth {
    /// The steepest, and the engine's index.
    pub fn steepest(&self) -> Option<(usize, f64)> {
        self.engines.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// A request of some size.
struct Sized {
    /// Bytes more than the request has that everything begins with.
    added: f64,
    text: String,
    request: PolicyRequest,
    /// What is decided: sizes that are decided otherwise have costs of their own.
    outcome: (DecisionEffect, Option<FaultKind>),
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
    let mut sizes = vec![sized(runners, case, case.request.clone(), 0)?];
    let Some(base) = sizes.first().and_then(Option::as_ref).map(|base| base.text.len()) else {
        return Ok(None);
    };
    for halved in (0..SIZES).rev() {
        let Some(grown) = place.grow(&case.request, fill, most >> halved) else { return Ok(None) };
        sizes.push(sized(runners, case, grown, base)?);
    }
    // Beyond the host's bounds nothing is decided; a fill of few long pieces may give one size twice.
    let mut sizes: Vec<Sized> = sizes.into_iter().flatten().collect();
    sizes.dedup_by_key(|size| size.text.len());
    let mut timings = vec![vec![Vec::new(); sizes.len()]; runners.len() + 1];
    for _ in 0..rounds {
        for (at, size) in sizes.iter().enumerate() {
            let json = || serde_json::from_slice::<Value>(size.text.as_bytes());
            record(&mut timings, runners.len(), at, per_call(LEAST, json));
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
        .map(|timings| {
            let costs: Vec<f64> = timings.iter().filter_map(|timings| least(timings)).collect();
            steepest(&sizes, &costs)
        })
        .collect();
    let Some(json) = exponents.pop() else { return Ok(None) };
    Ok(Some(Growth { place: place.clone(), fill: *fill, engines: exponents, json }))
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
    request: Value,
    base: usize,
) -> Result<Option<Sized>, Unmeasurable> {
    let text = request.to_string();
    let case = Case { request, ..case.clone() };
    let answers: Vec<Answer> = runners.iter().map(|runner| runner.answer(&case)).collect();
    let Ok(request) = crate::request_of(&case) else { return Ok(None) };
    let Some((runner, first)) = runners.first().zip(answers.first()) else { return Ok(None) };
    let result = |answer: &'_ Answer| answer.fault.clone().map_or(Ok(answer.decision.clone()), Err);
    for (other, answer) in runners.iter().zip(&answers) {
        let (first, answer) = (result(first), result(answer));
        let reasons = runner.pack().manifest.parity.reasons;
        let differences = parity::differences(&case.request, first.as_ref(), answer.as_ref(), reasons);
        if !differences.is_empty() {
            return Err(Unmeasurable::Disagreement(format!(
                "`{}` on `{}` and `{}` differ in {differences:?} over {} bytes from the case `{}`: {} and {}",
                runner.pack().manifest.name,
                runner.engine(),
                other.engine(),
                text.len(),
                case.name,
                said(&first),
                said(&answer),
            )));
        }
    }
    let outcome = (first.decision.effect, first.fault.as_ref().map(|fault| fault.kind));
    Ok(Some(Sized { added: text.len().saturating_sub(base) as f64, text, request, outcome }))
}

fn said(answer: &Result<tribunal::Decision, tribunal::core::fault::Fault>) -> String {
    match answer {
        Ok(decision) => format!("{} {:?}", decision.effect, decision.reason),
        Err(fault) => fault.to_string(),
    }
}

/// The steepest exponent among the sizes that are decided alike. The first size is the one that everything begins with.
fn steepest(sizes: &[Sized], costs: &[f64]) -> f64 {
    let Some((fixed, grown)) = costs.split_first() else { return 0.0 };
    let grown: Vec<(&Sized, f64)> = sizes.iter().skip(1).zip(grown.iter().copied()).collect();
    grown
        .chunk_by(|one, next| one.0.outcome == next.0.outcome)
        .filter_map(|alike| {
            let points: Vec<(f64, f64)> = alike.iter().map(|(size, cost)| (size.added, *cost)).collect();
            growth_of(&points, *fixed)
        })
        .fold(0.0, f64::max)
}

/// The exponent of what sizes add to a fixed cost.
///
/// A fixed cost hides growth, so that it is taken off. Sizes that add less than a quarter of it are passed over: there the
/// difference is noise. Where fewer than three are left, the size hardly adds anything, and the whole cost's exponent is taken.
fn growth_of(points: &[(f64, f64)], fixed: f64) -> Option<f64> {
    let added: Vec<(f64, f64)> = points
        .iter()
        .filter(|(_, cost)| *cost > fixed * 1.25)
        .map(|(size, cost)| (*size, cost - fixed))
        .collect();
    match (points.len(), added.len()) {
        (_, 3..) => exponent(&added),
        (3.., _) => exponent(points),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(cost: impl Fn(f64) -> f64) -> Option<f64> {
        let points: Vec<(f64, f64)> = (0..7).map(|at| f64::from(1_024 << at)).map(|n| (n, cost(n))).collect();
        growth_of(&points, cost(0.0))
    }

    #[test]
    fn a_fixed_cost_hides_no_growth() {
        let linear = over(|n| 1e6 + 20.0 * n).unwrap();
        assert!((linear - 1.0).abs() < 1e-9, "{linear}");
        let quadratic = over(|n| 1e6 + n * n / 1e3).unwrap();
        assert!(quadratic > 1.9, "{quadratic}");
        let partly = over(|n| 1e5 + 20.0 * n + n * n / 1e4).unwrap();
        assert!(partly > STEEPEST, "{partly}");
    }

    #[test]
    fn what_hardly_grows_has_a_small_exponent() {
        let flat = over(|n| 1e6 + n).unwrap();
        assert!(flat < 0.1, "{flat}");
    }
}
