//! Derived members read backwards: what to put into a request so that a function gives what a policy looks for, or just
//! does not.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::{Map, Value};
use tribunal::core::derive::DeriveSpec;
use tribunal::core::derive::detector::Detector;
use tribunal::core::derive::spec::{Capture, Encoding, IpPart, LookupSpec, RangesSpec, RuleSpec, UrlPart};

use super::place::{ANY, Edge, SeedKind, Wrap};
use super::text::Sampler;

/// Most seeds that one function brings along.
const MOST: usize = 48;

/// A seed for the source of a function, or for a place below it.
pub(super) struct Behind {
    /// The place, from the source on.
    pub(super) below: Vec<String>,
    pub(super) kind: SeedKind,
}

impl From<SeedKind> for Behind {
    fn from(kind: SeedKind) -> Self {
        Self { below: Vec::new(), kind }
    }
}

/// What to put where a function reads, for `kind` to stand in what it gives, or `within` it.
pub(super) fn behind(spec: &DeriveSpec, within: &[String], kind: SeedKind) -> Vec<Behind> {
    match spec {
        DeriveSpec::Regex(spec) => {
            let group = match &spec.capture {
                Some(Capture::Index(0)) => return vec![kind.into()],
                Some(Capture::Index(index)) => Group::Number(*index),
                Some(Capture::Name(name)) => Group::Name(name),
                None => Group::None,
            };
            vec![captured(&spec.pattern, group, kind).into()]
        }
        DeriveSpec::Captures(spec) => {
            let group = within.first().map_or(Group::None, |name| Group::Name(name));
            vec![captured(&spec.pattern, group, kind).into()]
        }
        DeriveSpec::Decode(spec) => {
            let wrap = match spec.encoding {
                Encoding::Base64 => Wrap::Base64,
                Encoding::Base64url => Wrap::Base64Url,
                Encoding::Percent => Wrap::Percent,
            };
            vec![wrapped(kind.clone(), wrap).into(), kind.into()]
        }
        DeriveSpec::Url(spec) => match (spec.part, within.first().map(String::as_str)) {
            (Some(part), _) => vec![wrapped(kind, Wrap::Url(part)).into()],
            (None, Some(member)) => url_member(member, kind),
            (None, None) => vec![kind.into()],
        },
        DeriveSpec::UrlPrefixes(_) => match text_of(&kind) {
            Some(url) => beneath(url).map(Behind::from).collect(),
            None => vec![kind.into()],
        },
        DeriveSpec::Ip(spec) => {
            let part = within.first().map(String::as_str);
            match (spec.part, part) {
                (Some(IpPart::Scope), _) | (None, Some("scope")) => of_scope(&kind).map(whole).collect(),
                (Some(IpPart::Version), _) | (None, Some("version")) => {
                    ["192.0.2.1", "2001:db8::1"].map(|text| whole(text.to_owned())).into()
                }
                _ => vec![kind.into()],
            }
        }
        DeriveSpec::Distinct(_) => {
            let lists = around(&kind).map(|count| {
                let elements = (0..count).map(|index| Value::from(format!("a{index}")));
                SeedKind::Value(elements.collect()).into()
            });
            lists.chain([kind.clone().into()]).collect()
        }
        DeriveSpec::Sum(spec) => {
            let of = spec.of.iter().flat_map(|of| of.tokens().iter().cloned());
            vec![Behind { below: std::iter::once(ANY.to_owned()).chain(of).collect(), kind }]
        }
        DeriveSpec::Scan(spec) => match (within.first().map(String::as_str), text_of(&kind)) {
            (Some("found"), Some(name)) => {
                let rule = spec.rules.get(name);
                rule.into_iter().flat_map(rule_seeds).map(Behind::from).collect()
            }
            (Some("count"), _) => {
                spec.rules.values().flat_map(rule_seeds).take(MOST).map(Behind::from).collect()
            }
            _ => vec![kind.into()],
        },
        // What lies in a range stands in `own`; of the rest the literal itself is the best seed there is.
        DeriveSpec::InRanges(_)
        | DeriveSpec::Lookup(_)
        | DeriveSpec::Replace(_)
        | DeriveSpec::Lower(_)
        | DeriveSpec::FoldCase(_)
        | DeriveSpec::Normalize(_)
        | DeriveSpec::Skeleton(_)
        | DeriveSpec::StripInvisible(_)
        | DeriveSpec::Plain(_)
        | DeriveSpec::Markup(_)
        | DeriveSpec::Length(_)
        | DeriveSpec::Time(_) => vec![kind.into()],
    }
}

