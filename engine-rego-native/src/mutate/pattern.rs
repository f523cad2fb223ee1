//! Globs and regular expressions, a little wider or narrower.

use std::ops::Range;

use regorus::unstable::{Expr, Ref};
use tribunal_engine_core::engine::{Form, Mutation};

use super::edit::Edit;
use super::site::Site;
use crate::text::Text;

/// A character of a literal and where it is written, which is longer where it is escaped.
pub(crate) type Character = (char, Range<usize>);

/// The changes of a pattern, or of the delimiters of one.
pub(crate) fn expression(site: &Site<'_, '_, '_>, expr: &Expr, edits: &mut Vec<Edit>) {
    match expr {
        Expr::String { .. } | Expr::RawString { .. } => {
            let characters = characters(site.text, expr);
            if site.forms(expr).any(|form| matches!(form, Form::Glob(_))) {
                glob(site, &characters, edits);
            }
            if site.forms(expr).any(|form| *form == Form::Regex) {
                regex(site, &characters, edits);
            }
        }
        Expr::Call { fcn, params, .. } if site.builtin(fcn).as_deref() == Some("glob.match") => {
            if let [_, delimiters, _] = params.as_slice() {
                delimiters_out(site, delimiters, edits);
            }
        }
        _ => {}
    }
}

/// The characters of a literal.
pub(crate) fn characters(text: &Text<'_>, expr: &Expr) -> Vec<Character> {
    let range = text.expression(expr);
    let start = range.start + 1;
    let written = text.slice(start..range.end.saturating_sub(1));
    let escapes = matches!(expr, Expr::String { .. });
    let mut found = Vec::new();
    let mut chars = written.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        let mut value = char;
        if escapes && char == '\\' {
            // `\u` and four digits; the pairs of what lies beyond are two characters here, and left alone.
            let length = if chars.peek().is_some_and(|(_, char)| *char == 'u') { 5 } else { 1 };
            for _ in 0..length {
                value = chars.next().map_or(value, |(_, char)| char);
            }
            value = match (length, value) {
                (1, 'n') => '\n',
                (1, 't') => '\t',
                (1, 'r') => '\r',
                (1, value) => value,
                _ => char::REPLACEMENT_CHARACTER,
            };
        }
        let end = chars.peek().map_or(written.len(), |(next, _)| *next);
        found.push((value, start + at..start + end));
    }
    found
}

/// Makes each run of `*` shorter, longer and nothing.
fn glob(site: &Site<'_, '_, '_>, characters: &[Character], edits: &mut Vec<Edit>) {
    let mut run: Option<Range<usize>> = None;
    let mut escaped = false;
    for (char, range) in characters.iter().map(|(char, range)| (*char, range.clone())).chain([('\0', 0..0)]) {
        if char == '*' && !escaped {
            run = Some(run.map_or(range.start, |run| run.start)..range.end);
            continue;
        }
        escaped = char == '\\' && !escaped;
        if let Some(run) = run.take() {
            let other = if run.len() == 1 { "**" } else { "*" };
            edits.push(site.replace(Mutation::ChangePattern, run.clone(), other));
            edits.push(site.remove(Mutation::ChangePattern, run.clone(), run));
        }
    }
}

/// Takes out all delimiters, and each of several.
fn delimiters_out(site: &Site<'_, '_, '_>, delimiters: &Ref<Expr>, edits: &mut Vec<Edit>) {
    let Expr::Array { items, .. } = delimiters.as_ref() else { return };
    if !items.is_empty() {
        edits.push(site.replace(Mutation::ChangePattern, site.text.expression(delimiters), "[]"));
    }
    if items.len() > 1 {
        for dropped in 0..items.len() {
            let kept: Vec<&str> = (0..)
                .zip(items)
                .filter(|(index, _)| *index != dropped)
                .map(|(_, item)| site.text.slice(site.text.expression(item)))
                .collect();
            let list = format!("[{}]", kept.join(", "));
            edits.push(site.replace(Mutation::ChangePattern, site.text.expression(delimiters), list));
        }
    }
}

