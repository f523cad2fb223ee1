//! What a JSON Schema finds wrong with a file, told so that whoever wrote the file can set it right.

use std::collections::HashSet;
use std::fmt::{self, Write};

use jsonschema::error::{ValidationError, ValidationErrorKind};
use serde_json::{Map, Value};

use super::{Document, nearest, with_nearest};
use crate::contract::{Pointer, json};
use crate::engine::{LoadError, LoadErrorKind};

/// The most errors that are told of one file: whoever set these right has found out about the others.
const MOST: usize = 20;
/// The most characters of a file's own text that stand in a message.
const QUOTED: usize = 80;
/// The most characters of a schema's text that stand in a message.
const EXPLAINED: usize = 400;

/// In a schema of alternatives that differ by their one key: what such a key is called.
const ALTERNATIVE: &str = "x-alternative";

/// Finds words for the violations of one file.
pub(super) struct Explainer<'d> {
    document: &'d Document,
    schema: &'d Value,
    errors: Vec<LoadError>,
}

impl<'d> Explainer<'d> {
    pub(super) fn new(document: &'d Document, schema: &'d Value) -> Self {
        Self { document, schema, errors: Vec::new() }
    }

    /// Everything that was explained, in the order of the file, each once; of very many only the first, and their number.
    pub(super) fn finish(self) -> Vec<LoadError> {
        let mut errors = self.errors;
        errors.sort_by(|a, b| a.location.cmp(&b.location));
        errors.dedup();
        let more = errors.len().saturating_sub(MOST);
        if let Some(next) = errors.get_mut(MOST) {
            let s = if more == 1 { "" } else { "s" };
            next.message = format!("and {more} more error{s} from here on");
            next.help = None;
            errors.truncate(MOST + 1);
        }
        errors
    }

    /// Tells of a violation. There is always something to tell: a file with a violation is never taken for one without.
    pub(super) fn explain(&mut self, violation: &ValidationError<'_>) {
        let told = self.errors.len();
        let place = Pointer::parse(&violation.instance_path().to_string());
        if let Ok(place) = &place {
            self.tell(place, violation);
        }
        if self.errors.len() == told {
            let place = place.unwrap_or_else(|_| Pointer::from_tokens::<String>([]));
            let why = cut(violation.masked_with(cut(violation.instance(), QUOTED)), EXPLAINED);
            self.refuse(&place, format!("{why}{}", within(&place)), violation);
        }
    }

