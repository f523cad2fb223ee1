//! What goes in and what comes out.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a program is to do, `P` being where it finds its policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job<P> {
    /// The policy.
    pub policy: P,
    /// The file of the root of `data`.
    pub data: PathBuf,
    /// What is asked; without it the policy is loaded, and that is all.
    #[serde(default)]
    pub ask: Option<Ask>,
}

/// A question, and how long it is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// The input.
    pub input: Value,
    /// How long is measured, in milliseconds, warming up included. At least one evaluation is timed.
    pub measure_ms: u64,
}

/// What came of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// The library that decides, with its version.
    pub version: String,
    /// What it decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Value>,
    /// What that cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub figures: Option<Figures>,
    /// Why there is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Figures of evaluations that were timed one by one, in nanoseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// Evaluations that were timed.
    pub samples: u64,
    /// Their mean.
    pub mean: f64,
    /// Their median.
    pub p50: f64,
    /// Nine in ten are no larger.
    pub p90: f64,
    /// Ninety-nine in a hundred are no larger; absent for fewer than a hundred samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99: Option<f64>,
    /// Nine hundred and ninety-nine in a thousand are no larger; absent for fewer than a thousand samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p999: Option<f64>,
}

impl Said {
    /// Nothing yet.
    pub fn by(version: &str) -> Self {
        Self { version: version.to_owned(), decision: None, figures: None, error: None }
    }
}

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("`{}`: {error}", path.display())]
pub struct Unreadable {
    path: PathBuf,
    error: std::io::Error,
}

/// The bytes of a file of a job.
///
/// # Errors
/// If it cannot be read.
pub fn bytes(path: &Path) -> Result<Vec<u8>, Unreadable> {
    fs::read(path).map_err(|error| Unreadable { path: path.to_owned(), error })
}

/// The text of a file of a job.
///
/// # Errors
/// If it cannot be read.
pub fn text(path: &Path) -> Result<String, Unreadable> {
    fs::read_to_string(path).map_err(|error| Unreadable { path: path.to_owned(), error })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_known_is_an_error_wherever_it_stands() {
        let right = json!({"policy": 1, "data": "d.json", "ask": {"input": null, "measure_ms": 5}});
        let read = |job: &Value| serde_json::from_value::<Job<u8>>(job.clone());
        assert_eq!(read(&right).unwrap().ask, Some(Ask { input: Value::Null, measure_ms: 5 }));
        for place in ["", "/ask"] {
            let mut wrong = right.clone();
            wrong.pointer_mut(place).unwrap()["mesure_ms"] = json!(5);
            let error = read(&wrong).unwrap_err().to_string();
            assert!(error.starts_with("unknown field `mesure_ms`"), "{error}");
        }
        for (place, name) in [("", "policy"), ("", "data"), ("/ask", "input"), ("/ask", "measure_ms")] {
            let mut wrong = right.clone();
            wrong.pointer_mut(place).unwrap().as_object_mut().unwrap().remove(name);
            assert_eq!(read(&wrong).unwrap_err().to_string(), format!("missing field `{name}`"));
        }
    }
}
