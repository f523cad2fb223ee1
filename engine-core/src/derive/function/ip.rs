//! IP addresses, and the ranges they lie in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::address;
use super::{Made, OfText};
use crate::contract::Pointer;
use crate::derive::objection::Objection;
use crate::derive::room::Room;
use crate::derive::spec::FromData;

/// See [`DeriveSpec::Ip`](crate::derive::DeriveSpec::Ip).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IpSpec {
    /// The text.
    pub source: Pointer,
    /// Which part; without it, a record of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<IpPart>,
}

/// What there is to know of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IpPart {
    /// 4 or 6.
    Version,
    /// As RFC 5952 and dotted decimal write it.
    Address,
    /// `global`, `private`, `loopback`, `link_local`, `metadata`, `shared`, `multicast`, `broadcast`, `unspecified`,
    /// `documentation`, `benchmarking`, `reserved` or `unique_local`.
    Scope,
}

/// See [`DeriveSpec::InRanges`](crate::derive::DeriveSpec::InRanges).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InRangesSpec {
    /// The text.
    pub source: Pointer,
    /// The ranges.
    pub ranges: RangesSpec,
}

/// Ranges in CIDR notation (`10.0.0.0/8`, `fd00::/8`), or single addresses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RangesSpec {
    /// Here.
    Listed(Vec<String>),
    /// In the pack's data.
    FromData(FromData),
}

#[derive(Debug)]
pub(super) struct Ip(pub(super) Option<IpPart>);

impl OfText for Ip {
    fn of_text(&self, text: &str, _: &Room) -> Made {
        let Some(address) = address::read(text) else { return Ok(None) };
        let version = if address.is_ipv4() { 4 } else { 6 };
        let scope = address::scope(address);
        Ok(Some(match self.0 {
            Some(IpPart::Version) => version.into(),
            Some(IpPart::Address) => address.to_string().into(),
            Some(IpPart::Scope) => scope.into(),
            None => json!({"version": version, "address": address.to_string(), "scope": scope}),
        }))
    }
}

/// Ranges that do not touch, in order.
#[derive(Debug)]
pub(super) struct InRanges {
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
}

impl InRanges {
    pub(super) fn compile(spec: &InRangesSpec, data: &Value) -> Result<Self, Vec<Objection>> {
        let mut objections = Vec::new();
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        let mut add = |text: &str, objection: &dyn Fn(String) -> Objection| match range(text) {
            Ok(Range::V4(first, last)) => v4.push((first, last)),
            Ok(Range::V6(first, last)) => v6.push((first, last)),
            Err(why) => objections.push(objection(format!("`{text}` {why}"))),
        };
        match &spec.ranges {
            RangesSpec::Listed(texts) => {
                for (index, text) in texts.iter().enumerate() {
                    add(text, &|why| Objection::at(&["ranges", &index.to_string()], why));
                }
            }
            RangesSpec::FromData(from) => {
                for (place, text) in from.texts(data)? {
                    add(text, &|why| Objection::in_data(place.clone(), why));
                }
            }
        }
        if objections.is_empty() { Ok(Self { v4: merged(v4), v6: merged(v6) }) } else { Err(objections) }
    }

    fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => holds(&self.v4, address.to_bits()),
            // Whoever lists a range of IPv4 means what lies in it under every name.
            IpAddr::V6(address) => {
                holds(&self.v6, address.to_bits())
                    || address::inner(address).is_some_and(|inner| holds(&self.v4, inner.to_bits()))
            }
        }
    }
}

impl OfText for InRanges {
    fn of_text(&self, text: &str, _: &Room) -> Made {
        Ok(address::read(text).map(|address| self.contains(address).into()))
    }
}

enum Range {
    V4(u32, u32),
    V6(u128, u128),
}

fn range(text: &str) -> Result<Range, String> {
    const NO_RANGE: &str = "is no range: write `10.0.0.0/8`, `fd00::/8` or one address";
    let (network, prefix) = match text.split_once('/') {
        Some((network, prefix)) if prefix.bytes().all(|digit| digit.is_ascii_digit()) => {
            (network, Some(prefix.parse::<u32>().map_err(|_| NO_RANGE.to_owned())?))
        }
        Some(_) => return Err(NO_RANGE.to_owned()),
        None => (text, None),
    };
    let network: IpAddr = network.parse().map_err(|_| NO_RANGE.to_owned())?;
    let bits: u32 = if network.is_ipv4() { 32 } else { 128 };
    let rest =
        bits.checked_sub(prefix.unwrap_or(bits)).ok_or_else(|| format!("has a prefix above {bits}"))?;
    let begins = |first: IpAddr| format!("does not begin where its prefix says: `{first}` would");
    match network {
        IpAddr::V4(network) => {
            let size = u32::MAX.checked_shr(32 - rest).unwrap_or(0);
            let (first, last) = (network.to_bits() & !size, network.to_bits() | size);
            if first != network.to_bits() {
                return Err(begins(Ipv4Addr::from_bits(first).into()));
            }
            Ok(Range::V4(first, last))
        }
        IpAddr::V6(network) if network.to_ipv4_mapped().is_some() && rest <= 32 => {
            Err("is a range of IPv4: write it so".to_owned())
        }
        IpAddr::V6(network) => {
            let size = u128::MAX.checked_shr(128 - rest).unwrap_or(0);
            let (first, last) = (network.to_bits() & !size, network.to_bits() | size);
            if first != network.to_bits() {
                return Err(begins(Ipv6Addr::from_bits(first).into()));
            }
            Ok(Range::V6(first, last))
        }
    }
}

