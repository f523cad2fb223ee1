//! A text made from another, which knows which bytes of that it came from.

use std::ops::Range;

/// A text and the way back to its source.
#[derive(Debug, Clone, Default)]
pub(in crate::derive) struct Mapped {
    text: String,
    pieces: Vec<Piece>,
}

/// A run of the text, up to the next piece.
#[derive(Debug, Clone)]
struct Piece {
    /// Where it starts in the text.
    at: usize,
    /// Where it came from.
    source: Range<usize>,
    /// Whether each of its characters came from one as long, in the same order.
    is_even: bool,
}

impl Mapped {
    /// What it says.
    pub(in crate::derive) fn text(&self) -> &str {
        &self.text
    }

    /// Appends one character that came from these bytes.
    pub(super) fn push(&mut self, char: char, source: Range<usize>) {
        let is_even = char.len_utf8() == source.len();
        match self.pieces.last_mut() {
            Some(last) if is_even && last.is_even && last.source.end == source.start => {
                last.source.end = source.end;
            }
            // Several characters from one: one piece.
            Some(last) if last.source == source => last.is_even = false,
            _ => self.pieces.push(Piece { at: self.text.len(), source, is_even }),
        }
        self.text.push(char);
    }

    /// Appends a text that was made from what stands at a place of the source.
    pub(super) fn append(&mut self, read: &Self, at: usize) {
        for (index, char) in read.text.char_indices() {
            let source = read.source(index..index + char.len_utf8());
            self.push(char, at + source.start..at + source.end);
        }
    }

    /// The bytes of the source from the first to the last character of a part of the text.
    pub(in crate::derive) fn source(&self, part: Range<usize>) -> Range<usize> {
        let (Some(first), Some(last)) = (self.piece(part.start), self.piece(part.end.saturating_sub(1)))
        else {
            return 0..0;
        };
        let start = first.source.start + if first.is_even { part.start - first.at } else { 0 };
        let end = if last.is_even { last.source.start + (part.end - last.at) } else { last.source.end };
        start..end.max(start)
    }

    /// This text, made of a text that was itself made from another.
    pub(in crate::derive) fn over(&self, below: &Self) -> Self {
        let mut whole = Self::default();
        for (at, char) in self.text.char_indices() {
            whole.push(char, below.source(self.source(at..at + char.len_utf8())));
        }
        whole
    }

    fn piece(&self, at: usize) -> Option<&Piece> {
        let after = self.pieces.partition_point(|piece| piece.at <= at);
        self.pieces.get(after.checked_sub(1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_leads_back_to_what_it_came_from() {
        // "ab&amp;é" read as "ab&e"
        let mut mapped = Mapped::default();
        for (char, source) in [('a', 0..1), ('b', 1..2), ('&', 2..7), ('e', 7..9)] {
            mapped.push(char, source);
        }
        assert_eq!(mapped.text(), "ab&e");
        assert_eq!(mapped.source(0..2), 0..2);
        assert_eq!(mapped.source(1..3), 1..7);
        assert_eq!(mapped.source(2..3), 2..7);
        assert_eq!(mapped.source(3..4), 7..9);
    }

    #[test]
    fn several_characters_of_one_lead_back_to_all_of_it() {
        let mut mapped = Mapped::default();
        for (char, source) in [('x', 0..1), ('f', 1..4), ('i', 1..4), ('y', 4..5)] {
            mapped.push(char, source);
        }
        assert_eq!(mapped.source(1..2), 1..4);
        assert_eq!(mapped.source(2..4), 1..5);
    }
}
