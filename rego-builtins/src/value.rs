//! Rego values and their total order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::number::Number;

/// A Rego value.
///
/// The derived order is OPA's: null < boolean < number < string < array < object < set; numbers by value,
/// strings by bytes, composites element by element (an object as its sorted key/value pairs) and then by length.
/// Numbers of equal value are equal however they are written, so `1` and `1.0` are one key and one set element.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, kept as written.
    Number(Number),
    /// A string. OPA's may hold any bytes, ours are UTF-8: a built-in whose result is not UTF-8 fails.
    String(Arc<str>),
    /// An array.
    Array(Vec<Value>),
    /// An object; any value may be a key.
    Object(BTreeMap<Value, Value>),
    /// A set.
    Set(BTreeSet<Value>),
}

impl Value {
    /// OPA's name of the value's type, as `type_name` gives it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
            Value::Set(_) => "set",
        }
    }

    /// The text, if this is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value OPA finds under `key`: an object's member, an array's element (`key` a whole number), or a set's
    /// element itself.
    #[must_use]
    pub fn get(&self, key: &Value) -> Option<&Value> {
        match self {
            Value::Object(members) => members.get(key),
            Value::Array(items) => match key {
                Value::Number(index) => items.get(usize::try_from(index.as_i64()?).ok()?),
                _ => None,
            },
            Value::Set(items) => items.get(key),
            _ => None,
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<Number> for Value {
    fn from(value: Number) -> Self {
        Value::Number(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Number(value.into())
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Value::Number(value.into())
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::String(value.into())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Value::String(value.into())
    }
}

impl From<Vec<Value>> for Value {
    fn from(value: Vec<Value>) -> Self {
        Value::Array(value)
    }
}

impl From<BTreeMap<Value, Value>> for Value {
    fn from(value: BTreeMap<Value, Value>) -> Self {
        Value::Object(value)
    }
}

impl From<BTreeSet<Value>> for Value {
    fn from(value: BTreeSet<Value>) -> Self {
        Value::Set(value)
    }
}

impl From<&serde_json::Value> for Value {
    fn from(value: &serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(b) => Value::Bool(*b),
            serde_json::Value::Number(n) => Value::Number(n.into()),
            serde_json::Value::String(s) => Value::String(s.as_str().into()),
            serde_json::Value::Array(items) => Value::Array(items.iter().map(Value::from).collect()),
            serde_json::Value::Object(members) => {
                Value::Object(members.iter().map(|(k, v)| (k.as_str().into(), v.into())).collect())
            }
        }
    }
}

impl From<serde_json::Value> for Value {
    fn from(value: serde_json::Value) -> Self {
        Value::from(&value)
    }
}

/// A number that `serde_json` (without `arbitrary_precision`) cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("number `{0}` is neither an i64, nor a u64, nor a finite f64")]
pub struct UnrepresentableNumber(pub Number);

impl TryFrom<&Value> for serde_json::Value {
    type Error = UnrepresentableNumber;

    /// As [`Value::to_json`] prints it: sets become arrays, keys that are not strings their JSON text.
    fn try_from(value: &Value) -> Result<Self, Self::Error> {
        Ok(match value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(b) => serde_json::Value::Bool(*b),
            Value::Number(n) => {
                serde_json::Value::Number(n.to_serde().ok_or(UnrepresentableNumber(n.clone()))?)
            }
            Value::String(s) => serde_json::Value::String(s.to_string()),
            Value::Array(items) => {
                serde_json::Value::Array(items.iter().map(Self::try_from).collect::<Result<_, _>>()?)
            }
            Value::Set(items) => {
                serde_json::Value::Array(items.iter().map(Self::try_from).collect::<Result<_, _>>()?)
            }
            Value::Object(members) => serde_json::Value::Object(
                members
                    .iter()
                    .map(|(k, v)| Ok((k.as_str().map_or_else(|| k.to_json(), str::to_owned), v.try_into()?)))
                    .collect::<Result<_, _>>()?,
            ),
        })
    }
}

impl TryFrom<Value> for serde_json::Value {
    type Error = UnrepresentableNumber;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        Self::try_from(&value)
    }
}

#[cfg(test)]
mod laws {
    use proptest::prelude::*;

    use super::*;

    fn anything() -> impl Strategy<Value = Value> {
        let number =
            proptest::string::string_regex("-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,3})?(e-?[0-9]{1,2})?").unwrap();
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            (-3i64..4).prop_map(Value::from),
            number.prop_map(|text| Value::Number(text.parse().unwrap())),
            any::<String>().prop_map(Value::from),
            Just(Value::Number("1.0".parse().unwrap())),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                proptest::collection::btree_set(inner.clone(), 0..4).prop_map(Value::Set),
                proptest::collection::btree_map(inner.clone(), inner, 0..4).prop_map(Value::Object),
            ]
        })
    }

    fn number() -> impl Strategy<Value = Number> {
        proptest::string::string_regex("-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?(e-?[0-9])?")
            .unwrap()
            .prop_map(|text| text.parse().unwrap())
    }

    proptest! {
        #[test]
        fn the_order_is_total(a in anything(), b in anything(), c in anything()) {
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            prop_assert_eq!(a == b, a.cmp(&b).is_eq());
            let mut sorted = [&a, &b, &c];
            sorted.sort();
            prop_assert!(sorted[0] <= sorted[1] && sorted[1] <= sorted[2] && sorted[0] <= sorted[2]);
        }

        #[test]
        fn small_numbers_order_as_doubles(a in number(), b in number()) {
            prop_assert_eq!(a.cmp(&b), a.as_f64().unwrap().partial_cmp(&b.as_f64().unwrap()).unwrap());
        }

        #[test]
        fn what_is_printed_is_read(value in anything()) {
            let rego = value.to_rego();
            let read = Value::parse_rego(&rego).unwrap();
            prop_assert_eq!(&read, &value);
            prop_assert_eq!(read.to_rego(), rego);
        }

        #[test]
        fn json_is_read_as_serde_reads_it(value in anything()) {
            let text = value.to_json();
            let serde: serde_json::Value = serde_json::from_str(&text).unwrap();
            let ours = Value::parse_json(&text).unwrap();
            prop_assert_eq!(serde_json::Value::try_from(&ours).unwrap(), serde);
            prop_assert_eq!(ours.to_json(), text);
        }
    }
}
