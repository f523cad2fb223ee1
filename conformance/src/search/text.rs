//! Texts near a text, and texts that a pattern matches or just does not.

use fastrand::Rng;
use regex_syntax::hir::{Class, Hir, HirKind};

/// Letters that look like another, or become another when case is folded: policies that forget one of both differ here.
const LOOK_ALIKES: [(char, char); 14] = [
    ('a', 'а'),
    ('c', 'с'),
    ('e', 'е'),
    ('i', 'і'),
    ('o', 'о'),
    ('p', 'р'),
    ('x', 'х'),
    ('k', '\u{212a}'),
    ('s', 'ſ'),
    ('A', 'А'),
    ('.', '\u{3002}'),
    ('/', '\u{2215}'),
    ('-', '\u{2010}'),
    ('0', '٠'),
];

/// Characters that stand at the edges of what a policy expects.
const EDGES: [char; 24] = [
    'a', 'z', 'A', '0', '9', ' ', '.', '/', '-', '_', ':', '@', '*', '?', '\\', '"', '\n', '\t', '\0', '%',
    '\u{200b}', '\u{301}', 'é', '😀',
];

/// What separates the words of identifiers, hosts and paths.
const SEPARATORS: [char; 9] = ['/', '.', '-', '_', ':', '@', ' ', '#', '?'];

/// A text that differs from `text` in one respect; `words` are texts that may take the place of one of its words.
pub(super) fn near(text: &str, words: &[String], rng: &mut Rng) -> String {
    let chars: Vec<char> = text.chars().collect();
    let edge = |rng: &mut Rng| rng.choice(EDGES).unwrap_or('a');
    let at = |rng: &mut Rng| rng.usize(..chars.len().max(1));
    match rng.u8(..16) {
        0 => chars.iter().take(chars.len().saturating_sub(1)).collect(),
        1 => chars.iter().skip(1).collect(),
        2 => format!("{text}{}", edge(rng)),
        3 => format!("{}{text}", edge(rng)),
        4 => {
            let at = at(rng);
            chars.iter().enumerate().filter(|(index, _)| *index != at).map(|(_, char)| char).collect()
        }
        5 => replaced(&chars, at(rng), |char| vec![edge_of(char, rng)]),
        6 => replaced(&chars, at(rng), |char| vec![char, edge_of(char, rng)]),
        7 => replaced(&chars, at(rng), |char| vec![switch_case(char)]),
        8 if rng.bool() => text.to_uppercase(),
        8 => text.to_lowercase(),
        9 => {
            let alike: Vec<usize> = chars
                .iter()
                .enumerate()
                .filter(|(_, char)| look_alike(**char).is_some())
                .map(|(index, _)| index)
                .collect();
            match rng.choice(alike) {
                Some(at) => replaced(&chars, at, |char| vec![look_alike(char).unwrap_or(char)]),
                None => format!("{text} "),
            }
        }
        10 | 11 => swap_word(text, words, rng),
        12 => match rng.choice(words) {
            Some(word) if rng.bool() => format!("{text}{word}"),
            Some(word) => format!("{word}{text}"),
            None => text.to_owned(),
        },
        13 => join(text, rng),
        14 if rng.u8(..16) == 0 => text.repeat(40.min(1 + 4_096 / text.len().max(1))),
        14 => text.trim().to_owned(),
        _ => String::new(),
    }
}

fn edge_of(char: char, rng: &mut Rng) -> char {
    let next =
        |step: i32| u32::try_from(i64::from(u32::from(char)) + i64::from(step)).ok().and_then(char::from_u32);
    let neighbour = if rng.bool() { next(1) } else { next(-1) };
    if rng.bool() { neighbour.unwrap_or(char) } else { rng.choice(EDGES).unwrap_or(char) }
}

fn replaced(chars: &[char], at: usize, with: impl FnOnce(char) -> Vec<char>) -> String {
    let (before, after) = chars.split_at(at.min(chars.len()));
    let Some((char, rest)) = after.split_first() else { return before.iter().collect() };
    before.iter().copied().chain(with(*char)).chain(rest.iter().copied()).collect()
}

fn switch_case(char: char) -> char {
    let mut other = if char.is_uppercase() {
        char.to_lowercase().collect::<Vec<_>>()
    } else {
        char.to_uppercase().collect()
    };
    if other.len() == 1 { other.pop().unwrap_or(char) } else { char }
}

fn look_alike(char: char) -> Option<char> {
    LOOK_ALIKES.iter().find(|(plain, _)| *plain == char).map(|(_, other)| *other)
}

