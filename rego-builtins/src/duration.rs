//! Durations: Go's `time.ParseDuration`, and OPA's days, weeks and years.

use crate::builtin::{Failure, fail};

/// The duration in nanoseconds. `d`, `w` and `y` are 24 hours, 7 days and 365 days.
pub(crate) fn parse(text: &str) -> Result<i64, Failure> {
    let invalid = || Failure::new(format!("time: invalid duration `{text}`"));
    if !text.contains(['d', 'w', 'y']) {
        return go_duration(text).ok_or_else(invalid);
    }
    // OPA rewrites these to hours, as doubles, before Go parses the whole.
    let (sign, mut rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.strip_suffix(rest).unwrap_or(""), rest),
        None => ("", text),
    };
    let mut rewritten = String::from(sign);
    while !rest.is_empty() {
        let (digits, unit, after) = segment(rest).ok_or_else(invalid)?;
        let hours = match unit {
            "d" => 24.0,
            "w" => 7.0 * 24.0,
            "y" => 365.0 * 24.0,
            _ => 0.0,
        };
        if hours > 0.0 {
            let value: f64 = digits.parse()?;
            if !value.is_finite() {
                return fail(invalid().0);
            }
            rewritten.push_str(&format!("{}h", value * hours));
        } else {
            rewritten.push_str(digits);
            rewritten.push_str(unit);
        }
        rest = after;
    }
    go_duration(&rewritten).ok_or_else(invalid)
}

/// A number, its unit, and what follows.
fn segment(text: &str) -> Option<(&str, &str, &str)> {
    let digits_end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (digits, rest) = text.split_at_checked(digits_end)?;
    let unit_end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
    let (unit, rest) = rest.split_at_checked(unit_end)?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let number = (!whole.is_empty() || !fraction.is_empty()) && !fraction.contains('.');
    // Here OPA's grammar has the micro sign only.
    let number = number && unit != "\u{3bc}s";
    (number && (nanoseconds(unit).is_some() || matches!(unit, "d" | "w" | "y")))
        .then_some((digits, unit, rest))
}

fn nanoseconds(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        // Both the micro sign and the Greek letter.
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60 * 1_000_000_000,
        "h" => 3600 * 1_000_000_000,
        _ => return None,
    })
}

const HALF: u64 = 1 << 63;

fn go_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0u64;
    while !rest.is_empty() {
        let whole_end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (whole, after) = rest.split_at_checked(whole_end)?;
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => {
                after.split_at_checked(after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len()))?
            }
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let unit_end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(unit_end)?;
        let unit = nanoseconds(unit)?;
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        let mut value = whole.checked_mul(unit).filter(|v| *v <= HALF)?;
        value = value.checked_add(fraction_of(fraction, unit)).filter(|v| *v <= HALF)?;
        total = total.checked_add(value).filter(|v| *v <= HALF)?;
        rest = after;
    }
    if negative {
        return Some(total.wrapping_neg().cast_signed());
    }
    i64::try_from(total).ok()
}

/// Go's way: digits as long as they fit, then as a double.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "as in Go"
)]
fn fraction_of(digits: &str, unit: u64) -> u64 {
    let (mut value, mut scale) = (0u64, 1.0f64);
    for digit in digits.bytes().map(|b| u64::from(b - b'0')) {
        if value > (HALF - 1) / 10 {
            break;
        }
        let next = value * 10 + digit;
        if next > HALF {
            break;
        }
        value = next;
        scale *= 10.0;
    }
    (value as f64 * (unit as f64 / scale)) as u64
}
