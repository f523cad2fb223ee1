//! What a run measured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tribunal_conformance::parity::report::Machine;

use crate::definition::Axis;
use crate::model::{Model, Unit};
use crate::statistics::{Figures, Quantile, Ratio, Summary, ratio, summarise};
use crate::subject::{Kind, Unavailable};
use crate::targets::Judged;

/// The version of this format; a report of another version is refused, never guessed at.
pub const FORMAT: u32 = 1;

/// What a run measured, and of what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BenchReport {
    /// [`FORMAT`].
    pub format: u32,
    /// How it was measured.
    pub run: Run,
    /// The packs.
    pub packs: Vec<BenchedPack>,
    /// Who was measured, in the order of tables.
    pub subjects: Vec<BenchedSubject>,
    /// The subject that others are compared with.
    pub baseline: String,
    /// What was measured.
    pub rows: Vec<Row>,
    /// What became of the targets, in a run that they are about.
    pub targets: Vec<Judged>,
    /// The run in one paragraph.
    pub conclusion: String,
}

/// How a run was made: enough to make it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The command line.
    pub command: String,
    /// The definition: its name, or its file.
    pub definition: String,
    /// Version of Tribunal.
    pub tribunal: String,
    /// Whether the program was optimised. Figures of one that was not say nothing.
    pub optimised: bool,
    /// The revision of the working folder, with `-dirty` if it has changes.
    pub revision: Option<String>,
    /// The machine.
    pub machine: Machine,
    /// When it began (RFC 3339).
    pub started: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Processes that were to measure each subject in each row.
    pub turns: u32,
    /// Processes that wanted to run over a minute, in the mean: before the run, and the most during it.
    pub load: Option<(f64, f64)>,
    /// Why the run ended before it was done, if it did.
    pub cut_short: Option<String>,
    /// Flamegraphs, if they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flamegraphs: Option<Drawn>,
}

/// Flamegraphs that were drawn after measuring.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Drawn {
    /// The folder they lie in.
    pub folder: String,
    /// Their files there.
    pub files: Vec<String>,
    /// Why there is none, or not of all.
    pub missing: Vec<String>,
}

/// A pack that was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BenchedPack {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// `sha256:` over its files.
    pub digest: String,
    /// Where it came from.
    pub origin: String,
}

/// Someone who was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BenchedSubject {
    /// The name.
    pub name: String,
    /// The engine that it is, or stands beside.
    pub engine: String,
    /// What it is to the engines.
    pub kind: Kind,
    /// What is timed.
    pub about: String,
    /// The version that answered; `None` if none did.
    pub version: Option<String>,
}

/// Subjects on one pack, one set of requests and one size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The measurement's name in its definition.
    pub measurement: String,
    /// What its figures are about.
    pub model: Model,
    /// What they are counted in.
    pub unit: Unit,
    /// What they are for.
    pub analysis: String,
    /// Which of [`BenchReport::packs`].
    pub pack: usize,
    /// Packs loaded together, where it is not one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packs: Option<u32>,
    /// The size that is varied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<Point>,
    /// Requests that are decided in turn.
    pub requests: usize,
    /// How many of them a fault denies.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub faulted: usize,
    /// The disagreement of two engines that makes the whole row void.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub void: Option<Disagreement>,
    /// Who was measured.
    pub entries: Vec<Entry>,
}

/// A size that is varied, at one of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Which size.
    pub axis: Axis,
    /// Its value in the definition.
    pub value: u64,
    /// What it came to in bytes, where it is a size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<u64>,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Two subjects that did not answer alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disagreement {
    /// The request's name.
    pub name: String,
    /// The request.
    pub request: Value,
    /// In which respects they differ.
    pub differs: String,
    /// One, and what it answered.
    pub first: (String, String),
    /// The other, and what it answered.
    pub second: (String, String),
}

/// One subject in one row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The subject's name.
    pub subject: String,
    /// Why there are no figures, or fewer than there were to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// What its processes say together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    /// What each process measured.
    pub processes: Vec<Process>,
}

/// Why a subject has no figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// It could not be measured.
    Unavailable(Unavailable),
    /// It does not answer as the engines do.
    Disagrees(Box<Disagreement>),
    /// It did not always answer alike.
    Changed(String),
}

/// One process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// The turn: processes of one turn ran one shortly after the other.
    pub turn: u32,
    /// Processes that wanted to run, when it began.
    pub load: Option<f64>,
    /// Its figures.
    pub figures: Figures,
}

impl Point {
    /// A size at one of its values.
    pub fn new(axis: Axis, value: u64) -> Self {
        Self { axis, value, measured: None }
    }

    /// The size that was measured.
    pub fn size(&self) -> u64 {
        self.measured.unwrap_or(self.value)
    }

