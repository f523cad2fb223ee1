//! HTML as a browser takes it: a WHATWG tokenizer, and as much of a tree as it takes to know what is hidden.

use std::collections::HashMap;
use std::convert::Infallible;
use std::ops::Range;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

use super::Reading;
use super::style::{Background, Colour, Sheet, Style, are_alike, colour, urls};
use crate::derive::reading::part;

/// A token with its place in the source.
#[derive(Debug)]
enum Event {
    Start(Tag),
    End {
        name: String,
        span: Range<usize>,
    },
    Text(Range<usize>),
    Comment {
        text: String,
        span: Range<usize>,
    },
    /// What a browser reads and shows nobody: attributes of an end tag, a document type, a tag that never ends.
    Dropped {
        text: String,
        span: Range<usize>,
    },
}

#[derive(Debug)]
struct Tag {
    name: String,
    span: Range<usize>,
    attributes: Vec<Attribute>,
}

#[derive(Debug)]
struct Attribute {
    name: String,
    value: String,
    /// From the name to the closing quote.
    span: Range<usize>,
}

impl Tag {
    fn value(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == name)
            .map(|attribute| attribute.value.as_str())
    }
}

/// Reads a text as HTML; and, if it has elements whose content is no markup, as if it had none.
pub(super) fn read(source: &str) -> (Reading, Option<Reading>) {
    let events = events(source, true);
    let mut sheet = Sheet::default();
    let mut is_style = false;
    let mut has_raw = false;
    for event in &events {
        match event {
            Event::Start(tag) => {
                is_style = tag.name == "style";
                has_raw |= html5gum::naive_next_state(tag.name.as_bytes()).is_some();
            }
            Event::Text(span) if is_style => sheet.add(part(source, span.clone())),
            _ => is_style = false,
        }
    }
    let literal = has_raw.then(|| walk(source, self::events(source, false), &sheet));
    (walk(source, events, &sheet), literal)
}

fn events(source: &str, switches: bool) -> Vec<Event> {
    let mut events = Vec::new();
    let mut open: Option<Tag> = None;
    // How far the source has come out of the tokenizer: of a tag that never ends nothing does.
    let mut told = 0;
    let read = |event: CallbackEvent<'_>, span: Span<usize>| -> Option<Infallible> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let Span { start, end } = span;
        let is_whole = matches!(
            event,
            CallbackEvent::CloseStartTag { .. }
                | CallbackEvent::EndTag { .. }
                | CallbackEvent::String { .. }
                | CallbackEvent::Comment { .. }
                | CallbackEvent::Doctype { .. }
        );
        if is_whole {
            told = end;
        }
        match event {
            CallbackEvent::OpenStartTag { name } => {
                open = Some(Tag { name: text(name), span: start..end, attributes: Vec::new() });
            }
            CallbackEvent::AttributeName { name } => {
                if let Some(tag) = &mut open {
                    tag.attributes.push(Attribute {
                        name: text(name),
                        value: String::new(),
                        span: start..end,
                    });
                }
            }
            CallbackEvent::AttributeValue { value } => {
                if let Some(attribute) = open.as_mut().and_then(|tag| tag.attributes.last_mut()) {
                    attribute.value = text(value);
                    let is_quoted = matches!(source.as_bytes().get(end), Some(b'"' | b'\''));
                    attribute.span.end = if is_quoted { end + 1 } else { end };
                }
            }
            CallbackEvent::CloseStartTag { .. } => {
                if let Some(mut tag) = open.take() {
                    tag.span.end = end;
                    events.push(Event::Start(tag));
                }
            }
            CallbackEvent::EndTag { name } => {
                let written = part(source, start..end);
                let attributes = part(written, 2 + name.len()..written.len()).trim_end_matches('>').trim();
                if !attributes.is_empty() {
                    events.push(Event::Dropped { text: attributes.to_owned(), span: start..end });
                }
                events.push(Event::End { name: text(name), span: start..end });
            }
            CallbackEvent::String { .. } => events.push(Event::Text(start..end)),
            CallbackEvent::Comment { value } => {
                events.push(Event::Comment { text: text(value), span: start..end });
            }
            CallbackEvent::Doctype { .. } => {
                let kind = part(source, start..end).trim_start_matches("<!").trim_end_matches('>');
                let kind = part(kind, "doctype".len()..kind.len()).trim();
                if !kind.eq_ignore_ascii_case("html") {
                    events.push(Event::Dropped { text: kind.to_owned(), span: start..end });
                }
            }
            CallbackEvent::Error(_) => {}
        }
        None
    };
    let mut emitter = CallbackEmitter::new(read);
    emitter.naively_switch_states(switches);
    let Ok(()) = Tokenizer::new_with_emitter(source, emitter).finish();
    let rest = part(source, told..source.len());
    if !rest.is_empty() {
        events.push(Event::Dropped { text: rest.to_owned(), span: told..source.len() });
    }
    events
}

