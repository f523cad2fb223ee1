//! `net.cidr_*`: networks as Go's `net` package reads and compares them.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::builtin::{Builtin, Context, Failure, Outcome, done, fail};
use crate::limits;
use crate::operand::{operands, string};
use crate::value::Value;

pub(crate) const BUILTINS: &[Builtin] = &[
    Builtin::new("net.cidr_contains", 2, contains),
    Builtin::new("net.cidr_contains_matches", 2, contains_matches),
    Builtin::new("net.cidr_expand", 1, expand),
    Builtin::new("net.cidr_intersects", 2, intersects),
    Builtin::new("net.cidr_is_valid", 1, is_valid),
    Builtin::new("net.cidr_overlap", 2, contains),
];

/// A network: its first address and the length of its prefix.
#[derive(Clone, Copy)]
struct Network {
    first: IpAddr,
    prefix: u8,
}

/// Go keeps an IPv4 address and an IPv6 address that maps one alike, and shows both as IPv4.
fn unmapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        if prefix.is_empty() || !prefix.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let prefix: u8 = prefix.parse().ok().filter(|prefix| *prefix <= bits)?;
        Some(Network { first: masked(address, prefix), prefix })
    }

    /// `IPNet.Contains`: an address of another family is in no network, and one that maps IPv4 is IPv4.
    fn contains(&self, address: IpAddr) -> bool {
        let address = unmapped(address);
        match (unmapped(self.first), self.first) {
            // An IPv6 network written over mapped addresses: Go compares four bytes with the mask's last four.
            (IpAddr::V4(network), IpAddr::V6(_)) => match address {
                IpAddr::V4(v4) => {
                    let prefix = self.prefix.saturating_sub(96);
                    masked(IpAddr::V4(v4), prefix) == masked(IpAddr::V4(network), prefix)
                }
                IpAddr::V6(_) => false,
            },
            (first, _) => first.is_ipv4() == address.is_ipv4() && masked(address, self.prefix) == first,
        }
    }

    fn is_plain_v6(&self) -> bool {
        unmapped(self.first).is_ipv6()
    }

    fn last(&self) -> IpAddr {
        match self.first {
            IpAddr::V4(v4) => IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() | !mask32(self.prefix))),
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() | !mask128(self.prefix))),
        }
    }
}

fn mask32(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

fn mask128(prefix: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0)
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask32(prefix))),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask128(prefix))),
    }
}

fn network(value: &Value) -> Result<Network, Failure> {
    let text = string(value, 1)?;
    Network::parse(text).ok_or_else(|| Failure::new(format!("invalid CIDR address: {text}")))
}

fn intersects(_: &Context, args: &[Value]) -> Outcome {
    let [a, b] = operands(args)?;
    let (a, b) = (network(a)?, network(b)?);
    done(a.contains(b.first) || b.contains(a.first))
}

fn contains(_: &Context, args: &[Value]) -> Outcome {
    let [outer, inner] = operands(args)?;
    done(contains_one(outer, inner)?)
}

fn contains_one(outer: &Value, inner: &Value) -> Result<bool, Failure> {
    let outer = network(outer)?;
    let text = string(inner, 1)?;
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(outer.contains(address));
    }
    let Some(inner) = Network::parse(text) else {
        return fail(format!("not a valid textual representation of an IP address or CIDR: {text}"));
    };
    if outer.is_plain_v6() && inner.is_plain_v6() {
        return Ok(outer.prefix <= inner.prefix && masked(inner.first, outer.prefix) == outer.first);
    }
    Ok(outer.contains(inner.first) && outer.contains(inner.last()))
}

/// The networks of an operand, each with the index it is found under.
fn indexed(value: &Value, position: usize) -> Result<Vec<(Value, Value)>, Failure> {
    let network_of = |item: &Value| match item {
        Value::String(_) => Ok(item.clone()),
        Value::Array(items) if !items.is_empty() => Ok(items.first().cloned().unwrap_or(Value::Null)),
        _ => fail(format!("operand {position}: element must be string or non-empty array")),
    };
    match value {
        Value::String(_) => Ok(vec![(value.clone(), value.clone())]),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| Ok((network_of(item)?, index.into()))).collect()
        }
        Value::Set(items) => items.iter().map(|item| Ok((network_of(item)?, item.clone()))).collect(),
        Value::Object(members) => {
            members.iter().map(|(key, item)| Ok((network_of(item)?, key.clone()))).collect()
        }
        _ => Ok(Vec::new()),
    }
}

fn contains_matches(_: &Context, args: &[Value]) -> Outcome {
    let [outer, inner] = operands(args)?;
    let outer = indexed(outer, 1)?;
    let mut matches = BTreeSet::new();
    if outer.is_empty() {
        return done(matches);
    }
    let inner = indexed(inner, 2)?;
    if outer.len().saturating_mul(inner.len()) > limits::MAX_ELEMENTS {
        return fail(format!("more than {} pairs", limits::MAX_ELEMENTS));
    }
    for (network, index) in &outer {
        for (address, address_index) in &inner {
            if contains_one(network, address)? {
                matches.insert(Value::Array(vec![index.clone(), address_index.clone()]));
            }
        }
    }
    done(matches)
}

fn expand(_: &Context, args: &[Value]) -> Outcome {
    let [text] = operands(args)?;
    let network = network(text)?;
    let host_bits = if network.first.is_ipv4() { 32 } else { 128 } - u32::from(network.prefix);
    let count = 1u128.checked_shl(host_bits).and_then(|n| usize::try_from(n).ok());
    if count.is_none_or(|n| n > limits::MAX_ELEMENTS) {
        return fail(format!("network has more than {} addresses", limits::MAX_ELEMENTS));
    }
    let text = |address: IpAddr| Value::from(unmapped(address).to_string());
    let all: BTreeSet<Value> = match (network.first, network.last()) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            (a.to_bits()..=b.to_bits()).map(|bits| text(IpAddr::V4(Ipv4Addr::from_bits(bits)))).collect()
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            (a.to_bits()..=b.to_bits()).map(|bits| text(IpAddr::V6(Ipv6Addr::from_bits(bits)))).collect()
        }
        _ => BTreeSet::new(),
    };
    done(all)
}

fn is_valid(_: &Context, args: &[Value]) -> Outcome {
    let [text] = operands(args)?;
    done(text.as_str().is_some_and(|text| Network::parse(text).is_some()))
}
