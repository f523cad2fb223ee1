//! JSON Schemas over requests and data, held by the host before any engine sees either.

use std::fmt;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use super::shape::ShapeTable;
use crate::contract::Pointer;
use crate::document::Document;
use crate::engine::{LoadError, LoadErrorKind};

/// A compiled JSON Schema (draft 2020-12 unless it says otherwise), and the members it names.
pub struct InputSchema {
    document: Value,
    validator: Validator,
    shape: ShapeTable,
}

impl InputSchema {
    /// Compiles a schema; `open` are members outside it that count as named, as `derived` does.
    ///
    /// References leave the document nowhere: nothing is fetched. Patterns are matched in linear time.
    ///
    /// # Errors
    /// What is wrong with the schema.
    pub fn compile(document: Value, open: &[&str]) -> Result<Self, String> {
        let validator = compile(&document)?;
        let shape = ShapeTable::of_schema(&document, open)?;
        Ok(Self { document, validator, shape })
    }

    /// The first violation, with its place in the value; the value itself is not quoted.
    pub fn violation(&self, value: &Value) -> Option<String> {
        violation(&self.validator, value)
    }

    /// The schema as it was written.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Which members the schema names.
    pub fn shape(&self) -> &ShapeTable {
        &self.shape
    }
}

impl fmt::Debug for InputSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InputSchema").field("document", &self.document).finish_non_exhaustive()
    }
}

/// A compiled JSON Schema of a pack's data, and of any that takes its place.
#[derive(Debug)]
pub struct DataSchema {
    document: Value,
    validator: Validator,
}

impl DataSchema {
    /// Compiles a schema, as [`InputSchema::compile`] does.
    ///
    /// # Errors
    /// What is wrong with the schema.
    pub fn compile(document: Value) -> Result<Self, String> {
        Ok(Self { validator: compile(&document)?, document })
    }

    /// What is wrong with data, told as for every file that people write.
    pub fn violations(&self, data: &Document) -> Vec<LoadError> {
        data.violations(&self.validator, &self.document)
    }
}

/// That data is an object, as every engine needs it, and fits its schema if there is one.
pub fn check_data(data: &Document, schema: Option<&DataSchema>) -> Vec<LoadError> {
    if data.value.is_object() {
        return schema.map_or_else(Vec::new, |schema| schema.violations(data));
    }
    let root = Pointer::from_tokens::<String>([]);
    vec![data.error(LoadErrorKind::Invalid, &root, "data must be an object")]
}

/// Compiles a schema without anything fetched and with patterns in linear time.
///
/// # Errors
/// What is wrong with the schema.
pub fn compile(document: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .with_pattern_options(PatternOptions::regex())
        .build(document)
        .map_err(|error| format!("{error} at `{}`", error.instance_path()))
}

/// The first violation of a schema, masked: a denial's detail must not quote what it denies.
pub fn violation(validator: &Validator, value: &Value) -> Option<String> {
    let error = validator.iter_errors(value).next()?;
    let place = error.instance_path().to_string();
    let place = if place.is_empty() { "the request".to_owned() } else { format!("`{place}`") };
    Some(format!("{place}: {}", error.masked()))
}
