//! The text of a policy, token by token, before the parser sees it.
//!
//! The tokens are those of regorus's own lexer, which neither recurses (but for `set(`, counted first) nor backtracks, so
//! strings, raw strings and comments are here what they are to the parser.

use regorus::unstable::{Lexer, TokenKind};
use tribunal_engine_core::engine::{LoadError, LoadErrorKind};
use tribunal_engine_core::location::Location;

use super::bounds;
use crate::error::Report;
use crate::worker::Source;

/// Refuses a text that regorus's parser could hang or overflow on.
pub(crate) fn scan(source: &Source) -> Result<(), LoadError> {
    let syntax = |text: String| {
        Report::read(&text).located(std::slice::from_ref(source)).load_error(LoadErrorKind::Syntax)
    };
    if let Some(offset) = source.text.find('\0') {
        // To regorus the text would end here.
        let error = LoadError::new(LoadErrorKind::Syntax, "a NUL character");
        return Err(error.at(Location::of_offset(&*source.name, &source.text, offset)));
    }
    if source.text.matches("set(").nth(bounds::SET_CALLS).is_some() {
        let message = format!("`{}` has more than {} times `set(`", source.name, bounds::SET_CALLS);
        return Err(LoadError::new(LoadErrorKind::Bounds, message));
    }
    let text = regorus::Source::from_contents(source.name.clone(), source.text.clone());
    let text = text.map_err(|error| syntax(error.to_string()))?;
    let mut lexer = Lexer::new(&text);
    lexer.set_max_col(bounds::LINE_COLUMNS);
    let mut levels = Levels::default();
    loop {
        let token = lexer.next_token().map_err(|error| syntax(error.to_string()))?;
        let place = || Location::of_offset(&*source.name, &source.text, token.1.start as usize);
        let exceeded = match token.0 {
            TokenKind::Eof => return Ok(()),
            TokenKind::Symbol | TokenKind::Ident => levels.token(token.1.text()),
            TokenKind::Number if token.1.text().starts_with('-') => levels.token("-"),
            _ => levels.token(""),
        };
        if let Some(message) = exceeded {
            let error = LoadError::new(LoadErrorKind::Bounds, message).at(place());
            return Err(error.help("give parts of it names of their own"));
        }
    }
}

/// The brackets open at a place, and the length of the chain on each level.
#[derive(Default)]
struct Levels {
    /// For each open bracket: whether the parser tries what is inside twice, and the chain outside it.
    open: Vec<(bool, usize)>,
    chain: usize,
    work: u64,
}

impl Levels {
    fn token(&mut self, text: &str) -> Option<String> {
        match text {
            "[" | "{" | "(" | "set(" => {
                // An index or a call is a link of a chain itself.
                self.chain += 1;
                self.open.push((matches!(text, "[" | "{"), self.chain));
                self.chain = 0;
                if self.open.len() > bounds::BRACKETS {
                    return Some(format!("more than {} brackets inside each other", bounds::BRACKETS));
                }
            }
            "]" | "}" | ")" => {
                if let Some((_, chain)) = self.open.pop() {
                    self.chain = chain;
                }
            }
            "," | ";" | ":=" | ":" | "if" | "else" | "not" | "some" | "every" | "with" | "default"
            | "import" | "package" => {
                self.chain = 0;
            }
            "+" | "-" | "*" | "/" | "%" | "&" | "|" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "=" | "in"
            | "." => {
                self.chain += 1;
                if self.chain > bounds::CHAIN {
                    return Some(format!("more than {} operators in one expression", bounds::CHAIN));
                }
            }
            _ => {}
        }
        let twice = self.open.iter().filter(|(twice, _)| *twice).count();
        self.work = self.work.saturating_add(1 << twice);
        if self.work > bounds::PARSE_WORK {
            return Some(
                "literals are nested too deeply for their number: parsing would take minutes".to_owned(),
            );
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan_text(text: &str) -> Result<(), LoadError> {
        scan(&Source { name: "p.rego".into(), text: text.into() })
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        let many = "[".repeat(30);
        scan_text(&format!("package p\n# {many}\nx := \"{many}\"\ny := `{many}\n{many}`\n")).unwrap();
        let error = scan_text(&format!("package p\n\nx := {many}")).unwrap_err();
        assert_eq!(error.kind, LoadErrorKind::Bounds);
        assert_eq!(error.location.unwrap().to_string(), "p.rego:3:18");
    }

    #[test]
    fn chains_are_bounded_on_their_own_level() {
        let chain = |operator: &str, length: usize| {
            format!("package p\nx := 1{}\n", format!("\n{operator} f(1, 2)").repeat(length))
        };
        scan_text(&chain("+", bounds::CHAIN / 2 - 1)).unwrap();
        assert_eq!(scan_text(&chain("+", bounds::CHAIN)).unwrap_err().kind, LoadErrorKind::Bounds);
    }

    #[test]
    fn many_literals_may_be_shallow_and_deep_ones_few() {
        let nested = |depth: usize| format!("{}1{},\n", "[".repeat(depth), "]".repeat(depth));
        scan_text(&format!("package p\nx := [{}]", nested(10).repeat(20))).unwrap();
        scan_text(&format!("package p\nx := [{}]", nested(2).repeat(19_000))).unwrap();
        assert_eq!(
            scan_text(&format!("package p\nx := [{}]", nested(10).repeat(2_000))).unwrap_err().kind,
            LoadErrorKind::Bounds
        );
    }

    #[test]
    fn set_calls_inside_each_other_do_not_reach_the_lexer() {
        let error = scan_text(&format!("package p\nx := {}", "set(".repeat(100_000))).unwrap_err();
        assert_eq!(error.kind, LoadErrorKind::Bounds);
    }

    #[test]
    fn a_long_line_has_its_place() {
        let error = scan_text(&format!("package p\nx := \"{}\"\n", "x".repeat(1100))).unwrap_err();
        assert_eq!(error.location.unwrap().line, 2);
    }
}
