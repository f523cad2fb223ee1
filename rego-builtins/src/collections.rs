//! Aggregates, arrays, sets, types and comparison.

use std::collections::BTreeSet;

use num_bigint::BigInt;

use crate::builtin::{Builtin, Context, Failure, Outcome, done, fail};
use crate::float::Float;
use crate::limits;
use crate::number::Number;
use crate::operand::{array, elements, int, operands, set, wrong_element, wrong_type};
use crate::value::Value;

pub(crate) const BUILTINS: &[Builtin] = &[
    Builtin::new("all", 1, |_, args| {
        quantified(args, |items| items.iter().all(|item| **item == Value::Bool(true)))
    }),
    Builtin::new("and", 2, |_, args| set_pair(args, intersected)),
    Builtin::new("any", 1, |_, args| {
        quantified(args, |items| items.iter().any(|item| **item == Value::Bool(true)))
    }),
    Builtin::new("array.concat", 2, array_concat),
    Builtin::new("array.flatten", 1, array_flatten),
    Builtin::new("array.reverse", 1, array_reverse),
    Builtin::new("array.slice", 3, array_slice),
    Builtin::new("count", 1, count),
    Builtin::new("equal", 2, |_, args| compare(args, |a, b| a == b)),
    Builtin::new("gt", 2, |_, args| compare(args, |a, b| a > b)),
    Builtin::new("gte", 2, |_, args| compare(args, |a, b| a >= b)),
    Builtin::new("internal.member_2", 2, member),
    Builtin::new("internal.member_3", 3, member_with_key),
    Builtin::new("intersection", 1, intersection),
    Builtin::new("is_array", 1, |_, args| is(args, |v| matches!(v, Value::Array(_)))),
    Builtin::new("is_boolean", 1, |_, args| is(args, |v| matches!(v, Value::Bool(_)))),
    Builtin::new("is_null", 1, |_, args| is(args, |v| matches!(v, Value::Null))),
    Builtin::new("is_number", 1, |_, args| is(args, |v| matches!(v, Value::Number(_)))),
    Builtin::new("is_object", 1, |_, args| is(args, |v| matches!(v, Value::Object(_)))),
    Builtin::new("is_set", 1, |_, args| is(args, |v| matches!(v, Value::Set(_)))),
    Builtin::new("is_string", 1, |_, args| is(args, |v| matches!(v, Value::String(_)))),
    Builtin::new("lt", 2, |_, args| compare(args, |a, b| a < b)),
    Builtin::new("lte", 2, |_, args| compare(args, |a, b| a <= b)),
    Builtin::new("max", 1, |_, args| extreme(args, Iterator::max)),
    Builtin::new("min", 1, |_, args| {
        extreme(args, |mut items| {
            // Of equal numbers written differently OPA keeps an array's last and a set's only one.
            let first = items.next()?;
            Some(items.fold(first, |least, item| if item <= least { item } else { least }))
        })
    }),
    Builtin::new("neq", 2, |_, args| compare(args, |a, b| a != b)),
    Builtin::new("or", 2, |_, args| set_pair(args, |a, b| a.union(b).cloned().collect())),
    Builtin::new("product", 1, |_, args| {
        accumulate(args, BigInt::from(1), Float::one(), |a, b| a * b, Float::scaled_by)
    }),
    Builtin::new("set_diff", 2, |_, args| set_pair(args, |a, b| a.difference(b).cloned().collect())),
    Builtin::new("sort", 1, sort),
    Builtin::new("sum", 1, |_, args| accumulate(args, BigInt::ZERO, Float::zero(), |a, b| a + b, Float::add)),
    Builtin::new("to_number", 1, to_number),
    Builtin::new("type_name", 1, type_name),
    Builtin::new("union", 1, union),
];

fn is(args: &[Value], test: impl Fn(&Value) -> bool) -> Outcome {
    let [value] = operands(args)?;
    done(test(value))
}

fn type_name(_: &Context, args: &[Value]) -> Outcome {
    let [value] = operands(args)?;
    done(value.type_name())
}

fn compare(args: &[Value], test: impl Fn(&Value, &Value) -> bool) -> Outcome {
    let [a, b] = operands(args)?;
    done(test(a, b))
}

fn quantified(args: &[Value], test: impl Fn(&[&Value]) -> bool) -> Outcome {
    let [items] = operands(args)?;
    match items {
        Value::Array(_) | Value::Set(_) => done(test(&elements(items, 1)?)),
        other => Err(wrong_type(1, other, &["array", "set"])),
    }
}

fn set_pair(args: &[Value], f: impl Fn(&BTreeSet<Value>, &BTreeSet<Value>) -> BTreeSet<Value>) -> Outcome {
    let [a, b] = operands(args)?;
    done(f(set(a, 1)?, set(b, 2)?))
}

fn count(_: &Context, args: &[Value]) -> Outcome {
    let [value] = operands(args)?;
    match value {
        Value::Array(items) => done(items.len()),
        Value::Object(members) => done(members.len()),
        Value::Set(items) => done(items.len()),
        Value::String(text) => done(text.chars().count()),
        other => Err(wrong_type(1, other, &["array", "object", "set", "string"])),
    }
}

