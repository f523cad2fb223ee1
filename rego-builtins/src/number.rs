//! Numbers, kept as written and compared by value.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use num_bigint::BigInt;

use crate::limits;

/// A Rego number: OPA keeps the text of a JSON number, prints it as it was written, and compares by exact value.
#[derive(Clone)]
pub struct Number(Repr);

#[derive(Clone)]
enum Repr {
    /// Written as `i64` prints.
    Int(i64),
    /// Everything else: fractions, exponents, big integers, `-0`.
    Text(Arc<str>),
}

/// A text that is not a JSON number, or one whose exponent OPA refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Not of JSON's number grammar.
    #[error("`{0}` is not a number")]
    Syntax(String),
    /// The magnitude is beyond OPA's bound of 2^100000 (or below its inverse).
    #[error("number `{0}` is too big")]
    TooBig(String),
}

impl Number {
    /// OPA's `Number.Int64`: the value if the text is a whole number without exponent (`1`, `1.0`, not `1e2`) of at
    /// most 19 characters besides the sign.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match &self.0 {
            Repr::Int(i) => Some(*i),
            Repr::Text(text) => whole_number(text),
        }
    }

    /// The nearest double, unless that is infinite.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        let value: f64 = match &self.0 {
            Repr::Int(i) => return i.to_string().parse().ok(),
            Repr::Text(text) => text.parse().ok()?,
        };
        value.is_finite().then_some(value)
    }

    /// Whether the text has a fraction or an exponent; decides how `sprintf` prints the number.
    #[must_use]
    pub(crate) fn is_float_text(&self) -> bool {
        match &self.0 {
            Repr::Int(_) => false,
            Repr::Text(text) => text.contains(['.', 'e', 'E']),
        }
    }

    /// The exact integer, if the text is a whole number without point or exponent.
    pub(crate) fn as_plain_integer(&self) -> Option<BigInt> {
        match &self.0 {
            Repr::Text(text) if text.contains(['.', 'e', 'E']) => None,
            _ => self.to_bigint(),
        }
    }

    /// The exact integer, if the value is one and within [`limits::MAX_NUMBER_DIGITS`].
    pub(crate) fn to_bigint(&self) -> Option<BigInt> {
        let text = match &self.0 {
            Repr::Int(i) => return Some(BigInt::from(*i)),
            Repr::Text(text) => text,
        };
        let decimal = Decimal::parse(text)?;
        if decimal.point > limits::MAX_NUMBER_DIGITS {
            return None;
        }
        let digits: Vec<u8> = decimal.digits().collect();
        let whole = usize::try_from(decimal.point).ok()?;
        if digits.is_empty() {
            return Some(BigInt::ZERO);
        }
        if digits.len() > whole {
            return None;
        }
        let mut magnitude: String = digits.iter().map(|d| char::from(*d)).collect();
        magnitude.extend(std::iter::repeat_n('0', whole - digits.len()));
        let value: BigInt = magnitude.parse().ok()?;
        Some(if decimal.negative { -value } else { value })
    }

    /// Whether there are more digits than arithmetic is done with.
    pub(crate) fn exceeds_digit_limit(&self) -> bool {
        match &self.0 {
            Repr::Int(_) => false,
            Repr::Text(text) => {
                i64::try_from(text.len()).is_ok_and(|len| len > limits::MAX_NUMBER_DIGITS)
                    || Decimal::parse(text).is_none_or(|d| d.point.abs() > limits::MAX_NUMBER_DIGITS)
            }
        }
    }

    pub(crate) fn from_bigint(value: &BigInt) -> Number {
        match i64::try_from(value) {
            Ok(small) => Number(Repr::Int(small)),
            Err(_) => Number(Repr::Text(value.to_string().into())),
        }
    }

    /// A text that Go's `strconv.ParseFloat` takes, which is more than JSON's grammar: `+5`, `.5`, `5.`, `007`.
    pub(crate) fn from_go_float(text: &str) -> Result<Number, NumberError> {
        if let Ok(number) = text.parse() {
            return Ok(number);
        }
        let (_, unsigned) = split_sign(text);
        let starts_right = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        if !starts_right || Decimal::parse(text).is_none() {
            return Err(NumberError::Syntax(text.to_owned()));
        }
        checked(text)
    }

    pub(crate) fn to_serde(&self) -> Option<serde_json::Number> {
        match &self.0 {
            Repr::Int(i) => Some((*i).into()),
            Repr::Text(text) => {
                // `serde_json` reads what it can exactly as an integer and the rest as the nearest double.
                let parsed: serde_json::Number = text.parse().ok()?;
                Some(parsed)
            }
        }
    }

    fn with_text<T>(&self, read: impl FnOnce(&str) -> T) -> T {
        match &self.0 {
            Repr::Int(i) => read(&i.to_string()),
            Repr::Text(text) => read(text),
        }
    }
}

