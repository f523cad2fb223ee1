//! Cedar's diagnostics as load errors with their places.

use miette::Diagnostic;
use tribunal_engine_core::engine::{LoadError, LoadErrorKind};
use tribunal_engine_core::location::Location;

/// A diagnostic of a text. Its first label is its place; without one it stands at `fallback`, a byte offset.
pub(crate) fn located(
    kind: LoadErrorKind,
    diagnostic: &dyn Diagnostic,
    file: &str,
    text: &str,
    fallback: usize,
) -> LoadError {
    let offset =
        diagnostic.labels().and_then(|mut labels| labels.next()).map_or(fallback, |label| label.offset());
    let mut message = chain(diagnostic);
    if let Some(label) = diagnostic
        .labels()
        .and_then(|mut labels| labels.next().and_then(|label| label.label().map(str::to_owned)))
    {
        message = format!("{message}: {label}");
    }
    let error = LoadError::new(kind, message).at(Location::of_offset(file, text, offset));
    match diagnostic.help() {
        Some(help) => error.help(help.to_string()),
        None => error,
    }
}

/// An error's message and those of its causes.
pub(crate) fn chain(error: &(impl std::error::Error + ?Sized)) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !message.ends_with(&text) {
            message = format!("{message}: {text}");
        }
        cause = error.source();
    }
    message
}
