//! Numbers that states give to people.

use std::ops::Range;

use super::checksum::{digits, ean, iso_7064_mod_11_10, remainder, verhoeff};
use super::payment::is_card;
use super::{Definition, is_inside_word, is_named, part};

/// Area, group and serial as the Social Security Administration gives them out: no area 000, 666 or 9xx, no group 00, no serial 0000.
pub(super) const US_SSN: Definition = Definition {
    pattern: r"(?-u:\b)[0-9]{3}(?:-[0-9]{2}-|[ ][0-9]{2}[ ]|[.][0-9]{2}[.]|[0-9]{2})[0-9]{4}(?-u:\b)",
    read: us_ssn,
    example: "123-45-6789",
};

fn us_ssn(text: &str, candidate: Range<usize>, found: &mut Vec<Range<usize>>) {
    let digits = digits(part(text, candidate.clone()));
    let [a, b, c, d, e, serial @ ..] = digits.as_slice() else { return };
    let area = a * 100 + b * 10 + c;
    let is_given =
        !matches!(area, 0 | 666 | 900..) && (*d, *e) != (0, 0) && serial.iter().any(|digit| *digit > 0);
    // Nine digits in a row are many things.
    let is_grouped = candidate.len() > 9;
    if is_given
        && !is_joined(text, &candidate)
        && (is_grouped || is_named(text, candidate.start, &["ssn", "social security"]))
    {
        found.push(candidate);
    }
}

/// 756 and the check digit of an EAN-13.
pub(super) const CH_AHV: Definition = Definition {
    pattern: r"(?-u:\b)756[. -]?[0-9]{4}[. -]?[0-9]{4}[. -]?[0-9]{2}(?-u:\b)",
    read: |text, candidate, found| {
        if ean(part(text, candidate.clone())) {
            found.push(candidate);
        }
    },
    example: "756.9217.0769.85",
};

/// HMRC's NIM39110: letters that are not used, prefixes that are not given out.
pub(super) const UK_NINO: Definition = Definition {
    pattern: concat!(
        r"(?i)(?-u:\b)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?-u:",
        r"[ ]?[0-9]{2}[ ]?[0-9]{2}[ ]?[0-9]{2}|[ -][0-9]{2}[ -][0-9]{2}[ -][0-9]{2})[ -]?[A-D](?-u:\b)",
    ),
    read: |text, candidate, found| {
        let prefix = part(text, candidate.start..candidate.start + 2).to_ascii_uppercase();
        if !matches!(prefix.as_str(), "BG" | "GB" | "NK" | "KN" | "TN" | "NT" | "ZZ") {
            found.push(candidate);
        }
    },
    example: "AB 12 34 56 C",
};

/// Eleven digits, the last by ISO/IEC 7064; of the first ten one stands twice or three times, the others once or not at all.
pub(super) const DE_STEUER_ID: Definition = Definition {
    pattern: r"(?-u:\b)[1-9][0-9](?:[ ]?[0-9]{3}){3}(?-u:\b)",
    read: |text, candidate, found| {
        let number = part(text, candidate.clone());
        let mut counts = [0_u32; 10];
        for digit in digits(number).iter().take(10) {
            if let Some(count) = usize::try_from(*digit).ok().and_then(|digit| counts.get_mut(digit)) {
                *count += 1;
            }
        }
        let repeated: Vec<u32> = counts.into_iter().filter(|count| *count > 1).collect();
        if matches!(repeated.as_slice(), [2 | 3])
            && iso_7064_mod_11_10(number)
            && !is_joined(text, &candidate)
        {
            found.push(candidate);
        }
    },
    example: "86 095 742 719",
};

