//! Policy text in lexemes with their places, which the parser's tree does not keep: for edits, and for saying where a value
//! stands.
//!
//! Only statements that the parser has read are cut up here, so nothing is refused: what is no lexeme of Datalog counts as a
//! symbol of one character.

use std::ops::Range;

use biscuit_auth::builder::{Check, CheckKind, Policy, PolicyKind};
use jiff::Timestamp;

use crate::syntax::{Item, Statement};

/// What a lexeme is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text with its quotes.
    Text,
    /// A whole number with its sign.
    Integer,
    /// A date with its time.
    Date,
    /// A variable with its `$`.
    Variable,
    /// A name, a word of the language, `true`, `hex:0a`.
    Word,
    /// An operator, a bracket, a separator.
    Symbol,
}

/// One lexeme.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lexeme<'t> {
    pub(crate) kind: Kind,
    pub(crate) text: &'t str,
    /// Where it begins in its file, in bytes.
    pub(crate) start: usize,
}

impl Lexeme<'_> {
    /// Where it ends in its file.
    pub(crate) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Where it stands in its file.
    pub(crate) fn span(&self) -> Range<usize> {
        self.start..self.end()
    }

    /// Whether it is this symbol or word.
    pub(crate) fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Symbol | Kind::Word) && self.text == text
    }

    /// The characters of a text as the evaluator has them, each with its place in the file: an escaped one takes up two.
    pub(crate) fn characters(&self) -> Vec<(char, Range<usize>)> {
        let inner = self.text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or("");
        let mut characters = Vec::new();
        let mut escape = None;
        for (offset, c) in inner.char_indices() {
            let start = self.start + 1 + offset;
            let end = start + c.len_utf8();
            match escape.take() {
                None if c == '\\' => escape = Some(start),
                None => characters.push((c, start..end)),
                Some(begun) => characters.push((if c == 'n' { '\n' } else { c }, begun..end)),
            }
        }
        characters
    }

    /// A text as the evaluator has it.
    pub(crate) fn unescaped(&self) -> String {
        self.characters().into_iter().map(|(c, _)| c).collect()
    }

    /// Whether a `-` after it is a subtraction.
    fn is_operand(&self) -> bool {
        match self.kind {
            Kind::Text | Kind::Integer | Kind::Date | Kind::Variable => true,
            Kind::Word => matches!(self.text, "true" | "false" | "null") || self.text.starts_with("hex:"),
            Kind::Symbol => matches!(self.text, ")" | "]" | "}"),
        }
    }
}

/// Operators of more than one character, longer ones first. `<-` is none: in an expression it is a `<` before a `-`.
const OPERATORS: [&str; 9] = ["===", "!==", "==", "!=", "<=", ">=", "&&", "||", "->"];

/// The lexemes of a statement.
#[derive(Debug)]
pub(crate) struct Lexemes<'t> {
    all: Vec<Lexeme<'t>>,
    /// For each lexeme that opens a bracket, the one that closes it; for each other, itself.
    closing: Vec<usize>,
}

impl<'t> Lexemes<'t> {
    /// The lexemes of a text that begins at an offset of its file.
    fn read(text: &'t str, offset: usize) -> Self {
        let mut all: Vec<Lexeme<'t>> = Vec::new();
        let mut at = 0;
        loop {
            let rest = text.get(at..).unwrap_or("");
            let trimmed = rest.trim_start();
            at += rest.len() - trimmed.len();
            let Some(first) = trimmed.chars().next() else { break };
            let (kind, length) = lexeme(trimmed, first, all.last().is_some_and(Lexeme::is_operand));
            let text = trimmed.get(..length).unwrap_or(trimmed);
            all.push(Lexeme { kind, text, start: offset + at });
            at += text.len();
        }
        let mut closing: Vec<usize> = (0..all.len()).collect();
        let mut open = Vec::new();
        for (index, lexeme) in all.iter().enumerate() {
            match lexeme.text {
                "(" | "[" | "{" => open.push(index),
                ")" | "]" | "}" => {
                    if let Some(place) = open.pop().and_then(|open: usize| closing.get_mut(open)) {
                        *place = index;
                    }
                }
                _ => {}
            }
        }
        Self { all, closing }
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[Lexeme<'t>] {
        &self.all
    }

    /// One of them.
    pub(crate) fn get(&self, index: usize) -> Option<&Lexeme<'t>> {
        self.all.get(index)
    }

