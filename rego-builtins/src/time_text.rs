//! Formatting and parsing times by Go's layouts.

use crate::builtin::{Failure, fail};
use crate::civil::{Civil, MONTHS, WEEKDAYS, days_in, is_leap};
use crate::layout::{self, Element, OffsetForm};
use crate::limits;
use crate::strings::too_long;
use crate::time::Zoned;

pub(crate) fn format(layout: &str, time: &Zoned) -> Result<String, Failure> {
    let at = time.civil()?;
    let (offset, abbreviation) = time.offset()?;
    let mut out = String::new();
    let mut rest = layout;
    loop {
        let (prefix, element, after) = layout::next(rest);
        out.push_str(prefix);
        let Some(element) = element else {
            return Ok(out);
        };
        out.push_str(&written(element, &at, time.nanosecond, offset, &abbreviation));
        if out.len() > limits::MAX_STRING_BYTES {
            return too_long();
        }
        rest = after;
    }
}

fn written(element: Element, at: &Civil, nanosecond: i64, offset: i64, abbreviation: &str) -> String {
    use Element as E;
    let name = |names: &[&'static str], index: Option<usize>| {
        index.and_then(|i| names.get(i)).copied().unwrap_or("")
    };
    let month = || name(&MONTHS, usize::try_from(at.month - 1).ok());
    let weekday = || name(&WEEKDAYS, Some(at.weekday()));
    let short = |long: &str| long.chars().take(3).collect::<String>();
    let hour12 = if at.hour % 12 == 0 { 12 } else { at.hour % 12 };
    let afternoon = at.hour >= 12;
    match element {
        E::LongMonth => month().to_owned(),
        E::Month => short(month()),
        E::NumMonth => at.month.to_string(),
        E::ZeroMonth => format!("{:02}", at.month),
        E::LongWeekday => weekday().to_owned(),
        E::Weekday => short(weekday()),
        E::Day => at.day.to_string(),
        E::UnderDay => format!("{:2}", at.day),
        E::ZeroDay => format!("{:02}", at.day),
        E::UnderYearDay => format!("{:3}", at.day_of_year()),
        E::ZeroYearDay => format!("{:03}", at.day_of_year()),
        E::Hour => format!("{:02}", at.hour),
        E::Hour12 => hour12.to_string(),
        E::ZeroHour12 => format!("{hour12:02}"),
        E::Minute => at.minute.to_string(),
        E::ZeroMinute => format!("{:02}", at.minute),
        E::Second => at.second.to_string(),
        E::ZeroSecond => format!("{:02}", at.second),
        E::LongYear => format!("{:04}", at.year),
        E::Year => format!("{:02}", at.year % 100),
        E::UpperPm => if afternoon { "PM" } else { "AM" }.to_owned(),
        E::LowerPm => if afternoon { "pm" } else { "am" }.to_owned(),
        E::Abbreviation => abbreviation.to_owned(),
        E::Offset(form) => written_offset(form, offset),
        E::Fraction { digits, separator, trim } => written_fraction(nanosecond, digits, separator, trim),
    }
}

fn written_offset(form: OffsetForm, offset: i64) -> String {
    if form.zulu && offset == 0 {
        return "Z".to_owned();
    }
    // Go takes the sign of the whole minutes.
    let minutes = offset / 60;
    let (sign, minutes, offset) = if minutes < 0 { ('-', -minutes, -offset) } else { ('+', minutes, offset) };
    let colon = if form.colon { ":" } else { "" };
    let mut out = format!("{sign}{:02}", minutes / 60);
    if form.minutes {
        out.push_str(&format!("{colon}{:02}", minutes % 60));
    }
    if form.seconds {
        out.push_str(&format!("{colon}{:02}", offset % 60));
    }
    out
}

fn written_fraction(nanosecond: i64, digits: usize, separator: char, trim: bool) -> String {
    if trim && nanosecond == 0 {
        return String::new();
    }
    let text = format!("{nanosecond:09}");
    let kept: String = text.chars().take(digits).collect();
    let kept = if trim { kept.trim_end_matches('0') } else { &kept };
    if trim && kept.is_empty() { String::new() } else { format!("{separator}{kept}") }
}

/// What a text says so far.
#[derive(Default)]
struct Parsed {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanosecond: i64,
    /// `Some(true)` is PM.
    pm: Option<bool>,
    utc: bool,
    offset: Option<i64>,
}

/// Seconds since the epoch and nanoseconds. A zone's abbreviation, `GMT+3` too, has no influence: Go knows those of
/// the machine's own zone only, which has no part in this.
pub(crate) fn parse(layout: &str, text: &str) -> Result<(i128, i64), Failure> {
    let bad = || Failure::new(format!("parsing time `{text}` as `{layout}`: cannot parse"));
    let mut parsed = Parsed::default();
    let (mut pattern, mut value) = (layout, text);
    loop {
        let (prefix, element, after) = layout::next(pattern);
        value = skip(value, prefix).ok_or_else(bad)?;
        let Some(element) = element else {
            return if value.is_empty() { parsed.instant().ok_or_else(bad) } else { fail(bad().0) };
        };
        value = parsed.read(element, value, after).ok_or_else(bad)?;
        pattern = after;
    }
}

