//! Go's `big.Float` as OPA's arithmetic uses it: 64 bits of mantissa (more where an integer needs them), rounded to
//! nearest even, printed with the fewest digits that identify the value.

use std::cmp::Ordering;

use num_bigint::{BigInt, BigUint, Sign};

use crate::builtin::{Failure, fail};
use crate::limits;
use crate::number::{Decimal, Number};

const PRECISION: u64 = 64;

/// A binary floating-point number: `±mantissa · 2^exponent`, of at most `precision` bits.
#[derive(Debug, Clone)]
pub(crate) struct Float {
    negative: bool,
    mantissa: BigUint,
    exponent: i64,
    precision: u64,
}

fn too_many_digits<T>() -> Result<T, Failure> {
    fail(format!("number has more than {} digits", limits::MAX_NUMBER_DIGITS))
}

/// The value without its fraction; integers stay exact, others go through [`Float`] as OPA's do.
pub(crate) fn truncated(number: &Number) -> Result<BigInt, Failure> {
    match number.as_plain_integer() {
        Some(exact) => Ok(exact),
        None => Ok(Float::from_number(number)?.truncate()),
    }
}

impl Float {
    fn new(negative: bool, mantissa: BigUint, exponent: i64, precision: u64) -> Self {
        Float { negative, mantissa, exponent, precision }.rounded(false)
    }

    pub(crate) fn half() -> Self {
        Float::new(false, BigUint::from(1u8), -1, 53)
    }

    pub(crate) fn one() -> Self {
        Float::new(false, BigUint::from(1u8), 0, 53)
    }

    pub(crate) fn zero() -> Self {
        Float::new(false, BigUint::ZERO, 0, PRECISION)
    }

    pub(crate) fn from_integer(value: &BigInt) -> Self {
        let magnitude = value.magnitude().clone();
        let precision = magnitude.bits().max(PRECISION);
        Float::new(value.sign() == Sign::Minus, magnitude, 0, precision)
    }

    /// `SetString` of the number's text; like Go's, it rounds once for the digits and, for large exponents, once for
    /// the power of five.
    pub(crate) fn from_number(number: &Number) -> Result<Self, Failure> {
        if number.exceeds_digit_limit() {
            return too_many_digits();
        }
        Self::from_text(&number.to_string())
    }

    /// As [`Float::from_number`], of a decimal text.
    pub(crate) fn from_text(text: &str) -> Result<Self, Failure> {
        let Some(decimal) = Decimal::parse(text) else {
            return fail(format!("`{text}` is not a number"));
        };
        if decimal.point.abs() > limits::MAX_NUMBER_DIGITS {
            return too_many_digits();
        }
        let digits: Vec<u8> = decimal.digits().collect();
        let mantissa = BigUint::parse_bytes(&digits, 10).unwrap_or(BigUint::ZERO);
        // text = ±mantissa · 10^power
        let power = decimal.point - i64::try_from(digits.len())?;
        let exact = Float { negative: decimal.negative, mantissa, exponent: power, precision: PRECISION };
        if exact.mantissa == BigUint::ZERO {
            return Ok(Float { exponent: 0, ..exact });
        }
        let scale = pow5(power.unsigned_abs());
        Ok(match power.cmp(&0) {
            Ordering::Equal => exact.rounded(false),
            Ordering::Greater => exact.mul_to(&scale, PRECISION),
            Ordering::Less => exact.quo_to(&scale, PRECISION),
        })
    }

    /// Rounds to nearest even; `sticky` says that the value is a little more than the mantissa says.
    fn rounded(mut self, sticky: bool) -> Self {
        let bits = self.mantissa.bits();
        if bits <= self.precision {
            return self;
        }
        let shift = bits - self.precision;
        let half = self.mantissa.bit(shift - 1);
        let rest = sticky || self.mantissa.trailing_zeros().is_some_and(|zeros| zeros < shift - 1);
        let odd = self.mantissa.bit(shift);
        self.mantissa >>= shift;
        self.exponent += i64::try_from(shift).unwrap_or(i64::MAX);
        if half && (rest || odd) {
            self.mantissa += 1u8;
        }
        self
    }

    /// Refuses results so large or small that working with them is no longer cheap.
    fn bounded(self) -> Result<Self, Failure> {
        let bits = i64::try_from(self.mantissa.bits())?;
        // Somewhat more than three bits a digit.
        if (self.exponent + bits).abs() > 4 * limits::MAX_NUMBER_DIGITS {
            too_many_digits()
        } else {
            Ok(self)
        }
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.mantissa == BigUint::ZERO
    }

    pub(crate) fn is_negative(&self) -> bool {
        self.negative
    }

