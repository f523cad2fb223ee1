//! Counting and adding up what a value holds.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Made, OfValue};
use crate::contract::Pointer;
use crate::contract::json::canonical;
use crate::derive::room::Room;

/// See [`DeriveSpec::Sum`](crate::derive::DeriveSpec::Sum).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SumSpec {
    /// The list.
    pub source: Pointer,
    /// Where in each element the integer stands; without it, the elements are the integers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Pointer>,
}

#[derive(Debug)]
pub(super) struct Length;

impl OfValue for Length {
    fn of_value(&self, value: &Value, _: &Room) -> Made {
        let length = match value {
            Value::String(text) => text.chars().count(),
            Value::Array(items) => items.len(),
            Value::Object(members) => members.len(),
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                return Err("is neither a text, a list nor an object".to_owned());
            }
        };
        Ok(Some(length.into()))
    }
}

#[derive(Debug)]
pub(super) struct Distinct;

impl OfValue for Distinct {
    fn of_value(&self, value: &Value, _: &Room) -> Made {
        let distinct: HashSet<String> = list(value)?.iter().map(canonical).collect();
        Ok(Some(distinct.len().into()))
    }
}

#[derive(Debug)]
pub(super) struct Sum {
    pub(super) of: Option<Pointer>,
}

impl OfValue for Sum {
    fn of_value(&self, value: &Value, _: &Room) -> Made {
        // Wide enough for any list there can be, so that the order of its elements does not matter.
        let mut sum: i128 = 0;
        for element in list(value)? {
            let addend = match &self.of {
                None => element,
                Some(of) => of.get(element).ok_or_else(|| format!("holds an element without `{of}`"))?,
            };
            let addend = addend.as_i64().map(i128::from).or_else(|| addend.as_u64().map(i128::from));
            sum += addend.ok_or("holds an element whose number is not an integer")?;
        }
        let sum = i64::try_from(sum).map_err(|_| "adds up to more than 64 bits hold")?;
        Ok(Some(sum.into()))
    }
}

fn list(value: &Value) -> Result<&[Value], String> {
    value.as_array().map(Vec::as_slice).ok_or_else(|| "is not a list".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_are_counted_and_added_up() {
        let of = |pointer: &str| Sum { of: Some(Pointer::parse(pointer).unwrap()) };
        let table: [(&dyn OfValue, Value, Result<i64, &str>); 18] = [
            (&Length, json!("e\u{301}😀"), Ok(3)),
            (&Length, json!([1, [2, 3]]), Ok(2)),
            (&Length, json!({"a": 1}), Ok(1)),
            (&Length, json!(12), Err("is neither a text, a list nor an object")),
            (&Distinct, json!([]), Ok(0)),
            (&Distinct, json!(["a", "A", "a"]), Ok(2)),
            (&Distinct, json!([1, "1", true, null, [1], [1]]), Ok(5)),
            (&Distinct, json!([{"a": 1, "b": 2}, {"b": 2, "a": 1}]), Ok(1)),
            (&Distinct, json!({"a": 1}), Err("is not a list")),
            (&Sum { of: None }, json!([]), Ok(0)),
            (&Sum { of: None }, json!([1, -5, 40]), Ok(36)),
            (&Sum { of: None }, json!([i64::MAX, 1, -1]), Ok(i64::MAX)),
            (&Sum { of: None }, json!([i64::MAX, 1]), Err("adds up to more than 64 bits hold")),
            (&Sum { of: None }, json!([u64::MAX]), Err("adds up to more than 64 bits hold")),
            (&Sum { of: None }, json!([1.5]), Err("holds an element whose number is not an integer")),
            (&Sum { of: None }, json!(["1"]), Err("holds an element whose number is not an integer")),
            (&of("/n/0"), json!([{"n": [2]}, {"n": [3, 9]}]), Ok(5)),
            (&of("/n"), json!([{"n": 2}, {}]), Err("holds an element without `/n`")),
        ];
        for (function, value, expected) in table {
            let expected = expected.map(|count| Some(Value::from(count))).map_err(str::to_owned);
            assert_eq!(function.of_value(&value, &Room::new()), expected, "{function:?} {value}");
        }
    }
}
