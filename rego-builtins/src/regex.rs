//! `regex.*`.

use crate::builtin::{Builtin, Context, Failure, Outcome, done, fail};
use crate::limits;
use crate::operand::{int, operands, string};
use crate::quote;
use crate::re2;
use crate::strings::{bounded, too_long};
use crate::value::Value;

pub(crate) const BUILTINS: &[Builtin] = &[
    Builtin::new("re_match", 2, is_match),
    Builtin::new("regex.find_all_string_submatch_n", 3, find_all_submatch),
    Builtin::new("regex.find_n", 3, find),
    Builtin::new("regex.is_valid", 1, is_valid),
    Builtin::new("regex.match", 2, is_match),
    Builtin::new("regex.replace", 3, replace),
    Builtin::new("regex.split", 2, split),
    Builtin::new("regex.template_match", 4, template_match),
];

fn is_match(_: &Context, args: &[Value]) -> Outcome {
    let [pattern, text] = operands(args)?;
    let (pattern, text) = (string(pattern, 1)?, string(text, 2)?);
    done(re2::compile(pattern)?.matcher.is_match(text))
}

fn is_valid(_: &Context, args: &[Value]) -> Outcome {
    let [pattern] = operands(args)?;
    let Some(pattern) = pattern.as_str() else {
        return done(false);
    };
    if pattern.len() > limits::MAX_PATTERN_BYTES {
        return fail(format!("pattern is longer than {} bytes", limits::MAX_PATTERN_BYTES));
    }
    done(re2::translate(pattern).is_ok())
}

/// How many matches `n` asks for; negative means all.
fn wanted(n: i64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

fn find(_: &Context, args: &[Value]) -> Outcome {
    let [pattern, text, n] = operands(args)?;
    let (pattern, text, n) = (string(pattern, 1)?, string(text, 2)?, int(n, 3)?);
    let regex = re2::compile(pattern)?;
    let found: Vec<Value> =
        regex.matcher.find_iter(text).take(wanted(n)).map(|m| m.as_str().into()).collect();
    done(found)
}

fn find_all_submatch(_: &Context, args: &[Value]) -> Outcome {
    let [pattern, text, n] = operands(args)?;
    let (pattern, text, n) = (string(pattern, 1)?, string(text, 2)?, int(n, 3)?);
    let regex = re2::compile(pattern)?;
    let mut found = Vec::new();
    for captures in regex.matcher.captures_iter(text).take(wanted(n)) {
        if found.len() * captures.len() > limits::MAX_ELEMENTS {
            return fail(format!("more than {} groups", limits::MAX_ELEMENTS));
        }
        let groups = captures.iter().map(|group| Value::from(group.map_or("", |m| m.as_str())));
        found.push(Value::Array(groups.collect()));
    }
    done(found)
}

/// Go's `Regexp.Split`: an empty text gives one empty string, and no piece precedes a match of the empty string at
/// the very start.
fn split(_: &Context, args: &[Value]) -> Outcome {
    let [pattern, text] = operands(args)?;
    let (pattern, text) = (string(pattern, 1)?, string(text, 2)?);
    let regex = re2::compile(pattern)?;
    if !pattern.is_empty() && text.is_empty() {
        return done(vec![Value::from("")]);
    }
    let mut pieces = Vec::new();
    let (mut begin, mut end) = (0, 0);
    for m in regex.matcher.find_iter(text) {
        end = m.start();
        if m.end() != 0 {
            pieces.push(Value::from(text.get(begin..end).unwrap_or("")));
        }
        begin = m.end();
    }
    if end != text.len() {
        pieces.push(Value::from(text.get(begin..).unwrap_or("")));
    }
    done(pieces)
}

fn replace(_: &Context, args: &[Value]) -> Outcome {
    let [text, pattern, value] = operands(args)?;
    let (text, pattern, value) = (string(text, 1)?, string(pattern, 2)?, string(value, 3)?);
    let regex = re2::compile(pattern)?;
    let template = Template::parse(value, &regex.names);
    let mut out = String::with_capacity(text.len());
    let mut last = 0;
    for captures in regex.matcher.captures_iter(text) {
        let Some(whole) = captures.get(0) else { continue };
        out.push_str(text.get(last..whole.start()).unwrap_or(""));
        template.expand(&captures, &mut out);
        last = whole.end();
        if out.len() > limits::MAX_STRING_BYTES {
            return too_long();
        }
    }
    out.push_str(text.get(last..).unwrap_or(""));
    bounded(out)
}

/// What replaces a match: Go's `$name`, `${name}`, `$1`, `$$`.
struct Template<'a>(Vec<Part<'a>>);

