//! One change of a policy file.

use std::ops::Range;

use tribunal_engine_core::engine::Mutation;

/// Characters of a change as people see it.
const SHOWN: usize = 60;

/// One change of a file's text.
pub(super) struct Edit {
    pub(super) mutation: Mutation,
    /// Where it is made, for people.
    pub(super) at: usize,
    /// What goes.
    pub(super) range: Range<usize>,
    /// What comes in its place: the first of these that Cedar accepts.
    pub(super) replacements: Vec<String>,
    /// What people see of it: the change with what it stands in, or the part of it that matters.
    pub(super) context: Range<usize>,
}

impl Edit {
    /// What stood there and what stands there now, each in one line.
    pub(super) fn shown(&self, text: &str, replacement: &str) -> (String, String) {
        let Edit { range, context, .. } = self;
        let part = |range: Range<usize>| text.get(range).map_or("", |part| part);
        if context.start <= range.start && range.end <= context.end {
            let (before, after) = (part(context.start..range.start), part(range.end..context.end));
            let was = one_line(part(context.clone()));
            let is = one_line(&format!("{before}{replacement}{after}"));
            if was.chars().count().max(is.chars().count()) <= SHOWN {
                return (was, is);
            }
            return (shortened(part(range.clone())), shortened(replacement));
        }
        (shortened(part(context.clone())), shortened(replacement))
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text in one line, its end left out if it is long.
pub(super) fn shortened(text: &str) -> String {
    let line = one_line(text);
    match line.char_indices().nth(SHOWN) {
        None => line,
        Some(_) => line.chars().take(SHOWN - 1).chain(['…']).collect(),
    }
}