fn accumulate(
    args: &[Value],
    exact_start: BigInt,
    start: Float,
    exact: impl Fn(BigInt, BigInt) -> BigInt,
    float: impl Fn(&Float, &Float) -> Result<Float, Failure>,
) -> Outcome {
    let [composite] = operands(args)?;
    let items = elements(composite, 1)?;
    let numbers: Vec<&Number> = items
        .into_iter()
        .map(|item| match item {
            Value::Number(number) => Ok(number),
            other => Err(wrong_element(1, composite, other, "number")),
        })
        .collect::<Result<_, _>>()?;
    if let Some(integers) = numbers.iter().map(|n| n.to_bigint()).collect::<Option<Vec<_>>>() {
        let mut total = exact_start;
        for integer in integers {
            total = exact(total, integer);
            if total.bits() > 4 * limits::MAX_NUMBER_DIGITS.unsigned_abs() {
                return fail(format!("number has more than {} digits", limits::MAX_NUMBER_DIGITS));
            }
        }
        return done(Number::from_bigint(&total));
    }
    let mut total = start;
    for number in numbers {
        total = float(&total, &Float::from_number(number)?)?;
    }
    done(total.to_number()?)
}

fn extreme<'a>(
    args: &'a [Value],
    pick: impl Fn(std::vec::IntoIter<&'a Value>) -> Option<&'a Value>,
) -> Outcome {
    let [items] = operands::<1>(args)?;
    Ok(pick(elements(items, 1)?.into_iter()).cloned())
}

fn sort(_: &Context, args: &[Value]) -> Outcome {
    let [items] = operands(args)?;
    let mut sorted: Vec<Value> = elements(items, 1)?.into_iter().cloned().collect();
    sorted.sort();
    done(sorted)
}

fn member(_: &Context, args: &[Value]) -> Outcome {
    let [wanted, from] = operands(args)?;
    done(match from {
        Value::Array(items) => items.contains(wanted),
        Value::Set(items) => items.contains(wanted),
        Value::Object(members) => members.values().any(|value| value == wanted),
        _ => false,
    })
}

fn member_with_key(_: &Context, args: &[Value]) -> Outcome {
    let [key, wanted, from] = operands(args)?;
    done(from.get(key) == Some(wanted))
}

fn array_concat(_: &Context, args: &[Value]) -> Outcome {
    let [a, b] = operands(args)?;
    done([array(a, 1)?.as_slice(), array(b, 2)?].concat())
}

fn array_flatten(_: &Context, args: &[Value]) -> Outcome {
    let [items] = operands(args)?;
    let mut flat = Vec::new();
    for item in array(items, 1)? {
        match item {
            Value::Array(inner) => flat.extend_from_slice(inner),
            other => flat.push(other.clone()),
        }
    }
    done(flat)
}

fn array_reverse(_: &Context, args: &[Value]) -> Outcome {
    let [items] = operands(args)?;
    done(array(items, 1)?.iter().rev().cloned().collect::<Vec<_>>())
}

fn array_slice(_: &Context, args: &[Value]) -> Outcome {
    let [items, start, stop] = operands(args)?;
    let items = array(items, 1)?;
    let clamp = |index: i64| usize::try_from(index.max(0)).unwrap_or(usize::MAX).min(items.len());
    let (start, stop) = (clamp(int(start, 2)?), clamp(int(stop, 3)?));
    done(items.iter().take(stop).skip(start).cloned().collect::<Vec<_>>())
}

fn intersection(_: &Context, args: &[Value]) -> Outcome {
    let [sets] = operands(args)?;
    let mut sets = set(sets, 1)?.iter().map(|item| set(item, 1));
    let mut common = match sets.next() {
        Some(first) => first?.clone(),
        None => BTreeSet::new(),
    };
    for other in sets {
        common = intersected(&common, other?);
    }
    done(common)
}

/// OPA takes the elements of the smaller set: of equal numbers the one that is written there.
fn intersected(a: &BTreeSet<Value>, b: &BTreeSet<Value>) -> BTreeSet<Value> {
    let (from, other) = if b.len() < a.len() { (b, a) } else { (a, b) };
    from.iter().filter(|item| other.contains(item)).cloned().collect()
}

fn union(_: &Context, args: &[Value]) -> Outcome {
    let [sets] = operands(args)?;
    let mut all = BTreeSet::new();
    for item in set(sets, 1)? {
        all.extend(set(item, 1)?.iter().cloned());
    }
    done(all)
}

fn to_number(_: &Context, args: &[Value]) -> Outcome {
    let [value] = operands(args)?;
    match value {
        Value::Null | Value::Bool(false) => done(0i64),
        Value::Bool(true) => done(1i64),
        Value::Number(number) => done(number.clone()),
        Value::String(text) => {
            let number = Number::from_go_float(text)
                .map_err(|_| Failure::new(format!("strconv.ParseFloat: parsing `{text}`: invalid syntax")))?;
            if number.as_f64().is_none() {
                return fail(format!("strconv.ParseFloat: parsing `{text}`: value out of range"));
            }
            done(number)
        }
        other => Err(wrong_type(1, other, &["null", "boolean", "number", "string"])),
    }
}
