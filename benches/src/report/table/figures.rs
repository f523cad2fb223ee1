//! A line for each subject.

use super::parts::memory_parts;
use super::{NONE, Table, measured};
use crate::model::Model;
use crate::report::data::{BenchReport, Entry, Row};
use crate::report::figures::{counted, percent, quantity, times, verdict};
use crate::statistics::Quantile;

/// A row of a measurement: a line for each subject.
pub(super) fn table(report: &BenchReport, row: &Row) -> Table {
    let quantiles = quantiles(row);
    let takes_time = row.model.takes_time();
    let has_parts =
        row.model == Model::Memory && measured(row).any(|(entry, _)| memory_parts(entry).is_some());
    let baseline = baseline(report, row);
    let mut header = vec!["subject".to_owned()];
    if has_parts {
        header.push("loaded".to_owned());
    }
    for quantile in &quantiles {
        // A process that takes one figure has nothing but that.
        let name = match quantile {
            _ if has_parts => "settled",
            Quantile::P50 if !takes_time => "median",
            quantile => quantile.as_str(),
        };
        header.push(name.to_owned());
    }
    if takes_time {
        header.push("±".to_owned());
    }
    let taken = if takes_time { "samples in processes" } else { "processes" };
    header.extend(["spread", taken].map(str::to_owned));
    header.extend(baseline.map(|baseline| format!("over {baseline}")));
    let mut rows = Vec::new();
    for (entry, summary) in measured(row) {
        let shown =
            |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), |value| quantity(value, row.unit));
        let mut cells = vec![entry.subject.clone()];
        if has_parts {
            cells.push(shown(memory_parts(entry).map(|parts| parts.loaded)));
        }
        cells.extend(quantiles.iter().map(|quantile| shown(entry.at(*quantile))));
        if takes_time {
            cells.push(shown(Some(summary.mad).filter(|mad| *mad > 0.0)));
        }
        cells.push(if summary.processes > 1 { percent(summary.spread) } else { NONE.to_owned() });
        cells.push(match takes_time {
            true => format!("{} in {}", counted(summary.samples), summary.processes),
            false => summary.processes.to_string(),
        });
        cells.extend(baseline.map(|baseline| compared(row, entry, baseline)));
        rows.push(cells);
    }
    Table { header, rows }
}

/// The figures that a row has a column for: the mean only where somebody has nothing else.
fn quantiles(row: &Row) -> Vec<Quantile> {
    let has = |quantile: Quantile| measured(row).any(|(entry, _)| entry.at(quantile).is_some());
    let only_mean = measured(row).any(|(entry, _)| entry.at(Quantile::P50).is_none());
    let is_shown = |quantile: &Quantile| match quantile {
        Quantile::Mean => only_mean,
        Quantile::P50 => has(Quantile::P50),
        Quantile::P90 | Quantile::P99 | Quantile::P999 => row.model.takes_time() && has(*quantile),
    };
    Quantile::ALL.into_iter().filter(is_shown).collect()
}

/// The subject that a row is compared with: the report's, or the first that was measured.
pub fn baseline<'r>(report: &'r BenchReport, row: &'r Row) -> Option<&'r str> {
    let is_measured = |name: &str| row.entry(name).is_some_and(|entry| entry.summary.is_some());
    if is_measured(&report.baseline) {
        return Some(&report.baseline);
    }
    row.entries.iter().map(|entry| entry.subject.as_str()).find(|name| is_measured(name))
}

/// By the medians, or by the means where one of the two has only that.
fn compared(row: &Row, entry: &Entry, baseline: &str) -> String {
    if entry.subject == baseline {
        return "1".to_owned();
    }
    let at = |quantile: Quantile| row.ratio(&entry.subject, baseline, quantile);
    match (at(Quantile::P50), at(Quantile::Mean)) {
        (Some(ratio), _) => format!("{} {}", times(&ratio), verdict(&ratio, row.unit)),
        (None, Some(ratio)) => format!("{} {}, by the mean", times(&ratio), verdict(&ratio, row.unit)),
        (None, None) => NONE.to_owned(),
    }
}
