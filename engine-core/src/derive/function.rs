//! The functions behind derived members, compiled once at load.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use regex::Regex;
use serde_json::Value;
use url::Url;

use super::spec::{Capture, DeriveSpec, RegexSpec, TimePart, TimeSpec, UrlPart};
use crate::contract::Pointer;

/// Compiled size of one expression: enough for any guardrail, too little to exhaust a host.
const REGEX_SIZE: usize = 1 << 20;

/// A compiled declaration.
#[derive(Debug, Clone)]
pub(super) struct Function {
    /// What it reads; `None` for the clock.
    pub(super) source: Option<Pointer>,
    operation: Operation,
}

#[derive(Debug, Clone)]
enum Operation {
    Matches(Regex),
    Captures(Regex, usize),
    Lower,
    Length,
    Url(UrlPart),
    Time(TimePart, TimeZone),
}

impl Function {
    /// Compiles a declaration; the error is what is wrong with it and the key it stands under.
    pub(super) fn compile(spec: &DeriveSpec) -> Result<Self, (&'static str, String)> {
        let (source, operation) = match spec {
            DeriveSpec::Regex(spec) => (Some(spec.source.clone()), regex(spec)?),
            DeriveSpec::Lower(spec) => (Some(spec.source.clone()), Operation::Lower),
            DeriveSpec::Length(spec) => (Some(spec.source.clone()), Operation::Length),
            DeriveSpec::Url(spec) => (Some(spec.source.clone()), Operation::Url(spec.part)),
            DeriveSpec::Time(spec) => (spec.source.clone(), time(spec)?),
        };
        Ok(Self { source, operation })
    }

    /// The member, or `None` where there is nothing to say; the error is why the source cannot be read.
    pub(super) fn call(&self, source: Option<&Value>, now: Timestamp) -> Result<Option<Value>, String> {
        match &self.operation {
            Operation::Matches(regex) => Ok(Some(Value::Bool(regex.is_match(text(source)?)))),
            Operation::Captures(regex, group) => {
                let captured = regex.captures(text(source)?).and_then(|captures| captures.get(*group));
                Ok(captured.map(|part| Value::String(part.as_str().to_owned())))
            }
            Operation::Lower => Ok(Some(Value::String(text(source)?.to_lowercase()))),
            Operation::Length => {
                let length = match source {
                    Some(Value::String(text)) => text.chars().count(),
                    Some(Value::Array(items)) => items.len(),
                    Some(Value::Object(members)) => members.len(),
                    _ => return Err("is neither a text, a list nor an object".to_owned()),
                };
                Ok(Some(Value::Number(length.into())))
            }
            Operation::Url(part) => url_part(text(source)?, *part),
            Operation::Time(part, zone) => {
                let instant = match source {
                    Some(_) => text(source)?.parse().map_err(|_| "is not an RFC 3339 instant".to_owned())?,
                    None => now,
                };
                Ok(Some(Value::Number(time_part(instant, *part, zone).into())))
            }
        }
    }
}

fn text(source: Option<&Value>) -> Result<&str, String> {
    source.and_then(Value::as_str).ok_or_else(|| "is not a text".to_owned())
}

fn regex(spec: &RegexSpec) -> Result<Operation, (&'static str, String)> {
    let regex = regex::RegexBuilder::new(&spec.pattern)
        .size_limit(REGEX_SIZE)
        .build()
        .map_err(|error| ("pattern", format!("the pattern does not compile: {error}")))?;
    let group = match &spec.capture {
        None => return Ok(Operation::Matches(regex)),
        Some(Capture::Index(index)) => {
            usize::try_from(*index).ok().filter(|index| *index < regex.captures_len())
        }
        Some(Capture::Name(name)) => regex.capture_names().position(|group| group == Some(name)),
    };
    let group = group.ok_or_else(|| ("capture", "the pattern has no such group".to_owned()))?;
    Ok(Operation::Captures(regex, group))
}

fn time(spec: &TimeSpec) -> Result<Operation, (&'static str, String)> {
    let zone = match &spec.zone {
        None => TimeZone::UTC,
        Some(name) => TimeZone::get(name).map_err(|_| ("zone", format!("there is no time zone `{name}`")))?,
    };
    Ok(Operation::Time(spec.part, zone))
}

fn url_part(text: &str, part: UrlPart) -> Result<Option<Value>, String> {
    let url = Url::parse(text).map_err(|error| format!("is not a URL: {error}"))?;
    let part = match part {
        UrlPart::Scheme => Some(url.scheme()),
        UrlPart::Username => Some(url.username()).filter(|name| !name.is_empty()),
        UrlPart::Host => url.host_str().filter(|host| !host.is_empty()),
        UrlPart::Port => return Ok(url.port_or_known_default().map(|port| Value::Number(port.into()))),
        UrlPart::Path => Some(url.path()),
        UrlPart::Query => url.query(),
    };
    Ok(part.map(|part| Value::String(part.to_owned())))
}

fn time_part(instant: Timestamp, part: TimePart, zone: &TimeZone) -> i64 {
    let local = instant.to_zoned(zone.clone());
    match part {
        TimePart::Year => i64::from(local.year()),
        TimePart::Month => i64::from(local.month()),
        TimePart::Day => i64::from(local.day()),
        TimePart::Hour => i64::from(local.hour()),
        TimePart::Minute => i64::from(local.minute()),
        TimePart::Second => i64::from(local.second()),
        TimePart::Weekday => i64::from(local.weekday().to_monday_one_offset()),
        TimePart::Unix => instant.as_second(),
    }
}