    /// As [`Lexemes::get`], so many before an index.
    pub(crate) fn before(&self, index: usize, by: usize) -> Option<&Lexeme<'t>> {
        self.all.get(index.checked_sub(by)?)
    }

    /// The method whose argument begins with this lexeme.
    pub(crate) fn method(&self, index: usize) -> Option<&'t str> {
        let called = self.before(index, 1)?.is("(") && self.before(index, 3)?.is(".");
        self.before(index, 2).filter(|_| called).map(|method| method.text)
    }

    /// The parts of a range between symbols that stand in none of its brackets. An empty range has none.
    pub(crate) fn parts(&self, range: Range<usize>, symbol: &str) -> Vec<Range<usize>> {
        self.split(range, |index| self.get(index).is_some_and(|lexeme| lexeme.is(symbol)))
    }

    fn split(&self, range: Range<usize>, separates: impl Fn(usize) -> bool) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        let (mut start, mut at) = (range.start, range.start);
        while at < range.end {
            if separates(at) {
                parts.push(start..at);
                start = at + 1;
            }
            at = self.closing.get(at).map_or(range.end, |closing| closing + 1);
        }
        if !range.is_empty() {
            parts.push(start..range.end);
        }
        parts
    }

    /// Whether a lexeme is this word, and no predicate of that name: those stand at the beginning and behind a `,`.
    fn follows(&self, index: usize, word: &str) -> bool {
        let is =
            |lexeme: &Lexeme<'_>, word| lexeme.kind == Kind::Word && lexeme.text.eq_ignore_ascii_case(word);
        let ends =
            |before: &Lexeme<'_>| before.is_operand() || before.kind == Kind::Word && !is(before, "or");
        self.get(index).is_some_and(|lexeme| is(lexeme, word)) && self.before(index, 1).is_some_and(ends)
    }

    /// What stands in the brackets of a range, at every level, with the bracket that opens it.
    pub(crate) fn groups(&self, range: Range<usize>) -> impl Iterator<Item = (&'t str, Range<usize>)> {
        range.filter_map(|open| {
            let (lexeme, closing) = (self.get(open)?, *self.closing.get(open)?);
            (closing > open).then_some((lexeme.text, open + 1..closing))
        })
    }

    /// Where a range stands in its file.
    pub(crate) fn span(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.get(range.start).map_or(0, |lexeme| lexeme.start);
        let end = range.end.checked_sub(1).and_then(|last| self.get(last)).map_or(start, Lexeme::end);
        start..end.max(start)
    }

    /// Whether a range is only this.
    pub(crate) fn says(&self, range: &Range<usize>, text: &str) -> bool {
        range.len() == 1 && self.get(range.start).is_some_and(|lexeme| lexeme.is(text))
    }
}

