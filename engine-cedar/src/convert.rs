//! JSON to Cedar values, by the types of the schema.
//!
//! Cedar's own reader of JSON lets whoever wrote the JSON make entity references and extension values out of plain objects
//! (`__entity`, `__extn`). Here a value becomes what the schema says and nothing else, so such an object is a record like any
//! other. Conversion and conformance to the schema are one pass: what has no place in it is refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use cedar_policy_core::ast::{Literal, Set, Value as Cedar, ValueKind};
use cedar_policy_core::validator::types::{Attributes, Type};
use serde_json::Value;
use tribunal_engine_core::contract::Pointer;
use tribunal_engine_core::pack::Shape;

/// The attributes of an entity or a record, by name.
pub(crate) type Record<K> = BTreeMap<K, Cedar>;

/// A value that is not what the schema says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// Where, innermost first.
    place: Vec<String>,
    message: String,
}

impl Mismatch {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { place: Vec::new(), message: message.into() }
    }

    /// The same, seen from one level further out.
    #[must_use]
    pub(crate) fn within(mut self, member: impl Into<String>) -> Self {
        self.place.push(member.into());
        self
    }

    pub(crate) fn pointer(&self) -> Pointer {
        Pointer::from_tokens(self.place.iter().rev().cloned())
    }
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`: {}", self.pointer(), self.message)
    }
}

/// The part of a JSON value that is named, as a Cedar value of this type.
pub(crate) fn value(json: &Value, named: Shape<'_>, expected: &Type) -> Result<Cedar, Mismatch> {
    let kind = match (expected, json) {
        (Type::Bool(_), Value::Bool(value)) => ValueKind::Lit(Literal::Bool(*value)),
        (Type::Long, Value::Number(number)) => match number.as_i64() {
            Some(number) => ValueKind::Lit(Literal::Long(number)),
            None => {
                return Err(Mismatch::new("Cedar's numbers are integers of 64 bits: derive a scaled one"));
            }
        },
        (Type::String, Value::String(text)) => ValueKind::Lit(Literal::String(text.as_str().into())),
        (Type::Set { element_type: Some(element) }, Value::Array(items)) => {
            let elements = items.iter().enumerate().map(|(index, item)| {
                value(item, named.items(), element).map_err(|mismatch| mismatch.within(index.to_string()))
            });
            ValueKind::Set(Set::new(elements.collect::<Result<Vec<_>, _>>()?))
        }
        (Type::Record { attrs, .. }, Value::Object(members)) => {
            let members =
                members.iter().filter_map(|(name, value)| Some((name.as_str(), value, named.member(name)?)));
            let record = record(members, attrs)?;
            missing(attrs, |name| record.contains_key(name))?;
            ValueKind::Record(Arc::new(record))
        }
        (Type::Entity(_) | Type::ExtensionType { .. }, _) => {
            return Err(Mismatch::new(format!(
                "the schema wants {expected}, which JSON cannot say: only entities.json can"
            )));
        }
        (_, Value::Null) => return Err(Mismatch::new("Cedar has no null")),
        _ => return Err(Mismatch::new(format!("this is not the {expected} that the schema wants"))),
    };
    Ok(Cedar { value: kind, loc: None })
}

/// Members as attributes; whether any is missing is for the caller to say.
pub(crate) fn record<'v, K: From<&'v str> + Ord>(
    members: impl IntoIterator<Item = (&'v str, &'v Value, Shape<'v>)>,
    attributes: &Attributes,
) -> Result<Record<K>, Mismatch> {
    let convert = |(name, json, named): (&'v str, &'v Value, Shape<'v>)| {
        let Some(attribute) = attributes.get_attr(name) else {
            return Err(Mismatch::new("schema.cedarschema does not declare it").within(name));
        };
        let converted = value(json, named, &attribute.attr_type).map_err(|mismatch| mismatch.within(name))?;
        Ok((K::from(name), converted))
    };
    members.into_iter().map(convert).collect()
}

/// The first required attribute that is not there.
pub(crate) fn missing(attributes: &Attributes, has: impl Fn(&str) -> bool) -> Result<(), Mismatch> {
    match attributes.iter().find(|(name, attribute)| attribute.is_required && !has(name)) {
        Some((name, _)) => {
            Err(Mismatch::new("it is missing, and schema.cedarschema requires it").within(name.as_str()))
        }
        None => Ok(()),
    }
}
