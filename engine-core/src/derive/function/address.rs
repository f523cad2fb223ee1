//! IP addresses as the world writes them, and what each is for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::Host;

/// Reads what WHATWG reads as a host's address (`127.1`, `0x7f000001`, `2130706433`, octal), and an IPv6 address with or
/// without brackets and zone. `None` for anything else.
pub(super) fn read(text: &str) -> Option<IpAddr> {
    let text = text.trim_ascii();
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    // Only an IPv6 address holds two colons, and a zone says nothing of where it leads.
    if inner.contains(':') {
        let address = match inner.split_once('%') {
            Some((_, "")) => return None,
            Some((address, _)) => address,
            None => inner,
        };
        return address.parse().ok().map(IpAddr::V6);
    }
    match Host::parse(text) {
        Ok(Host::Ipv4(address)) => Some(address.into()),
        Ok(Host::Ipv6(address)) => Some(address.into()),
        Ok(Host::Domain(_)) | Err(_) => None,
    }
}

/// What an address is for, by the registries of IANA and the documentation of clouds. An IPv4 address inside an IPv6 one is
/// judged by itself: that is where the packets go.
pub(super) fn scope(address: IpAddr) -> &'static str {
    match address {
        IpAddr::V4(address) => scope_v4(address),
        IpAddr::V6(address) if METADATA_V6.contains(&address) => "metadata",
        IpAddr::V6(address) => match inner(address) {
            Some(inner) => scope_v4(inner),
            None => scope_v6(address),
        },
    }
}

/// The IPv4 address that an IPv6 address holds: mapped, compatible, translated (SIIT), 6to4, NAT64 or Teredo.
pub(super) fn inner(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match address.segments() {
        // `::` and `::1` are addresses of IPv6.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => v4(high, low),
        [0, 0, 0, 0, 0xffff, 0, high, low] => v4(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        // A Teredo address holds its client inverted.
        [0x2001, 0, .., high, low] => v4(!high, !low),
        _ => None,
    }
}

/// Where clouds answer a machine's questions about itself, credentials among the answers: AWS (instances, containers, pods),
/// Azure, Alibaba and Oracle. Google, OpenStack and DigitalOcean use the first as well.
const METADATA_V4: [Ipv4Addr; 6] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(169, 254, 170, 23),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
];
/// The same over IPv6: AWS (instances, pods), Google, OpenStack.
const METADATA_V6: [Ipv6Addr; 4] = [
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe),
];

fn scope_v4(address: Ipv4Addr) -> &'static str {
    if METADATA_V4.contains(&address) {
        return "metadata";
    }
    match address.octets() {
        [0, 0, 0, 0] => "unspecified",
        [127, ..] => "loopback",
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => "private",
        [169, 254, ..] => "link_local",
        [100, 64..=127, ..] => "shared",
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => "documentation",
        [198, 18..=19, ..] => "benchmarking",
        [255, 255, 255, 255] => "broadcast",
        [224..=239, ..] => "multicast",
        // This network; protocol assignments; the relays that 6to4 had; the future.
        [0, ..] | [192, 0, 0, _] | [192, 88, 99, _] | [240..=255, ..] => "reserved",
        _ => "global",
    }
}

