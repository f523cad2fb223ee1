//! One counterexample, every side of it beside the others.

use std::io::{self, Write};

use tribunal::core::contract::parity::Difference;

use super::heat::colour;
use super::page::{begin_table, details, end_details, end_table, lines, list, paragraph, prose, text};
use crate::parity::render::sides::{self, Parts, Redaction, Side, pretty};
use crate::parity::report::{Counterexample, ExplainedAnswer, ParityReport};

/// Writes a counterexample; one that is known is closed.
pub(super) fn write(
    out: &mut dyn Write,
    report: &ParityReport,
    place: usize,
    counterexample: &Counterexample,
) -> io::Result<()> {
    let known = sides::known(report, counterexample);
    let differences = sides::respects(&counterexample.differences);
    let mark = if known.is_some() { " (known)" } else { "" };
    details(out, known.is_none(), &format!("{place}. differs in {differences}{mark}"))?;
    if let Some(known) = &known {
        paragraph(out, known)?;
    }
    writeln!(out, "{}", lines(&pretty(&counterexample.request)))?;
    list(out, "small", &sides::circumstances(counterexample))?;
    let sides = sides::sides(report, counterexample);
    write_sides(out, &sides)?;
    for redaction in sides::redactions(counterexample, &sides) {
        write_redaction(out, &redaction)?;
    }
    end_details(out)
}

fn write_sides(out: &mut dyn Write, sides: &[Side<'_>]) -> io::Result<()> {
    begin_table(out, "answers side by side", "sides")?;
    write!(out, "<thead><tr><td></td>")?;
    for side in sides {
        write!(out, "<th scope=\"col\">{}</th>", text(&side.participant.name))?;
    }
    writeln!(out, "</tr></thead>\n<tbody>")?;
    let parts: Vec<Parts> = sides.iter().map(|side| Parts::of(&side.explained.answer)).collect();
    row(
        out,
        "effect",
        sides.iter().map(|side| {
            let answer = &side.explained.answer;
            let class = colour(answer);
            let effect = format!("<span class=\"effect {class}\">{}</span>", answer.effect);
            (effect, side.differs.contains(&Difference::Effect))
        }),
    )?;
    let optional = |out: &mut dyn Write, name, part: fn(&Parts) -> &Option<String>, respect| {
        if parts.iter().all(|parts| part(parts).is_none()) {
            return Ok(());
        }
        let shown = |part: &Option<String>| part.as_ref().map_or_else(|| "—".to_owned(), |part| text(part));
        let cells = sides
            .iter()
            .zip(&parts)
            .map(|(side, parts)| (shown(part(parts)), side.differs.contains(&respect)));
        row(out, name, cells)
    };
    optional(out, "fault", |parts| &parts.fault, Difference::Fault)?;
    optional(out, "reason", |parts| &parts.reason, Difference::Reason)?;
    optional(out, "step-up", |parts| &parts.step_up, Difference::StepUp)?;
    optional(out, "patches", |parts| &parts.patches, Difference::Redaction)?;
    row(out, "rules", parts.iter().map(|parts| (text(&parts.rules), false)))?;
    if sides.iter().any(|side| !side.explained.trace.is_empty() || !side.explained.notes.is_empty()) {
        row(out, "what ran", sides.iter().map(|side| (trace(side.explained), false)))?;
    }
    writeln!(out, "</tbody>")?;
    end_table(out)
}

/// A row of cells that are markup already, each with whether it differs.
fn row(out: &mut dyn Write, name: &str, cells: impl Iterator<Item = (String, bool)>) -> io::Result<()> {
    write!(out, "<tr><th scope=\"row\">{name}</th>")?;
    for (cell, differs) in cells {
        if differs {
            write!(out, "<td class=\"differs\"><b title=\"differs from the first\">≠</b> {cell}</td>")?;
        } else {
            write!(out, "<td>{cell}</td>")?;
        }
    }
    writeln!(out, "</tr>")
}

fn trace(explained: &ExplainedAnswer) -> String {
    let mut shown = String::new();
    if !explained.trace.is_empty() {
        shown.push_str("<ol class=\"trace\">");
        for line in &explained.trace {
            let location = line.location.as_ref().map(|place| format!(" <small>{}</small>", text(place)));
            shown.push_str(&format!(
                "<li><code>{}</code> {}{}</li>",
                text(&line.rule),
                text(&line.note),
                location.iter().map(String::as_str).collect::<String>()
            ));
        }
        shown.push_str("</ol>");
    }
    for note in &explained.notes {
        shown.push_str(&format!("<p class=\"note\">{}</p>", prose(note)));
    }
    if shown.is_empty() { "—".to_owned() } else { shown }
}

fn write_redaction(out: &mut dyn Write, redaction: &Redaction<'_>) -> io::Result<()> {
    let (left, right) = (text(&redaction.left), text(redaction.right));
    begin_table(out, "redacted requests side by side", "diff")?;
    writeln!(
        out,
        "<thead><tr><th scope=\"col\">{left}</th><th scope=\"col\">as {right} lets it go ahead</th></tr></thead>\n<tbody>"
    )?;
    for line in &redaction.lines {
        let cell = |side: &Option<String>, class: &str, sign: char| match side {
            None => "<td></td>".to_owned(),
            Some(side) if line.is_same => format!("<td>  {}</td>", text(side)),
            Some(side) => format!("<td class=\"{class}\">{sign} {}</td>", text(side)),
        };
        writeln!(out, "<tr>{}{}</tr>", cell(&line.left, "gone", '-'), cell(&line.right, "come", '+'))?;
    }
    writeln!(out, "</tbody>")?;
    end_table(out)
}
