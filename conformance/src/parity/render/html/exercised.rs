//! What a search exercised, and how long answers took.

use std::io::{self, Write};

use super::page::{begin_table, cells, details, end_details, end_table, list, paragraph, table, text};
use crate::parity::render::exercise::{self, Coverage, Reach};
use crate::parity::render::facts;
use crate::parity::render::figures::number;
use crate::parity::render::sides::compact;
use crate::parity::report::{Latency, LiteralExercise, ParityReport, SearchReport};

/// Writes the rules and literals of every participant, and those that the host decided apart.
pub(super) fn write(out: &mut dyn Write, report: &ParityReport, search: &SearchReport) -> io::Result<()> {
    paragraph(out, &facts::search(search))?;
    let coverage = exercise::by_participant(report, search);
    let rows: Vec<Vec<String>> = coverage.iter().map(Coverage::cells).collect();
    table(out, "what was exercised", &exercise::COLUMNS, &rows)?;
    paragraph(out, exercise::COUNTED)?;
    write!(out, "<ul class=\"legend\" aria-hidden=\"true\">")?;
    for (reach, name) in Reach::ALL.into_iter().zip(exercise::COLUMNS.into_iter().skip(2)) {
        write!(out, "<li><i class=\"{}\"></i> {name}</li>", class(reach))?;
    }
    writeln!(out, "</ul>")?;
    for one in &coverage {
        bar(out, one)?;
        let name = &one.participant.name;
        if !one.rules.is_empty() {
            details(out, false, &format!("rules of {name}"))?;
            table(out, &format!("rules of {name}"), &exercise::RULE, &one.all())?;
            end_details(out)?;
        }
        literals(out, one)?;
    }
    let derived = exercise::derived(&coverage);
    if !derived.is_empty() {
        paragraph(out, exercise::DERIVED_RULES)?;
        table(out, "decided by derive only", &exercise::DERIVED, &derived)?;
    }
    if !search.exercised.derived_literals.is_empty() {
        paragraph(out, exercise::DERIVED_LITERALS)?;
        list(out, "values", &search.exercised.derived_literals)?;
    }
    Ok(())
}

/// The shares of a participant's rules as a bar; the table above has the numbers.
fn bar(out: &mut dyn Write, coverage: &Coverage<'_>) -> io::Result<()> {
    let all = coverage.rules.len();
    if all == 0 {
        return Ok(());
    }
    write!(
        out,
        "<p class=\"bar\" aria-hidden=\"true\"><span>{}</span><span>",
        text(&coverage.participant.name)
    )?;
    for reach in Reach::ALL {
        let reached = coverage.reached(reach);
        if reached > 0 {
            let (class, share) = (class(reach), reached as f64 / all as f64 * 100.0);
            write!(out, "<i class=\"{class}\" style=\"width:{share:.2}%\"></i>")?;
        }
    }
    writeln!(out, "</span></p>")
}

fn class(reach: Reach) -> &'static str {
    match reach {
        Reach::Determined => "determined",
        Reach::CameTrue => "came-true",
        Reach::OnlyFalse => "only-false",
        Reach::Never => "never",
        Reach::Untraced => "untraced",
    }
}

fn literals(out: &mut dyn Write, coverage: &Coverage<'_>) -> io::Result<()> {
    let name = &coverage.participant.name;
    let value = |literal: &LiteralExercise| {
        vec![compact(&literal.value), literal.rule.clone(), number(literal.tried)]
    };
    for (tried, said) in [(false, "literals never tried"), (true, "literals tried")] {
        let rows: Vec<Vec<String>> = coverage.literals(tried).into_iter().map(value).collect();
        if !rows.is_empty() {
            let summary = format!("{said} of {name}: {}", rows.len());
            details(out, false, &summary)?;
            table(out, &summary, &["literal", "rule", "requests"], &rows)?;
            end_details(out)?;
        }
    }
    Ok(())
}

/// Writes what everyone answered how often, and how long it took.
pub(super) fn answers(out: &mut dyn Write, report: &ParityReport, search: &SearchReport) -> io::Result<()> {
    let asked = || report.participants.iter().zip(&search.answers).filter(|(one, _)| one.refused.is_none());
    let latencies = || asked().filter_map(|(one, _)| one.latency);
    let (low, high) = (latencies().map(|one| one.p50_ns).min(), latencies().map(|one| one.p99_ns).max());
    begin_table(out, "answers and time", "plain latency")?;
    write!(out, "<thead><tr>")?;
    for name in facts::ANSWERS.into_iter().chain(["p50 to p99"]) {
        write!(out, "<th scope=\"col\">{name}</th>")?;
    }
    writeln!(out, "</tr></thead>\n<tbody>")?;
    for ((one, _), row) in asked().zip(facts::answers(report, search)) {
        let span = one.latency.zip(low).zip(high).map(|((latency, low), high)| span(latency, low, high));
        write!(out, "<tr>{}", cells(&row))?;
        writeln!(
            out,
            "<td class=\"span\">{}</td></tr>",
            span.iter().map(String::as_str).collect::<String>()
        )?;
    }
    writeln!(out, "</tbody>")?;
    end_table(out)?;
    paragraph(out, facts::LATENCY)
}

/// From the half to the 99 % of the answers, on a scale on which ten times as long is as far everywhere.
fn span(latency: Latency, low: u64, high: u64) -> String {
    let scale = |nanoseconds: u64| (nanoseconds.max(1) as f64).log10();
    let whole = (scale(high) - scale(low)).max(f64::EPSILON);
    let at = |nanoseconds| ((scale(nanoseconds) - scale(low)) / whole * 98.0).clamp(0.0, 98.0);
    let (from, to) = (at(latency.p50_ns), at(latency.p99_ns));
    format!("<i style=\"margin-left:{from:.1}%;width:{:.1}%\"></i>", to - from + 2.0)
}
