//! What every rendering shows, as tables of words.

use super::data::{BenchReport, Drawn, Entry, Problem, Row};
use super::figures::{percent, quantity, size, three, times, verdict};
use crate::model::Model;
use crate::statistics::{Quantile, Ratio, exponent, geometric_mean, median};
use crate::targets::{Judged, judge, read};

/// A table: a heading for each column, and rows whose first cell is a heading too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// The headings.
    pub header: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

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
    /// What went wrong, a sentence each.
    pub problems: Vec<String>,
}

/// A measurement's rows in words.
pub fn measurement(report: &BenchReport, rows: &[&Row]) -> Option<Shown> {
    let first = rows.first()?;
    let pack = report.packs.get(first.pack);
    let pack = match (pack, first.point) {
        (Some(pack), Some(point)) if point.axis.makes_a_pack() => {
            pack.name.trim_end_matches(|char: char| char.is_ascii_digit() || char == '-').to_owned()
        }
        (Some(pack), _) => format!("{} {}", pack.name, pack.version),
        (None, _) => String::new(),
    };
    let packs = first.packs.map_or_else(String::new, |count| format!("{count} packs like "));
    let requests =
        if first.requests == 1 { "1 request".to_owned() } else { format!("{} requests", first.requests) };
    let table = if first.point.is_some() {
        scaling(report, rows)
    } else if first.model == Model::Breakdown {
        breakdown(first)
    } else {
        figures(report, first)
    };
    Some(Shown {
        name: first.measurement.clone(),
        about: format!("{} · {packs}{pack} · {requests}", first.model.about()),
        analysis: first.analysis.clone(),
        table,
        problems: problems(rows),
    })
}