/// The names of a table in the data.
fn names<'d>(spec: &'d LookupSpec, data: &'d Value) -> impl Iterator<Item = &'d str> {
    let table = spec.table.data.get(data);
    let members = table.and_then(Value::as_object).into_iter().flat_map(Map::keys).map(String::as_str);
    let elements = table.and_then(Value::as_array).into_iter().flatten();
    members.chain(elements.filter_map(|element| spec.by.as_ref()?.get(element)?.as_str()))
}

/// What a function tells apart by itself; `data` is the pack's.
pub(super) fn own(spec: &DeriveSpec, data: &Value) -> Vec<SeedKind> {
    match spec {
        DeriveSpec::Regex(_) | DeriveSpec::Captures(_) | DeriveSpec::Replace(_) => {
            let samplers = spec.patterns().into_iter().filter_map(Sampler::new);
            samplers.map(|sampler| SeedKind::Regex { sampler, fill: None }).collect()
        }
        DeriveSpec::InRanges(spec) => {
            let ranges: Vec<&str> = match &spec.ranges {
                RangesSpec::Listed(ranges) => ranges.iter().map(String::as_str).collect(),
                RangesSpec::FromData(from) => {
                    let listed = from.data.get(data).and_then(Value::as_array).into_iter().flatten();
                    listed.filter_map(Value::as_str).collect()
                }
            };
            ranges.into_iter().flat_map(edges).take(MOST).map(text).collect()
        }
        DeriveSpec::Lookup(spec) => names(spec, data).take(MOST).map(|name| text(name.to_owned())).collect(),
        DeriveSpec::Scan(spec) => {
            // Some of every rule rather than all of the first ones.
            let mut seeds: Vec<_> = spec.rules.values().map(|rule| rule_seeds(rule).into_iter()).collect();
            let longest = seeds.iter().map(ExactSizeIterator::len).max().unwrap_or(0);
            (0..longest)
                .flat_map(|_| seeds.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>())
                .take(MOST)
                .collect()
        }
        DeriveSpec::Ip(_) => SCOPES.iter().flat_map(|(_, address)| notations(address)).map(text).collect(),
        DeriveSpec::Url(spec) if spec.part.is_none_or(|part| part == UrlPart::Host) => {
            let addresses = SCOPES.iter().flat_map(|(_, address)| notations(address));
            let hosts = texts(data).filter(|text| text.contains('.') && !text.contains([' ', '/']));
            let hosts = hosts.map(str::to_owned).take(MOST);
            hosts.chain(addresses).map(|host| wrapped(text(host), Wrap::Url(UrlPart::Host))).collect()
        }
        DeriveSpec::UrlPrefixes(_) => {
            texts(data).filter(|text| text.contains("://")).flat_map(beneath).take(MOST).collect()
        }
        DeriveSpec::Url(_)
        | DeriveSpec::Decode(_)
        | DeriveSpec::Lower(_)
        | DeriveSpec::FoldCase(_)
        | DeriveSpec::Normalize(_)
        | DeriveSpec::Skeleton(_)
        | DeriveSpec::StripInvisible(_)
        | DeriveSpec::Plain(_)
        | DeriveSpec::Markup(_)
        | DeriveSpec::Length(_)
        | DeriveSpec::Distinct(_)
        | DeriveSpec::Sum(_)
        | DeriveSpec::Time(_) => Vec::new(),
    }
}

/// Texts that a rule of a scan finds something in, and one in which it just does not.
fn rule_seeds(rule: &RuleSpec) -> Vec<SeedKind> {
    let example = rule.example.as_deref().or_else(|| rule.detector.map(Detector::example));
    let sampler = rule.pattern.as_deref().and_then(Sampler::new);
    let of_example = example.into_iter().flat_map(|example| {
        let inside = SeedKind::Text { text: example.to_owned(), at: Edge::Inside };
        [inside, text(example.to_owned()), text(with_another_digit(example))]
    });
    of_example.chain(sampler.map(|sampler| SeedKind::Regex { sampler, fill: None })).collect()
}

/// A text with its last digit changed, which no check digit survives; without digits, without its last character.
fn with_another_digit(example: &str) -> String {
    let mut chars: Vec<char> = example.chars().collect();
    match chars.iter_mut().rev().find_map(|char| char.to_digit(10).map(|digit| (char, digit))) {
        Some((char, digit)) => *char = char::from_digit((digit + 1) % 10, 10).unwrap_or('0'),
        None => drop(chars.pop()),
    }
    chars.into_iter().collect()
}

