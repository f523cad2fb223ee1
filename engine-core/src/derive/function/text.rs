//! Texts made of texts: letters, forms and look-alikes of Unicode.

use std::fmt::{self, Write};

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::CodePointSetData;
use icu_properties::props::{BidiControl, DefaultIgnorableCodePoint};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Made, OfText};
use crate::contract::Pointer;
use crate::derive::room::Room;

/// See [`DeriveSpec::Normalize`](crate::derive::DeriveSpec::Normalize).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NormalizeSpec {
    /// The text.
    pub source: Pointer,
    /// Which form.
    pub form: NormalForm,
}

/// A normal form of Unicode (UAX 15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NormalForm {
    /// Composed: `é` is one character.
    Nfc,
    /// Decomposed: `é` is `e` and an accent.
    Nfd,
    /// Composed, and what only looks different made the same: `ﬁ` is `fi`, `Ａ` is `A`.
    Nfkc,
    /// The same, decomposed.
    Nfkd,
}

#[derive(Debug)]
pub(super) struct Lower;

impl OfText for Lower {
    fn of_text(&self, text: &str, _: &Room) -> Made {
        let lower =
            if text.is_ascii() { text.to_ascii_lowercase() } else { text.chars().map(lower).collect() };
        Ok(Some(lower.into()))
    }
}

/// One character for one, as `lower` of OPA has it, so that a policy may use either: a sigma knows no end of a word, and `İ`
/// is `i`.
fn lower(char: char) -> char {
    if char.is_ascii() { char.to_ascii_lowercase() } else { char.to_lowercase().next().unwrap_or(char) }
}

#[derive(Debug)]
pub(super) struct FoldCase;

impl OfText for FoldCase {
    fn of_text(&self, text: &str, _: &Room) -> Made {
        Ok(Some(CaseMapper::new().fold_string(text).into()))
    }
}

#[derive(Debug)]
pub(super) struct Normalize(pub(super) NormalForm);

impl OfText for Normalize {
    fn of_text(&self, text: &str, room: &Room) -> Made {
        bounded(room, |out| match self.0 {
            NormalForm::Nfc => ComposingNormalizerBorrowed::new_nfc().normalize_to(text, out),
            NormalForm::Nfd => DecomposingNormalizerBorrowed::new_nfd().normalize_to(text, out),
            NormalForm::Nfkc => ComposingNormalizerBorrowed::new_nfkc().normalize_to(text, out),
            NormalForm::Nfkd => DecomposingNormalizerBorrowed::new_nfkd().normalize_to(text, out),
        })
    }
}

#[derive(Debug)]
pub(super) struct Skeleton;

impl OfText for Skeleton {
    fn of_text(&self, text: &str, room: &Room) -> Made {
        let mut skeleton = unicode_security::skeleton(text);
        bounded(room, |out| skeleton.try_for_each(|char| out.write_char(char)))
    }
}

#[derive(Debug)]
pub(super) struct StripInvisible;

impl OfText for StripInvisible {
    fn of_text(&self, text: &str, _: &Room) -> Made {
        Ok(Some(text.chars().filter(|char| !is_invisible(*char)).collect::<String>().into()))
    }
}

/// Whether a character shows nothing and is no white space: default-ignorable ones (zero-width, soft hyphens, tags,
/// variation selectors, fillers), bidi controls, annotation marks, and controls other than tab and line ends.
pub(in crate::derive) fn is_invisible(char: char) -> bool {
    match char {
        '\t' | '\n' | '\r' => false,
        // Most texts have nothing beyond these.
        ' '..='~' => false,
        '\u{fff9}'..='\u{fffb}' => true,
        _ => {
            char.is_control()
                || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(char)
                || CodePointSetData::new::<BidiControl>().contains(char)
        }
    }
}

/// A text that may outgrow its source, as far as there is room for it.
fn bounded(room: &Room, write: impl FnOnce(&mut Bounded<'_>) -> fmt::Result) -> Made {
    let mut out = Bounded { text: String::new(), room, refused: None };
    match (write(&mut out), out.refused) {
        (Ok(()), None) => Ok(Some(Value::String(out.text))),
        (_, refused) => Err(refused.unwrap_or_else(|| "cannot be written".to_owned())),
    }
}

struct Bounded<'r> {
    text: String,
    room: &'r Room,
    refused: Option<String>,
}

