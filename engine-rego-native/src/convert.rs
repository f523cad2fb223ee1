//! Values between JSON, regorus and the built-ins: exactly, or with an error.

use std::collections::{BTreeMap, BTreeSet};

use regorus::Value;
use serde_json::Value as Json;
use tribunal_engine_core::fault::{Fault, FaultKind, LimitKind};
use tribunal_rego_builtins::{Number as BuiltinNumber, Value as BuiltinValue};

/// A number that the other side cannot hold.
#[derive(Debug)]
pub(crate) struct Unrepresentable(pub(crate) String);

/// A request or data as regorus sees it. Never through `Value::from`, which gives `Undefined` where it fails.
pub(crate) fn from_json(value: &Json) -> Result<Value, Unrepresentable> {
    Ok(match value {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(integer), ..) => Value::from(integer),
            (None, Some(integer), _) => Value::from(integer),
            // regorus makes `Null` of a number that is not finite.
            (None, None, Some(float)) if float.is_finite() => Value::from(float),
            _ => return Err(Unrepresentable(number.to_string())),
        },
        Json::String(text) => Value::String(text.as_str().into()),
        Json::Array(items) => Value::from(items.iter().map(from_json).collect::<Result<Vec<_>, _>>()?),
        Json::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| Ok((Value::String(name.as_str().into()), from_json(value)?)));
            Value::from(members.collect::<Result<BTreeMap<_, _>, _>>()?)
        }
    })
}

/// A rule's value as JSON text would show it: sets are lists, keys that are no strings their JSON text. `None` is
/// undefined. Stops when the text would be larger than `limit` bytes.
pub(crate) fn to_json(value: &Value, limit: u64) -> Result<Option<Json>, Fault> {
    match value {
        Value::Undefined => Ok(None),
        value => Answer { left: limit, limit }.json(value).map(Some),
    }
}

struct Answer {
    left: u64,
    limit: u64,
}

impl Answer {
    fn spend(&mut self, bytes: usize) -> Result<(), Fault> {
        let left = u64::try_from(bytes).ok().and_then(|bytes| self.left.checked_sub(bytes));
        self.left = left.ok_or_else(|| {
            Fault::new(
                FaultKind::Limit(LimitKind::Output),
                format!("the answer is larger than {} bytes", self.limit),
            )
        })?;
        Ok(())
    }

    fn json(&mut self, value: &Value) -> Result<Json, Fault> {
        Ok(match value {
            Value::Null => self.spend(4).map(|()| Json::Null)?,
            Value::Bool(flag) => self.spend(5).map(|()| Json::Bool(*flag))?,
            Value::String(text) => self.spend(text.len() + 2).map(|()| Json::String(text.to_string()))?,
            Value::Number(number) => {
                let number = match (number.as_i64(), number.as_u64(), number.as_f64()) {
                    (Some(integer), ..) => integer.into(),
                    (None, Some(integer), _) => integer.into(),
                    (None, None, float) => float.and_then(serde_json::Number::from_f64).ok_or_else(|| {
                        let detail = format!(
                            "the answer has a number that is no i64, u64 or f64: {}",
                            number.format_decimal()
                        );
                        Fault::new(FaultKind::MalformedDecision, detail)
                    })?,
                };
                self.spend(number.to_string().len())?;
                Json::Number(number)
            }
            Value::Array(items) => self.list(items.iter())?,
            Value::Set(items) => self.list(items.iter_sorted())?,
            Value::Object(members) => {
                let mut object = serde_json::Map::new();
                self.spend(2)?;
                for (key, value) in members.iter() {
                    let name = match key {
                        Value::String(name) => name.to_string(),
                        key => self.json(key)?.to_string(),
                    };
                    self.spend(name.len() + 4)?;
                    object.insert(name, self.json(value)?);
                }
                Json::Object(object)
            }
            Value::Undefined => {
                return Err(Fault::new(FaultKind::MalformedDecision, "the answer has an undefined member"));
            }
        })
    }

    fn list<'v>(&mut self, items: impl Iterator<Item = &'v Value>) -> Result<Json, Fault> {
        self.spend(2)?;
        let items = items.map(|item| {
            self.spend(1)?;
            self.json(item)
        });
        items.collect::<Result<Vec<_>, _>>().map(Json::Array)
    }
}

