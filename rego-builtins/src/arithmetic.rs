//! Numbers: arithmetic, rounding, ranges, bits.
//!
//! Integers are exact. Fractions go through [`Float`], 64 bits of mantissa, as OPA's `big.Float`s do.

use num_bigint::{BigInt, Sign};

use crate::builtin::{Builtin, Context, Failure, Outcome, done, fail};
use crate::float::Float;
use crate::limits;
use crate::number::Number;
use crate::operand::{bigint, number, operands, wrong_type};
use crate::value::Value;

pub(crate) const BUILTINS: &[Builtin] = &[
    Builtin::new("abs", 1, |_, args| unary(args, |x| Ok(x.absolute()), |i| i.checked_abs())),
    Builtin::new("bits.and", 2, |_, args| bits(args, |a, b| Ok(a & b))),
    Builtin::new("bits.lsh", 2, |_, args| bits(args, shift_left)),
    Builtin::new("bits.negate", 1, bits_negate),
    Builtin::new("bits.or", 2, |_, args| bits(args, |a, b| Ok(a | b))),
    Builtin::new("bits.rsh", 2, |_, args| bits(args, shift_right)),
    Builtin::new("bits.xor", 2, |_, args| bits(args, |a, b| Ok(a ^ b))),
    Builtin::new("ceil", 1, |_, args| unary(args, ceil, Some)),
    Builtin::new("div", 2, div),
    Builtin::new("floor", 1, |_, args| unary(args, floor, Some)),
    Builtin::new("minus", 2, minus),
    Builtin::new("mul", 2, |_, args| binary(args, |a, b| a * b, Float::mul)),
    Builtin::new("numbers.range", 2, range),
    Builtin::new("numbers.range_step", 3, range_step),
    Builtin::new("plus", 2, |_, args| binary(args, |a, b| a + b, Float::add)),
    Builtin::new("rem", 2, rem),
    Builtin::new("round", 1, |_, args| unary(args, round, Some)),
];

/// OPA works on machine integers while both operands fit 32 bits.
fn small(number: &Number) -> Option<i64> {
    number.as_i64().filter(|i| i32::try_from(*i).is_ok())
}

fn bounded(value: &BigInt) -> Result<Number, Failure> {
    if value.bits() > 4 * limits::MAX_NUMBER_DIGITS.unsigned_abs() {
        return fail(format!("number has more than {} digits", limits::MAX_NUMBER_DIGITS));
    }
    Ok(Number::from_bigint(value))
}

fn binary(
    args: &[Value],
    exact: impl Fn(BigInt, BigInt) -> BigInt,
    float: impl Fn(&Float, &Float) -> Result<Float, Failure>,
) -> Outcome {
    let [a, b] = operands(args)?;
    let (a, b) = (number(a, 1)?, number(b, 2)?);
    if let (Some(a), Some(b)) = (a.to_bigint(), b.to_bigint()) {
        return done(bounded(&exact(a, b))?);
    }
    done(float(&Float::from_number(a)?, &Float::from_number(b)?)?.to_number()?)
}

/// The difference of numbers or of sets.
fn minus(_: &Context, args: &[Value]) -> Outcome {
    let [a, b] = operands(args)?;
    match (a, b) {
        (Value::Number(_), Value::Number(_)) => binary(args, |a, b| a - b, Float::sub),
        (Value::Set(a), Value::Set(b)) => done(Value::Set(a.difference(b).cloned().collect())),
        (Value::Set(_), Value::Number(_)) => Err(wrong_type(2, b, &["set"])),
        (Value::Number(_) | Value::Set(_), _) => Err(wrong_type(2, b, &["number"])),
        _ => Err(wrong_type(1, a, &["number", "set"])),
    }
}

fn div(_: &Context, args: &[Value]) -> Outcome {
    let [a, b] = operands(args)?;
    let (a, b) = (number(a, 1)?, number(b, 2)?);
    if let (Some(a), Some(b)) = (small(a), small(b)) {
        if b == 0 {
            return fail("divide by zero");
        }
        if a != 0 && a % b == 0 {
            return done(a / b);
        }
    }
    let (a, b) = (Float::from_number(a)?, Float::from_number(b)?);
    if b.is_zero() {
        return fail("divide by zero");
    }
    done(a.quo(&b)?.to_number()?)
}

