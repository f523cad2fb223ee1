//! Reports read again from their JSON.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::parity::report::{FORMAT, MutationReport, ParityReport};

/// Why a file is no report that can be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// It is no JSON, or lacks a member, or has one that nobody knows.
    #[error("line {line}, column {column}: {message}")]
    Malformed {
        /// Counted from 1; 0 where the file as a whole is meant.
        line: usize,
        /// Counted from 1; 0 where the file as a whole is meant.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// It says of itself that it is of another version.
    #[error("this is a report of format {found}, and this version of tribunal reads format {FORMAT} only")]
    OtherFormat {
        /// The version it says.
        found: u64,
    },
    /// Its parts do not belong together.
    #[error("the report contradicts itself: {0}")]
    Contradictory(String),
}

impl From<serde_json::Error> for ReportError {
    fn from(error: serde_json::Error) -> Self {
        let (line, column, message) = (error.line(), error.column(), error.to_string());
        let place = format!(" at line {line} column {column}");
        let message = message.strip_suffix(&place).map_or(message.clone(), str::to_owned);
        ReportError::Malformed { line, column, message }
    }
}

/// Reads the report of a comparison.
///
/// # Errors
/// If it is of another [`FORMAT`], is no such report to the letter, or speaks of participants and packs it does not name.
pub fn read_json(bytes: &[u8]) -> Result<ParityReport, ReportError> {
    let report: ParityReport = read(bytes)?;
    check(&report)?;
    Ok(report)
}

/// Reads the report of a mutation run.
///
/// # Errors
/// If it is of another [`FORMAT`], or is no such report to the letter.
pub fn read_mutation_json(bytes: &[u8]) -> Result<MutationReport, ReportError> {
    read(bytes)
}

fn read<R: DeserializeOwned>(bytes: &[u8]) -> Result<R, ReportError> {
    /// All that versions have in common.
    #[derive(Deserialize)]
    struct Head {
        format: u64,
    }
    // Before the rest, which may be anything in another version.
    let Head { format } = serde_json::from_slice(bytes)?;
    if format != u64::from(FORMAT) {
        return Err(ReportError::OtherFormat { found: format });
    }
    Ok(serde_json::from_slice(bytes)?)
}

/// Holds a report to what its types cannot say: rows are as long as the list of participants, and places exist.
fn check(report: &ParityReport) -> Result<(), ReportError> {
    let participants = report.participants.len();
    let row = |what: String, cells: usize| match cells {
        cells if cells == participants => Ok(()),
        _ => Err(ReportError::Contradictory(format!(
            "{what} has {cells} answers of {participants} participants"
        ))),
    };
    let place = |what: String, place: usize| match place {
        place if place < participants => Ok(()),
        _ => Err(ReportError::Contradictory(format!(
            "{what} is of participant {place}, and there are {participants}"
        ))),
    };
    for one in &report.participants {
        if one.pack >= report.packs.len() {
            let packs = report.packs.len();
            let message = format!("participant `{}` runs pack {}, and there are {packs}", one.name, one.pack);
            return Err(ReportError::Contradictory(message));
        }
    }
    for case in &report.cases {
        row(format!("case `{}`", case.name), case.cells.len())?;
    }
    for law in &report.laws {
        place(format!("law `{}`", law.law), law.participant)?;
    }
    if let Some(search) = &report.search {
        row("the search".to_owned(), search.answers.len())?;
        for (number, one) in search.counterexamples.iter().enumerate() {
            row(format!("counterexample {}", number + 1), one.answers.len())?;
        }
        for rule in &search.exercised.rules {
            place(format!("rule `{}`", rule.rule), rule.participant)?;
        }
        for literal in &search.exercised.literals {
            place(format!("literal `{}`", literal.value), literal.participant)?;
        }
    }
    Ok(())
}
