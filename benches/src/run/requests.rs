//! What a row is asked: cases of its pack, or requests out of a file.

use jiff::Timestamp;
use tribunal::DecisionEffect;

use super::given::Given;
use super::{BenchError, Plan};
use crate::definition::{Axis, Measurement, Selection};
use crate::model::Model;
use crate::scale;
use crate::worker::JobRequest;
use crate::workshop::Stock;

/// Whether the requests of a measurement are those that fault.
pub(super) fn wants_faults(measurement: &Measurement) -> bool {
    let of_model = || measurement.model == Model::ErrorPath;
    measurement.requests.map_or_else(of_model, |selection| selection == Selection::Faulted)
}

/// The requests of a row: the run's, or cases of the pack.
pub(super) fn requests(
    plan: &Plan,
    measurement: &Measurement,
    size: Option<(Axis, u64)>,
    stock: &Stock,
) -> Result<Vec<JobRequest>, BenchError> {
    // A row with a pack or cases of its own says what it is asked.
    let is_free = measurement.pack.is_none()
        && measurement.cases.is_empty()
        && !size.is_some_and(|(axis, _)| axis.makes_a_pack())
        && !wants_faults(measurement);
    let given = plan.requests.as_ref().filter(|_| is_free);
    let mut chosen = match given {
        Some(given) => {
            let now = Timestamp::now().to_string();
            let of = |given: &Given| JobRequest {
                name: given.name.clone(),
                text: given.text.clone(),
                now: now.clone(),
                token: None,
            };
            given.iter().map(of).collect()
        }
        None => cases(measurement, stock)?,
    };
    if let Some((Axis::Input, bytes)) = size {
        if given.is_none() {
            // The smaller a request is, the smaller are the sizes that it can be filled to.
            chosen.sort_by_key(|request| request.text.len());
        }
        chosen.truncate(1);
        for request in &mut chosen {
            request.text = scale::filled(&request.text, bytes)?;
        }
    }
    Ok(chosen)
}

/// The cases of the pack that a measurement is about.
fn cases(measurement: &Measurement, stock: &Stock) -> Result<Vec<JobRequest>, BenchError> {
    let cases = &stock.suite.cases;
    for name in &measurement.cases {
        if !cases.iter().any(|case| case.name == *name) {
            return Err(BenchError::Input(format!(
                "measurement `{}`: pack `{}` has no case `{name}`",
                measurement.name, stock.source.manifest.name
            )));
        }
    }
    let wants_faults = wants_faults(measurement);
    let is_wanted = |case: &&tribunal_conformance::Case| match measurement.cases.as_slice() {
        // Where an engine is excepted, engines differ, and nothing could be compared.
        // Of a redaction, which takes several rounds, there is no breakdown.
        [] => {
            let is_taken_apart =
                measurement.model != Model::Breakdown || case.expect.effect != DecisionEffect::Redact;
            case.exceptions.is_empty() && case.expect.fault.is_some() == wants_faults && is_taken_apart
        }
        names => names.contains(&case.name),
    };
    let of = |case: &tribunal_conformance::Case| JobRequest {
        name: case.name.clone(),
        text: case.request.to_string(),
        now: case.now.to_string(),
        token: case.token.as_ref().map(|token| String::from_utf8_lossy(token.as_bytes()).into_owned()),
    };
    Ok(cases.iter().filter(is_wanted).map(of).collect())
}
