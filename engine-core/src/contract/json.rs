//! The reader behind the front door: JSON text in, a value out, with every bound held while reading.
//!
//! `serde_json` alone lets duplicate keys pass, the last one winning, and rounds integers beyond 64 bits. Two engines
//! that read such a text need not see the same request, so it is refused.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::fault::{Fault, FaultKind};
use crate::limits::RequestBounds;

/// Up to here every whole number is its own float (2^53, IEEE 754).
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads one JSON value. A whole number written as a float is read as the integer it is.
///
/// # Errors
/// [`FaultKind::RequestBounds`] for a text that is too large, too deep or too rich, that is not UTF-8 or not JSON, that
/// names a member twice, or that holds a number no `i64`, `u64` or `f64` is equal to. The detail has line and column.
pub fn read(text: &[u8], bounds: &RequestBounds) -> Result<Value, Fault> {
    let refuse = |detail: String| Fault::new(FaultKind::RequestBounds, detail);
    if text.len() as u64 > bounds.size.0 {
        // Whoever read the text may have stopped right behind the bound: how long it really is, is not known here.
        return Err(refuse(format!("the text has more than {} bytes", bounds.size.0)));
    }
    let text =
        std::str::from_utf8(text).map_err(|error| refuse(format!("the text is not UTF-8: {error}")))?;
    let nodes = Cell::new(bounds.nodes);
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Bounded { depth: bounds.depth, nodes: &nodes }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| refuse(error.to_string()))?;
    inexact_number(text)
        .map_or(Ok(value), |number| Err(refuse(format!("the number `{number}` would be rounded"))))
}

/// Holds the same bounds over a value that was not read from text. Its size is not known, so it is not bounded here.
///
/// # Errors
/// [`FaultKind::RequestBounds`] for a value that is too deep or too rich.
pub fn check(value: &Value, bounds: &RequestBounds) -> Result<(), Fault> {
    let refuse = |detail: String| Fault::new(FaultKind::RequestBounds, detail);
    // A stack of our own: a value made by a program can be deeper than the thread's.
    let mut open = vec![(value, 1_usize)];
    let mut nodes = 0_usize;
    while let Some((value, depth)) = open.pop() {
        nodes += 1;
        if depth > bounds.depth {
            return Err(refuse(format!("nested more than {} levels deep", bounds.depth)));
        }
        if nodes > bounds.nodes {
            return Err(refuse(format!("more than {} values", bounds.nodes)));
        }
        match value {
            Value::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(members) => open.extend(members.values().map(|member| (member, depth + 1))),
            _ => {}
        }
    }
    Ok(())
}

/// Makes every whole number of a value that was not read from text the integer it is, as [`read`] does: `14.0` is an
/// integer to JSON Schema and to Rego, so it is one for every engine.
pub fn make_whole(value: &mut Value) {
    // A stack of our own, as above.
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::Number(number) => {
                if let Some(whole) = number.as_f64().filter(|_| number.is_f64()).and_then(whole) {
                    *number = whole.into();
                }
            }
            Value::Array(items) => open.extend(items),
            Value::Object(members) => open.extend(members.values_mut()),
            _ => {}
        }
    }
}

/// The integer that a float is, if it is one and no other float stands for it. `-0` is zero.
fn whole(number: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "a whole number within 53 bits")]
    (number.fract() == 0.0 && number.abs() <= LARGEST_EXACT).then_some(number as i64)
}

/// The canonical text of a value: members sorted, no white space. What digests are taken over.
pub fn canonical(value: &Value) -> String {
    // Whether maps keep their order is decided by whoever else is in the program (`serde_json/preserve_order`).
    let mut sorted = value.clone();
    sorted.sort_all_objects();
    sorted.to_string()
}

/// The visitor: how many levels may still open, and how many values may still come.
#[derive(Clone, Copy)]
struct Bounded<'n> {
    depth: usize,
    nodes: &'n Cell<usize>,
}

impl<'n> Bounded<'n> {
    fn count<E: Error>(self) -> Result<(), E> {
        let left = self.nodes.get().checked_sub(1).ok_or_else(|| E::custom("too many values"))?;
        self.nodes.set(left);
        Ok(())
    }

    fn deeper<E: Error>(self) -> Result<Bounded<'n>, E> {
        let depth = self.depth.checked_sub(1).filter(|depth| *depth > 0);
        depth.map(|depth| Bounded { depth, nodes: self.nodes }).ok_or_else(|| E::custom("nested too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        // `14.0` is an integer to JSON Schema and to Rego: so it is one for every engine.
        if let Some(whole) = whole(value) {
            return Ok(Value::Number(whole.into()));
        }
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number out of range"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper::<A::Error>();
        let mut array = Vec::new();
        // An empty array opens no level: only what it holds would be deeper.
        while let Some(item) = items.next_element_seed(LazyDepth(&inner))? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper::<A::Error>();
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(LazyDepth(&inner))?;
            match object.entry(name) {
                serde_json::map::Entry::Vacant(slot) => slot.insert(value),
                serde_json::map::Entry::Occupied(slot) => {
                    return Err(A::Error::custom(format!("the member `{}` stands twice", slot.key())));
                }
            };
        }
        Ok(Value::Object(object))
    }
}

