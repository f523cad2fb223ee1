//! Files that people write: YAML (JSON is YAML) read with the place of every value, and checked against a JSON Schema.
//!
//! One schema, generated from the Rust types, is what editors use, what is committed, and what finds every error at once
//! here: unknown keys with the nearest right name, wrong types, missing members, each with line and column.

mod violation;

use std::collections::HashMap;

use jsonschema::Validator;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, StrInput};
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};

use crate::contract::{Pointer, json};
use crate::engine::{LoadError, LoadErrorKind, LoadErrors};
use crate::limits::{Bytes, RequestBounds};
use crate::location::Location;
use violation::Explainer;

/// How deep a file may nest.
const MAX_DEPTH: usize = 64;
/// Files are as large as their pack may be; only their depth is bounded here.
const JSON_BOUNDS: RequestBounds =
    RequestBounds { size: Bytes(u64::MAX), depth: MAX_DEPTH, nodes: usize::MAX };

/// A file's content with the place of each value and key.
#[derive(Debug, Clone)]
pub struct Document {
    /// The file, as the user would name it.
    pub file: String,
    /// What it says.
    pub value: Value,
    /// Where a member's key, or an element, begins.
    places: HashMap<String, (usize, usize)>,
}

impl Document {
    /// Reads YAML 1.2 (core schema) without aliases and tags; a plain integer may have `_` between its digits.
    ///
    /// # Errors
    /// [`LoadErrorKind::Syntax`] with its place.
    pub fn parse(file: &str, text: &[u8]) -> Result<Self, LoadErrors> {
        let syntax =
            |message: String| LoadError::new(LoadErrorKind::Syntax, message).at(Location::new(file, 1, 1));
        let text =
            std::str::from_utf8(text).map_err(|error| syntax(format!("the file is not UTF-8: {error}")))?;
        let mut reader = Reader { file, events: Parser::new_from_str(text), places: HashMap::new() };
        let value = if file.ends_with(".json") || file.ends_with(".lock") {
            // Not every JSON text is YAML (`"\ud83d\ude00"`). The YAML reader only finds the places here.
            let value = json::read(text.as_bytes(), &JSON_BOUNDS).map_err(|fault| {
                let (message, location) = placed(file, text, fault.detail);
                LoadError::new(LoadErrorKind::Syntax, message).at(location)
            })?;
            if reader.document().is_err() {
                reader.places.clear();
            }
            value
        } else {
            reader.document()?
        };
        Ok(Self { file: file.to_owned(), value, places: reader.places })
    }

    /// The place of a value; of the nearest value around it that has one, otherwise.
    pub fn locate(&self, pointer: &Pointer) -> Location {
        let mut tokens = pointer.tokens().to_vec();
        loop {
            let place = self.places.get(&Pointer::from_tokens(tokens.clone()).to_string());
            if let Some((line, column)) = place {
                return Location::new(&self.file, *line, *column);
            }
            if tokens.pop().is_none() {
                return Location::new(&self.file, 1, 1);
            }
        }
    }

    /// An error at a value of this file.
    pub fn error(&self, kind: LoadErrorKind, pointer: &Pointer, message: impl Into<String>) -> LoadError {
        LoadError::new(kind, message).at(self.locate(pointer))
    }

    /// What a schema finds wrong: of very many errors the first, and how many more there are.
    ///
    /// # Errors
    /// [`LoadErrorKind::Invalid`], one for each violation.
    pub fn check(&self, schema: &Value) -> Result<(), LoadErrors> {
        LoadErrors::check(self.violations(&compile(schema)?, schema))
    }

    /// [`Document::check`] with a schema that was compiled before; `schema` is its text.
    pub(crate) fn violations(&self, validator: &Validator, schema: &Value) -> Vec<LoadError> {
        let mut explainer = Explainer::new(self, schema);
        for violation in validator.iter_errors(&self.value) {
            explainer.explain(&violation);
        }
        explainer.finish()
    }

    /// Checks against the schema and reads into the type it was generated from.
    ///
    /// # Errors
    /// Everything the schema finds; then whatever the type refuses that a schema cannot say.
    pub fn read<T: DeserializeOwned>(&self, schema: &Value) -> Result<T, LoadErrors> {
        self.check(schema)?;
        serde_json::from_value(self.value.clone()).map_err(|error| {
            self.error(LoadErrorKind::Invalid, &Pointer::from_tokens::<String>([]), error.to_string()).into()
        })
    }
}

