//! One measurement on several packs: a line for each pack, a column for each subject.

use super::figures::baseline;
use super::{NONE, Table};
use crate::report::data::{BenchReport, Row};
use crate::report::figures::{quantity, three};
use crate::statistics::Quantile;

/// The figures of each pack, with what they are over the baseline.
pub(super) fn table(report: &BenchReport, rows: &[&Row]) -> Table {
    let is_measured =
        |name: &str| rows.iter().any(|row| row.entry(name).is_some_and(|entry| entry.summary.is_some()));
    let subjects =
        || report.subjects.iter().map(|subject| subject.name.as_str()).filter(|name| is_measured(name));
    let line = |row: &&Row| {
        let pack = report.packs.get(row.pack).map_or_else(String::new, |pack| pack.name.clone());
        [pack].into_iter().chain(subjects().map(|subject| cell(report, row, subject))).collect()
    };
    Table {
        header: ["p50 by pack"].into_iter().chain(subjects()).map(str::to_owned).collect(),
        rows: rows.iter().map(line).collect(),
    }
}

/// The median, or the mean of who has only that, and how many times the baseline's it is.
fn cell(report: &BenchReport, row: &Row, subject: &str) -> String {
    let Some(entry) = row.entry(subject) else { return NONE.to_owned() };
    let found = [(Quantile::P50, ""), (Quantile::Mean, " (mean)")];
    let found = found.into_iter().find_map(|(at, word)| Some((at, entry.at(at)?, word)));
    let Some((at, figure, word)) = found else { return NONE.to_owned() };
    let over = baseline(report, row).filter(|baseline| *baseline != subject);
    let over = over.and_then(|baseline| row.ratio(subject, baseline, at));
    let times = over.map_or_else(String::new, |over| format!(", {} ×", three(over.ratio)));
    format!("{}{word}{times}", quantity(figure, row.unit))
}