/// The level below, refused only when something is really there.
struct LazyDepth<'a, 'n, E>(&'a Result<Bounded<'n>, E>);

impl<'de, E: fmt::Display> DeserializeSeed<'de> for LazyDepth<'_, '_, E> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.0 {
            Ok(bounded) => bounded.deserialize(deserializer),
            Err(error) => Err(D::Error::custom(error)),
        }
    }
}

/// The first number of a JSON text that reading into `i64`, `u64` or `f64` would change.
fn inexact_number(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = end_of_string(bytes, at),
            b'-' | b'0'..=b'9' => {
                let length = bytes
                    .iter()
                    .skip(at)
                    .take_while(|b| matches!(b, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'))
                    .count();
                let number = text.get(at..at + length)?;
                if !is_exact(number) {
                    return Some(number);
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    None
}

fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

/// Whether a 64-bit integer, or the float that prints shortest, is this decimal number.
pub(crate) fn is_exact(number: &str) -> bool {
    if !number.contains(['.', 'e', 'E']) {
        return number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok();
    }
    let Ok(float) = number.parse::<f64>() else { return false };
    float.is_finite() && decimal(number) == decimal(&format!("{float:e}"))
}

/// A decimal number as its significant digits and the power of ten of the last of them.
fn decimal(number: &str) -> Option<(bool, String, i64)> {
    let (negative, number) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number),
    };
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some((false, String::new(), 0));
    }
    let dropped = i64::try_from(digits.len() - significant.len()).ok()?;
    let scale = i64::try_from(fraction.len()).ok()?;
    let exponent = exponent.parse::<i64>().ok()?.checked_sub(scale)?.checked_add(dropped)?;
    Some((negative, significant.to_owned(), exponent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read_text(text: &str) -> Result<Value, Fault> {
        read(text.as_bytes(), &RequestBounds::default())
    }

    #[test]
    fn what_engines_could_read_differently_is_refused() {
        let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
        let deeper = format!("{}1{}", "{\"a\":".repeat(64), "}".repeat(64));
        for (text, says) in [
            (r#"{"a": 1, "a": 2}"#, "stands twice"),
            (r#"{"a": {"b": 1, "\u0062": 2}}"#, "stands twice"),
            ("123456789012345678901234567890", "rounded"),
            ("[18446744073709551616]", "rounded"),
            ("0.10000000000000000001", "rounded"),
            ("1e400", "out of range"),
            ("{\"a\": 1", "EOF"),
            ("{} junk", "trailing"),
            ("[1,]", "trailing comma"),
            ("01", "invalid number"),
            ("\"\\ud800\"", "hex escape"),
            ("", "EOF"),
            (&deep, "deep"),
            (&deeper, "deep"),
        ] {
            let fault = read_text(text).expect_err(text);
            assert_eq!(fault.kind, FaultKind::RequestBounds);
            assert!(fault.detail.contains(says), "{text}: {}", fault.detail);
        }
        assert!(read(b"\xff\xfe", &RequestBounds::default()).is_err());
    }

    #[test]
    fn what_is_exact_is_read_as_it_stands() {
        for (text, value) in [
            ("-0", json!(0)),
            ("-0.0e5", json!(0)),
            ("18446744073709551615", json!(u64::MAX)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("1.50", json!(1.5)),
            ("1e2", json!(100)),
            ("14.0", json!(14)),
            ("-9007199254740992.0", json!(-9_007_199_254_740_992_i64)),
            ("1e300", json!(1e300)),
            ("0.1", json!(0.1)),
            (r#"{"a\"1e999": "1e999"}"#, json!({"a\"1e999": "1e999"})),
        ] {
            assert_eq!(read_text(text).unwrap(), value, "{text}");
        }
    }

    #[test]
    fn bounds_are_held_exactly() {
        let bounds = RequestBounds { size: crate::limits::Bytes(20), depth: 3, nodes: 4 };
        for (text, fits) in [
            ("[[1]]", true),
            ("[[[]]]", true),
            ("[[[1]]]", false),
            ("[1,2,3]", true),
            ("[1,2,3,4]", false),
            ("[                  ]", true),
            ("[                   ]", false),
        ] {
            assert_eq!(read(text.as_bytes(), &bounds).is_ok(), fits, "{text}");
            if text.len() < 20 {
                let value: Value = serde_json::from_str(text).unwrap();
                assert_eq!(check(&value, &bounds).is_ok(), fits, "{text} as a value");
            }
        }
    }
}
