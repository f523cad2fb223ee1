//! `object.*`.

use std::collections::{BTreeMap, BTreeSet};

use crate::builtin::{Builtin, Context, Failure, Outcome, done, fail};
use crate::operand::{array, object, operands, wrong_element, wrong_type};
use crate::value::Value;

pub(crate) const BUILTINS: &[Builtin] = &[
    Builtin::new("object.filter", 2, filter),
    Builtin::new("object.get", 3, get),
    Builtin::new("object.keys", 1, keys),
    Builtin::new("object.remove", 2, remove),
    Builtin::new("object.subset", 2, subset),
    Builtin::new("object.union", 2, union),
    Builtin::new("object.union_n", 1, union_n),
];

fn get(_: &Context, args: &[Value]) -> Outcome {
    let [from, path, default] = operands(args)?;
    let members = object(from, 1)?;
    let found = match path {
        Value::Array(steps) => steps.iter().try_fold(from, |at, step| at.get(step)),
        key => members.get(key),
    };
    done(found.unwrap_or(default).clone())
}

fn keys(_: &Context, args: &[Value]) -> Outcome {
    let [from] = operands(args)?;
    done(object(from, 1)?.keys().cloned().collect::<BTreeSet<_>>())
}

/// Keys given as an array, a set, or an object's own.
fn key_set(value: &Value) -> Result<BTreeSet<&Value>, Failure> {
    match value {
        Value::Array(items) => Ok(items.iter().collect()),
        Value::Set(items) => Ok(items.iter().collect()),
        Value::Object(members) => Ok(members.keys().collect()),
        other => Err(wrong_type(2, other, &["object", "set", "array"])),
    }
}

fn remove(_: &Context, args: &[Value]) -> Outcome {
    let [from, remove] = operands(args)?;
    let (members, remove) = (object(from, 1)?, key_set(remove)?);
    done(clone_where(members, |key| !remove.contains(key)))
}

fn filter(_: &Context, args: &[Value]) -> Outcome {
    let [from, keep] = operands(args)?;
    let (members, keep) = (object(from, 1)?, key_set(keep)?);
    if members.len() >= keep.len() {
        return done(clone_where(members, |key| keep.contains(key)));
    }
    // OPA walks the shorter side and takes its keys: of equal numbers the one that is written there.
    done(
        keep.into_iter()
            .filter_map(|key| Some((key.clone(), members.get(key)?.clone())))
            .collect::<BTreeMap<_, _>>(),
    )
}

fn clone_where(members: &BTreeMap<Value, Value>, wanted: impl Fn(&Value) -> bool) -> BTreeMap<Value, Value> {
    members.iter().filter(|(key, _)| wanted(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn union(_: &Context, args: &[Value]) -> Outcome {
    let [left, right] = operands(args)?;
    let (left, right) = (object(left, 1)?, object(right, 2)?);
    let mut merged = left.clone();
    // Equal objects may be written differently: the left one stays.
    if left != right {
        merge(&mut merged, right);
    }
    done(merged)
}

/// Members of `from` win, except that two objects are merged.
fn merge(into: &mut BTreeMap<Value, Value>, from: &BTreeMap<Value, Value>) {
    for (key, value) in from {
        match (into.get_mut(key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (Some(old), new) => *old = new.clone(),
            (None, new) => {
                into.insert(key.clone(), new.clone());
            }
        }
    }
}

/// As a chain of unions from the left.
fn union_n(_: &Context, args: &[Value]) -> Outcome {
    let [objects] = operands(args)?;
    let mut merged = BTreeMap::new();
    for item in array(objects, 1)? {
        match item {
            Value::Object(members) => merge_renaming(&mut merged, members),
            other => return Err(wrong_element(1, objects, other, "object")),
        }
    }
    done(merged)
}

/// As [`merge`], but of equal keys the later one stays, as it is written.
fn merge_renaming(into: &mut BTreeMap<Value, Value>, from: &BTreeMap<Value, Value>) {
    for (key, value) in from {
        let value = match (into.remove(key), value) {
            (Some(Value::Object(mut old)), Value::Object(new)) => {
                merge_renaming(&mut old, new);
                Value::Object(old)
            }
            (_, new) => new.clone(),
        };
        into.insert(key.clone(), value);
    }
}

fn subset(_: &Context, args: &[Value]) -> Outcome {
    let [sup, sub] = operands(args)?;
    match (sup, sub) {
        (Value::Object(sup), Value::Object(sub)) => done(object_subset(sup, sub)),
        (Value::Set(sup), Value::Set(sub)) => done(sub.is_subset(sup)),
        (Value::Array(sup), Value::Array(sub)) => done(array_subset(sup, sub)),
        (Value::Array(sup), Value::Set(sub)) => done(array_set_subset(sup, sub)),
        _ => fail("both arguments object.subset must be of the same type or array and set"),
    }
}

fn object_subset(sup: &BTreeMap<Value, Value>, sub: &BTreeMap<Value, Value>) -> bool {
    sub.iter().all(|(key, wanted)| match (sup.get(key), wanted) {
        (None, _) => false,
        (Some(found), wanted) if found == wanted => true,
        (Some(Value::Object(sup)), Value::Object(sub)) => object_subset(sup, sub),
        (Some(Value::Set(sup)), Value::Set(sub)) => sub.is_subset(sup),
        (Some(Value::Array(sup)), Value::Array(sub)) => array_subset(sup, sub),
        _ => false,
    })
}

/// Whether `sub` occurs as a run within `sup`.
fn array_subset(sup: &[Value], sub: &[Value]) -> bool {
    if sub.len() > sup.len() {
        return false;
    }
    if sub == sup {
        return true;
    }
    let (mut start, mut matched) = (0, 0);
    loop {
        if matched == sub.len() {
            return true;
        }
        let Some(item) = sup.get(start + matched) else {
            return false;
        };
        if sub.get(matched) == Some(item) {
            matched += 1;
        } else {
            start += 1;
            matched = 0;
        }
    }
}

/// OPA counts matching elements down from the set's size, so an element that occurs twice counts twice; and an empty
/// set is a subset of a non-empty array only.
fn array_set_subset(sup: &[Value], sub: &BTreeSet<Value>) -> bool {
    let mut unmatched = i64::try_from(sub.len()).unwrap_or(i64::MAX);
    sup.iter().any(|item| {
        if sub.contains(item) {
            unmatched -= 1;
        }
        unmatched == 0
    })
}
