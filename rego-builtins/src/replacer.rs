//! Go's `strings.Replacer`: several replacements in one pass, earlier pairs first.

use std::collections::BTreeMap;

use crate::builtin::{Failure, fail};
use crate::limits;
use crate::strings::too_long;

pub(crate) struct Replacer<'a> {
    /// What replaces the empty string, if anything does, and its priority.
    empty: Option<(usize, &'a str)>,
    /// The pairs by the first byte of what they replace, in order of priority.
    by_first: BTreeMap<u8, Vec<(usize, &'a str, &'a str)>>,
}

impl<'a> Replacer<'a> {
    pub(crate) fn new(pairs: Vec<(&'a str, &'a str)>) -> Self {
        let mut replacer = Replacer { empty: None, by_first: BTreeMap::new() };
        for (priority, (old, new)) in pairs.into_iter().enumerate() {
            match old.as_bytes().first() {
                None => replacer.empty = replacer.empty.or(Some((priority, new))),
                Some(first) => replacer.by_first.entry(*first).or_default().push((priority, old, new)),
            }
        }
        replacer
    }

    /// # Errors
    /// If the result is longer than [`limits::MAX_STRING_BYTES`], or would not be UTF-8: Go replaces the empty
    /// string between the bytes of a character too.
    pub(crate) fn replace(&self, text: &str) -> Result<String, Failure> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        let mut after_empty = false;
        loop {
            if out.len() > limits::MAX_STRING_BYTES {
                return too_long();
            }
            let empty = if after_empty { None } else { self.empty };
            let found = rest
                .as_bytes()
                .first()
                .and_then(|first| self.by_first.get(first)?.iter().find(|(_, old, _)| rest.starts_with(old)));
            match (empty, found) {
                (Some((priority, new)), other) if other.is_none_or(|(p, ..)| priority < *p) => {
                    out.push_str(new);
                    after_empty = true;
                }
                (_, Some((_, old, new))) => {
                    out.push_str(new);
                    rest = rest.strip_prefix(old).unwrap_or("");
                    after_empty = false;
                }
                _ => {
                    let mut chars = rest.chars();
                    let Some(c) = chars.next() else {
                        return Ok(out);
                    };
                    if self.empty.is_some() && c.len_utf8() > 1 {
                        return fail("replacing the empty string would split a character");
                    }
                    out.push(c);
                    rest = chars.as_str();
                    after_empty = false;
                }
            }
        }
    }
}