enum Group<'s> {
    None,
    Number(u32),
    Name(&'s str),
}

/// A text out of which an expression captures just what the policy looks for.
fn captured(pattern: &str, group: Group<'_>, kind: SeedKind) -> SeedKind {
    // Of a chain the expression next to the policy says most.
    if matches!(kind, SeedKind::Regex { .. }) {
        return kind;
    }
    let Some(sampler) = Sampler::new(pattern) else { return kind };
    let group = match group {
        Group::None => None,
        Group::Number(number) => Some(number),
        Group::Name(name) => sampler.group(name),
    };
    let fill = group.zip(text_of(&kind).map(str::to_owned));
    SeedKind::Regex { sampler, fill }
}

fn text_of(kind: &SeedKind) -> Option<&str> {
    match kind {
        SeedKind::Text { text, .. } | SeedKind::Like(text) | SeedKind::Name(text) => Some(text),
        SeedKind::Glob { pattern, .. } => Some(pattern),
        SeedKind::Value(value) => value.as_str(),
        SeedKind::Regex { .. } | SeedKind::Bound(_) | SeedKind::Wrapped { .. } => None,
    }
}

fn url_member(member: &str, kind: SeedKind) -> Vec<Behind> {
    let part = match member {
        "scheme" => UrlPart::Scheme,
        "host" => UrlPart::Host,
        "port" => UrlPart::Port,
        "path" => UrlPart::Path,
        "query" => UrlPart::Query,
        "fragment" => UrlPart::Fragment,
        "credentials" => {
            let urls = ["https://u:p@h.example/", "https://u@h.example/", "https://h.example/"];
            return urls.map(|url| whole(url.to_owned())).into();
        }
        "host_kind" => {
            let urls = ["https://h.example/", "https://192.0.2.1/", "https://[2001:db8::1]/", "data:,x"];
            return urls.map(|url| whole(url.to_owned())).into();
        }
        "scope" => {
            let hosts = of_scope(&kind).map(|host| wrapped(text(host), Wrap::Url(UrlPart::Host)));
            return hosts.map(Behind::from).collect();
        }
        _ => return vec![kind.into()],
    };
    vec![wrapped(kind, Wrap::Url(part)).into()]
}

/// A URL, something beneath it, and something beside it that begins alike.
fn beneath(url: &str) -> impl Iterator<Item = SeedKind> + use<> {
    let inside = format!("{}/", url.trim_end_matches('/'));
    [(url.to_owned(), Edge::Whole), (inside, Edge::Start), (url.to_owned(), Edge::Start)]
        .into_iter()
        .map(|(text, at)| SeedKind::Text { text, at })
}

/// One address of each scope.
const SCOPES: [(&str, &str); 14] = [
    ("global", "8.8.8.8"),
    ("private", "10.0.0.1"),
    ("loopback", "127.0.0.1"),
    ("link_local", "169.254.0.1"),
    ("metadata", "169.254.169.254"),
    ("metadata", "fd00:ec2::254"),
    ("shared", "100.64.0.1"),
    ("multicast", "224.0.0.1"),
    ("broadcast", "255.255.255.255"),
    ("unspecified", "0.0.0.0"),
    ("documentation", "192.0.2.1"),
    ("benchmarking", "198.18.0.1"),
    ("reserved", "240.0.0.1"),
    ("unique_local", "fd00::1"),
];

fn of_scope(kind: &SeedKind) -> impl Iterator<Item = String> + use<'_> {
    let wanted = text_of(kind);
    let addresses = SCOPES.iter().filter(move |(scope, _)| Some(*scope) == wanted);
    addresses.flat_map(|(_, address)| notations(address))
}

/// An address as it stands, and an IPv4 address as one number, in hexadecimal and inside IPv6.
fn notations(address: &str) -> Vec<String> {
    let mut notations = vec![address.to_owned()];
    if let Ok(address) = address.parse::<Ipv4Addr>() {
        let bits = address.to_bits();
        notations.extend([bits.to_string(), format!("{bits:#x}"), format!("::ffff:{address}")]);
    }
    notations
}

