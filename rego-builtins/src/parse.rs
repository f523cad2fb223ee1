//! Reading values: JSON (RFC 8259), and OPA's value format, which adds sets and keys of any type.

use std::collections::{BTreeMap, BTreeSet};

use crate::limits;
use crate::number::{Number, NumberError};
use crate::value::Value;

/// Why a text is not a value; `offset` counts bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Not of the grammar.
    #[error("unexpected {found} at offset {offset}")]
    Unexpected {
        /// What stands there.
        found: String,
        /// Where.
        offset: usize,
    },
    /// A number OPA refuses.
    #[error(transparent)]
    Number(#[from] NumberError),
    /// More levels than [`limits::MAX_DEPTH`].
    #[error("nested more than {} levels deep", limits::MAX_DEPTH)]
    TooDeep,
}

impl Value {
    /// Reads one JSON value. As in OPA, of equal members the last wins and a lone surrogate becomes U+FFFD.
    ///
    /// # Errors
    /// If the text is not JSON, has a number out of OPA's range, or is nested too deep.
    pub fn parse_json(text: &str) -> Result<Value, ParseError> {
        Parser { text, rest: text, rego: false, values: true }.document()
    }

    /// Reads one value as `opa_value_dump` writes it: JSON plus `{1, 2}`, `set()` and keys of any type.
    ///
    /// # Errors
    /// As [`Value::parse_json`].
    pub fn parse_rego(text: &str) -> Result<Value, ParseError> {
        Parser { text, rest: text, rego: true, values: true }.document()
    }
}

/// Whether the text is of JSON's grammar, whatever the numbers' size.
pub(crate) fn is_valid_json(text: &str) -> Result<(), ParseError> {
    Parser { text, rest: text, rego: false, values: false }.document().map(|_| ())
}

struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
    rego: bool,
    /// Numbers are to be made, not only to be recognised.
    values: bool,
}