/// Literal text; a space in the layout stands for any number of spaces, none included.
fn skip<'a>(value: &'a str, prefix: &str) -> Option<&'a str> {
    let (mut value, mut prefix) = (value, prefix);
    while let Some(c) = prefix.chars().next() {
        if c == ' ' {
            if !value.is_empty() && !value.starts_with(' ') {
                return None;
            }
            prefix = prefix.trim_start_matches(' ');
            value = value.trim_start_matches(' ');
        } else {
            value = value.strip_prefix(c)?;
            prefix = prefix.strip_prefix(c)?;
        }
    }
    Some(value)
}

/// Exactly `count` digits.
fn digits(value: &str, count: usize) -> Option<(i64, &str)> {
    let (digits, rest) = value.split_at_checked(count)?;
    (count > 0 && digits.bytes().all(|b| b.is_ascii_digit()))
        .then(|| Some((digits.parse().ok()?, rest)))
        .flatten()
}

/// Two digits, or one where that is allowed.
fn two(value: &str, fixed: bool) -> Option<(i64, &str)> {
    digits(value, 2).or_else(|| if fixed { None } else { digits(value, 1) })
}

fn named<'a>(names: &[&str], length: Option<usize>, value: &'a str) -> Option<(i64, &'a str)> {
    names.iter().enumerate().find_map(|(index, name)| {
        let (head, rest) = value.split_at_checked(length.unwrap_or(name.len()))?;
        let name = name.get(..head.len())?;
        head.eq_ignore_ascii_case(name).then_some((i64::try_from(index).ok()?, rest))
    })
}

fn nanoseconds(digits: &str) -> Option<i64> {
    let kept: String = digits.chars().take(9).collect();
    format!("{kept:0<9}").parse().ok()
}

/// A separator and digits.
fn fractional(value: &str) -> Option<(&str, &str)> {
    let rest = value.strip_prefix(['.', ','])?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    if end == 0 { None } else { rest.split_at_checked(end) }
}

