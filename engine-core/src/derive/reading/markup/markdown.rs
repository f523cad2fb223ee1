//! Markdown: links, images, and what only the author sees.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::LazyLock;

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};
use regex::Regex;

use super::Reading;
use crate::derive::reading::part;

/// Where a definition of a reference begins (`[//]: # (a comment)`); the parser keeps only the first of a name.
#[expect(clippy::expect_used, reason = "a literal that the tests compile")]
static DEFINITION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^[ \t>*+-]*(?P<label>\[(?P<name>[^\[\]\n]+)\]:)").expect("the pattern is valid")
});

/// The longest title of a definition that is looked for, in bytes: a quotation mark may be followed by no other.
const LONGEST_TITLE: usize = 2_000;

/// A definition of a reference.
struct Definition<'s> {
    span: Range<usize>,
    name: &'s str,
    target: &'s str,
    title: Option<&'s str>,
}

/// A definition as the parser reads it, wherever it does.
struct Known {
    span: Range<usize>,
    name: String,
    target: String,
    title: Option<String>,
}

/// An image that is being read.
struct Image {
    span: Range<usize>,
    alternative: String,
}

/// Reads a text as Markdown.
pub(super) fn read(source: &str) -> Reading {
    let mut reading = Reading::default();
    let mut images: Vec<Image> = Vec::new();
    // The names by which links and images refer to definitions.
    let (mut linked, mut pictured) = (HashSet::new(), HashSet::new());
    let (mut notes, mut noted) = (Vec::new(), HashSet::new());
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_FOOTNOTES;
    let mut events = Parser::new_ext(source, options).into_offset_iter();
    for (event, span) in events.by_ref() {
        match event {
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                if is_reference(link_type) {
                    linked.insert(id.to_lowercase());
                } else {
                    reading.link(span.clone(), dest_url.as_ref());
                    reading.hide(span, title.as_ref());
                }
            }
            Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
                if is_reference(link_type) {
                    pictured.insert(id.to_lowercase());
                } else {
                    reading.image(span.clone(), dest_url.as_ref());
                    reading.hide(span.clone(), title.as_ref());
                }
                images.push(Image { span, alternative: String::new() });
            }
            Event::End(TagEnd::Image) => {
                if let Some(image) = images.pop() {
                    reading.hide(image.span, image.alternative);
                }
            }
            Event::Start(Tag::FootnoteDefinition(name)) => notes.push((name, span)),
            Event::FootnoteReference(name) => {
                noted.insert(name);
            }
            Event::Start(Tag::CodeBlock(pulldown_cmark::CodeBlockKind::Fenced(info)))
                if info.contains(' ') =>
            {
                // What follows the language of a fence is not shown.
                let line = part(source, span.clone()).lines().next().map_or(0, str::len);
                reading.hide(span.start..span.start + line, info.as_ref());
            }
            Event::Text(text) | Event::Code(text) if !images.is_empty() => {
                if let Some(image) = images.last_mut() {
                    image.alternative.push_str(&text);
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some(image) = images.last_mut() {
                    image.alternative.push(' ');
                }
            }
            Event::Text(_) | Event::Html(_) | Event::InlineHtml(_) => show(&mut reading, span),
            Event::Code(_) => {
                let written = part(source, span.clone());
                let start = written.len() - written.trim_start_matches('`').len();
                let end = written.trim_end_matches('`').len();
                show(&mut reading, span.start + start.min(end)..span.start + end);
            }
            _ => {}
        }
    }
    // Many leave out a note that nothing refers to.
    for (name, span) in notes {
        if !noted.contains(&name) {
            reading.hide(span.clone(), part(source, span));
        }
    }
    let mut known: HashMap<usize, Known> = HashMap::new();
    for (name, definition) in events.reference_definitions().iter() {
        let known_one = Known {
            span: definition.span.clone(),
            name: name.to_owned(),
            target: definition.dest.as_ref().to_owned(),
            title: definition.title.as_deref().map(str::to_owned),
        };
        known.insert(definition.span.start, known_one);
    }
    let mut all = Vec::new();
    for found in definitions(source) {
        // Where the parser reads one too, it knows better how far it goes.
        all.push(known.remove(&found.span.start).unwrap_or_else(|| Known {
            span: found.span,
            name: found.name.to_owned(),
            target: found.target.to_owned(),
            title: found.title.map(str::to_owned),
        }));
    }
    // Those that only the parser reads: with a name that goes on in the next line, or holds a bracket.
    all.extend(known.into_values());
    for Known { span, name, target, title } in all {
        let key = name.to_lowercase();
        let is_used = linked.contains(&key) || pictured.contains(&key);
        if pictured.contains(&key) {
            reading.image(span.clone(), target.as_str());
        }
        if linked.contains(&key) || (!is_used && target.contains(':')) {
            reading.link(span.clone(), target.as_str());
        }
        if let Some(title) = title {
            reading.hide(span.clone(), title);
        }
        // The name of a definition that nothing refers to is not shown either.
        if !is_used {
            reading.hide(span, name);
        }
    }
    reading
}

/// Definitions of references, also those of a name that is defined already.
fn definitions(source: &str) -> impl Iterator<Item = Definition<'_>> {
    DEFINITION.captures_iter(source).filter_map(|found| {
        let (label, name) = (found.name("label")?, found.name("name")?);
        // A note at the foot of the page is shown.
        if name.as_str().starts_with('^') {
            return None;
        }
        let after_label = skip_blank(source, label.end());
        let rest = part(source, after_label..source.len());
        let (target, end) = match rest.strip_prefix('<') {
            Some(inside) => {
                let length = inside.find(['>', '\n'])?;
                (part(inside, 0..length), after_label + 1 + length + 1)
            }
            None => {
                let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
                (part(rest, 0..length), after_label + length)
            }
        };
        let titled = title(source, skip_blank(source, end));
        let (title, end) = titled.map_or((None, end), |(title, end)| (Some(title), end));
        // `<>` is a target as well: `[comment]: <> (…)`.
        (!target.is_empty() || rest.starts_with('<')).then_some(Definition {
            span: label.start()..end,
            name: name.as_str(),
            target,
            title,
        })
    })
}

/// The title that stands at a place, and where it ends.
fn title(source: &str, at: usize) -> Option<(&str, usize)> {
    let rest = part(source, at..source.len());
    let open = rest.chars().next()?;
    let close = match open {
        '"' | '\'' => open,
        '(' => ')',
        _ => return None,
    };
    let inside = rest.get(1..)?;
    let length = inside.bytes().take(LONGEST_TITLE).position(|byte| char::from(byte) == close)?;
    Some((part(inside, 0..length), at + 1 + length + 1))
}

/// The place after blanks and at most one line end.
fn skip_blank(source: &str, at: usize) -> usize {
    let rest = part(source, at..source.len());
    let rest = rest.trim_start_matches([' ', '\t']);
    let rest = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n')).unwrap_or(rest);
    source.len() - rest.trim_start_matches([' ', '\t']).len()
}

/// Adds what is shown; events come in order but for some that lie inside another.
fn show(reading: &mut Reading, span: Range<usize>) {
    let start = reading.shown.last().map_or(span.start, |last| last.end.max(span.start));
    if start < span.end {
        reading.shown.push(start..span.end);
    }
}

fn is_reference(link_type: LinkType) -> bool {
    matches!(
        link_type,
        LinkType::Reference
            | LinkType::ReferenceUnknown
            | LinkType::Collapsed
            | LinkType::CollapsedUnknown
            | LinkType::Shortcut
            | LinkType::ShortcutUnknown
    )
}
