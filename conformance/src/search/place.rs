//! Where a request can be changed, and what may be put there.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use fastrand::Rng;
use serde_json::{Map, Value};
use tribunal::core::derive::spec::UrlPart;

use super::number;
use super::text::{self, Sampler};

/// The token that stands for any element of a list.
pub(super) const ANY: &str = "*";

/// A place of requests: a pointer in which [`ANY`] stands for every element of a list.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) tokens: Vec<String>,
    /// How often it is chosen, relative to others.
    pub(super) weight: u32,
    /// What may be put there.
    pub(super) seeds: Vec<Seed>,
    /// The types the schema allows there; none where it says nothing.
    pub(super) kinds: Vec<String>,
    /// Whether the schema requires something there.
    pub(super) is_required: bool,
}

impl Place {
    /// Whether the schema allows a value of this type there.
    pub(super) fn allows(&self, value: &Value) -> bool {
        let is = |kind: &String| match value {
            Value::Null => kind == "null",
            Value::Bool(_) => kind == "boolean",
            Value::Number(number) => kind == "number" || (kind == "integer" && !number.is_f64()),
            Value::String(_) => kind == "string",
            Value::Array(_) => kind == "array",
            Value::Object(_) => kind == "object",
        };
        self.kinds.is_empty() || self.kinds.iter().any(is)
    }
}

/// Something that grows into values.
#[derive(Debug, Clone)]
pub(super) struct Seed {
    pub(super) kind: SeedKind,
    /// Which literal of the policies it comes from.
    pub(super) literal: Option<u32>,
}

#[derive(Debug, Clone)]
pub(super) enum SeedKind {
    /// A value as it stands somewhere.
    Value(Value),
    /// A text that is compared as a whole, or with an edge of another.
    Text {
        text: String,
        at: Edge,
    },
    /// An expression; a group of it may be filled with the text of a literal.
    Regex {
        sampler: Sampler,
        fill: Option<(u32, String)>,
    },
    Glob {
        pattern: String,
        delimiters: Vec<char>,
    },
    Like(String),
    /// A number that something is compared with: a number, a sum, a length.
    Bound(Value),
    /// The name of a member.
    Name(String),
    /// A text in something that a function takes it out of again.
    Wrapped {
        inner: Box<SeedKind>,
        wrap: Wrap,
    },
}

/// What a text is put into.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wrap {
    Url(UrlPart),
    Base64,
    Base64Url,
    Percent,
}

impl Wrap {
    fn around(self, text: &str) -> String {
        match self {
            Self::Url(part) => match part {
                UrlPart::Scheme => format!("{text}://h.example/"),
                UrlPart::Username => format!("https://{text}@h.example/"),
                UrlPart::Password => format!("https://u:{text}@h.example/"),
                // An IPv6 address stands in brackets there.
                UrlPart::Host if text.contains(':') => format!("https://[{text}]/"),
                UrlPart::Host => format!("https://{text}/"),
                UrlPart::Port => format!("https://h.example:{text}/"),
                UrlPart::Path if text.starts_with('/') => format!("https://h.example{text}"),
                UrlPart::Path => format!("https://h.example/{text}"),
                UrlPart::Query => format!("https://h.example/?{text}"),
                UrlPart::Fragment => format!("https://h.example/#{text}"),
                UrlPart::Origin => format!("{text}/"),
            },
            Self::Base64 => STANDARD.encode(text),
            Self::Base64Url => URL_SAFE_NO_PAD.encode(text),
            Self::Percent => text.bytes().map(|byte| format!("%{byte:02X}")).collect(),
        }
    }
}

/// Where in a longer text a text is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    Whole,
    Start,
    End,
    Inside,
}

impl Seed {
    /// A value of this seed, itself or near it. `now` is what stands at the place.
    pub(super) fn grow(&self, now: Option<&Value>, words: &[String], rng: &mut Rng) -> Value {
        self.kind.grow(now, words, rng)
    }
}

