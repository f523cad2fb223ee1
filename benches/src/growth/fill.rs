//! What texts are made long with.

/// Something repeated to any length: each unit over and over for an equal share of it, one unit after the other.
///
/// `{n}` in a unit is the number of the repetition, so that names can differ and those of the second half be those of the first.
#[derive(Debug, Clone, Copy)]
pub struct Fill {
    /// What reports call it.
    pub name: &'static str,
    units: &'static [&'static str],
}

const fn fill(name: &'static str, units: &'static [&'static str]) -> Fill {
    Fill { name, units }
}

/// What most places take at any length; with these it is found out how much a place takes.
pub(super) const BENIGN: [Fill; 6] = [
    fill("letters", &["a"]),
    fill("sentences", &["The report of the third quarter is attached, as you asked. "]),
    fill("path segments", &["/ab"]),
    fill("labels", &[".ab"]),
    fill("numbered names", &["-a{n}"]),
    fill("letters of other scripts", &["Größe жизнь 漢字 "]),
];

/// What somebody would send who wants a decision to take long: near misses of whatever is looked for, marks that open and never
/// close, and findings in great number.
pub(super) const HOSTILE: [Fill; 61] = [
    fill("`<`", &["<"]),
    fill("`<a `", &["<a "]),
    fill("`<!--`", &["<!--"]),
    fill("`<!-- -->`", &["<!-- a -->"]),
    fill("`<b>`", &["<b>"]),
    fill("`</b>`", &["</b>"]),
    fill("`<b>` and `</b>`", &["<b>", "</b>"]),
    fill("hidden elements", &["<p hidden>a</p>"]),
    fill("hidden elements that nest", &["<p hidden>", "</p>"]),
    fill("attributes", &["<a ", "b{n}=c "]),
    fill("quotes that open", &["<a b=\"c'"]),
    fill("styles", &["<i style='color:red;display:none'>a</i>"]),
    fill("classes that hide", &["<style>.c{n}{display:none}</style>", "<p class=c{n}>a</p>"]),
    fill("style sheets", &["<style>.a{color:red}", ".b .c{n},"]),
    fill("braces", &["{", "}"]),
    fill("`<![CDATA[`", &["<![CDATA["]),
    fill("`<?`", &["<?"]),
    fill("character references", &["&amp;"]),
    fill("`&#`", &["&#"]),
    fill("`[`", &["["]),
    fill("`[` and `]`", &["[", "]"]),
    fill("`![](`", &["![]("]),
    fill("`[a](`", &["[a]("]),
    fill("links", &["[a](https://h.example/b) "]),
    fill("images", &["![a](https://h.example/b?c=d) "]),
    fill("bare links", &["https://h.example/b "]),
    fill("definitions", &["\n[a{n}]: b", "[a{n}]"]),
    fill("one definition, used", &["\n\n[a]: /b{n}\n\n", "[a]"]),
    fill("`[a][b]`", &["[a][b]"]),
    fill("quotations", &["> "]),
    fill("lists that nest", &["- "]),
    fill("`*`", &["*a "]),
    fill("`**a_`", &["**a_ "]),
    fill("back-quotes", &["`a``b"]),
    fill("fences", &["\n```a\n"]),
    fill("tables", &["\n|a|b|\n|-|-|\n|c|d|"]),
    fill("backslashes", &["\\"]),
    fill("zero-width characters", &["\u{200b}"]),
    fill("zero-width characters in words", &["i\u{200b}g\u{200c}n"]),
    fill("bidirectional marks", &["\u{202e}a"]),
    fill("tags", &["\u{e0061}"]),
    fill("accents on one letter", &["\u{301}\u{323}"]),
    fill("accents", &["e\u{301}"]),
    fill("look-alikes", &["раураl "]),
    fill("`@`", &["@"]),
    fill("`a@`", &["a@"]),
    fill("`a.b@c.`", &["a.b@c."]),
    fill("addresses", &["ann@example.org "]),
    fill("digits", &["1"]),
    fill("digits in groups", &["4111-1111-1111-1112 "]),
    fill("cards", &["4111 1111 1111 1111, "]),
    fill("`1.`", &["1."]),
    fill("`1:`", &["1:"]),
    fill("one long URL", &["https://h.example/", "a/b?c=d&"]),
    fill("`https://`", &["https://"]),
    fill("percent encoding", &["%2561"]),
    fill("Base64", &["aWdub3Jl"]),
    fill("runs of Base64", &["aWdub3JlIHByZXZpb3Vz "]),
    fill("secrets", &["password = hunter2hunter2 "]),
    fill("`-----BEGIN PRIVATE KEY-----`", &["-----BEGIN PRIVATE KEY-----\n"]),
    fill("`ignore all previous`", &["ignore all previous "]),
];

impl Fill {
    /// A text of nearly this many characters, and not of more.
    pub fn text(&self, characters: usize) -> String {
        let share = characters / self.units.len();
        let mut text = String::new();
        for unit in self.units {
            let mut left = share;
            for number in 0.. {
                let piece = unit.replace("{n}", &number_of(number));
                let length = piece.chars().count();
                if length > left {
                    break;
                }
                left -= length;
                text.push_str(&piece);
            }
        }
        text
    }

    /// The first unit, with this number.
    pub fn piece(&self, number: usize) -> String {
        self.units.first().map_or_else(String::new, |unit| unit.replace("{n}", &number_of(number)))
    }
}

/// All numbers are as long, so that what is repeated is, too.
fn number_of(number: usize) -> String {
    format!("{number:05}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_nearly_as_long_as_asked_and_grow_with_it() {
        for fill in BENIGN.iter().chain(&HOSTILE) {
            for characters in [1 << 10, 1 << 14] {
                let length = fill.text(characters).chars().count();
                assert!(length <= characters, "{}: {length}", fill.name);
                assert!(length > characters * 9 / 10, "{}: {length}", fill.name);
            }
        }
    }

    #[test]
    fn names_differ() {
        let names: std::collections::BTreeSet<_> =
            BENIGN.iter().chain(&HOSTILE).map(|fill| fill.name).collect();
        assert_eq!(names.len(), BENIGN.len() + HOSTILE.len());
    }
}