/// INSEE's NIR: sex, year, month, department (2A and 2B in Corsica), commune, order, and the key by 97.
pub(super) const FR_INSEE: Definition = Definition {
    pattern: concat!(
        r"(?-u:\b)[1-478][ ]?[0-9]{2}[ ]?(?:0[1-9]|1[0-2]|[2-9][0-9])[ ]?(?:[0-9]{2}|2[AaBb])",
        r"[ ]?[0-9]{3}[ ]?[0-9]{3}[ /-]?[0-9]{2}(?-u:\b)",
    ),
    read: |text, candidate, found| {
        let number =
            part(text, candidate.clone()).to_ascii_uppercase().replace("2A", "19").replace("2B", "18");
        let digits = digits(&number);
        if let Some((number, key)) = digits.split_at_checked(13)
            && 97 - remainder(number, 97) == remainder(key, 100)
        {
            found.push(candidate);
        }
    },
    example: "2 55 08 14 168 025 38",
};

/// The letter of the rest by 23; X, Y and Z of foreigners' numbers count as 0, 1 and 2.
pub(super) const ES_DNI: Definition = Definition {
    pattern: r"(?-u:\b)(?:[0-9]{8}|[XYZxyz][ -]?[0-9]{7}|[0-9]{2}\.[0-9]{3}\.[0-9]{3})[ -]?[A-Za-z](?-u:\b)",
    read: |text, candidate, found| {
        let number = part(text, candidate.clone()).to_ascii_uppercase();
        let number = number.replacen('X', "0", usize::from(number.starts_with('X')));
        let number = number.replacen('Y', "1", usize::from(number.starts_with('Y')));
        let number = number.replacen('Z', "2", usize::from(number.starts_with('Z')));
        let rest = usize::try_from(remainder(&digits(&number), 23)).ok();
        let letter = rest.and_then(|rest| "TRWAGMYFPDXBNJZSQVHLCKE".chars().nth(rest));
        if number.chars().last() == letter {
            found.push(candidate);
        }
    },
    example: "12345678Z",
};

/// Decree of 23 December 1976; letters may stand for digits where two people would have the same.
pub(super) const IT_CODICE_FISCALE: Definition = Definition {
    pattern: concat!(
        r"(?i)(?-u:\b)[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}",
        r"[A-Z][0-9LMNPQRSTUV]{3}[A-Z](?-u:\b)",
    ),
    read: |text, candidate, found| {
        let code = part(text, candidate.clone()).to_ascii_uppercase();
        let has_digits = code.bytes().any(|byte| byte.is_ascii_digit());
        if has_digits && has_check_letter(&code) {
            found.push(candidate);
        }
    },
    example: "RSSMRA85T10A562S",
};

fn has_check_letter(code: &str) -> bool {
    // What a letter or digit counts in an odd place, by its number.
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let Some((number, check)) = code.split_at_checked(15) else { return false };
    let values =
        number.chars().map(|char| char.to_digit(36).map(|value| if value > 9 { value - 10 } else { value }));
    let sum: Option<u32> = values
        .enumerate()
        .map(|(index, value)| {
            let value = value?;
            if index % 2 == 0 { ODD.get(usize::try_from(value).ok()?).copied() } else { Some(value) }
        })
        .sum();
    let expected = sum.and_then(|sum| char::from_digit(sum % 26 + 10, 36));
    check.chars().next().map(|char| char.to_ascii_lowercase()) == expected
}

/// The eleven-test: weights 9 to 2, and -1 for the last. One number in eleven passes it, so that its name has to be there.
pub(super) const NL_BSN: Definition = Definition {
    pattern: r"(?-u:\b)[0-9]{2,4}(?:[. ]?[0-9]{2,3}){2}(?-u:\b)",
    read: |text, candidate, found| {
        let digits = digits(part(text, candidate.clone()));
        let sum: u32 = digits.iter().zip((2..=9).rev()).map(|(digit, weight)| digit * weight).sum();
        let last = digits.last().copied().unwrap_or(0);
        let words = ["bsn", "burgerservicenummer", "sofinummer", "sofi-nummer", "citizen service number"];
        if digits.len() == 9 && sum > 0 && sum % 11 == last && is_named(text, candidate.start, &words) {
            found.push(candidate);
        }
    },
    example: "BSN 111222333",
};

