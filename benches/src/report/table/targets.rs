//! What was promised, and what became of it.

use super::Table;
use crate::model::Unit;
use crate::report::data::BenchReport;
use crate::report::figures::{quantity, three, times};
use crate::targets::{Among, Fate, Judged};

/// The targets that were judged when the run was made.
pub fn targets_table(report: &BenchReport) -> Table {
    Table {
        header: ["target", "pack", "promised", "measured", "at", ""].map(str::to_owned).to_vec(),
        rows: report.targets.iter().map(row).collect(),
    }
}

fn row(judged: &Judged) -> Vec<String> {
    let target = &judged.target;
    let (mut promised, mut measured) = (
        format!("≤ {} ×", three(target.at_most)),
        judged.ratio.as_ref().map_or_else(|| "–".to_owned(), times),
    );
    if target.plus_ns > 0.0 {
        promised.push_str(&format!(" + {}", quantity(target.plus_ns, Unit::Nanoseconds)));
        if let Some(difference) = judged.difference_ns {
            // A ratio alone would not tell whether it is within.
            let sign = if difference < 0.0 { "−" } else { "+" };
            measured.push_str(&format!(" ({sign} {})", quantity(difference.abs(), Unit::Nanoseconds)));
        }
    }
    vec![
        target.what.clone(),
        pack(judged),
        promised,
        measured,
        target.at.as_str().to_owned(),
        judged.fate.as_str().to_owned(),
    ]
}

/// The pack, and among how many it is the worst.
fn pack(judged: &Judged) -> String {
    let packs = judged.packs.join(", ");
    match judged.among {
        Some(Among { packs: all, met }) => format!("{packs}, worst of {all}; met on {met}"),
        None => packs,
    }
}

/// Of each target that is missed, why: a sentence each.
pub fn targets_notes(report: &BenchReport) -> Vec<String> {
    let missed = report.targets.iter().filter(|judged| judged.fate == Fate::Missed);
    missed
        .map(|judged| {
            let because = judged.because().unwrap_or("nobody has said why");
            format!("missed: {}: {because}", judged.target.what)
        })
        .collect()
}