    pub(crate) fn negated(mut self) -> Self {
        self.negative = !self.negative;
        self
    }

    pub(crate) fn absolute(mut self) -> Self {
        self.negative = false;
        self
    }

    /// Both values as integers over one power of two.
    fn aligned(&self, other: &Self) -> (BigInt, BigInt, i64) {
        let exponent = match (self.is_zero(), other.is_zero()) {
            (true, _) => other.exponent,
            (_, true) => self.exponent,
            _ => self.exponent.min(other.exponent),
        };
        let integer = |x: &Self| {
            let shift = if x.is_zero() { 0 } else { (x.exponent - exponent).unsigned_abs() };
            let magnitude = BigInt::from(x.mantissa.clone() << shift);
            if x.negative { -magnitude } else { magnitude }
        };
        (integer(self), integer(other), exponent)
    }

    pub(crate) fn add(&self, other: &Self) -> Result<Self, Failure> {
        let (a, b, exponent) = self.aligned(other);
        let sum = a + b;
        let zero = sum == BigInt::ZERO;
        let negative = if zero { self.negative && other.negative } else { sum.sign() == Sign::Minus };
        let precision = self.precision.max(other.precision);
        let exponent = if zero { 0 } else { exponent };
        Float::new(negative, sum.magnitude().clone(), exponent, precision).bounded()
    }

    pub(crate) fn sub(&self, other: &Self) -> Result<Self, Failure> {
        self.add(&other.clone().negated())
    }

    pub(crate) fn mul(&self, other: &Self) -> Result<Self, Failure> {
        self.mul_to(other, self.precision.max(other.precision)).bounded()
    }

    /// The product in this number's own precision.
    pub(crate) fn scaled_by(&self, other: &Self) -> Result<Self, Failure> {
        self.mul_to(other, self.precision).bounded()
    }

    fn mul_to(&self, other: &Self, precision: u64) -> Self {
        let exponent = self.exponent + other.exponent;
        Float::new(self.negative != other.negative, &self.mantissa * &other.mantissa, exponent, precision)
    }

    /// The quotient; the caller has refused a zero divisor.
    pub(crate) fn quo(&self, other: &Self) -> Result<Self, Failure> {
        self.quo_to(other, self.precision.max(other.precision)).bounded()
    }

    fn quo_to(&self, other: &Self, precision: u64) -> Self {
        // Enough bits that the quotient has more than the precision, so that the remainder only breaks ties.
        let shift = (precision + 2 + other.mantissa.bits()).saturating_sub(self.mantissa.bits());
        let dividend = self.mantissa.clone() << shift;
        let quotient = &dividend / &other.mantissa;
        let sticky = &quotient * &other.mantissa != dividend;
        let exponent = self.exponent - other.exponent - i64::try_from(shift).unwrap_or(i64::MAX);
        let negative = self.negative != other.negative;
        Float { negative, mantissa: quotient, exponent, precision }.rounded(sticky)
    }

    /// Towards zero.
    pub(crate) fn truncate(&self) -> BigInt {
        let shift = self.exponent.unsigned_abs();
        let magnitude =
            if self.exponent >= 0 { self.mantissa.clone() << shift } else { self.mantissa.clone() >> shift };
        let magnitude = BigInt::from(magnitude);
        if self.negative { -magnitude } else { magnitude }
    }

    pub(crate) fn is_integer(&self) -> bool {
        self.is_zero()
            || self.exponent >= 0
            || self.mantissa.trailing_zeros().is_some_and(|zeros| zeros >= self.exponent.unsigned_abs())
    }

    pub(crate) fn equals(&self, other: &Self) -> bool {
        let (a, b, _) = self.aligned(other);
        a == b
    }

    /// `FloatToNumber`: integers in full, others as `%g`, both with the fewest digits.
    pub(crate) fn to_number(&self) -> Result<Number, Failure> {
        let sign = if self.negative { "-" } else { "" };
        let (digits, point) = self.shortest();
        let text = if self.is_integer() { plain(&digits, point) } else { general(&digits, point) };
        Ok(format!("{sign}{text}").parse()?)
    }

