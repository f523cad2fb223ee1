//! What a row is asked: cases of its pack, or requests out of a file.

use jiff::Timestamp;
use serde_json::Value;
use tribunal::PolicyRequest;

use super::{BenchError, Plan};
use crate::definition::{Axis, Measurement, Selection};
use crate::model::Model;
use crate::report::data::Point;
use crate::scale;
use crate::worker::JobRequest;
use crate::workshop::Stock;

/// The requests of a row: the run's, or cases of the pack.
pub(super) fn requests(
    plan: &Plan,
    measurement: &Measurement,
    point: Option<Point>,
    stock: &Stock,
) -> Result<Vec<JobRequest>, BenchError> {
    let wants_faults = measurement
        .requests
        .map_or(measurement.model == Model::ErrorPath, |selection| selection == Selection::Faulted);
    if let (Some(given), false, true) =
        (&plan.requests, wants_faults, measurement.pack.is_none() && measurement.cases.is_empty())
    {
        let now = Timestamp::now().to_string();
        let of = |(name, value): &(String, Value)| JobRequest {
            name: name.clone(),
            text: value.to_string(),
            now: now.clone(),
            token: None,
        };
        return Ok(given.iter().map(of).collect());
    }
    let cases = &stock.suite.cases;
    for name in &measurement.cases {
        if !cases.iter().any(|case| case.name == *name) {
            return Err(BenchError::Input(format!(
                "measurement `{}`: pack `{}` has no case `{name}`",
                measurement.name, stock.source.manifest.name
            )));
        }
    }
    let is_wanted = |case: &&tribunal_conformance::Case| match measurement.cases.as_slice() {
        // Where an engine is excepted, engines differ, and nothing could be compared.
        [] => case.exceptions.is_empty() && case.expect.fault.is_some() == wants_faults,
        names => names.contains(&case.name),
    };
    let of = |case: &tribunal_conformance::Case| JobRequest {
        name: case.name.clone(),
        text: case.request.to_string(),
        now: case.now.to_string(),
        token: case.token.as_ref().map(|token| String::from_utf8_lossy(token.as_bytes()).into_owned()),
    };
    let mut chosen: Vec<JobRequest> = cases.iter().filter(is_wanted).map(of).collect();
    if let Some(Point { axis: Axis::Input, value, .. }) = point {
        chosen.truncate(1);
        for request in &mut chosen {
            request.text = scale::filled(&request.text, value)?;
        }
    }
    Ok(chosen)
}

/// Reads requests from a file: an array, or a request a line.
///
/// # Errors
/// Lines that are no requests, with their numbers.
pub fn read_requests(file: &str, text: &[u8]) -> Result<Vec<(String, Value)>, BenchError> {
    let wrong = |place: String, why: &str| BenchError::Input(format!("{file}:{place}: {why}"));
    let named = |number: usize, value: Value| -> Result<(String, Value), BenchError> {
        let name = format!("request {number}");
        let request = PolicyRequest::from_slice(value.to_string().as_bytes());
        request.map(|_| (name, value)).map_err(|fault| wrong(number.to_string(), &fault.detail))
    };
    let text = std::str::from_utf8(text).map_err(|_| wrong("1".to_owned(), "the file is not UTF-8"))?;
    let values: Vec<(usize, Value)> = if text.trim_start().starts_with('[') {
        let values: Vec<Value> = serde_json::from_str(text)
            .map_err(|error| wrong(error.line().to_string(), &error.to_string()))?;
        values.into_iter().enumerate().map(|(index, value)| (index + 1, value)).collect()
    } else if let Ok(value) = serde_json::from_str::<Value>(text) {
        vec![(1, value)]
    } else {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        lines
            .map(|(index, line)| {
                let value = serde_json::from_str(line);
                value
                    .map(|value| (index + 1, value))
                    .map_err(|error| wrong((index + 1).to_string(), &error.to_string()))
            })
            .collect::<Result<_, _>>()?
    };
    if values.is_empty() {
        return Err(wrong("1".to_owned(), "there is no request"));
    }
    values.into_iter().map(|(number, value)| named(number, value)).collect()
}