fn split_sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// OPA's `util.Atoi64`.
pub(crate) fn whole_number(text: &str) -> Option<i64> {
    let (negative, unsigned) = split_sign(text);
    if unsigned.is_empty() || unsigned.len() > 19 {
        return None;
    }
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    if !whole.bytes().all(|b| b.is_ascii_digit()) || !fraction.bytes().all(|b| b == b'0') {
        return None;
    }
    let magnitude: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

fn checked(text: &str) -> Result<Number, NumberError> {
    if text.contains(['e', 'E']) {
        let decimal = Decimal::parse(text).ok_or_else(|| NumberError::Syntax(text.to_owned()))?;
        if !decimal.is_zero() && decimal.point.abs() > limits::MAX_EXPONENT {
            return Err(NumberError::TooBig(text.to_owned()));
        }
    }
    Ok(Number(Repr::Text(text.into())))
}

impl FromStr for Number {
    type Err = NumberError;

    /// Reads JSON's number grammar (RFC 8259 §6).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !is_json_number(text) {
            return Err(NumberError::Syntax(text.to_owned()));
        }
        match text.parse::<i64>() {
            // A JSON number has no leading zeros or plus, so only `-0` prints otherwise than it was written.
            Ok(value) if text != "-0" => Ok(Number(Repr::Int(value))),
            _ => checked(text),
        }
    }
}

/// JSON's grammar: `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`.
fn is_json_number(text: &str) -> bool {
    let rest = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (rest, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)))
}

/// A decimal text read as `±0.d1d2d3… × 10^point`, without leading or trailing zeros.
pub(crate) struct Decimal<'a> {
    pub(crate) negative: bool,
    whole: &'a str,
    fraction: &'a str,
    pub(crate) point: i64,
}

impl<'a> Decimal<'a> {
    /// `None` if `text` is not `[+-]? digits? (. digits?)? ([eE] [+-]? digits)?` with a digit in the mantissa.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (negative, rest) = split_sign(text);
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (rest, None),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
            return None;
        }
        let exponent: i64 = match exponent {
            None => 0,
            Some(e) => {
                let (negative, digits) = split_sign(e);
                if digits.is_empty() || !all_digits(digits) {
                    return None;
                }
                // Saturated: far beyond every limit, and sums with lengths cannot overflow.
                let magnitude = digits.parse::<i64>().unwrap_or(i64::MAX).min(1 << 40);
                if negative { -magnitude } else { magnitude }
            }
        };
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        let (whole, fraction, shift) = if whole.is_empty() {
            let significant = fraction.trim_start_matches('0');
            ("", significant, i64::try_from(fraction.len() - significant.len()).ok()?)
        } else if fraction.is_empty() {
            (whole.trim_end_matches('0'), "", -i64::try_from(whole.len()).ok()?)
        } else {
            (whole, fraction, -i64::try_from(whole.len()).ok()?)
        };
        let zero = whole.is_empty() && fraction.is_empty();
        Some(Decimal { negative, whole, fraction, point: if zero { 0 } else { exponent - shift } })
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.whole.is_empty() && self.fraction.is_empty()
    }

    /// The significant digits, as ASCII.
    pub(crate) fn digits(&self) -> impl Iterator<Item = u8> + '_ {
        self.whole.bytes().chain(self.fraction.bytes())
    }

    fn cmp(&self, other: &Decimal<'_>) -> Ordering {
        match (self.is_zero(), other.is_zero()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return if other.negative { Ordering::Greater } else { Ordering::Less },
            (false, true) => return if self.negative { Ordering::Less } else { Ordering::Greater },
            (false, false) => {}
        }
        match (self.negative, other.negative) {
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            _ => {}
        }
        // Without leading or trailing zeros, a digit sequence that is a prefix of another is the smaller one.
        let magnitude = self.point.cmp(&other.point).then_with(|| self.digits().cmp(other.digits()));
        if self.negative { magnitude.reverse() } else { magnitude }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &other.0) {
            return a.cmp(b);
        }
        self.with_text(|a| {
            other.with_text(|b| match (Decimal::parse(a), Decimal::parse(b)) {
                (Some(a), Some(b)) => a.cmp(&b),
                // Every constructor has checked the text.
                _ => a.cmp(b),
            })
        })
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Int(i) => fmt::Display::fmt(i, f),
            Repr::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Number(Repr::Int(value))
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        match i64::try_from(value) {
            Ok(small) => Number(Repr::Int(small)),
            Err(_) => Number(Repr::Text(value.to_string().into())),
        }
    }
}

impl From<usize> for Number {
    fn from(value: usize) -> Self {
        Number::from(value as u64)
    }
}

impl From<&serde_json::Number> for Number {
    fn from(value: &serde_json::Number) -> Self {
        match value.as_i64() {
            Some(small) => Number(Repr::Int(small)),
            None => Number(Repr::Text(value.to_string().into())),
        }
    }
}