enum Part<'a> {
    Text(&'a str),
    Group(usize),
    /// Groups of one name; the first that took part counts.
    Named(Vec<usize>),
}

impl<'a> Template<'a> {
    fn parse(template: &'a str, names: &[Option<String>]) -> Self {
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('$') {
            parts.push(Part::Text(before));
            if let Some(after) = after.strip_prefix('$') {
                parts.push(Part::Text("$"));
                rest = after;
                continue;
            }
            match reference(after) {
                Some((name, after)) => {
                    parts.push(Self::group(name, names));
                    rest = after;
                }
                None => {
                    // Malformed: the dollar stands for itself.
                    parts.push(Part::Text("$"));
                    rest = after;
                }
            }
        }
        parts.push(Part::Text(rest));
        Template(parts)
    }

    fn group(name: &str, names: &[Option<String>]) -> Part<'a> {
        // A number beyond Go's bound is taken for a name, which no group has.
        let number = name.bytes().all(|b| b.is_ascii_digit()).then(|| name.parse::<usize>().ok()).flatten();
        match number.filter(|n| *n < 1_000_000_000 && !(name.len() > 1 && name.starts_with('0'))) {
            Some(number) => Part::Group(number),
            None => {
                let same = names.iter().enumerate().filter(|(_, n)| n.as_deref() == Some(name));
                Part::Named(same.map(|(index, _)| index).collect())
            }
        }
    }

    fn expand(&self, captures: &regex::Captures<'_>, out: &mut String) {
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Group(index) => out.push_str(captures.get(*index).map_or("", |m| m.as_str())),
                Part::Named(indices) => {
                    let first = indices.iter().find_map(|index| captures.get(*index));
                    out.push_str(first.map_or("", |m| m.as_str()));
                }
            }
        }
    }
}

/// The name after a `$`, and what follows it.
fn reference(text: &str) -> Option<(&str, &str)> {
    let word = |text: &str| text.find(|c: char| !quote::is_word(c));
    match text.strip_prefix('{') {
        Some(braced) => {
            let (name, rest) = braced.split_once('}')?;
            (!name.is_empty() && word(name).is_none()).then_some((name, rest))
        }
        None => {
            let end = word(text).unwrap_or(text.len());
            let (name, rest) = text.split_at_checked(end)?;
            (!name.is_empty()).then_some((name, rest))
        }
    }
}

/// A literal text with regular expressions between delimiters.
fn template_match(_: &Context, args: &[Value]) -> Outcome {
    let [template, text, start, end] = operands(args)?;
    let (template, text) = (string(template, 1)?, string(text, 2)?);
    let (start, end) = (string(start, 3)?, string(end, 4)?);
    let (Some(start), Some(end)) = (delimiter(start), delimiter(end)) else {
        return fail("start and end delimiters have to be exactly one character long");
    };
    let pattern = template_pattern(template, start, end)?;
    done(re2::compile(&pattern)?.matcher.is_match(text))
}

/// One byte: a delimiter of several bytes is refused, as OPA does.
fn delimiter(text: &str) -> Option<char> {
    let mut chars = text.chars();
    chars.next().filter(|c| c.is_ascii() && chars.as_str().is_empty())
}

fn template_pattern(template: &str, start: char, end: char) -> Result<String, Failure> {
    let unbalanced = || Failure::new(format!("unbalanced braces in `{template}`"));
    let mut pattern = String::from("^");
    let (mut level, mut from) = (0i64, 0);
    let mut literal_from = 0;
    for (at, c) in template.char_indices() {
        if c == start {
            level += 1;
            if level == 1 {
                from = at;
            }
        } else if c == end {
            level -= 1;
            if level < 0 {
                return Err(unbalanced());
            }
            if level == 0 {
                let literal = template.get(literal_from..from).unwrap_or("");
                let inner = template.get(from + 1..at).unwrap_or("");
                // Each expression has to be one by itself.
                re2::translate(&format!("^{inner}$"))?;
                pattern.push_str(&quote_meta(literal));
                pattern.push_str(&format!("({inner})"));
                literal_from = at + 1;
            }
        }
    }
    if level != 0 {
        return Err(unbalanced());
    }
    pattern.push_str(&quote_meta(template.get(literal_from..).unwrap_or("")));
    pattern.push('$');
    Ok(pattern)
}

/// Go's `regexp.QuoteMeta`.
fn quote_meta(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