/// What the JSON reader says, with the place at its end taken out and counted in characters.
fn placed(file: &str, text: &str, detail: String) -> (String, Location) {
    let place = || {
        let (message, place) = detail.rsplit_once(" at line ")?;
        let (line, column) = place.split_once(" column ")?;
        let (line, column): (usize, usize) = (line.parse().ok()?, column.parse().ok()?);
        let bytes = text.lines().nth(line.checked_sub(1)?).map_or("", |line| line).as_bytes();
        // The reader counts bytes, up to and with the one that it did not expect.
        let before = bytes.get(..column.saturating_sub(1).min(bytes.len()))?;
        let characters = String::from_utf8_lossy(before).chars().count();
        Some((message.to_owned(), Location::new(file, line, characters + 1)))
    };
    place().unwrap_or_else(|| (detail.clone(), Location::new(file, 1, 1)))
}

fn compile(schema: &Value) -> Result<Validator, LoadErrors> {
    crate::pack::schema::compile(schema).map_err(|error| LoadError::new(LoadErrorKind::Invalid, error).into())
}

/// Adds the nearest right name, if one is near enough to have been meant.
pub fn with_nearest(error: LoadError, wrong: &str, known: &[String]) -> LoadError {
    match nearest(wrong, known.iter().map(String::as_str)) {
        Some(name) => error.help(format!("did you mean `{name}`?")),
        None if known.is_empty() || known.len() > 20 => error,
        None => error.help(format!("known here: {}", known.join(", "))),
    }
}

/// The known name that is nearest to a wrong one, if it is near enough to have been meant.
pub fn nearest<'n>(wrong: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let scored = known.into_iter().map(|name| (strsim::jaro_winkler(wrong, name), name));
    scored.filter(|(score, _)| *score > 0.75).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

/// Builds values out of the parser's events, so that depth is bounded before anything is built.
struct Reader<'t> {
    file: &'t str,
    events: Parser<'t, StrInput<'t>>,
    places: HashMap<String, (usize, usize)>,
}

impl<'t> Reader<'t> {
    fn document(&mut self) -> Result<Value, LoadError> {
        let (first, _) = self.next()?;
        debug_assert!(matches!(first, Event::StreamStart));
        let (event, marker) = self.next()?;
        match event {
            Event::StreamEnd => return Err(self.refuse(&marker, "the file is empty")),
            Event::DocumentStart(_) => {}
            _ => return Err(self.refuse(&marker, "a document was expected")),
        }
        let (event, marker) = self.next()?;
        let value = self.value(event, &marker, &Pointer::from_tokens::<String>([]), MAX_DEPTH)?;
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(value),
                (Event::DocumentEnd, _) => {}
                (_, marker) => return Err(self.refuse(&marker, "the file holds more than one document")),
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, Marker), LoadError> {
        match self.events.next_event() {
            Some(Ok((event, span))) => Ok((event, span.start)),
            Some(Err(error)) => {
                let marker = *error.marker();
                Err(self.refuse(&marker, error.info()))
            }
            None => Err(LoadError::new(LoadErrorKind::Syntax, "the file ends too early")
                .at(Location::new(self.file, 1, 1))),
        }
    }

    fn refuse(&self, marker: &Marker, message: impl Into<String>) -> LoadError {
        let location = Location::new(self.file, marker.line(), marker.col() + 1);
        LoadError::new(LoadErrorKind::Syntax, message).at(location)
    }

    fn value(
        &mut self,
        event: Event<'t>,
        marker: &Marker,
        place: &Pointer,
        depth: usize,
    ) -> Result<Value, LoadError> {
        self.places.entry(place.to_string()).or_insert((marker.line(), marker.col() + 1));
        let depth = depth
            .checked_sub(1)
            .ok_or_else(|| self.refuse(marker, format!("nested more than {MAX_DEPTH} levels deep")))?;
        match event {
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => Err(self.refuse(marker, "tags are not allowed")),
            Event::Scalar(text, ScalarStyle::Plain, _, None) => plain(&text).ok_or_else(|| {
                self.refuse(marker, format!("`{text}` is not a number that can be held exactly"))
            }),
            Event::Scalar(text, ..) => Ok(Value::String(text.into_owned())),
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    let (event, marker) = self.next()?;
                    if matches!(event, Event::SequenceEnd) {
                        return Ok(Value::Array(items));
                    }
                    let place = place.child(items.len().to_string());
                    items.push(self.value(event, &marker, &place, depth)?);
                }
            }
            Event::MappingStart(..) => {
                let mut members = Map::new();
                loop {
                    let (event, marker) = self.next()?;
                    let name = match event {
                        Event::MappingEnd => return Ok(Value::Object(members)),
                        Event::Scalar(name, _, _, None) => name.into_owned(),
                        _ => return Err(self.refuse(&marker, "a key is a text")),
                    };
                    if members.contains_key(&name) {
                        return Err(self.refuse(&marker, format!("the key `{name}` stands twice")));
                    }
                    let place = place.child(&name);
                    self.places.insert(place.to_string(), (marker.line(), marker.col() + 1));
                    let (event, marker) = self.next()?;
                    let value = self.value(event, &marker, &place, depth)?;
                    members.insert(name, value);
                }
            }
            Event::Alias(_) => Err(self.refuse(marker, "aliases are not allowed")),
            _ => Err(self.refuse(marker, "a value was expected")),
        }
    }
}