fn scope_v6(address: Ipv6Addr) -> &'static str {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => "unspecified",
        [0, 0, 0, 0, 0, 0, 0, 1] => "loopback",
        [0xff00..=0xffff, ..] => "multicast",
        [0xfe80..=0xfebf, ..] => "link_local",
        // Site-local, before there were unique local addresses.
        [0xfec0..=0xfeff, ..] => "private",
        [0xfc00..=0xfdff, ..] => "unique_local",
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => "documentation",
        [0x2001, 2, 0, ..] => "benchmarking",
        // Protocol assignments, Teredo apart.
        [0x2001, 0..=0x1ff, ..] => "reserved",
        [0x2000..=0x3fff, ..] => "global",
        _ => "reserved",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_every_notation_and_judged() {
        let table = [
            ("8.8.8.8", "8.8.8.8", "global"),
            ("127.0.0.1", "127.0.0.1", "loopback"),
            ("127.1", "127.0.0.1", "loopback"),
            ("0x7f.1", "127.0.0.1", "loopback"),
            ("0x7f000001", "127.0.0.1", "loopback"),
            ("2130706433", "127.0.0.1", "loopback"),
            ("017700000001", "127.0.0.1", "loopback"),
            ("0177.0.0.01", "127.0.0.1", "loopback"),
            ("127.0.0.1.", "127.0.0.1", "loopback"),
            (" 127.0.0.1\n", "127.0.0.1", "loopback"),
            ("%31%32%37.0.0.1", "127.0.0.1", "loopback"),
            ("①②⑦.⓪.0.1", "127.0.0.1", "loopback"),
            ("0", "0.0.0.0", "unspecified"),
            ("0x", "0.0.0.0", "unspecified"),
            ("0.0.0.1", "0.0.0.1", "reserved"),
            ("10.255.255.255", "10.255.255.255", "private"),
            ("11.0.0.0", "11.0.0.0", "global"),
            ("172.15.255.255", "172.15.255.255", "global"),
            ("172.16.0.0", "172.16.0.0", "private"),
            ("172.31.255.255", "172.31.255.255", "private"),
            ("172.32.0.0", "172.32.0.0", "global"),
            ("192.168.0.1", "192.168.0.1", "private"),
            ("169.254.169.254", "169.254.169.254", "metadata"),
            ("0xa9fea9fe", "169.254.169.254", "metadata"),
            ("169.254.169.253", "169.254.169.253", "link_local"),
            ("100.100.100.200", "100.100.100.200", "metadata"),
            ("168.63.129.16", "168.63.129.16", "metadata"),
            ("100.63.255.255", "100.63.255.255", "global"),
            ("100.64.0.0", "100.64.0.0", "shared"),
            ("100.128.0.0", "100.128.0.0", "global"),
            ("192.0.2.7", "192.0.2.7", "documentation"),
            ("198.19.255.255", "198.19.255.255", "benchmarking"),
            ("224.0.0.1", "224.0.0.1", "multicast"),
            ("255.255.255.255", "255.255.255.255", "broadcast"),
            ("240.0.0.1", "240.0.0.1", "reserved"),
            ("::", "::", "unspecified"),
            ("::1", "::1", "loopback"),
            ("[::1]", "::1", "loopback"),
            ("0:0:0:0:0:0:0:1", "::1", "loopback"),
            ("::ffff:127.0.0.1", "::ffff:127.0.0.1", "loopback"),
            ("::ffff:a9fe:a9fe", "::ffff:169.254.169.254", "metadata"),
            ("::127.0.0.1", "::7f00:1", "loopback"),
            ("::ffff:0:10.0.0.1", "::ffff:0:a00:1", "private"),
            ("64:ff9b::10.0.0.1", "64:ff9b::a00:1", "private"),
            ("64:ff9b::8.8.8.8", "64:ff9b::808:808", "global"),
            ("64:ff9b:1::1", "64:ff9b:1::1", "reserved"),
            ("2002:7f00:1::", "2002:7f00:1::", "loopback"),
            ("2001:0:4136:e378:8000:63bf:80ff:fffe", "2001:0:4136:e378:8000:63bf:80ff:fffe", "loopback"),
            ("fe80::1%eth0", "fe80::1", "link_local"),
            ("fec0::1", "fec0::1", "private"),
            ("fd00:ec2::254", "fd00:ec2::254", "metadata"),
            ("fd00:ec2::255", "fd00:ec2::255", "unique_local"),
            ("fd20:ce::254", "fd20:ce::254", "metadata"),
            ("fe80::a9fe:a9fe", "fe80::a9fe:a9fe", "metadata"),
            ("ff02::1", "ff02::1", "multicast"),
            ("2001:db8::1", "2001:db8::1", "documentation"),
            ("3fff::1", "3fff::1", "documentation"),
            ("2001:2::1", "2001:2::1", "benchmarking"),
            ("2001:10::1", "2001:10::1", "reserved"),
            ("100::1", "100::1", "reserved"),
            ("2606:4700::1111", "2606:4700::1111", "global"),
        ];
        for (text, canonical, expected) in table {
            let address = read(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((address.to_string().as_str(), scope(address)), (canonical, expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_none() {
        for text in [
            "",
            "localhost",
            "1.2.3.4.5",
            "1.2.3.256",
            "256.1.1.1.x",
            "g::1",
            "[127.0.0.1",
            "1.2.3.4/8",
            "::1%",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