impl Write for Bounded<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if let Err(why) = self.room.holds(self.text.len() + part.len(), 1) {
            self.refused = Some(why);
            return Err(fmt::Error);
        }
        self.text.push_str(part);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn made(function: &dyn OfText, text: &str) -> String {
        let made = function.of_text(text, &Room::new()).unwrap().unwrap();
        made.as_str().unwrap().to_owned()
    }

    #[test]
    fn texts_are_folded_as_unicode_says() {
        use NormalForm::{Nfc, Nfd, Nfkc, Nfkd};
        let table: [(&dyn OfText, &str, &str); 32] = [
            (&Lower, "ÄÖß İ ΌΣΟΣ", "äöß i όσοσ"),
            (&FoldCase, "Straße STRASSE", "strasse strasse"),
            (&FoldCase, "K\u{212a}kſ", "kkks"),
            (&FoldCase, "ΌΣΟΣ ς", "όσοσ σ"),
            (&FoldCase, "ﬀ İ", "ff i\u{307}"),
            (&FoldCase, "Ꭰ ꭰ", "Ꭰ Ꭰ"),
            (&Normalize(Nfc), "e\u{301}", "é"),
            (&Normalize(Nfd), "é", "e\u{301}"),
            (&Normalize(Nfc), "ﬁ Ａ ①", "ﬁ Ａ ①"),
            (&Normalize(Nfkc), "ﬁ Ａ ① é", "fi A 1 é"),
            (&Normalize(Nfkd), "ﬁ Ａ ① é", "fi A 1 e\u{301}"),
            (&Normalize(Nfd), "각", "\u{1100}\u{1161}\u{11a8}"),
            (&Normalize(Nfc), "a\u{323}\u{307} a\u{307}\u{323}", "ạ\u{307} ạ\u{307}"),
            (&Skeleton, "раураl", "paypal"),
            (&Skeleton, "paypal", "paypal"),
            (&Skeleton, "paypa1", "paypal"),
            (&Skeleton, "g\u{200b}oogle", "google"),
            (&Skeleton, "rn", "rn"),
            (&Skeleton, "m", "rn"),
            (&StripInvisible, "plain text\twith\r\nlines", "plain text\twith\r\nlines"),
            (&StripInvisible, "ig\u{200b}no\u{200d}re\u{feff}", "ignore"),
            (&StripInvisible, "so\u{ad}ft", "soft"),
            (&StripInvisible, "\u{202e}evil\u{202c}\u{2066}x\u{2069}", "evilx"),
            (&StripInvisible, "\u{e0069}\u{e0067}a\u{e007f}", "a"),
            (&StripInvisible, "\u{61c}\u{180e}\u{115f}\u{3164}\u{ffa0}a", "a"),
            (&StripInvisible, "a\u{fe0f}\u{e0100}\u{34f}b", "ab"),
            (&StripInvisible, "a\u{0}\u{8}\u{1b}[31m\u{7f}\u{85}b", "a[31mb"),
            (&StripInvisible, "\u{fff9}a\u{fffa}b\u{fffb}", "ab"),
            (&StripInvisible, "\u{a0}\u{2003}\u{3000}é ح", "\u{a0}\u{2003}\u{3000}é ح"),
            (&StripInvisible, "\u{605} \u{6dd}", "\u{605} \u{6dd}"),
            (&StripInvisible, "👩\u{200d}💻", "👩💻"),
            (&StripInvisible, "", ""),
        ];
        for (function, text, expected) in table {
            assert_eq!(made(function, text), expected, "{function:?} {text:?}");
        }
    }

    #[test]
    fn a_text_that_grows_beyond_all_bounds_is_refused() {
        // One character of three bytes that is written out as eighteen.
        let text = "\u{fdfa}".repeat(1 << 18);
        let refused = Normalize(NormalForm::Nfkc).of_text(&text, &Room::new()).unwrap_err();
        assert!(refused.contains("4 MiB"), "{refused}");
        assert!(Normalize(NormalForm::Nfc).of_text(&text, &Room::new()).is_ok());
    }

    #[test]
    fn a_mountain_of_marks_is_no_trap() {
        let text: String =
            std::iter::once('a').chain(['\u{301}', '\u{323}'].into_iter().cycle().take(1 << 18)).collect();
        let forms = [NormalForm::Nfc, NormalForm::Nfd, NormalForm::Nfkc, NormalForm::Nfkd];
        for form in forms {
            assert!(made(&Normalize(form), &text).len() >= text.len() - 2);
        }
        assert!(!made(&Skeleton, &text).is_empty());
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in "(\\PC|\\p{M}|\\p{Cf}|[ςσΣßẞﬁİıK]){0,30}") {
            let forms = [NormalForm::Nfc, NormalForm::Nfd, NormalForm::Nfkc, NormalForm::Nfkd];
            for form in forms {
                let once = made(&Normalize(form), &text);
                prop_assert_eq!(made(&Normalize(form), &once), once);
            }
            for function in [&FoldCase as &dyn OfText, &StripInvisible] {
                let once = made(function, &text);
                prop_assert_eq!(made(function, &once), once);
            }
            prop_assert!(!made(&StripInvisible, &text).chars().any(is_invisible));
        }

        #[test]
        fn what_differs_in_case_only_folds_alike(text in "\\PC{0,20}") {
            prop_assert_eq!(made(&FoldCase, &made(&FoldCase, &text)), made(&FoldCase, &text));
            let upper_ascii = text.to_ascii_uppercase();
            prop_assert_eq!(made(&FoldCase, &upper_ascii), made(&FoldCase, &text.to_ascii_lowercase()));
        }
    }
}