impl Parser<'_> {
    fn document(mut self) -> Result<Value, ParseError> {
        let value = self.value(0)?;
        self.space();
        if self.rest.is_empty() { Ok(value) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> ParseError {
        let found =
            self.rest.chars().next().map_or_else(|| "end".to_owned(), |c| format!("`{}`", c.escape_debug()));
        ParseError::Unexpected { found, offset: self.text.len() - self.rest.len() }
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn eat(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) -> Result<(), ParseError> {
        if self.eat(token) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn value(&mut self, depth: usize) -> Result<Value, ParseError> {
        self.space();
        match self.rest.as_bytes().first() {
            Some(b'{' | b'[') if depth >= limits::MAX_DEPTH => Err(ParseError::TooDeep),
            Some(b'{') => self.braces(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => Ok(Value::from(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') if self.eat("true") => Ok(Value::Bool(true)),
            Some(b'f') if self.eat("false") => Ok(Value::Bool(false)),
            Some(b'n') if self.eat("null") => Ok(Value::Null),
            Some(b's') if self.rego && self.eat("set(") => {
                self.space();
                self.expect(")")?;
                Ok(Value::Set(BTreeSet::new()))
            }
            _ => Err(self.unexpected()),
        }
    }

    fn number(&mut self) -> Result<Value, ParseError> {
        let in_number = |c: char| matches!(c, '0'..='9' | '.' | 'e' | 'E' | '+' | '-');
        let end = self.rest.find(|c| !in_number(c)).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        let number = match text.parse::<Number>() {
            Ok(number) => Value::Number(number),
            Err(NumberError::TooBig(_)) if !self.values => Value::Null,
            Err(error) => return Err(error.into()),
        };
        self.rest = rest;
        Ok(number)
    }

    fn array(&mut self, depth: usize) -> Result<Value, ParseError> {
        self.expect("[")?;
        let mut items = Vec::new();
        self.space();
        if self.eat("]") {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(depth)?);
            self.space();
            if self.eat("]") {
                return Ok(Value::Array(items));
            }
            self.expect(",")?;
        }
    }

    /// An object, or in OPA's format a set.
    fn braces(&mut self, depth: usize) -> Result<Value, ParseError> {
        self.expect("{")?;
        self.space();
        if self.eat("}") {
            return Ok(Value::Object(BTreeMap::new()));
        }
        let first = self.key(depth)?;
        self.space();
        if self.rego && !self.rest.starts_with(':') {
            let mut items = BTreeSet::from([first]);
            while !self.eat("}") {
                self.expect(",")?;
                items.insert(self.value(depth)?);
                self.space();
            }
            return Ok(Value::Set(items));
        }
        let mut members = BTreeMap::new();
        let mut key = first;
        loop {
            self.expect(":")?;
            members.insert(key, self.value(depth)?);
            self.space();
            if self.eat("}") {
                return Ok(Value::Object(members));
            }
            self.expect(",")?;
            key = self.key(depth)?;
            self.space();
        }
    }

    fn key(&mut self, depth: usize) -> Result<Value, ParseError> {
        self.space();
        if !self.rego && !self.rest.starts_with('"') {
            return Err(self.unexpected());
        }
        self.value(depth)
    }

    fn string(&mut self) -> Result<String, ParseError> {
        self.expect("\"")?;
        let mut out = String::new();
        loop {
            let end = self.rest.find(|c| matches!(c, '"' | '\\') || c < ' ').unwrap_or(self.rest.len());
            let (plain, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
            out.push_str(plain);
            self.rest = rest;
            if self.eat("\"") {
                return Ok(out);
            }
            self.expect("\\")?;
            let mut chars = self.rest.chars();
            let escaped = chars.next();
            let after = chars.as_str();
            out.push(match escaped {
                Some(c @ ('"' | '\\' | '/')) => c,
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('u') => {
                    self.rest = after;
                    out.push(self.unicode_escape()?);
                    continue;
                }
                _ => return Err(self.unexpected()),
            });
            self.rest = after;
        }
    }

    /// The character after `\u`, the second half of a surrogate pair included.
    fn unicode_escape(&mut self) -> Result<char, ParseError> {
        let first = self.hex4()?;
        if (0xD800..0xDC00).contains(&first) {
            let before = self.rest;
            if self.eat("\\u") {
                let second = self.hex4()?;
                if (0xDC00..0xE000).contains(&second) {
                    let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                    return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                // Not a pair: the second escape stands for itself.
                self.rest = before;
            }
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex4(&mut self) -> Result<u32, ParseError> {
        let (digits, rest) = self.rest.split_at_checked(4).ok_or_else(|| self.unexpected())?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(self.unexpected());
        }
        self.rest = rest;
        u32::from_str_radix(digits, 16).map_err(|_| self.unexpected())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_strict() {
        for bad in [
            "",
            "[1,]",
            "{\"a\"}",
            "{1:2}",
            "01",
            "1.",
            "[1 2]",
            "\"\\x\"",
            "\"\u{1}\"",
            "{} x",
            "nul",
            "set()",
            "+1",
            "{1}",
        ] {
            assert!(Value::parse_json(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn surrogates() {
        assert_eq!(
            Value::parse_json(r#""\ud83d\ude00\ud800a\udc00""#).unwrap(),
            Value::from("😀\u{fffd}a\u{fffd}")
        );
    }

    #[test]
    fn sets_and_any_keys() {
        let value = Value::parse_rego(r#"{1: {2, 2.0, "x"}, [true]: set(), "k": {}}"#).unwrap();
        assert_eq!(value.to_rego(), r#"{1:{2,"x"},"k":{},[true]:set()}"#);
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |n: usize| "[".repeat(n) + &"]".repeat(n);
        assert!(Value::parse_json(&nested(limits::MAX_DEPTH)).is_ok());
        assert_eq!(Value::parse_json(&nested(limits::MAX_DEPTH + 1)), Err(ParseError::TooDeep));
    }

    #[test]
    fn huge_exponents_are_refused() {
        assert!(matches!(Value::parse_json("1e99999"), Err(ParseError::Number(NumberError::TooBig(_)))));
        assert!(Value::parse_json("1e30000").is_ok());
    }
}
