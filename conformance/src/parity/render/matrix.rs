//! The cases, case by case and participant by participant.

use tribunal::core::contract::DecisionEffect;
use tribunal::core::contract::parity::Difference;

use crate::parity::report::{AnswerRecord, CaseCell, CaseRow, ParityReport};

/// How the rows went.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    /// Rows there are.
    pub(super) rows: usize,
    /// Rows on which someone answers otherwise, and the case makes no exception for it.
    pub(super) differing: usize,
    /// Rows on which an answer is not what the case expects.
    pub(super) failing: usize,
    /// Rows with an exception.
    pub(super) excepted: usize,
    /// Rows on which someone's answer is a fault.
    pub(super) faulty: usize,
}

impl Totals {
    pub(super) fn of(report: &ParityReport) -> Self {
        let mut totals = Self::default();
        for row in &report.cases {
            totals.rows += 1;
            totals.differing += usize::from(differs(row));
            totals.failing += usize::from(cells(row).any(|cell| cell.failure.is_some()));
            totals.excepted += usize::from(cells(row).any(|cell| cell.exception.is_some()));
            totals.faulty += usize::from(cells(row).any(|cell| cell.answer.fault.is_some()));
        }
        totals
    }
}

/// The rows worth reading: those on which someone differs or fails.
fn noteworthy(report: &ParityReport) -> impl Iterator<Item = &CaseRow> {
    let wrong = |row: &&CaseRow| {
        !row.differences.is_empty()
            || cells(row).any(|cell| cell.failure.is_some() || cell.exception.is_some())
    };
    report.cases.iter().filter(wrong)
}

fn cells(row: &CaseRow) -> impl Iterator<Item = &CaseCell> {
    row.cells.iter().flatten()
}

/// Whether answers differ, and no exception accounts for it.
fn differs(row: &CaseRow) -> bool {
    let marks = marks(row);
    let is_excepted = marks.contains(&Some(Mark::Excepted));
    !row.differences.is_empty() && (!is_excepted || marks.contains(&Some(Mark::Differs)))
}

/// What is to be said of one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// As everyone else, and as the case expects.
    Agrees,
    /// Not what the case expects.
    Fails,
    /// Not what the first answers.
    Differs,
    /// As the case expects of this engine alone.
    Excepted,
}

impl Mark {
    /// The sign beside the letter.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Mark::Agrees => "",
            Mark::Fails => "!",
            Mark::Differs => "≠",
            Mark::Excepted => "*",
        }
    }

    /// The mark in words.
    pub(super) fn word(self) -> &'static str {
        match self {
            Mark::Agrees => "as expected",
            Mark::Fails => "fails",
            Mark::Differs => "differs",
            Mark::Excepted => "excepted",
        }
    }
}

/// The marks of a row's cells; `None` for whoever was not asked.
pub(super) fn marks(row: &CaseRow) -> Vec<Option<Mark>> {
    // One that the case excepts is no measure for others.
    let measure = cells(row).find(|cell| cell.exception.is_none()).map(|cell| &cell.answer);
    let mark = |cell: &CaseCell| match (&cell.failure, &cell.exception) {
        (Some(_), _) => Mark::Fails,
        (None, Some(_)) => Mark::Excepted,
        (None, None) if measure.is_some_and(|one| differ(one, &cell.answer, &row.differences)) => {
            Mark::Differs
        }
        (None, None) => Mark::Agrees,
    };
    row.cells.iter().map(|cell| cell.as_ref().map(mark)).collect()
}

/// A row as letters with their signs, by participant.
fn letters(row: &CaseRow) -> Vec<String> {
    let shown = |(cell, mark): (&Option<CaseCell>, Option<Mark>)| match (cell, mark) {
        (Some(cell), Some(mark)) => format!("{}{}", letter(&cell.answer), mark.sign()),
        _ => "–".to_owned(),
    };
    row.cells.iter().zip(marks(row)).map(shown).collect()
}

/// The columns of [`rows`].
pub(super) fn header(report: &ParityReport) -> Vec<&str> {
    let names = report.participants.iter().map(|one| one.name.as_str());
    ["case", "place"].into_iter().chain(names).chain(["differs in"]).collect()
}

/// The rows worth reading, as letters.
pub(super) fn rows(report: &ParityReport) -> Vec<Vec<String>> {
    let shown = |row: &CaseRow| {
        let mut cells = vec![row.name.clone(), row.location.clone()];
        cells.extend(letters(row));
        cells.push(super::sides::respects(&row.differences));
        cells
    };
    noteworthy(report).map(shown).collect()
}

/// What is to be said of cells that fail or are excepted: the row, the participant's name, and why.
pub(super) fn remarks(report: &ParityReport) -> Vec<(&CaseRow, &str, String)> {
    let mut remarks = Vec::new();
    for row in &report.cases {
        for (participant, cell) in report.participants.iter().zip(&row.cells) {
            let Some(cell) = cell else { continue };
            let exception = cell.exception.as_ref().map(|reason| format!("excepted: {reason}"));
            let said: Vec<String> = cell.failure.iter().cloned().chain(exception).collect();
            if !said.is_empty() {
                remarks.push((row, participant.name.as_str(), said.join("\n")));
            }
        }
    }
    remarks
}

/// Whether two answers differ in one of these respects.
pub(super) fn differ(a: &AnswerRecord, b: &AnswerRecord, respects: &[Difference]) -> bool {
    respects.iter().any(|respect| match respect {
        Difference::Effect => a.effect != b.effect,
        Difference::Redaction => a.patches != b.patches,
        Difference::StepUp => a.step_up != b.step_up,
        Difference::Reason => a.reason != b.reason,
        Difference::Fault => a.fault != b.fault,
    })
}

/// The letter of an answer: an effect, or a fault.
pub(super) fn letter(answer: &AnswerRecord) -> &'static str {
    match (answer.fault, answer.effect) {
        (Some(_), _) => "F",
        (None, DecisionEffect::Allow) => "A",
        (None, DecisionEffect::Redact) => "R",
        (None, DecisionEffect::StepUp) => "S",
        (None, DecisionEffect::Deny) => "D",
    }
}

/// What the letters and signs say.
pub(super) const LEGEND: &str = "A allow, R redact, S step_up, D deny, F fault (a denial), – not asked; \
                                 ≠ differs from the first, ! not what the case expects, * excepted by the case";

/// The answer in a few words: the effect, or the fault.
pub(super) fn brief(answer: &AnswerRecord) -> String {
    match (&answer.fault, &answer.reason) {
        (Some(fault), _) => format!("{}, fault {fault}", answer.effect),
        (None, Some(reason)) => format!("{}: {reason}", answer.effect),
        (None, None) => answer.effect.to_string(),
    }
}