/// Twelve digits, the first from 2, by Verhoeff. One number in ten passes it, so that it has to be grouped or named.
pub(super) const IN_AADHAAR: Definition = Definition {
    pattern: r"(?-u:\b)[2-9][0-9]{3}(?:[ ][0-9]{4}[ ]|-[0-9]{4}-|[0-9]{4})[0-9]{4}(?-u:\b)",
    read: |text, candidate, found| {
        let number = part(text, candidate.clone());
        let is_grouped = candidate.len() > 12 && !are_years(number);
        let is_named = || is_named(text, candidate.start, &["aadhaar", "aadhar", "uidai", "आधार"]);
        if verhoeff(number)
            && (is_grouped || is_named())
            && !is_joined(text, &candidate)
            && !is_of_card(text, &candidate)
        {
            found.push(candidate);
        }
    },
    example: "2341 2341 2346",
};

/// Whether every four digits are a year of this century or the last: `2023 2024 2025` passes Verhoeff's test.
fn are_years(number: &str) -> bool {
    digits(number).chunks(4).all(|group| matches!(group, [1, 9, ..] | [2, 0, ..]))
}

/// Whether three groups of four digits are a payment card with the one before or after them.
fn is_of_card(text: &str, range: &Range<usize>) -> bool {
    let is_digit =
        |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)).is_some_and(u8::is_ascii_digit);
    let before = range.start.checked_sub(5).map(|start| start..range.end);
    let after = range.start..range.end + 5;
    before.into_iter().chain([after]).any(|whole| {
        let number = part(text, whole.clone());
        digits(number).len() == 16
            && !is_digit(whole.start.checked_sub(1))
            && !is_digit(Some(whole.end))
            && is_card(number)
    })
}

/// Whether more groups of digits stand right beside a number: then it is a part of a longer one.
fn is_joined(text: &str, range: &Range<usize>) -> bool {
    let at = |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)).copied().unwrap_or(b' ');
    let is_separator = |byte: u8| matches!(byte, b'-' | b'.' | b'/');
    let before =
        is_separator(at(range.start.checked_sub(1))) && at(range.start.checked_sub(2)).is_ascii_digit();
    let after = is_separator(at(Some(range.end))) && at(Some(range.end + 1)).is_ascii_digit();
    before || after || is_inside_word(text, range)
}

#[cfg(test)]
mod tests {
    use crate::derive::detector::Detector;
    use crate::derive::detector::tests::{finds, finds_nothing};

    #[test]
    fn united_states() {
        finds(
            Detector::UsSsn,
            &[
                // Numbers that the SSA names as never valid since they were printed in advertisements, and made-up ones.
                ("078-05-1120", "078-05-1120"),
                ("ssn: 219 09 9999.", "219 09 9999"),
                ("SSN 123456789", "123456789"),
            ],
        );
        finds_nothing(
            Detector::UsSsn,
            &[
                "000-12-3456",
                "666-12-3456",
                "900-12-3456",
                "123-00-4567",
                "123-45-0000",
                "123456789",
                "123-45 6789",
                "1123-45-6789",
                "123-45-6789-1",
            ],
        );
    }

    #[test]
    fn switzerland() {
        finds(
            Detector::ChAhv,
            // The example of the Central Compensation Office.
            &[("AHV 756.9217.0769.85", "756.9217.0769.85"), ("7569217076985", "7569217076985")],
        );
        finds_nothing(Detector::ChAhv, &["756.9217.0769.84", "755.9217.0769.85", "756.9217.0769.855"]);
    }

