//! Pairs of engines, each by one figure.

use super::Table;
use crate::compare::pairs;
use crate::report::data::BenchReport;
use crate::report::figures::three;

/// Every pair of engines as a table: below one is in favour of the first.
pub fn pairs_table(report: &BenchReport) -> Table {
    let row = |(first, second, mean, count): (String, String, f64, usize)| {
        vec![format!("{first} over {second}"), format!("{} ×", three(mean)), count.to_string()]
    };
    Table {
        header: ["engines", "geometric mean", "rows"].map(str::to_owned).to_vec(),
        rows: pairs(report).into_iter().map(row).collect(),
    }
}
