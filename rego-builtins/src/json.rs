//! `json.*`, but for `json.patch`.

use std::collections::{BTreeMap, BTreeSet};

use crate::builtin::{Builtin, Context, Failure, Outcome, done, fail};
use crate::limits;
use crate::number::Number;
use crate::operand::{object, operands, string, wrong_type};
use crate::parse::{ParseError, is_valid_json};
use crate::path::{self, Paths};
use crate::print::{Escape, json_members, write_json, write_string};
use crate::strings::{bounded, too_long};
use crate::value::Value;

pub(crate) const BUILTINS: &[Builtin] = &[
    Builtin::new("json.filter", 2, filter),
    Builtin::new("json.is_valid", 1, is_valid),
    Builtin::new("json.marshal", 1, marshal),
    Builtin::new("json.marshal_with_options", 2, marshal_with_options),
    Builtin::new("json.remove", 2, remove),
    Builtin::new("json.unmarshal", 1, unmarshal),
];

fn marshal(_: &Context, args: &[Value]) -> Outcome {
    let [value] = operands(args)?;
    check_numbers(value)?;
    let mut out = String::new();
    write_json(value, Escape::Html, &mut out);
    bounded(out)
}

/// `to_number` takes texts that are not JSON's; Go refuses to encode them.
fn check_numbers(value: &Value) -> Result<(), Failure> {
    match value {
        Value::Number(number) => {
            let text = number.to_string();
            text.parse::<Number>()
                .map(|_| ())
                .map_err(|_| Failure::new(format!("json: invalid number literal `{text}`")))
        }
        Value::Array(items) => items.iter().try_for_each(check_numbers),
        Value::Set(items) => items.iter().try_for_each(check_numbers),
        Value::Object(members) => members.iter().try_for_each(|(key, value)| {
            check_numbers(key)?;
            check_numbers(value)
        }),
        _ => Ok(()),
    }
}

fn marshal_with_options(_: &Context, args: &[Value]) -> Outcome {
    let [value, options] = operands(args)?;
    check_numbers(value)?;
    let (mut indent, mut prefix) = ("\t", "");
    let (mut pretty, mut implied) = (None, false);
    for (key, option) in object(options, 2)? {
        match (key.as_str(), option) {
            (Some("prefix"), Value::String(text)) => {
                prefix = text;
                implied = true;
            }
            (Some("indent"), Value::String(text)) => {
                indent = text;
                implied = true;
            }
            (Some("pretty"), Value::Bool(yes)) => pretty = Some(*yes),
            (Some("prefix" | "indent"), _) => {
                return fail(format!("operand 2 key {key} failed cast to string"));
            }
            (Some("pretty"), _) => return fail(format!("operand 2 key {key} failed cast to bool")),
            _ => return fail(format!("operand 2 object contained unknown key {key}")),
        }
    }
    let mut out = String::new();
    if pretty.unwrap_or(implied) {
        out.push_str(prefix);
        Indented { indent, prefix }.write(value, 0, &mut out)?;
    } else {
        write_json(value, Escape::Html, &mut out);
    }
    bounded(out)
}

/// Go's `json.MarshalIndent`.
struct Indented<'a> {
    indent: &'a str,
    prefix: &'a str,
}

