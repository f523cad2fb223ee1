//! Doubles as Go's `strconv.FormatFloat` prints them.

/// A finite number that is not negative, in the format `b`, `e`, `E`, `f`, `g`, `G`, `x` or `X`; no precision means
/// the fewest digits that identify it.
pub(crate) fn format(value: f64, verb: char, precision: Option<usize>) -> String {
    match verb {
        'e' => exponential(value, precision),
        'E' => exponential(value, precision).to_uppercase(),
        'f' => match precision {
            Some(precision) => format!("{value:.precision$}"),
            None => format!("{value}"),
        },
        'g' => general(value, precision),
        'G' => general(value, precision).to_uppercase(),
        'x' => hexadecimal(value, precision),
        'X' => hexadecimal(value, precision).to_uppercase(),
        _ => binary(value),
    }
}

/// The digits and the exponent of `d.ddde±x`.
fn scientific(value: f64, precision: Option<usize>) -> (String, i32) {
    let text = match precision {
        Some(precision) => format!("{value:.precision$e}"),
        None => format!("{value:e}"),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (mantissa.replace('.', ""), exponent.parse().unwrap_or(0))
}

fn join(digits: &str, exponent: i32) -> String {
    let mut chars = digits.chars();
    let first = chars.next().unwrap_or('0');
    let rest = chars.as_str();
    let dot = if rest.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{first}{dot}{rest}e{sign}{:02}", exponent.unsigned_abs())
}

fn exponential(value: f64, precision: Option<usize>) -> String {
    let (digits, exponent) = scientific(value, precision);
    join(&digits, exponent)
}

fn general(value: f64, precision: Option<usize>) -> String {
    let precision = precision.map(|p| p.max(1));
    let (mut digits, exponent) = scientific(value, precision.map(|p| p - 1));
    while digits.len() > 1 && digits.ends_with('0') {
        digits.pop();
    }
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let threshold = match precision {
        // `%e` from the precision on; where all digits are before the point, from their number on.
        Some(p) => {
            let p = i32::try_from(p).unwrap_or(i32::MAX);
            if p > count && count > exponent { count } else { p }
        }
        None => 6,
    };
    if exponent < -4 || exponent >= threshold {
        return join(&digits, exponent);
    }
    if exponent < 0 {
        let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
        return format!("0.{}{digits}", "0".repeat(zeros));
    }
    let whole = usize::try_from(exponent).unwrap_or(0) + 1;
    match digits.split_at_checked(whole) {
        Some((whole, "")) => whole.to_owned(),
        Some((whole, fraction)) => format!("{whole}.{fraction}"),
        None => format!("{digits}{}", "0".repeat(whole - digits.len())),
    }
}

/// Mantissa and exponent: the value is `mantissa · 2^exponent`.
fn parts(value: f64) -> (u64, i64) {
    let bits = value.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    let exponent = i64::try_from((bits >> 52) & 0x7ff).unwrap_or(0);
    if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) }
}

fn binary(value: f64) -> String {
    let (mantissa, exponent) = parts(value);
    format!("{mantissa}p{exponent:+}")
}

/// `0x1.8p+01`.
fn hexadecimal(value: f64, precision: Option<usize>) -> String {
    let (mut mantissa, mut exponent) = parts(value);
    if mantissa == 0 {
        exponent = 0;
    } else {
        // The leading one to bit 60, so that 15 hexadecimal digits follow the point.
        let shift = i64::from(mantissa.leading_zeros()) - 3;
        mantissa <<= shift;
        exponent += 60 - shift;
    }
    if let Some(digits) = precision.filter(|p| *p < 15) {
        let drop = 60 - 4 * u32::try_from(digits).unwrap_or(0);
        let (half, rest) = (1u64 << (drop - 1), mantissa & ((1 << drop) - 1));
        mantissa >>= drop;
        if rest > half || (rest == half && mantissa & 1 == 1) {
            mantissa += 1;
        }
        mantissa <<= drop;
        if mantissa & (1 << 61) != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let fraction = format!("{:015x}", mantissa & ((1 << 60) - 1));
    let fraction = match precision {
        None => fraction.trim_end_matches('0').to_owned(),
        Some(digits) => format!("{fraction:0<digits$}").chars().take(digits).collect(),
    };
    let dot = if fraction.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("0x{}{dot}{fraction}p{sign}{:02}", mantissa >> 60, exponent.unsigned_abs())
}

/// What the `#` flag does: always a point, and trailing zeros up to the precision.
pub(crate) fn with_point(number: &str, verb: char, precision: Option<usize>) -> String {
    let mut missing = match verb {
        'g' | 'G' | 'x' => precision.unwrap_or(6),
        _ => 0,
    };
    // A hexadecimal `e` is a digit; the exponent is after the `p`.
    let split = if matches!(verb, 'x' | 'X') { number.find(['p', 'P']) } else { number.find(['e', 'E']) };
    let (mantissa, tail) = split.and_then(|at| number.split_at_checked(at)).unwrap_or((number, ""));
    let mut significant = false;
    for c in mantissa.chars().filter(|c| *c != '.') {
        significant |= c != '0';
        if significant {
            missing = missing.saturating_sub(1);
        }
    }
    let mut out = mantissa.to_owned();
    if !mantissa.contains('.') {
        if mantissa == "0" {
            missing = missing.saturating_sub(1);
        }
        out.push('.');
    }
    out.push_str(&"0".repeat(missing));
    out.push_str(tail);
    out
}