impl SeedKind {
    fn grow(&self, now: Option<&Value>, words: &[String], rng: &mut Rng) -> Value {
        let exact = rng.u8(..5) < 2;
        match self {
            SeedKind::Value(value) if exact => value.clone(),
            SeedKind::Value(value) => near(value, words, rng),
            SeedKind::Text { text, at } => {
                let core = if exact { text.clone() } else { text::near(text, words, rng) };
                let around = |rng: &mut Rng| match now.and_then(Value::as_str) {
                    Some(now) if rng.bool() => now.to_owned(),
                    _ => rng.choice(words).cloned().unwrap_or_else(|| "x".to_owned()),
                };
                let grown = match at {
                    Edge::Whole => core,
                    Edge::Start => core + &around(rng),
                    Edge::End => around(rng) + &core,
                    Edge::Inside => around(rng) + &core + &around(rng),
                };
                fit(Value::String(grown), now, rng)
            }
            SeedKind::Regex { sampler, fill } => {
                let mut group = |index: u32, rng: &mut Rng| match fill {
                    Some((group, text)) if *group == index => Some(text.clone()),
                    _ if rng.u8(..4) == 0 => rng.choice(words).cloned(),
                    _ => None,
                };
                let sample = sampler.sample(&mut group, rng);
                let grown = match rng.u8(..6) {
                    0 | 1 => sample,
                    2 => text::near(&sample, words, rng),
                    3 => text::near(&text::near(&sample, words, rng), words, rng),
                    // An expression that is not anchored has to be found inside another text.
                    4 => [now.and_then(Value::as_str).unwrap_or("x"), " ", &sample].concat(),
                    _ => [&sample, " ", now.and_then(Value::as_str).unwrap_or("x")].concat(),
                };
                fit(Value::String(grown), now, rng)
            }
            SeedKind::Glob { pattern, delimiters } => {
                let grown = text::of_glob(pattern, delimiters, words, rng);
                Value::String(if exact { grown } else { text::near(&grown, words, rng) })
            }
            SeedKind::Like(pattern) => {
                let grown = text::of_like(pattern, words, rng);
                Value::String(if exact { grown } else { text::near(&grown, words, rng) })
            }
            SeedKind::Bound(bound) => match (now, bound.as_u64().filter(|length| *length <= MOST)) {
                (Some(Value::String(now)), Some(length)) => Value::String(of_length(now, length, rng)),
                (Some(Value::Array(items)), Some(length)) => Value::Array(with_length(items, length, rng)),
                _ => number::near(bound, rng),
            },
            SeedKind::Name(name) => match now {
                Some(Value::Object(members)) => {
                    let mut members = members.clone();
                    if members.remove(name).is_none() || rng.u8(..3) == 0 {
                        members.insert(name.clone(), any(words, rng));
                    }
                    Value::Object(members)
                }
                _ => Value::String(name.clone()),
            },
            SeedKind::Wrapped { inner, wrap } => {
                let inner = match inner.grow(None, words, rng) {
                    Value::String(text) => text,
                    Value::Number(number) => number.to_string(),
                    other => return other,
                };
                let grown = wrap.around(&inner);
                let grown = if exact { grown } else { text::near(&grown, words, rng) };
                fit(Value::String(grown), now, rng)
            }
        }
    }
}

/// Longer lists and texts are not made only because a number of the policy could be a length.
const MOST: u64 = 4_096;

/// Where a list stands, a grown value may be one of its elements.
fn fit(grown: Value, now: Option<&Value>, rng: &mut Rng) -> Value {
    match now {
        Some(Value::Array(items)) => {
            let mut items = items.clone();
            if !items.is_empty() && rng.bool() {
                let at = rng.usize(..items.len());
                if let Some(place) = items.get_mut(at) {
                    *place = grown;
                }
            } else {
                items.push(grown);
            }
            Value::Array(items)
        }
        _ => grown,
    }
}

