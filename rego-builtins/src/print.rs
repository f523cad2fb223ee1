//! Writing values: JSON, OPA's value format, and the form `sprintf` and error messages show.

use std::collections::BTreeMap;
use std::fmt;

use crate::quote;
use crate::value::Value;

impl Value {
    /// The value as JSON, compact; sets as arrays in order, keys that are not strings as their JSON text, members
    /// sorted by key.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        write_json(self, Escape::Plain, &mut out);
        out
    }

    /// The value as `opa_value_parse` reads it: as JSON, but sets and keys of any type stay what they are.
    #[must_use]
    pub fn to_rego(&self) -> String {
        let mut out = String::new();
        write_rego(self, &mut out);
        out
    }
}

/// Which characters of a string Go's JSON encoder escapes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escape {
    /// Only what JSON demands.
    Plain,
    /// `<`, `>` and `&` too (`json.Marshal`'s default).
    Html,
}

/// Members as JSON has them: keys as text, sorted; of two keys with one text the later one wins.
pub(crate) fn json_members(members: &BTreeMap<Value, Value>) -> BTreeMap<String, &Value> {
    members
        .iter()
        .map(|(key, value)| {
            let text = match key {
                Value::String(text) => text.to_string(),
                other => {
                    let mut text = String::new();
                    write_json(other, Escape::Html, &mut text);
                    text
                }
            };
            (text, value)
        })
        .collect()
}

pub(crate) fn write_json(value: &Value, escape: Escape, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(n) => out.push_str(&n.to_string()),
        Value::String(s) => write_string(s, escape, out),
        Value::Array(items) => {
            write_items(items.iter(), '[', ']', out, |item, out| write_json(item, escape, out))
        }
        Value::Set(items) => {
            write_items(items.iter(), '[', ']', out, |item, out| write_json(item, escape, out))
        }
        Value::Object(members) if members.keys().all(|key| matches!(key, Value::String(_))) => {
            write_items(members.iter(), '{', '}', out, |(key, value), out| {
                write_json(key, escape, out);
                out.push(':');
                write_json(value, escape, out);
            });
        }
        Value::Object(members) => {
            write_items(json_members(members).iter(), '{', '}', out, |(key, value), out| {
                write_string(key, escape, out);
                out.push(':');
                write_json(value, escape, out);
            });
        }
    }
}

fn write_rego(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => write_items(items.iter(), '[', ']', out, write_rego),
        Value::Set(items) if items.is_empty() => out.push_str("set()"),
        Value::Set(items) => write_items(items.iter(), '{', '}', out, write_rego),
        Value::Object(members) => write_items(members.iter(), '{', '}', out, |(key, value), out| {
            write_rego(key, out);
            out.push(':');
            write_rego(value, out);
        }),
        scalar => write_json(scalar, Escape::Plain, out),
    }
}

fn write_items<T>(
    items: impl Iterator<Item = T>,
    open: char,
    close: char,
    out: &mut String,
    write: impl Fn(T, &mut String),
) {
    out.push(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(close);
}

/// A JSON string as Go's encoder writes it.
pub(crate) fn write_string(text: &str, escape: Escape, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' if escape == Escape::Html => push_u(c, out),
            c if c < ' ' => push_u(c, out),
            '\u{2028}' | '\u{2029}' => push_u(c, out),
            c => out.push(c),
        }
    }
    out.push('"');
}

fn push_u(c: char, out: &mut String) {
    out.push_str(&format!("\\u{:04x}", u32::from(c)));
}

/// OPA's own text of a value (`Value.String` in Go): what `sprintf` shows of a composite.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(b) => fmt::Display::fmt(b, f),
            Value::Number(n) => fmt::Display::fmt(n, f),
            Value::String(s) => f.write_str(&quote::quote(s)),
            Value::Array(items) => list(f, '[', ']', items.iter(), |f, item| write!(f, "{item}")),
            Value::Set(items) if items.is_empty() => f.write_str("set()"),
            Value::Set(items) => list(f, '{', '}', items.iter(), |f, item| write!(f, "{item}")),
            Value::Object(members) => {
                list(f, '{', '}', members.iter(), |f, (key, value)| write!(f, "{key}: {value}"))
            }
        }
    }
}

fn list<T>(
    f: &mut fmt::Formatter<'_>,
    open: char,
    close: char,
    items: impl Iterator<Item = T>,
    write: impl Fn(&mut fmt::Formatter<'_>, T) -> fmt::Result,
) -> fmt::Result {
    write!(f, "{open}")?;
    for (index, item) in items.enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        write(f, item)?;
    }
    write!(f, "{close}")
}
