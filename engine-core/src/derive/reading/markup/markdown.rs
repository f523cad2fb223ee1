//! Markdown: links, images, and what only the author sees.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};
use regex::Regex;

use super::Reading;
use crate::derive::reading::part;

/// Definitions of references (`[//]: # (a comment)`); the parser keeps only the first of a name.
#[expect(clippy::expect_used, reason = "a literal that the tests compile")]
static DEFINITION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?m)^(?-u:[ \t>*+-]{0,20})(?P<definition>\[(?P<name>[^\[\]\n]{1,500})\]:[ \t]*\n?[ \t]*",
        r"(?:<(?P<angled>[^<>\n]{0,1000})>|(?P<plain>[^\s<]{1,2000}))",
        r#"(?:[ \t]*\n?[ \t]*(?:"(?P<double>[^"]{0,2000})"|'(?P<single>[^']{0,2000})'|\((?P<round>[^()]{0,2000})\)))?)[ \t]*$"#,
    ))
    .expect("the pattern is valid")
});

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
    let mut defined: Vec<(Range<usize>, &str, &str, Option<&str>)> = events
        .reference_definitions()
        .iter()
        .map(|(name, definition)| {
            (definition.span.clone(), name, definition.dest.as_ref(), definition.title.as_deref())
        })
        .collect();
    defined.sort_by_key(|(span, ..)| span.start);
    let starts: HashSet<usize> = defined.iter().map(|(span, ..)| span.start).collect();
    for found in DEFINITION.captures_iter(source) {
        let group = |name: &str| found.name(name).map(|part| part.as_str());
        let (Some(whole), Some(name)) = (found.name("definition"), group("name")) else { continue };
        // A note at the foot of the page is shown.
        if !starts.contains(&whole.start()) && !name.starts_with('^') {
            let target = group("angled").or_else(|| group("plain")).unwrap_or("");
            let title = group("double").or_else(|| group("single")).or_else(|| group("round"));
            defined.push((whole.range(), name, target, title));
        }
    }
    for (span, name, target, title) in defined {
        let key = name.to_lowercase();
        let is_used = linked.contains(&key) || pictured.contains(&key);
        if pictured.contains(&key) {
            reading.image(span.clone(), target);
        }
        if linked.contains(&key) || (!is_used && target.contains(':')) {
            reading.link(span.clone(), target);
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
