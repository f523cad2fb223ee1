//! `time.*`.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::builtin::{Builtin, Context, Failure, Outcome, done, fail};
use crate::civil::{Civil, WEEKDAYS, days_in};
use crate::duration;
use crate::float::Float;
use crate::number::Number;
use crate::operand::{int, number, operands, string, wrong_type};
use crate::time_text;
use crate::value::Value;

pub(crate) const BUILTINS: &[Builtin] = &[
    Builtin::new("time.add_date", 4, add_date),
    Builtin::new("time.clock", 1, clock),
    Builtin::new("time.date", 1, date),
    Builtin::new("time.diff", 2, diff),
    Builtin::new("time.format", 1, format),
    Builtin::new("time.now_ns", 0, |ctx, _| done(ctx.now_ns)),
    Builtin::new("time.parse_duration_ns", 1, parse_duration_ns),
    Builtin::new("time.parse_ns", 2, parse_ns),
    Builtin::new("time.parse_rfc3339_ns", 1, parse_rfc3339_ns),
    Builtin::new("time.weekday", 1, weekday),
];

/// An instant and the zone to show it in.
pub(crate) struct Zoned {
    /// Whole seconds since the epoch, rounded down.
    pub(crate) seconds: i64,
    pub(crate) nanosecond: i64,
    zone: TimeZone,
    layout: String,
}

impl Zoned {
    /// A number of nanoseconds, or an array of it, a zone's name and a layout.
    fn of(value: &Value) -> Result<Self, Failure> {
        let expected = "either number (ns) or [number (ns), string (tz)]";
        let (instant, zone, layout) = match value {
            Value::Number(_) => (value, "", ""),
            Value::Array(parts) => match parts.as_slice() {
                [] => return Err(wrong_type(1, value, &[expected])),
                [instant] => (instant, "", ""),
                [instant, zone] => (instant, string(zone, 1)?, ""),
                [instant, zone, layout, ..] => (instant, string(zone, 1)?, string(layout, 1)?),
            },
            other => return Err(wrong_type(1, other, &[expected])),
        };
        let instant = nanoseconds(number(instant, 1)?)?;
        Ok(Zoned {
            seconds: instant.div_euclid(1_000_000_000),
            nanosecond: instant.rem_euclid(1_000_000_000),
            zone: zone_named(zone)?,
            layout: layout.to_owned(),
        })
    }

    /// Seconds east of UTC, and the zone's abbreviation, at an instant.
    fn offset_at(&self, seconds: i64) -> Result<(i64, String), Failure> {
        let info = self.zone.to_offset_info(Timestamp::from_second(seconds)?);
        Ok((i64::from(info.offset().seconds()), info.abbreviation().to_owned()))
    }

    pub(crate) fn offset(&self) -> Result<(i64, String), Failure> {
        self.offset_at(self.seconds)
    }

    pub(crate) fn civil(&self) -> Result<Civil, Failure> {
        Ok(Civil::at(self.seconds + self.offset()?.0))
    }
}

fn nanoseconds(number: &Number) -> Result<i64, Failure> {
    let float = Float::from_number(number)?;
    if !float.is_integer() {
        return fail("timestamp too big");
    }
    i64::try_from(float.truncate()).map_err(|_| Failure::new("timestamp too big"))
}

/// Zones have Go's names: those of the database, in their own letters. `Local` would be this machine's.
fn zone_named(name: &str) -> Result<TimeZone, Failure> {
    if matches!(name, "" | "UTC") {
        return Ok(TimeZone::UTC);
    }
    let zone = TimeZone::get(name).ok().filter(|zone| zone.iana_name() == Some(name));
    zone.ok_or_else(|| Failure::new(format!("unknown time zone {name}")))
}

/// Nanoseconds since the epoch, if they fit.
fn in_range(seconds: i128, nanosecond: i64) -> Outcome {
    let total = seconds * 1_000_000_000 + i128::from(nanosecond);
    i64::try_from(total).map_or_else(|_| fail("time outside of valid range"), done)
}

fn parse_ns(_: &Context, args: &[Value]) -> Outcome {
    let [layout, text] = operands(args)?;
    let (layout, text) = (string(layout, 1)?, string(text, 2)?);
    let (seconds, nanosecond) = time_text::parse(named_layout(layout), text)?;
    in_range(seconds, nanosecond)
}

fn parse_rfc3339_ns(_: &Context, args: &[Value]) -> Outcome {
    let [text] = operands(args)?;
    let (seconds, nanosecond) = time_text::parse(named_layout("RFC3339"), string(text, 1)?)?;
    in_range(seconds, nanosecond)
}

