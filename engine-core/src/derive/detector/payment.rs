//! Payment cards and bank accounts.

use std::ops::Range;

use super::checksum::{iban, luhn};
use super::{Definition, part};

/// ISO/IEC 7812. The pattern takes whole runs of groups; which of them are a card is read from them.
pub(super) const CARD: Definition =
    Definition { pattern: r"[0-9](?:[ ._-]{0,2}[0-9])*", read: cards, example: "4111 1111 1111 1111" };

const FEWEST: usize = 13;
const MOST: usize = 19;

fn cards(text: &str, candidate: Range<usize>, found: &mut Vec<Range<usize>>) {
    let run = part(text, candidate.clone());
    let groups = groups(run);
    let mut first = 0;
    while let Some(start) = groups.get(first).map(|group| group.start) {
        let mut length = 0;
        let mut accepted = None;
        for (last, group) in groups.iter().enumerate().skip(first) {
            length += group.len();
            if length > MOST {
                break;
            }
            let number = part(run, start..group.end);
            if length >= FEWEST && is_grouped(groups.get(first..=last).unwrap_or(&[])) && is_card(number) {
                accepted = Some((last, group.end));
            }
        }
        match accepted {
            Some((last, end)) => {
                found.push(candidate.start + start..candidate.start + end);
                first = last + 1;
            }
            None => first += 1,
        }
    }
}

/// The stretches of digits.
fn groups(run: &str) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    for (at, _) in run.char_indices().filter(|(_, char)| char.is_ascii_digit()) {
        match groups.last_mut() {
            Some(group) if group.end == at => group.end = at + 1,
            _ => groups.push(at..at + 1),
        }
    }
    groups
}

/// Whether groups are as somebody would write one number: alike, but for the last, or of three digits and more.
fn is_grouped(groups: &[Range<usize>]) -> bool {
    let Some(((last, first), size)) = groups.split_last().zip(groups.first().map(Range::len)) else {
        return false;
    };
    first.iter().all(|group| group.len() == size) && last.len() <= size.max(4)
        || groups.iter().all(|group| group.len() >= 3)
}

/// Whether a number is of a length that its issuer gives out, and checks.
pub(super) fn is_card(number: &str) -> bool {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let prefix =
        |length: usize| digits.get(..length).and_then(|prefix| prefix.parse::<u32>().ok()).unwrap_or(0);
    let lengths: &[usize] = match (prefix(1), prefix(2), prefix(3), prefix(4)) {
        (4, ..) => &[13, 16, 19],
        (_, 34 | 37, ..) => &[15],
        (_, 51..=55, ..) | (.., 2221..=2720) => &[16],
        (.., 300..=305 | 309, _) | (_, 36 | 38 | 39, ..) => &[14, 15, 16, 17, 18, 19],
        (.., 3528..=3589) => &[16, 17, 18, 19],
        (.., 2200..=2204) => &[16, 17, 18, 19],
        (_, 60 | 62 | 64 | 65 | 81 | 82, ..) => &[16, 17, 18, 19],
        (_, 50 | 56..=69, ..) => &[13, 14, 15, 16, 17, 18, 19],
        _ => &[],
    };
    lengths.contains(&digits.len()) && luhn(&digits)
}

/// ISO 13616. The pattern finds the country and the check digits; the country says how much follows.
pub(super) const IBAN: Definition = Definition {
    pattern: r"(?-u:\b)(?i:IBAN)?(?P<span>[A-Za-z]{2}[ -]?[0-9]{2})",
    read: account,
    example: "DE89 3704 0044 0532 0130 00",
};

fn account(text: &str, candidate: Range<usize>, found: &mut Vec<Range<usize>>) {
    let head = part(text, candidate.clone()).to_ascii_uppercase();
    let Some(length) = head.get(..2).and_then(length_of) else { return };
    let mut count = 0;
    let mut end = candidate.start;
    let mut is_separated = false;
    for (at, char) in part(text, candidate.start..text.len()).char_indices() {
        let here = candidate.start + at;
        if char.is_ascii_alphanumeric() {
            count += 1;
            end = here + 1;
            is_separated = false;
            if count == length {
                break;
            }
        } else if matches!(char, ' ' | '-') && !is_separated {
            is_separated = true;
        } else {
            break;
        }
    }
    let goes_on = text.as_bytes().get(end).is_some_and(u8::is_ascii_alphanumeric);
    if count == length && !goes_on && iban(part(text, candidate.start..end)) {
        found.push(candidate.start..end);
    }
}

