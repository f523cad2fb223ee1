//! Strings.

use crate::builtin::{Builtin, Context, Failure, Outcome, done, fail};
use crate::limits;
use crate::operand::{self, operands, string, wrong_type};
use crate::quote;
use crate::replacer::Replacer;
use crate::value::Value;

pub(crate) const BUILTINS: &[Builtin] = &[
    Builtin::new("concat", 2, concat),
    Builtin::new("contains", 2, |_, args| pair(args, |s, sub| s.contains(sub))),
    Builtin::new("endswith", 2, |_, args| pair(args, |s, suffix| s.ends_with(suffix))),
    Builtin::new("format_int", 2, format_int),
    Builtin::new("indexof", 2, indexof),
    Builtin::new("indexof_n", 2, indexof_n),
    Builtin::new("lower", 1, |_, args| one(args, lower)),
    Builtin::new("replace", 3, replace),
    Builtin::new("split", 2, |_, args| {
        pair(args, |s, d| split_all(s, d).into_iter().map(Value::from).collect::<Vec<_>>())
    }),
    Builtin::new("startswith", 2, |_, args| pair(args, |s, prefix| s.starts_with(prefix))),
    Builtin::new("strings.any_prefix_match", 2, |_, args| any_match(args, |s, affix| s.starts_with(affix))),
    Builtin::new("strings.any_suffix_match", 2, |_, args| any_match(args, |s, affix| s.ends_with(affix))),
    Builtin::new("strings.count", 2, |_, args| pair(args, count)),
    Builtin::new("strings.replace_n", 2, replace_n),
    Builtin::new("strings.reverse", 1, |_, args| one(args, |s| s.chars().rev().collect())),
    Builtin::new("strings.split_n", 3, split_n),
    Builtin::new("substring", 3, substring),
    Builtin::new("trim", 2, |_, args| pair(args, |s, cut| s.trim_matches(|c| cut.contains(c)).to_owned())),
    Builtin::new("trim_left", 2, |_, args| {
        pair(args, |s, cut| s.trim_start_matches(|c| cut.contains(c)).to_owned())
    }),
    Builtin::new("trim_prefix", 2, |_, args| {
        pair(args, |s, prefix| s.strip_prefix(prefix).unwrap_or(s).to_owned())
    }),
    Builtin::new("trim_right", 2, |_, args| {
        pair(args, |s, cut| s.trim_end_matches(|c| cut.contains(c)).to_owned())
    }),
    Builtin::new("trim_space", 1, |_, args| one(args, |s| s.trim().to_owned())),
    Builtin::new("trim_suffix", 2, |_, args| {
        pair(args, |s, suffix| s.strip_suffix(suffix).unwrap_or(s).to_owned())
    }),
    Builtin::new("upper", 1, |_, args| one(args, upper)),
];

fn one(args: &[Value], f: impl Fn(&str) -> String) -> Outcome {
    let [s] = operands(args)?;
    done(f(string(s, 1)?))
}

fn pair<T: Into<Value>>(args: &[Value], f: impl Fn(&str, &str) -> T) -> Outcome {
    let [a, b] = operands(args)?;
    done(f(string(a, 1)?, string(b, 2)?))
}

/// A string no longer than [`limits::MAX_STRING_BYTES`].
pub(crate) fn bounded(text: String) -> Outcome {
    if text.len() > limits::MAX_STRING_BYTES {
        return too_long();
    }
    done(text)
}

pub(crate) fn too_long<T>() -> Result<T, Failure> {
    fail(format!("result is longer than {} bytes", limits::MAX_STRING_BYTES))
}

fn concat(_: &Context, args: &[Value]) -> Outcome {
    let [separator, parts] = operands(args)?;
    let separator = string(separator, 1)?;
    let parts = operand::strings(parts, 2)?;
    let length =
        parts.iter().map(|part| part.len()).sum::<usize>() + separator.len() * parts.len().saturating_sub(1);
    if length > limits::MAX_STRING_BYTES {
        return too_long();
    }
    done(parts.join(separator))
}

fn format_int(_: &Context, args: &[Value]) -> Outcome {
    let [n, base] = operands(args)?;
    let number = operand::number(n, 1)?;
    let base = match operand::number(base, 2)?.to_string().as_str() {
        "2" => 2,
        "8" => 8,
        "10" => 10,
        "16" => 16,
        _ => return fail("operand 2 must be one of {2, 8, 10, 16}"),
    };
    done(crate::float::truncated(number)?.to_str_radix(base))
}

/// The offset in characters of the first occurrence, or -1.
fn indexof(_: &Context, args: &[Value]) -> Outcome {
    let [base, search] = operands(args)?;
    let (base, search) = (string(base, 1)?, string(search, 2)?);
    if search.is_empty() {
        return fail("empty search character");
    }
    match base.split_once(search) {
        Some((before, _)) => done(before.chars().count()),
        None => done(-1i64),
    }
}

