//! E-mail addresses and telephone numbers.

use std::ops::Range;

use super::checksum::digits;
use super::{Definition, part};

/// RFC 5321 and 6531, without quoted local parts.
pub(super) const EMAIL: Definition = Definition {
    pattern: r"(?i)(?P<head>[\p{L}\p{N}!#$%&'*+/=?^_`{|}~.-]+@)(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+(?:xn--[a-z0-9-]+|\p{L}{2,63})",
    read: email,
    example: "jane.doe@example.org",
};

fn email(text: &str, candidate: Range<usize>, found: &mut Vec<Range<usize>>) {
    let address = part(text, candidate.clone());
    let Some((local, domain)) = address.split_once('@') else { return };
    // Signs that stand before an address in a text, and are allowed in one, are not taken for its first.
    let local_start = local.find(|char: char| char.is_alphanumeric() || char == '_').unwrap_or(local.len());
    let local = part(local, local_start..local.len());
    let last = domain.rsplit('.').next().unwrap_or("").to_ascii_lowercase();
    // `icon@2x.png`, and the remote of a repository.
    let is_file = matches!(last.as_str(), "png" | "jpg" | "jpeg" | "gif" | "svg" | "webp" | "js" | "css");
    let is_remote = local == "git" && text.as_bytes().get(candidate.end) == Some(&b':');
    if !local.is_empty() && !is_file && !is_remote {
        found.push(candidate.start + local_start..candidate.end);
    }
}

/// ITU-T E.164, and national groupings of countries where numbers are written in groups.
pub(super) const PHONE: Definition = Definition {
    pattern: concat!(
        // International.
        r"(?:\+|\b00)[ ]?[1-9](?:[ ./-]?(?:\(0\)|\([0-9]{1,4}\))?[ ./-]?[0-9]){6,24}",
        // North America.
        r"|\(?\b[2-9][0-9]{2}(?:\)[ ]?|[ .-])[2-9][0-9]{2}[ .-][0-9]{4}\b",
        // Trunk prefix 0: pairs, as in France; two or three groups, as in Switzerland, Germany and the United Kingdom.
        r"|\b0[1-9](?:[ .-][0-9]{2}){4}\b",
        r"|\(?\b0[1-9][0-9]{1,3}(?:\)[ ]?|[ ./-])[0-9]{3,4}[ .-][0-9]{2}[ .-]?[0-9]{2}\b",
        r"|\(?\b0[1-9][0-9]{1,4}(?:\)[ ]?|[ ]?[/-][ ]?)[0-9]{5,8}\b",
        r"|\b07[0-9]{3}[ ][0-9]{6}\b",
    ),
    read: phone,
    example: "+41 44 668 18 00",
};

fn phone(text: &str, candidate: Range<usize>, found: &mut Vec<Range<usize>>) {
    let number = part(text, candidate.clone());
    let before = candidate.start.checked_sub(1).and_then(|at| text.as_bytes().get(at));
    if before.is_some_and(|byte| byte.is_ascii_alphanumeric()) {
        return;
    }
    let is_international = number.starts_with('+') || number.starts_with("00");
    let most = if number.starts_with("00") { 17 } else { 15 };
    // What is too long to be a number is cut where a group ends.
    let mut length = 0;
    let mut end = None;
    for (at, char) in number.char_indices() {
        length += usize::from(char.is_ascii_digit());
        let is_last = !number.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit);
        if char.is_ascii_digit() && is_last && length <= most {
            end = Some(at + 1);
        }
    }
    let Some(end) = end else { return };
    let count = digits(part(number, 0..end)).len();
    let is_cut_in_group = text.as_bytes().get(candidate.start + end).is_some_and(u8::is_ascii_digit);
    if !is_cut_in_group && (!is_international || count >= 8) {
        found.push(candidate.start..candidate.start + end);
    }
}

#[cfg(test)]
mod tests {
    use crate::derive::detector::Detector;
    use crate::derive::detector::tests::{finds, finds_nothing};

    #[test]
    fn addresses() {
        finds(
            Detector::Email,
            &[
                // RFC 5322, 6531 and 3696.
                ("john.doe@example.com", "john.doe@example.com"),
                ("<a+b_c-d@sub.example.co.uk>", "a+b_c-d@sub.example.co.uk"),
                ("write to 'jane@example.org'.", "jane@example.org"),
                ("Pelé@example.com", "Pelé@example.com"),
                ("用户@例子.广告", "用户@例子.广告"),
                ("x@xn--bcher-kva.xn--p1ai", "x@xn--bcher-kva.xn--p1ai"),
                ("jane\u{200b}@exa\u{ad}mple.org", "jane\u{200b}@exa\u{ad}mple.org"),
                ("ｊａｎｅ＠ｅｘａｍｐｌｅ.org", "ｊａｎｅ＠ｅｘａｍｐｌｅ.org"),
                ("jane&#64;example.org", "jane&#64;example.org"),
                ("mailto:jane@example.org?subject=x", "jane@example.org"),
                (
                    "jane@example.abcdefghijklmnopqrstuvwxyzabcdef",
                    "jane@example.abcdefghijklmnopqrstuvwxyzabcdef",
                ),
                // What looks like a file is the beginning of an address.
                ("a@icon.png@example.org", "icon.png@example.org"),
            ],
        );
        finds_nothing(
            Detector::Email,
            &[
                "@example.com",
                "jane@",
                "jane@localhost",
                "a @ b.org",
                "icon@2x.png",
                "git@github.com:org/repo",
                "user@10.0.0.1",
                "x@y.z",
                "@media screen",
                "lodash@4.17.21",
            ],
        );
    }

    #[test]
    fn numbers() {
        finds(
            Detector::Phone,
            &[
                // E.123's examples, numbers set aside for fiction (Ofcom, NANPA 555-01XX, BNetzA), a published switchboard.
                ("+22 607 123 4567", "+22 607 123 4567"),
                ("call +44 20 7946 0958 now", "+44 20 7946 0958"),
                ("+442079460958", "+442079460958"),
                ("tel: +41 (0)44 668 18 00.", "+41 (0)44 668 18 00"),
                ("0041 44 668 18 00", "0041 44 668 18 00"),
                ("(202) 555-0143", "(202) 555-0143"),
                ("202-555-0143", "202-555-0143"),
                ("202.555.0143", "202.555.0143"),
                ("020 7946 0958", "020 7946 0958"),
                ("07700 900123", "07700 900123"),
                ("044 668 18 00", "044 668 18 00"),
                ("01 23 45 67 89", "01 23 45 67 89"),
                ("030/23125678", "030/23125678"),
                ("+1 (202) 555-0143", "+1 (202) 555-0143"),
                ("＋４４ ２０ ７９４６ ０９５８", "＋４４ ２０ ７９４６ ０９５８"),
                ("x+1 202 555 0143", "202 555 0143"),
            ],
        );
        finds_nothing(
            Detector::Phone,
            &[
                "2025550143",
                "2026-11-21",
                "21.11.2026 10:30",
                "192.168.100.200",
                "+1 234",
                "1 + 2 = 3",
                "order 123-45-6789",
                "0.123 0.456",
                "ISBN 978-3-16-148410-0",
                "112-555-0143",
                "1,000,000,000",
            ],
        );
    }
}
