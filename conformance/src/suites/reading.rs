//! The files of suites.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use tribunal::core::location::Location;

use super::SuiteError;

/// That something cannot be read.
pub(crate) fn unreadable(path: &Path) -> impl Fn(io::Error) -> SuiteError {
    move |error| SuiteError::Io { path: path.to_owned(), error }
}

/// A file's text.
pub(crate) fn text(path: &Path) -> Result<String, SuiteError> {
    fs::read_to_string(path).map_err(unreadable(path))
}

/// The folders in a folder, or the files in it whose names end so, sorted.
pub(crate) fn entries(folder: &Path, wanted: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>, SuiteError> {
    let entries = fs::read_dir(folder).map_err(unreadable(folder))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
    let mut paths: Vec<PathBuf> =
        paths.map_err(unreadable(folder))?.into_iter().filter(|path| wanted(path)).collect();
    paths.sort();
    Ok(paths)
}

/// Whether a path is that of a JSON file.
pub(crate) fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json")
}

/// The last part of a path without its extension.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}

/// A JSON text as a type. `file` and `line`, counted from 1, say where it begins.
pub(crate) fn json<T: DeserializeOwned>(file: &str, line: usize, text: &str) -> Result<T, SuiteError> {
    serde_json::from_str(text).map_err(|error| {
        let location = Location::new(file, line + error.line().saturating_sub(1), error.column().max(1));
        // The message ends with the place inside the text, which is not that inside the file.
        let said = error.to_string();
        let message = said.split(" at line ").next().map_or(said.clone(), str::to_owned);
        SuiteError::Syntax { location, message }
    })
}

#[cfg(any(feature = "wasm", feature = "rego-native"))]
/// A JSON text as a value of Rego, whose numbers are exact.
pub(crate) fn rego(file: &str, line: usize, text: &str) -> Result<tribunal_rego_builtins::Value, SuiteError> {
    tribunal_rego_builtins::Value::parse_json(text).or_else(|error| {
        // The other reader tells the place, of whatever it refuses too.
        json::<serde::de::IgnoredAny>(file, line, text)?;
        Err(SuiteError::Syntax { location: Location::new(file, line, 1), message: error.to_string() })
    })
}
