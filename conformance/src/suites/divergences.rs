//! The lists of known divergences: cases that do not pass, and why that is so.
//!
//! A list is `conformance/divergences/<engine>/<suite>.jsonl`, a line a case: `{"case", "how", "why", "upstream"?}`. It is part
//! of the program, since it speaks of this version's engines.

use std::collections::BTreeMap;

use serde::Deserialize;
use tribunal::core::location::Location;

use super::reading::json;
use super::{SuiteError, SuiteName};

macro_rules! lists {
    ($($engine:literal $suite:literal),* $(,)?) => {
        [$(($engine, $suite, include_str!(concat!("../../divergences/", $engine, "/", $suite, ".jsonl")))),*]
    };
}

/// Engine, suite, and the text of the list. What is not here has nothing listed.
const LISTS: [(&str, &str, &str); 5] = lists![
    "biscuit" "biscuit-samples",
    "rego-native" "opa-compliance",
    "rego-native" "rego-probes",
    "rego-wasm" "opa-compliance",
    "rego-wasm" "rego-probes",
];

/// How a case does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum How {
    /// It is answered otherwise.
    Failed,
    /// It is not answered.
    Refused,
}

impl How {
    /// As tables and lists say it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            How::Failed => "failed",
            How::Refused => "refused",
        }
    }
}

/// A line of a list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    case: String,
    how: How,
    why: String,
    upstream: Option<String>,
}

/// What is known of a case.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) how: How,
    why: String,
    upstream: Option<String>,
}

impl Known {
    /// Why, with the upstream issue if there is one.
    pub(crate) fn reason(&self) -> String {
        match &self.upstream {
            Some(upstream) => format!("{} ({upstream})", self.why),
            None => self.why.clone(),
        }
    }
}

/// The list for a suite on an engine, by case.
///
/// # Errors
/// A line that is none, that gives no reason, or that stands there twice.
pub(crate) fn list(engine: &str, suite: SuiteName) -> Result<BTreeMap<String, Known>, SuiteError> {
    let text =
        LISTS.iter().find(|list| (list.0, list.1) == (engine, suite.as_str())).map_or("", |list| list.2);
    read(&format!("conformance/divergences/{engine}/{suite}.jsonl"), text)
}

/// Reads a list.
pub(crate) fn read(file: &str, text: &str) -> Result<BTreeMap<String, Known>, SuiteError> {
    let mut known = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let wrong =
            |message: String| SuiteError::Syntax { location: Location::new(file, index + 1, 1), message };
        let Line { case, how, why, upstream } = json(file, index + 1, line)?;
        if why.trim().is_empty() {
            return Err(wrong(format!("no reason is given for `{case}`")));
        }
        if known.contains_key(&case) {
            return Err(wrong(format!("`{case}` stands here twice")));
        }
        known.insert(case, Known { how, why, upstream });
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_is_of_a_suite_that_the_engine_has() {
        for (engine, suite, _) in LISTS {
            let suite = SuiteName::of(suite).unwrap();
            assert!(suite.engines().contains(&engine), "{engine} {suite}");
            assert!(!list(engine, suite).unwrap().is_empty(), "{engine} {suite}");
        }
    }

    #[test]
    fn a_line_that_says_nothing_is_refused_with_its_place() {
        let good = r#"{"case": "a", "how": "failed", "why": "so"}"#;
        assert!(read("f", good).is_ok());
        for (line, place) in [
            (r#"{"case": "b", "how": "failed", "why": " "}"#, "f:2:1: no reason"),
            (good, "f:2:1: `a` stands here twice"),
            (r#"{"case": "b", "how": "differs", "why": "so"}"#, "f:2:"),
            (r#"{"case": "b", "how": "failed"}"#, "f:2:"),
            ("", "f:2:"),
        ] {
            let text = format!("{good}\n{line}\n{good}");
            let error = read("f", &text).unwrap_err().to_string();
            assert!(error.starts_with(place), "{error}");
        }
    }
}
