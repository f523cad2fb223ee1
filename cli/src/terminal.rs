//! What reaches a terminal, and what never does.
//!
//! Requests, policies and file names come from others. Their control characters could move the cursor, rewrite lines that
//! were printed before, or make text read backwards, so every such text goes through [`plain`].

use std::borrow::Cow;
use std::io::{IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use tribunal::DecisionEffect;

/// For what matters most in a line.
pub(crate) const BOLD: Style = Style::new().bold();
/// For what matters least.
pub(crate) const DIM: Style = Style::new().dimmed();
/// For what is wrong, or goes away.
pub(crate) const RED: Style = AnsiColor::Red.on_default();
/// For what is right, or comes in.
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
/// For what should be known.
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();

/// The colour of an effect.
pub(crate) fn effect_style(effect: DecisionEffect) -> Style {
    match effect {
        DecisionEffect::Allow => GREEN.bold(),
        DecisionEffect::Redact | DecisionEffect::StepUp => YELLOW.bold(),
        DecisionEffect::Deny => RED.bold(),
    }
}

/// Standard output; colours are taken out where they do not belong (no terminal, `NO_COLOR`).
pub(crate) fn stdout() -> impl Write {
    anstream::stdout()
}

/// Says something on standard error. There is nobody left to tell if that fails.
pub(crate) fn complain(kind: &str, message: &str) {
    let style = if kind == "error" { RED.bold() } else { YELLOW.bold() };
    let _lost = writeln!(anstream::stderr(), "{style}{kind}:{style:#} {message}");
}

/// Whether people watch the progress of a long command.
pub(crate) fn shows_progress() -> bool {
    std::io::stderr().is_terminal() && !std::io::stdout().is_terminal()
}

/// Whether people watch standard error, whatever becomes of standard output.
pub(crate) fn is_watched() -> bool {
    std::io::stderr().is_terminal()
}

/// The width for tables: the terminal's, or one that fits most pages.
pub(crate) fn width() -> u16 {
    let terminal = terminal_size::terminal_size_of(std::io::stdout());
    terminal.map_or(120, |(terminal_size::Width(width), _)| width.clamp(60, 200))
}

/// A text on one line, with everything a terminal would act upon shown as an escape.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
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
pub(crate) fn plain_lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

/// A text whose places must stay where they are: each character a terminal would act upon becomes one that shows it.
pub(crate) fn plain_source(text: &str) -> String {
    let shown = |character: char| match character {
        '\n' | '\t' => character,
        '\u{7f}' => '\u{2421}',
        control if control < ' ' => {
            char::from_u32(0x2400 + u32::from(control)).map_or('\u{fffd}', |picture| picture)
        }
        other if acts(other) => '\u{fffd}',
        other => other,
    };
    text.replace("\r\n", "\n").chars().map(shown).collect()
}

/// Whether a terminal would act upon a character instead of showing it: controls, line separators, and the format
/// characters of Unicode (bidirectional controls, invisible ones, tags).
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}')
}

/// A value as JSON on one line, shown plainly and cut where it gets long.
pub(crate) fn plain_json(value: &serde_json::Value) -> String {
    const LONGEST: usize = 200;
    let text = value.to_string();
    let mut cut: String = text.chars().take(LONGEST).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    plain(&cut).into_owned()
}

/// Time for people.
pub(crate) fn duration(nanoseconds: u64) -> String {
    match nanoseconds {
        0..1_000 => format!("{nanoseconds} ns"),
        1_000..1_000_000 => format!("{} µs", nanoseconds / 1_000),
        1_000_000..1_000_000_000 => format!("{}.{} ms", nanoseconds / 1_000_000, nanoseconds / 100_000 % 10),
        _ => format!("{}.{} s", nanoseconds / 1_000_000_000, nanoseconds / 100_000_000 % 10),
    }
}

/// Prints JSON for programs. Its strings are escaped already, but not what JSON leaves as it is: DEL, C1 controls and the
/// format characters. On a terminal these are escaped too, which changes nothing for whoever parses it.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), crate::failure::Failure> {
    let text = serde_json::to_string_pretty(value)?;
    let mut out = std::io::stdout().lock();
    let shown = if out.is_terminal() { json_on_terminal(&text) } else { text };
    writeln!(out, "{shown}")?;
    Ok(())
}

/// JSON text with everything a terminal would act upon as `\u` escapes.
pub(crate) fn json_on_terminal(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_acts_upon_gets_through() {
        let hostile = "a\x1b[2Jb\u{202e}c\u{9b}31m\rd\u{2066}\u{e0041}\x07\u{7f}\ne\u{200b}";
        for shown in [
            plain(hostile).into_owned(),
            plain_lines(hostile),
            plain_source(hostile),
            json_on_terminal(hostile),
        ] {
            assert!(!shown.chars().any(|c| acts(c) && c != '\n'), "{shown:?}");
        }
        assert_eq!(plain("a\x1b[2J\u{202e}\n"), "a\\u{1b}[2J\\u{202e}\\n");
        assert_eq!(plain_source("a\x1bb\u{202e}"), "a\u{241b}b\u{fffd}");
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in ["spiffe://poc.local/ns", "größer als 5 €", "日本語", "🦀", r"^\d+$"] {
            assert_eq!(plain(text), text);
            assert_eq!(plain_source(text), text);
            assert_eq!(json_on_terminal(text), text);
        }
    }

    #[test]
    fn escaped_json_is_the_same_json() {
        let value = serde_json::json!({"a\u{202e}": "x\u{9b}\u{e0041}\u{7f}y"});
        let shown = json_on_terminal(&serde_json::to_string_pretty(&value).unwrap());
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }

    #[test]
    fn times_are_short() {
        let shown = [17, 54_321, 3_260_000, 12_340_000_000].map(duration);
        assert_eq!(shown, ["17 ns", "54 µs", "3.2 ms", "12.3 s"]);
    }
}
