//! Texts of others, made harmless wherever people read them.
//!
//! Requests, policies and file names come from others. Their control characters could move a terminal's cursor, rewrite
//! lines that were printed before, or make text read backwards; their markup could end up as markup of a report.

use std::borrow::Cow;

/// A text on one line, with everything a terminal would act upon shown as an escape.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if acts(character) { shown.extend(character.escape_default()) } else { shown.push(character) }
    }
    Cow::Owned(shown)
}

/// Like [`plain`], over several lines.
pub fn plain_lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

/// Whether a terminal would act upon a character instead of showing it: controls, line separators, and the format
/// characters of Unicode (bidirectional controls, invisible ones, tags).
pub fn acts(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}')
}

/// JSON text with everything a terminal would act upon as `\u` escapes: JSON leaves DEL, C1 controls and the format
/// characters as they are. It stays the same JSON.
pub fn json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character != '\n' && acts(character) {
            let mut units = [0_u16; 2];
            for unit in character.encode_utf16(&mut units) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            shown.push(character);
        }
    }
    shown
}

/// A text inside XML or HTML, between tags or in double quotes; lines stay lines. Characters that XML 1.0 (section 2.2)
/// has no place for are shown as escapes.
pub fn xml(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        for character in plain(line).chars() {
            match character {
                '&' => shown.push_str("&amp;"),
                '<' => shown.push_str("&lt;"),
                '>' => shown.push_str("&gt;"),
                '"' => shown.push_str("&quot;"),
                '\u{fffe}' | '\u{ffff}' => shown.push('\u{fffd}'),
                other => shown.push(other),
            }
        }
        shown.push_str(end);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_acts_upon_gets_through() {
        let hostile = "a\x1b[2Jb\u{202e}c\u{9b}31m\rd\u{2066}\u{e0041}\x07\u{7f}\ne\u{200b}";
        for shown in [plain(hostile).into_owned(), plain_lines(hostile), json(hostile), xml(hostile)] {
            assert!(!shown.chars().any(|c| acts(c) && c != '\n'), "{shown:?}");
        }
        assert_eq!(plain("a\x1b[2J\u{202e}\n"), "a\\u{1b}[2J\\u{202e}\\n");
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in ["spiffe://poc.local/ns", "größer als 5 €", "日本語", "🦀", r"^\d+$"] {
            assert_eq!(plain(text), text);
            assert_eq!(json(text), text);
            assert_eq!(xml(text), text);
        }
    }

    #[test]
    fn escaped_json_is_the_same_json() {
        let value = serde_json::json!({"a\u{202e}": "x\u{9b}\u{e0041}\u{7f}y"});
        let shown = json(&serde_json::to_string_pretty(&value).unwrap());
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }

    #[test]
    fn no_text_breaks_out_of_xml() {
        let shown = xml("a\"/><x a='&\x1b\u{ffff}\u{202e}\nb");
        assert_eq!(shown, "a&quot;/&gt;&lt;x a='&amp;\\u{1b}\u{fffd}\\u{202e}\nb");
    }
}