/// Puts another word in the place of one, between separators.
fn swap_word(text: &str, words: &[String], rng: &mut Rng) -> String {
    let Some(new) = rng.choice(words) else { return format!("{text}x") };
    let parts: Vec<&str> = text.split_inclusive(SEPARATORS).collect();
    let at = rng.usize(..parts.len().max(1));
    // The other word may itself be long: one of its words is as likely.
    let new = if rng.bool() {
        new.as_str()
    } else {
        rng.choice(new.split(SEPARATORS).collect::<Vec<_>>()).unwrap_or(new)
    };
    let mut swapped = String::new();
    for (index, part) in parts.iter().enumerate() {
        if index == at {
            swapped.push_str(new);
            swapped.extend(part.chars().last().filter(|last| SEPARATORS.contains(last)));
        } else {
            swapped.push_str(part);
        }
    }
    swapped
}

/// Doubles or drops a separated part.
fn join(text: &str, rng: &mut Rng) -> String {
    let parts: Vec<&str> = text.split_inclusive(SEPARATORS).collect();
    let at = rng.usize(..parts.len().max(1));
    let times = if rng.bool() { 2 } else { 0 };
    parts
        .iter()
        .enumerate()
        .flat_map(|(index, part)| std::iter::repeat_n(*part, if index == at { times } else { 1 }))
        .collect()
}

/// A text that a glob of OPA's matches, or nearly: `*` may be given a delimiter it must not cross.
pub(super) fn of_glob(pattern: &str, delimiters: &[char], words: &[String], rng: &mut Rng) -> String {
    let mut text = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '*' => {
                let crosses = chars.next_if_eq(&'*').is_some() || rng.u8(..5) == 0;
                text.push_str(&run(rng, words));
                if crosses && let Some(delimiter) = rng.choice(delimiters) {
                    text.push(*delimiter);
                    text.push_str(&run(rng, words));
                }
            }
            '?' => text.push(rng.choice(EDGES).unwrap_or('a')),
            '\\' => text.extend(chars.next()),
            '[' => {
                let inside: Vec<char> = chars.by_ref().take_while(|char| *char != ']').collect();
                text.extend(rng.choice(inside));
            }
            '{' => {
                let inside: String = chars.by_ref().take_while(|char| *char != '}').collect();
                text.push_str(rng.choice(inside.split(',').collect::<Vec<_>>()).unwrap_or(""));
            }
            other => text.push(other),
        }
    }
    text
}

/// A text that a pattern of Cedar's `like` matches.
pub(super) fn of_like(pattern: &str, words: &[String], rng: &mut Rng) -> String {
    let mut text = String::new();
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
        match char {
            '*' => text.push_str(&run(rng, words)),
            '\\' => text.extend(chars.next()),
            other => text.push(other),
        }
    }
    text
}

/// What may stand where anything may.
fn run(rng: &mut Rng, words: &[String]) -> String {
    match rng.u8(..4) {
        0 => String::new(),
        1 => rng.choice(EDGES).map(String::from).unwrap_or_default(),
        2 => rng.choice(words).cloned().unwrap_or_default(),
        _ => std::iter::repeat_with(|| rng.lowercase()).take(3).collect(),
    }
}

/// Makes texts that a regular expression matches.
#[derive(Debug, Clone)]
pub(super) struct Sampler(Hir);

/// Texts of an expression stop growing here.
const LONGEST_SAMPLE: usize = 2_000;

impl Sampler {
    /// `None` for an expression of another syntax.
    pub(super) fn new(pattern: &str) -> Option<Self> {
        regex_syntax::parse(pattern).ok().map(Self)
    }

    /// The number of a named capture group.
    pub(super) fn group(&self, name: &str) -> Option<u32> {
        fn find(hir: &Hir, name: &str) -> Option<u32> {
            match hir.kind() {
                HirKind::Capture(capture) if capture.name.as_deref() == Some(name) => Some(capture.index),
                kind => kind.subs().iter().find_map(|sub| find(sub, name)),
            }
        }
        find(&self.0, name)
    }

    /// A text that the expression matches somewhere; `fill` gives the texts of capture groups, where it wants to.
    pub(super) fn sample(
        &self,
        fill: &mut dyn FnMut(u32, &mut Rng) -> Option<String>,
        rng: &mut Rng,
    ) -> String {
        let mut text = String::new();
        grow(&self.0, fill, rng, &mut text);
        text
    }
}

