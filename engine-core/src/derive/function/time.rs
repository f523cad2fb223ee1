//! Parts of an instant.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Made, OfText};
use crate::contract::Pointer;
use crate::derive::objection::Objection;
use crate::derive::room::Room;

/// See [`DeriveSpec::Time`](crate::derive::DeriveSpec::Time).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeSpec {
    /// An RFC 3339 text; without it, the clock of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Pointer>,
    /// Which part.
    pub part: TimePart,
    /// The IANA time zone to read it in; UTC without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// A part of an instant; all are integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the parts of a date name themselves")]
pub enum TimePart {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    /// 1 is Monday, 7 is Sunday (ISO 8601).
    Weekday,
    /// Whole seconds since 1970-01-01T00:00:00Z.
    Unix,
}

#[derive(Debug, Clone)]
pub(in crate::derive) struct Time {
    part: TimePart,
    zone: TimeZone,
}

impl Time {
    pub(super) fn compile(spec: &TimeSpec) -> Result<Self, Objection> {
        let zone = match &spec.zone {
            None => TimeZone::UTC,
            Some(name) => TimeZone::get(name)
                .map_err(|_| Objection::at(&["zone"], format!("there is no time zone `{name}`")))?,
        };
        Ok(Self { part: spec.part, zone })
    }

    pub(super) fn of(&self, instant: Timestamp) -> Value {
        let local = instant.to_zoned(self.zone.clone());
        let part = match self.part {
            TimePart::Year => i64::from(local.year()),
            TimePart::Month => i64::from(local.month()),
            TimePart::Day => i64::from(local.day()),
            TimePart::Hour => i64::from(local.hour()),
            TimePart::Minute => i64::from(local.minute()),
            TimePart::Second => i64::from(local.second()),
            TimePart::Weekday => i64::from(local.weekday().to_monday_one_offset()),
            TimePart::Unix => instant.as_second(),
        };
        part.into()
    }
}

impl OfText for Time {
    fn of_text(&self, text: &str, _: &Room) -> Made {
        let instant = Some(text).filter(|text| RFC_3339.is_match(text)).and_then(|text| text.parse().ok());
        Ok(Some(self.of(instant.ok_or("is not an RFC 3339 instant")?)))
    }
}

/// What a reader of RFC 3339 alone takes, as OPA does. The parser takes more, and of what contradicts itself a part:
/// `2026-01-02T03:04:05+02[Europe/Zurich]`.
#[expect(clippy::expect_used, reason = "a literal that the tests compile")]
static RFC_3339: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})$",
    )
    .expect("the pattern is valid")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_read_as_rfc_3339_and_as_nothing_else() {
        let hour = Time { part: TimePart::Hour, zone: TimeZone::UTC };
        for (text, expected) in [
            ("2026-01-02T03:04:05Z", Some(3)),
            ("2026-01-02t03:04:05.123456789z", Some(3)),
            ("2026-01-02T03:04:05+02:00", Some(1)),
            ("2026-01-02T03:04:05", None),
            ("2026-01-02 03Z", None),
            ("20260102T030405Z", None),
            ("2026-01-02T03:04:05+02[Europe/Zurich]", None),
            ("2026-01-02T03:04:05Z[Europe/Zurich]", None),
            ("-009999-01-02T03:04:05Z", None),
            ("2026-02-30T03:04:05Z", None),
            ("2026-01-02T03:04:05Z\n", None),
            ("", None),
        ] {
            let made = hour.of_text(text, &Room::new()).ok().flatten();
            assert_eq!(made, expected.map(Value::from), "{text}");
        }
    }
}
