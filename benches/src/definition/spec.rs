//! What a file of measurements says.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::Model;

/// One measurement: a row of figures for each value that is varied or each pack, or one row.
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
    /// Packs, each with the case that is its request: a row for each pack, in place of `pack` and `cases`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub each: BTreeMap<String, String>,
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
    /// Processes that each figure takes at most, however many a run has: for what takes long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub turns: Option<u32>,
    /// What the figures are for, and what they do not say: for whoever reads the report.
    #[schemars(regex(pattern = r"\S"))]
    pub analysis: String,
}

impl Measurement {
    /// The measurement, or one of its name for each of its packs.
    pub fn on_each(&self) -> Vec<Measurement> {
        if self.each.is_empty() {
            return vec![self.clone()];
        }
        let on = |(pack, case): (&String, &String)| Measurement {
            pack: Some(pack.clone()),
            cases: vec![case.clone()],
            each: BTreeMap::new(),
            ..self.clone()
        };
        self.each.iter().map(on).collect()
    }
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
    #[schemars(length(min = 1))]
    pub values: Vec<Size>,
}

impl Vary {
    /// The values in numbers, rising, each once: what this machine has of them may be what another says already.
    pub fn sizes(&self) -> BTreeSet<u64> {
        self.values.iter().map(|size| size.number()).collect()
    }
}

/// A value of a size. Numbers come before the word, which tells none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Size {
    /// So many.
    Number(u64),
    /// A word for a number that depends on the machine.
    Word(Word),
}

/// A word for a number that depends on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// As many threads as the machine runs at once.
    All,
}

/// Written by hand: what alternatives find wrong says less than what is wrong with a number or with a word.
impl JsonSchema for Size {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "So many, or `all`: as many threads as the machine runs at once.",
            "type": ["integer", "string"],
            "minimum": 1,
            "pattern": "^all$",
        })
    }
}

impl Size {
    /// The number.
    pub fn number(self) -> u64 {
        match self {
            Size::Number(number) => number,
            // A machine that does not tell is one that runs a thread.
            Size::Word(Word::All) => std::thread::available_parallelism()
                .map_or(1, |count| (count.get() as u64).min(Axis::Threads.most())),
        }
    }
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

    /// The most that it may be: more is not a measurement any more, or does not fit into a pack.
    pub fn most(self) -> u64 {
        match self {
            Axis::Rules => 100_000,
            Axis::Data => 50_000_000,
            Axis::Input => 100_000_000,
            Axis::Threads => 1_024,
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