    /// Tells of a violation in words of its kind, if there are any.
    fn tell(&mut self, place: &Pointer, violation: &ValidationError<'_>) {
        match violation.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                self.refuse_keys(place, unexpected, violation);
            }
            // So it is told where a schema names no key at all.
            ValidationErrorKind::FalseSchema
                if violation.schema_path().as_str().ends_with("/additionalProperties") =>
            {
                let members = place.get(&self.document.value).and_then(Value::as_object);
                self.refuse_keys(place, members.into_iter().flat_map(Map::keys), violation);
            }
            ValidationErrorKind::Required { property } => {
                let name = shown(property);
                let error = self.error(place, format!("the key `{name}` is missing{}", within(place)));
                let description = self
                    .schema_of(violation)
                    .and_then(|(schema, _)| self.description(schema.get("properties")?.get(&name)?));
                self.errors.push(helped(error, description.map(first_paragraph)));
            }
            ValidationErrorKind::Enum { options } => {
                self.refuse_word(place, options.as_array().into_iter().flatten(), violation);
            }
            ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
                if let Some(words) = words(context) {
                    return self.refuse_word(place, words, violation);
                }
                if self.refuse_alternative(place, violation) {
                    return;
                }
                // The alternative that fails deepest is the one the author meant.
                let meant = context.iter().max_by_key(|branch| {
                    branch.iter().map(|error| error.instance_path().to_string().matches('/').count()).max()
                });
                let deeper = meant
                    .into_iter()
                    .flatten()
                    .filter(|error| error.instance_path() != violation.instance_path());
                let before = self.errors.len();
                for error in deeper {
                    self.explain(error);
                }
                if self.errors.len() == before {
                    let mut told = HashSet::new();
                    let alternatives: Vec<String> = context
                        .iter()
                        .flatten()
                        .map(|error| error.masked_with("it").to_string())
                        .filter(|alternative| told.insert(alternative.clone()))
                        .collect();
                    let alternatives = cut(alternatives.join("; "), EXPLAINED);
                    let message =
                        format!("this fits none of what is allowed{}: {alternatives}", within(place));
                    self.refuse(place, message, violation);
                }
            }
            ValidationErrorKind::PropertyNames { error } => {
                let name = shown(error.instance());
                let why = cut(error.masked_with(format!("`{}`", cut(&name, QUOTED))), EXPLAINED);
                self.refuse(&place.child(name), format!("{why}{}", within(place)), violation);
            }
            ValidationErrorKind::UniqueItems if let Some((index, item)) = second(violation.instance()) => {
                let message = format!("`{}` stands twice{}", cut(item, QUOTED), within(place));
                self.refuse(&place.child(index.to_string()), message, violation);
            }
            ValidationErrorKind::FalseSchema | ValidationErrorKind::Not { .. } => {
                let found = cut(violation.instance(), QUOTED);
                self.refuse(place, format!("{found} is not allowed{}", within(place)), violation);
            }
            _ => {
                let found = cut(violation.instance(), QUOTED);
                let why = cut(violation.masked_with(found), EXPLAINED);
                self.refuse(place, format!("{why}{}", within(place)), violation);
            }
        }
    }

    /// That keys are none of those allowed at their place.
    fn refuse_keys<'k>(
        &mut self,
        place: &Pointer,
        unknown: impl IntoIterator<Item = &'k String>,
        violation: &ValidationError<'_>,
    ) {
        let known = names_beside(self.schema, &violation.schema_path().to_string());
        for name in unknown {
            let message = format!("unknown key `{}`{}", cut(name, QUOTED), within(place));
            let error = self.error(&place.child(name), message);
            self.errors.push(with_nearest(error, name, &known));
        }
    }

    /// That a value is none of those allowed at its place.
    fn refuse_word<'w>(
        &mut self,
        place: &Pointer,
        allowed: impl IntoIterator<Item = &'w Value>,
        violation: &ValidationError<'_>,
    ) {
        let found =
            place.get(&self.document.value).map_or_else(String::new, |value| cut(plain(value), QUOTED));
        // That a key may also be left out is nothing to choose.
        let known: Vec<String> = allowed.into_iter().filter(|value| !value.is_null()).map(shown).collect();
        let words = cut(known.join(", "), EXPLAINED);
        let error =
            self.error(place, format!("`{found}` is not allowed{}: use one of {words}", within(place)));
        self.errors.push(match nearest(&found, known.iter().map(String::as_str)) {
            Some(name) => error.help(format!("did you mean `{name}`?")),
            None => helped(error, self.description_of(violation)),
        });
    }

    /// Where alternatives differ by their one key: that a key is none of theirs, or that there is not one. Whether that is
    /// what is wrong.
    fn refuse_alternative(&mut self, place: &Pointer, violation: &ValidationError<'_>) -> bool {
        let Some(found) = place.get(&self.document.value).and_then(Value::as_object) else { return false };
        let keyword = violation.schema_path().to_string();
        let Some(known) = self.schema.pointer(&keyword).and_then(keys_of_alternatives) else { return false };
        let union = keyword.rsplit_once('/').and_then(|(union, _)| self.schema.pointer(union));
        let noun =
            union.and_then(|union| union.get(ALTERNATIVE)).and_then(Value::as_str).map_or("key", |noun| noun);
        let description = self.description_of(violation);
        let unknown: Vec<&String> = found.keys().filter(|name| !known.contains(name)).collect();
        for name in &unknown {
            let message = format!("unknown {noun} `{}`{}", cut(name, QUOTED), within(place));
            let near =
                nearest(name, known.iter().map(String::as_str)).map(|name| format!("did you mean `{name}`?"));
            let help: Vec<String> = near.into_iter().chain(description.clone()).collect();
            let error = self.error(&place.child(*name), message);
            self.errors.push(helped(error, (!help.is_empty()).then(|| help.join(" "))));
        }
        if unknown.is_empty() && found.len() != 1 {
            let message = format!("one {noun} is wanted{}, there are {}", within(place), found.len());
            let error = self.error(place, message);
            self.errors.push(helped(error, description));
            return true;
        }
        !unknown.is_empty()
    }

    /// An error that the schema's own words help with.
    fn refuse(&mut self, place: &Pointer, message: String, violation: &ValidationError<'_>) {
        let error = self.error(place, message);
        self.errors.push(helped(error, self.description_of(violation)));
    }

    fn error(&self, place: &Pointer, message: String) -> LoadError {
        self.document.error(LoadErrorKind::Invalid, place, message)
    }

    /// What the schema says of the place that a violation is about, or of the nearest one around it.
    fn description_of(&self, violation: &ValidationError<'_>) -> Option<String> {
        self.schema_of(violation)?.1.map(first_paragraph)
    }

    /// The schema that refused something, and the nearest description on the way to it. What is said of the whole file is
    /// none: it helps with no place in it.
    fn schema_of(&self, violation: &ValidationError<'_>) -> Option<(&'d Value, Option<&'d str>)> {
        let path = Pointer::parse(&violation.evaluation_path().to_string()).ok()?;
        let (_, to_schema) = path.tokens().split_last()?;
        let mut at = self.schema;
        let mut description = None;
        for token in to_schema {
            at = match token.as_str() {
                "$ref" => self.referred(at)?,
                _ => Pointer::from_tokens([token]).get(at)?,
            };
            description = self.description(at).or(description);
        }
        Some((at, description))
    }

    /// What a schema says of itself, or the one that it refers to.
    fn description(&self, schema: &'d Value) -> Option<&'d str> {
        let described = [Some(schema), self.referred(schema)];
        described.into_iter().flatten().find_map(|schema| schema.get("description")?.as_str())
    }

    /// The schema that a schema refers to inside its file.
    fn referred(&self, schema: &Value) -> Option<&'d Value> {
        self.schema.pointer(schema.get("$ref")?.as_str()?.strip_prefix('#')?)
    }
}