fn of_length(now: &str, length: u64, rng: &mut Rng) -> String {
    let length = (length + rng.u64(..=2)).saturating_sub(1);
    let pattern = if now.is_empty() { "a" } else { now };
    pattern.chars().cycle().take(usize::try_from(length).unwrap_or(0)).collect()
}

fn with_length(items: &[Value], length: u64, rng: &mut Rng) -> Vec<Value> {
    let length = (length + rng.u64(..=2)).saturating_sub(1);
    let filler = [Value::from("a")];
    let pattern = if items.is_empty() { filler.as_slice() } else { items };
    pattern.iter().cycle().take(usize::try_from(length).unwrap_or(0)).cloned().collect()
}

/// A value that differs from `value` in one respect, mostly of the same type.
pub(super) fn near(value: &Value, words: &[String], rng: &mut Rng) -> Value {
    match value {
        Value::Null => any(words, rng),
        Value::Bool(truth) => Value::Bool(!truth),
        Value::Number(_) => number::near(value, rng),
        Value::String(text) => Value::String(text::near(text, words, rng)),
        Value::Array(items) => Value::Array(near_list(items, words, rng)),
        Value::Object(members) => Value::Object(near_record(members, words, rng)),
    }
}

fn near_list(items: &[Value], words: &[String], rng: &mut Rng) -> Vec<Value> {
    let mut items = items.to_vec();
    let at = rng.usize(..items.len().max(1));
    match (rng.u8(..7), items.get(at).cloned()) {
        (0, _) | (_, None) => items.push(any(words, rng)),
        // Duplicates tell lists from sets.
        (1, Some(item)) => items.push(item),
        (2, Some(_)) => {
            items.remove(at);
        }
        (3, Some(_)) => items.reverse(),
        (4, Some(_)) => items.clear(),
        (5, Some(item)) => items.push(near(&item, words, rng)),
        (_, Some(item)) => {
            if let Some(place) = items.get_mut(at) {
                *place = near(&item, words, rng);
            }
        }
    }
    items
}

fn near_record(members: &Map<String, Value>, words: &[String], rng: &mut Rng) -> Map<String, Value> {
    let mut members = members.clone();
    let chosen = rng.choice(members.keys()).cloned();
    match (rng.u8(..8), chosen) {
        (0, _) | (_, None) => {
            let name = rng.choice(words).cloned().unwrap_or_else(|| "extra".to_owned());
            members.insert(name, any(words, rng));
        }
        (1 | 2, Some(name)) => {
            members.remove(&name);
        }
        (3, Some(name)) => {
            // A name in another case is another name.
            if let Some(value) = members.remove(&name) {
                members.insert(name.to_uppercase(), value);
            }
        }
        (_, Some(name)) => {
            if let Some(value) = members.get_mut(&name) {
                *value = near(value, words, rng);
            }
        }
    }
    members
}

/// A value of any type.
pub(super) fn any(words: &[String], rng: &mut Rng) -> Value {
    match rng.u8(..9) {
        0 => Value::Null,
        1 => Value::Bool(rng.bool()),
        2 => number::near(&Value::from(1), rng),
        3 => Value::Array(Vec::new()),
        4 => Value::Object(Map::new()),
        5 => Value::Array(vec![Value::from(rng.choice(words).cloned().unwrap_or_default())]),
        _ => Value::from(rng.choice(words).cloned().unwrap_or_default()),
    }
}

/// What stands at a place of a request; [`ANY`] is one of the elements, chosen by `rng`.
pub(super) fn resolve<'v>(request: &'v mut Value, tokens: &[String], rng: &mut Rng) -> Option<&'v mut Value> {
    tokens.iter().try_fold(request, |value, token| match value {
        Value::Object(members) => members.get_mut(token),
        Value::Array(items) if token == ANY => {
            let at = rng.usize(..items.len().max(1));
            items.get_mut(at)
        }
        _ => None,
    })
}
