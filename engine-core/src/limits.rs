//! Bounds on what a request may be and on what an evaluation may use.
//!
//! Limits stand in the pack and in the deployment; the smaller of the two holds ([`Limits::tightest`]). What no one
//! sets is the engine's own default, which every engine documents: nothing runs unbounded.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bounds on an evaluation. `None`: the engine's documented default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Wasm instructions an evaluation may use (deterministic).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub fuel: Option<u64>,
    /// Wall-clock time an evaluation may take, as `50ms` or `1s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Span>,
    /// Memory of one instance, as `16MiB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Bytes>,
    /// Size of the answer an engine may give, as `256KiB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Bytes>,
    /// Facts a Datalog evaluation may hold, those of the request included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub facts: Option<u64>,
    /// Rounds of a Datalog evaluation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub iterations: Option<u64>,
}

impl Limits {
    /// The smaller of each limit that either side sets.
    #[must_use]
    pub fn tightest(self, other: Limits) -> Limits {
        fn least<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
            match (a, b) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            }
        }
        // Destructured so that a limit added later cannot be forgotten here.
        let Limits { fuel, deadline, memory, output, facts, iterations } = self;
        Limits {
            fuel: least(fuel, other.fuel),
            deadline: least(deadline, other.deadline),
            memory: least(memory, other.memory),
            output: least(output, other.output),
            facts: least(facts, other.facts),
            iterations: least(iterations, other.iterations),
        }
    }
}

/// A number of bytes, written `16MiB`, `256KiB`, `1GiB` or as a plain number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

impl Bytes {
    /// Reads `16MiB` and its like.
    ///
    /// # Errors
    /// The text when it is not a whole number followed by nothing, `B`, `KiB`, `MiB` or `GiB`, or is zero.
    pub fn parse(text: &str) -> Result<Self, String> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = text.get(digits.len()..).ok_or("not a size")?.trim();
        let factor: u64 = match unit {
            "" | "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return Err(format!("unknown unit `{unit}` in `{text}`: use B, KiB, MiB or GiB")),
        };
        let bytes = digits.trim().parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
        match bytes {
            Some(0) | None => {
                Err(format!("`{text}` is not a size: write a whole number above zero, as `16MiB`"))
            }
            Some(bytes) => Ok(Self(bytes)),
        }
    }
}

impl std::fmt::Display for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (unit, factor) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
            if self.0 >= factor && self.0.is_multiple_of(factor) {
                return write!(f, "{}{unit}", self.0 / factor);
            }
        }
        write!(f, "{}B", self.0)
    }
}

/// A span of time, written `50ms`, `1s`, `5m`, `1h` or `1d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl Span {
    /// Reads `50ms` and its like.
    ///
    /// # Errors
    /// The text when it is not a whole number above zero followed by `us`, `ms`, `s`, `m`, `h` or `d`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let number = text.strip_suffix(unit).and_then(|digits| digits.parse::<u64>().ok());
        let micros: u64 = match unit {
            "us" => 1,
            "ms" => 1_000,
            "s" => 1_000_000,
            "m" => 60_000_000,
            "h" => 3_600_000_000,
            "d" => 86_400_000_000,
            _ => {
                return Err(format!(
                    "`{text}` is not a span of time: write one as `50ms`, `1s`, `5m`, `1h` or `1d`"
                ));
            }
        };
        match number.and_then(|number| number.checked_mul(micros)) {
            Some(0) | None => Err(format!("`{text}` is not a span of time above zero")),
            Some(micros) => Ok(Self(Duration::from_micros(micros))),
        }
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let micros = self.0.as_micros();
        for (unit, factor) in
            [("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000)]
        {
            if micros >= factor && micros.is_multiple_of(factor) {
                return write!(f, "{}{unit}", micros / factor);
            }
        }
        write!(f, "{micros}us")
    }
}

/// `Bytes` and `Span` are texts in every file, a plain number of bytes aside.
macro_rules! as_text {
    ($type:ident, $pattern:literal, $description:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                $type::parse(&text).map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": "string", "pattern": $pattern, "description": $description})
            }
        }
    };
}

as_text!(Bytes, "^[1-9][0-9]*(B|KiB|MiB|GiB)$", "A number of bytes, as `16MiB`.");
as_text!(Span, "^[1-9][0-9]*(us|ms|s|m|h|d)$", "A span of time, as `50ms` or `1h`.");

/// Bounds on a request, checked before anything else sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RequestBounds {
    /// Size of the request's JSON text.
    pub size: Bytes,
    /// Nesting: the request itself is level 1.
    #[schemars(range(min = 1, max = 64))]
    pub depth: usize,
    /// Values in the request, each object member and array element counted.
    #[schemars(range(min = 1))]
    pub nodes: usize,
}

impl Default for RequestBounds {
    /// 1 MiB, 64 levels, 100 000 values.
    fn default() -> Self {
        Self { size: Bytes(1 << 20), depth: 64, nodes: 100_000 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_spans_print_as_they_are_read() {
        for text in ["16MiB", "1GiB", "3KiB", "7B"] {
            assert_eq!(Bytes::parse(text).unwrap().to_string(), text);
        }
        for text in ["50ms", "1s", "5m", "1h", "1d", "7us"] {
            assert_eq!(Span::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "0MiB", "MiB", "16MB", "-1B", "1.5MiB"] {
            assert!(Bytes::parse(text).is_err(), "{text}");
        }
        for text in ["", "0s", "s", "5 minutes", "-1s", "99999999999999999999s"] {
            assert!(Span::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_smaller_limit_holds_whoever_sets_it() {
        let pack = Limits { fuel: Some(10), facts: Some(5), ..Limits::default() };
        let deployment = Limits { fuel: Some(20), memory: Some(Bytes(1)), ..Limits::default() };
        let both = pack.tightest(deployment);
        assert_eq!(both, deployment.tightest(pack));
        assert_eq!((both.fuel, both.facts, both.memory), (Some(10), Some(5), Some(Bytes(1))));
    }
}
