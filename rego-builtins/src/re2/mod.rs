//! RE2 syntax as Go's `regexp` reads it, run by the linear-time `regex` crate.
//!
//! [`translate`] parses a pattern by Go's rules, refuses what Go refuses, and writes an equivalent pattern in which
//! nothing depends on the `regex` crate's own reading: every flag is spelled out at the atom it concerns, classes are
//! written as ranges, `\d`, `\w`, `\s` and `\b` are ASCII, Unicode properties are those of Go's Unicode version.

mod class;
mod parser;

use crate::builtin::Failure;
use crate::cache::Cache;
use crate::limits;

pub(crate) use parser::{Translation, translate};

/// A compiled pattern and the names of its groups (the whole match is group 0).
#[derive(Debug)]
pub(crate) struct Regex {
    pub(crate) matcher: regex::Regex,
    pub(crate) names: Vec<Option<String>>,
}

thread_local! {
    static CACHE: Cache<Regex> = const { Cache::new() };
}

/// The compiled pattern, from this thread's cache if it is there.
pub(crate) fn compile(pattern: &str) -> Result<std::rc::Rc<Regex>, Failure> {
    CACHE.with(|cache| cache.get_or_make(pattern, || build(pattern)))
}

fn build(pattern: &str) -> Result<Regex, Failure> {
    let Translation { pattern, names } = translate(pattern)?;
    let matcher = regex::RegexBuilder::new(&pattern)
        .size_limit(limits::MAX_COMPILED_BYTES)
        .nest_limit(limits::MAX_PATTERN_NESTING)
        .build()
        .map_err(|error| Failure::new(format!("pattern exceeds the limits of the engine: {error}")))?;
    Ok(Regex { matcher, names })
}