fn parse_duration_ns(_: &Context, args: &[Value]) -> Outcome {
    let [text] = operands(args)?;
    done(duration::parse(string(text, 1)?)?)
}

/// The layouts that go by a name.
fn named_layout(layout: &str) -> &str {
    match layout {
        "ANSIC" => "Mon Jan _2 15:04:05 2006",
        "UnixDate" => "Mon Jan _2 15:04:05 MST 2006",
        "RubyDate" => "Mon Jan 02 15:04:05 -0700 2006",
        "RFC822" => "02 Jan 06 15:04 MST",
        "RFC822Z" => "02 Jan 06 15:04 -0700",
        "RFC850" => "Monday, 02-Jan-06 15:04:05 MST",
        "RFC1123" => "Mon, 02 Jan 2006 15:04:05 MST",
        "RFC1123Z" => "Mon, 02 Jan 2006 15:04:05 -0700",
        "RFC3339" => "2006-01-02T15:04:05Z07:00",
        "" | "RFC3339Nano" => "2006-01-02T15:04:05.999999999Z07:00",
        other => other,
    }
}

fn format(_: &Context, args: &[Value]) -> Outcome {
    let [time] = operands(args)?;
    let time = Zoned::of(time)?;
    done(time_text::format(named_layout(&time.layout), &time)?)
}

fn date(_: &Context, args: &[Value]) -> Outcome {
    let [time] = operands(args)?;
    let at = Zoned::of(time)?.civil()?;
    done([at.year, at.month, at.day].map(Value::from).to_vec())
}

fn clock(_: &Context, args: &[Value]) -> Outcome {
    let [time] = operands(args)?;
    let at = Zoned::of(time)?.civil()?;
    done([at.hour, at.minute, at.second].map(Value::from).to_vec())
}

fn weekday(_: &Context, args: &[Value]) -> Outcome {
    let [time] = operands(args)?;
    let day = Zoned::of(time)?.civil()?.weekday();
    done(WEEKDAYS.get(day).copied().unwrap_or(""))
}

/// Days that a month lacks carry over into the next, and a clock time that a zone skips is read as Go reads it.
fn add_date(_: &Context, args: &[Value]) -> Outcome {
    let [time, years, months, days] = operands(args)?;
    let time = Zoned::of(time)?;
    let (years, months, days) = (int(years, 2)?, int(months, 3)?, int(days, 4)?);
    let out_of_range = || Failure::new("time outside of valid range");
    let mut at = time.civil()?;
    // Far beyond the range of results, and far from overflow.
    let bounded = |base: i64, add: i64| base.checked_add(add).filter(|sum| sum.unsigned_abs() < 1 << 40);
    at.year = bounded(at.year, years).ok_or_else(out_of_range)?;
    at.month = bounded(at.month, months).ok_or_else(out_of_range)?;
    at.day = bounded(at.day, days).ok_or_else(out_of_range)?;
    let local = i64::try_from(at.seconds()).map_err(|_| out_of_range())?;
    if Timestamp::from_second(local).is_err() {
        return Err(out_of_range());
    }
    let guess = local - time.offset_at(local)?.0;
    let seconds = local - time.offset_at(guess)?.0;
    in_range(i128::from(seconds), time.nanosecond)
}

/// Years, months, days, hours, minutes and seconds between two instants, in the first one's zone.
fn diff(_: &Context, args: &[Value]) -> Outcome {
    let [first, second] = operands(args)?;
    let (a, b) = (Zoned::of(first)?, Zoned::of(second)?);
    let b = Zoned { zone: a.zone.clone(), ..b };
    let later = (a.seconds, a.nanosecond) > (b.seconds, b.nanosecond);
    let (from, to) = if later { (b.civil()?, a.civil()?) } else { (a.civil()?, b.civil()?) };
    let mut year = to.year - from.year;
    let mut month = to.month - from.month;
    let mut day = to.day - from.day;
    let mut hour = to.hour - from.hour;
    let mut minute = to.minute - from.minute;
    let mut second = to.second - from.second;
    let borrow = |low: &mut i64, high: &mut i64, unit: i64| {
        if *low < 0 {
            *low += unit;
            *high -= 1;
        }
    };
    borrow(&mut second, &mut minute, 60);
    borrow(&mut minute, &mut hour, 60);
    borrow(&mut hour, &mut day, 24);
    borrow(&mut day, &mut month, days_in(from.month, from.year));
    borrow(&mut month, &mut year, 12);
    done([year, month, day, hour, minute, second].map(Value::from).to_vec())
}