/// The offsets in characters of all occurrences, overlapping ones too.
fn indexof_n(_: &Context, args: &[Value]) -> Outcome {
    let [base, search] = operands(args)?;
    let (base, search) = (string(base, 1)?, string(search, 2)?);
    if search.is_empty() {
        return fail("empty search character");
    }
    let mut found = Vec::new();
    let (mut rest, mut offset) = (base, 0);
    while let Some((before, _)) = rest.split_once(search) {
        offset += before.chars().count();
        found.push(Value::from(offset));
        let mut from_match = rest.strip_prefix(before).unwrap_or("").chars();
        from_match.next();
        offset += 1;
        rest = from_match.as_str();
    }
    done(found)
}

/// Go maps each character to one character, where Unicode's full mapping may give several.
fn lower(s: &str) -> String {
    s.chars().map(|c| if c == '\u{130}' { 'i' } else { single(c, c.to_lowercase()).unwrap_or(c) }).collect()
}

fn upper(s: &str) -> String {
    s.chars().map(|c| single(c, c.to_uppercase()).unwrap_or_else(|| greek_upper(c))).collect()
}

fn single(c: char, mut mapped: impl Iterator<Item = char>) -> Option<char> {
    match (mapped.next(), mapped.next()) {
        (Some(one), None) if one == c => Some(c),
        // Go's tables are of an older Unicode version than Rust's.
        (Some(one), None) => Some(if quote::is_assigned(one) && quote::is_assigned(c) { one } else { c }),
        _ => None,
    }
}

/// The characters with a simple mapping besides a full one of several characters: Greek with iota subscript.
fn greek_upper(c: char) -> char {
    let offset = match c {
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => 8,
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => 9,
        _ => 0,
    };
    char::from_u32(u32::from(c) + offset).unwrap_or(c)
}

/// Go's `strings.Split`: an empty delimiter splits into characters.
fn split_all<'a>(s: &'a str, delimiter: &'a str) -> Vec<&'a str> {
    if !delimiter.is_empty() {
        return s.split(delimiter).collect();
    }
    let mut parts = Vec::new();
    let mut rest = s;
    while let Some(c) = rest.chars().next() {
        let (part, after) = rest.split_at_checked(c.len_utf8()).unwrap_or((rest, ""));
        parts.push(part);
        rest = after;
    }
    parts
}

fn split_n(_: &Context, args: &[Value]) -> Outcome {
    let [s, delimiter, n] = operands(args)?;
    let (s, delimiter, n) = (string(s, 1)?, string(delimiter, 2)?, operand::int(n, 3)?);
    let parts = split_all(s, delimiter);
    let magnitude = usize::try_from(n.unsigned_abs()).unwrap_or(usize::MAX);
    let skip = if n >= 0 { 0 } else { parts.len().saturating_sub(magnitude) };
    done(parts.into_iter().skip(skip).take(magnitude).map(Value::from).collect::<Vec<_>>())
}

fn count(s: &str, sub: &str) -> usize {
    if sub.is_empty() { s.chars().count() + 1 } else { s.matches(sub).count() }
}

fn replace(_: &Context, args: &[Value]) -> Outcome {
    let [s, old, new] = operands(args)?;
    let (s, old, new) = (string(s, 1)?, string(old, 2)?, string(new, 3)?);
    bounded(Replacer::new(vec![(old, new)]).replace(s)?)
}

fn replace_n(_: &Context, args: &[Value]) -> Outcome {
    let [patterns, s] = operands(args)?;
    let patterns = operand::object(patterns, 1)?;
    let s = string(s, 2)?;
    let mut pairs = Vec::with_capacity(patterns.len());
    for (old, new) in patterns {
        let old =
            old.as_str().ok_or_else(|| Failure::new("operand 1 non-string key found in pattern object"))?;
        let new =
            new.as_str().ok_or_else(|| Failure::new("operand 1 non-string value found in pattern object"))?;
        pairs.push((old, new));
    }
    bounded(Replacer::new(pairs).replace(s)?)
}

fn substring(_: &Context, args: &[Value]) -> Outcome {
    let [s, start, length] = operands(args)?;
    let (s, start, length) = (string(s, 1)?, operand::int(start, 2)?, operand::int(length, 3)?);
    let Ok(start) = usize::try_from(start) else {
        return fail("negative offset");
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    done(s.chars().skip(start).take(length).collect::<String>())
}

/// Whether a string, or any of several, has one or any of several affixes.
fn any_match(args: &[Value], matches: impl Fn(&str, &str) -> bool) -> Outcome {
    let [search, base] = operands(args)?;
    let (search, base) = (one_or_more(search, 1)?, one_or_more(base, 2)?);
    done(search.iter().any(|s| base.iter().any(|affix| matches(s, affix))))
}

fn one_or_more(value: &Value, position: usize) -> Result<Vec<&str>, Failure> {
    match value {
        Value::String(text) => Ok(vec![text]),
        Value::Array(_) | Value::Set(_) => operand::strings(value, position),
        other => Err(wrong_type(position, other, &["string", "set", "array"])),
    }
}
