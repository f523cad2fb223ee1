//! Runs and subjects compared: two subjects in one run, one run with another, everybody with the best.

use crate::report::data::{BenchReport, Row};
use crate::report::figures::{quantity, size, three, times, verdict};
use crate::report::table::Table;
use crate::statistics::{Quantile, geometric_mean, ratio};
use crate::subject::Kind;

/// What a row is called in a table.
fn name(row: &Row) -> String {
    match row.point {
        Some(point) => {
            format!("{} ({} {})", row.measurement, size(point.axis, point.value), point.axis.as_str())
        }
        None => row.measurement.clone(),
    }
}

/// Two subjects in one run, row by row.
pub fn cmp(report: &BenchReport, first: &str, second: &str, at: Quantile) -> Table {
    let header = ["measurement", first, second, "first over second", ""].map(str::to_owned).to_vec();
    let figure =
        |row: &Row, subject: &str| Some(quantity(row.entry(subject)?.summary.as_ref()?.at(at)?, row.unit));
    let mut ratios = Vec::new();
    let mut rows = Vec::new();
    for row in &report.rows {
        let (Some(one), Some(other)) = (figure(row, first), figure(row, second)) else { continue };
        let Some(ratio) = row.ratio(first, second, at) else { continue };
        ratios.push(ratio.ratio);
        rows.push(vec![name(row), one, other, times(&ratio), verdict(&ratio, row.unit).to_owned()]);
    }
    if let Some(mean) = geometric_mean(&ratios) {
        let count = format!("{} rows", ratios.len());
        rows.push(vec![
            "geometric mean".to_owned(),
            String::new(),
            String::new(),
            format!("{} ×", three(mean)),
            count,
        ]);
    }
    Table { header, rows }
}

/// What has changed from one run to another. Turns of two runs were not measured together: their intervals also hold what
/// the machine did differently.
pub fn diff(before: &BenchReport, after: &BenchReport, at: Quantile) -> Table {
    let header =
        ["measurement", "subject", "before", "after", "after over before", ""].map(str::to_owned).to_vec();
    let mut rows = Vec::new();
    for row in &after.rows {
        let same = |other: &&Row| {
            other.measurement == row.measurement && other.model == row.model && other.point == row.point
        };
        let Some(old) = before.rows.iter().find(same) else { continue };
        for entry in &row.entries {
            let (Some(new_entry), Some(old_entry)) = (row.entry(&entry.subject), old.entry(&entry.subject))
            else {
                continue;
            };
            let figure = |entry: &crate::report::data::Entry| {
                entry.summary.as_ref().and_then(|summary| summary.at(at))
            };
            let (Some(new), Some(earlier)) = (figure(new_entry), figure(old_entry)) else { continue };
            let Some(ratio) = ratio(new_entry.turns(), old_entry.turns(), at, 0.0) else { continue };
            rows.push(vec![
                name(row),
                entry.subject.clone(),
                quantity(earlier, row.unit),
                quantity(new, row.unit),
                times(&ratio),
                verdict(&ratio, row.unit).to_owned(),
            ]);
        }
    }
    Table { header, rows }
}

/// The engines by the geometric mean of their ratios to the best of each row, over the rows that all of them have. Where an
/// engine joins or leaves, every figure changes: to compare two, use [`cmp`].
pub fn rank(report: &BenchReport, at: Quantile) -> Table {
    let engines: Vec<&str> = report
        .subjects
        .iter()
        .filter(|subject| subject.kind == Kind::Engine && subject.version.is_some())
        .map(|subject| subject.name.as_str())
        .collect();
    let figure = |row: &Row, engine: &str| row.entry(engine)?.summary.as_ref()?.at(at);
    let shared: Vec<Vec<f64>> = report
        .rows
        .iter()
        .filter(|row| row.model.takes_time())
        .filter_map(|row| engines.iter().map(|engine| figure(row, engine)).collect::<Option<Vec<f64>>>())
        .collect();
    let mut ranked: Vec<(f64, &str)> = engines
        .iter()
        .enumerate()
        .filter_map(|(place, engine)| {
            let ratios: Vec<f64> = shared
                .iter()
                .filter_map(|row| {
                    let best = row.iter().copied().fold(f64::INFINITY, f64::min);
                    Some(row.get(place)? / best)
                })
                .collect();
            Some((geometric_mean(&ratios)?, *engine))
        })
        .collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let rows = ranked
        .into_iter()
        .map(|(mean, engine)| vec![engine.to_owned(), format!("{} ×", three(mean)), shared.len().to_string()])
        .collect();
    Table { header: ["engine", "over the best", "rows that all have"].map(str::to_owned).to_vec(), rows }
}