    /// The fewest decimal digits that identify the value, as `0.digits · 10^point`.
    fn shortest(&self) -> (Vec<u8>, i64) {
        if self.is_zero() {
            return (Vec::new(), 0);
        }
        let (digits, point) = decimal(&self.mantissa, self.exponent);
        // The mantissa with one bit more than the precision, so that its last bit is half a unit.
        let shift = i64::try_from(self.precision + 1).unwrap_or(i64::MAX)
            - i64::try_from(self.mantissa.bits()).unwrap_or(i64::MAX);
        let magnitude = self.mantissa.clone() << shift.unsigned_abs();
        let exponent = self.exponent - shift;
        let (lower, _) = decimal(&(&magnitude - 1u8), exponent);
        let (upper, _) = decimal(&(&magnitude + 1u8), exponent);
        let inclusive = !magnitude.bit(1);
        for (index, digit) in digits.iter().enumerate() {
            let low = lower.get(index).copied().unwrap_or(b'0');
            let high = upper.get(index).copied().unwrap_or(b'0');
            let down = low != *digit || (inclusive && index + 1 == lower.len());
            let up = *digit != high && (inclusive || digit + 1 < high || index + 1 < upper.len());
            let keep = index + 1;
            let kept: Vec<u8> = digits.iter().copied().take(keep).collect();
            match (down, up) {
                (true, true) if should_round_up(&digits, keep) => return increment(kept, point),
                (true, _) => return (trimmed(kept), point),
                (false, true) => return increment(kept, point),
                (false, false) => {}
            }
        }
        (digits, point)
    }
}

/// `5^n` as Go computes it: exact while it fits 64 bits, then rounded to 128 bits by squaring at 192.
fn pow5(n: u64) -> Float {
    let exact = n.min(27);
    let start = BigUint::from(5u8).pow(u32::try_from(exact).unwrap_or(27));
    let mut result = Float::new(false, start, 0, 128);
    let mut square = Float::new(false, BigUint::from(5u8), 0, 192);
    let mut left = n - exact;
    while left > 0 {
        if left & 1 == 1 {
            result = result.mul_to(&square, 128);
        }
        square = square.mul_to(&square, 192);
        left >>= 1;
    }
    result
}

/// The exact decimal digits of `mantissa · 2^exponent`, without trailing zeros, as `0.digits · 10^point`.
fn decimal(mantissa: &BigUint, exponent: i64) -> (Vec<u8>, i64) {
    let shift = exponent.unsigned_abs();
    let (scaled, down) = if exponent >= 0 {
        (mantissa.clone() << shift, 0)
    } else {
        // m / 2^s = m · 5^s / 10^s, with the common factors of two taken out first.
        let common = mantissa.trailing_zeros().unwrap_or(0).min(shift);
        let left = shift - common;
        let five = BigUint::from(5u8).pow(u32::try_from(left).unwrap_or(u32::MAX));
        ((mantissa >> common) * five, i64::try_from(left).unwrap_or(i64::MAX))
    };
    let digits = scaled.to_str_radix(10).into_bytes();
    let point = i64::try_from(digits.len()).unwrap_or(i64::MAX) - down;
    (trimmed(digits), point)
}

fn trimmed(mut digits: Vec<u8>) -> Vec<u8> {
    while digits.last() == Some(&b'0') {
        digits.pop();
    }
    digits
}

/// Whether rounding to `keep` digits goes up: to nearest, ties to even.
fn should_round_up(digits: &[u8], keep: usize) -> bool {
    match digits.get(keep) {
        None => false,
        Some(b'5') if digits.len() == keep + 1 => {
            keep.checked_sub(1).and_then(|last| digits.get(last)).is_some_and(|last| (last - b'0') % 2 == 1)
        }
        Some(next) => *next >= b'5',
    }
}

fn increment(mut digits: Vec<u8>, point: i64) -> (Vec<u8>, i64) {
    while digits.last() == Some(&b'9') {
        digits.pop();
    }
    match digits.last_mut() {
        Some(last) => {
            *last += 1;
            (digits, point)
        }
        None => (vec![b'1'], point + 1),
    }
}

/// `%f` with as many digits as there are.
fn plain(digits: &[u8], point: i64) -> String {
    let mut out = String::new();
    let whole = usize::try_from(point).unwrap_or(0);
    if whole == 0 {
        out.push('0');
    } else {
        out.extend(digits.iter().take(whole).map(|d| char::from(*d)));
        out.extend(std::iter::repeat_n('0', whole.saturating_sub(digits.len())));
    }
    if digits.len() > whole {
        out.push('.');
        let zeros = usize::try_from(-point).unwrap_or(0);
        out.extend(std::iter::repeat_n('0', zeros));
        out.extend(digits.iter().skip(whole).map(|d| char::from(*d)));
    }
    out
}

/// `%g` with the fewest digits: as `%e` below 1e-4 and from 1e6 on.
fn general(digits: &[u8], point: i64) -> String {
    let exponent = point - 1;
    if (-4..6).contains(&exponent) {
        return plain(digits, point);
    }
    let mut chars = digits.iter().map(|d| char::from(*d));
    let first = chars.next().unwrap_or('0');
    let rest: String = chars.collect();
    let dot = if rest.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{first}{dot}{rest}e{sign}{:02}", exponent.unsigned_abs())
}
