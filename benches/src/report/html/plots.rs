//! The plots of a report.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::has_distribution;
use super::plot::{LEFT, Log, RIGHT, Svg};
use crate::model::{Model, Unit};
use crate::report::data::{BenchReport, Row};
use crate::report::figures::{quantity, size};
use crate::report::table::{memory_parts, points, stage_names, stages};
use crate::statistics::Quantile;
use crate::subject::Kind;

/// The plot of a measurement; nothing where a table says as much.
pub(super) fn of(report: &BenchReport, rows: &[&Row]) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let plot = match first.model {
        _ if rows.len() > 1 && first.point.is_some() => growth(report, rows),
        Model::Breakdown => breakdown(first),
        Model::Memory => memory(first),
        model if has_distribution(model) && first.point.is_none() && rows.len() == 1 => distributions(first),
        _ => None,
    };
    plot.unwrap_or_default()
}

/// The end of a histogram's cell over its beginning: there are eight to a doubling.
const CELL: f64 = 1.0905;

/// Where each subject's samples lie, on one logarithmic axis.
fn distributions(row: &Row) -> Option<String> {
    const EACH: f64 = 34.0;
    let entries: Vec<_> = row
        .entries
        .iter()
        .filter(|_| row.void.is_none())
        .filter_map(|entry| Some((entry, entry.summary.as_ref()?)))
        // One that has only a mean has no samples to show, and one sample a process is no distribution.
        .filter(|(entry, summary)| {
            entry.at(Quantile::P50).is_some() && summary.samples > summary.processes as u64
        })
        .collect();
    // The tail beyond p99.9 would press everything else together; the table has the largest.
    let ends = entries
        .iter()
        .flat_map(|(_, summary)| [summary.min, summary.p999.or(summary.p99).unwrap_or(summary.p90) * 1.5]);
    let axis = Log::over(ends, LEFT, RIGHT)?;
    let bottom = 12.0 + EACH * entries.len() as f64;
    let mut svg =
        Svg::new(bottom + 24.0, &format!("distributions of {}, by subject, logarithmic", row.measurement));
    for tick in axis.ticks() {
        svg.tick(axis.at(tick), 8.0, bottom, &quantity(tick, row.unit));
    }
    for (place, (entry, summary)) in entries.iter().enumerate() {
        let base = 8.0 + EACH * (place + 1) as f64;
        let mut cells: BTreeMap<u64, u64> = BTreeMap::new();
        for (cell, count) in entry.processes.iter().flat_map(|process| &process.figures.histogram) {
            // Thousandths, as they are written.
            *cells.entry((cell * 1_000.0) as u64).or_default() += count;
        }
        let most = cells.values().copied().max().unwrap_or(1) as f64;
        let mut outline = Vec::with_capacity(cells.len() * 4);
        for (cell, count) in &cells {
            let value = *cell as f64 / 1_000.0;
            // The square root, so that a tail of few samples is seen beside the bulk of them.
            let y = base - (*count as f64 / most).sqrt() * (EACH - 6.0);
            let (from, to) = (axis.at(value), axis.at(value * CELL));
            // Each from the ground and back: between cells without samples there is nothing.
            outline.extend([(from, base), (from, y), (to, y), (to, base)]);
        }
        let title = format!("{}: median {}", entry.subject, quantity(summary.p50, row.unit));
        svg.area(&outline, place, &title);
        svg.stroke(axis.at(summary.p50), base - EACH + 6.0, base, &title);
        if let Some(p99) = summary.p99 {
            svg.stroke(axis.at(p99), base - 8.0, base, &format!("p99 {}", quantity(p99, row.unit)));
        }
        svg.name(base - 10.0, &entry.subject);
    }
    svg.caption("How often each time was measured, as square roots; the long stroke is the median, the short one p99.");
    Some(svg.finish())
}

