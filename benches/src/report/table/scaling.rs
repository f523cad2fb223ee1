//! How costs grow: a line for each subject, a column for each size.

use super::{NONE, Table};
use crate::definition::Axis;
use crate::report::data::{BenchReport, Row};
use crate::report::figures::{quantity, size, three};
use crate::statistics::{Quantile, exponent};

/// A measurement that varies a size.
pub(super) fn table(report: &BenchReport, rows: &[&Row]) -> Table {
    let Some(axis) = rows.iter().find_map(|row| Some(row.point?.axis)) else { return Table::default() };
    let columns = rows.iter().map(|row| row.point.map_or_else(String::new, |point| size(axis, point.size())));
    let mut header: Vec<String> = [format!("p50 by {}", axis.as_str())].into_iter().chain(columns).collect();
    // More threads are no larger problem: what counts is how many times the decisions they make.
    let growth: &[&str] = match axis {
        _ if rows.len() < 2 => &[],
        Axis::Threads => &["times the decisions"],
        Axis::Rules | Axis::Data | Axis::Input => &["exponent", "last step", "over all"],
    };
    header.extend(growth.iter().map(|name| (*name).to_owned()));
    let mut shown = Vec::new();
    for subject in report.subjects.iter().map(|subject| subject.name.as_str()) {
        if !rows.iter().any(|row| row.entry(subject).is_some_and(|entry| entry.summary.is_some())) {
            continue;
        }
        let mut cells = vec![subject.to_owned()];
        for row in rows {
            let figure = row.entry(subject).and_then(|entry| entry.at(Quantile::P50));
            cells.push(figure.map_or_else(|| NONE.to_owned(), |figure| quantity(figure, row.unit)));
        }
        let points = points(rows, subject);
        match growth.len() {
            0 => {}
            1 => cells.push(speed_up(&points).unwrap_or_else(|| NONE.to_owned())),
            _ => cells.extend(
                grown(axis, rows.len(), &points)
                    .unwrap_or([const { String::new() }; 3].map(|_| NONE.to_owned())),
            ),
        }
        shown.push(cells);
    }
    Table { header, rows: shown }
}

/// A subject's cost by size.
pub fn points(rows: &[&Row], subject: &str) -> Vec<(f64, f64)> {
    let point = |row: &&Row| Some((row.point?.size() as f64, row.entry(subject)?.at(Quantile::P50)?));
    rows.iter().filter_map(point).collect()
}

/// The time at the fewest threads over that at the most.
fn speed_up(points: &[(f64, f64)]) -> Option<String> {
    let ((fewest, alone), (most, together)) = (points.first()?, points.last()?);
    (most > fewest && *together > 0.0).then(|| format!("{} ×", three(alone / together)))
}

/// The exponents over all sizes and between the last two, and the whole growth; with the sizes that a subject has, where
/// they are fewer than the measurement's.
fn grown(axis: Axis, sizes: usize, points: &[(f64, f64)]) -> Option<[String; 3]> {
    let growth = exponent(points)?;
    let ends = points.first().zip(points.last()).filter(|_| points.len() < sizes);
    let range = ends.map_or_else(String::new, |((low, _), (high, _))| {
        format!(" ({} to {})", size(axis, *low as u64), size(axis, *high as u64))
    });
    Some([
        format!("{:.2}, {}{range}", growth.overall, pace(growth.overall)),
        format!("{:.2}", growth.last),
        format!("{} ×", three(growth.factor)),
    ])
}

/// What an exponent says of a cost, in a word.
fn pace(exponent: f64) -> &'static str {
    match exponent {
        _ if exponent < 0.1 => "level",
        _ if exponent < 0.9 => "below linear",
        _ if exponent <= 1.1 => "linear",
        _ => "beyond linear",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exponent_is_told_in_a_word() {
        for (exponent, word) in [
            (-0.02, "level"),
            (0.09, "level"),
            (0.5, "below linear"),
            (0.98, "linear"),
            (1.02, "linear"),
            (2.0, "beyond linear"),
        ] {
            assert_eq!(pace(exponent), word, "{exponent}");
        }
    }

    #[test]
    fn the_word_stands_with_its_exponent_and_the_sizes_it_is_of() {
        let points = [(10.0, 100.0), (100.0, 1_000.0), (1_000.0, 10_000.0)];
        let told = grown(Axis::Rules, 3, &points).unwrap();
        assert_eq!(told, ["1.00, linear", "1.00", "100 ×"]);
        let told = grown(Axis::Rules, 4, &points).unwrap();
        assert_eq!(told[0], "1.00, linear (10 to 1000)");
    }
}
