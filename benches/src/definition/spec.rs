//! What a file of measurements says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::Model;

/// One measurement: a row of figures for each value that is varied, or one row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measurement {
    /// The name, unique in its file.
    #[schemars(regex(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$"))]
    pub name: String,
    /// What its figures are about.
    pub model: Model,
    /// A pack: an embedded or a shipped one by name, or a folder beside this file. Without it, the pack of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack: Option<String>,
    /// Which of the pack's cases are the requests; without it, those that are answered, or, for `error-path`, those that
    /// fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<Selection>,
    /// Only these cases of the pack, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<String>,
    /// Who is measured: subjects by name, or the words `engines`, `floors`, `peers`. Without it, `engines`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<String>,
    /// A size that is varied, a row for each value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vary: Option<Vary>,
    /// Different packs that are loaded one after another in one process; without it, one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub packs: Option<u32>,
    /// What the figures are for, and what they do not say: for whoever reads the report.
    #[schemars(regex(pattern = r"\S"))]
    pub analysis: String,
}

/// Which cases of a pack are requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Selection {
    /// Those that a policy answers.
    Answered,
    /// Those that fault.
    Faulted,
}

/// A size that is varied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vary {
    /// Which size.
    pub axis: Axis,
    /// Its values, rising.
    #[schemars(length(min = 1), inner(range(min = 1)))]
    pub values: Vec<u64>,
}

/// A size that costs can grow with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    /// Rules of a pack that is made for this: each allows one tool.
    Rules,
    /// Bytes of data of a pack that is made for this: a list of grants.
    Data,
    /// Bytes of a request: a member that no rule looks at is filled.
    Input,
    /// Threads that decide at once.
    Threads,
}

impl Axis {
    /// What tables call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Axis::Rules => "rules",
            Axis::Data => "data",
            Axis::Input => "input",
            Axis::Threads => "threads",
        }
    }

    /// Whether a pack is made for each of its values.
    pub fn makes_a_pack(self) -> bool {
        matches!(self, Axis::Rules | Axis::Data)
    }

    /// Whether its values are bytes.
    pub fn is_bytes(self) -> bool {
        matches!(self, Axis::Data | Axis::Input)
    }
}

/// The JSON Schema of a file of measurements.
pub fn definition_schema() -> Value {
    let mut schema = schemars::schema_for!(Vec<Measurement>);
    schema.insert("title".to_owned(), Value::from("Measurements"));
    schema.to_value()
}
