//! The functions behind derived members, compiled once at load. A family of functions is a file: what a manifest can say
//! of them, and what they do.

use std::fmt::Debug;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::objection::Objection;
use super::room::Room;
use super::spec::DeriveSpec;

mod address;
pub(super) mod count;
pub(super) mod encoding;
pub(super) mod ip;
pub(super) mod lookup;
pub(super) mod reading;
pub(super) mod regex;
pub(super) mod shared_search;
pub(super) mod text;
pub(super) mod time;
pub(super) mod url;
mod url_prefixes;

/// What a function makes of what it was given: a member, or `None` where there is nothing to say. The error says what is
/// wrong with the source, after its name (`is not a text`), and never quotes it.
pub(super) type Made = Result<Option<Value>, String>;

/// A function of one text. Given a list of texts it is asked for each, and the member is the list of its answers.
pub(super) trait OfText: Debug + Send + Sync {
    /// `room` is what the member may take up. A function whose result can outgrow its source looks at it while it works;
    /// what it returns is charged by the caller.
    fn of_text(&self, text: &str, room: &Room) -> Made;
}

/// A function of a value of any kind.
pub(super) trait OfValue: Debug + Send + Sync {
    /// See [`OfText::of_text`].
    fn of_value(&self, value: &Value, room: &Room) -> Made;
}

/// A compiled function.
#[derive(Debug, Clone)]
pub(super) enum Function {
    OfText(Arc<dyn OfText>),
    OfValue(Arc<dyn OfValue>),
    /// Of the request's clock alone.
    Clock(time::Time),
}

impl Function {
    /// Compiles a declaration over the pack's data; the error is everything wrong with it.
    pub(super) fn compile(spec: &DeriveSpec, data: &Value) -> Result<Self, Vec<Objection>> {
        Ok(match spec {
            DeriveSpec::Regex(spec) => Self::text(regex::Regex::compile(spec)?),
            DeriveSpec::Captures(spec) => Self::text(regex::Captures::compile(spec)?),
            DeriveSpec::Replace(spec) => Self::text(regex::Replace::compile(spec)?),
            DeriveSpec::Lower(_) => Self::text(text::Lower),
            DeriveSpec::FoldCase(_) => Self::text(text::FoldCase),
            DeriveSpec::Normalize(spec) => Self::text(text::Normalize(spec.form)),
            DeriveSpec::Skeleton(_) => Self::text(text::Skeleton),
            DeriveSpec::StripInvisible(_) => Self::text(text::StripInvisible),
            DeriveSpec::Decode(spec) => {
                Self::text(encoding::Decode { encoding: spec.encoding, depth: spec.depth })
            }
            DeriveSpec::Length(_) => Self::value(count::Length),
            DeriveSpec::Distinct(_) => Self::value(count::Distinct),
            DeriveSpec::Sum(spec) => Self::value(count::Sum { of: spec.of.clone() }),
            DeriveSpec::Url(spec) => match spec.part {
                Some(part) => Self::text(url::Part(part)),
                None => Self::text(url::Record),
            },
            DeriveSpec::UrlPrefixes(_) => Self::text(url_prefixes::UrlPrefixes),
            DeriveSpec::Ip(spec) => Self::text(ip::Ip(spec.part)),
            DeriveSpec::InRanges(spec) => Self::text(ip::InRanges::compile(spec, data)?),
            DeriveSpec::Lookup(spec) => Self::text(lookup::Lookup::compile(spec, data)?),
            DeriveSpec::Plain(_) => Self::text(reading::Plain),
            DeriveSpec::Markup(spec) => Self::text(reading::Markup(spec.part)),
            DeriveSpec::Scan(spec) => Self::text(reading::Scan::compile(spec, data)?),
            DeriveSpec::Time(spec) => {
                let time = time::Time::compile(spec)?;
                if spec.source.is_some() { Self::text(time) } else { Self::Clock(time) }
            }
        })
    }

    fn text(function: impl OfText + 'static) -> Self {
        Self::OfText(Arc::new(function))
    }

    fn value(function: impl OfValue + 'static) -> Self {
        Self::OfValue(Arc::new(function))
    }

    /// The member, charged to `room`; `source` is `None` only for the clock.
    pub(super) fn call(&self, source: Option<&Value>, now: Timestamp, room: &mut Room) -> Made {
        match (self, source) {
            (Self::Clock(time), _) => room.charged(Some(time.of(now))),
            (Self::OfText(function), Some(Value::Array(texts))) => {
                room.take_node()?;
                let results = texts.iter().map(|element| {
                    let Value::String(text) = element else {
                        return Err("holds an element that is not a text".to_owned());
                    };
                    let result = function
                        .of_text(text, room)
                        .map_err(|why| format!("holds an element that {why}"))?
                        .ok_or("holds an element of which the function makes nothing")?;
                    room.take(&result)?;
                    Ok(result)
                });
                Ok(Some(Value::Array(results.collect::<Result<_, String>>()?)))
            }
            (Self::OfText(function), Some(Value::String(text))) => {
                let result = function.of_text(text, room)?;
                room.charged(result)
            }
            (Self::OfText(_), _) => Err("is not a text, nor a list of texts".to_owned()),
            (Self::OfValue(function), Some(value)) => {
                let result = function.of_value(value, room)?;
                room.charged(result)
            }
            (Self::OfValue(_), None) => Ok(None),
        }
    }
}