/// An open element.
#[derive(Debug)]
struct Open {
    name: String,
    colour: Colour,
    background: Background,
    /// Whether the hidden text that is being gathered began here.
    begins_hidden: bool,
}

struct Walk<'s> {
    source: &'s str,
    sheet: &'s Sheet,
    open: Vec<Open>,
    /// How many elements of a name are open, so that an end tag that ends none costs nothing.
    names: HashMap<String, usize>,
    /// The text of the outermost hidden element, and where it starts.
    hidden: Option<(usize, String)>,
    reading: Reading,
}

fn walk(source: &str, events: Vec<Event>, sheet: &Sheet) -> Reading {
    let mut walk = Walk {
        source,
        sheet,
        open: Vec::new(),
        names: HashMap::new(),
        hidden: None,
        reading: Reading::default(),
    };
    for event in events {
        match event {
            Event::Start(tag) => walk.start(&tag),
            Event::End { name, span } => walk.end(&name, span),
            Event::Text(span) => walk.text(span),
            Event::Comment { text, span } | Event::Dropped { text, span } => walk.reading.hide(span, text),
        }
    }
    walk.close_down_to(0, source.len());
    walk.reading
}

impl Walk<'_> {
    fn text(&mut self, span: Range<usize>) {
        let text = part(self.source, span.clone());
        if self.open.last().is_some_and(|open| open.name == "style") {
            for url in urls(text) {
                self.reading.image(span.clone(), url);
            }
        }
        match &mut self.hidden {
            Some((_, hidden)) => hidden.push_str(text),
            None => self.reading.shown.push(span),
        }
    }

    fn start(&mut self, tag: &Tag) {
        let name = tag.name.as_str();
        self.end_what_ends(name, tag.span.start);
        if is_block(name) {
            self.reading.breaks.push(tag.span.start);
            if let Some((_, text)) = &mut self.hidden {
                text.push(' ');
            }
        }
        self.attributes(tag);
        // An address in angle brackets, which Markdown shows.
        if name.contains([':', '@']) {
            self.reading.shown.push(tag.span.clone());
            return;
        }
        if is_void(name) {
            return;
        }
        let (above, behind) = self
            .open
            .last()
            .map_or(([0; 3], Background::Colour([255; 3])), |open| (open.colour, open.background));
        let style = self.style(tag);
        let colour = style.colour.unwrap_or(above);
        let background = style.background.unwrap_or(behind);
        let is_uncoloured = (style.colour.is_some() || style.background.is_some())
            && matches!(background, Background::Colour(behind) if are_alike(colour, behind));
        let is_closed = name == "dialog" && tag.value("open").is_none();
        let is_hidden = style.conceals || is_uncoloured || is_closed || is_never_shown(name);
        let begins_hidden = is_hidden && self.hidden.is_none();
        if begins_hidden {
            self.hidden = Some((tag.span.start, String::new()));
        }
        *self.names.entry(name.to_owned()).or_default() += 1;
        self.open.push(Open { name: name.to_owned(), colour, background, begins_hidden });
    }

    fn end(&mut self, name: &str, span: Range<usize>) {
        if is_block(name) {
            self.reading.breaks.push(span.start);
            if let Some((_, text)) = &mut self.hidden {
                text.push(' ');
            }
        }
        if self.names.get(name).is_none_or(|count| *count == 0) {
            return;
        }
        let at = self.open.iter().rposition(|open| open.name == name).unwrap_or(self.open.len());
        self.close_down_to(at + 1, span.start);
        self.close_down_to(at, span.end);
    }

    /// Ends the elements whose end tag may be left out.
    fn end_what_ends(&mut self, name: &str, at: usize) {
        let ends_paragraph = is_block(name) && !matches!(name, "br" | "li" | "td" | "th" | "tr");
        if ends_paragraph && self.names.get("p").is_some_and(|count| *count > 0) {
            self.end("p", at..at);
        }
        let ends_last = self.open.last().is_some_and(|last| {
            let last = last.name.as_str();
            match name {
                "li" | "option" | "tr" => last == name,
                "dt" | "dd" => matches!(last, "dt" | "dd"),
                "td" | "th" => matches!(last, "td" | "th"),
                _ => false,
            }
        });
        if ends_last {
            self.close_down_to(self.open.len() - 1, at);
        }
    }

    fn close_down_to(&mut self, depth: usize, end: usize) {
        while self.open.len() > depth {
            let Some(open) = self.open.pop() else { break };
            if let Some(count) = self.names.get_mut(&open.name) {
                *count -= 1;
            }
            if open.begins_hidden
                && let Some((start, text)) = self.hidden.take()
            {
                self.reading.hide(start..end, text);
            }
        }
    }

    fn style(&self, tag: &Tag) -> Style {
        let mut style = self.sheet.style(&tag.name, tag.value("id"), tag.value("class"));
        for attribute in &tag.attributes {
            let value = attribute.value.trim();
            let of_attribute = match attribute.name.as_str() {
                "style" => Style::of_declarations(value),
                "hidden" => Style { conceals: true, ..Style::VISIBLE },
                "aria-hidden" => Style { conceals: value.eq_ignore_ascii_case("true"), ..Style::VISIBLE },
                "color" | "text" => Style { colour: colour(value).flatten(), ..Style::VISIBLE },
                "bgcolor" => {
                    Style { background: colour(value).flatten().map(Background::Colour), ..Style::VISIBLE }
                }
                "background" => Style { background: Some(Background::Picture), ..Style::VISIBLE },
                "width" | "height" if tag.name != "img" => {
                    Style { conceals: value.trim_end_matches("px") == "0", ..Style::VISIBLE }
                }
                _ => continue,
            };
            style = style.and(of_attribute);
        }
        style
    }

    /// What attributes say and where they lead.
    fn attributes(&mut self, tag: &Tag) {
        let name = tag.name.as_str();
        let is_image =
            matches!(name, "img" | "image" | "source" | "input" | "track" | "video" | "audio" | "feimage");
        let is_button = tag.value("type").is_some_and(|kind| {
            ["submit", "button", "reset"].iter().any(|other| kind.trim().eq_ignore_ascii_case(other))
        });
        for Attribute { name: attribute, value, span } in &tag.attributes {
            if value.is_empty() {
                continue;
            }
            // An image is replaced as a whole, of other elements only what leads elsewhere.
            let construct = || if is_image { tag.span.clone() } else { span.clone() };
            match attribute.as_str() {
                "alt" | "title" | "aria-label" | "aria-description" | "aria-placeholder" | "placeholder"
                | "summary" | "abbr" | "label" | "srcdoc" | "standby" => {
                    self.reading.hide(span.clone(), value.as_str())
                }
                data if data.starts_with("data-") => self.reading.hide(span.clone(), value.as_str()),
                "content" if name == "meta" => {
                    self.reading.hide(span.clone(), value.as_str());
                    if let Some(url) = refresh(value) {
                        self.reading.link(span.clone(), url);
                    }
                }
                "value" if name == "input" && !is_button => self.reading.hide(span.clone(), value.as_str()),
                "href" | "xlink:href" if matches!(name, "image" | "feimage" | "use") => {
                    self.reading.image(tag.span.clone(), value.as_str());
                }
                "href" | "xlink:href" | "action" | "formaction" | "cite" | "ping" | "longdesc"
                | "manifest" => {
                    self.reading.link(span.clone(), value.as_str());
                }
                "src" if is_image => self.reading.image(tag.span.clone(), value.as_str()),
                "src" | "data" | "codebase" | "classid" => self.reading.link(span.clone(), value.as_str()),
                "srcset" | "imagesrcset" => {
                    for url in
                        value.split(',').filter_map(|candidate| candidate.split_ascii_whitespace().next())
                    {
                        self.reading.image(construct(), url);
                    }
                }
                "poster" | "background" | "lowsrc" | "dynsrc" => {
                    self.reading.image(construct(), value.as_str())
                }
                "style" => {
                    for url in urls(value) {
                        self.reading.image(span.clone(), url);
                    }
                }
                _ => {}
            }
        }
    }
}

/// Where a refreshing page goes: `5; url=https://…`.
fn refresh(content: &str) -> Option<&str> {
    let (_, rest) = content.split_once([';', ','])?;
    let (key, url) = rest.split_once('=')?;
    key.trim().eq_ignore_ascii_case("url").then(|| url.trim().trim_matches(['"', '\'']))
}

fn is_never_shown(name: &str) -> bool {
    matches!(
        name,
        "script" | "style" | "template" | "noscript" | "noembed" | "noframes" | "datalist" | "metadata"
            // What a page is called, and what a picture is.
            | "title" | "desc"
            // What stands in for what a browser shows.
            | "object" | "audio" | "video" | "canvas" | "iframe"
    )
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "basefont"
            | "bgsound"
            | "br"
            | "col"
            | "embed"
            | "frame"
            | "hr"
            | "img"
            | "input"
            | "keygen"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
    )
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "br"
            | "center"
            | "dd"
            | "details"
            | "dialog"
            | "dir"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hgroup"
            | "hr"
            | "li"
            | "main"
            | "menu"
            | "nav"
            | "ol"
            | "p"
            | "pre"
            | "section"
            | "summary"
            | "table"
            | "td"
            | "th"
            | "tr"
            | "ul"
    )
}