fn problems(rows: &[&Row]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for row in rows {
        let at = row.point.map_or_else(String::new, |point| {
            format!(" at {} {}", size(point.axis, point.value), point.axis.as_str())
        });
        if let Some(void) = &row.void {
            found.push(format!(
                "void{at}: `{}` and `{}` disagree on `{}` ({})",
                void.first.0, void.second.0, void.name, void.differs
            ));
        }
        for entry in &row.entries {
            if let Some(problem) = &entry.problem {
                found.push(format!("`{}`{at}: {}", entry.subject, said(problem)));
            }
        }
    }
    found
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

fn figures(report: &BenchReport, row: &Row) -> Table {
    let has = |quantile: Quantile| {
        let mut summaries = row.entries.iter().filter_map(|entry| entry.summary.as_ref());
        summaries.any(|summary| summary.at(quantile).is_some())
    };
    let quantiles: Vec<Quantile> = [Quantile::P50, Quantile::P90, Quantile::P99, Quantile::P999]
        .into_iter()
        .filter(|quantile| has(*quantile) && (row.model.takes_time() || *quantile == Quantile::P50))
        .collect();
    let baseline = baseline(report, row);
    let mut header = vec!["subject".to_owned()];
    for quantile in &quantiles {
        // A process that takes one figure has nothing but that.
        header.push(if row.model.takes_time() { quantile.as_str().to_owned() } else { "median".to_owned() });
    }
    header.extend(["±".to_owned(), "spread".to_owned()]);
    header.extend(baseline.map(|baseline| format!("over {baseline}")));
    let mut rows = Vec::new();
    for entry in row.entries.iter().filter(|_| row.void.is_none()) {
        let Some(summary) = &entry.summary else { continue };
        let mut cells = vec![entry.subject.clone()];
        for quantile in &quantiles {
            cells.push(
                summary.at(*quantile).map_or_else(|| "–".to_owned(), |value| quantity(value, row.unit)),
            );
        }
        cells.push(if summary.mad > 0.0 { quantity(summary.mad, row.unit) } else { "–".to_owned() });
        cells.push(percent(summary.spread));
        cells.extend(baseline.map(|baseline| compared(row, entry, baseline)));
        rows.push(cells);
    }
    Table { header, rows }
}

/// The subject that a row is compared with: the report's, or the first that was measured.
pub fn baseline<'r>(report: &'r BenchReport, row: &'r Row) -> Option<&'r str> {
    let is_measured = |name: &str| row.entry(name).is_some_and(|entry| entry.summary.is_some());
    if is_measured(&report.baseline) {
        return Some(&report.baseline);
    }
    row.entries.iter().map(|entry| entry.subject.as_str()).find(|name| is_measured(name))
}

fn compared(row: &Row, entry: &Entry, baseline: &str) -> String {
    if entry.subject == baseline {
        return "1".to_owned();
    }
    match row.ratio(&entry.subject, baseline, Quantile::P50) {
        Some(ratio) => format!("{} {}", times(&ratio), verdict(&ratio, row.unit)),
        None => "–".to_owned(),
    }
}

/// A line for each subject, a column for each size.
fn scaling(report: &BenchReport, rows: &[&Row]) -> Table {
    let Some(axis) = rows.iter().find_map(|row| Some(row.point?.axis)) else { return Table::default() };
    let columns = rows.iter().map(|row| row.point.map_or_else(String::new, |point| size(axis, point.value)));
    let several = rows.len() > 1;
    let mut header: Vec<String> = [format!("p50 by {}", axis.as_str())].into_iter().chain(columns).collect();
    if several {
        header.extend(["exponent", "last step", "over all"].map(str::to_owned));
    }
    let mut shown = Vec::new();
    for subject in report.subjects.iter().map(|subject| subject.name.as_str()) {
        if !rows.iter().any(|row| row.entry(subject).is_some_and(|entry| entry.summary.is_some())) {
            continue;
        }
        let mut cells = vec![subject.to_owned()];
        for row in rows {
            let summary = row.entry(subject).and_then(|entry| entry.summary.as_ref());
            cells.push(summary.map_or_else(|| "–".to_owned(), |summary| quantity(summary.p50, row.unit)));
        }
        match exponent(&points(rows, subject)) {
            Some(growth) if several => cells.extend([
                format!("{:.2}", growth.overall),
                format!("{:.2}", growth.last),
                format!("{} ×", three(growth.factor)),
            ]),
            _ if several => cells.extend([const { String::new() }; 3]),
            _ => {}
        }
        shown.push(cells);
    }
    Table { header, rows: shown }
}

/// A subject's cost by size.
pub fn points(rows: &[&Row], subject: &str) -> Vec<(f64, f64)> {
    let point = |row: &&Row| {
        let summary = row.entry(subject)?.summary.as_ref()?;
        Some((row.point?.value as f64, summary.p50))
    };
    rows.iter().filter_map(point).collect()
}

/// The stages of a subject, in the order in which they happen, each with the median over its processes.
pub fn stages(entry: &Entry) -> Vec<(String, f64)> {
    const ORDER: [&str; 17] = [
        "read and bound",
        "claim",
        "schema",
        "derive",
        "write input",
        "convert",
        "convert and build",
        "parse input in module",
        "find policies and entities",
        "engine",
        "evaluate",
        "ask for answers",
        "dump",
        "read answer",
        "dispatch and outcome",
        "loaded",
        "settled",
    ];
    let mut names: Vec<&String> =
        entry.processes.iter().flat_map(|process| process.figures.parts.keys()).collect();
    names.sort_by_key(|name| ORDER.iter().position(|known| known == name).unwrap_or(ORDER.len()));
    names.dedup();
    let of = |name: &String| {
        let values = entry.processes.iter().filter_map(|process| process.figures.parts.get(name).copied());
        Some((name.clone(), median(&values.collect::<Vec<f64>>())?))
    };
    names.into_iter().filter_map(of).collect()
}

fn breakdown(row: &Row) -> Table {
    let entries: Vec<(&Entry, Vec<(String, f64)>)> = row
        .entries
        .iter()
        .filter(|entry| entry.summary.is_some())
        .map(|entry| (entry, stages(entry)))
        .collect();
    let header = ["subject", "stage", "time", "share"].map(str::to_owned).to_vec();
    let mut rows = Vec::new();
    for (entry, stages) in &entries {
        let whole: f64 = stages.iter().map(|(_, time)| time).sum();
        for (stage, time) in stages {
            let share = if whole > 0.0 { percent(time / whole) } else { String::new() };
            rows.push(vec![entry.subject.clone(), stage.clone(), quantity(*time, row.unit), share]);
        }
    }
    Table { header, rows }
}

/// Every pair of subjects that were measured together, each with the geometric mean of its ratios at the median, over the
/// measurements that have both: less than one is in favour of the first.
pub fn pairs(report: &BenchReport) -> Vec<(String, String, f64, usize)> {
    let engines: Vec<&str> = report
        .subjects
        .iter()
        .filter(|subject| subject.kind == crate::subject::Kind::Engine)
        .map(|subject| subject.name.as_str())
        .collect();
    let mut found = Vec::new();
    for (place, first) in engines.iter().enumerate() {
        for second in engines.iter().skip(place + 1) {
            let decides = |row: &&Row| row.model.takes_time() && row.model != Model::Breakdown;
            let ratios: Vec<f64> = report
                .rows
                .iter()
                .filter(decides)
                .filter_map(|row| Some(row.ratio(first, second, Quantile::P50)?.ratio))
                .collect();
            if let Some(mean) = geometric_mean(&ratios) {
                found.push(((*first).to_owned(), (*second).to_owned(), mean, ratios.len()));
            }
        }
    }
    found
}

/// [`pairs`] as a table.
pub fn pairs_table(report: &BenchReport) -> Table {
    let row = |(first, second, mean, count): (String, String, f64, usize)| {
        vec![format!("{first} over {second}"), format!("{} ×", three(mean)), count.to_string()]
    };
    Table {
        header: ["engines", "geometric mean", "rows"].map(str::to_owned).to_vec(),
        rows: pairs(report).into_iter().map(row).collect(),
    }
}

/// The targets that this run has the figures for.
pub fn targets(report: &BenchReport) -> Vec<Judged> {
    // The file is part of this program, and a test reads it.
    read("targets.yaml", crate::targets::TEXT.as_bytes())
        .map_or_else(|_| Vec::new(), |targets| judge(report, &targets))
}

/// [`targets`] as a table.
pub fn targets_table(report: &BenchReport) -> Table {
    let row = |judged: Judged| {
        let Judged { target, ratio, fate } = judged;
        let plus = if target.plus_ns > 0.0 { format!(" + {} ns", target.plus_ns) } else { String::new() };
        let shown = ratio.as_ref().map_or_else(|| "–".to_owned(), |ratio: &Ratio| times(ratio));
        vec![
            target.what,
            format!("≤ {} ×{plus}", three(target.at_most)),
            shown,
            target.at.as_str().to_owned(),
            fate.as_str().to_owned(),
        ]
    };
    Table {
        header: ["target", "promised", "measured", "at", ""].map(str::to_owned).to_vec(),
        rows: targets(report).into_iter().map(row).collect(),
    }
}

/// How the run was made, as names and values.
pub fn facts(report: &BenchReport) -> Vec<(&'static str, String)> {
    let run = &report.run;
    let mut facts = vec![
        ("command", format!("`{}`", run.command)),
        ("definition", run.definition.clone()),
        (
            "tribunal",
            if run.optimised {
                run.tribunal.clone()
            } else {
                format!("{} (not optimised: no figure says anything)", run.tribunal)
            },
        ),
        ("revision", run.revision.clone().unwrap_or_else(|| "unknown".to_owned())),
        (
            "machine",
            format!(
                "{}, {}, {} threads",
                run.machine.system,
                run.machine.processor.as_deref().unwrap_or("unknown processor"),
                run.machine.threads
            ),
        ),
        ("began", run.started.clone()),
        ("took", format!("{} s, {} processes a figure", run.duration_ms / 1_000, run.turns)),
    ];
    if let Some((before, most)) = run.load {
        facts.push(("load average", format!("{before:.1} before, {most:.1} at most")));
    }
    if let Some(why) = &run.cut_short {
        facts.push(("ended early", why.clone()));
    }
    if let Some(drawn) = &run.flamegraphs {
        facts.extend(flamegraphs(drawn).into_iter().map(|line| ("flamegraphs", line)));
    }
    for pack in &report.packs {
        facts.push((
            "pack",
            format!("{} {} from {}, `{}`", pack.name, pack.version, pack.origin, pack.digest),
        ));
    }
    for subject in report.subjects.iter().filter(|subject| subject.version.is_some()) {
        let version = subject.version.as_deref().unwrap_or_default();
        facts.push(("subject", format!("`{}` ({version}): {}", subject.name, subject.about)));
    }
    facts
}

/// What became of flamegraphs, in a line for each folder and each that is missing.
pub fn flamegraphs(drawn: &Drawn) -> Vec<String> {
    let files = match drawn.files.as_slice() {
        [] => None,
        files => Some(format!("flamegraphs in `{}`: {}", drawn.folder, files.join(", "))),
    };
    let missing = drawn.missing.iter().map(|why| format!("no flamegraph: {why}"));
    files.into_iter().chain(missing).collect()
}