/// A group of a regular expression, or all of it.
struct Group {
    /// Where each of its alternatives begins, and where the last one ends.
    starts: Vec<usize>,
}

/// Takes out `(?i)`, each anchor and each alternative.
fn regex(site: &Site<'_, '_, '_>, characters: &[Character], edits: &mut Vec<Edit>) {
    let at = |index: usize| characters.get(index).map(|(char, _)| *char);
    // Where the character at an index begins, or where the last one ends.
    let end = characters.last().map_or(0, |(_, range)| range.end);
    let place = |index: usize| characters.get(index).map_or(end, |(_, range)| range.start);
    let mut out = |from: usize, to: usize| {
        let range = place(from)..place(to);
        edits.push(site.remove(Mutation::ChangePattern, range.clone(), range));
    };
    let mut open = vec![Group { starts: vec![0] }];
    let mut index = 0;
    while let Some(char) = at(index) {
        let mut next = index + 1;
        match char {
            '\\' => next += 1,
            '[' => next = class_end(characters, index),
            '^' | '$' => out(index, index + 1),
            '|' => {
                if let Some(group) = open.last_mut() {
                    group.starts.push(index + 1);
                }
            }
            '(' => {
                next = group_start(characters, index);
                if let Some(flag) = (index + 2..next)
                    .find(|flag| at(*flag) == Some('i'))
                    .filter(|_| at(index + 1) == Some('?') && !matches!(at(index + 2), Some('P' | '<')))
                {
                    // `(?i)` goes as a whole.
                    if next - index == 4 && at(next - 1) == Some(')') {
                        out(index, next);
                    } else {
                        out(flag, flag + 1);
                    }
                }
                // Flags in brackets of their own are no group.
                if at(next - 1) != Some(')') || next == index + 1 {
                    open.push(Group { starts: vec![next] });
                }
            }
            ')' => {
                if let Some(group) = open.pop() {
                    alternatives(&group, index, &mut out);
                }
            }
            _ => {}
        }
        index = next;
    }
    if let Some(group) = open.first() {
        alternatives(group, characters.len(), &mut out);
    }
}

fn alternatives(group: &Group, end: usize, out: &mut impl FnMut(usize, usize)) {
    if group.starts.len() < 2 {
        return;
    }
    for (index, start) in group.starts.iter().enumerate() {
        match group.starts.get(index + 1) {
            Some(next) => out(*start, *next),
            // The last one goes with the bar before it.
            None => out(start.saturating_sub(1), end),
        }
    }
}

/// The index after a class in square brackets.
fn class_end(characters: &[Character], start: usize) -> usize {
    let at = |index: usize| characters.get(index).map(|(char, _)| *char);
    let mut index = start + 1;
    if at(index) == Some('^') {
        index += 1;
    }
    // A bracket that stands first stands for itself.
    if at(index) == Some(']') {
        index += 1;
    }
    while let Some(char) = at(index) {
        match char {
            ']' => return index + 1,
            '\\' => index += 2,
            '[' if at(index + 1) == Some(':') => {
                index += 2;
                while at(index).is_some_and(|char| char != ']') {
                    index += 1;
                }
                index += 1;
            }
            _ => index += 1,
        }
    }
    index
}

/// The index after what opens a group: `(`, `(?:`, `(?P<name>`, `(?i:`; or after flags on their own, `(?i)`.
fn group_start(characters: &[Character], start: usize) -> usize {
    let at = |index: usize| characters.get(index).map(|(char, _)| *char);
    if at(start + 1) != Some('?') {
        return start + 1;
    }
    let closing: &[char] = if matches!(at(start + 2), Some('P' | '<')) { &['>'] } else { &[':', ')'] };
    let mut index = start + 2;
    while at(index).is_some_and(|char| !closing.contains(&char)) {
        index += 1;
    }
    index + 1
}
