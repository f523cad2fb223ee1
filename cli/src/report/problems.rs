//! What is wrong with files, with the lines that say so.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{Read, Write};

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity, SourceCode,
    SourceSpan,
};
use tribunal::core::engine::LoadError;
use tribunal::core::location::Location;

use crate::terminal::{self, plain, plain_lines, plain_source};

/// The longest file whose lines are shown.
const LONGEST: u64 = 1 << 20;
/// The longest line that is shown, in bytes: data that a program wrote may be all on one.
const LONGEST_LINE: usize = 1000;

/// Says on standard error what is wrong.
pub(crate) fn complain<'e>(errors: impl IntoIterator<Item = &'e LoadError>) {
    let _lost = anstream::stderr().write_all(render(errors).as_bytes());
}

/// Every error with its source line, in colours that the stream takes out where they do not belong.
pub(crate) fn render<'e>(errors: impl IntoIterator<Item = &'e LoadError>) -> String {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode())
        .with_width(usize::from(terminal::width()))
        .with_context_lines(1)
        .with_links(false);
    let mut sources = Sources::default();
    let mut text = String::new();
    for error in errors {
        let problem = Problem::of(error, &mut sources);
        if handler.render_report(&mut text, &problem).is_err() {
            text.push_str(&plain_lines(&error.to_string()));
        }
        text.push('\n');
    }
    text
}

/// Texts that were read already.
#[derive(Default)]
struct Sources(HashMap<String, Option<String>>);

impl Sources {
    /// A file that can be shown: only a regular one, and no more of it than [`LONGEST`].
    fn text(&mut self, file: &str) -> Option<String> {
        self.0.entry(file.to_owned()).or_insert_with(|| read(file)).clone()
    }
}

fn read(file: &str) -> Option<String> {
    if !std::fs::metadata(file).ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    let length = File::open(file).ok()?.take(LONGEST + 1).read_to_string(&mut text).ok()?;
    (length as u64 <= LONGEST).then(|| plain_source(&text))
}

/// A load error as miette wants it.
#[derive(Debug)]
struct Problem {
    message: String,
    help: Option<String>,
    source: Option<(NamedSource<String>, SourceSpan)>,
}

impl Problem {
    fn of(error: &LoadError, sources: &mut Sources) -> Self {
        let LoadError { kind: _, message, location, help } = error;
        let source = location.as_ref().and_then(|location| {
            let text = sources.text(&location.file)?;
            let span = span(&text, location)?;
            Some((NamedSource::new(plain(&location.file), text), span))
        });
        let place = location.as_ref().filter(|_| source.is_none()).map(|location| format!("{location}: "));
        let message = format!("{}{message}", place.iter().map(String::as_str).collect::<String>());
        Self { message: plain_lines(&message), help: help.as_deref().map(plain_lines), source }
    }
}

/// The word at a place; `None` for a place that the file does not have, or that cannot be shown with the lines around it.
fn span(text: &str, location: &Location) -> Option<SourceSpan> {
    let mut around = text.lines().skip(location.line.saturating_sub(2)).take(3);
    if around.any(|line| line.len() > LONGEST_LINE) {
        return None;
    }
    let line_start = match location.line.checked_sub(1)? {
        0 => 0,
        line => text.match_indices('\n').nth(line - 1)?.0 + 1,
    };
    let line = text.get(line_start..)?.lines().next().map_or("", |line| line);
    let before = line.chars().take(location.column.checked_sub(1)?).map(char::len_utf8).sum::<usize>();
    let rest = line.get(before..)?;
    let is_word = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '.' | '/');
    let word: usize = rest.chars().take_while(|character| is_word(*character)).map(char::len_utf8).sum();
    let first = rest.chars().next().map_or(0, char::len_utf8);
    Some((line_start + before, word.max(first)).into())
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn severity(&self) -> Option<Severity> {
        Some(Severity::Error)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|(source, _)| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let (_, span) = self.source.as_ref()?;
        Some(Box::new(std::iter::once(LabeledSpan::new_primary_with_span(Some("here".to_owned()), *span))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tribunal::core::engine::LoadErrorKind;

    #[test]
    fn places_count_characters() {
        let text = "one\nzwölf: drei vier\n";
        let at = |line, column| {
            span(text, &Location::new("f", line, column))
                .and_then(|span| text.get(span.offset()..span.offset() + span.len()))
        };
        assert_eq!(at(1, 1), Some("one"));
        assert_eq!(at(2, 8), Some("drei"));
        assert_eq!(at(2, 6), Some(":"));
        assert_eq!(at(2, 999), Some(""));
        assert_eq!(at(9, 1), None);
    }

    #[test]
    fn a_very_long_line_is_named_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("data.json").display().to_string();
        std::fs::write(&file, format!("[\n5,\n\"{}\"]\n", "x".repeat(LONGEST_LINE))).unwrap();
        for line in [2, 3] {
            let location = Location::new(file.clone(), line, 1);
            let error = LoadError::new(LoadErrorKind::Invalid, "not so").at(location);
            let shown = anstream::adapter::strip_str(&render([&error])).to_string();
            assert!(!shown.contains("xxx") && shown.contains(&format!("data.json:{line}:1: ")), "{shown}");
        }
    }

    #[test]
    fn hostile_files_and_messages_are_shown_plainly() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy\x1b[2J.cedar");
        std::fs::write(&file, "permit\x1b[31m \u{202e}evil\n").unwrap();
        let location = Location::new(file.display().to_string(), 1, 1);
        let error =
            LoadError::new(LoadErrorKind::Syntax, "bad \x1b]0;title\x07").at(location).help("do\rnot");
        let shown = anstream::adapter::strip_str(&render([&error])).to_string();
        assert!(shown.contains("permit"), "{shown}");
        for raw in ["\x1b]", "\x1b[2J", "\u{202e}", "\x07", "\r"] {
            assert!(!render([&error]).contains(raw), "{raw:?} in {shown}");
        }
    }
}
