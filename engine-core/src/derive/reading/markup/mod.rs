//! HTML and Markdown: what a reader sees and does not see, and where links and images lead.
//!
//! Nobody knows who will render a text, so it is read as Markdown and twice as HTML, with and without the elements whose
//! content is no markup (`<script>`, `<textarea>`, …): what is hidden, a link or an image to one of them is so.

mod html;
mod markdown;
mod style;

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::fold::{TooDeep, clean, plain};
use super::{Segment, part};

/// What there is in a text besides its words.
#[derive(Debug, Clone, Default)]
pub(in crate::derive) struct Markup {
    /// What a reader sees, line by line.
    pub(in crate::derive) visible: String,
    /// What a reader does not see, folded.
    pub(in crate::derive) hidden: Vec<Segment>,
    /// Where links lead.
    pub(in crate::derive) links: Vec<Segment>,
    /// Where images and other things that are fetched unasked come from.
    pub(in crate::derive) images: Vec<Segment>,
}

/// What one reading finds; texts are as written, or as the reading decodes them.
#[derive(Debug, Default)]
struct Reading {
    hidden: Vec<Segment>,
    links: Vec<Segment>,
    images: Vec<Segment>,
    /// What is shown, in order.
    shown: Vec<Range<usize>>,
    /// Where lines end that the source does not end.
    breaks: Vec<usize>,
}

impl Reading {
    fn hide(&mut self, span: Range<usize>, text: impl Into<String>) {
        self.hidden.push(Segment { span, text: text.into() });
    }

    fn link(&mut self, span: Range<usize>, text: impl Into<String>) {
        self.links.push(Segment { span, text: text.into() });
    }

    fn image(&mut self, span: Range<usize>, text: impl Into<String>) {
        self.images.push(Segment { span, text: text.into() });
    }
}

/// URLs that stand in a text as they are.
#[expect(clippy::expect_used, reason = "a literal that the tests compile")]
static BARE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)(?:\bhttps?://|\bdata:(?:[a-z]{1,20}/[a-z0-9.+-]{1,60})?(?:;[a-z0-9=-]{1,60}){0,4},)[^\s<>"'`]+"#)
        .expect("the pattern is valid")
});

/// Reads a text.
///
/// # Errors
/// Where what is hidden cannot be folded.
pub(in crate::derive) fn read(source: &str) -> Result<Markup, TooDeep> {
    let markdown = markdown::read(source);
    let (html, literal) = html::read(source);
    let visible = visible(source, &html, &markdown.shown);
    let mut markup = Markup { visible, ..Markup::default() };
    for reading in [Some(markdown), Some(html), literal].into_iter().flatten() {
        markup.hidden.extend(reading.hidden);
        markup.links.extend(reading.links);
        markup.images.extend(reading.images);
    }
    for segment in &mut markup.hidden {
        segment.text = plain(&segment.text)?.text().trim().to_owned();
    }
    for segment in markup.links.iter_mut().chain(&mut markup.images) {
        segment.text = clean(&segment.text).text().chars().filter(|char| !char.is_ascii_control()).collect();
        segment.text = segment.text.trim().to_owned();
    }
    for segments in [&mut markup.hidden, &mut markup.links, &mut markup.images] {
        segments.retain(|segment| !segment.text.is_empty() && !part(source, segment.span.clone()).is_empty());
        segments
            .sort_by(|a, b| (a.span.start, a.span.end, &a.text).cmp(&(b.span.start, b.span.end, &b.text)));
        segments.dedup();
    }
    let bare = bare(source, &markup);
    markup.links.extend(bare);
    markup.links.sort_by_key(|segment| (segment.span.start, segment.span.end));
    Ok(markup)
}

/// URLs that no link or image holds.
fn bare(source: &str, markup: &Markup) -> Vec<Segment> {
    let mut held: Vec<&Range<usize>> =
        markup.links.iter().chain(&markup.images).map(|segment| &segment.span).collect();
    held.sort_by_key(|span| span.start);
    let mut held = held.into_iter().peekable();
    let mut end = 0;
    let mut found = Vec::new();
    for url in BARE.find_iter(source) {
        while let Some(span) = held.next_if(|span| span.start <= url.start()) {
            end = end.max(span.end);
        }
        let text = url.as_str().trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '}', '*', '_']);
        if url.start() >= end {
            found.push(Segment { span: url.start()..url.start() + text.len(), text: text.to_owned() });
        }
    }
    found
}

/// What both a browser and a reader of Markdown show.
fn visible(source: &str, html: &Reading, markdown: &[Range<usize>]) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut breaks = html.breaks.iter().copied().peekable();
    let mut end_of_last = 0;
    for shown in intersection(&html.shown, markdown) {
        let is_broken = part(source, end_of_last..shown.start).contains('\n')
            || std::iter::from_fn(|| breaks.next_if(|at| *at <= shown.start)).count() > 0;
        if is_broken {
            lines.push(std::mem::take(&mut line));
        }
        end_of_last = shown.end;
        let read = clean(part(source, shown));
        for (index, piece) in read.text().split('\n').enumerate() {
            if index > 0 {
                lines.push(std::mem::take(&mut line));
            }
            line.push_str(piece);
        }
    }
    lines.push(line);
    let words = |line: &String| line.split_whitespace().collect::<Vec<_>>().join(" ");
    lines.iter().map(words).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// What lies in both of two lists of ranges, each in order and without overlaps.
fn intersection(one: &[Range<usize>], other: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut ones, mut others) = (one.iter().peekable(), other.iter().peekable());
    while let (Some(a), Some(b)) = (ones.peek(), others.peek()) {
        let both = a.start.max(b.start)..a.end.min(b.end);
        if both.start < both.end {
            found.push(both);
        }
        if a.end <= b.end {
            ones.next();
        } else {
            others.next();
        }
    }
    found
}
