//! The report as one HTML file: no script, nothing loaded, light and dark, on a phone as on paper.
//!
//! - `plot`: axes, and the marks on them
//! - `plots`: distributions, growth, stages, cold against warm, memory

mod plot;
mod plots;

use std::io::{self, Write};

use tribunal_conformance::escape::{plain, xml};

use super::data::BenchReport;
use super::table::{self, MEANS, TARGETS, Table};
use crate::model::Model;
use crate::targets::Fate;

/// The whole appearance.
const STYLE: &str = include_str!("style.css");

/// Writes the report as a page.
///
/// # Errors
/// What `out` fails with.
pub fn html(report: &BenchReport, out: &mut dyn Write) -> io::Result<()> {
    let packs: Vec<&str> = report.packs.iter().take(1).map(|pack| pack.name.as_str()).collect();
    let title = text(&format!("What each engine costs on {}", packs.join(", ")));
    let class = if report.disagrees() || report.run.cut_short.is_some() { "bad" } else { "good" };
    write!(
        out,
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<meta name="referrer" content="no-referrer"/>
<title>{title}</title>
<style>
{STYLE}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p class="verdict {class}">{}</p>
"#,
        prose(&report.conclusion)
    )?;
    contents(report, out)?;
    writeln!(out, "</header>\n<main>")?;
    section(out, "cold-warm", "Cold against warm", |out| write!(out, "{}", plots::cold_and_warm(report)))?;
    for rows in report.measurements() {
        let Some(shown) = table::measurement(report, &rows) else { continue };
        section(out, &shown.name, &shown.name, |out| {
            writeln!(out, "<p class=\"about\">{}</p><p>{}</p>", prose(&shown.about), prose(&shown.analysis))?;
            write!(out, "{}", plots::of(report, &rows))?;
            write_table(out, &shown.name, &shown.table)?;
            list(out, &[shown.notes, shown.problems].concat())
        })?;
    }
    for (id, title, shown, notes) in [
        ("means", MEANS, table::pairs_table(report), Vec::new()),
        ("targets", TARGETS, table::targets_table(report), table::targets_notes(report)),
    ] {
        if !shown.rows.is_empty() {
            section(out, id, title, |out| {
                write_table(out, title, &shown)?;
                list(out, &notes)
            })?;
        }
    }
    let disagreements = report.disagreements();
    if !disagreements.is_empty() {
        section(out, "disagreements", "Disagreements", |out| {
            for found in disagreements {
                let sides = [&found.first, &found.second].map(|(name, said)| format!("`{name}`: {said}"));
                writeln!(out, "<h3>{} ({})</h3>", text(&found.name), text(&found.differs))?;
                list(out, &sides)?;
                let request = serde_json::to_string_pretty(&found.request)
                    .unwrap_or_else(|_| found.request.to_string());
                writeln!(out, "<pre>{}</pre>", xml(&request))?;
            }
            Ok(())
        })?;
    }
    section(out, "run", "How this was measured", |out| {
        writeln!(out, "<dl>")?;
        for (name, value) in table::facts(report) {
            writeln!(out, "<dt>{}</dt><dd>{}</dd>", text(name), prose(&value))?;
        }
        writeln!(out, "</dl>")
    })?;
    writeln!(out, "</main>\n</body>\n</html>")
}

fn contents(report: &BenchReport, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "<nav aria-label=\"contents\"><ul>")?;
    let mut item =
        |id: &str, title: &str| write!(out, "<li><a href=\"#{}\">{}</a></li>", text(id), text(title));
    item("cold-warm", "cold and warm")?;
    for rows in report.measurements() {
        if let Some(first) = rows.first() {
            item(&first.measurement, &first.measurement)?;
        }
    }
    if !table::pairs_table(report).rows.is_empty() {
        item("means", "means")?;
    }
    if !report.targets.is_empty() {
        item("targets", "targets")?;
    }
    if !report.disagreements().is_empty() {
        item("disagreements", "disagreements")?;
    }
    item("run", "how")?;
    writeln!(out, "</ul></nav>")
}

fn section(
    out: &mut dyn Write,
    id: &str,
    title: &str,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    writeln!(out, "<section id=\"{}\">\n<h2>{}</h2>", text(id), prose(title))?;
    content(out)?;
    writeln!(out, "</section>")
}

fn write_table(out: &mut dyn Write, label: &str, table: &Table) -> io::Result<()> {
    if table.rows.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<div class=\"scroll\" role=\"region\" aria-label=\"{}\" tabindex=\"0\"><table>",
        text(label)
    )?;
    write!(out, "<thead><tr>")?;
    for cell in &table.header {
        write!(out, "<th scope=\"col\">{}</th>", text(cell))?;
    }
    writeln!(out, "</tr></thead>\n<tbody>")?;
    for row in &table.rows {
        write!(out, "<tr>")?;
        for (place, cell) in row.iter().enumerate() {
            let class = match cell.as_str() {
                _ if place + 1 < row.len() => "",
                cell if cell == Fate::Missed.as_str() => " class=\"bad\"",
                cell if cell == Fate::Met.as_str() => " class=\"good\"",
                _ => "",
            };
            match place {
                0 => write!(out, "<th scope=\"row\">{}</th>", text(cell))?,
                _ => write!(out, "<td{class}>{}</td>", prose(cell))?,
            }
        }
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</tbody></table></div>")
}

fn list(out: &mut dyn Write, sentences: &[String]) -> io::Result<()> {
    if sentences.is_empty() {
        return Ok(());
    }
    writeln!(out, "<ul>")?;
    for sentence in sentences {
        writeln!(out, "<li>{}</li>", prose(sentence))?;
    }
    writeln!(out, "</ul>")
}

/// A text of anybody's on one line.
fn text(text: &str) -> String {
    xml(&plain(text))
}

/// A sentence in which what stands in backticks is code.
fn prose(sentence: &str) -> String {
    let sentence = plain(sentence);
    let parts: Vec<&str> = sentence.split('`').collect();
    if parts.len().is_multiple_of(2) {
        // A backtick without another: none of them is ours.
        return xml(&sentence);
    }
    let shown = parts.iter().enumerate().map(|(place, part)| match place % 2 {
        0 => xml(part),
        _ => format!("<code>{}</code>", xml(part)),
    });
    shown.collect()
}

/// Whether a measurement's samples make a distribution.
fn has_distribution(model: Model) -> bool {
    matches!(model, Model::Decide | Model::ErrorPath | Model::DecidePerCall)
}
