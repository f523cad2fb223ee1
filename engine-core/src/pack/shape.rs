//! Which members of a request a JSON Schema names.
//!
//! Only members that the pack's schema names go to engines other than Rego: an attribute nobody declared must not become
//! a Cedar attribute or a Biscuit fact. The answer is found once at load, as a table of states, so that following it per
//! request costs one look-up a member.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

/// How many states a schema may have. Unions of `anyOf` over `$ref` could multiply; no real schema comes near.
const MAX_STATES: usize = 10_000;

/// The members named by a schema. State 0 names nothing, state 1 everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShapeTable {
    states: Vec<State>,
    root: usize,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct State {
    members: HashMap<String, usize>,
    /// Where members go that are not in `members`: `patternProperties` and `additionalProperties` name them all.
    rest: Option<usize>,
    items: usize,
}

const NOTHING: usize = 0;
const EVERYTHING: usize = 1;

/// The members named at one place of a request.
#[derive(Debug, Clone, Copy)]
pub struct Shape<'s> {
    table: &'s ShapeTable,
    state: usize,
}

impl<'s> Shape<'s> {
    /// The shape of a member, or `None` if the schema does not name it.
    pub fn member(self, name: &str) -> Option<Shape<'s>> {
        let state = self.table.states.get(self.state)?;
        let next = state.members.get(name).copied().or(state.rest)?;
        Some(Shape { state: next, ..self })
    }

    /// The shape of an array's elements. Elements themselves are always named; their members need not be.
    pub fn items(self) -> Shape<'s> {
        let items = self.table.states.get(self.state).map_or(NOTHING, |state| state.items);
        Shape { state: items, ..self }
    }

    /// The part of a value that is named.
    pub fn project(self, value: &Value) -> Value {
        match value {
            Value::Object(members) => members
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), self.member(name)?.project(value))))
                .collect(),
            Value::Array(items) => items.iter().map(|item| self.items().project(item)).collect(),
            scalar => scalar.clone(),
        }
    }
}

impl ShapeTable {
    /// A table that names everything.
    pub fn everything() -> Self {
        Self { states: fixed_states(), root: EVERYTHING }
    }

    /// The shape of the whole request.
    pub fn root(&self) -> Shape<'_> {
        Shape { table: self, state: self.root }
    }

    /// The members a schema names; those in `open` are named with everything below them.
    ///
    /// # Errors
    /// If a `$ref` leads nowhere inside the document, or the schema has too many states.
    pub fn of_schema(document: &Value, open: &[&str]) -> Result<Self, String> {
        let mut builder =
            Builder { document, states: fixed_states(), known: HashMap::new(), todo: Vec::new() };
        let root = builder.state(vec![document])?;
        while let Some((index, schemas)) = builder.todo.pop() {
            builder.fill(index, &schemas)?;
        }
        let mut states = builder.states;
        // The root may be shared by a recursive schema; only the outermost level has open members.
        let mut outermost = states.get(root).cloned().unwrap_or_default();
        outermost.members.extend(open.iter().map(|name| ((*name).to_owned(), EVERYTHING)));
        states.push(outermost);
        Ok(Self { root: states.len() - 1, states })
    }
}

fn fixed_states() -> Vec<State> {
    let everything = State { members: HashMap::new(), rest: Some(EVERYTHING), items: EVERYTHING };
    vec![State::default(), everything]
}

/// Turns sets of schemas that apply to one place into states, as an automaton is made deterministic.
struct Builder<'d> {
    document: &'d Value,
    states: Vec<State>,
    known: HashMap<BTreeSet<*const Value>, usize>,
    todo: Vec<(usize, Vec<&'d Value>)>,
}

impl<'d> Builder<'d> {
    /// The state for schemas that all apply to the same place.
    fn state(&mut self, schemas: Vec<&'d Value>) -> Result<usize, String> {
        let mut closed: Vec<&'d Value> = Vec::new();
        let mut seen = BTreeSet::new();
        for schema in schemas {
            self.close(schema, &mut seen, &mut closed)?;
        }
        if closed.is_empty() {
            return Ok(NOTHING);
        }
        if let Some(known) = self.known.get(&seen) {
            return Ok(*known);
        }
        if self.states.len() >= MAX_STATES {
            return Err(format!("the schema names members in more than {MAX_STATES} different ways"));
        }
        let index = self.states.len();
        self.states.push(State::default());
        self.known.insert(seen, index);
        self.todo.push((index, closed));
        Ok(index)
    }

