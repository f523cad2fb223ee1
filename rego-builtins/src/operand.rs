//! Arguments, checked as OPA checks them.

use std::collections::{BTreeMap, BTreeSet};

use num_bigint::BigInt;

use crate::builtin::Failure;
use crate::number::Number;
use crate::value::Value;

/// The arguments as an array of the built-in's arity.
pub(crate) fn operands<const N: usize>(args: &[Value]) -> Result<&[Value; N], Failure> {
    args.try_into().map_err(|_| Failure::new(format!("takes {N} arguments but got {}", args.len())))
}

pub(crate) fn wrong_type(position: usize, got: &Value, expected: &[&str]) -> Failure {
    let got = got.type_name();
    match expected {
        [one] => Failure::new(format!("operand {position} must be {one} but got {got}")),
        many => {
            Failure::new(format!("operand {position} must be one of {{{}}} but got {got}", many.join(", ")))
        }
    }
}

pub(crate) fn wrong_element(position: usize, composite: &Value, got: &Value, expected: &str) -> Failure {
    let (composite, got) = (composite.type_name(), got.type_name());
    Failure::new(format!(
        "operand {position} must be {composite} of {expected}s but got {composite} containing {got}"
    ))
}

pub(crate) fn string(value: &Value, position: usize) -> Result<&str, Failure> {
    value.as_str().ok_or_else(|| wrong_type(position, value, &["string"]))
}

pub(crate) fn number(value: &Value, position: usize) -> Result<&Number, Failure> {
    match value {
        Value::Number(number) => Ok(number),
        _ => Err(wrong_type(position, value, &["number"])),
    }
}

pub(crate) fn int(value: &Value, position: usize) -> Result<i64, Failure> {
    number(value, position)?.as_i64().ok_or_else(|| {
        Failure::new(format!("operand {position} must be integer number but got floating-point number"))
    })
}

pub(crate) fn bigint(value: &Value, position: usize) -> Result<BigInt, Failure> {
    let Value::Number(number) = value else {
        return Err(wrong_type(position, value, &["integer"]));
    };
    number.to_bigint().ok_or_else(|| {
        Failure::new(format!("operand {position} must be integer number but got floating-point number"))
    })
}

pub(crate) fn array(value: &Value, position: usize) -> Result<&Vec<Value>, Failure> {
    match value {
        Value::Array(items) => Ok(items),
        _ => Err(wrong_type(position, value, &["array"])),
    }
}

pub(crate) fn object(value: &Value, position: usize) -> Result<&BTreeMap<Value, Value>, Failure> {
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(wrong_type(position, value, &["object"])),
    }
}

pub(crate) fn set(value: &Value, position: usize) -> Result<&BTreeSet<Value>, Failure> {
    match value {
        Value::Set(items) => Ok(items),
        _ => Err(wrong_type(position, value, &["set"])),
    }
}

/// The elements of an array or a set.
pub(crate) fn elements(value: &Value, position: usize) -> Result<Vec<&Value>, Failure> {
    match value {
        Value::Array(items) => Ok(items.iter().collect()),
        Value::Set(items) => Ok(items.iter().collect()),
        _ => Err(wrong_type(position, value, &["set", "array"])),
    }
}

/// The strings of an array or a set.
pub(crate) fn strings(value: &Value, position: usize) -> Result<Vec<&str>, Failure> {
    elements(value, position)?
        .into_iter()
        .map(|item| item.as_str().ok_or_else(|| wrong_element(position, value, item, "string")))
        .collect()
}
