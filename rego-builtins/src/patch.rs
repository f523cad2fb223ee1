//! `json.patch`: RFC 6902, extended to sets and to keys of any type.

use crate::builtin::{Builtin, Context, Failure, Outcome, fail};
use crate::number::whole_number;
use crate::operand::{array, operands};
use crate::path;
use crate::value::Value;

pub(crate) const BUILTINS: &[Builtin] = &[Builtin::new("json.patch", 2, patch)];

fn patch(_: &Context, args: &[Value]) -> Outcome {
    let [target, operations] = operands(args)?;
    // `None` once the whole document is removed.
    let mut document = Some(target.clone());
    for operation in array(operations, 2)? {
        document = apply(document, operation)?;
    }
    // OPA itself panics here.
    document.map(Some).ok_or_else(|| Failure::new("the whole document was removed"))
}

fn apply(document: Option<Value>, operation: &Value) -> Result<Option<Value>, Failure> {
    if !matches!(operation, Value::Object(_)) {
        return fail("must be an array of JSON-Patch objects, but at least one element is not an object");
    }
    let member = |name: &str| {
        let found = operation.get(&Value::from(name));
        found.ok_or_else(|| Failure::new(format!("missing required attribute '{name}'")))
    };
    let at = path::parse(member("path")?);
    let op = member("op")?;
    let Some(op) = op.as_str() else {
        return fail(format!("attribute 'op' must be a string but found: {}", op.type_name()));
    };
    let at = at?;
    match op {
        "add" => insert(document, &at, member("value")?.clone()),
        "remove" => remove(document, &at),
        "replace" => insert(remove(document, &at)?, &at, member("value")?.clone()),
        "move" => {
            let from = path::parse(member("from")?)?;
            let moved = find(document.as_ref(), &from)?.clone();
            insert(remove(document, &from)?, &at, moved)
        }
        "copy" => {
            let from = path::parse(member("from")?)?;
            let copied = find(document.as_ref(), &from)?.clone();
            insert(document, &at, copied)
        }
        "test" => {
            if find(document.as_ref(), &at)? != member("value")? {
                return fail("value from EditTree != patch value");
            }
            Ok(document)
        }
        other => fail(format!("unrecognized op: '{other}'")),
    }
}

fn missing(key: &Value) -> Failure {
    Failure::new(format!("path {key} does not exist"))
}

fn find<'a>(document: Option<&'a Value>, at: &[Value]) -> Result<&'a Value, Failure> {
    let root = document.ok_or_else(|| Failure::new("document was removed"))?;
    at.iter().try_fold(root, |value, key| match value {
        Value::Array(items) => items.get(index(key, items.len())?).ok_or_else(|| missing(key)),
        other => other.get(key).ok_or_else(|| missing(key)),
    })
}

fn insert(document: Option<Value>, at: &[Value], value: Value) -> Result<Option<Value>, Failure> {
    let Some((last, parents)) = at.split_last() else {
        return Ok(Some(value));
    };
    edit(document, parents, &mut |parent| match parent {
        Value::Object(members) => {
            members.insert(last.clone(), value.clone());
            Ok(())
        }
        Value::Set(items) => {
            if *last != value {
                return fail(format!("set key {last} does not equal value to be inserted {value}"));
            }
            items.insert(value.clone());
            Ok(())
        }
        Value::Array(items) => {
            let position = index(last, items.len())?;
            if position > items.len() {
                return fail("index for array insertion out of bounds");
            }
            items.insert(position, value.clone());
            Ok(())
        }
        other => fail(format!("expected composite type, found {}", other.type_name())),
    })
}

fn remove(document: Option<Value>, at: &[Value]) -> Result<Option<Value>, Failure> {
    let Some((last, parents)) = at.split_last() else {
        return if document.is_some() { Ok(None) } else { fail("document was removed") };
    };
    edit(document, parents, &mut |parent| match parent {
        Value::Object(members) => members.remove(last).map(|_| ()).ok_or_else(|| missing(last)),
        Value::Set(items) => items.remove(last).then_some(()).ok_or_else(|| missing(last)),
        Value::Array(items) => {
            let position = index(last, items.len())?;
            if position >= items.len() {
                return fail("index for array delete out of bounds");
            }
            items.remove(position);
            Ok(())
        }
        other => fail(format!("expected composite type, found {}", other.type_name())),
    })
}

type Change<'a> = &'a mut dyn FnMut(&mut Value) -> Result<(), Failure>;

fn edit(document: Option<Value>, at: &[Value], change: Change<'_>) -> Result<Option<Value>, Failure> {
    let mut root = document.ok_or_else(|| Failure::new("document was removed"))?;
    edit_at(&mut root, at, change)?;
    Ok(Some(root))
}

fn edit_at(value: &mut Value, at: &[Value], change: Change<'_>) -> Result<(), Failure> {
    let Some((key, rest)) = at.split_first() else {
        return change(value);
    };
    match value {
        Value::Object(members) => edit_at(members.get_mut(key).ok_or_else(|| missing(key))?, rest, change),
        Value::Array(items) => {
            let position = index(key, items.len())?;
            edit_at(items.get_mut(position).ok_or_else(|| missing(key))?, rest, change)
        }
        Value::Set(items) => {
            let mut item = items.take(key).ok_or_else(|| missing(key))?;
            edit_at(&mut item, rest, change)?;
            items.insert(item);
            Ok(())
        }
        other => fail(format!("expected composite type, found {}", other.type_name())),
    }
}

/// An array's index: a whole number, its text without leading zeros, or `-` for the end.
fn index(key: &Value, length: usize) -> Result<usize, Failure> {
    let found = match key {
        Value::Number(number) => number.as_i64().and_then(|n| usize::try_from(n).ok()),
        Value::String(text) if &**text == "-" => Some(length),
        Value::String(text) if &**text != "0" && text.starts_with('0') => None,
        Value::String(text) => whole_number(text).and_then(|n| usize::try_from(n).ok()),
        _ => None,
    };
    found.ok_or_else(|| Failure::new(format!("invalid array index {key}")))
}
