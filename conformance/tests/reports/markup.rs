//! Whether XML, or HTML written as XML, is well-formed: enough of a reader to notice a text that has become markup.

/// What a document is made of.
#[derive(Debug, Default)]
pub(crate) struct Markup {
    /// Every element's name, in order.
    pub(crate) elements: Vec<String>,
    /// The names of all attributes.
    pub(crate) attributes: Vec<String>,
    /// The values of all attributes.
    pub(crate) values: Vec<String>,
}

/// Elements that HTML has no end tags for; they are written as `<meta/>`.
const VOID: [&str; 2] = ["meta", "link"];

/// Reads a document.
pub(crate) fn read(text: &str) -> Result<Markup, String> {
    let mut markup = Markup::default();
    let mut open: Vec<String> = Vec::new();
    let mut rest = text;
    for declaration in ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", "<!DOCTYPE html>\n"] {
        rest = rest.strip_prefix(declaration).unwrap_or(rest);
    }
    while let Some((before, tag)) = rest.split_once('<') {
        let (tag, after) = tag.split_once('>').ok_or("a tag without an end")?;
        rest = after;
        // A style sheet is text up to its end.
        match open.last().is_some_and(|name| name == "style") {
            true if tag != "/style" => return Err("a tag in a style sheet".to_owned()),
            true => {}
            false => characters(before)?,
        }
        if let Some(name) = tag.strip_prefix('/') {
            let opened = open.pop().ok_or_else(|| format!("</{name}> ends nothing"))?;
            if opened != name {
                return Err(format!("<{opened}> ends as </{name}>"));
            }
            continue;
        }
        let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(format!("`{name}` is no name of an element"));
        }
        read_attributes(attributes, &mut markup)?;
        markup.elements.push(name.to_owned());
        if VOID.contains(&name) != is_empty && text.starts_with("<!DOCTYPE html>") {
            return Err(format!("<{name}> is written wrongly"));
        }
        if !is_empty {
            open.push(name.to_owned());
        }
    }
    characters(rest)?;
    if open.is_empty() { Ok(markup) } else { Err(format!("still open: {open:?}")) }
}

fn read_attributes(mut rest: &str, markup: &mut Markup) -> Result<(), String> {
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(());
        }
        let (name, after) =
            rest.split_once("=\"").ok_or_else(|| format!("an attribute without a value: {rest}"))?;
        let (value, after) =
            after.split_once('"').ok_or_else(|| format!("a value without an end: {after}"))?;
        if !name.chars().all(|c| c.is_ascii_lowercase() || c == '-') {
            return Err(format!("`{name}` is no name of an attribute"));
        }
        characters(value)?;
        markup.attributes.push(name.to_owned());
        markup.values.push(value.to_owned());
        rest = after;
    }
}

/// Text between tags: no `<` or `>`, no character that XML has no place for, no `&` that begins nothing.
fn characters(text: &str) -> Result<(), String> {
    if let Some(c) =
        text.chars().find(|c| matches!(c, '<' | '>') || (c.is_control() && *c != '\n') || *c == '\u{202e}')
    {
        return Err(format!("{c:?} in a text"));
    }
    for after in text.split('&').skip(1) {
        if !["amp;", "lt;", "gt;", "quot;"].iter().any(|entity| after.starts_with(entity)) {
            return Err(format!("&{after} begins nothing"));
        }
    }
    Ok(())
}

#[test]
fn what_is_not_well_formed_is_noticed() {
    for broken in
        ["<a>", "<a></b>", "<a b=c></a>", "<a b=\"<\"></a>", "</a>", "<a>\u{1b}</a>", "<a>&x</a>", "<a>></a>"]
    {
        assert!(read(broken).is_err(), "{broken}");
    }
    assert!(read("<a b=\"c\"><d/>&amp;</a>").is_ok());
}
