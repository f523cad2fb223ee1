//! Numbers for people: three digits, whatever the unit.

use crate::definition::Axis;
use crate::model::Unit;
use crate::statistics::{Interval, Ratio, Verdict};

/// A value with its unit, in three digits.
pub fn quantity(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Nanoseconds => scaled(value, 1_000.0, &["ns", "µs", "ms", "s"]),
        Unit::Bytes => scaled(value, 1_024.0, &["B", "KiB", "MiB", "GiB"]),
        Unit::Instructions => scaled(value, 1_000.0, &["", "k", "M", "G"]).trim_end().to_owned(),
    }
}

fn scaled(value: f64, step: f64, units: &[&str]) -> String {
    let mut value = value;
    let mut units = units.iter().peekable();
    let mut unit = units.next().copied().unwrap_or_default();
    while value.abs() >= step * 0.9995 && units.peek().is_some() {
        value /= step;
        unit = units.next().copied().unwrap_or_default();
    }
    format!("{} {unit}", three(value))
}

/// A number in three digits.
pub fn three(value: f64) -> String {
    let size = value.abs();
    let digits = match size {
        _ if size >= 99.95 || size == 0.0 => 0,
        _ if size >= 9.995 => 1,
        _ if size >= 0.9995 => 2,
        _ if size >= 0.09995 => 3,
        _ if size >= 0.009995 => 4,
        _ => 5,
    };
    format!("{value:.digits$}")
}

/// A ratio, with its interval where it has one.
pub fn times(ratio: &Ratio) -> String {
    match ratio.interval {
        Some(Interval { low, high }) => format!("{} × [{}, {}]", three(ratio.ratio), three(low), three(high)),
        None => format!("{} ×", three(ratio.ratio)),
    }
}

/// What a ratio of costs says, in a word or two.
pub fn verdict(ratio: &Ratio, unit: Unit) -> &'static str {
    match (ratio.verdict(), unit) {
        (Verdict::Less, Unit::Nanoseconds) => "faster",
        (Verdict::More, Unit::Nanoseconds) => "slower",
        (Verdict::Less, _) => "less",
        (Verdict::More, _) => "more",
        (Verdict::NoDifference, _) => "no difference",
        (Verdict::TooFew, _) => "too few processes to say",
    }
}

/// A count, in three digits where it has more than four.
pub fn counted(count: u64) -> String {
    if count < 10_000 {
        count.to_string()
    } else {
        scaled(count as f64, 1_000.0, &["", "k", "M", "G"]).replace(' ', "")
    }
}

/// The value of a size that is varied.
pub fn size(axis: Axis, value: u64) -> String {
    if axis.is_bytes() { scaled(value as f64, 1_000.0, &["B", "KB", "MB"]) } else { value.to_string() }
}

/// A share in percent.
pub fn percent(share: f64) -> String {
    format!("{} %", three(share * 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_the_next_unit_in_time() {
        for (value, shown) in [
            (0.0, "0 ns"),
            (0.5, "0.500 ns"),
            (0.0333, "0.0333 ns"),
            (9.996, "10.0 ns"),
            (999.4, "999 ns"),
            (999.6, "1.00 µs"),
            (4_321.0, "4.32 µs"),
            (99_960.0, "100 µs"),
            (12_000_000.0, "12.0 ms"),
            (-4_321.0, "-4.32 µs"),
            (7_000_000_000_000.0, "7000 s"),
        ] {
            assert_eq!(quantity(value, Unit::Nanoseconds), shown);
        }
        assert_eq!(quantity(1_048_576.0, Unit::Bytes), "1.00 MiB");
        assert_eq!(quantity(12.0, Unit::Instructions), "12.0");
        assert_eq!((counted(9_999), counted(12_345)), ("9999".to_owned(), "12.3k".to_owned()));
        assert_eq!(size(Axis::Data, 10_000_000), "10.0 MB");
        assert_eq!(size(Axis::Rules, 10_000), "10000");
    }

    #[test]
    fn only_an_interval_says_which_is_faster() {
        let mut ratio = Ratio { ratio: 0.5, interval: Some(Interval { low: 0.4, high: 0.6 }), turns: 5 };
        assert_eq!(
            (times(&ratio).as_str(), verdict(&ratio, Unit::Nanoseconds)),
            ("0.500 × [0.400, 0.600]", "faster")
        );
        ratio.interval = Some(Interval { low: 0.4, high: 1.6 });
        assert_eq!(verdict(&ratio, Unit::Bytes), "no difference");
        ratio.interval = None;
        assert_eq!(verdict(&ratio, Unit::Bytes), "too few processes to say");
    }
}