/// The addresses at both ends of a range, and those just outside.
fn edges(range: &str) -> Vec<String> {
    let (network, prefix) = match range.split_once('/') {
        Some((network, prefix)) => (network, prefix.parse::<u32>().ok()),
        None => (range, None),
    };
    match network.parse() {
        Ok(IpAddr::V4(network)) => {
            let rest = u32::MAX.checked_shr(prefix.unwrap_or(32)).unwrap_or(0);
            let (first, last) = (network.to_bits(), network.to_bits() | rest);
            let mut edges: Vec<String> = [Some(first), Some(last), first.checked_sub(1), last.checked_add(1)]
                .into_iter()
                .flatten()
                .map(|bits| Ipv4Addr::from_bits(bits).to_string())
                .collect();
            edges.push(Ipv4Addr::from_bits(first).to_ipv6_mapped().to_string());
            edges
        }
        Ok(IpAddr::V6(network)) => {
            let rest = u128::MAX.checked_shr(prefix.unwrap_or(128)).unwrap_or(0);
            let (first, last) = (network.to_bits(), network.to_bits() | rest);
            let edges = [Some(first), Some(last), first.checked_sub(1), last.checked_add(1)];
            edges.into_iter().flatten().map(|bits| Ipv6Addr::from_bits(bits).to_string()).collect()
        }
        Err(_) => Vec::new(),
    }
}

/// The counts at and beside the one that a policy compares with.
fn around(kind: &SeedKind) -> impl Iterator<Item = u64> + use<> {
    let count = match kind {
        SeedKind::Bound(bound) => bound.as_u64().filter(|count| *count <= 256),
        _ => None,
    };
    count.into_iter().flat_map(|count| count.saturating_sub(1)..=count + 1)
}

/// Every text in a value.
fn texts(value: &Value) -> Box<dyn Iterator<Item = &str> + '_> {
    match value {
        Value::String(text) => Box::new(std::iter::once(text.as_str())),
        Value::Array(items) => Box::new(items.iter().flat_map(texts)),
        Value::Object(members) => Box::new(
            members.iter().flat_map(|(name, member)| std::iter::once(name.as_str()).chain(texts(member))),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) => Box::new(std::iter::empty()),
    }
}

fn text(text: String) -> SeedKind {
    SeedKind::Text { text, at: Edge::Whole }
}

fn whole(found: String) -> Behind {
    text(found).into()
}