impl Parsed {
    /// Reads an element; `after` is the layout behind it.
    fn read<'a>(&mut self, element: Element, value: &'a str, after: &str) -> Option<&'a str> {
        use Element as E;
        let within = |n: i64, low: i64, high: i64| (low..=high).contains(&n).then_some(n);
        let (number, rest) = match element {
            E::Year => {
                let (year, rest) = two_signed(value)?;
                self.year = year + if year >= 69 { 1900 } else { 2000 };
                return Some(rest);
            }
            E::LongYear => {
                let (year, rest) = digits(value, 4)?;
                self.year = year;
                return Some(rest);
            }
            E::Month => named(&MONTHS, Some(3), value)?,
            E::LongMonth => named(&MONTHS, None, value)?,
            E::Weekday => return Some(named(&WEEKDAYS, Some(3), value)?.1),
            E::LongWeekday => return Some(named(&WEEKDAYS, None, value)?.1),
            E::NumMonth | E::ZeroMonth => two(value, element == E::ZeroMonth)?,
            E::Day | E::ZeroDay => two(value, element == E::ZeroDay)?,
            E::UnderDay => two(value.strip_prefix(' ').unwrap_or(value), false)?,
            E::ZeroYearDay => digits(value, 3)?,
            E::UnderYearDay => {
                let value = value.strip_prefix(' ').unwrap_or(value);
                let value = value.strip_prefix(' ').unwrap_or(value);
                digits(value, 3).or_else(|| digits(value, 2)).or_else(|| digits(value, 1))?
            }
            E::Hour | E::Hour12 | E::Minute | E::Second => two(value, false)?,
            E::ZeroHour12 | E::ZeroMinute | E::ZeroSecond => two(value, true)?,
            E::UpperPm | E::LowerPm => {
                let (pm, am) = if element == E::UpperPm { ("PM", "AM") } else { ("pm", "am") };
                let rest = value.strip_prefix(pm);
                self.pm = Some(rest.is_some() || self.pm == Some(true));
                return rest.or_else(|| value.strip_prefix(am));
            }
            E::Offset(form) => return self.read_offset(form, value),
            E::Abbreviation => return self.read_abbreviation(value),
            E::Fraction { digits, trim: false, .. } => {
                let (fraction, rest) = value.strip_prefix(['.', ','])?.split_at_checked(digits)?;
                if !fraction.bytes().all(|b| b.is_ascii_digit()) {
                    return None;
                }
                self.nanosecond = nanoseconds(fraction)?;
                return Some(rest);
            }
            E::Fraction { .. } => {
                let Some((fraction, rest)) = fractional(value) else {
                    return Some(value);
                };
                self.nanosecond = nanoseconds(fraction)?;
                return Some(rest);
            }
        };
        match element {
            E::Month | E::LongMonth => self.month = Some(number + 1),
            E::NumMonth | E::ZeroMonth => self.month = Some(within(number, 1, 12)?),
            E::Day | E::ZeroDay | E::UnderDay => self.day = Some(number),
            E::ZeroYearDay | E::UnderYearDay => self.day_of_year = Some(number),
            E::Hour => self.hour = within(number, 0, 23)?,
            E::Hour12 | E::ZeroHour12 => self.hour = within(number, 0, 12)?,
            E::Minute | E::ZeroMinute => self.minute = within(number, 0, 59)?,
            _ => {
                self.second = within(number, 0, 59)?;
                // A fraction the layout does not mention is taken all the same.
                let mentioned = matches!(layout::next(after).1, Some(E::Fraction { .. }));
                if let Some((fraction, rest)) = fractional(rest).filter(|_| !mentioned) {
                    self.nanosecond = nanoseconds(fraction)?;
                    return Some(rest);
                }
            }
        }
        Some(rest)
    }

    fn read_offset<'a>(&mut self, form: OffsetForm, value: &'a str) -> Option<&'a str> {
        if form.zulu
            && let Some(rest) = value.strip_prefix('Z')
        {
            self.utc = true;
            return Some(rest);
        }
        let negative = value.starts_with('-');
        let (hours, mut rest) = digits(value.strip_prefix(['+', '-'])?, 2)?;
        let mut field = |wanted: bool| {
            if !wanted {
                return Some(0);
            }
            let text = if form.colon { rest.strip_prefix(':')? } else { rest };
            let (number, after) = digits(text, 2)?;
            rest = after;
            Some(number)
        };
        let (minutes, seconds) = (field(form.minutes)?, field(form.seconds)?);
        if hours > 24 || minutes > 60 || seconds > 60 {
            return None;
        }
        let offset = (hours * 60 + minutes) * 60 + seconds;
        self.offset = Some(if negative { -offset } else { offset });
        Some(rest)
    }

    fn read_abbreviation<'a>(&mut self, value: &'a str) -> Option<&'a str> {
        if let Some(rest) = value.strip_prefix("UTC") {
            self.utc = true;
            return Some(rest);
        }
        value.get(abbreviation_length(value)?..)
    }

    fn instant(&self) -> Option<(i128, i64)> {
        let hour = match self.pm {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let (month, day) = match self.day_of_year {
            None => (self.month.unwrap_or(1), self.day.unwrap_or(1)),
            Some(day_of_year) => {
                let (month, day) = month_and_day(day_of_year, self.year)?;
                if self.month.is_some_and(|m| m != month) || self.day.is_some_and(|d| d != day) {
                    return None;
                }
                (month, day)
            }
        };
        if day < 1 || day > days_in(month, self.year) {
            return None;
        }
        let at = Civil { year: self.year, month, day, hour, minute: self.minute, second: self.second };
        let offset = match self.offset {
            // Go marks `no offset` by -1, which `-00:00:01` is too.
            Some(offset) if !self.utc && offset != -1 => offset,
            _ => 0,
        };
        Some((at.seconds() - i128::from(offset), self.nanosecond))
    }
}

/// Go reads two characters here, of which the first may be a sign.
fn two_signed(value: &str) -> Option<(i64, &str)> {
    let (text, rest) = value.split_at_checked(2)?;
    let number = text.parse::<i64>().ok()?;
    Some((number, rest))
}

/// A day of the year; in a leap year the 366th too.
fn month_and_day(day_of_year: i64, year: i64) -> Option<(i64, i64)> {
    if day_of_year < 1 || day_of_year > if is_leap(year) { 366 } else { 365 } {
        return None;
    }
    let mut day = day_of_year;
    for month in 1..=12 {
        let length = days_in(month, year);
        if day <= length {
            return Some((month, day));
        }
        day -= length;
    }
    None
}

/// How much of the text looks like a zone's abbreviation.
fn abbreviation_length(value: &str) -> Option<usize> {
    if value.starts_with("ChST") || value.starts_with("MeST") {
        return Some(4);
    }
    if let Some(rest) = value.strip_prefix("GMT") {
        return Some(3 + signed_hours_length(rest));
    }
    if value.starts_with(['+', '-']) {
        return Some(signed_hours_length(value)).filter(|length| *length > 0 && value.len() >= 3);
    }
    let bytes = value.as_bytes();
    match bytes.iter().take(6).take_while(|b| b.is_ascii_uppercase()).count() {
        5 if bytes.get(4) == Some(&b'T') => Some(5),
        4 if bytes.get(3) == Some(&b'T') || value.starts_with("WITA") => Some(4),
        3 => Some(3),
        _ => None,
    }
}

/// A sign and hours below 24.
fn signed_hours_length(text: &str) -> usize {
    let Some(rest) = text.strip_prefix(['+', '-']) else {
        return 0;
    };
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let hours = rest.get(..end).and_then(|digits| digits.parse::<u64>().ok());
    if hours.is_some_and(|hours| hours <= 23) { end + 1 } else { 0 }
}
