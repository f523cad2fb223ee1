//! Lines, paragraphs and tables on a terminal.

use std::fmt::Display;
use std::io::{self, Write};

use comfy_table::{ColumnConstraint, ContentArrangement, Row, Table, presets};

use crate::escape::plain;

/// Up to here, what stands in a table's first column stays on one line.
const LONGEST_NAME: u16 = 24;

/// Where the text goes, and how wide it may be.
pub(super) struct Page<'w> {
    out: &'w mut dyn Write,
    width: Option<usize>,
}

impl<'w> Page<'w> {
    pub(super) fn new(out: &'w mut dyn Write, width: Option<usize>) -> Self {
        Self { out, width }
    }

    /// A line as it is, for what is escaped already.
    pub(super) fn line(&mut self, line: impl Display) -> io::Result<()> {
        writeln!(self.out, "{}", line.to_string().trim_end())
    }

    /// The heading of a part.
    pub(super) fn heading(&mut self, heading: &str) -> io::Result<()> {
        writeln!(self.out, "\n{}", plain(heading))
    }

    /// A text of several lines as it is, each indented.
    pub(super) fn block(&mut self, indent: usize, text: &str) -> io::Result<()> {
        for line in text.lines() {
            self.line(format!("{:indent$}{line}", ""))?;
        }
        Ok(())
    }

    /// A sentence, broken where the page ends. What is in it may be anybody's.
    pub(super) fn paragraph(&mut self, indent: usize, text: &str) -> io::Result<()> {
        self.item(indent, "", text)
    }

    /// A sentence after a sign, all its lines as far in.
    pub(super) fn item(&mut self, indent: usize, sign: &str, text: &str) -> io::Result<()> {
        let inner = indent + sign.len();
        let mut table = self.empty(inner);
        table.load_style(presets::NOTHING).add_row([plain(text)]);
        if let Some(column) = table.column_mut(0) {
            column.set_padding((0, 0));
        }
        for (number, line) in table.lines().enumerate() {
            let sign = if number == 0 { sign } else { "" };
            self.line(format!("{:indent$}{sign:width$}{line}", "", width = inner - indent))?;
        }
        Ok(())
    }

    /// Names and what they stand for.
    pub(super) fn facts(&mut self, indent: usize, facts: &[(&'static str, String)]) -> io::Result<()> {
        let rows: Vec<Vec<String>> =
            facts.iter().map(|(name, value)| vec![(*name).to_owned(), value.clone()]).collect();
        self.table(indent, &[], &rows)
    }

    /// A table, if there are rows; without headings if there are none. What is in it may be anybody's.
    pub(super) fn table(&mut self, indent: usize, header: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut table = self.empty(indent);
        table.load_style(presets::NOTHING);
        if !header.is_empty() {
            table.set_header(Row::from(header.iter().map(|cell| plain(cell))));
        }
        for row in rows {
            table.add_row(row.iter().map(|cell| plain(cell)));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        // A name is not broken for the sake of what is said of it, unless it is a sentence itself.
        let is_name = table.column_max_content_widths().first().is_some_and(|width| *width <= LONGEST_NAME);
        if let Some(column) = table.column_mut(0).filter(|_| is_name) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
        for line in table.lines() {
            self.line(format!("{:indent$}{line}", ""))?;
        }
        Ok(())
    }

    fn empty(&self, indent: usize) -> Table {
        let mut table = Table::new();
        if let Some(width) = self.width {
            let width = width.saturating_sub(indent).max(20);
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
        }
        table
    }
}