fn wrapped(inner: SeedKind, wrap: Wrap) -> SeedKind {
    SeedKind::Wrapped { inner: Box::new(inner), wrap }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;
    use serde_json::json;
    use tribunal::core::contract::Pointer;
    use tribunal::core::derive::{DerivePlan, PackData};
    use tribunal::core::document::Document;

    use super::super::place::Seed;
    use super::*;

    fn declared(text: &str, data: &Value) -> (DeriveSpec, DerivePlan) {
        let document = Document::parse("pack.yaml", format!("m: {{{text}}}").as_bytes()).unwrap();
        let spec: DeriveSpec = serde_json::from_value(document.value["m"].clone()).unwrap();
        let specs = [("m".to_owned(), spec.clone())].into();
        (spec, DerivePlan::compile(&specs, &document, PackData::from(data)).unwrap())
    }

    /// What a member becomes over what some seeds grow into, at a place in the member.
    fn derived(plan: &DerivePlan, behind: &[Behind], within: &[&str]) -> Vec<Value> {
        let within = Pointer::from_tokens(["derived", "m"].iter().chain(within).copied());
        let mut rng = Rng::with_seed(3);
        let words = ["word".to_owned(), "other/word".to_owned()];
        let mut found = Vec::new();
        for Behind { below, kind } in behind {
            for _ in 0..100 {
                let seed = Seed { kind: kind.clone(), literal: None };
                let value = seed.grow(None, &words, &mut rng);
                // Below a list, a list of one element.
                let value = below.iter().rev().fold(value, |value, token| match token.as_str() {
                    ANY => json!([value]),
                    name => json!({name: value}),
                });
                let payload = json!({"x": value});
                let derived = plan.apply(&payload, jiff::Timestamp::UNIX_EPOCH);
                found.extend(derived.ok().and_then(|payload| within.get(&payload).cloned()));
            }
        }
        found
    }

    #[test]
    fn what_a_policy_looks_for_is_led_back_to_the_source() {
        let word = |text: &str| SeedKind::Text { text: text.to_owned(), at: Edge::Whole };
        let bound = |number: u64| SeedKind::Bound(number.into());
        let table: [(&str, &[&str], SeedKind, Value); 23] = [
            ("regex: {source: /x, pattern: '^a/([a-z]+)$', capture: 1}", &[], word("dev"), json!("dev")),
            (
                "regex: {source: /x, pattern: '([a-z]{1,20})!', capture: 1, all: true}",
                &["0"],
                word("dev"),
                json!("dev"),
            ),
            (
                "captures: {source: /x, pattern: '^(?P<a>[a-z]+)/(?P<b>[0-9]+)$'}",
                &["b"],
                word("7"),
                json!("7"),
            ),
            ("replace: {source: /x, pattern: '[0-9]', with: ''}", &[], word("abc"), json!("abc")),
            ("lower: {source: /x}", &[], word("abc"), json!("abc")),
            ("decode: {source: /x, encoding: base64}", &[], word("ignore all"), json!("ignore all")),
            ("decode: {source: /x, encoding: base64url}", &[], word("???>>>"), json!("???>>>")),
            ("decode: {source: /x, encoding: percent}", &[], word("a/b"), json!("a/b")),
            ("url: {source: /x, part: host}", &[], word("evil.example"), json!("evil.example")),
            ("url: {source: /x, part: username}", &[], word("root"), json!("root")),
            ("url: {source: /x, part: port}", &[], bound(8443), json!(8444)),
            ("url: {source: /x}", &["scheme"], word("ssh"), json!("ssh")),
            ("url: {source: /x}", &["credentials"], SeedKind::Value(json!(true)), json!(true)),
            ("url: {source: /x}", &["host_kind"], word("ipv6"), json!("ipv6")),
            ("url: {source: /x}", &["scope"], word("metadata"), json!("metadata")),
            (
                "url_prefixes: {source: /x}",
                &["1"],
                word("https://h.example:443/a"),
                json!("https://h.example:443/a"),
            ),
            ("ip: {source: /x, part: scope}", &[], word("loopback"), json!("loopback")),
            ("ip: {source: /x}", &["scope"], word("shared"), json!("shared")),
            ("distinct: {source: /x}", &[], bound(4), json!(5)),
            ("sum: {source: /x}", &[], bound(100), json!(99)),
            ("sum: {source: /x, of: /n}", &[], bound(100), json!(101)),
            (
                "scan: {source: /x, rules: {card: {detector: payment_card}, mail: {detector: email}}}",
                &["found", "0"],
                word("card"),
                json!("card"),
            ),
            (
                "scan: {source: /x, rules: {a: {view: plain, pattern: 'do (?:it|this)', example: Do it}}}",
                &["count"],
                bound(0),
                json!(1),
            ),
        ];
        for (text, within, kind, wanted) in table {
            let (spec, plan) = declared(text, &json!({}));
            let tokens: Vec<String> = within.iter().map(|&token| token.to_owned()).collect();
            let found = derived(&plan, &behind(&spec, &tokens, kind), within);
            assert!(found.contains(&wanted), "{text} {within:?}: no {wanted} in {found:?}");
        }
    }

    #[test]
    fn a_function_brings_what_it_tells_apart() {
        let data = json!({"net": ["10.0.0.0/8", "fd00::/8"], "allowed": ["https://h.example:443/a"], "hosts": ["a.example"]});
        let table: [(&str, &[&str], &[Value]); 5] = [
            ("in_ranges: {source: /x, ranges: [192.0.2.0/31]}", &[], &[json!(true), json!(false)]),
            ("in_ranges: {source: /x, ranges: {data: /net}}", &[], &[json!(true), json!(false)]),
            ("ip: {source: /x}", &["scope"], &SCOPES.map(|(scope, _)| json!(scope))),
            ("url: {source: /x}", &["host"], &[json!("a.example"), json!("127.0.0.1"), json!("[fd00::1]")]),
            ("url_prefixes: {source: /x}", &["1"], &[json!("https://h.example:443/a")]),
        ];
        for (text, within, wanted) in table {
            let (spec, plan) = declared(text, &data);
            let seeds: Vec<Behind> = own(&spec, &data).into_iter().map(Behind::from).collect();
            assert!(seeds.len() <= 2 * MOST, "{text}");
            let found = derived(&plan, &seeds, within);
            for wanted in wanted {
                assert!(found.contains(wanted), "{text}: no {wanted}");
            }
        }
        assert_eq!(
            edges("10.0.0.0/8"),
            ["10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0", "::ffff:10.0.0.0"]
        );
        assert_eq!(edges("::/127"), ["::", "::1", "::2"]);
    }
}
