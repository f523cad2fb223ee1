//! What reaches a terminal, and what never does.
//!
//! Texts of others go through [`plain`]; the reports of parity and of mutations do so themselves.

use std::io::{IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use tribunal::DecisionEffect;
use tribunal_conformance::escape::{self, acts};
pub(crate) use tribunal_conformance::escape::{plain, plain_lines};
pub(crate) use tribunal_conformance::parity::render::duration;

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

/// Prints JSON for programs. Its strings are escaped already, but not what JSON leaves as it is: DEL, C1 controls and the
/// format characters. On a terminal these are escaped too, which changes nothing for whoever parses it.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), crate::failure::Failure> {
    let text = serde_json::to_string_pretty(value)?;
    let mut out = std::io::stdout().lock();
    let shown = if out.is_terminal() { escape::json(&text) } else { text };
    writeln!(out, "{shown}")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_source_moves_the_cursor() {
        let hostile = "a\x1b[2Jb\u{202e}c\u{9b}31m\rd\u{2066}\u{e0041}\x07\u{7f}\ne\u{200b}";
        let shown = plain_source(hostile);
        assert!(!shown.chars().any(|c| acts(c) && c != '\n'), "{shown:?}");
        assert_eq!(plain_source("a\x1bb\u{202e}"), "a\u{241b}b\u{fffd}");
        for text in ["spiffe://poc.local/ns", "größer als 5 €", "日本語", "🦀", r"^\d+$"] {
            assert_eq!(plain_source(text), text);
        }
    }
}
