//! Texts inside encodings.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Made, OfText};
use crate::contract::Pointer;
use crate::derive::room::Room;

/// See [`DeriveSpec::Decode`](crate::derive::DeriveSpec::Decode).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecodeSpec {
    /// The text.
    pub source: Pointer,
    /// How it is encoded.
    pub encoding: Encoding,
    /// How often at most; 1 without it.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    #[schemars(range(min = 1, max = 8))]
    pub depth: u8,
}

fn once() -> u8 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_once(depth: &u8) -> bool {
    *depth == 1
}

/// How a text can be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// RFC 4648; white space is passed over, and the padding may be missing. Absent where the text is not of this form.
    Base64,
    /// The same with `-` and `_`.
    Base64url,
    /// `%41`. A text that could still be decoded after `depth` times, or that is not UTF-8 then, is a fault.
    Percent,
}

/// Whoever hides a text chooses who decodes it: what lenient decoders read is read here.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

#[derive(Debug)]
pub(super) struct Decode {
    pub(super) encoding: Encoding,
    pub(super) depth: u8,
}

impl OfText for Decode {
    fn of_text(&self, text: &str, _: &Room) -> Made {
        let once = |text: &str| match self.encoding {
            Encoding::Base64 => base64(&BASE64, text),
            Encoding::Base64url => base64(&BASE64_URL, text),
            Encoding::Percent => percent(text),
        };
        let mut decoded = None;
        for _ in 0..self.depth {
            let before = decoded.as_deref().unwrap_or(text);
            match once(before).filter(|after| after != before) {
                Some(after) => decoded = Some(after),
                None => break,
            }
        }
        match (self.encoding, decoded) {
            (Encoding::Percent, decoded) => {
                let decoded = decoded.unwrap_or_else(|| text.to_owned());
                if is_encoded(&decoded) {
                    let times =
                        if self.depth == 1 { "once".to_owned() } else { format!("{} times", self.depth) };
                    return Err(format!("is still percent-encoded, or not UTF-8, after decoding it {times}"));
                }
                Ok(Some(Value::String(decoded)))
            }
            // Nothing but the empty text decodes to itself.
            (_, None) if text.is_empty() => Ok(Some(Value::String(String::new()))),
            (_, decoded) => Ok(decoded.map(Value::String)),
        }
    }
}

fn base64(engine: &GeneralPurpose, text: &str) -> Option<String> {
    let bytes = if text.contains(|char: char| char.is_ascii_whitespace()) {
        let text: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        engine.decode(text)
    } else {
        engine.decode(text)
    };
    String::from_utf8(bytes.ok()?).ok()
}

fn percent(text: &str) -> Option<String> {
    percent_encoding::percent_decode_str(text).decode_utf8().ok().map(|text| text.into_owned())
}

fn is_encoded(text: &str) -> bool {
    text.as_bytes().windows(3).any(
        |three| matches!(three, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit()),
    )
}

/// Decodes percent-encoding until there is none left, in one pass: `None` if the bytes are not UTF-8 then.
pub(super) fn percent_to_the_end(text: &str) -> Option<String> {
    let mut bytes: Vec<u8> = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        bytes.push(byte);
        // What was just decoded may complete another encoding, to its left only.
        while let [.., b'%', high, low] = bytes.as_slice() {
            let (Some(high), Some(low)) = (char::from(*high).to_digit(16), char::from(*low).to_digit(16))
            else {
                break;
            };
            let decoded = u8::try_from(high * 16 + low).ok()?;
            bytes.truncate(bytes.len() - 3);
            bytes.push(decoded);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(encoding: Encoding, depth: u8, text: &str) -> Made {
        Decode { encoding, depth }.of_text(text, &Room::new())
    }

    #[test]
    fn texts_are_decoded_as_deep_as_declared() {
        use Encoding::{Base64, Base64url, Percent};
        for (encoding, depth, text, expected) in [
            (Base64, 1, "aWdub3JlIGFsbA==", Ok(Some("ignore all"))),
            (Base64, 1, "aWdub3JlIGFsbA", Ok(Some("ignore all"))),
            (Base64, 1, "aWdu\r\nb3Jl IGFsbA==\n", Ok(Some("ignore all"))),
            (Base64, 1, "Pz8/", Ok(Some("???"))),
            (Base64, 1, "Pz8_", Ok(None)),
            (Base64url, 1, "Pz8_", Ok(Some("???"))),
            (Base64url, 1, "Pz8/", Ok(None)),
            (Base64, 1, "", Ok(Some(""))),
            (Base64, 1, "not base64!", Ok(None)),
            (Base64, 1, "/////w==", Ok(None)),
            (Base64, 1, "YVdkdWIzSmxJR0ZzYkE9PQ==", Ok(Some("aWdub3JlIGFsbA=="))),
            (Base64, 2, "YVdkdWIzSmxJR0ZzYkE9PQ==", Ok(Some("ignore all"))),
            (Base64, 8, "YVdkdWIzSmxJR0ZzYkE9PQ==", Ok(Some("ignore all"))),
            (Percent, 1, "a%2Fb", Ok(Some("a/b"))),
            (Percent, 1, "plain, 100% so", Ok(Some("plain, 100% so"))),
            (Percent, 1, "%252e", Err("is still percent-encoded, or not UTF-8, after decoding it once")),
            (Percent, 2, "%252e", Ok(Some("."))),
            (Percent, 2, "%25252e", Err("is still percent-encoded, or not UTF-8, after decoding it 2 times")),
            (Percent, 3, "%ff", Err("is still percent-encoded, or not UTF-8, after decoding it 3 times")),
            (Percent, 1, "%C3%A9", Ok(Some("é"))),
        ] {
            let expected = expected.map(|text| text.map(Value::from)).map_err(str::to_owned);
            assert_eq!(decode(encoding, depth, text), expected, "{encoding:?} {depth} {text}");
        }
    }

    proptest! {
        #[test]
        fn one_pass_decodes_as_many_do(text in "(%|25|2[eF]|4|1|[a-z/é]){0,40}") {
            let mut bytes = text.clone().into_bytes();
            loop {
                let after: Vec<u8> = percent_encoding::percent_decode(&bytes).collect();
                if after == bytes {
                    break;
                }
                bytes = after;
            }
            prop_assert_eq!(percent_to_the_end(&text), String::from_utf8(bytes).ok());
        }

        #[test]
        fn what_was_encoded_is_decoded(text in "\\PC{0,40}") {
            for (engine, encoding) in [(BASE64, Encoding::Base64), (BASE64_URL, Encoding::Base64url)] {
                prop_assert_eq!(decode(encoding, 1, &engine.encode(&text)), Ok(Some(text.clone().into())));
            }
        }
    }

    #[test]
    fn a_long_tower_of_encodings_is_one_pass() {
        let text = format!("%{}41", "25".repeat(1 << 19));
        assert_eq!(percent_to_the_end(&text).as_deref(), Some("A"));
    }
}