/// An argument as a built-in takes it.
pub(crate) fn to_builtin(value: &Value) -> Result<BuiltinValue, Unrepresentable> {
    Ok(match value {
        Value::Null => BuiltinValue::Null,
        Value::Bool(flag) => BuiltinValue::Bool(*flag),
        Value::String(text) => BuiltinValue::String(text.clone()),
        Value::Number(number) => BuiltinValue::Number(match (number.as_i64(), number.as_u64()) {
            (Some(integer), _) => integer.into(),
            (None, Some(integer)) => integer.into(),
            (None, None) => {
                let text = number.format_decimal();
                text.parse::<BuiltinNumber>().map_err(|_| Unrepresentable(text))?
            }
        }),
        Value::Array(items) => BuiltinValue::Array(items.iter().map(to_builtin).collect::<Result<_, _>>()?),
        Value::Set(items) => BuiltinValue::Set(items.iter().map(to_builtin).collect::<Result<_, _>>()?),
        Value::Object(members) => {
            let members = members.iter().map(|(key, value)| Ok((to_builtin(key)?, to_builtin(value)?)));
            BuiltinValue::Object(members.collect::<Result<_, _>>()?)
        }
        Value::Undefined => return Err(Unrepresentable("undefined".to_owned())),
    })
}

/// What a built-in gave, as regorus takes it.
pub(crate) fn from_builtin(value: &BuiltinValue) -> Result<Value, Unrepresentable> {
    Ok(match value {
        BuiltinValue::Null => Value::Null,
        BuiltinValue::Bool(flag) => Value::Bool(*flag),
        BuiltinValue::String(text) => Value::String(text.clone()),
        BuiltinValue::Number(number) => match number.as_i64() {
            Some(integer) => Value::from(integer),
            None => {
                let text = number.to_string();
                Value::from_numeric_string(&text).map_err(|_| Unrepresentable(text))?
            }
        },
        BuiltinValue::Array(items) => {
            Value::from(items.iter().map(from_builtin).collect::<Result<Vec<_>, _>>()?)
        }
        BuiltinValue::Set(items) => {
            Value::from(items.iter().map(from_builtin).collect::<Result<BTreeSet<_>, _>>()?)
        }
        BuiltinValue::Object(members) => {
            let members = members.iter().map(|(key, value)| Ok((from_builtin(key)?, from_builtin(value)?)));
            Value::from(members.collect::<Result<BTreeMap<_, _>, _>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn json_values() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::Bool),
            any::<i64>().prop_map(|number| json!(number)),
            any::<u64>().prop_map(|number| json!(number)),
            ".{0,8}".prop_map(Json::String),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
                proptest::collection::btree_map(".{0,4}", inner, 0..4)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn json_comes_back_as_it_went(value in json_values()) {
            let there = from_json(&value).unwrap();
            prop_assert_eq!(to_json(&there, u64::MAX).unwrap(), Some(value));
        }

        #[test]
        fn arguments_come_back_as_they_went(value in json_values()) {
            let there = from_json(&value).unwrap();
            let back = from_builtin(&to_builtin(&there).unwrap()).unwrap();
            prop_assert_eq!(back, there);
        }

        #[test]
        fn floats_stay_what_they_are(float in any::<f64>().prop_filter("finite", |float| float.is_finite())) {
            let there = from_json(&json!(float)).unwrap();
            let back = to_json(&there, u64::MAX).unwrap().unwrap();
            prop_assert_eq!(back.as_f64(), Some(float));
        }
    }

    #[test]
    fn an_answer_that_is_too_large_is_a_fault() {
        let answer = from_json(&json!({"reason": "x".repeat(100)})).unwrap();
        assert!(to_json(&answer, 200).is_ok());
        assert_eq!(to_json(&answer, 100).unwrap_err().kind, FaultKind::Limit(LimitKind::Output));
    }

    #[test]
    fn undefined_is_no_value() {
        assert_eq!(to_json(&Value::Undefined, 10).unwrap(), None);
        let hidden = Value::from(vec![Value::Undefined]);
        assert_eq!(to_json(&hidden, 100).unwrap_err().kind, FaultKind::MalformedDecision);
    }

    #[test]
    fn big_integers_reach_built_ins_exactly() {
        let text = "123456789012345678901234567890";
        let number = Value::from_numeric_string(text).unwrap();
        assert_eq!(to_builtin(&number).unwrap(), BuiltinValue::Number(text.parse().unwrap()));
    }
}
