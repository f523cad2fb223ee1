//! Runs and subjects compared: two subjects in one run, one run with another, everybody with the best.
//!
//! A mean is taken over rows that count the same thing, and each only once ([`counting`]): one of a load, a size in bytes and
//! a decision is a number, but of nothing.

use crate::model::Model;
use crate::report::data::{BenchReport, BenchedPack, Entry, Row};
use crate::report::figures::{quantity, size, three, times, verdict};
use crate::report::table::Table;
use crate::statistics::{Interval, Quantile, Ratio, geometric_mean, median};
use crate::subject::Kind;

/// The likeliest that two runs of the same thing may be to lie wholly apart, for one to be called faster.
const BY_CHANCE: f64 = 0.05;

/// What a row is called in a table.
fn name(report: &BenchReport, row: &Row) -> String {
    match (row.point, report.pack_among_others(row)) {
        (Some(point), _) => {
            format!("{} ({} {})", row.measurement, size(point.axis, point.size()), point.axis.as_str())
        }
        (None, Some(pack)) => format!("{} ({pack})", row.measurement),
        (None, None) => row.measurement.clone(),
    }
}

/// The rows that a mean over some subjects is taken over: warm decisions, one row for each pack, number of requests and size,
/// since definitions measure the same again beside other subjects; and none that is void, or in which one of them is
/// incomplete.
pub fn counting<'r>(report: &'r BenchReport, subjects: &[&str], at: Quantile) -> Vec<&'r Row> {
    let is_whole = |row: &Row, subject: &str| {
        row.entry(subject).is_some_and(|entry| entry.problem.is_none() && entry.at(at).is_some())
    };
    let mut found: Vec<&Row> = Vec::new();
    for row in report.rows.iter().filter(|row| row.model == Model::Decide) {
        let is_known = found
            .iter()
            .any(|known| (known.pack, known.requests, known.point) == (row.pack, row.requests, row.point));
        if !is_known && subjects.iter().all(|subject| is_whole(row, subject)) {
            found.push(row);
        }
    }
    found
}

fn engines(report: &BenchReport) -> Vec<&str> {
    let measured = |subject: &&crate::report::data::BenchedSubject| {
        subject.kind == Kind::Engine && subject.version.is_some()
    };
    report.subjects.iter().filter(measured).map(|subject| subject.name.as_str()).collect()
}

/// The geometric mean of two subjects' ratios over the rows that count, and how many these are.
fn mean(report: &BenchReport, first: &str, second: &str, at: Quantile) -> Option<(f64, usize)> {
    let rows = counting(report, &[first, second], at);
    let ratios: Vec<f64> = rows.iter().filter_map(|row| Some(row.ratio(first, second, at)?.ratio)).collect();
    Some((geometric_mean(&ratios)?, ratios.len()))
}

/// Every pair of engines, each with the geometric mean of its ratios at the median over the rows that count, and how many
/// these are: less than one is in favour of the first.
pub fn pairs(report: &BenchReport) -> Vec<(String, String, f64, usize)> {
    let engines = engines(report);
    let mut found = Vec::new();
    for (place, first) in engines.iter().enumerate() {
        for second in engines.iter().skip(place + 1) {
            if let Some((mean, rows)) = mean(report, first, second, Quantile::P50) {
                found.push(((*first).to_owned(), (*second).to_owned(), mean, rows));
            }
        }
    }
    found
}

/// Two subjects in one run, row by row, and their mean over the rows that count.
pub fn cmp(report: &BenchReport, first: &str, second: &str, at: Quantile) -> Table {
    let header = ["measurement", first, second, "first over second", ""].map(str::to_owned).to_vec();
    let mut rows = Vec::new();
    for row in &report.rows {
        let (Some(one), Some(other)) = (row.entry(first), row.entry(second)) else { continue };
        let (Some(one_at), Some(other_at)) = (one.at(at), other.at(at)) else { continue };
        let Some(ratio) = row.ratio(first, second, at) else { continue };
        let is_whole = one.problem.is_none() && other.problem.is_none();
        let verdict = if is_whole { verdict(&ratio, row.unit) } else { "incomplete" };
        rows.push(vec![
            name(report, row),
            quantity(one_at, row.unit),
            quantity(other_at, row.unit),
            times(&ratio),
            verdict.to_owned(),
        ]);
    }
    if let Some((mean, count)) = mean(report, first, second, at) {
        rows.push(vec![
            "geometric mean".to_owned(),
            String::new(),
            String::new(),
            format!("{} ×", three(mean)),
            format!("over {count} rows of `decide`, each pack, requests and size once"),
        ]);
    }
    Table { header, rows }
}

