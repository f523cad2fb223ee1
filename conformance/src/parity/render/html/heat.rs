//! The cases as a heat map: a square for each answer.

use std::io::{self, Write};

use tribunal::core::contract::DecisionEffect;

use super::page::{begin_table, end_table, lines, paragraph, text};
use crate::parity::render::matrix::{self, Mark};
use crate::parity::render::{facts, sides};
use crate::parity::report::{AnswerRecord, CaseCell, CaseRow, ParityReport};

/// Writes the map, what its signs mean, and why cells are marked.
pub(super) fn write(out: &mut dyn Write, report: &ParityReport) -> io::Result<()> {
    paragraph(out, &facts::cases(report))?;
    legend(out)?;
    begin_table(out, "cases by participant", "heat")?;
    write!(out, "<thead><tr><th scope=\"col\">case</th>")?;
    for one in &report.participants {
        write!(out, "<th scope=\"col\" class=\"turned\"><span>{}</span></th>", text(&one.name))?;
    }
    writeln!(out, "</tr></thead>\n<tbody>")?;
    for row in &report.cases {
        write_row(out, report, row)?;
    }
    writeln!(out, "</tbody>")?;
    end_table(out)?;
    remarks(out, report)
}

fn legend(out: &mut dyn Write) -> io::Result<()> {
    let colours = [
        ("allow", "A", "allow"),
        ("redact", "R", "redact"),
        ("step-up", "S", "step_up"),
        ("deny", "D", "deny"),
        ("fault", "F", "fault: a denial"),
        ("absent", "–", "not asked"),
        ("deny differs", "D≠", "differs from the first"),
        ("deny fails", "D!", "not what the case expects"),
        ("deny excepted", "D*", "excepted by the case"),
    ];
    write!(out, "<ul class=\"legend\">")?;
    for (class, letter, meaning) in colours {
        write!(out, "<li><span class=\"cell {class}\">{letter}</span> {meaning}</li>")?;
    }
    writeln!(out, "</ul>")
}

fn write_row(out: &mut dyn Write, report: &ParityReport, row: &CaseRow) -> io::Result<()> {
    let (name, location) = (text(&row.name), text(&row.location));
    write!(out, "<tr><th scope=\"row\">{name} <small>{location}</small>")?;
    if !row.differences.is_empty() {
        write!(out, " <em>differs in {}</em>", sides::respects(&row.differences))?;
    }
    write!(out, "</th>")?;
    for ((cell, mark), one) in row.cells.iter().zip(matrix::marks(row)).zip(&report.participants) {
        match cell.as_ref().zip(mark) {
            None => {
                let title = text(&format!("{}: not asked", one.name));
                write!(out, "<td><span class=\"cell absent\" title=\"{title}\">–</span></td>")?;
            }
            Some((cell, mark)) => write_cell(out, &one.name, cell, mark)?,
        }
    }
    writeln!(out, "</tr>")
}

fn write_cell(out: &mut dyn Write, name: &str, cell: &CaseCell, mark: Mark) -> io::Result<()> {
    let title = text(&format!("{name}: {} ({})", matrix::brief(&cell.answer), mark.word()));
    write!(
        out,
        "<td><span class=\"cell {} {}\" title=\"{title}\">{}{}</span></td>",
        colour(&cell.answer),
        class(mark),
        matrix::letter(&cell.answer),
        mark.sign()
    )
}

/// The class of an answer.
pub(super) fn colour(answer: &AnswerRecord) -> &'static str {
    match (answer.fault, answer.effect) {
        (Some(_), _) => "fault",
        (None, DecisionEffect::Allow) => "allow",
        (None, DecisionEffect::Redact) => "redact",
        (None, DecisionEffect::StepUp) => "step-up",
        (None, DecisionEffect::Deny) => "deny",
    }
}

fn class(mark: Mark) -> &'static str {
    match mark {
        Mark::Agrees => "agrees",
        Mark::Fails => "fails",
        Mark::Differs => "differs",
        Mark::Excepted => "excepted",
    }
}

fn remarks(out: &mut dyn Write, report: &ParityReport) -> io::Result<()> {
    for (row, name, said) in matrix::remarks(report) {
        writeln!(
            out,
            "<div class=\"remark\"><h3>{} <small>on {}, {}</small></h3>{}</div>",
            text(&row.name),
            text(name),
            text(&row.location),
            lines(&said)
        )?;
    }
    Ok(())
}