/// Cost over size, both logarithmic: a straight line is a power.
fn growth(report: &BenchReport, rows: &[&Row]) -> Option<String> {
    const BOTTOM: f64 = 300.0;
    let first = rows.first()?;
    let axis = first.point?.axis;
    let lines: Vec<(&str, Vec<(f64, f64)>)> = report
        .subjects
        .iter()
        .map(|subject| (subject.name.as_str(), points(rows, &subject.name)))
        .filter(|(_, points)| !points.is_empty())
        .collect();
    let all = || lines.iter().flat_map(|(_, points)| points.iter().copied());
    let across = Log::over(all().map(|(size, _)| size), LEFT, RIGHT - 110.0)?;
    let up = Log::over(all().map(|(_, cost)| cost), BOTTOM, 12.0)?;
    let mut svg =
        Svg::new(BOTTOM + 24.0, &format!("{} by {}, both logarithmic", first.measurement, axis.as_str()));
    for tick in up.ticks() {
        svg.level(up.at(tick), &quantity(tick, first.unit));
    }
    for row in rows {
        if let Some(point) = row.point {
            svg.tick(across.at(point.size() as f64), 12.0, BOTTOM, &size(axis, point.size()));
        }
    }
    // Names at the ends of lines, those at the same end apart from each other.
    let mut ends: Vec<(f64, f64, usize)> = Vec::new();
    for (place, (name, points)) in lines.iter().enumerate() {
        let shown: Vec<(f64, f64)> =
            points.iter().map(|(size, cost)| (across.at(*size), up.at(*cost))).collect();
        if let Some((x, y)) = shown.last() {
            ends.push((*x, *y, place));
        }
        svg.line(&shown, place, name);
    }
    ends.sort_by(|a, b| (a.0, a.1).partial_cmp(&(b.0, b.1)).unwrap_or(Ordering::Equal));
    let mut above: Option<(f64, f64)> = None;
    for (x, y, place) in ends {
        let y = above.filter(|(known, _)| *known == x).map_or(y, |(_, lowest)| (lowest + 13.0).max(y));
        above = Some((x, y));
        if let Some((name, _)) = lines.get(place) {
            svg.words(x + 8.0, y + 4.0, &format!("end c{}", place % super::plot::COLOURS), name);
        }
    }
    Some(svg.finish())
}

/// The stages of a decision, one after another.
fn breakdown(row: &Row) -> Option<String> {
    const EACH: f64 = 30.0;
    let measured = || row.entries.iter().filter(|entry| row.void.is_none() && entry.summary.is_some());
    let entries: Vec<(&str, Vec<(&str, f64)>)> =
        measured().map(|entry| (entry.subject.as_str(), stages(entry))).collect();
    let most = entries
        .iter()
        .map(|(_, stages)| stages.iter().map(|(_, time)| time).sum::<f64>())
        .fold(0.0, f64::max);
    if most <= 0.0 {
        return None;
    }
    let names = stage_names(measured());
    let bars = 8.0 + EACH * entries.len() as f64;
    let legend = 18.0 * names.len().div_ceil(3) as f64;
    let mut svg = Svg::new(bars + legend + 12.0, "the stages of a decision, by subject");
    for (place, (subject, stages)) in entries.iter().enumerate() {
        let y = 6.0 + EACH * place as f64;
        svg.name(y + 10.0, subject);
        let mut x = LEFT;
        for (stage, time) in stages {
            let width = time / most * (RIGHT - LEFT);
            let colour = names.iter().position(|name| name == stage).unwrap_or_default();
            svg.bar(x, y, width, 20.0, colour, &format!("{stage}: {}", quantity(*time, row.unit)));
            x += width;
        }
    }
    for (place, name) in names.iter().enumerate() {
        let (column, line) = ((place % 3) as f64, (place / 3) as f64);
        let (x, y) = (20.0 + column * 230.0, bars + 8.0 + line * 18.0);
        svg.bar(x, y, 11.0, 11.0, place, name);
        svg.words(x + 17.0, y + 10.0, "tick", name);
    }
    Some(svg.finish())
}