/// What has changed from one run to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// The rows that both have.
    pub table: Table,
    /// In what the runs differ beside, and which rows are left out: a sentence each.
    pub warnings: Vec<String>,
}

/// What has changed from one run to another. Their processes were not measured side by side, so there is nothing to pair, and
/// all that can be said is whether the one's figures lie wholly apart from the other's.
pub fn diff(before: &BenchReport, after: &BenchReport, at: Quantile) -> Diff {
    let header =
        ["measurement", "subject", "before", "after", "after over before", ""].map(str::to_owned).to_vec();
    let mut warnings = differences(before, after);
    let mut rows = Vec::new();
    for row in &after.rows {
        let is_same = |old: &&Row| {
            let same_size = match (old.point, row.point) {
                (Some(old), Some(new)) => old.is(&new),
                (old, new) => old.is_none() && new.is_none(),
            };
            let same_pack = match after.pack_among_others(row) {
                Some(pack) => before.packs.get(old.pack).is_some_and(|old| old.name == pack),
                None => true,
            };
            same_size && same_pack && (&old.measurement, old.model) == (&row.measurement, row.model)
        };
        let Some(old) = before.rows.iter().find(is_same) else { continue };
        if let Some(why) = incomparable((before, old), (after, row)) {
            warnings.push(format!("`{}` is left out: {why}", name(after, row)));
            continue;
        }
        for new in &row.entries {
            let Some(earlier) = old.entry(&new.subject) else { continue };
            let (Some(old_at), Some(new_at)) = (earlier.at(at), new.at(at)) else { continue };
            let Some(ratio) = unpaired(earlier, new, at) else { continue };
            let is_whole = earlier.problem.is_none() && new.problem.is_none();
            let verdict = if is_whole { verdict(&ratio, row.unit) } else { "incomplete" };
            rows.push(vec![
                name(after, row),
                new.subject.clone(),
                quantity(old_at, row.unit),
                quantity(new_at, row.unit),
                times(&ratio),
                verdict.to_owned(),
            ]);
        }
    }
    Diff { table: Table { header, rows }, warnings }
}

/// In what two runs differ, beside what was measured.
fn differences(before: &BenchReport, after: &BenchReport) -> Vec<String> {
    let (old, new) = (&before.run, &after.run);
    let mut found = Vec::new();
    if old.machine != new.machine {
        found
            .push("the two runs are of different machines: their ratios are of the machines, too".to_owned());
    }
    if old.definition != new.definition {
        found.push(format!(
            "the two runs have different definitions: `{}` and `{}`",
            old.definition, new.definition
        ));
    }
    for (run, which) in [(old, "earlier"), (new, "later")] {
        if !run.optimised {
            found.push(format!(
                "the {which} run is of a program that is not optimised: its figures say nothing"
            ));
        }
        if let Some(why) = &run.cut_short {
            found.push(format!("the {which} run ended early: {why}"));
        }
    }
    for pack in &after.packs {
        let is_other = |earlier: &&BenchedPack| earlier.name == pack.name && earlier.digest != pack.digest;
        if before.packs.iter().any(|earlier| is_other(&earlier)) {
            found.push(format!("`{}` was another pack in the earlier run: its files differ", pack.name));
        }
    }
    found
}

/// Why two rows of the same name have nothing to do with each other.
fn incomparable((before, old): (&BenchReport, &Row), (after, new): (&BenchReport, &Row)) -> Option<String> {
    let pack = |report: &BenchReport, row: &Row| report.packs.get(row.pack).map(|pack| pack.name.clone());
    let (old_pack, new_pack) = (pack(before, old), pack(after, new));
    if old_pack != new_pack {
        let named = |pack: Option<String>| pack.unwrap_or_else(|| "no pack".to_owned());
        return Some(format!("it was `{}`, and is `{}` now", named(old_pack), named(new_pack)));
    }
    if (old.requests, old.packs) != (new.requests, new.packs) {
        let loaded = |row: &Row| row.packs.unwrap_or(1);
        return Some(match (loaded(old), loaded(new)) {
            (old, new) if old != new => format!("it loaded {old} packs, and loads {new} now"),
            _ => format!("it had {} requests, and has {} now", old.requests, new.requests),
        });
    }
    let void = old.void.is_some() || new.void.is_some();
    void.then(|| "engines disagree in it".to_owned())
}

