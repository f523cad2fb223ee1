//! Counting what a value holds.

use serde_json::Value;

use super::{Made, OfValue};
use crate::derive::room::Room;

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
