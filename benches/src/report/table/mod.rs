//! What every rendering shows, as tables of words.
//!
//! - `figures`: a line for each subject, with its percentiles and what it costs over the baseline
//! - `scaling`: a line for each subject, a column for each size
//! - `packs`: a line for each pack, a column for each subject
//! - `parts`: what a figure is made of, stages of a decision or the memory of a process
//! - `means`: pairs of engines over all rows that count
//! - `targets`: what was promised, and what became of it
//! - `facts`: how the run was made

mod facts;
mod figures;
mod means;
mod packs;
mod parts;
mod scaling;
mod targets;

pub use facts::{brief_facts, facts, flamegraphs, short_revision};
pub use figures::baseline;
pub use means::pairs_table;
pub use parts::{memory_parts, stage_names, stages};
pub use scaling::points;
pub use targets::{targets_notes, targets_table};

use super::data::{BenchReport, Entry, Problem, Row};
use super::figures::{counted, size};
use crate::model::Model;

/// A table: a heading for each column, and rows whose first cell is a heading too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// The headings.
    pub header: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

/// What stands where there is no figure.
const NONE: &str = "–";

/// What the table of pairs is called.
pub const MEANS: &str = "Geometric means over the rows of `decide`, each pack, requests and size once";

/// What the table of targets is called.
pub const TARGETS: &str = "Targets, decided by their intervals";

/// One measurement, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its name.
    pub name: String,
    /// What it is, in a line.
    pub about: String,
    /// What its figures are for.
    pub analysis: String,
    /// Its figures.
    pub table: Table,
    /// What is to be known of its requests, a sentence each.
    pub notes: Vec<String>,
    /// What went wrong, a sentence each.
    pub problems: Vec<String>,
}

/// A measurement's rows in words.
pub fn measurement(report: &BenchReport, rows: &[&Row]) -> Option<Shown> {
    let first = rows.first()?;
    let pack = report.packs.get(first.pack);
    let is_on_several = report.pack_among_others(first).is_some();
    let pack = match (pack, first.point) {
        _ if is_on_several => format!("{} packs", rows.len()),
        (Some(pack), Some(point)) if point.axis.makes_a_pack() => {
            pack.name.trim_end_matches(|char: char| char.is_ascii_digit() || char == '-').to_owned()
        }
        (Some(pack), _) => format!("{} {}", pack.name, pack.version),
        (None, _) => String::new(),
    };
    let packs = first.packs.map_or_else(String::new, |count| format!("{count} packs like "));
    let mut about = format!("{} · {packs}{pack}", first.model.about());
    about.extend(requests(first, is_on_several).map(|requests| format!(" · {requests}")));
    let table = if first.point.is_some() {
        about.extend(taken(rows));
        scaling::table(report, rows)
    } else if is_on_several {
        about.extend(taken(rows));
        packs::table(report, rows)
    } else {
        match first.model {
            Model::Breakdown => {
                about.extend(taken(rows));
                parts::breakdown(first)
            }
            _ => figures::table(report, first),
        }
    };
    Some(Shown {
        name: first.measurement.clone(),
        about,
        analysis: first.analysis.clone(),
        table,
        notes: faulted(report, rows),
        problems: problems(report, rows),
    })
}

/// How many requests are decided; nothing where none is.
fn requests(row: &Row, is_on_several: bool) -> Option<String> {
    let requests = match row.requests {
        1 => "1 request".to_owned(),
        count => format!("{count} requests"),
    };
    match row.model {
        // They are decided once, when the clock has stopped, so that a pack that does not decide is not measured.
        Model::LoadCold | Model::LoadCached => None,
        Model::FirstDecision if row.requests > 1 => Some(format!("the first of {requests}")),
        _ if is_on_several => Some(format!("{requests} each")),
        _ => Some(requests),
    }
}

/// How many requests are denied by a fault, in each row or in all of them.
fn faulted(report: &BenchReport, rows: &[&Row]) -> Vec<String> {
    let said = |row: &Row, at: &str| {
        let of = match row.requests {
            1 => "the request".to_owned(),
            all if all == row.faulted => format!("all {all} requests"),
            all => format!("{} of {all} requests", row.faulted),
        };
        let verb = if row.requests == 1 || row.faulted == 1 { "is" } else { "are" };
        format!("{of}{at} {verb} denied by a fault")
    };
    let mut found: Vec<String> = Vec::new();
    for row in rows.iter().filter(|row| row.faulted > 0) {
        let is_everywhere =
            rows.iter().all(|other| (other.faulted, other.requests) == (row.faulted, row.requests));
        let at = if is_everywhere { String::new() } else { at(report, row) };
        let sentence = said(row, &at);
        if !found.contains(&sentence) {
            found.push(sentence);
        }
    }
    found
}

/// From how much each figure is, for a table that has no column for it.
fn taken(rows: &[&Row]) -> Option<String> {
    let summaries = || {
        let entries = rows.iter().filter(|row| row.void.is_none()).flat_map(|row| &row.entries);
        entries.filter_map(|entry| entry.summary.as_ref())
    };
    let range = |of: &dyn Fn(&crate::statistics::Summary) -> u64| {
        let (low, high) = (summaries().map(of).min()?, summaries().map(of).max()?);
        Some(if low == high { counted(low) } else { format!("{} to {}", counted(low), counted(high)) })
    };
    let processes = range(&|summary| summary.processes as u64)?;
    let samples = range(&|summary| summary.samples)?;
    let word = if processes == "1" { "process" } else { "processes" };
    Some(format!(" · each figure from {samples} samples in {processes} {word}"))
}

fn problems(report: &BenchReport, rows: &[&Row]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for row in rows {
        let at = at(report, row);
        if let Some(void) = &row.void {
            found.push(format!(
                "void{at}: `{}` and `{}` disagree on `{}` ({})",
                void.first.0, void.second.0, void.name, void.differs
            ));
        }
        for entry in &row.entries {
            if let Some(problem) = &entry.problem {
                let is_everywhere = rows.iter().all(|row| {
                    row.entries
                        .iter()
                        .any(|one| one.subject == entry.subject && one.problem.as_ref() == Some(problem))
                });
                let at = if is_everywhere { "" } else { &at };
                let sentence = format!("`{}`{at}: {}", entry.subject, said(problem));
                if !found.contains(&sentence) {
                    found.push(sentence);
                }
            }
        }
    }
    found
}

/// Which row of its measurement a row is: nothing, if there is only one.
fn at(report: &BenchReport, row: &Row) -> String {
    match (row.point, report.pack_among_others(row)) {
        (Some(point), _) => format!(" at {} {}", size(point.axis, point.size()), point.axis.as_str()),
        (None, Some(pack)) => format!(" on {pack}"),
        (None, None) => String::new(),
    }
}

/// A problem in a sentence, on a line.
pub fn said(problem: &Problem) -> String {
    match problem {
        Problem::Unavailable(why) => why.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" "),
        Problem::Disagrees(found) => {
            format!("left out: it disagrees with `{}` on `{}`", found.first.0, found.name)
        }
        Problem::Changed(what) => format!("left out: its answers change: {what}"),
    }
}

/// What a row has of each subject that was measured; nothing, if it is void.
fn measured(row: &Row) -> impl Iterator<Item = (&Entry, &crate::statistics::Summary)> {
    let entries = row.entries.iter().filter(|_| row.void.is_none());
    entries.filter_map(|entry| Some((entry, entry.summary.as_ref()?)))
}
