//! Characters that are in a text and not seen.

use std::ops::Range;

use icu_properties::props::{
    EmojiModifier, ExtendedPictographic, GeneralCategory, GeneralCategoryGroup, RegionalIndicator, Script,
};
use icu_properties::{CodePointMapData, CodePointSetData};

use super::Segment;
use crate::derive::function::text;

/// Whether a character shows nothing and is no white space.
pub(in crate::derive) fn is_invisible(char: char) -> bool {
    !char.is_whitespace() && text::is_invisible(char)
}

/// Each run of invisible characters that nothing visible needs, with tag characters read as what they spell.
///
/// A joiner or selector inside an emoji, a joiner between letters of scripts that are joined by it, a direction mark beside
/// letters that run from right to left, a soft hyphen inside a word and a byte order mark at the start are no findings.
pub(in crate::derive) fn runs(source: &str) -> Vec<Segment> {
    let mut found = Vec::new();
    let mut before: Option<char> = None;
    let mut chars = source.char_indices().peekable();
    while let Some((start, first)) = chars.next() {
        if !is_invisible(first) {
            before = Some(first);
            continue;
        }
        let mut run = vec![first];
        let mut end = start + first.len_utf8();
        while let Some((at, next)) = chars.next_if(|(_, char)| is_invisible(*char)) {
            run.push(next);
            end = at + next.len_utf8();
        }
        let after = chars.peek().map(|(_, char)| *char);
        if !is_needed(&run, before, after) {
            found.push(segment(start..end, &run));
        }
    }
    found
}

fn segment(span: Range<usize>, run: &[char]) -> Segment {
    let spelled = run.iter().map(|char| match u32::from(*char) {
        tag @ 0xe0020..=0xe007e => char::from_u32(tag - 0xe0000).unwrap_or(*char),
        _ => *char,
    });
    Segment { span, text: spelled.collect() }
}

fn is_needed(run: &[char], before: Option<char>, after: Option<char>) -> bool {
    match (run, before, after) {
        (['\u{feff}'], None, _) => true,
        (['\u{ad}'], Some(before), Some(after)) => before.is_alphabetic() && after.is_alphabetic(),
        (['\u{200c}' | '\u{200d}'], Some(before), Some(after)) if is_joined(before) => is_joined(after),
        (['\u{200e}' | '\u{200f}' | '\u{61c}'], before, after) => {
            before.is_some_and(is_right_to_left) || after.is_some_and(is_right_to_left)
        }
        (['\u{200d}'] | ['\u{fe0f}', '\u{200d}'], Some(before), Some(after)) => {
            is_pictured(before) && is_pictured(after)
        }
        // The look of an emoji, a keycap (`#`, digits), a sign, or the variant of an ideograph or of a Mongolian letter.
        (['\u{fe0e}' | '\u{fe0f}'], Some(before), after) => {
            is_pictured(before)
                || (before.is_ascii_digit() || "#*".contains(before)) && after == Some('\u{20e3}')
        }
        (['\u{fe00}'..='\u{fe0d}' | '\u{e0100}'..='\u{e01ef}'], Some(before), _) => {
            matches!(script(before), Script::Han) || is_sign(before)
        }
        (['\u{180b}'..='\u{180f}'], Some(before), _) => script(before) == Script::Mongolian,
        // The flag of a region: a black flag, its letters as tags, the end of tags.
        ([letters @ .., '\u{e007f}'], Some('\u{1f3f4}'), _) => {
            (3..=6).contains(&letters.len())
                && letters
                    .iter()
                    .all(|tag| matches!(tag, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}'))
        }
        _ => false,
    }
}

fn script(char: char) -> Script {
    CodePointMapData::<Script>::new().get(char)
}

/// A letter or mark of a script in which joiners change how letters are written.
fn is_joined(char: char) -> bool {
    !char.is_ascii()
        && !matches!(
            script(char),
            Script::Latin
                | Script::Greek
                | Script::Cyrillic
                | Script::Common
                | Script::Inherited
                | Script::Han
                | Script::Hiragana
                | Script::Katakana
                | Script::Hangul
                | Script::Armenian
                | Script::Georgian
                | Script::Cherokee
        )
}

fn is_right_to_left(char: char) -> bool {
    !char.is_ascii()
        && matches!(
            script(char),
            Script::Hebrew | Script::Arabic | Script::Syriac | Script::Thaana | Script::Nko
        )
}

fn is_pictured(char: char) -> bool {
    !char.is_ascii()
        && (CodePointSetData::new::<ExtendedPictographic>().contains(char)
            || CodePointSetData::new::<EmojiModifier>().contains(char)
            || CodePointSetData::new::<RegionalIndicator>().contains(char)
            || is_sign(char))
}

/// A mathematical or other sign that has variants.
fn is_sign(char: char) -> bool {
    !char.is_ascii()
        && GeneralCategoryGroup::Symbol.contains(CodePointMapData::<GeneralCategory>::new().get(char))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_nothing_visible_needs_are_found_with_their_bytes() {
        let cases: [(&str, &[(usize, usize)]); 11] = [
            ("ab\u{200b}\u{200d}c", &[(2, 8)]),
            ("\u{202e}evil\u{202c}", &[(0, 3), (7, 10)]),
            ("a\u{e0068}\u{e0069}b", &[(1, 9)]),
            ("a\u{200d}b", &[(1, 4)]),
            ("x\u{fe0f}", &[(1, 4)]),
            ("\u{1f600}\u{fe0f}\u{fe0f}", &[(4, 10)]),
            ("\u{1f3f4}\u{e0067}\u{e0062}", &[(4, 12)]),
            ("a\0b", &[(1, 2)]),
            ("word \u{ad}word", &[(5, 7)]),
            ("a\u{feff}", &[(1, 4)]),
            ("latin\u{200f}", &[(5, 8)]),
        ];
        for (source, spans) in cases {
            let found: Vec<_> = runs(source).into_iter().map(|run| (run.span.start, run.span.end)).collect();
            assert_eq!(found, spans, "{source:?}");
        }
    }

    #[test]
    fn what_something_visible_needs_is_no_finding() {
        for source in [
            "\u{feff}start",
            "tabs\tand\nlines\r\n",
            "👩\u{200d}👩\u{200d}👧 and ❤\u{fe0f}\u{200d}🔥",
            "👍🏽\u{200d}♂\u{fe0f}",
            "1\u{fe0f}\u{20e3}",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "abc \u{200f}שלום",
            "Donau\u{ad}dampf",
            "葛\u{e0100}",
        ] {
            assert_eq!(runs(source), [], "{source:?}");
        }
    }

    #[test]
    fn tags_are_read_as_what_they_spell() {
        let hidden: String =
            "hi!".chars().map(|char| char::from_u32(0xe0000 + u32::from(char)).unwrap()).collect();
        assert_eq!(runs(&format!("a{hidden}"))[0].text, "hi!");
    }
}
