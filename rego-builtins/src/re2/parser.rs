//! The parser of Go's syntax (`regexp/syntax` with the `Perl` flags), writing the translation as it goes.

use crate::builtin::{Failure, fail};
use crate::limits;

use super::class;

/// A pattern for the `regex` crate.
pub(crate) struct Translation {
    pub(crate) pattern: String,
    /// The groups' names; the first is the whole match's.
    pub(crate) names: Vec<Option<String>>,
}

#[derive(Clone, Copy, Default)]
struct Flags {
    fold: bool,
    multi_line: bool,
    dot_newline: bool,
    non_greedy: bool,
}

/// A piece of the translation that a repetition operator can apply to.
struct Atom {
    text: String,
    /// The largest product of nested counted repetitions in it.
    repeats: u32,
}

/// An open group, or the whole pattern.
struct Group {
    /// What opens it in the translation; the flags to come back to when it closes.
    open: &'static str,
    flags: Flags,
    /// The alternatives before the current one, each followed by `|`.
    alternatives: String,
    repeats: u32,
    atoms: Vec<Atom>,
}

impl Group {
    fn new(open: &'static str, flags: Flags) -> Self {
        Group { open, flags, alternatives: String::new(), repeats: 1, atoms: Vec::new() }
    }

    fn end_alternative(&mut self) {
        for atom in self.atoms.drain(..) {
            self.alternatives.push_str(&atom.text);
            self.repeats = self.repeats.max(atom.repeats);
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
    flags: Flags,
    group: Group,
    outer: Vec<Group>,
    names: Vec<Option<String>>,
}

/// Reads `pattern` as Go does.
pub(crate) fn translate(pattern: &str) -> Result<Translation, Failure> {
    let flags = Flags::default();
    let mut parser =
        Parser { rest: pattern, flags, group: Group::new("", flags), outer: Vec::new(), names: vec![None] };
    parser.run()?;
    if !parser.outer.is_empty() {
        return refuse("missing closing )", pattern);
    }
    parser.group.end_alternative();
    Ok(Translation { pattern: parser.group.alternatives, names: parser.names })
}

fn refuse<T>(what: &str, pattern: &str) -> Result<T, Failure> {
    fail(format!("error parsing regexp: {what}: `{pattern}`"))
}

impl<'a> Parser<'a> {
    fn run(&mut self) -> Result<(), Failure> {
        let mut after_repeat = false;
        while let Some(c) = self.rest.chars().next() {
            let before = self.rest;
            let mut repeat = false;
            match c {
                '(' if self.rest.starts_with("(?") => self.perl_group()?,
                '(' => {
                    self.skip(c);
                    self.open("(", None)?;
                }
                '|' => {
                    self.skip(c);
                    self.group.end_alternative();
                    self.group.alternatives.push('|');
                }
                ')' => {
                    self.skip(c);
                    self.close(before)?;
                }
                '^' => {
                    self.skip(c);
                    self.push(if self.flags.multi_line { "(?m:^)" } else { r"\A" });
                }
                '$' => {
                    self.skip(c);
                    self.push(if self.flags.multi_line { "(?m:$)" } else { r"\z" });
                }
                '.' => {
                    self.skip(c);
                    self.push(if self.flags.dot_newline { "(?s:.)" } else { r"[^\n]" });
                }
                '[' => {
                    let class = self.class()?;
                    self.push_class(&class);
                }
                '*' | '+' | '?' => {
                    self.skip(c);
                    self.repeat(&c.to_string(), 1, after_repeat, before)?;
                    repeat = true;
                }
                '{' => match self.counted() {
                    None => {
                        self.skip(c);
                        self.literal(c);
                    }
                    Some((min, max)) => {
                        repeat = true;
                        if min > 1000 || max.is_some_and(|max| max > 1000 || min > max) {
                            return refuse("invalid repeat count", before);
                        }
                        let operator = match max {
                            Some(max) => format!("{{{min},{max}}}"),
                            None => format!("{{{min},}}"),
                        };
                        let times = max.unwrap_or(min.max(1));
                        self.repeat(&operator, times, after_repeat, before)?;
                    }
                },
                '\\' => self.escape()?,
                c => {
                    self.skip(c);
                    self.literal(c);
                }
            }
            after_repeat = repeat;
        }
        Ok(())
    }

    fn skip(&mut self, c: char) {
        self.rest = self.rest.strip_prefix(c).unwrap_or(self.rest);
    }

    fn take(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.skip(c);
        Some(c)
    }

    fn push(&mut self, text: impl Into<String>) {
        self.group.atoms.push(Atom { text: text.into(), repeats: 1 });
    }

    fn push_class(&mut self, class: &str) {
        self.push(if self.flags.fold { format!("(?i:{class})") } else { class.to_owned() });
    }

    fn literal(&mut self, c: char) {
        let escaped = regex::escape(c.encode_utf8(&mut [0; 4]));
        let cased = !c.is_ascii() || c.is_ascii_alphabetic();
        self.push(if cased && self.flags.fold { format!("(?i:{escaped})") } else { escaped });
    }

    fn code_point(&mut self, code: u32) {
        match char::from_u32(code) {
            Some(c) => self.literal(c),
            // A surrogate is in no UTF-8 text.
            None => self.push(class::NOTHING),
        }
    }

    fn open(&mut self, text: &'static str, name: Option<String>) -> Result<(), Failure> {
        if self.outer.len() >= usize::try_from(limits::MAX_PATTERN_NESTING)? {
            return fail("pattern is nested too deep");
        }
        if text == "(" {
            self.names.push(name);
        }
        let opened = Group::new(text, self.flags);
        self.outer.push(std::mem::replace(&mut self.group, opened));
        Ok(())
    }

    fn close(&mut self, at: &str) -> Result<(), Failure> {
        let Some(outer) = self.outer.pop() else {
            return refuse("unexpected )", at);
        };
        let mut inner = std::mem::replace(&mut self.group, outer);
        inner.end_alternative();
        self.flags = inner.flags;
        let text = format!("{}{})", inner.open, inner.alternatives);
        self.group.atoms.push(Atom { text, repeats: inner.repeats });
        Ok(())
    }

    /// Applies a repetition to the last atom.
    fn repeat(&mut self, operator: &str, times: u32, after_repeat: bool, at: &str) -> Result<(), Failure> {
        let mut greedy = !self.flags.non_greedy;
        if self.rest.starts_with('?') {
            self.skip('?');
            greedy = !greedy;
        }
        if after_repeat {
            return refuse("invalid nested repetition operator", at);
        }
        let Some(atom) = self.group.atoms.last_mut() else {
            return refuse("missing argument to repetition operator", at);
        };
        let lazy = if greedy { "" } else { "?" };
        atom.text = format!("(?:{}){operator}{lazy}", atom.text);
        atom.repeats = atom.repeats.saturating_mul(times);
        if atom.repeats > 1000 {
            return refuse("invalid repeat count", at);
        }
        Ok(())
    }

    /// `{n}`, `{n,}` or `{n,m}`; what looks otherwise is literal text.
    fn counted(&mut self) -> Option<(u32, Option<u32>)> {
        let (min, rest) = integer(self.rest.strip_prefix('{')?)?;
        let (max, rest) = match rest.strip_prefix(',') {
            None => (Some(min), rest),
            Some(rest) if rest.starts_with('}') => (None, rest),
            Some(rest) => integer(rest).map(|(max, rest)| (Some(max), rest))?,
        };
        self.rest = rest.strip_prefix('}')?;
        Some((min, max))
    }

    /// `(?…`: a named group, or flags.
    fn perl_group(&mut self) -> Result<(), Failure> {
        let start = self.rest;
        let named = start.strip_prefix("(?P<").or_else(|| start.strip_prefix("(?<"));
        if let Some(after) = named.filter(|after| !after.is_empty()) {
            let Some((name, rest)) = after.split_once('>') else {
                return refuse("invalid named capture", start);
            };
            if name.is_empty() || !name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric()) {
                return refuse("invalid named capture", start);
            }
            self.rest = rest;
            return self.open("(", Some(name.to_owned()));
        }
        self.rest = start.strip_prefix("(?").unwrap_or("");
        let mut flags = self.flags;
        let (mut on, mut pending) = (true, false);
        while let Some(c) = self.take() {
            match c {
                'i' => flags.fold = on,
                'm' => flags.multi_line = on,
                's' => flags.dot_newline = on,
                'U' => flags.non_greedy = on,
                '-' if on => {
                    on = false;
                    pending = true;
                    continue;
                }
                ':' | ')' if !pending => {
                    if c == ':' {
                        self.open("(?:", None)?;
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => break,
            }
            pending = false;
        }
        refuse("invalid or unsupported Perl syntax", start)
    }

    /// `\…` outside a class.
    fn escape(&mut self) -> Result<(), Failure> {
        let start = self.rest;
        let after = start.strip_prefix('\\').unwrap_or("");
        let letter = after.chars().next();
        let assertion = match letter {
            Some('A') => r"\A",
            Some('b') => r"(?-u:\b)",
            Some('B') => r"(?-u:\B)",
            Some('z') => r"\z",
            Some('Q') => {
                let quoted = after.strip_prefix('Q').unwrap_or("");
                let (literal, rest) = quoted.split_once("\\E").unwrap_or((quoted, ""));
                for c in literal.chars() {
                    self.literal(c);
                }
                self.rest = rest;
                return Ok(());
            }
            _ => {
                if let Some(class) = self.named_class()? {
                    self.push_class(&class);
                } else {
                    let code = self.escaped_char()?;
                    self.code_point(code);
                }
                return Ok(());
            }
        };
        self.skip('\\');
        self.take();
        self.push(assertion);
        Ok(())
    }

    /// `\pN`, `\p{Name}`, `\d` and the like, and what they negate.
    fn named_class(&mut self) -> Result<Option<String>, Failure> {
        let start = self.rest;
        let Some(after) = start.strip_prefix('\\') else {
            return Ok(None);
        };
        let mut chars = after.chars();
        let Some(letter) = chars.next() else {
            return Ok(None);
        };
        let rest = chars.as_str();
        if let Some(inside) = class::perl(letter.to_ascii_lowercase()) {
            self.rest = rest;
            let not = if letter.is_ascii_uppercase() { "^" } else { "" };
            return Ok(Some(format!("[{not}{inside}]")));
        }
        if letter != 'p' && letter != 'P' {
            return Ok(None);
        }
        let (name, rest) = if let Some(braced) = rest.strip_prefix('{') {
            braced.split_once('}')
        } else {
            rest.chars().next().and_then(|c| rest.split_at_checked(c.len_utf8()))
        }
        .ok_or_else(|| {
            Failure::new(format!("error parsing regexp: invalid character class range: `{start}`"))
        })?;
        let (negated, name) = match name.strip_prefix('^') {
            Some(name) => (letter == 'p', name),
            None => (letter == 'P', name),
        };
        let Some(class) = class::unicode(name) else {
            return refuse("invalid character class range", start);
        };
        self.rest = rest;
        Ok(Some(if negated { format!("[^{class}]") } else { class }))
    }

    /// An escape that stands for one character.
    fn escaped_char(&mut self) -> Result<u32, Failure> {
        let start = self.rest;
        self.skip('\\');
        let Some(c) = self.take() else {
            return refuse("trailing backslash at end of expression", "");
        };
        let octal = |c: Option<char>| c.and_then(|c| c.to_digit(8));
        let code = match c {
            '0'..='7' if c == '0' || octal(self.rest.chars().next()).is_some() => {
                let mut code = c.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    let Some(digit) = octal(self.rest.chars().next()) else {
                        break;
                    };
                    self.take();
                    code = code * 8 + digit;
                }
                Some(code)
            }
            'x' => self.hexadecimal(),
            'a' => Some(7),
            'f' => Some(12),
            'n' => Some(10),
            'r' => Some(13),
            't' => Some(9),
            'v' => Some(11),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Some(u32::from(c)),
            _ => None,
        };
        code.map_or_else(|| refuse("invalid escape sequence", start), Ok)
    }

    /// After `\x`: two digits, or any number of them in braces.
    fn hexadecimal(&mut self) -> Option<u32> {
        let first = self.take()?;
        if first != '{' {
            return Some(first.to_digit(16)? * 16 + self.take()?.to_digit(16)?);
        }
        let (digits, rest) = self.rest.split_once('}')?;
        let mut code = 0;
        for c in digits.chars() {
            code = code * 16 + c.to_digit(16)?;
            if code > 0x10_ffff {
                return None;
            }
        }
        self.rest = rest;
        (!digits.is_empty()).then_some(code)
    }

    /// `[…]`.
    fn class(&mut self) -> Result<String, Failure> {
        let start = self.rest;
        self.skip('[');
        let mut out = String::from("[");
        if self.rest.starts_with('^') {
            self.skip('^');
            out.push('^');
        }
        let opened = out.len();
        let mut first = true;
        while first || !self.rest.starts_with(']') {
            first = false;
            if let Some(after) = self.rest.strip_prefix("[:")
                && let Some((name, rest)) = after.split_once(":]")
            {
                let (not, name) = name.strip_prefix('^').map_or(("", name), |name| ("^", name));
                let Some(inside) = class::posix(name) else {
                    return refuse("invalid character class range", self.rest);
                };
                out.push_str(&format!("[{not}{inside}]"));
                self.rest = rest;
                continue;
            }
            if let Some(class) = self.named_class()? {
                out.push_str(&class);
                continue;
            }
            let low = self.class_char(start)?;
            let mut high = low;
            if let Some(after) = self.rest.strip_prefix('-')
                && !after.is_empty()
                && !after.starts_with(']')
            {
                self.rest = after;
                high = self.class_char(start)?;
                if high < low {
                    return refuse("invalid character class range", start);
                }
            }
            // Surrogates are in no UTF-8 text.
            let low = if (0xd800..0xe000).contains(&low) { 0xe000 } else { low };
            let high = if (0xd800..0xe000).contains(&high) { 0xd7ff } else { high };
            if low <= high {
                out.push_str(&format!(r"\x{{{low:x}}}-\x{{{high:x}}}"));
            }
        }
        self.skip(']');
        if out.len() == opened {
            // Surrogates only.
            return Ok(if out == "[" { class::NOTHING.to_owned() } else { "(?s:.)".to_owned() });
        }
        out.push(']');
        Ok(out)
    }

    fn class_char(&mut self, class: &str) -> Result<u32, Failure> {
        if self.rest.starts_with('\\') {
            return self.escaped_char();
        }
        match self.take() {
            Some(c) => Ok(u32::from(c)),
            None => refuse("missing closing ]", class),
        }
    }
}

/// An integer without leading zeros; a huge one is as good as any that is too big.
fn integer(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    Some((digits.parse().unwrap_or(u32::MAX), rest))
}
