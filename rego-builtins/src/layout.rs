//! Go's time layouts: the example time `Mon Jan 2 15:04:05 MST 2006`, spelled as the result shall be.

/// One element of a layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    Abbreviation,
    Offset(OffsetForm),
    /// Digits after the separator; `trim` where they are nines.
    Fraction {
        digits: usize,
        separator: char,
        trim: bool,
    },
}

/// How an offset from UTC is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OffsetForm {
    /// `Z` for UTC.
    pub(crate) zulu: bool,
    pub(crate) colon: bool,
    pub(crate) minutes: bool,
    pub(crate) seconds: bool,
}

/// The text before the next element, the element and the rest; no element if there is none left.
pub(crate) fn next(layout: &str) -> (&str, Option<Element>, &str) {
    for (at, c) in layout.char_indices() {
        let Some(rest) = layout.get(at..) else { continue };
        let prefix = layout.get(..at).unwrap_or("");
        if let Some((skip, length, element)) = element(c, rest) {
            let prefix = layout.get(..at + skip).unwrap_or(prefix);
            return (prefix, Some(element), rest.get(length..).unwrap_or(""));
        }
    }
    (layout, None, "")
}

/// The element that `rest` starts with: how much of it is literal text still, its length, and what it is.
fn element(c: char, rest: &str) -> Option<(usize, usize, Element)> {
    use Element as E;
    let lower_follows = |length: usize| rest.as_bytes().get(length).is_some_and(u8::is_ascii_lowercase);
    let simple = |candidates: &[(&str, Element)]| {
        candidates
            .iter()
            .find(|(text, _)| rest.starts_with(text))
            .map(|(text, element)| (0, text.len(), *element))
    };
    match c {
        'J' if rest.starts_with("January") => Some((0, 7, E::LongMonth)),
        'J' if rest.starts_with("Jan") && !lower_follows(3) => Some((0, 3, E::Month)),
        'M' if rest.starts_with("Monday") => Some((0, 6, E::LongWeekday)),
        'M' if rest.starts_with("Mon") && !lower_follows(3) => Some((0, 3, E::Weekday)),
        'M' => simple(&[("MST", E::Abbreviation)]),
        '0' => simple(&[
            ("01", E::ZeroMonth),
            ("02", E::ZeroDay),
            ("03", E::ZeroHour12),
            ("04", E::ZeroMinute),
            ("05", E::ZeroSecond),
            ("06", E::Year),
            ("002", E::ZeroYearDay),
        ]),
        '1' => simple(&[("15", E::Hour), ("1", E::NumMonth)]),
        '2' => simple(&[("2006", E::LongYear), ("2", E::Day)]),
        // `_2006` is an underscore and a year.
        '_' if rest.starts_with("_2006") => Some((1, 5, E::LongYear)),
        '_' => simple(&[("_2", E::UnderDay), ("__2", E::UnderYearDay)]),
        '3' => Some((0, 1, E::Hour12)),
        '4' => Some((0, 1, E::Minute)),
        '5' => Some((0, 1, E::Second)),
        'P' => simple(&[("PM", E::UpperPm)]),
        'p' => simple(&[("pm", E::LowerPm)]),
        '-' | 'Z' => offset(c == 'Z', rest.get(1..).unwrap_or("")),
        '.' | ',' => fraction(c, rest.get(1..).unwrap_or("")),
        _ => None,
    }
}

fn offset(zulu: bool, rest: &str) -> Option<(usize, usize, Element)> {
    let forms = [
        ("070000", false, true, true),
        ("07:00:00", true, true, true),
        ("0700", false, true, false),
        ("07:00", true, true, false),
        ("07", false, false, false),
    ];
    let (text, colon, minutes, seconds) = forms.into_iter().find(|(text, ..)| rest.starts_with(text))?;
    Some((0, text.len() + 1, Element::Offset(OffsetForm { zulu, colon, minutes, seconds })))
}

/// A run of zeros or of nines, unless another digit follows.
fn fraction(separator: char, rest: &str) -> Option<(usize, usize, Element)> {
    let digit = rest.chars().next().filter(|c| matches!(c, '0' | '9'))?;
    let after = rest.trim_start_matches(digit);
    if after.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let digits = rest.len() - after.len();
    Some((0, digits + 1, Element::Fraction { digits, separator, trim: digit == '9' }))
}
