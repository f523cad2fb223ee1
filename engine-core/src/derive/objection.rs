//! What is wrong with a declaration, or with the data that it reads, and where.

use serde_json::Value;

use super::spec::DeriveSpec;
use crate::contract::Pointer;
use crate::document::Document;
use crate::engine::{LoadError, LoadErrorKind};

/// What is wrong with a declaration.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Objection {
    place: Place,
    message: String,
}

#[derive(Debug, Clone, PartialEq)]
enum Place {
    /// In what the manifest says of the function.
    Declaration(Vec<String>),
    /// In the pack's data.
    Data(Pointer),
}

impl Objection {
    /// At a place under the function's name in the manifest.
    pub(super) fn at(place: &[&str], message: impl Into<String>) -> Self {
        let place = place.iter().map(|&token| token.to_owned()).collect();
        Self { place: Place::Declaration(place), message: message.into() }
    }

    /// At a place in the pack's data.
    pub(super) fn in_data(place: Pointer, message: impl Into<String>) -> Self {
        Self { place: Place::Data(place), message: message.into() }
    }

    /// As an error, with the place it stands at.
    pub(super) fn placed(
        self,
        name: &str,
        spec: &DeriveSpec,
        manifest: &Document,
        data: PackData<'_>,
    ) -> LoadError {
        let Self { place, message } = self;
        match (place, data.file) {
            (Place::Declaration(below), _) => {
                let place =
                    ["derive", name, spec.function()].into_iter().chain(below.iter().map(String::as_str));
                manifest.error(LoadErrorKind::Invalid, &Pointer::from_tokens(place), message)
            }
            (Place::Data(place), Some(file)) => {
                let message = format!("{message} (`derive.{name}` of the manifest reads it)");
                file.error(LoadErrorKind::Invalid, &place, message)
            }
            (Place::Data(place), None) => {
                let message =
                    format!("`{place}` of the data: {message} (`derive.{name}` of the manifest reads it)");
                LoadError::new(LoadErrorKind::Invalid, message)
            }
        }
    }
}

impl From<Objection> for Vec<Objection> {
    fn from(objection: Objection) -> Self {
        vec![objection]
    }
}

/// The pack's data in force, with its file where that is at hand.
#[derive(Debug, Clone, Copy)]
pub struct PackData<'d> {
    value: &'d Value,
    file: Option<&'d Document>,
}

impl<'d> From<&'d Document> for PackData<'d> {
    fn from(file: &'d Document) -> Self {
        Self { value: &file.value, file: Some(file) }
    }
}

impl<'d> From<&'d Value> for PackData<'d> {
    fn from(value: &'d Value) -> Self {
        Self { value, file: None }
    }
}

impl<'d> PackData<'d> {
    pub(super) fn value(&self) -> &'d Value {
        self.value
    }
}
