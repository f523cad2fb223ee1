//! A change of a text.

use std::ops::Range;

use tribunal_engine_core::engine::Mutation;

/// Characters of a text that are shown.
const SHOWN: usize = 60;

/// One range of a text, and what takes its place.
#[derive(Debug)]
pub(crate) struct Edit {
    pub(crate) mutation: Mutation,
    /// What is shown to have stood there.
    pub(crate) before: String,
    /// What is shown to stand there now.
    pub(crate) after: String,
    range: Range<usize>,
    replacement: String,
    at: usize,
}

impl Edit {
    /// Puts something in the place of a range.
    pub(crate) fn replace(
        mutation: Mutation,
        text: &str,
        range: Range<usize>,
        replacement: impl Into<String>,
    ) -> Self {
        let replacement = replacement.into();
        let before = shortened(text.get(range.clone()).unwrap_or(""));
        Self { mutation, before, after: shortened(&replacement), at: range.start, range, replacement }
    }

    /// Takes a range out, of which this part is worth showing.
    pub(crate) fn remove(mutation: Mutation, text: &str, range: Range<usize>, shown: Range<usize>) -> Self {
        let before = shortened(text.get(shown.clone()).unwrap_or(""));
        Self { mutation, before, after: String::new(), at: shown.start, range, replacement: String::new() }
    }

    /// Shows more of the change than the range.
    pub(crate) fn show(&mut self, before: &str, after: &str) {
        (self.before, self.after) = (shortened(before), shortened(after));
    }

    /// Where the change is shown to begin.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The text with the change made.
    pub(crate) fn of(&self, text: &str) -> Option<String> {
        let (before, after) = (text.get(..self.range.start)?, text.get(self.range.end..)?);
        Some(format!("{before}{}{after}", self.replacement))
    }
}

/// A text on one line, its end left out where it is long.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= SHOWN {
        return line;
    }
    line.chars().take(SHOWN - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_one_short_line() {
        assert_eq!(shortened("a\n\t b"), "a b");
        let long = shortened(&"é ".repeat(60));
        assert_eq!((long.chars().count(), long.chars().last()), (60, Some('…')));
    }
}
