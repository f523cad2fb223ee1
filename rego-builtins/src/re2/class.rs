//! Character classes: their names and how they are written for the `regex` crate.

/// `\d`, `\s`, `\w`, as the inside of a class.
pub(super) fn perl(letter: char) -> Option<&'static str> {
    Some(match letter {
        'd' => "0-9",
        's' => r"\t\n\x0c\r\x20",
        'w' => "0-9A-Z_a-z",
        _ => return None,
    })
}

/// `[:name:]`, as the inside of a class.
pub(super) fn posix(name: &str) -> Option<&'static str> {
    Some(match name {
        "alnum" => "0-9A-Za-z",
        "alpha" => "A-Za-z",
        "ascii" => r"\x00-\x7f",
        "blank" => r"\t\x20",
        "cntrl" => r"\x00-\x1f\x7f",
        "digit" => "0-9",
        "graph" => r"\x21-\x7e",
        "lower" => "a-z",
        "print" => r"\x20-\x7e",
        "punct" => r"\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e",
        "space" => r"\x09-\x0d\x20",
        "upper" => "A-Z",
        "word" => "0-9A-Z_a-z",
        "xdigit" => "0-9A-Fa-f",
        _ => return None,
    })
}

/// A class that matches nothing.
pub(super) const NOTHING: &str = r"[^\x00-\x{10ffff}]";

/// The class of a Unicode property Go knows, restricted to what its Unicode version had assigned.
pub(super) fn unicode(name: &str) -> Option<String> {
    let name = canonical(name);
    Some(match name.as_str() {
        "Any" => r"[\x00-\x{10ffff}]".to_owned(),
        "Assigned" => r"[\p{assigned}&&\p{age=15.0}]".to_owned(),
        "Ascii" => r"[\x00-\x7f]".to_owned(),
        _ if SCRIPTS.contains(&name.as_str()) => format!(r"[\p{{sc={name}}}&&\p{{age=15.0}}]"),
        _ => match category(&name)? {
            "Cs" => NOTHING.to_owned(),
            category @ ("C" | "Cn") => format!(r"[\p{{gc={category}}}[^\p{{age=15.0}}]]"),
            category => format!(r"[\p{{gc={category}}}&&\p{{age=15.0}}]"),
        },
    })
}

/// A leading capital, small letters, no separators.
fn canonical(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')) {
        out.push(if out.is_empty() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() });
    }
    out
}

fn category(name: &str) -> Option<&'static str> {
    if let Some(found) = CATEGORIES.iter().find(|category| **category == name) {
        return Some(found);
    }
    Some(match name {
        "Lc" | "Casedletter" => "LC",
        "Closepunctuation" => "Pe",
        "Combiningmark" | "Mark" => "M",
        "Connectorpunctuation" => "Pc",
        "Control" | "Cntrl" => "Cc",
        "Currencysymbol" => "Sc",
        "Dashpunctuation" => "Pd",
        "Decimalnumber" | "Digit" => "Nd",
        "Enclosingmark" => "Me",
        "Finalpunctuation" => "Pf",
        "Format" => "Cf",
        "Initialpunctuation" => "Pi",
        "Letter" => "L",
        "Letternumber" => "Nl",
        "Lineseparator" => "Zl",
        "Lowercaseletter" => "Ll",
        "Mathsymbol" => "Sm",
        "Modifierletter" => "Lm",
        "Modifiersymbol" => "Sk",
        "Nonspacingmark" => "Mn",
        "Number" => "N",
        "Openpunctuation" => "Ps",
        "Other" => "C",
        "Otherletter" => "Lo",
        "Othernumber" => "No",
        "Otherpunctuation" => "Po",
        "Othersymbol" => "So",
        "Paragraphseparator" => "Zp",
        "Privateuse" => "Co",
        "Punctuation" | "Punct" => "P",
        "Separator" => "Z",
        "Spaceseparator" => "Zs",
        "Spacingmark" => "Mc",
        "Surrogate" => "Cs",
        "Symbol" => "S",
        "Titlecaseletter" => "Lt",
        "Unassigned" => "Cn",
        "Uppercaseletter" => "Lu",
        _ => return None,
    })
}

const CATEGORIES: &[&str] = &[
    "C", "Cc", "Cf", "Cn", "Co", "Cs", "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd",
    "Nl", "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp",
    "Zs",
];

/// The scripts Go finds: names of several words are in its table with underscores, which its look-up strips.
const SCRIPTS: &[&str] = &[
    "Adlam",
    "Ahom",
    "Arabic",
    "Armenian",
    "Avestan",
    "Balinese",
    "Bamum",
    "Batak",
    "Bengali",
    "Bhaiksuki",
    "Bopomofo",
    "Brahmi",
    "Braille",
    "Buginese",
    "Buhid",
    "Carian",
    "Chakma",
    "Cham",
    "Cherokee",
    "Chorasmian",
    "Common",
    "Coptic",
    "Cuneiform",
    "Cypriot",
    "Cyrillic",
    "Deseret",
    "Devanagari",
    "Dogra",
    "Duployan",
    "Elbasan",
    "Elymaic",
    "Ethiopic",
    "Georgian",
    "Glagolitic",
    "Gothic",
    "Grantha",
    "Greek",
    "Gujarati",
    "Gurmukhi",
    "Han",
    "Hangul",
    "Hanunoo",
    "Hatran",
    "Hebrew",
    "Hiragana",
    "Inherited",
    "Javanese",
    "Kaithi",
    "Kannada",
    "Katakana",
    "Kawi",
    "Kharoshthi",
    "Khmer",
    "Khojki",
    "Khudawadi",
    "Lao",
    "Latin",
    "Lepcha",
    "Limbu",
    "Lisu",
    "Lycian",
    "Lydian",
    "Mahajani",
    "Makasar",
    "Malayalam",
    "Mandaic",
    "Manichaean",
    "Marchen",
    "Medefaidrin",
    "Miao",
    "Modi",
    "Mongolian",
    "Mro",
    "Multani",
    "Myanmar",
    "Nabataean",
    "Nandinagari",
    "Newa",
    "Nko",
    "Nushu",
    "Ogham",
    "Oriya",
    "Osage",
    "Osmanya",
    "Palmyrene",
    "Phoenician",
    "Rejang",
    "Runic",
    "Samaritan",
    "Saurashtra",
    "Sharada",
    "Shavian",
    "Siddham",
    "Sinhala",
    "Sogdian",
    "Soyombo",
    "Sundanese",
    "Syriac",
    "Tagalog",
    "Tagbanwa",
    "Takri",
    "Tamil",
    "Tangsa",
    "Tangut",
    "Telugu",
    "Thaana",
    "Thai",
    "Tibetan",
    "Tifinagh",
    "Tirhuta",
    "Toto",
    "Ugaritic",
    "Vai",
    "Vithkuqi",
    "Wancho",
    "Yezidi",
    "Yi",
];
