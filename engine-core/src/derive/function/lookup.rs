//! Entries of a table in the pack's data, found by a name that the request gives: Cedar cannot look anything up by a name
//! that it reads, and the head of a Biscuit rule takes nothing out of a record.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Made, OfText};
use crate::contract::Pointer;
use crate::derive::objection::Objection;
use crate::derive::room::Room;
use crate::derive::spec::FromData;

/// See [`DeriveSpec::Lookup`](crate::derive::DeriveSpec::Lookup).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LookupSpec {
    /// The name that is looked up.
    pub source: Pointer,
    /// The table: an object, whose members' names are the names; or, with `by`, a list.
    #[serde(rename = "in")]
    pub table: FromData,
    /// Where in each element of a list its name stands. No two elements may have the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Pointer>,
    /// The entry for a name that is not in the table; without it the member is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<FromData>,
}

#[derive(Debug)]
pub(super) struct Lookup {
    entries: HashMap<String, Value>,
    otherwise: Option<Value>,
}

impl Lookup {
    /// Reads the table; the error is everything in it that cannot be an entry.
    pub(super) fn compile(spec: &LookupSpec, data: &Value) -> Result<Self, Vec<Objection>> {
        let mut objections = Vec::new();
        let mut entries = HashMap::new();
        for (name, place, entry) in named(spec, data)? {
            if let Err((at, why)) = representable(entry, &place) {
                objections.push(Objection::in_data(at, why));
            }
            if entries.insert(name.to_owned(), entry.clone()).is_some() {
                objections.push(Objection::in_data(place, format!("`{name}` is in this table twice")));
            }
        }
        let otherwise = match &spec.otherwise {
            None => None,
            Some(from) => {
                let entry = from.get(data)?;
                if let Err((at, why)) = representable(entry, &from.data) {
                    objections.push(Objection::in_data(at, why));
                }
                Some(entry.clone())
            }
        };
        if objections.is_empty() { Ok(Self { entries, otherwise }) } else { Err(objections) }
    }
}

impl OfText for Lookup {
    fn of_text(&self, name: &str, _: &Room) -> Made {
        Ok(self.entries.get(name).or(self.otherwise.as_ref()).cloned())
    }
}

/// The entries of the table, each with its name and its place.
fn named<'d>(
    spec: &LookupSpec,
    data: &'d Value,
) -> Result<Vec<(&'d str, Pointer, &'d Value)>, Vec<Objection>> {
    let table = &spec.table.data;
    match (spec.table.get(data)?, &spec.by) {
        (Value::Object(members), None) => Ok(members
            .iter()
            .map(|(name, entry)| (name.as_str(), table.child(name.clone()), entry))
            .collect()),
        (Value::Array(elements), Some(by)) => {
            let (mut entries, mut objections) = (Vec::new(), Vec::new());
            for (index, element) in elements.iter().enumerate() {
                let place = table.child(index.to_string());
                match by.get(element) {
                    Some(Value::String(name)) => entries.push((name.as_str(), place, element)),
                    _ => objections
                        .push(Objection::in_data(place, format!("there is no text at `{by}` in here"))),
                }
            }
            if objections.is_empty() { Ok(entries) } else { Err(objections) }
        }
        (_, None) => {
            Err(Objection::in_data(table.clone(), "an object is wanted here: a list needs `by`").into())
        }
        (_, Some(_)) => {
            Err(Objection::in_data(table.clone(), "a list is wanted here, since `by` is given").into())
        }
    }
}

/// Derived members hold neither nulls nor fractions; the error is the first place with one.
fn representable(value: &Value, place: &Pointer) -> Result<(), (Pointer, String)> {
    let refused = |what: &str| Err((place.clone(), format!("{what} cannot be in a derived member")));
    match value {
        Value::Null => refused("null"),
        Value::Number(number) if number.as_i64().is_none() => {
            refused("a number that is no integer of 64 bits")
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| representable(item, &place.child(index.to_string()))),
        Value::Object(members) => {
            members.iter().try_for_each(|(name, member)| representable(member, &place.child(name.clone())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn compiled(spec: Value, data: &Value) -> Result<Lookup, Vec<Objection>> {
        Lookup::compile(&serde_json::from_value(spec).unwrap(), data)
    }

    #[test]
    fn names_lead_to_entries() {
        let data = json!({
            "caps": {"small": {"tokens": 1}, "large": {"tokens": 9}}, "fallback": {"tokens": 0},
            "list": [{"id": "a", "on": true}, {"id": "b", "on": false}],
        });
        let by_member = json!({"source": "/x", "in": {"data": "/caps"}});
        let otherwise = json!({"source": "/x", "in": {"data": "/caps"}, "otherwise": {"data": "/fallback"}});
        let by_id = json!({"source": "/x", "in": {"data": "/list"}, "by": "/id"});
        for (spec, name, entry) in [
            (&by_member, "small", Some(json!({"tokens": 1}))),
            (&by_member, "Small", None),
            (&by_member, "", None),
            (&otherwise, "large", Some(json!({"tokens": 9}))),
            (&otherwise, "medium", Some(json!({"tokens": 0}))),
            (&by_id, "b", Some(json!({"id": "b", "on": false}))),
            (&by_id, "/id", None),
        ] {
            let lookup = compiled(spec.clone(), &data).unwrap();
            assert_eq!(lookup.of_text(name, &Room::new()).unwrap(), entry, "{spec} {name}");
        }
    }

    #[test]
    fn tables_that_are_none_are_refused_with_their_place() {
        let by_member = json!({"source": "/x", "in": {"data": "/t"}});
        let by_id = json!({"source": "/x", "in": {"data": "/t"}, "by": "/id"});
        let otherwise = json!({"source": "/x", "in": {"data": "/t"}, "otherwise": {"data": "/u"}});
        for (spec, data, at, says) in [
            (&by_member, json!({}), "/t", "there is no `/t` in the data"),
            (&by_member, json!({"t": []}), "/t", "an object is wanted here: a list needs `by`"),
            (&by_id, json!({"t": {}}), "/t", "a list is wanted here, since `by` is given"),
            (&by_id, json!({"t": [{"id": 1}]}), "/t/0", "there is no text at `/id` in here"),
            (&by_id, json!({"t": [{"id": "a"}, {"id": "a"}]}), "/t/1", "`a` is in this table twice"),
            (
                &by_member,
                json!({"t": {"a": {"b": [null]}}}),
                "/t/a/b/0",
                "null cannot be in a derived member",
            ),
            (
                &by_member,
                json!({"t": {"a": 0.5}}),
                "/t/a",
                "a number that is no integer of 64 bits cannot be in a derived member",
            ),
            (&otherwise, json!({"t": {}}), "/u", "there is no `/u` in the data"),
        ] {
            let objections = compiled(spec.clone(), &data).unwrap_err();
            assert_eq!(objections, [Objection::in_data(Pointer::parse(at).unwrap(), says)], "{data}");
        }
    }
}
