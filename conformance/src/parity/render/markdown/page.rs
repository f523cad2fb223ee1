//! Markdown as GitHub reads it, no longer than a comment may be, in which a text of others is only ever text.

use std::fmt::Write as _;

use crate::escape::{plain, xml};
use crate::parity::render::figures::number;

/// A comment of GitHub's ends at 65,536 characters; this leaves room for what is said last.
const LONGEST: usize = 60_000;

/// A page that takes only what fits.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
}

impl Page {
    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn fits(&self, piece: &str) -> bool {
        self.text.len() + piece.len() <= LONGEST
    }

    /// Adds a piece that stands by itself, or says that it was left out.
    pub(super) fn piece(&mut self, piece: &str) {
        if self.fits(piece) {
            self.text.push_str(piece);
        } else {
            self.left_out(1);
        }
    }

    /// Adds pieces as long as they fit, and says how many did not.
    pub(super) fn pieces<I>(&mut self, items: &[I], mut piece: impl FnMut(&I) -> String) {
        for (place, item) in items.iter().enumerate() {
            let text = piece(item);
            if !self.fits(&text) {
                return self.left_out(items.len() - place);
            }
            self.text.push_str(&text);
        }
    }

    /// A heading of a part.
    pub(super) fn heading(&mut self, heading: &str) {
        self.piece(&format!("\n#### {}\n\n", prose(heading)));
    }

    /// A sentence.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.piece(&format!("{}\n\n", prose(text)));
    }

    /// A list, an item a line.
    pub(super) fn list(&mut self, items: &[String]) {
        self.pieces(items, |item| format!("- {}\n", prose(item)));
        self.piece("\n");
    }

    /// A table, if there are rows.
    pub(super) fn table(&mut self, header: &[&str], rows: &[Vec<String>]) {
        if rows.is_empty() {
            return;
        }
        self.piece(&head(header));
        self.pieces(rows, |cells| row(cells));
        self.piece("\n");
    }

    fn left_out(&mut self, pieces: usize) {
        let _infallible = write!(
            self.text,
            "\n*{} more left out here: the HTML and the JSON have them.*\n\n",
            number(pieces as u64)
        );
    }
}

fn head(header: &[&str]) -> String {
    let names: Vec<String> = header.iter().map(|name| words(&plain(name))).collect();
    format!("| {} |\n|{}\n", names.join(" | "), " --- |".repeat(header.len()))
}

fn row(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| words(&plain(cell))).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// A table as a piece.
pub(super) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let rows: String = rows.iter().map(|cells| row(cells)).collect();
    format!("{}{rows}\n", head(header))
}

/// A part that is opened by a click.
pub(super) fn details(summary: &str, inside: &str) -> String {
    format!(
        "<details><summary>{}</summary>\n\n{}\n\n</details>\n\n",
        summary_text(summary),
        inside.trim_end()
    )
}

/// HTML that Markdown leaves alone: no blank lines, no markup, nobody called by name.
fn summary_text(text: &str) -> String {
    unnamed(&xml(&plain(text)))
}

/// A sentence in which what stands in backticks is code, and nothing else is markup.
pub(super) fn prose(text: &str) -> String {
    let text = plain(text);
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        // A backtick without another: none of them is ours.
        return words(&text);
    }
    let shown = parts.iter().enumerate().map(|(place, part)| match place % 2 {
        0 => words(part),
        _ => code(part),
    });
    shown.collect()
}

/// Words without any markup.
fn words(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let is_inside = before.is_alphanumeric() && rest.peek().is_some_and(|next| next.is_alphanumeric());
        match character {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '|' => shown.push_str("&#124;"),
            // Inside a word it is no markup.
            '_' if is_inside => shown.push('_'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '$' => {
                shown.push('\\');
                shown.push(character);
            }
            other => shown.push(other),
        }
        before = character;
    }
    unnamed(&shown)
}

/// Without people called by their names, and without links.
fn unnamed(text: &str) -> String {
    text.replace('@', "@<!-- -->").replace("://", ":<!-- -->//")
}

/// A text as code, in a table as well as outside.
pub(super) fn code(text: &str) -> String {
    let text = plain(text);
    let is_simple = !text.contains(['`', '|', '\\']) && text.trim() == text && !text.is_empty();
    if is_simple {
        return format!("`{text}`");
    }
    let mut shown = String::from("<code>");
    for character in text.chars() {
        if character.is_ascii_punctuation() {
            let _infallible = write!(shown, "&#{};", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    shown.push_str("</code>");
    shown
}

/// Lines as they are.
pub(super) fn fence(language: &str, text: &str) -> String {
    let longest = text.split(|character| character != '`').map(str::len).max().map_or(0, |longest| longest);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n\n", text.trim_end_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(prose("case `a|b` on rego_native"), "case <code>a&#124;b</code> on rego_native");
        assert_eq!(prose("a `b` c"), "a `b` c");
        assert_eq!(
            prose("<img> *x* @you [a](https://b) _y_ `"),
            "&lt;img&gt; \\*x\\* @<!-- -->you \\[a\\](https:<!-- -->//b) \\_y\\_ \\`"
        );
        assert_eq!(code("` "), "<code>&#96; </code>");
        assert_eq!(fence("", "a```b"), "````\na```b\n````\n\n");
    }

    #[test]
    fn a_page_is_no_longer_than_a_comment() {
        let mut page = Page::default();
        page.list(&vec!["x".repeat(100); 10_000]);
        page.piece(&"y".repeat(10_000));
        let text = page.into_text();
        assert!(text.len() < 65_536, "{}", text.len());
        assert!(text.contains("more left out here"), "{text}");
    }
}