    /// A schema and everything that applies to the same place with it.
    fn close(
        &self,
        schema: &'d Value,
        seen: &mut BTreeSet<*const Value>,
        closed: &mut Vec<&'d Value>,
    ) -> Result<(), String> {
        let Value::Object(keywords) = schema else { return Ok(()) };
        if !seen.insert(schema) {
            return Ok(());
        }
        closed.push(schema);
        if let Some(Value::String(reference)) = keywords.get("$ref") {
            self.close(self.resolve(reference)?, seen, closed)?;
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            for part in keywords.get(keyword).and_then(Value::as_array).into_iter().flatten() {
                self.close(part, seen, closed)?;
            }
        }
        for keyword in ["if", "then", "else"] {
            if let Some(part) = keywords.get(keyword) {
                self.close(part, seen, closed)?;
            }
        }
        for part in keywords
            .get("dependentSchemas")
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(|parts| parts.values())
        {
            self.close(part, seen, closed)?;
        }
        Ok(())
    }

    fn resolve(&self, reference: &str) -> Result<&'d Value, String> {
        let target = reference.strip_prefix('#').and_then(|pointer| self.document.pointer(pointer));
        target.ok_or_else(|| format!("`$ref: {reference}` leads nowhere: only places in the same file, as `#/$defs/name`, are followed"))
    }

    fn fill(&mut self, index: usize, schemas: &[&'d Value]) -> Result<(), String> {
        let mut members: BTreeMap<&'d str, Vec<&'d Value>> = BTreeMap::new();
        let mut rest: Option<Vec<&'d Value>> = None;
        let mut items: Vec<&'d Value> = Vec::new();
        for keywords in schemas.iter().filter_map(|schema| schema.as_object()) {
            for (name, schema) in keywords.get("properties").and_then(Value::as_object).into_iter().flatten()
            {
                members.entry(name).or_default().push(schema);
            }
            let patterns = keywords.get("patternProperties").and_then(Value::as_object);
            let additional = keywords.get("additionalProperties").filter(|schema| schema.is_object());
            for schema in patterns.into_iter().flat_map(|patterns| patterns.values()).chain(additional) {
                rest.get_or_insert_default().push(schema);
            }
            items.extend(keywords.get("items"));
            items.extend(keywords.get("contains"));
            items.extend(keywords.get("prefixItems").and_then(Value::as_array).into_iter().flatten());
        }
        let mut state = State::default();
        for (name, mut schemas) in members {
            schemas.extend(rest.iter().flatten());
            state.members.insert(name.to_owned(), self.state(schemas)?);
        }
        state.rest = rest.map(|schemas| self.state(schemas)).transpose()?;
        state.items = self.state(items)?;
        if let Some(slot) = self.states.get_mut(index) {
            *slot = state;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_named_members_pass() {
        let schema = json!({
            "$ref": "#/$defs/node",
            "properties": {"labels": {"type": "object", "additionalProperties": {"type": "string"}}},
            "allOf": [{"properties": {"extra": {"type": "object", "properties": {"x": {}}}}}],
            "$defs": {"node": {"properties": {
                "name": {"type": "string"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                "open": {"type": "object"},
            }}},
        });
        let table = ShapeTable::of_schema(&schema, &["derived"]).unwrap();
        let value = json!({
            "name": "a", "hidden": 1, "open": {"unnamed": 1}, "labels": {"any": "thing"},
            "extra": {"x": 1, "y": 2}, "derived": {"deep": {"er": 1}},
            "children": [{"name": "b", "derived": {"no": 1}, "children": [{"hidden": 1}]}, 7],
        });
        assert_eq!(
            table.root().project(&value),
            json!({
                "name": "a", "open": {}, "labels": {"any": "thing"}, "extra": {"x": 1}, "derived": {"deep": {"er": 1}},
                "children": [{"name": "b", "children": [{}]}, 7],
            })
        );
    }

    #[test]
    fn a_reference_outside_the_file_is_an_error() {
        for reference in ["https://example.org/schema", "#/$defs/none", "other.json"] {
            assert!(ShapeTable::of_schema(&json!({"$ref": reference}), &[]).is_err());
        }
    }
}
