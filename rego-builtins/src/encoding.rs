//! `base64.*`, `base64url.*`, `hex.*`, `urlquery.*`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose};

use crate::builtin::{Builtin, Context, Failure, Outcome, done, fail};
use crate::operand::{object, operands, string};
use crate::print::json_members;
use crate::strings::bounded;
use crate::value::Value;

pub(crate) const BUILTINS: &[Builtin] = &[
    Builtin::new("base64.decode", 1, base64_decode),
    Builtin::new("base64.encode", 1, |_, args| encode(args, |s| general_purpose::STANDARD.encode(s))),
    Builtin::new("base64.is_valid", 1, base64_is_valid),
    Builtin::new("base64url.decode", 1, base64url_decode),
    Builtin::new("base64url.encode", 1, |_, args| encode(args, |s| general_purpose::URL_SAFE.encode(s))),
    Builtin::new("base64url.encode_no_pad", 1, |_, args| {
        encode(args, |s| general_purpose::URL_SAFE_NO_PAD.encode(s))
    }),
    Builtin::new("hex.decode", 1, hex_decode),
    Builtin::new("hex.encode", 1, |_, args| encode(args, |s| hex::encode(s))),
    Builtin::new("urlquery.decode", 1, urlquery_decode),
    Builtin::new("urlquery.decode_object", 1, decode_object),
    Builtin::new("urlquery.encode", 1, |_, args| encode(args, percent_encode)),
    Builtin::new("urlquery.encode_object", 1, encode_object),
];

/// As Go decodes: padding required, stray bits in the last character ignored.
const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::RequireCanonical);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);

fn encode(args: &[Value], f: impl Fn(&str) -> String) -> Outcome {
    let [text] = operands(args)?;
    bounded(f(string(text, 1)?))
}

/// OPA's strings may hold any bytes, ours hold UTF-8: refusing is the one answer that is not a wrong one.
fn utf8(bytes: Vec<u8>) -> Outcome {
    String::from_utf8(bytes).map_or_else(|_| fail("the decoded bytes are not UTF-8"), done)
}

/// Go's decoder skips line breaks.
fn from_base64(text: &str, engine: &GeneralPurpose) -> Result<Vec<u8>, Failure> {
    let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    engine.decode(text).map_err(|error| Failure::new(format!("illegal base64 data: {error}")))
}

fn base64_decode(_: &Context, args: &[Value]) -> Outcome {
    let [text] = operands(args)?;
    utf8(from_base64(string(text, 1)?, &STANDARD)?)
}

fn base64_is_valid(_: &Context, args: &[Value]) -> Outcome {
    let [text] = operands(args)?;
    done(text.as_str().is_some_and(|text| from_base64(text, &STANDARD).is_ok()))
}

fn base64url_decode(_: &Context, args: &[Value]) -> Outcome {
    let [text] = operands(args)?;
    let mut text = string(text, 1)?.to_owned();
    if !text.ends_with('=') {
        match text.len() % 4 {
            0 => {}
            2 => text.push_str("=="),
            3 => text.push('='),
            _ => return fail(format!("illegal base64url string: {text}")),
        }
    }
    utf8(from_base64(&text, &URL_SAFE)?)
}

fn hex_decode(_: &Context, args: &[Value]) -> Outcome {
    let [text] = operands(args)?;
    utf8(hex::decode(string(text, 1)?)?)
}

/// Go's `url.QueryEscape`.
fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// Go's `url.QueryUnescape`.
fn percent_decode(text: &str) -> Result<String, Failure> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let digit =
                    |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|d| u8::try_from(d).ok());
                let (high, low) = (digit(bytes.next()), digit(bytes.next()));
                let (Some(high), Some(low)) = (high, low) else {
                    return fail(format!("invalid URL escape in `{text}`"));
                };
                out.push(high << 4 | low);
            }
            other => out.push(other),
        }
    }
    String::from_utf8(out).map_err(|_| Failure::new("the decoded bytes are not UTF-8"))
}

fn urlquery_decode(_: &Context, args: &[Value]) -> Outcome {
    let [text] = operands(args)?;
    done(percent_decode(string(text, 1)?)?)
}

fn encode_object(_: &Context, args: &[Value]) -> Outcome {
    let [value] = operands(args)?;
    let mut pairs = Vec::new();
    for (key, value) in json_members(object(value, 1)?) {
        let values: Vec<&Value> = match value {
            Value::String(_) => vec![value],
            Value::Array(items) => items.iter().collect(),
            Value::Set(items) => items.iter().collect(),
            _ => Vec::from([&Value::Null]),
        };
        for value in values {
            let Some(text) = value.as_str() else {
                return fail("operand 1 values must be string, array[string], or set[string]");
            };
            pairs.push(format!("{}={}", percent_encode(&key), percent_encode(text)));
        }
    }
    bounded(pairs.join("&"))
}

fn decode_object(_: &Context, args: &[Value]) -> Outcome {
    let [text] = operands(args)?;
    let text = string(text, 1)?;
    // Go's own bound.
    if text.matches('&').count() + 1 > 10_000 {
        return fail("number of URL query parameters exceeded limit");
    }
    let mut decoded: BTreeMap<Value, Vec<Value>> = BTreeMap::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        if pair.contains(';') {
            return fail("invalid semicolon separator in query");
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (key, value) = (percent_decode(key)?, percent_decode(value)?);
        decoded.entry(Value::from(key)).or_default().push(Value::from(value));
    }
    done(decoded.into_iter().map(|(key, values)| (key, Value::Array(values))).collect::<BTreeMap<_, _>>())
}