fn merged<N: Ord + Copy>(mut ranges: Vec<(N, N)>) -> Vec<(N, N)> {
    ranges.sort_unstable();
    let mut merged: Vec<(N, N)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match merged.last_mut() {
            Some((_, end)) if first <= *end => *end = (*end).max(last),
            _ => merged.push((first, last)),
        }
    }
    merged
}

fn holds<N: Ord + Copy>(ranges: &[(N, N)], address: N) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= address);
    after.checked_sub(1).and_then(|at| ranges.get(at)).is_some_and(|(_, last)| address <= *last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(ranges: Value, data: &Value) -> Result<InRanges, Vec<Objection>> {
        let spec = serde_json::from_value(json!({"source": "/x", "ranges": ranges})).unwrap();
        InRanges::compile(&spec, data)
    }

    #[test]
    fn an_address_is_in_a_range_to_its_ends_and_under_every_name() {
        let listed =
            json!(["10.0.0.0/8", "10.2.0.0/16", "192.0.2.7", "0.0.0.0/32", "fd00::/8", "2001:db8::1/128"]);
        let ranges = compiled(listed.clone(), &json!({})).unwrap();
        let from_data =
            compiled(json!({"data": "/net/private"}), &json!({"net": {"private": listed}})).unwrap();
        for (text, expected) in [
            ("9.255.255.255", Some(false)),
            ("10.0.0.0", Some(true)),
            ("10.255.255.255", Some(true)),
            ("11.0.0.0", Some(false)),
            ("0xa.1", Some(true)),
            ("192.0.2.6", Some(false)),
            ("192.0.2.7", Some(true)),
            ("192.0.2.8", Some(false)),
            ("0.0.0.0", Some(true)),
            ("255.255.255.255", Some(false)),
            ("::ffff:10.0.0.1", Some(true)),
            ("64:ff9b::a00:1", Some(true)),
            ("fcff:ffff::", Some(false)),
            ("fd00::", Some(true)),
            ("fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some(true)),
            ("fe00::", Some(false)),
            ("2001:db8::1", Some(true)),
            ("2001:db8::2", Some(false)),
            ("example.org", None),
        ] {
            for ranges in [&ranges, &from_data] {
                assert_eq!(ranges.of_text(text, &Room::new()), Ok(expected.map(Value::Bool)), "{text}");
            }
        }
        let all = compiled(json!(["0.0.0.0/0", "::/0"]), &json!({})).unwrap();
        let nothing = compiled(json!([]), &json!({})).unwrap();
        for text in ["0.0.0.0", "255.255.255.255", "::", "ffff::ffff"] {
            assert_eq!(all.of_text(text, &Room::new()), Ok(Some(true.into())), "{text}");
            assert_eq!(nothing.of_text(text, &Room::new()), Ok(Some(false.into())), "{text}");
        }
    }

    #[test]
    fn what_is_no_range_is_refused_with_its_place() {
        for (text, says) in [
            ("10.0.0.0/33", "has a prefix above 32"),
            ("fd00::/129", "has a prefix above 128"),
            ("10.0.0.1/8", "does not begin where its prefix says: `10.0.0.0` would"),
            ("fd00::1/64", "does not begin where its prefix says: `fd00::` would"),
            ("::ffff:10.0.0.0/104", "is a range of IPv4"),
            ("10/8", "is no range"),
            ("10.0.0.0/+8", "is no range"),
            ("10.0.0.0/", "is no range"),
            ("10.0.0.0/8/8", "is no range"),
            ("010.0.0.0/8", "is no range"),
            ("", "is no range"),
        ] {
            let objections = compiled(json!(["10.0.0.0/8", text]), &json!({})).unwrap_err();
            let expected =
                format!("{:?}", Objection::at(&["ranges", "1"], "")).replace("message: \"\" }", "");
            let found = format!("{objections:?}");
            assert!(found.contains(says) && found.contains(expected.trim_end_matches([' ', '}'])), "{found}");
        }
    }
}
