//! Addresses of machines, and credentials as they travel.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::{Definition, before, part, while_in};

/// RFC 791 and RFC 4291 in their usual notation.
pub(super) const IP_ADDRESS: Definition = Definition {
    pattern: concat!(
        r"(?:(?:[0-9A-Fa-f]{0,4}:){2,8}(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]{0,4}))",
        r"|[0-9]+(?:\.[0-9]+){3,}",
    ),
    read: address,
    example: "203.0.113.7",
};

fn address(text: &str, candidate: Range<usize>, found: &mut Vec<Range<usize>>) {
    let written = part(text, candidate.clone());
    let byte = |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)).copied().unwrap_or(b' ');
    let (previous, next) = (byte(candidate.start.checked_sub(1)), byte(Some(candidate.end)));
    let is_part_of_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if written.contains(':') {
        // A scheme before a host (`a::b`), or an IPv6 address with its zone or port after it.
        let trimmed = written.strip_suffix(':').filter(|rest| !rest.ends_with(':')).unwrap_or(written);
        let is_address = trimmed.parse::<Ipv6Addr>().is_ok_and(|address| !address.is_unspecified());
        // `a::b` is a path in many languages.
        let is_long = trimmed.bytes().filter(u8::is_ascii_hexdigit).count() >= 3
            && trimmed.bytes().any(|byte| byte.is_ascii_digit());
        let is_loopback = trimmed == "::1";
        if is_address && (is_long || is_loopback) && !is_part_of_word(previous) && !is_part_of_word(next) {
            found.push(candidate.start..candidate.start + trimmed.len());
        }
        // After the time of day, say.
        let tail = trimmed.rsplit_once(':').map_or("", |(_, tail)| tail);
        if !is_address && tail.parse::<Ipv4Addr>().is_ok() && !is_part_of_word(next) {
            found.push(candidate.end - tail.len()..candidate.end);
        }
        return;
    }
    let is_address = written.parse::<Ipv4Addr>().is_ok();
    let is_version = matches!(previous, b'v' | b'V' | b'.' | b'-')
        || (previous == b'/' && byte(candidate.start.checked_sub(2)).is_ascii_alphanumeric())
        || is_called_version(text, candidate.start);
    if is_address && !is_version && !is_part_of_word(previous) && !is_part_of_word(next) {
        found.push(candidate);
    }
}

fn is_called_version(text: &str, at: usize) -> bool {
    let before = before(text, at, 12).to_ascii_lowercase();
    let before = before.trim_end_matches([' ', ':', '=', '.']);
    ["version", "release", "ver", "build"].iter().any(|word| before.ends_with(word))
}

/// RFC 6750.
pub(super) const BEARER_TOKEN: Definition = Definition {
    pattern: r#"(?i)(?-u:\b)bearer["']?[ \t:]{1,32}["'(]?(?P<span>[A-Za-z0-9._~+/=-]{16})"#,
    read: |text, candidate, found| {
        let is_token = |char: char| char.is_ascii_alphanumeric() || "._~+/=-".contains(char);
        let end = while_in(text, candidate.end, is_token);
        let token = part(text, candidate.start..end);
        // Words are no token.
        let is_mixed = token.bytes().any(|byte| byte.is_ascii_digit())
            && token.bytes().any(|byte| byte.is_ascii_alphabetic());
        if is_mixed {
            found.push(candidate.start..end);
        }
    },
    example: "Bearer mF_9.B5f-4.1JqM0aTz81",
};

/// User information in a URL (RFC 3986) that holds a password.
pub(super) const BASIC_AUTH_URL: Definition = Definition {
    pattern: r"(?i)(?-u:\b)[a-z][a-z0-9+.-]{1,30}://[^\s/?#@:<>\x22'`]{0,256}:[^\s/?#@<>\x22'`]{1,256}@[^\s/?#@<>\x22'`]+",
    read: |text, candidate, found| {
        let written = part(text, candidate.clone());
        let password = written
            .rsplit_once('@')
            .and_then(|(before, _)| before.rsplit_once(':'))
            .map_or("", |(_, last)| last);
        // What stands for a password in documentation.
        if !password.starts_with(['$', '{', '[', '%', '*']) {
            found.push(candidate);
        }
    },
    example: "https://jane:s3cr3t@example.org",
};

#[cfg(test)]
mod tests {
    use crate::derive::detector::Detector;
    use crate::derive::detector::tests::{finds, finds_nothing};

    #[test]
    fn addresses() {
        finds(
            Detector::IpAddress,
            &[
                // RFC 5737, 3849 and 4291.
                ("from 192.0.2.1, then", "192.0.2.1"),
                ("http://203.0.113.7:8080/x", "203.0.113.7"),
                ("198.51.100.255/24.", "198.51.100.255"),
                ("2001:db8::8:800:200c:417a", "2001:db8::8:800:200c:417a"),
                ("[2001:DB8:0:0:8:800:200C:417A]:443", "2001:DB8:0:0:8:800:200C:417A"),
                ("::ffff:192.0.2.33 ok", "::ffff:192.0.2.33"),
                ("listens on ::1.", "::1"),
                ("fe80::1ff:fe23:4567:890a%eth2", "fe80::1ff:fe23:4567:890a"),
                ("address: 192.0.2.1.", "192.0.2.1"),
                ("12:30:45:203.0.113.7 GET", "203.0.113.7"),
            ],
        );
        finds_nothing(
            Detector::IpAddress,
            &[
                "1.2.3",
                "v1.2.3.4",
                "version 1.2.3.4",
                "Chrome/120.0.6099.1",
                "Chrome/120.0.0.0",
                "256.1.1.1",
                "1.2.3.4.5",
                "12:30:45",
                "std::net",
                "a::b",
                "::",
                "00:1B:44:11:3A:B7",
                "192.0.2.01x",
                "10.000.000.000",
            ],
        );
    }

    #[test]
    fn credentials() {
        finds(
            Detector::BearerToken,
            &[
                ("Authorization: Bearer mF_9.B5f-4.1JqM0aTz81", "mF_9.B5f-4.1JqM0aTz81"),
                ("bearer  abcdefghij0123456789==", "abcdefghij0123456789=="),
                ("Bearer: 'mF_9.B5f-4.1JqM0aTz81'", "mF_9.B5f-4.1JqM0aTz81"),
                (r#"{"bearer": "mF_9.B5f-4.1JqM0aTz81"}"#, "mF_9.B5f-4.1JqM0aTz81"),
                ("bearer authentication-bearer mF_9.B5f-4.1JqM0aTz81", "mF_9.B5f-4.1JqM0aTz81"),
            ],
        );
        finds_nothing(
            Detector::BearerToken,
            &["bearer authentication-is-required", "Bearer short1", "forbearer abcdefghij0123456789"],
        );
        finds(
            Detector::BasicAuthUrl,
            &[
                ("see https://jane:s3cr3t@example.org/x", "https://jane:s3cr3t@example.org"),
                ("postgres://:pass@db:5432/x", "postgres://:pass@db:5432"),
            ],
        );
        finds_nothing(
            Detector::BasicAuthUrl,
            &[
                "https://example.org:8080/@x",
                "https://jane@example.org",
                "https://user:$PASSWORD@host",
                "https://x/a:b@c",
            ],
        );
    }
}