/// A plain scalar by the core schema of YAML 1.2 (section 10.3.2), without its octal and hexadecimal integers and its
/// infinities; `None` for a number that neither an `i64`, a `u64` nor a finite `f64` can hold.
fn plain(text: &str) -> Option<Value> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        "true" | "True" | "TRUE" => return Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Some(Value::Bool(false)),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_integer = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.ends_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    if is_integer {
        let number = text.replace('_', "");
        let number = number.strip_prefix('+').unwrap_or(&number);
        let exact =
            number.parse::<i64>().map(Number::from).or_else(|_| number.parse::<u64>().map(Number::from));
        return exact.ok().map(Value::Number);
    }
    let is_float = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.contains(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'-' | b'+'));
    match text.parse::<f64>() {
        Ok(float) if is_float && json::is_exact(text.trim_start_matches('+')) => {
            Number::from_f64(float).map(Value::Number)
        }
        Ok(_) if is_float => None,
        _ => Some(Value::String(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Value {
        json!({
            "type": "object", "additionalProperties": false, "required": ["name"],
            "properties": {
                "name": {"type": "string"},
                "limits": {"type": "object", "additionalProperties": false, "properties": {"fuel": {"type": "integer"}}},
                "token": {"enum": ["none", "optional", "required"]},
            },
        })
    }

    fn errors(text: &str) -> String {
        let document = Document::parse("pack.yaml", text.as_bytes());
        document.and_then(|document| document.check(&schema())).expect_err(text).to_string()
    }

    #[test]
    fn every_error_has_its_place_and_the_nearest_name() {
        insta::assert_snapshot!(errors("limits:\n  feul: 5\n  fuel: lots\ntoken: requird\nversion: 1\n"), @r#"
        pack.yaml:1:1: the key `name` is missing
        pack.yaml:2:3: unknown key `feul` in `limits` (did you mean `fuel`?)
        pack.yaml:3:3: "lots" is not of type "integer" in `limits.fuel`
        pack.yaml:4:1: `requird` is not allowed in `token`: use one of none, optional, required (did you mean `required`?)
        pack.yaml:5:1: unknown key `version` (known here: limits, name, token)
        "#);
    }

    #[test]
    fn a_word_that_is_none_of_those_documented_one_by_one_is_refused_as_one() {
        let schema = json!({"properties": {"effect": {"oneOf": [{"const": "allow"}, {"const": "deny"}]}}});
        let document = Document::parse("case.yaml", b"effect: alow\n").unwrap();
        insta::assert_snapshot!(
            document.check(&schema).unwrap_err(),
            @"case.yaml:1:1: `alow` is not allowed in `effect`: use one of allow, deny (did you mean `allow`?)"
        );
    }

    #[test]
    fn what_does_not_parse_is_refused_with_its_place() {
        let deep = format!("{}{}", "[".repeat(80), "]".repeat(80));
        for (text, says) in [
            ("", "empty"),
            ("a: 1\na: 2\n", "pack.yaml:2:1: the key `a` stands twice"),
            ("a: [1\n", "pack.yaml:"),
            ("a: &x 1\nb: *x\n", "pack.yaml:2:4: aliases"),
            ("a: !!str 1\n", "tags"),
            ("a: 1\n---\nb: 2\n", "more than one document"),
            ("a: 123456789012345678901234567890\n", "exactly"),
            (&deep, "levels deep"),
        ] {
            assert!(errors(text).contains(says), "{text}: {}", errors(text));
        }
    }

    #[test]
    fn json_that_does_not_parse_is_refused_with_its_place() {
        for (text, says) in [
            ("", "data.json:1:1: EOF"),
            ("{\n  \"ä\": \"ö\",]\n}", "data.json:2:12: "),
            ("{\"a\": 1,\n \"a\": 2}", "data.json:2:"),
            ("{\"a\": 1}\nx", "data.json:2:1: trailing"),
            ("{\"a\": 1e400}", "data.json:1:"),
        ] {
            let found = Document::parse("data.json", text.as_bytes()).unwrap_err().to_string();
            assert!(found.starts_with(says) && !found.contains("at line"), "{text}: {found}");
        }
    }

    #[test]
    fn scalars_follow_yaml_1_2() {
        let text = "a: yes\nb: 5_000_000\nc: '1'\nd: 1.5\ne:\nf: true\ng: 010\nh: 1.2.0\ni: -3\n";
        let document = Document::parse("f", text.as_bytes()).unwrap();
        let expected = json!({
            "a": "yes", "b": 5_000_000, "c": "1", "d": 1.5, "e": null, "f": true, "g": 10, "h": "1.2.0", "i": -3,
        });
        assert_eq!(document.value, expected);
    }
}