fn rem(_: &Context, args: &[Value]) -> Outcome {
    let [a, b] = operands(args)?;
    let (a, b) = (number(a, 1)?, number(b, 2)?);
    match (a.to_bigint(), b.to_bigint()) {
        (Some(_), Some(b)) if b == BigInt::ZERO => fail("modulo by zero"),
        (Some(a), Some(b)) => done(Number::from_bigint(&(a % b))),
        _ => fail("modulo on floating-point number"),
    }
}

fn unary(
    args: &[Value],
    float: impl Fn(Float) -> Result<Float, Failure>,
    integer: impl Fn(i64) -> Option<i64>,
) -> Outcome {
    let [x] = operands(args)?;
    let x = number(x, 1)?;
    if let Some(result) = small(x).and_then(integer) {
        return done(result);
    }
    done(float(Float::from_number(x)?)?.to_number()?)
}

/// Half away from zero.
fn round(x: Float) -> Result<Float, Failure> {
    let half = Float::half();
    let moved = if x.is_negative() { x.sub(&half)? } else { x.add(&half)? };
    Ok(Float::from_integer(&moved.truncate()))
}

/// As OPA has it: between -1 and 0 the result is 1, for the truncated zero has lost its sign.
fn ceil(x: Float) -> Result<Float, Failure> {
    let whole = Float::from_integer(&x.truncate());
    if whole.is_negative() || x.equals(&whole) { Ok(whole) } else { whole.add(&Float::one()) }
}

/// As OPA has it: between -1 and 0 the result is 0.
fn floor(x: Float) -> Result<Float, Failure> {
    let whole = Float::from_integer(&x.truncate());
    if !whole.is_negative() || x.equals(&whole) { Ok(whole) } else { whole.sub(&Float::one()) }
}

fn range(_: &Context, args: &[Value]) -> Outcome {
    let [from, to] = operands(args)?;
    elements(bigint(from, 1)?, &bigint(to, 2)?, BigInt::from(1))
}

fn range_step(_: &Context, args: &[Value]) -> Outcome {
    let [from, to, step] = operands(args)?;
    let (from, to, step) = (bigint(from, 1)?, bigint(to, 2)?, bigint(step, 3)?);
    if step.sign() != Sign::Plus {
        return fail("numbers.range_step: step must be a positive integer");
    }
    elements(from, &to, step)
}

fn elements(from: BigInt, to: &BigInt, step: BigInt) -> Outcome {
    let steps = (to - &from).magnitude() / step.magnitude();
    let count =
        usize::try_from(&steps).ok().and_then(|n| n.checked_add(1)).filter(|n| *n <= limits::MAX_ELEMENTS);
    let Some(count) = count else {
        return fail(format!("range has more than {} elements", limits::MAX_ELEMENTS));
    };
    let step = if from <= *to { step } else { -step };
    let mut items = Vec::with_capacity(count);
    let mut next = from;
    for _ in 0..count {
        items.push(Value::Number(Number::from_bigint(&next)));
        next += &step;
    }
    done(items)
}

fn bits(args: &[Value], f: impl Fn(BigInt, BigInt) -> Result<BigInt, Failure>) -> Outcome {
    let [a, b] = operands(args)?;
    done(bounded(&f(bigint(a, 1)?, bigint(b, 2)?)?)?)
}

fn bits_negate(_: &Context, args: &[Value]) -> Outcome {
    let [a] = operands(args)?;
    done(Number::from_bigint(&!bigint(a, 1)?))
}

/// The low 64 bits of the shift's width, as in OPA.
fn shift_width(by: &BigInt) -> Result<u64, Failure> {
    if by.sign() == Sign::Minus {
        return fail("operand 2 must be an unsigned integer number but got a negative integer");
    }
    Ok(by.iter_u64_digits().next().unwrap_or(0))
}

fn shift_left(a: BigInt, by: BigInt) -> Result<BigInt, Failure> {
    let width = shift_width(&by)?;
    if a != BigInt::ZERO && width > 4 * limits::MAX_NUMBER_DIGITS.unsigned_abs() {
        return fail(format!("number has more than {} digits", limits::MAX_NUMBER_DIGITS));
    }
    Ok(if a == BigInt::ZERO { a } else { a << width })
}

fn shift_right(a: BigInt, by: BigInt) -> Result<BigInt, Failure> {
    Ok(a >> shift_width(&by)?)
}
