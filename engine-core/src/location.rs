//! A place in a file that somebody wrote.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// File, line and column; line and column count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
pub struct Location {
    /// The file, as the user would name it.
    pub file: String,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Location {
    /// A place.
    pub fn new(file: impl Into<String>, line: usize, column: usize) -> Self {
        Self { file: file.into(), line, column }
    }

    /// The place of a byte offset in a text; an offset beyond the end is the end.
    pub fn of_offset(file: impl Into<String>, text: &str, offset: usize) -> Self {
        let mut end = offset.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let before = text.get(..end).map_or("", |before| before);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(line_start..).map_or(0, |line| line.chars().count());
        Self { file: file.into(), line: before.matches('\n').count() + 1, column: column + 1 }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_counted_in_lines_and_characters() {
        let text = "één\nzwei\n";
        assert_eq!(Location::of_offset("f", text, 0).to_string(), "f:1:1");
        assert_eq!(Location::of_offset("f", text, 2).to_string(), "f:1:2");
        assert_eq!(Location::of_offset("f", text, 6).to_string(), "f:2:1");
        assert_eq!(Location::of_offset("f", text, 999).to_string(), "f:3:1");
    }
}