    /// Whether two runs meant the same size.
    pub fn is(&self, other: &Self) -> bool {
        (self.axis, self.value) == (other.axis, other.value)
    }
}

impl Entry {
    /// An entry without figures.
    pub fn new(subject: &str) -> Self {
        Self { subject: subject.to_owned(), problem: None, summary: None, processes: Vec::new() }
    }

    /// Its processes with their turns.
    pub fn turns(&self) -> impl Iterator<Item = (u32, &Figures)> {
        self.processes.iter().map(|process| (process.turn, &process.figures))
    }

    /// One of its figures, if its processes have it.
    pub fn at(&self, quantile: Quantile) -> Option<f64> {
        let has = self.turns().any(|(_, figures)| quantile.of(figures).is_some());
        self.summary.as_ref().filter(|_| has)?.at(quantile)
    }

    /// Makes the summary that its processes come to.
    pub fn summarise(&mut self) {
        self.summary = summarise(self.processes.iter().map(|process| &process.figures));
    }
}

impl Row {
    /// A subject in this row, unless the row is void.
    pub fn entry(&self, subject: &str) -> Option<&Entry> {
        if self.void.is_some() {
            return None;
        }
        self.entries.iter().find(|entry| entry.subject == subject)
    }

    /// What a subject costs over another in this row.
    pub fn ratio(&self, of: &str, over: &str, at: Quantile) -> Option<Ratio> {
        ratio(self.entry(of)?.turns(), self.entry(over)?.turns(), at, 0.0)
    }
}

impl BenchReport {
    /// The pack of a row, if its measurement was made on others, too: without it, nobody knows which row is meant.
    pub fn pack_among_others(&self, row: &Row) -> Option<&str> {
        let is_beside = |other: &Row| {
            let one_size = match (row.point, other.point) {
                (Some(one), Some(other)) => one.is(&other),
                (one, other) => one.is_none() && other.is_none(),
            };
            row.measurement == other.measurement && one_size && row.pack != other.pack
        };
        let pack = self.packs.get(row.pack)?;
        self.rows.iter().any(is_beside).then_some(pack.name.as_str())
    }

    /// A subject.
    pub fn subject(&self, name: &str) -> Option<&BenchedSubject> {
        self.subjects.iter().find(|subject| subject.name == name)
    }

    /// The disagreements, each once.
    pub fn disagreements(&self) -> Vec<&Disagreement> {
        let mut found: Vec<&Disagreement> = Vec::new();
        for row in &self.rows {
            let of_entries = row.entries.iter().filter_map(|entry| match &entry.problem {
                Some(Problem::Disagrees(found)) => Some(&**found),
                _ => None,
            });
            for one in row.void.iter().chain(of_entries) {
                if !found.contains(&one) {
                    found.push(one);
                }
            }
        }
        found
    }

    /// The measurements, each with its rows, in the order of the definition.
    pub fn measurements(&self) -> Vec<Vec<&Row>> {
        let mut found: Vec<Vec<&Row>> = Vec::new();
        for row in &self.rows {
            let same = found
                .iter_mut()
                .find(|rows| rows.first().is_some_and(|first| first.measurement == row.measurement));
            match same {
                Some(rows) => rows.push(row),
                None => found.push(vec![row]),
            }
        }
        found
    }

    /// Whether anything is void, or an engine does not answer as it should: such a run is a failed comparison, whatever it
    /// measured. Floors and peers that disagree are left out, and prove nothing of the engines.
    pub fn disagrees(&self) -> bool {
        let is_engine =
            |entry: &Entry| self.subject(&entry.subject).is_some_and(|subject| subject.kind == Kind::Engine);
        let is_wrong = |entry: &Entry| {
            matches!(entry.problem, Some(Problem::Disagrees(_) | Problem::Changed(_))) && is_engine(entry)
        };
        self.rows.iter().any(|row| row.void.is_some() || row.entries.iter().any(is_wrong))
    }
}

/// Why a report cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// Not a report, or a damaged one.
    #[error("not a report of `tribunal bench`: {0}")]
    Syntax(#[from] serde_json::Error),
    /// Of another version.
    #[error("a report of format {0}, and this program reads {FORMAT}: measure again")]
    Format(u64),
}

/// Reads a report from its JSON.
///
/// # Errors
/// Why it is none.
pub fn read_json(text: &[u8]) -> Result<BenchReport, ReportError> {
    let value: Value = serde_json::from_slice(text)?;
    match value.get("format").and_then(Value::as_u64) {
        Some(format) if format != u64::from(FORMAT) => Err(ReportError::Format(format)),
        _ => Ok(serde_json::from_value(value)?),
    }
}
