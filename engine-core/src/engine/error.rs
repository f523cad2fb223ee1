//! Why a pack is refused at load.

use std::fmt;

use crate::location::Location;

/// What the reader of a load error can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LoadErrorKind {
    /// The engine is not there: not built in, or its artefact was never made. Only this lets a configured fallback in.
    EngineAbsent,
    /// A file the pack needs is missing.
    MissingFile,
    /// A text does not parse.
    Syntax,
    /// A text parses but says something that is not allowed or makes no sense.
    Invalid,
    /// The engine cannot do what the pack asks.
    Unsupported,
    /// The policy calls a built-in that the host does not have.
    MissingBuiltin,
    /// An artefact is not what the lock or its sources say it is.
    Artefact,
    /// A policy is larger or deeper than the engine can hold.
    Bounds,
}

/// One thing wrong with a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError {
    /// What kind of thing.
    pub kind: LoadErrorKind,
    /// What, for people.
    pub message: String,
    /// Where, if it stands in a file.
    pub location: Option<Location>,
    /// What to do about it, if that can be said.
    pub help: Option<String>,
}

impl LoadError {
    /// An error without a place.
    pub fn new(kind: LoadErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), location: None, help: None }
    }

    /// The same with its place.
    #[must_use]
    pub fn at(mut self, location: Location) -> Self {
        self.location = Some(location);
        self
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(location) = &self.location {
            write!(f, "{location}: ")?;
        }
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for LoadError {}

/// Everything found wrong with a pack; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadErrors(Vec<LoadError>);

impl LoadErrors {
    /// `Err` if anything was found.
    ///
    /// # Errors
    /// What was found.
    pub fn check(errors: Vec<LoadError>) -> Result<(), LoadErrors> {
        if errors.is_empty() { Ok(()) } else { Err(LoadErrors(errors)) }
    }

    /// What was found.
    pub fn iter(&self) -> std::slice::Iter<'_, LoadError> {
        self.0.iter()
    }

    /// Whether a configured fallback may stand in: only when the engine is not there at all.
    pub fn is_absence(&self) -> bool {
        self.0.iter().all(|error| error.kind == LoadErrorKind::EngineAbsent)
    }

    /// Whether any of them is of this kind.
    pub fn has(&self, kind: LoadErrorKind) -> bool {
        self.0.iter().any(|error| error.kind == kind)
    }
}

impl From<LoadError> for LoadErrors {
    fn from(error: LoadError) -> Self {
        Self(vec![error])
    }
}

impl Extend<LoadError> for LoadErrors {
    fn extend<I: IntoIterator<Item = LoadError>>(&mut self, more: I) {
        self.0.extend(more);
    }
}

impl IntoIterator for LoadErrors {
    type Item = LoadError;
    type IntoIter = std::vec::IntoIter<LoadError>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for LoadErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for LoadErrors {}
