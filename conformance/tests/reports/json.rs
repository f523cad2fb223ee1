//! Reports read again.

use serde_json::{Value, json};
use tribunal_conformance::parity::render::{ReportError, read_json, read_mutation_json};

use crate::fixture;

fn changed(change: impl FnOnce(&mut Value)) -> Result<(), String> {
    let mut report = serde_json::to_value(fixture::everything()).unwrap();
    change(&mut report);
    read_json(&serde_json::to_vec_pretty(&report).unwrap()).map(drop).map_err(|error| error.to_string())
}

#[test]
fn a_report_comes_back_as_it_went() {
    for report in [fixture::everything(), fixture::agreeing()] {
        assert_eq!(read_json(&serde_json::to_vec(&report).unwrap()), Ok(report));
    }
    let report = fixture::mutants();
    assert_eq!(read_mutation_json(&serde_json::to_vec(&report).unwrap()), Ok(report));
}

#[test]
fn another_version_is_refused_before_anything_else() {
    let other = json!({"format": 2, "whatever": "else"});
    let error = read_json(&serde_json::to_vec(&other).unwrap()).unwrap_err();
    assert_eq!(error, ReportError::OtherFormat { found: 2 });
    assert_eq!(
        error.to_string(),
        "this is a report of format 2, and this version of tribunal reads format 1 only"
    );
    let error = read_json(b"{}").unwrap_err().to_string();
    assert_eq!(error, "line 1, column 2: missing field `format`");
}

#[test]
fn an_unknown_key_is_refused_where_it_stands() {
    let error = changed(|report| report["run"]["seed"] = json!(7)).unwrap_err();
    assert!(error.starts_with("line ") && error.contains(": unknown field `seed`, expected "), "{error}");
    let error = read_json(b"{\n  \"format\": 1,\n  x").unwrap_err().to_string();
    assert_eq!(error, "line 3, column 3: key must be a string");
}

#[test]
fn rows_are_as_long_as_the_list_of_participants() {
    let cells = |report: &mut Value| report["cases"][0]["cells"] = json!([]);
    assert_eq!(
        changed(cells).unwrap_err(),
        "the report contradicts itself: case `all agree` has 0 answers of 4 participants"
    );
    let law = |report: &mut Value| report["laws"][0]["participant"] = json!(4);
    assert_eq!(
        changed(law).unwrap_err(),
        "the report contradicts itself: law `key_order` is of participant 4, and there are 4"
    );
    let pack = |report: &mut Value| report["participants"][0]["pack"] = json!(1);
    assert_eq!(
        changed(pack).unwrap_err(),
        "the report contradicts itself: participant `rego-native` runs pack 1, and there are 1"
    );
    let answers = |report: &mut Value| report["search"]["counterexamples"][1]["answers"] = json!([]);
    assert_eq!(
        changed(answers).unwrap_err(),
        "the report contradicts itself: counterexample 2 has 0 answers of 4 participants"
    );
}
