//! Patterns made wider or narrower: an alternative or a flag left out, a repetition, a class or an anchor changed.

use std::ops::Range;

/// A pattern's character and where it stands in the file.
type Character = (char, Range<usize>);

/// A group that is open: where its first alternative begins, and its `|`s.
struct Group {
    start: usize,
    bars: Vec<usize>,
}

/// The edits of a pattern in a file of this text: what is replaced, and by what.
pub(super) fn edits(pattern: &[Character], text: &str) -> Vec<(Range<usize>, String)> {
    let mut reader = Reader { pattern, text, edits: Vec::new(), class: None, quantifier: None };
    reader.read();
    reader.trailing();
    reader.edits
}

struct Reader<'p> {
    pattern: &'p [Character],
    text: &'p str,
    edits: Vec<(Range<usize>, String)>,
    /// The last class, and the last repetition without a number.
    class: Option<Range<usize>>,
    quantifier: Option<usize>,
}

impl Reader<'_> {
    fn at(&self, index: usize) -> Option<char> {
        self.pattern.get(index).map(|(c, _)| *c)
    }

    /// Where characters stand in the file.
    fn span(&self, range: Range<usize>) -> Range<usize> {
        let start = self.pattern.get(range.start).map_or(0, |(_, span)| span.start);
        let last = range.end.checked_sub(1).and_then(|last| self.pattern.get(last));
        start..last.map_or(start, |(_, span)| span.end)
    }

    fn replace(&mut self, range: Range<usize>, with: &str) {
        let span = self.span(range);
        self.edits.push((span, with.to_owned()));
    }

    /// Where `wanted` stands next, from an index on.
    fn next(&self, wanted: char, from: usize) -> Option<usize> {
        (from..self.pattern.len()).find(|index| self.at(*index) == Some(wanted))
    }

    fn read(&mut self) {
        let mut open = vec![Group { start: 0, bars: Vec::new() }];
        let mut index = 0;
        while let Some(c) = self.at(index) {
            let mut next = index + 1;
            match c {
                '\\' => {
                    // An unescaped `.` is the mistake everybody makes.
                    if self.at(index + 1) == Some('.') {
                        self.replace(index..index + 2, ".");
                    }
                    next = index + 2;
                }
                '[' => {
                    next = self.class_end(index);
                    self.class = Some(index..next);
                }
                '(' => next = self.group(index, &mut open),
                ')' => {
                    if let Some(group) = open.pop() {
                        self.alternatives(&group, index);
                    }
                }
                '|' => {
                    if let Some(group) = open.last_mut() {
                        group.bars.push(index);
                    }
                }
                '{' => next = self.repetition(index),
                '^' | '$' => self.replace(index..index + 1, ""),
                '*' | '+' | '?' => {
                    self.quantifier = Some(index);
                    // A `?` behind a repetition says how to look for a match, not whether there is one.
                    if self.at(index + 1) == Some('?') {
                        next = index + 2;
                    }
                }
                _ => {}
            }
            index = next;
        }
        if let Some(group) = open.pop() {
            self.alternatives(&group, index);
        }
    }

    /// Reads what stands between a `(` and the first alternative.
    fn group(&mut self, index: usize, open: &mut Vec<Group>) -> usize {
        let mut start = index + 1;
        if self.at(start) == Some('?') {
            let end = (start..self.pattern.len()).find(|at| matches!(self.at(*at), Some(':' | '>' | ')')));
            let end = end.unwrap_or(start);
            let named = self.at(end) == Some('>');
            let negated = self.next('-', start).is_some_and(|at| at < end);
            let flags = start + 1..end;
            if !named && !negated {
                let alone = self.at(end) == Some(')') && flags.len() == 1;
                for flag in flags {
                    self.replace(if alone { index..end + 1 } else { flag..flag + 1 }, "");
                }
            }
            start = end + 1;
            if self.at(end) == Some(')') {
                // Flags for what follows: they belong to no alternative.
                if let Some(group) = open.last_mut().filter(|group| group.start == index) {
                    group.start = start;
                }
                return start;
            }
        }
        open.push(Group { start, bars: Vec::new() });
        start
    }

    /// Each alternative of a group left out.
    fn alternatives(&mut self, Group { start, bars }: &Group, end: usize) {
        if let Some(first) = bars.first() {
            self.replace(*start..first + 1, "");
        }
        let ends = bars.iter().skip(1).copied().chain([end]);
        for (bar, end) in bars.iter().zip(ends) {
            self.replace(*bar..end, "");
        }
    }

    /// Where a class ends: behind its `]`.
    fn class_end(&self, start: usize) -> usize {
        let mut index = start + 1;
        if self.at(index) == Some('^') {
            index += 1;
        }
        if self.at(index) == Some(']') {
            index += 1;
        }
        while let Some(c) = self.at(index) {
            match c {
                ']' => return index + 1,
                '\\' => index += 2,
                '[' => index = self.class_end(index),
                _ => index += 1,
            }
        }
        index
    }

    /// `{n}`, `{n,}` and `{n,m}`, each number one more and one less.
    fn repetition(&mut self, open: usize) -> usize {
        let Some(close) = self.next('}', open) else { return open + 1 };
        let mut number = open + 1;
        for index in open + 1..=close {
            if self.at(index).is_some_and(|c| c.is_ascii_digit()) {
                continue;
            }
            let digits: String = (number..index).filter_map(|index| self.at(index)).collect();
            if let Ok(count) = digits.parse::<u32>() {
                for other in [count.checked_sub(1), count.checked_add(1)].into_iter().flatten() {
                    self.replace(number..index, &other.to_string());
                }
            }
            number = index + 1;
        }
        close + 1
    }

    /// The last class turned round, and the last repetition made another.
    fn trailing(&mut self) {
        if let Some(class) = self.class.clone() {
            let inner = class.start + 1;
            let (from, opening) = if self.at(inner) == Some('^') { (inner + 1, "[") } else { (inner, "[^") };
            let rest = self.text.get(self.span(from..class.end)).unwrap_or("");
            let turned = format!("{opening}{rest}");
            self.replace(class, &turned);
        }
        if let Some(index) = self.quantifier {
            let other = match self.at(index) {
                Some('*') => "+",
                Some('+') => "*",
                _ => "",
            };
            self.replace(index..index + 1, other);
        }
    }
}