/// The medians over each other, between the ratios of their processes' extremes. Without an interval where so few processes
/// would lie wholly apart often enough by chance: with n and m processes that is two of the orders in which they can stand.
fn unpaired(before: &Entry, after: &Entry, at: Quantile) -> Option<Ratio> {
    let values = |entry: &Entry| -> Vec<f64> {
        let values = entry.turns().filter_map(|(_, figures)| at.of(figures));
        values.filter(|value| *value > 0.0).collect()
    };
    let (before, after) = (values(before), values(after));
    let ratio = median(&after)? / median(&before)?;
    let orders: f64 = (1..=after.len()).map(|place| (before.len() + place) as f64 / place as f64).product();
    let ends = |values: &[f64]| {
        let (low, high) = (f64::INFINITY, 0.0);
        values.iter().fold((low, high), |(low, high): (f64, f64), value| (low.min(*value), high.max(*value)))
    };
    let ((old_low, old_high), (new_low, new_high)) = (ends(&before), ends(&after));
    let interval =
        (2.0 / orders <= BY_CHANCE).then(|| Interval { low: new_low / old_high, high: new_high / old_low });
    Some(Ratio { ratio, interval, turns: before.len().min(after.len()) })
}

/// The engines by the geometric mean of their ratios to the best of each row, over the rows that count and that all of them
/// have. Where an engine joins or leaves, every figure changes: to compare two, use [`cmp`].
pub fn rank(report: &BenchReport, at: Quantile) -> Table {
    let engines = engines(report);
    let shared: Vec<Vec<f64>> = counting(report, &engines, at)
        .into_iter()
        .filter_map(|row| engines.iter().map(|engine| row.entry(engine)?.at(at)).collect())
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
    let header = ["engine", "over the best", "rows of `decide` that all have"].map(str::to_owned).to_vec();
    Table { header, rows }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Axis;
    use crate::report::data::{Point, Problem, Process};
    use crate::report::recorded;
    use crate::statistics::Figures;

    fn entry(name: &str, values: &[f64]) -> Entry {
        let process = |(turn, value): (usize, &f64)| Process {
            turn: turn as u32,
            load: None,
            figures: Figures::once(*value),
        };
        let mut entry =
            Entry { processes: values.iter().enumerate().map(process).collect(), ..Entry::new(name) };
        entry.summarise();
        entry
    }

    /// A run of `cedar` and `rego-native`, a row for each pair of figures.
    fn run(rows: &[(&str, Model, f64, f64)]) -> BenchReport {
        let mut report = recorded::report();
        let blank = report.rows.iter().find(|row| row.measurement == "decide").unwrap().clone();
        let row = |(measurement, model, cedar, native): &(&str, Model, f64, f64)| Row {
            measurement: (*measurement).to_owned(),
            model: *model,
            unit: model.unit(),
            entries: vec![entry("cedar", &[*cedar; 7]), entry("rego-native", &[*native; 7])],
            ..blank.clone()
        };
        report.rows = rows.iter().map(row).collect();
        report.subjects.retain(|subject| ["cedar", "rego-native"].contains(&subject.name.as_str()));
        report
    }

    #[test]
    fn a_mean_counts_decisions_and_each_work_once() {
        let mut report = run(&[
            ("load", Model::LoadCold, 9.0, 1.0),
            ("decide", Model::Decide, 2.0, 1.0),
            ("floors", Model::Decide, 50.0, 1.0),
            ("rules", Model::Decide, 8.0, 1.0),
            ("batch", Model::Batch, 70.0, 1.0),
            ("memory", Model::Memory, 90.0, 1.0),
            ("void", Model::Decide, 1_000.0, 1.0),
            ("broken", Model::Decide, 1_000.0, 1.0),
        ]);
        report.rows[3].point = Some(Point::new(Axis::Rules, 10));
        report.rows[6].requests += 1;
        report.rows[6].void = report.rows[6].void.clone().or(Some(recorded::disagreement()));
        report.rows[7].requests += 2;
        report.rows[7].entries[0].problem = Some(Problem::Changed("its mind".to_owned()));
        let names: Vec<&str> = counting(&report, &["cedar", "rego-native"], Quantile::P50)
            .iter()
            .map(|row| row.measurement.as_str())
            .collect();
        assert_eq!(names, ["decide", "rules"]);
        let [(_, _, mean, 2)] = pairs(&report)[..] else { panic!("{:?}", pairs(&report)) };
        // The square root of 2 × 8, one way or the other round.
        assert!((mean - 4.0).abs() < 1e-9 || (mean - 0.25).abs() < 1e-9, "{mean}");
        let table = cmp(&report, "cedar", "rego-native", Quantile::P50);
        assert_eq!(table.rows.len(), 8, "all but the void row, and the mean: {table:?}");
        assert!(table.rows.last().unwrap()[4].starts_with("over 2 rows"), "{table:?}");
        assert_eq!(table.rows[6][4], "incomplete");
        let ranked = rank(&report, Quantile::P50);
        assert_eq!(ranked.rows[1], ["cedar", "4.00 ×", "2"]);
    }

    #[test]
    fn two_runs_differ_only_where_they_lie_apart() {
        let decide = [("decide", Model::Decide, 1.0, 1.0)];
        let (mut before, mut after) = (run(&decide), run(&decide));
        let verdict = |before: &BenchReport, after: &BenchReport| {
            let diff = diff(before, after, Quantile::P50);
            (diff.table.rows[0][4].clone(), diff.table.rows[0][5].clone())
        };
        // Turn by turn each would be faster; but the turns of two runs have nothing to do with each other.
        before.rows[0].entries[0] = entry("cedar", &[10.0, 11.0, 12.0, 13.0, 14.0]);
        after.rows[0].entries[0] = entry("cedar", &[8.0, 8.5, 9.0, 10.5, 11.0]);
        assert_eq!(
            verdict(&before, &after),
            ("0.750 × [0.571, 1.10]".to_owned(), "no difference".to_owned())
        );
        after.rows[0].entries[0] = entry("cedar", &[8.0, 8.5, 9.0, 9.1, 9.2]);
        assert_eq!(verdict(&before, &after).1, "faster");
        // Three of six orders of two and two would be such by chance.
        before.rows[0].entries[0] = entry("cedar", &[10.0, 11.0]);
        after.rows[0].entries[0] = entry("cedar", &[1.0, 2.0]);
        assert_eq!(verdict(&before, &after).1, "too few processes to say");
    }

    #[test]
    fn rows_of_several_packs_are_told_apart_by_them() {
        let shipped = ("shipped", Model::Decide, 1.0, 1.0);
        let mut report = run(&[shipped, shipped]);
        report.rows[1].pack = report.packs.iter().position(|pack| pack.name == "session-budget").unwrap();
        report.rows[1].entries[0] = entry("cedar", &[9.0; 7]);
        let mut turned = report.clone();
        turned.rows.reverse();
        let found = diff(&report, &turned, Quantile::P50);
        let of_cedar: Vec<(&str, &str)> = found
            .table
            .rows
            .iter()
            .filter(|row| row[1] == "cedar")
            .map(|row| (row[0].as_str(), row[2].as_str()))
            .collect();
        assert_eq!(
            of_cedar,
            [("shipped (session-budget)", "9.00 ns"), ("shipped (tool-allowlist)", "1.00 ns")]
        );
        assert_eq!(found.warnings, Vec::<String>::new());
        let gate = crate::gate::Gate {
            candidate: "cedar".to_owned(),
            baseline: "rego-native".to_owned(),
            measurement: "shipped".to_owned(),
            value: None,
            at: Quantile::P50,
            max_ratio: 1.0,
        };
        let undecided = gate.decide(&report).unwrap_err();
        assert_eq!(undecided, crate::gate::GateError::SeveralPacks("shipped".to_owned()));
    }

    #[test]
    fn what_two_runs_do_not_have_in_common_is_said() {
        let rows = [("decide", Model::Decide, 1.0, 1.0), ("floors", Model::Decide, 1.0, 1.0)];
        let (before, mut after) = (run(&rows), run(&rows));
        assert_eq!(diff(&before, &after, Quantile::P50).warnings, Vec::<String>::new());
        after.run.machine.threads += 1;
        after.run.definition = "mine.yaml".to_owned();
        after.run.optimised = false;
        after.packs[0].digest = "sha256:other".to_owned();
        after.rows[1].requests += 1;
        let found = diff(&before, &after, Quantile::P50);
        let expected = [
            "the two runs are of different machines: their ratios are of the machines, too",
            "the two runs have different definitions: `full` and `mine.yaml`",
            "the later run is of a program that is not optimised: its figures say nothing",
            "`tool-allowlist` was another pack in the earlier run: its files differ",
            "`floors` is left out: it had 36 requests, and has 37 now",
        ];
        assert_eq!(found.warnings, expected);
        assert!(found.table.rows.iter().all(|row| row[0] == "decide"), "{found:?}");
    }
}