/// What a text begins with, and how long that is.
fn lexeme(text: &str, first: char, after_operand: bool) -> (Kind, usize) {
    let run = |from: usize, fits: &dyn Fn(char) -> bool| {
        let rest = text.get(from..).unwrap_or("");
        from + rest.find(|c| !fits(c)).unwrap_or(rest.len())
    };
    let named = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let digit = |c: char| c.is_ascii_digit();
    match first {
        '"' => {
            let mut escaped = false;
            let end = text.char_indices().skip(1).find(|(_, c)| {
                let ends = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                ends
            });
            (Kind::Text, end.map_or(text.len(), |(end, _)| end + 1))
        }
        '$' => (Kind::Variable, run(1, &named)),
        '-' if !after_operand && text.chars().nth(1).is_some_and(digit) => (Kind::Integer, run(1, &digit)),
        '0'..='9' => {
            let date = run(0, &|c| !c.is_whitespace() && !",)];}".contains(c));
            let digits = run(0, &digit);
            if text.get(..date).is_some_and(|date| date.parse::<Timestamp>().is_ok()) {
                (Kind::Date, date)
            } else if text.get(digits..).is_some_and(|rest| rest.starts_with(|c| named(c) && c != ':')) {
                (Kind::Word, run(0, &named))
            } else {
                (Kind::Integer, digits)
            }
        }
        'a'..='z' | 'A'..='Z' | '_' => (Kind::Word, run(0, &named)),
        _ => {
            let operator = OPERATORS.into_iter().find(|operator| text.starts_with(operator));
            (Kind::Symbol, operator.map_or(first.len_utf8(), str::len))
        }
    }
}

/// The parts of a statement's text, as ranges of lexemes.
#[derive(Debug)]
pub(crate) struct Layout<'t> {
    pub(crate) lexemes: Lexemes<'t>,
    /// `allow if` and the like, in bytes of the file; empty for facts and rules.
    pub(crate) keyword: Range<usize>,
    /// A fact, or what a rule states; empty for checks and policies.
    pub(crate) head: Range<usize>,
    /// What stands on the sides of an `or`.
    pub(crate) bodies: Vec<Body>,
}

/// One body.
#[derive(Debug)]
pub(crate) struct Body {
    /// All of it.
    pub(crate) whole: Range<usize>,
    /// Its predicates and expressions; what follows `trusting` is none.
    pub(crate) conditions: Vec<Range<usize>>,
}

impl<'t> Layout<'t> {
    /// The layout of a statement of this file.
    pub(crate) fn of(statement: &Statement, text: &'t str) -> Self {
        let word = match &statement.item {
            Item::Fact(_) | Item::Rule(_) => "",
            Item::Policy(Policy { kind: PolicyKind::Allow, .. }) => "allow if",
            Item::Policy(Policy { kind: PolicyKind::Deny, .. }) => "deny if",
            Item::Check(Check { kind: CheckKind::One, .. }) => "check if",
            Item::Check(Check { kind: CheckKind::All, .. }) => "check all",
            Item::Check(Check { kind: CheckKind::Reject, .. }) => "reject if",
        };
        let keyword = statement.span.start..statement.span.start + word.len();
        let lexemes = Lexemes::read(text.get(keyword.end..statement.span.end).unwrap_or(""), keyword.end);
        let end = lexemes.all.len();
        let (head, body) = match &statement.item {
            Item::Fact(_) => (0..end, None),
            Item::Rule(_) => {
                // The arrow, `<` and `-`, follows the head's brackets.
                let arrow = lexemes.closing.get(1).map_or(end, |closing| closing + 1);
                (0..arrow, Some(arrow + 2..end))
            }
            Item::Check(_) | Item::Policy(_) => (0..0, Some(0..end)),
        };
        let bodies =
            body.map_or_else(Vec::new, |body| lexemes.split(body, |index| lexemes.follows(index, "or")));
        let bodies = bodies.into_iter().map(|whole| {
            let trusting = whole.clone().find(|index| lexemes.follows(*index, "trusting"));
            let conditions = lexemes.parts(whole.start..trusting.unwrap_or(whole.end), ",");
            Body { whole, conditions }
        });
        let bodies = bodies.collect();
        Self { lexemes, keyword, head, bodies }
    }

    /// Every condition of every body.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = &Range<usize>> {
        self.bodies.iter().flat_map(|body| &body.conditions)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use biscuit_auth::builder::{MapKey, Op, Term};

    use super::*;
    use crate::syntax;

