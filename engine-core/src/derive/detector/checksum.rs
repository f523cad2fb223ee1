//! Check digits, over the digits of a text; other characters are passed over.

/// The digits of a text.
pub(super) fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|char| char.to_digit(10)).collect()
}

/// ISO/IEC 7812-1, annex B: every second digit from the right doubled.
pub(in crate::derive) fn luhn(text: &str) -> bool {
    let digits = digits(text);
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| match (index % 2, digit * 2) {
            (0, _) => *digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    digits.len() > 1 && sum.is_multiple_of(10)
}

/// ISO 13616: the country and check digits moved to the end, letters as numbers from 10, the rest by 97 being one.
pub(in crate::derive) fn iban(text: &str) -> bool {
    let symbols: Vec<char> = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let Some((head, tail)) = symbols.split_at_checked(4) else { return false };
    let rest = tail
        .iter()
        .chain(head)
        .filter_map(|char| char.to_digit(36))
        .fold(0, |rest, value| (if value > 9 { rest * 100 + value } else { rest * 10 + value }) % 97);
    !tail.is_empty() && rest == 1
}

/// The checksum of Verhoeff, which finds every swap of neighbours.
pub(in crate::derive) fn verhoeff(text: &str) -> bool {
    let digits = digits(text);
    let check = digits.iter().rev().zip(0_u32..).fold(0, |check, (digit, place)| {
        let permuted = (0..place % 8).fold(*digit, |digit, _| permute(digit));
        multiply(check, permuted)
    });
    digits.len() > 1 && check == 0
}

/// The dihedral group of a pentagon: five turns, and five turns of its mirror image.
fn multiply(a: u32, b: u32) -> u32 {
    match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b) % 5 + 5,
        (false, true) => (a + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    }
}

/// Verhoeff's permutation: (0 1 5 8 9 4 2 7) (3 6).
fn permute(digit: u32) -> u32 {
    match digit {
        0 => 1,
        1 => 5,
        5 => 8,
        8 => 9,
        9 => 4,
        4 => 2,
        2 => 7,
        7 => 0,
        3 => 6,
        6 => 3,
        other => other,
    }
}

/// GS1: weights 1 and 3 in turn, from the right.
pub(in crate::derive) fn ean(text: &str) -> bool {
    let digits = digits(text);
    let sum: u32 =
        digits.iter().rev().zip([1, 3].into_iter().cycle()).map(|(digit, weight)| digit * weight).sum();
    digits.len() > 1 && sum.is_multiple_of(10)
}

/// ISO/IEC 7064, MOD 11,10.
pub(in crate::derive) fn iso_7064_mod_11_10(text: &str) -> bool {
    let digits = digits(text);
    let Some((check, number)) = digits.split_last() else { return false };
    let product = number.iter().fold(10, |product, digit| {
        let sum = match (product + digit) % 10 {
            0 => 10,
            sum => sum,
        };
        sum * 2 % 11
    });
    !number.is_empty() && (product + check) % 10 == 1
}

/// The rest of a number by a small one.
pub(super) fn remainder(digits: &[u32], by: u32) -> u32 {
    digits.iter().fold(0, |rest, digit| (rest * 10 + digit) % by)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that standards and issuers publish as examples.
    #[test]
    fn published_examples_are_right_and_every_changed_digit_is_found() {
        type Check = fn(&str) -> bool;
        let examples: [(Check, &[&str]); 5] = [
            // ISO/IEC 7812-1; the test numbers that card networks publish.
            (luhn, &["79927398713", "4111111111111111", "5555 5555 5555 4444", "3782 822463 10005"]),
            // The IBAN registry of SWIFT.
            (
                iban,
                &[
                    "GB29NWBK60161331926819",
                    "DE89 3704 0044 0532 0130 00",
                    "NO9386011117947",
                    "MT84MALT011000012345MTLCAST001S",
                ],
            ),
            // Verhoeff 1969; the example of UIDAI's specification.
            (verhoeff, &["2363", "123451", "999941057058"]),
            // GS1; the AHV number that the Swiss ZAS publishes.
            (ean, &["4006381333931", "756.9217.0769.85"]),
            // The identification numbers that the German Federal Central Tax Office publishes.
            (iso_7064_mod_11_10, &["86095742719", "47036892816", "65929970489"]),
        ];
        for (check, numbers) in examples {
            for number in numbers {
                assert!(check(number), "{number}");
                for (at, char) in number.char_indices().filter(|(_, char)| char.is_ascii_digit()) {
                    let other = char::from(b'0' + (char as u8 - b'0' + 1) % 10);
                    let changed: String = number
                        .char_indices()
                        .map(|(index, char)| if index == at { other } else { char })
                        .collect();
                    assert!(!check(&changed), "{changed}");
                }
            }
            assert!(!check("") && !check("7"));
        }
    }

    #[test]
    fn verhoeff_finds_swapped_neighbours() {
        let number = "999941057058";
        for at in 0..number.len() - 1 {
            let mut chars: Vec<char> = number.chars().collect();
            chars.swap(at, at + 1);
            let swapped: String = chars.into_iter().collect();
            assert!(swapped == number || !verhoeff(&swapped), "{swapped}");
        }
    }
}
