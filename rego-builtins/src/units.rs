//! `units.*`: quantities with SI and binary units, exact.

use num_bigint::BigInt;

use crate::builtin::{Builtin, Context, Failure, Outcome, done, fail};
use crate::float::Float;
use crate::limits;
use crate::number::{Decimal, Number};
use crate::operand::{operands, string};
use crate::value::Value;

pub(crate) const BUILTINS: &[Builtin] =
    &[Builtin::new("units.parse", 1, parse), Builtin::new("units.parse_bytes", 1, parse_bytes)];

/// Splits a quantity at the first byte that cannot be of a number; an `e` counts as an exponent only before a digit
/// or a sign.
fn split(text: &str) -> Result<(&str, &str), Failure> {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = rest.strip_prefix(c).unwrap_or("");
        match c {
            '0'..='9' | '.' | '+' | '-' => rest = after,
            'e' | 'E' if after.starts_with(|c: char| matches!(c, '0'..='9' | '+' | '-')) => {
                let digits = after.strip_prefix(['+', '-']).unwrap_or(after);
                let rest_of_digits = digits.trim_start_matches(|c: char| c.is_ascii_digit());
                if digits.len() - rest_of_digits.len() > 6 {
                    return fail("exponent too large");
                }
                rest = digits;
            }
            _ => break,
        }
    }
    text.split_at_checked(text.len() - rest.len()).ok_or_else(|| Failure::new("no amount provided"))
}

fn quantity(text: &str) -> Result<(&str, &str), Failure> {
    if text.contains(' ') {
        return fail("spaces not allowed in resource strings");
    }
    let (number, unit) = split(text)?;
    if number.is_empty() {
        return fail("no amount provided");
    }
    Ok((number, unit))
}

fn factor(unit: &str) -> Option<u64> {
    Some(match unit {
        "" => 1,
        "k" => 1000,
        "m" => 1000_u64.pow(2),
        "g" => 1000_u64.pow(3),
        "t" => 1000_u64.pow(4),
        "p" => 1000_u64.pow(5),
        "e" => 1000_u64.pow(6),
        "ki" => 1 << 10,
        "mi" => 1 << 20,
        "gi" => 1 << 30,
        "ti" => 1 << 40,
        "pi" => 1 << 50,
        "ei" => 1 << 60,
        _ => return None,
    })
}

fn parse(_: &Context, args: &[Value]) -> Outcome {
    let [text] = operands(args)?;
    let text = string(text, 1)?.replace('"', "");
    let (number, unit) = quantity(&text)?;
    let mut letters = unit.chars();
    let unit = match letters.next() {
        Some(first) => format!("{first}{}", letters.as_str().to_lowercase()),
        None => String::new(),
    };
    let Some(decimal) = Decimal::parse(number) else {
        return fail("could not parse amount to a number");
    };
    if decimal.point.abs() > limits::MAX_NUMBER_DIGITS {
        return fail(format!("number has more than {} digits", limits::MAX_NUMBER_DIGITS));
    }
    // The fraction numerator / (ten^down · below).
    let digits: Vec<u8> = decimal.digits().collect();
    let mut numerator = BigInt::parse_bytes(&digits, 10).unwrap_or(BigInt::ZERO);
    if decimal.negative {
        numerator = -numerator;
    }
    let power = decimal.point - i64::try_from(digits.len())?;
    let ten = |n: i64| BigInt::from(10).pow(u32::try_from(n.max(0)).unwrap_or(0));
    numerator *= ten(power);
    let mut denominator = ten(-power);
    if unit == "m" {
        // The double nearest to 0.001, as OPA's.
        numerator *= BigInt::from(1_152_921_504_606_847_u64);
        denominator <<= 60;
    } else {
        // Only the unit's first letter may be a capital, and `m` is milli, `M` mega.
        let mega = unit == "M";
        let name = unit.to_lowercase();
        let Some(factor) = factor(&name).filter(|_| mega || unit != "m") else {
            return fail(format!("unit {unit} not recognized"));
        };
        numerator *= BigInt::from(factor);
    }
    if &numerator % &denominator == BigInt::ZERO {
        return done(Number::from_bigint(&(numerator / denominator)));
    }
    // Ten decimals, half away from zero.
    let scaled = numerator * BigInt::from(20_000_000_000_u64) / denominator;
    let negative = scaled < BigInt::ZERO;
    let rounded = (scaled.magnitude() + 1u8) / 2u8;
    let text = format!("{rounded:0>11}");
    let (whole, fraction) = text.split_at_checked(text.len() - 10).unwrap_or(("0", &text));
    // Go prints the sign of the exact value.
    let sign = if negative || decimal.negative { "-" } else { "" };
    done(format!("{sign}{whole}.{fraction}").parse::<Number>()?)
}

fn parse_bytes(_: &Context, args: &[Value]) -> Outcome {
    let [text] = operands(args)?;
    let text = string(text, 1)?.to_lowercase().replace('"', "");
    let (number, unit) = quantity(&text)?;
    let plain = unit.strip_suffix('b').unwrap_or(unit);
    let Some(factor) = factor(plain).filter(|_| unit != "b") else {
        return fail(format!("byte unit {unit} not recognized"));
    };
    let amount = Float::from_text(number)?;
    let total = amount.mul(&Float::from_integer(&BigInt::from(factor)))?.truncate();
    done(Number::from_bigint(&total))
}
