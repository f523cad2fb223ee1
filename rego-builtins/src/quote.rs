//! Go's quoted strings (`strconv.Quote`).

use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::Regex;

/// Go prints letters, marks, numbers, punctuation, symbols and the space, by the Unicode version of its tables.
#[expect(clippy::expect_used, reason = "a constant pattern, compiled in the tests")]
static PRINTABLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\A[[\pL\pM\pN\pP\pS]&&\p{age=15.0}]\z").expect("the pattern is valid"));

#[expect(clippy::expect_used, reason = "a constant pattern, compiled in the tests")]
static ASSIGNED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\A\p{age=15.0}\z").expect("the pattern is valid"));

/// Whether Go's Unicode version has the character.
pub(crate) fn is_assigned(c: char) -> bool {
    c.is_ascii() || ASSIGNED.is_match(c.encode_utf8(&mut [0; 4]))
}

#[expect(clippy::expect_used, reason = "a constant pattern, compiled in the tests")]
static WORD: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\A[[\pL\p{Nd}]&&\p{age=15.0}]\z").expect("the pattern is valid"));

/// A letter, a decimal digit or an underscore.
pub(crate) fn is_word(c: char) -> bool {
    if c.is_ascii() {
        c == '_' || c.is_ascii_alphanumeric()
    } else {
        WORD.is_match(c.encode_utf8(&mut [0; 4]))
    }
}

/// Go's `strconv.IsPrint`.
pub(crate) fn is_print(c: char) -> bool {
    match c {
        ' '..='~' => true,
        '\0'..='\u{a0}' | '\u{ad}' => false,
        '\u{a1}'..='\u{ff}' => true,
        c => PRINTABLE.is_match(c.encode_utf8(&mut [0; 4])),
    }
}

/// `strconv.Quote`.
pub(crate) fn quote(text: &str) -> String {
    quoted(text, '"', false)
}

/// `text` between `mark`s, with what is not printable (or, `ascii_only`, not ASCII) escaped.
pub(crate) fn quoted(text: &str, mark: char, ascii_only: bool) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(mark);
    for c in text.chars() {
        push_escaped(c, mark, ascii_only, &mut out);
    }
    out.push(mark);
    out
}

fn push_escaped(c: char, mark: char, ascii_only: bool, out: &mut String) {
    if c == mark || c == '\\' {
        out.push('\\');
        out.push(c);
        return;
    }
    if is_print(c) && (!ascii_only || c.is_ascii()) {
        out.push(c);
        return;
    }
    let code = u32::from(c);
    // Writing to a string cannot fail.
    _ = match c {
        '\u{7}' => write!(out, "\\a"),
        '\u{8}' => write!(out, "\\b"),
        '\u{c}' => write!(out, "\\f"),
        '\n' => write!(out, "\\n"),
        '\r' => write!(out, "\\r"),
        '\t' => write!(out, "\\t"),
        '\u{b}' => write!(out, "\\v"),
        c if c < ' ' || c == '\u{7f}' => write!(out, "\\x{code:02x}"),
        _ if code < 0x1_0000 => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_as_go() {
        assert_eq!(quote("a\"\\\u{7}\u{1}é\u{ad}\u{2028}\u{1f600}\u{e000}\u{10ffff}"), {
            "\"a\\\"\\\\\\a\\x01é\\u00ad\\u2028😀\\ue000\\U0010ffff\""
        });
        assert_eq!(quoted("é'", '\'', true), "'\\u00e9\\''");
        assert!(!is_print('\u{378}') && is_print('α'));
        assert!(is_word('é') && !is_word('½') && is_assigned('é') && !is_assigned('\u{a7cb}'));
    }
}
