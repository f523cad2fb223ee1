//! Numbers for people.

/// A whole number with its thousands apart.
pub(super) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// The length of a list as a [`number`].
pub(super) fn length(list: &[impl Sized]) -> String {
    number(list.len() as u64)
}

/// So many of a thing: "1 law", "2 laws".
pub(super) fn count(value: usize, one: &str, many: &str) -> String {
    format!("{} {}", number(value as u64), if value == 1 { one } else { many })
}

/// A list as people say it: "a, b and c".
pub(super) fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Time for people, from nanoseconds.
pub fn duration(nanoseconds: u64) -> String {
    match nanoseconds {
        0..1_000 => format!("{nanoseconds} ns"),
        1_000..1_000_000 => format!("{} µs", nanoseconds / 1_000),
        1_000_000..1_000_000_000 => format!("{}.{} ms", nanoseconds / 1_000_000, nanoseconds / 100_000 % 10),
        _ => format!("{}.{} s", nanoseconds / 1_000_000_000, nanoseconds / 100_000_000 % 10),
    }
}

/// Time for people, from milliseconds.
pub(super) fn milliseconds(value: u64) -> String {
    duration(value.saturating_mul(1_000_000))
}

/// A share with one decimal, rounded down: only all of them are 100 %. `None` of nothing.
pub(super) fn percent(part: u64, whole: u64) -> Option<String> {
    let tenths = part.saturating_mul(1_000).checked_div(whole)?;
    Some(format!("{}.{} %", tenths / 10, tenths % 10))
}

/// The value below or at which so many percent of all are (nearest rank); `None` of nothing.
pub(super) fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        let shown = [17, 54_321, 3_260_000, 12_340_000_000].map(duration);
        assert_eq!(shown, ["17 ns", "54 µs", "3.2 ms", "12.3 s"]);
        assert_eq!(milliseconds(u64::MAX), duration(u64::MAX));
    }

    #[test]
    fn thousands_stand_apart() {
        let shown = [0, 999, 1_000, 12_345_678].map(number);
        assert_eq!(shown, ["0", "999", "1,000", "12,345,678"]);
    }

    #[test]
    fn only_all_of_them_are_a_hundred_percent() {
        assert_eq!(percent(9_999, 10_000).as_deref(), Some("99.9 %"));
        assert_eq!(percent(3, 3).as_deref(), Some("100.0 %"));
        assert_eq!(percent(0, 0), None);
    }

    #[test]
    fn a_percentile_is_a_value_there_is() {
        let ten: Vec<u64> = (1..=10).collect();
        assert_eq!(
            [50, 90, 99, 100].map(|percent| percentile(&ten, percent)),
            [Some(5), Some(9), Some(10), Some(10)]
        );
        assert_eq!(percentile(&[7], 50), Some(7));
        assert_eq!(percentile(&[], 50), None);
    }
}