    /// The texts and numbers of a term.
    fn values(term: &Term, found: &mut BTreeSet<String>) {
        match term {
            Term::Str(text) => drop(found.insert(format!("text {text}"))),
            Term::Integer(number) => drop(found.insert(format!("integer {number}"))),
            Term::Set(terms) => terms.iter().for_each(|term| values(term, found)),
            Term::Array(terms) => terms.iter().for_each(|term| values(term, found)),
            Term::Map(terms) => {
                for (key, term) in terms {
                    match key {
                        MapKey::Str(text) => drop(found.insert(format!("text {text}"))),
                        MapKey::Integer(number) => drop(found.insert(format!("integer {number}"))),
                        MapKey::Parameter(_) => {}
                    }
                    values(term, found);
                }
            }
            _ => {}
        }
    }

    fn operands(ops: &[Op], found: &mut BTreeSet<String>) {
        for op in ops {
            match op {
                Op::Value(term) => values(term, found),
                Op::Closure(_, ops) => operands(ops, found),
                Op::Unary(_) | Op::Binary(_) => {}
            }
        }
    }

    /// The layout of every statement is the parser's: as many bodies and conditions, and the same values in each body.
    fn agrees_with_the_parser(text: &str) {
        let statements = syntax::parse("p", "p", text).unwrap_or_else(|errors| panic!("{errors:?}"));
        for statement in &statements {
            let layout = Layout::of(statement, text);
            let name = &statement.name;
            assert_eq!(layout.bodies.len(), statement.item.queries().len(), "{name}");
            for (body, query) in layout.bodies.iter().zip(statement.item.queries()) {
                assert_eq!(body.conditions.len(), query.body.len() + query.expressions.len(), "{name}");
                let mut parsed = BTreeSet::new();
                query.body.iter().flat_map(|predicate| &predicate.terms).for_each(|term| {
                    values(term, &mut parsed);
                });
                query.expressions.iter().for_each(|expression| operands(&expression.ops, &mut parsed));
                let lexemes =
                    body.conditions.iter().flat_map(|range| layout.lexemes.all()[range.clone()].iter());
                let read: BTreeSet<String> = lexemes
                    .filter_map(|lexeme| match lexeme.kind {
                        Kind::Text => Some(format!("text {}", lexeme.unescaped())),
                        Kind::Integer => Some(format!("integer {}", lexeme.text.parse::<i64>().unwrap())),
                        _ => None,
                    })
                    .collect();
                assert_eq!(read, parsed, "{name}");
            }
        }
    }

    #[test]
    fn what_is_read_is_what_the_parser_reads() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        agrees_with_the_parser(include_str!("../tests/engine/constructs.biscuit"));
        for entry in std::fs::read_dir(root.join("../packs")).unwrap() {
            if let Ok(text) = std::fs::read_to_string(entry.unwrap().path().join("policy.biscuit")) {
                agrees_with_the_parser(&text);
            }
        }
    }

    #[test]
    fn what_looks_like_something_else_is_read_as_the_parser_does() {
        for text in [
            r#"check if a("or, \\"), b("\"trusting\"") or c(1);"#,
            "CHECK IF a($or), $or>-1,$or - -2 < 3,$or-4<5 OR b(1) ;",
            "a($x) <- b($x), $x < -1, $x <2;",
            "check if true trusting authority, ed25519/acdd6d5b53bfee478bf689f8e012fe7988bf755e3d7c5152947abc149bc20189 or b(6) trusting previous;",
            "check if a(2026-01-02T03:04:05Z, hex:0a1b, null, true), [7,8].contains(9), {\"k\":10} == {\"k\":10};",
            "check if trusting(1), or(2) or (3 > 4) or or(5), trusting(6) trusting authority;",
            "check if 1 + 2 * 3 <= 4 && (!(5 === 6) || {7}.any($x -> $x > 8));",
            r#"check if "é\n".length() === 3, "".starts_with("");"#,
        ] {
            agrees_with_the_parser(text);
        }
    }
}