impl Indented<'_> {
    fn write(&self, value: &Value, depth: usize, out: &mut String) -> Result<(), Failure> {
        match value {
            Value::Array(items) if !items.is_empty() => self.items(items.iter(), depth, out),
            Value::Set(items) if !items.is_empty() => self.items(items.iter(), depth, out),
            Value::Object(members) if !members.is_empty() => {
                out.push('{');
                for (index, (key, value)) in json_members(members).into_iter().enumerate() {
                    self.line(index > 0, depth + 1, out)?;
                    write_string(&key, Escape::Html, out);
                    out.push_str(": ");
                    self.write(value, depth + 1, out)?;
                }
                self.line(false, depth, out)?;
                out.push('}');
                Ok(())
            }
            other => {
                write_json(other, Escape::Html, out);
                Ok(())
            }
        }
    }

    fn items<'v>(
        &self,
        items: impl Iterator<Item = &'v Value>,
        depth: usize,
        out: &mut String,
    ) -> Result<(), Failure> {
        out.push('[');
        for (index, item) in items.enumerate() {
            self.line(index > 0, depth + 1, out)?;
            self.write(item, depth + 1, out)?;
        }
        self.line(false, depth, out)?;
        out.push(']');
        Ok(())
    }

    fn line(&self, comma: bool, depth: usize, out: &mut String) -> Result<(), Failure> {
        if comma {
            out.push(',');
        }
        out.push('\n');
        out.push_str(self.prefix);
        for _ in 0..depth {
            out.push_str(self.indent);
        }
        if out.len() > limits::MAX_STRING_BYTES { too_long() } else { Ok(()) }
    }
}

fn unmarshal(_: &Context, args: &[Value]) -> Outcome {
    let [text] = operands(args)?;
    done(Value::parse_json(string(text, 1)?)?)
}

fn is_valid(_: &Context, args: &[Value]) -> Outcome {
    let [text] = operands(args)?;
    let Some(text) = text.as_str() else {
        return done(false);
    };
    match is_valid_json(text) {
        Ok(()) => done(true),
        Err(error @ ParseError::TooDeep) => Err(error.into()),
        Err(_) => done(false),
    }
}

fn paths(value: &Value) -> Result<Paths, Failure> {
    let items: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Set(items) => items.iter().collect(),
        other => return Err(wrong_type(2, other, &["set", "array"])),
    };
    let mut tree = Paths::Node(BTreeMap::new());
    for item in items {
        tree.add(&path::parse(item)?);
    }
    Ok(tree)
}

fn filter(_: &Context, args: &[Value]) -> Outcome {
    let [from, keep] = operands(args)?;
    object(from, 1)?;
    done(filtered(from, &paths(keep)?))
}

fn filtered(value: &Value, keep: &Paths) -> Value {
    let Paths::Node(keep) = keep else {
        return value.clone();
    };
    match value {
        Value::Array(items) => Value::Array(
            items
                .iter()
                .enumerate()
                .filter_map(|(index, item)| Some(filtered(item, keep.get(&index_key(index))?)))
                .collect(),
        ),
        Value::Set(items) => Value::Set(
            items.iter().filter_map(|item| Some(filtered(item, keep.get(item)?))).collect::<BTreeSet<_>>(),
        ),
        // OPA walks the shorter side and takes its keys: of equal numbers the one that is written there.
        Value::Object(members) if members.len() < keep.len() => Value::Object(
            keep.iter()
                .filter_map(|(key, keep)| Some((key.clone(), filtered(members.get(key)?, keep))))
                .collect(),
        ),
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), filtered(value, keep.get(key)?))))
                .collect(),
        ),
        scalar => scalar.clone(),
    }
}

/// Array indices are strings in a path.
fn index_key(index: usize) -> Value {
    Value::from(index.to_string())
}

fn remove(_: &Context, args: &[Value]) -> Outcome {
    let [from, remove] = operands(args)?;
    object(from, 1)?;
    Ok(remaining(from, Some(&paths(remove)?)))
}

/// What is left of the value; `None` if nothing is.
fn remaining(value: &Value, remove: Option<&Paths>) -> Option<Value> {
    let remove = match remove {
        None => return Some(value.clone()),
        Some(Paths::Leaf) => return None,
        Some(Paths::Node(remove)) => remove,
    };
    Some(match value {
        Value::Array(items) => Value::Array(
            items
                .iter()
                .enumerate()
                .filter_map(|(index, item)| remaining(item, remove.get(&index_key(index))))
                .collect(),
        ),
        Value::Set(items) => {
            Value::Set(items.iter().filter_map(|item| remaining(item, remove.get(item))).collect())
        }
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), remaining(value, remove.get(key))?)))
                .collect(),
        ),
        scalar => scalar.clone(),
    })
}
