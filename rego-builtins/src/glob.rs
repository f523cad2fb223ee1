//! `glob.*`: the syntax of gobwas/glob 1.0, which describes regular languages, run as anchored regular expressions.
//!
//! `*` stops at the separators, `**` does not, `?` is one character that is no separator, `[a-c]`, `[abc]` and their
//! `!` negations are classes, `{a,b}` alternatives, `\` escapes. An unclosed `{` or `[` and a final `\` are errors.

use std::fmt::Write as _;
use std::rc::Rc;

use crate::builtin::{Builtin, Context, Failure, Outcome, done, fail};
use crate::cache::Cache;
use crate::limits;
use crate::operand::{operands, string, wrong_element, wrong_type};
use crate::value::Value;

pub(crate) const BUILTINS: &[Builtin] =
    &[Builtin::new("glob.match", 3, glob_match), Builtin::new("glob.quote_meta", 1, quote_meta)];

thread_local! {
    static CACHE: Cache<regex::Regex> = const { Cache::new() };
}

fn glob_match(_: &Context, args: &[Value]) -> Outcome {
    let [pattern, delimiters, text] = operands(args)?;
    let pattern = string(pattern, 1)?;
    let separators = match delimiters {
        Value::Null => Vec::new(),
        Value::Array(items) if items.is_empty() => vec!['.'],
        Value::Array(items) => {
            items.iter().map(|item| rune(delimiters, item)).collect::<Result<Vec<char>, Failure>>()?
        }
        other => return Err(wrong_type(2, other, &["array", "null"])),
    };
    let text = string(text, 3)?;
    done(compile(pattern, &separators)?.is_match(text))
}

fn rune(delimiters: &Value, item: &Value) -> Result<char, Failure> {
    let text = item.as_str().ok_or_else(|| wrong_element(2, delimiters, item, "string"))?;
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Ok(c),
        _ => Err(wrong_element(2, delimiters, item, "rune")),
    }
}

fn quote_meta(_: &Context, args: &[Value]) -> Outcome {
    let [pattern] = operands(args)?;
    let mut out = String::new();
    for c in string(pattern, 1)?.chars() {
        if matches!(c, '*' | '?' | '\\' | '[' | ']' | '{' | '}') {
            out.push('\\');
        }
        out.push(c);
    }
    done(out)
}

fn compile(pattern: &str, separators: &[char]) -> Result<Rc<regex::Regex>, Failure> {
    // The separators come first and end with a character that separates them from any pattern: their number.
    let mut key: String = separators.iter().collect();
    _ = write!(key, "\0{}\0{pattern}", separators.len());
    CACHE.with(|cache| {
        cache.get_or_make(&key, || {
            regex::RegexBuilder::new(&translate(pattern, separators)?)
                .size_limit(limits::MAX_COMPILED_BYTES)
                .build()
                .map_err(|error| Failure::new(format!("pattern exceeds the limits of the engine: {error}")))
        })
    })
}

/// The glob as a regular expression.
fn translate(pattern: &str, separators: &[char]) -> Result<String, Failure> {
    let mut excluded = String::new();
    for separator in separators {
        push_class_char(*separator, &mut excluded);
    }
    let single = if excluded.is_empty() { "(?s:.)".to_owned() } else { format!("[^{excluded}]") };
    let mut out = String::from(r"\A(?:");
    let mut lexer = Lexer { rest: pattern };
    let mut open = 0usize;
    while let Some(c) = lexer.next() {
        match c {
            '{' => {
                open += 1;
                out.push_str("(?:");
            }
            '}' if open > 0 => {
                open -= 1;
                out.push(')');
            }
            ',' if open > 0 => out.push('|'),
            '[' => lexer.class(&mut out)?,
            '?' => out.push_str(&single),
            '*' if lexer.eat('*') => out.push_str("(?s:.)*"),
            '*' => {
                out.push_str(&single);
                out.push('*');
            }
            '\\' => match lexer.next() {
                Some(escaped) => push_literal(escaped, &mut out),
                None => return lexer.refuse("trailing backslash"),
            },
            literal => push_literal(literal, &mut out),
        }
    }
    if open > 0 {
        return lexer.refuse("unclosed `{`");
    }
    out.push_str(r")\z");
    Ok(out)
}

fn push_literal(c: char, out: &mut String) {
    out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
}

fn push_class_char(c: char, out: &mut String) {
    // Writing to a string cannot fail.
    _ = write!(out, r"\x{{{:x}}}", u32::from(c));
}

struct Lexer<'a> {
    rest: &'a str,
}

impl Lexer<'_> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        Some(c)
    }

    fn eat(&mut self, c: char) -> bool {
        let after = self.rest.strip_prefix(c);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn refuse<T>(&self, reason: &str) -> Result<T, Failure> {
        fail(format!("glob: syntax error: {reason}"))
    }

    /// After `[`: a range `a-c`, in which nothing is escaped, or a set, in which `\` escapes and `-` is literal.
    fn class(&mut self, out: &mut String) -> Result<(), Failure> {
        let negated = self.eat('!');
        let start = self.rest;
        let Some(low) = self.next() else {
            return self.refuse("unexpected end of input");
        };
        out.push_str(if negated { "[^" } else { "[" });
        if self.eat('-') {
            let Some(high) = self.next() else {
                return self.refuse("unexpected end of input");
            };
            if high < low {
                return self.refuse("range hi character is less than lo");
            }
            push_class_char(low, out);
            out.push('-');
            push_class_char(high, out);
            if !self.eat(']') {
                return self.refuse("expected close range character");
            }
        } else {
            self.rest = start;
            let mut empty = true;
            loop {
                let c = match self.next() {
                    Some(']') => break,
                    Some('\\') => self.next(),
                    other => other,
                };
                let Some(c) = c else {
                    return self.refuse("unclosed `[`");
                };
                empty = false;
                push_class_char(c, out);
            }
            if empty {
                return self.refuse("could not parse range");
            }
        }
        out.push(']');
        Ok(())
    }
}
