//! A policy's text by its tokens: where an expression really begins and ends.
//!
//! regorus's spans leave out the quotes around a text, begin an object at its last member, and end `set()` a token late.

use std::ops::Range;

use regorus::unstable::{Expr, Lexer, Span, TokenKind};
use tribunal_engine_core::engine::{LoadError, LoadErrorKind};

use crate::worker::Source;

/// A text and its tokens.
pub(crate) struct Text<'s> {
    pub(crate) text: &'s str,
    /// In the order of the text, without overlaps.
    tokens: Vec<Token>,
}

/// A token, quotes included.
struct Token {
    range: Range<usize>,
    /// The opening bracket of a closing one, as an index into the tokens, and the other way round.
    partner: Option<usize>,
}

impl<'s> Text<'s> {
    /// Reads a text that has been parsed.
    pub(crate) fn of(source: &'s Source) -> Result<Self, LoadError> {
        let failed = |error: String| LoadError::new(LoadErrorKind::Syntax, error);
        let text = regorus::Source::from_contents(source.name.clone(), source.text.clone())
            .map_err(|error| failed(error.to_string()))?;
        let mut lexer = Lexer::new(&text);
        lexer.set_max_col(crate::admission::bounds::LINE_COLUMNS);
        let mut tokens: Vec<Token> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        loop {
            let token = lexer.next_token().map_err(|error| failed(error.to_string()))?;
            let (start, end) = (token.1.start as usize, token.1.end as usize);
            let mut partner = None;
            let range = match token.0 {
                TokenKind::Eof => return Ok(Self { text: &source.text, tokens }),
                TokenKind::String | TokenKind::RawString => start.saturating_sub(1)..end + 1,
                _ => start..end,
            };
            match source.text.get(range.clone()) {
                Some("[" | "{" | "(" | "set(") => open.push(tokens.len()),
                Some("]" | "}" | ")") => {
                    partner = open.pop();
                    let index = tokens.len();
                    if let Some(opening) = partner.and_then(|opening| tokens.get_mut(opening)) {
                        opening.partner = Some(index);
                    }
                }
                _ => {}
            }
            tokens.push(Token { range, partner });
        }
    }

    /// Where an expression stands, quotes and brackets included, parentheses around it not.
    pub(crate) fn expression(&self, expr: &Expr) -> Range<usize> {
        let range = self.span(expr.span());
        match expr {
            Expr::Set { items, .. } if items.is_empty() => {
                let end = self.starting(range.start).and_then(|token| self.partner(token));
                range.start..end.map_or(range.end, |token| token.range.end)
            }
            Expr::Object { .. } => {
                let start = self.ending(range.end).and_then(|token| self.partner(token));
                start.map_or(range.start, |token| token.range.start)..range.end
            }
            _ => range,
        }
    }

    /// Where a span stands, the quotes of texts at its ends included.
    pub(crate) fn span(&self, span: &Span) -> Range<usize> {
        let (start, end) = (span.start as usize, span.end as usize);
        let quoted = |at: usize| self.text.get(at..at + 1).is_some_and(|quote| matches!(quote, "\"" | "`"));
        let opened = start > 0 && quoted(start - 1) && self.starting(start - 1).is_some();
        let closed = quoted(end) && self.ending(end + 1).is_some_and(|token| token.range.start < end);
        start - usize::from(opened)..end + usize::from(closed)
    }

    /// The first token between two places that has this text.
    pub(crate) fn find(&self, between: Range<usize>, wanted: &str) -> Option<Range<usize>> {
        self.tokens_from(between.start)
            .take_while(|token| token.range.end <= between.end)
            .find(|token| self.text.get(token.range.clone()) == Some(wanted))
            .map(|token| token.range.clone())
    }

    /// The token that follows a place.
    pub(crate) fn next(&self, at: usize) -> Option<Range<usize>> {
        self.tokens_from(at).next().map(|token| token.range.clone())
    }

    /// The text of a range.
    pub(crate) fn slice(&self, range: Range<usize>) -> &'s str {
        self.text.get(range).map_or("", |text| text)
    }

    fn tokens_from(&self, at: usize) -> impl Iterator<Item = &Token> {
        let first = self.tokens.partition_point(|token| token.range.start < at);
        self.tokens.iter().skip(first)
    }

    fn starting(&self, at: usize) -> Option<&Token> {
        self.tokens_from(at).next().filter(|token| token.range.start == at)
    }

    fn ending(&self, at: usize) -> Option<&Token> {
        let index = self.tokens.partition_point(|token| token.range.end < at);
        self.tokens.get(index).filter(|token| token.range.end == at)
    }

    fn partner(&self, token: &Token) -> Option<&Token> {
        self.tokens.get(token.partner?)
    }
}

#[cfg(test)]
mod tests {
    use regorus::unstable::{Parser, Rule, RuleHead};

    use super::*;

    #[test]
    fn expressions_have_their_quotes_and_brackets() {
        for text in [
            "\"a\"",
            "`a`",
            "\"\"",
            "{\"a\": 1, \"b\": {\"c\": \"d\"}, }",
            "set()",
            "[\"a\", `b`]",
            "input[\"a\"]",
            "f(\"a\")",
            "\"a\" == `b`",
            "{\"x\"}",
            "[x | x := \"a\"]",
            "{}",
            "\"é\" in input.e",
            "1 -2",
        ] {
            let source = Source { name: "p".to_owned(), text: format!("package p\n\nx := {text} # \"\n") };
            let contents = regorus::Source::from_contents(source.name.clone(), source.text.clone()).unwrap();
            let mut parser = Parser::new(&contents).unwrap();
            parser.enable_rego_v1().unwrap();
            let module = parser.parse().unwrap();
            let Rule::Spec { head: RuleHead::Compr { assign: Some(assign), .. }, .. } =
                module.policy[0].as_ref()
            else {
                panic!("{text}");
            };
            let read = Text::of(&source).unwrap();
            assert_eq!(read.slice(read.expression(&assign.value)), text);
            assert_eq!(read.find(0..source.text.len(), ":=").unwrap(), 13..15);
        }
    }
}
