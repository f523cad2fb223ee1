//! Depth of a Cedar text, found before Cedar's parsers see it.
//!
//! Those parsers descend once a level, without a bound of their own: some hundred brackets overflow a thread's stack, which
//! ends the process and cannot be caught. So depth is counted here without descending. The count never comes out lower than
//! the tree is deep: what cannot nest is simply counted along.

use crate::bounds::{CHAIN, NESTING};

/// Which of Cedar's two languages a text is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// `*.cedar`
    Policies,
    /// `*.cedarschema`, where `<` opens a bracket.
    Schema,
}

/// A place too deep, as a byte offset, and what is too deep there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TooDeep {
    pub(crate) offset: usize,
    pub(crate) message: String,
}

/// What one open bracket holds so far.
#[derive(Debug, Clone, Copy, Default)]
struct Level {
    /// `if`s and negations.
    descents: usize,
    /// Operators.
    operators: usize,
}

/// Checks a text's depth.
///
/// # Errors
/// The first place that is too deep.
pub(crate) fn check(text: &str, language: Language) -> Result<(), TooDeep> {
    let mut open = vec![Level::default()];
    let mut total = Level::default();
    let mut offset = 0;
    while let Some(rest) = text.get(offset..) {
        let Some(first) = rest.chars().next() else { break };
        let length = match first {
            '"' => string_length(rest),
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            '!' if rest.starts_with("!=") => 2,
            '&' if rest.starts_with("&&") => 2,
            '|' if rest.starts_with("||") => 2,
            c => c.len_utf8(),
        };
        let token = rest.get(..length).unwrap_or(rest);
        let schema = language == Language::Schema;
        let mut add = |descents: usize, operators: usize| {
            total.descents += descents;
            total.operators += operators;
            if let Some(level) = open.last_mut() {
                level.descents += descents;
                level.operators += operators;
            }
        };
        match token {
            "(" | "[" | "{" => {
                open.push(Level::default());
                total.descents += 1;
            }
            "<" if schema => {
                open.push(Level::default());
                total.descents += 1;
            }
            ")" | "]" | "}" => close(&mut open, &mut total),
            ">" if schema => close(&mut open, &mut total),
            "," | ";" => {
                if let Some(level) = open.last_mut() {
                    total.descents -= level.descents;
                    total.operators -= level.operators;
                    *level = Level::default();
                }
            }
            "!" | "if" if !schema => add(1, 0),
            // A minus may negate or subtract; it counts as both.
            "-" if !schema => add(1, 1),
            "&&" | "||" | "+" | "*" | "." if !schema => add(0, 1),
            _ => {}
        }
        if total.descents > NESTING {
            let message = format!("nested more than {NESTING} levels deep");
            return Err(TooDeep { offset, message });
        }
        if total.operators > CHAIN {
            let message = format!("more than {CHAIN} operators in one expression");
            return Err(TooDeep { offset, message });
        }
        offset += length;
    }
    Ok(())
}

fn close(open: &mut Vec<Level>, total: &mut Level) {
    // A bracket that closes nothing is a syntax error, which the parser reports.
    if open.len() > 1
        && let Some(level) = open.pop()
    {
        total.descents -= level.descents + 1;
        total.operators -= level.operators;
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of the string literal that begins here, both quotes included; of the rest, if it never ends.
fn string_length(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deep(text: &str) -> bool {
        check(text, Language::Policies).is_err()
    }

    #[test]
    fn every_way_to_nest_is_counted() {
        for (open, close) in [
            ("(", ")"),
            ("[", "]"),
            ("{a: ", "}"),
            ("!(", ")"),
            ("-(", ")"),
            ("if true then 1 else ", ""),
            ("!", ""),
            ("-", ""),
        ] {
            let nested = |levels: usize| {
                format!(
                    "permit(principal, action, resource) when {{ {}1{} }};",
                    open.repeat(levels),
                    close.repeat(levels)
                )
            };
            assert!(deep(&nested(NESTING)), "{open}");
            let half = if open.len() == 2 { NESTING / 2 - 1 } else { NESTING - 1 };
            assert!(!deep(&nested(half)), "{open}");
        }
        for operator in [" && a", " || a", " + 1", " * 2", ".b"] {
            let chain = |length: usize| {
                format!("permit(principal, action, resource) when {{ a{} }};", operator.repeat(length))
            };
            assert!(deep(&chain(CHAIN + 1)), "{operator}");
            assert!(!deep(&chain(CHAIN)), "{operator}");
        }
    }

    #[test]
    fn what_does_not_nest_is_not_counted() {
        let brackets = "(".repeat(100);
        assert!(!deep(&format!("// {brackets}\npermit(principal, action, resource);")));
        assert!(!deep(&format!(
            "@reason(\"{brackets} \\\" {brackets}\") permit(principal, action, resource);"
        )));
        assert!(!deep(&"permit(principal, action, resource) when { (a) && !(b) };\n".repeat(1_000)));
        assert!(!deep(&format!(
            "permit(principal, action, resource) when {{ [{}] == [] }};",
            "-1, ".repeat(1_000)
        )));
        assert!(!deep(&")".repeat(100)));
    }

    #[test]
    fn angle_brackets_nest_in_schemas_only() {
        let sets = format!("type T = {}String{};", "Set<".repeat(100), ">".repeat(100));
        assert_eq!(check(&sets, Language::Schema).unwrap_err().offset, 9 + 4 * NESTING + 3);
        assert!(!deep(&"permit(principal, action, resource) when { 1 < 2 };".repeat(100)));
    }
}
