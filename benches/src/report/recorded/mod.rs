//! A report for tests, of figures that nobody measured, with something of everything that a report can have.

use serde_json::json;

use super::data::{BenchReport, Disagreement, read_json};

/// The report, concluded by this program.
pub(crate) fn report() -> BenchReport {
    let mut report = read_json(include_bytes!("bench.json")).unwrap();
    report.conclude();
    report
}

/// What makes a row void.
pub(crate) fn disagreement() -> Disagreement {
    Disagreement {
        name: "a-researcher-searches".to_owned(),
        request: json!({"subject": {"type": "agent", "id": "a"}}),
        differs: "effect".to_owned(),
        first: ("rego-wasm".to_owned(), "deny".to_owned()),
        second: ("cedar".to_owned(), "allow".to_owned()),
    }
}
