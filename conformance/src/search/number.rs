//! Numbers near a number.

use fastrand::Rng;
use serde_json::Value;

/// A number at one of the edges around `number`.
pub(super) fn near(number: &Value, rng: &mut Rng) -> Value {
    let Some(integer) = number.as_i64() else {
        return match number.as_f64() {
            // A whole number is an integer, however it is written: the front door sees to that.
            Some(float) if float.abs() < 1e15 && rng.bool() => Value::from(float.trunc() as i64),
            Some(float) => Value::from(float + 0.25),
            None => Value::from(0),
        };
    };
    match rng.u8(..16) {
        0..=3 => Value::from(integer),
        4..=6 => Value::from(integer.saturating_add(1)),
        7..=9 => Value::from(integer.saturating_sub(1)),
        10 => Value::from(integer.saturating_neg()),
        11 => Value::from(integer.saturating_mul(10)),
        12 => Value::from(rng.i64(-3..=12)),
        13 => Value::from(integer as f64 + 0.5),
        _ => edge(rng),
    }
}

/// A number at the edges of what numbers can be.
fn edge(rng: &mut Rng) -> Value {
    match rng.u8(..7) {
        0 => Value::from(i64::MAX),
        1 => Value::from(i64::MIN),
        2 => Value::from(u64::MAX),
        3 => Value::from(9_007_199_254_740_993_i64),
        4 => Value::from(0.5),
        5 => Value::from(1e300),
        _ => Value::from(0),
    }
}