fn grow(hir: &Hir, fill: &mut dyn FnMut(u32, &mut Rng) -> Option<String>, rng: &mut Rng, text: &mut String) {
    if text.len() > LONGEST_SAMPLE {
        return;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => text.push(pick(class, rng)),
        HirKind::Repetition(repetition) => {
            let most = repetition
                .max
                .unwrap_or(repetition.min.saturating_add(3))
                .min(repetition.min.saturating_add(5));
            for _ in 0..rng.u32(repetition.min..=most) {
                grow(&repetition.sub, fill, rng, text);
            }
        }
        HirKind::Capture(capture) => match fill(capture.index, rng) {
            Some(filled) => text.push_str(&filled),
            None => grow(&capture.sub, fill, rng, text),
        },
        HirKind::Concat(parts) => parts.iter().for_each(|part| grow(part, fill, rng, text)),
        HirKind::Alternation(branches) => {
            if let Some(branch) = rng.choice(branches) {
                grow(branch, fill, rng, text);
            }
        }
    }
}

/// A character of a class: a telling one if it is in, else any.
fn pick(class: &Class, rng: &mut Rng) -> char {
    let ranges: Vec<(char, char)> = match class {
        Class::Unicode(class) => class.iter().map(|range| (range.start(), range.end())).collect(),
        Class::Bytes(class) => {
            class.iter().map(|range| (char::from(range.start()), char::from(range.end()))).collect()
        }
    };
    let holds = |char: char| ranges.iter().any(|(start, end)| (*start..=*end).contains(&char));
    for _ in 0..4 {
        if let Some(edge) = rng.choice(EDGES).filter(|edge| holds(*edge)) {
            return edge;
        }
    }
    rng.choice(&ranges).map_or('a', |(start, end)| {
        let (start, end) = (u32::from(*start), u32::from(*end));
        char::from_u32(rng.u32(start..=end)).or_else(|| char::from_u32(start)).unwrap_or('a')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn many(make: impl Fn(&mut Rng) -> String) -> Vec<String> {
        let mut rng = Rng::with_seed(7);
        (0..2_000).map(|_| make(&mut rng)).collect()
    }

    #[test]
    fn samples_of_an_expression_match_it() {
        for pattern in [
            r"(?i)(?:ignore|forget)[^a-z0-9]+(?:all )*previous",
            r"^spiffe://([^/]+)/agents/(?:[^/]*-)?([^/-]+)/[^/]+$",
            r"(?is)https?://(?:.*?https?://){4}",
            r"a{2,4}b?c*[x-z]",
        ] {
            let sampler = Sampler::new(pattern).unwrap();
            let regex = regex::Regex::new(pattern).unwrap();
            let samples = many(|rng| sampler.sample(&mut |_, _| None, rng));
            let matched = samples.iter().filter(|sample| regex.is_match(sample)).count();
            assert!(matched > samples.len() * 9 / 10, "{pattern}: {matched}");
            let distinct: std::collections::BTreeSet<_> = samples.iter().collect();
            assert!(distinct.len() > 20, "{pattern}: {}", distinct.len());
        }
        assert!(Sampler::new("(?<=a)b").is_none());
    }

    #[test]
    fn a_group_can_be_filled() {
        let sampler = Sampler::new("^(a+)/(b+)$").unwrap();
        let mut rng = Rng::with_seed(1);
        let text = sampler.sample(&mut |group, _| (group == 2).then(|| "tool".to_owned()), &mut rng);
        assert!(text.ends_with("/tool") && text.starts_with('a'), "{text}");
    }

    #[test]
    fn texts_near_a_text_have_every_kind_of_edge() {
        let words = ["admin".to_owned(), "db.read".to_owned()];
        let near = many(|rng| near("agents/kate-dev", &words, rng));
        for wanted in [
            "agents/kate-de",
            "gents/kate-dev",
            "agents/kate-dev.",
            "AGENTS/KATE-DEV",
            "agents/\u{212a}ate-dev",
            "agents/admin-dev",
            "agents/read-dev",
            "kate-dev",
            "",
        ] {
            assert!(near.iter().any(|text| text == wanted), "{wanted:?}");
        }
    }

    #[test]
    fn patterns_with_stars_are_filled_inside_and_beyond() {
        let words = ["x".to_owned()];
        let globs = many(|rng| of_glob("a/*/{b,c}", &['/'], &words, rng));
        assert!(globs.iter().any(|text| text == "a//b") && globs.iter().any(|text| text == "a/x/c"));
        assert!(globs.iter().any(|text| text.matches('/').count() == 3));
        let likes = many(|rng| of_like(r"fs.*\*", &words, rng));
        assert!(likes.iter().all(|text| text.starts_with("fs.") && text.ends_with('*')));
    }
}