/// What loading a pack adds to a process, and below it what deciding has added when that has settled.
fn memory(row: &Row) -> Option<String> {
    const EACH: f64 = 36.0;
    let entries: Vec<(&str, Vec<(&str, f64)>)> = row
        .entries
        .iter()
        .filter(|_| row.void.is_none())
        .filter_map(|entry| {
            let settled = entry.at(Quantile::P50)?;
            let bars = match memory_parts(entry) {
                Some(parts) => vec![("loaded", parts.loaded), ("settled", settled)],
                None => vec![("settled", settled)],
            };
            Some((entry.subject.as_str(), bars))
        })
        .collect();
    let most = entries.iter().flat_map(|(_, bars)| bars).map(|(_, bytes)| *bytes).fold(0.0, f64::max);
    if most <= 0.0 {
        return None;
    }
    let mut svg = Svg::new(8.0 + EACH * entries.len() as f64, "memory that a loaded pack adds, by subject");
    for (place, (name, bars)) in entries.iter().enumerate() {
        let top = 6.0 + EACH * place as f64;
        svg.name(top + 12.0, name);
        for (line, (part, bytes)) in bars.iter().enumerate() {
            let y = top + 13.0 * line as f64;
            let width = bytes / most * (RIGHT - LEFT - 130.0);
            let shown = format!("{part} {}", quantity(*bytes, Unit::Bytes));
            svg.bar(LEFT, y, width, 11.0, place, &shown);
            svg.words(LEFT + width + 8.0, y + 9.5, "tick", &shown);
        }
    }
    Some(svg.finish())
}

/// What each engine takes from nothing, from what was kept on disk, for its first decision and for every other.
pub(super) fn cold_and_warm(report: &BenchReport) -> String {
    const EACH: f64 = 30.0;
    const KINDS: [(Model, &str); 4] = [
        (Model::LoadCold, "load, nothing kept"),
        (Model::LoadCached, "load, modules kept"),
        (Model::FirstDecision, "first decision"),
        (Model::Decide, "every other decision"),
    ];
    let engines: Vec<&str> = report
        .subjects
        .iter()
        .filter(|subject| subject.kind == Kind::Engine)
        .map(|subject| subject.name.as_str())
        .collect();
    let figure = |engine: &str, model: Model| {
        let mut rows =
            report.rows.iter().filter(|row| row.model == model && row.point.is_none() && row.packs.is_none());
        rows.find_map(|row| Some(row.entry(engine)?.summary.as_ref()?.p50))
    };
    let marks: Vec<Vec<Option<f64>>> = engines
        .iter()
        .map(|engine| KINDS.iter().map(|(model, _)| figure(engine, *model)).collect())
        .collect();
    let Some(axis) = Log::over(marks.iter().flatten().flatten().copied(), LEFT, RIGHT) else {
        return "<p>Nothing was measured of loading.</p>\n".to_owned();
    };
    let bottom = 8.0 + EACH * engines.len() as f64;
    let mut svg = Svg::new(bottom + 50.0, "loading and deciding, by engine, logarithmic");
    for tick in axis.ticks() {
        svg.tick(axis.at(tick), 6.0, bottom, &quantity(tick, Unit::Nanoseconds));
    }
    for (place, (engine, marks)) in engines.iter().zip(&marks).enumerate() {
        let y = 20.0 + EACH * place as f64;
        svg.name(y, engine);
        for (kind, value) in marks.iter().enumerate() {
            if let (Some(value), Some((_, name))) = (value, KINDS.get(kind)) {
                svg.mark(
                    axis.at(*value),
                    y,
                    kind,
                    &format!("{name}: {}", quantity(*value, Unit::Nanoseconds)),
                );
            }
        }
    }
    for (kind, (_, name)) in KINDS.iter().enumerate() {
        let x = 24.0 + 175.0 * kind as f64;
        svg.mark(x, bottom + 36.0, kind, name);
        svg.words(x + 12.0, bottom + 40.0, "tick", name);
    }
    svg.finish()
}