    #[test]
    fn united_kingdom() {
        // The form of HMRC's example, which itself begins with letters that are not given out.
        finds(Detector::UkNino, &[("AB 12 34 56 C", "AB 12 34 56 C"), ("no. ab123456d", "ab123456d")]);
        finds_nothing(
            Detector::UkNino,
            &["GB 12 34 56 C", "QQ 12 34 56 C", "AB 12 34 56 E", "DA123456C", "AO123456C", "AB 12 34 5 C"],
        );
    }

    #[test]
    fn germany() {
        finds(
            Detector::DeSteuerId,
            // The examples of the Federal Central Tax Office.
            &[
                ("86095742719", "86095742719"),
                ("IdNr. 47 036 892 816", "47 036 892 816"),
                ("65929970489", "65929970489"),
            ],
        );
        finds_nothing(
            Detector::DeSteuerId,
            &["86095742718", "06095742719", "11111111111", "12345678903", "860957427190"],
        );
    }

    #[test]
    fn france() {
        finds(
            Detector::FrInsee,
            // INSEE's example, and one of Corsica by the same rule.
            &[("2 55 08 14 168 025 38", "2 55 08 14 168 025 38"), ("255081416802538", "255081416802538")],
        );
        finds_nothing(Detector::FrInsee, &["255081416802539", "955081416802538", "255131416802538"]);
    }

    #[test]
    fn spain() {
        // The Ministry of the Interior's example.
        finds(
            Detector::EsDni,
            &[("12345678Z", "12345678Z"), ("DNI 12.345.678-Z", "12.345.678-Z"), ("X1234567L", "X1234567L")],
        );
        finds_nothing(Detector::EsDni, &["12345678A", "X1234567X", "1234567Z", "A12345678Z"]);
    }

    #[test]
    fn italy() {
        // The Revenue Agency's example, and the same with letters for digits.
        finds(
            Detector::ItCodiceFiscale,
            &[("RSSMRA85T10A562S", "RSSMRA85T10A562S"), ("cf rssmra85t10a562s", "rssmra85t10a562s")],
        );
        finds_nothing(
            Detector::ItCodiceFiscale,
            &["RSSMRA85T10A562T", "RSSMRA85T10A56S", "INTERNATIONALIZE"],
        );
    }

    #[test]
    fn netherlands() {
        // The test number of the Dutch tax administration.
        finds(
            Detector::NlBsn,
            &[
                ("BSN: 111222333", "111222333"),
                ("burgerservicenummer 1112.22.333", "1112.22.333"),
                ("BSN 99 111 222 333", "111 222 333"),
            ],
        );
        finds_nothing(
            Detector::NlBsn,
            &[
                "111222333",
                "BSN: 111222334",
                "BSN: 000000000",
                "BSN: 11122233",
                "BSN 99 111 222 334",
                "BSN 99111222333",
            ],
        );
    }

    #[test]
    fn india() {
        // The example of UIDAI's test data, and of the literature on Verhoeff.
        finds(
            Detector::InAadhaar,
            &[
                ("9999 4105 7058", "9999 4105 7058"),
                ("Aadhaar 999941057058", "999941057058"),
                ("2341-2341-2346", "2341-2341-2346"),
                ("issued 2021 2341 2341 2346", "2341 2341 2346"),
                ("Aadhaar 2023 2024 2025", "2023 2024 2025"),
                ("2341 2341 2346 2021", "2341 2341 2346"),
                ("1000 2000 3000 2341 2341 2346", "2341 2341 2346"),
            ],
        );
        finds_nothing(
            Detector::InAadhaar,
            &[
                "9999 4105 7059",
                "999941057058",
                "1999 4105 7058",
                "4111 1111 1111 1111",
                "issued 2021 2341 2341 2345",
                "2021-2341-2341-2346",
                // Years one after another.
                "2023 2024 2025",
                "from 2021 2022 2023 2024 2025 on",
                // Cards whose last or first three groups pass Verhoeff's test.
                "4009 2341 2341 2346",
                "4242 4242 2006 0000",
            ],
        );
    }
}