/// How many characters the IBANs of a country have (SWIFT's registry, release 99).
fn length_of(country: &str) -> Option<usize> {
    const LENGTHS: [(usize, &str); 18] = [
        (15, "NO"),
        (16, "BE"),
        (18, "DK FI FO GL NL SD FK"),
        (19, "MK SI"),
        (20, "AT BA EE KZ LT LU XK MN"),
        (21, "CH CR HR LI LV"),
        (22, "BG BH DE GB GE IE ME RS VA"),
        (23, "AE GI IL IQ OM SO TL"),
        (24, "AD CZ ES MD PK RO SA SE SK TN VG"),
        (25, "LY PT ST"),
        (26, "IS TR"),
        (27, "BI DJ FR GR IT MC MR SM"),
        (28, "AL AZ BY CY DO GT HN HU LB NI PL SV"),
        (29, "BR EG PS QA UA"),
        (30, "JO KW MU YE"),
        (31, "MT SC"),
        (32, "LC"),
        (33, "RU"),
    ];
    LENGTHS
        .iter()
        .find(|(_, countries)| countries.split(' ').any(|other| other == country))
        .map(|(length, _)| *length)
}

#[cfg(test)]
mod tests {
    use crate::derive::detector::Detector;
    use crate::derive::detector::tests::{finds, finds_nothing};

    #[test]
    fn cards() {
        finds(
            Detector::PaymentCard,
            &[
                // The test numbers that networks and payment services publish.
                ("4111111111111111", "4111111111111111"),
                ("4111 1111 1111 1111", "4111 1111 1111 1111"),
                ("4111-1111-1111-1111", "4111-1111-1111-1111"),
                ("card:4242.4242.4242.4242,", "4242.4242.4242.4242"),
                ("5555555555554444", "5555555555554444"),
                ("2223003122003222", "2223003122003222"),
                ("378282246310005", "378282246310005"),
                ("3782 822463 10005", "3782 822463 10005"),
                ("6011111111111117", "6011111111111117"),
                ("30569309025904", "30569309025904"),
                ("3530111333300000", "3530111333300000"),
                ("6200000000000005", "6200000000000005"),
                ("4222222222222", "4222222222222"),
                // Between other numbers.
                ("12 4111 1111 1111 1111 99", "4111 1111 1111 1111"),
                ("1. 4111111111111111 2", "4111111111111111"),
                ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"),
                ("no4111111111111111x", "4111111111111111"),
                ("４１１１ １１１１ １１１１ １１１１", "４１１１ １１１１ １１１１ １１１１"),
                ("4111\u{200b}111111111111", "4111\u{200b}111111111111"),
                ("4111 1111\u{a0}1111 1111", "4111 1111\u{a0}1111 1111"),
            ],
        );
        finds_nothing(
            Detector::PaymentCard,
            &[
                "4111111111111112",
                "4111 1111 1111 1121",
                "411111111111111",
                "1111111111111117",
                "0000000000000000",
                "94111111111111111111",
                "1700000000000",
                "2026-11-21 13:32:54.123456",
                "9780306406157",
                "3 14 15 92 65 35 89 79 32",
            ],
        );
    }

    #[test]
    fn accounts() {
        finds(
            Detector::Iban,
            &[
                // SWIFT's registry.
                ("GB29 NWBK 6016 1331 9268 19", "GB29 NWBK 6016 1331 9268 19"),
                ("to DE89370400440532013000 and", "DE89370400440532013000"),
                ("CH93 0076 2011 6238 5295 7 or so", "CH93 0076 2011 6238 5295 7"),
                ("no93 8601 1117 947", "no93 8601 1117 947"),
                ("IBAN:FR1420041010050500013M02606.", "FR1420041010050500013M02606"),
                ("MT84MALT011000012345MTLCAST001S", "MT84MALT011000012345MTLCAST001S"),
                ("AB12 DE89 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 00"),
                ("IBANDE89370400440532013000", "DE89370400440532013000"),
                ("ibande89 3704 0044 0532 0130 00", "de89 3704 0044 0532 0130 00"),
            ],
        );
        finds_nothing(
            Detector::Iban,
            &[
                "GB29 NWBK 6016 1331 9268 18",
                "DE89 3704 0044 0532 0130 0",
                "DE893704004405320130001",
                "XX89370400440532013000",
                "ADE89370400440532013000",
                "XIBANDE89370400440532013000",
                "IBANDE89370400440532013001",
            ],
        );
    }
}