fn first_paragraph(text: &str) -> String {
    cut(text.split("\n\n").next().map_or(text, |paragraph| paragraph), EXPLAINED)
}

fn helped(error: LoadError, help: Option<String>) -> LoadError {
    match help {
        Some(help) => error.help(help),
        None => error,
    }
}

/// The values allowed at one place, if every alternative there is just a value: an enumeration whose values are documented
/// one by one is written so.
fn words<'e>(alternatives: &'e [Vec<ValidationError<'static>>]) -> Option<Vec<&'e Value>> {
    let mut words = Vec::new();
    for errors in alternatives {
        match errors.iter().map(ValidationError::kind).collect::<Vec<_>>().as_slice() {
            [ValidationErrorKind::Constant { expected_value }] => words.push(&**expected_value),
            [ValidationErrorKind::Enum { options }] => words.extend(options.as_array().into_iter().flatten()),
            _ => return None,
        }
    }
    Some(words)
}

/// The keys of alternatives each of which is an object of one key of its own, as the functions of `derive:` are.
fn keys_of_alternatives(alternatives: &Value) -> Option<Vec<String>> {
    let key = |alternative: &Value| {
        let [key] = alternative.get("required")?.as_array()?.as_slice() else { return None };
        let properties = alternative.get("properties")?.as_object()?;
        let is_closed = alternative.get("additionalProperties") == Some(&Value::Bool(false));
        (properties.len() == 1 && is_closed).then(|| key.as_str().map(str::to_owned)).flatten()
    };
    let mut keys: Vec<String> = alternatives.as_array()?.iter().map(key).collect::<Option<_>>()?;
    keys.sort();
    Some(keys)
}

/// The first item of a list that stood before, with its index.
fn second(list: &Value) -> Option<(usize, String)> {
    let mut seen = HashSet::new();
    let texts = list.as_array()?.iter().map(json::canonical).enumerate();
    texts.into_iter().find(|(_, text)| !seen.insert(text.clone()))
}

/// The member names that the schema object allows whose `additionalProperties` refused one.
fn names_beside(schema: &Value, keyword: &str) -> Vec<String> {
    let object = keyword.rsplit_once('/').and_then(|(parent, _)| schema.pointer(parent));
    let properties = object.and_then(|object| object.get("properties")).and_then(Value::as_object);
    let mut names: Vec<String> = properties.into_iter().flat_map(|members| members.keys().cloned()).collect();
    names.sort();
    names
}

fn within(place: &Pointer) -> String {
    if place.tokens().is_empty() {
        String::new()
    } else {
        format!(" in `{}`", cut(place.tokens().join("."), QUOTED))
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A text without its quotes, any other value as JSON.
fn plain(value: &Value) -> &dyn fmt::Display {
    match value {
        Value::String(text) => text,
        other => other,
    }
}

/// The beginning of a text. What comes after it is never written: a value may be as large as its file.
fn cut(text: impl fmt::Display, most: usize) -> String {
    let mut beginning = Beginning { text: String::new(), room: most };
    match write!(beginning, "{text}") {
        Ok(()) => beginning.text,
        Err(_) => beginning.text + "…",
    }
}

/// Takes so many characters, and refuses more.
struct Beginning {
    text: String,
    room: usize,
}

impl Write for Beginning {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            self.room = self.room.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(character);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn errors(schema: &Value, data: &Value) -> String {
        let document = Document::parse("data.json", data.to_string().as_bytes()).unwrap();
        document.check(schema).unwrap_err().to_string()
    }

    #[test]
    fn a_schema_helps_in_its_own_words() {
        let schema = json!({
            "description": "All there is.",
            "type": "object", "additionalProperties": false, "required": ["hosts"],
            "properties": {
                "hosts": {
                    "description": "Whole host names in lower case.\n\nNo ports.",
                    "type": "array", "uniqueItems": true, "items": {"type": "string", "pattern": "^[a-z.]+$"},
                },
                "caps": {
                    "description": "What may be spent.",
                    "propertyNames": {"description": "A class of agents.", "pattern": "^[a-z]+$"},
                    "additionalProperties": {"$ref": "#/$defs/cap"},
                },
                "mode": {"$ref": "#/$defs/mode"},
                "hot": false,
                "when": {"not": {"const": "never"}},
            },
            "$defs": {
                "cap": {
                    "type": "object", "required": ["cents"], "additionalProperties": false,
                    "properties": {"cents": {"description": "In euro cents.", "type": "integer"}},
                },
                "mode": {"description": "How strict it is.", "enum": ["lenient", "strict"]},
            },
        });
        // In the order of the alphabet, which objects are written in whether or not they keep their own.
        insta::assert_snapshot!(errors(&schema, &json!({
            "caps": {"Big": {"cents": 1}, "free": {"cents": "none"}, "odd": {"cent": 2, "cents": 1}, "small": {}},
            "host": [],
            "hosts": ["a.example", "B.example", "a.example", 5],
            "hot": 1, "mode": 7, "when": "never",
        })).replace("data.json:1:", ""), @r#"
        10: `Big` does not match "^[a-z]+$" in `caps` (A class of agents.)
        36: "none" is not of type "integer" in `caps.free.cents` (In euro cents.)
        59: unknown key `cent` in `caps.odd` (did you mean `cents`?)
        79: the key `cents` is missing in `caps.small` (In euro cents.)
        91: unknown key `host` (did you mean `hosts`?)
        122: "B.example" does not match "^[a-z.]+$" in `hosts.1` (Whole host names in lower case.)
        134: `"a.example"` stands twice in `hosts` (Whole host names in lower case.)
        146: 5 is not of type "string" in `hosts.3` (Whole host names in lower case.)
        149: 1 is not allowed in `hot`
        157: `7` is not allowed in `mode`: use one of lenient, strict (How strict it is.)
        166: "never" is not allowed in `when`
        "#);
        insta::assert_snapshot!(errors(&schema, &json!({"mode": "strikt"})), @r#"
        data.json:1:1: the key `hosts` is missing (Whole host names in lower case.)
        data.json:1:2: `strikt` is not allowed in `mode`: use one of lenient, strict (did you mean `strict`?)
        "#);
        // What is said of the whole file helps with nothing in it.
        insta::assert_snapshot!(errors(&schema, &json!([])), @r#"data.json:1:1: [] is not of type "object""#);
    }

    /// Where a kind has no words for a violation, it is told all the same.
    #[test]
    fn no_violation_is_passed_over() {
        let schema = json!({"properties": {"additionalProperties": false}});
        insta::assert_snapshot!(errors(&schema, &json!({"additionalProperties": 1})), @"data.json:1:2: False schema does not allow 1 in `additionalProperties`");
    }

    #[test]
    fn of_very_many_errors_the_first_are_told_and_the_number_of_the_others() {
        let schema = json!({"additionalProperties": {"type": "integer"}});
        let told = |count: usize| {
            let members: serde_json::Map<String, Value> =
                (0..count).map(|index| (format!("{index:04}"), json!("no"))).collect();
            let told = errors(&schema, &Value::Object(members));
            (told.lines().count(), told.lines().last().unwrap().split_once(": ").unwrap().1.to_owned())
        };
        assert_eq!(told(20), (20, "\"no\" is not of type \"integer\" in `0019`".to_owned()));
        assert_eq!(told(21), (21, "and 1 more error from here on".to_owned()));
        assert_eq!(told(500), (21, "and 480 more errors from here on".to_owned()));
    }

    #[test]
    fn no_message_holds_a_large_value() {
        let large: Vec<String> = (0..100_000).map(|index| format!("ä{index}")).collect();
        let long = "ö".repeat(100_000);
        for (schema, data) in [
            (json!({"type": "object"}), json!(large)),
            (json!({"maxItems": 5}), json!(large)),
            (json!({"properties": {"a": {"maxLength": 5}}}), json!({"a": long})),
            (json!({"properties": {"a": {"const": long}}}), json!({"a": 5})),
            (json!({"properties": {"a": {"enum": [5, "x"]}}}), json!({"a": long})),
            (json!({"properties": {"a": {"enum": large}}}), json!({"a": 5})),
            (json!({"properties": {"a": {"not": {"type": "string"}}}}), json!({"a": long})),
            (json!({"properties": {"a": false}}), json!({"a": long})),
            (json!({"properties": {"a": {"anyOf": [{"type": "null"}, {"const": long}]}}}), json!({"a": 5})),
            (json!({"additionalProperties": false}), json!({long.clone(): 1})),
            (json!({"propertyNames": {"maxLength": 3}}), json!({long.clone(): 1})),
            (json!({"additionalProperties": {"type": "null"}}), json!({long.clone(): 1})),
            (json!({"uniqueItems": true}), json!([long, long])),
            (json!({"properties": {"a": {"description": long, "type": "null"}}}), json!({"a": 5})),
        ] {
            let told = errors(&schema, &data);
            assert!(told.chars().count() < EXPLAINED + QUOTED * 2 + 100, "{}", cut(&told, 2000));
            assert!(told.contains('…'), "{told}");
        }
    }

    #[test]
    fn alternatives_of_one_key_are_told_by_their_name() {
        let function = |name: &str| {
            json!({
                "type": "object", "required": [name], "additionalProperties": false,
                "properties": {name: {"type": "object", "required": ["source"], "additionalProperties": false,
                    "properties": {"source": {"type": "string"}}}},
            })
        };
        let union = json!({
            "description": "One of those in the manual.", ALTERNATIVE: "function",
            "oneOf": [function("lower"), function("length"), function("plain")],
        });
        let schema = json!({"additionalProperties": {"$ref": "#/$defs/union"}, "$defs": {"union": union}});
        insta::assert_snapshot!(errors(&schema, &json!({
            "a": {"lowr": {"source": "/x"}}, "b": {"zzz": 1}, "c": {}, "d": {"lower": {"source": "/x"}, "plain": 1},
            "e": {"lower": {"sorce": "/x"}}, "f": {"lower": {"source": "/x"}, "sorce": 1}, "g": "lower",
        })).replace("data.json:1:", ""), @r#"
        7: unknown function `lowr` in `a` (did you mean `lower`? One of those in the manual.)
        36: unknown function `zzz` in `b` (One of those in the manual.)
        45: one function is wanted in `c`, there are 0 (One of those in the manual.)
        52: one function is wanted in `d`, there are 2 (One of those in the manual.)
        97: the key `source` is missing in `e.lower`
        106: unknown key `sorce` in `e.lower` (did you mean `source`?)
        150: unknown function `sorce` in `f` (One of those in the manual.)
        161: this fits none of what is allowed in `g`: it is not of type "object" (One of those in the manual.)
        "#);
    }
}
