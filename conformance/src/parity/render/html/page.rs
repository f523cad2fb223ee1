//! The frame of a page and the pieces it is made of. Every text goes through [`text`], [`prose`] or [`lines`].

use std::io::{self, Write};

use crate::escape::{plain, xml};

/// The whole appearance: no page loads anything.
const STYLE: &str = include_str!("style.css");

/// A text of anybody's on one line.
pub(super) fn text(text: &str) -> String {
    xml(&plain(text))
}

/// A sentence in which what stands in backticks is code.
pub(super) fn prose(sentence: &str) -> String {
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

/// Lines as they are.
pub(super) fn lines(text: &str) -> String {
    format!("<pre>{}</pre>", xml(text))
}

/// The beginning of a page, up to its first heading.
///
/// `is_good` is how it went, and `verdict` says so in a sentence.
pub(super) fn begin(out: &mut dyn Write, title: &str, is_good: bool, verdict: &str) -> io::Result<()> {
    let (class, sign) = if is_good { ("good", "✓") } else { ("bad", "✗") };
    let (title, verdict) = (text(title), prose(verdict));
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
<title>{sign} {title}</title>
<style>
{STYLE}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p class="verdict {class}"><span class="sign">{sign}</span> <strong>{verdict}</strong></p>
"#
    )
}

/// The end of the header: links to the parts of the page.
pub(super) fn contents(out: &mut dyn Write, parts: &[(&str, &str)]) -> io::Result<()> {
    write!(out, "<nav aria-label=\"contents\"><ul>")?;
    for (id, title) in parts {
        write!(out, "<li><a href=\"#{}\">{}</a></li>", text(id), text(title))?;
    }
    writeln!(out, "</ul></nav>\n</header>\n<main>")
}

/// The end of a page.
pub(super) fn end(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "</main>\n</body>\n</html>")
}

/// The beginning of a part.
pub(super) fn section(out: &mut dyn Write, id: &str, title: &str) -> io::Result<()> {
    writeln!(out, "<section id=\"{}\">\n<h2>{}</h2>", text(id), text(title))
}

/// The end of a part.
pub(super) fn end_section(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "</section>")
}

/// A sentence.
pub(super) fn paragraph(out: &mut dyn Write, sentence: &str) -> io::Result<()> {
    writeln!(out, "<p>{}</p>", prose(sentence))
}

/// Sentences, one below the other; nothing if there are none.
pub(super) fn list(out: &mut dyn Write, class: &str, sentences: &[String]) -> io::Result<()> {
    if sentences.is_empty() {
        return Ok(());
    }
    writeln!(out, "<ul class=\"{class}\">")?;
    for sentence in sentences {
        writeln!(out, "<li>{}</li>", prose(sentence))?;
    }
    writeln!(out, "</ul>")
}

/// A table with a heading for each row, in a box of its own that scrolls; nothing if there are no rows.
pub(super) fn table(
    out: &mut dyn Write,
    label: &str,
    header: &[&str],
    rows: &[Vec<String>],
) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    begin_table(out, label, "plain")?;
    write!(out, "<thead><tr>")?;
    for name in header {
        write!(out, "<th scope=\"col\">{}</th>", text(name))?;
    }
    writeln!(out, "</tr></thead>\n<tbody>")?;
    for row in rows {
        writeln!(out, "<tr>{}</tr>", cells(row))?;
    }
    writeln!(out, "</tbody>")?;
    end_table(out)
}

/// The cells of a row, the first of which is its heading.
pub(super) fn cells(row: &[String]) -> String {
    let cell = |(column, cell): (usize, &String)| match column {
        0 => format!("<th scope=\"row\">{}</th>", text(cell)),
        _ => format!("<td>{}</td>", text(cell)),
    };
    row.iter().enumerate().map(cell).collect()
}

/// The beginning of a table in a box that can be scrolled with the keyboard, too.
pub(super) fn begin_table(out: &mut dyn Write, label: &str, class: &str) -> io::Result<()> {
    let label = text(label);
    writeln!(
        out,
        "<div class=\"scroll\" role=\"region\" aria-label=\"{label}\" tabindex=\"0\"><table class=\"{class}\">"
    )
}

/// The end of it.
pub(super) fn end_table(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "</table></div>")
}

/// A table of names and values, one below the other.
pub(super) fn facts(out: &mut dyn Write, facts: &[(&'static str, String)]) -> io::Result<()> {
    writeln!(out, "<dl>")?;
    for (name, value) in facts {
        writeln!(out, "<dt>{}</dt><dd>{}</dd>", text(name), prose(value))?;
    }
    writeln!(out, "</dl>")
}

/// The beginning of something to be opened by a click.
pub(super) fn details(out: &mut dyn Write, is_open: bool, summary: &str) -> io::Result<()> {
    let open = if is_open { " open=\"open\"" } else { "" };
    writeln!(out, "<details{open}><summary>{}</summary>", prose(summary))
}

/// The end of it.
pub(super) fn end_details(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "</details>")
}
