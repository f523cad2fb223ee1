//! The members of a request that no case leaves out or mistypes.
//!
//! A policy that reads a member must say what happens when it is missing or of another type, and the four engines each do
//! something else by nature. So a pack's cases have every member that its input schema names once missing and once of
//! another type.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use tribunal::core::contract::Pointer;
use tribunal::core::pack::PackSource;

use crate::case::Case;

/// What no case does to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gap {
    /// No case leaves the member out of an object that is there.
    NeverMissing,
    /// No case gives the member another type than its schema allows.
    NeverMistyped,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Gap::NeverMissing => "never missing",
            Gap::NeverMistyped => "never of another type",
        })
    }
}

/// Members that are named by the pack's input schema and that no case leaves out or mistypes, sorted. A pack without an
/// input schema names none.
///
/// Members are those under `properties`, through `allOf`, `anyOf`, `oneOf` and references inside the schema; the members
/// of array elements have no place of their own and are not looked at.
pub fn gaps(pack: &PackSource, cases: &[Case]) -> Vec<(Pointer, Gap)> {
    let Some(schema) = &pack.input_schema else { return Vec::new() };
    let mut members = Members { document: schema.document(), types: BTreeMap::new() };
    members.collect(schema.document(), &Pointer::from_tokens::<String>([]), MAX_DEPTH);
    let mut gaps = Vec::new();
    for (place, types) in &members.types {
        let is_missing = |case: &Case| {
            let (last, parents) = place.tokens().split_last()?;
            let parent = Pointer::from_tokens(parents.iter().cloned());
            Some(parent.get(&case.request)?.as_object()?.get(last).is_none())
        };
        if !cases.iter().any(|case| is_missing(case) == Some(true)) {
            gaps.push((place.clone(), Gap::NeverMissing));
        }
        // Where the schema allows every type there is no other one.
        let is_mistyped = |case: &Case| {
            place.get(&case.request).is_some_and(|value| !types.iter().any(|kind| fits(kind, value)))
        };
        if !types.is_empty() && !cases.iter().any(is_mistyped) {
            gaps.push((place.clone(), Gap::NeverMistyped));
        }
    }
    gaps
}

/// Deeper members than this are not looked at: a schema may refer to itself.
const MAX_DEPTH: usize = 16;

/// The members a schema names, with the types it allows each of them; no type where it allows all.
struct Members<'s> {
    document: &'s Value,
    types: BTreeMap<Pointer, Vec<String>>,
}

impl<'s> Members<'s> {
    fn collect(&mut self, schema: &'s Value, place: &Pointer, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        for schema in self.alternatives(schema, depth) {
            for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
                let place = place.child(name);
                let types: Vec<String> =
                    self.alternatives(member, depth).into_iter().flat_map(types).collect();
                self.types.entry(place.clone()).or_default().extend(types);
                self.collect(member, &place, depth);
            }
        }
    }

    /// A schema and all that it is made of at the same place.
    fn alternatives(&self, schema: &'s Value, depth: usize) -> Vec<&'s Value> {
        let mut found = vec![schema];
        let Some(depth) = depth.checked_sub(1) else { return found };
        let lists =
            ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| schema.get(key)?.as_array()).flatten();
        let reference = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|target| self.document.pointer(target.strip_prefix('#')?));
        for part in lists.chain(reference) {
            found.extend(self.alternatives(part, depth));
        }
        found
    }
}

/// The types that `type`, `const` or `enum` of one schema allow.
fn types(schema: &Value) -> Vec<String> {
    let named = match schema.get("type") {
        Some(Value::String(name)) => vec![name.clone()],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let values = schema
        .get("const")
        .into_iter()
        .chain(schema.get("enum").and_then(Value::as_array).into_iter().flatten());
    named.into_iter().chain(values.map(|value| kind(value).to_owned())).collect()
}

/// Whether a value is of a type of JSON Schema.
fn fits(name: &str, value: &Value) -> bool {
    match name {
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        name => kind(value) == name,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
