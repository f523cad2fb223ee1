//! One search for several members.
//!
//! Members that are captured by one expression, a group for each, are written as expressions that differ in their groups alone:
//! `^spiffe://([^/]+)/[^/]+$` and `^spiffe://[^/]+/([^/]+)$`. Groups do not change what an expression matches, so one with the
//! groups of all of them captures the same, in one search.

use regex_syntax::hir::{self, Hir, HirKind};
use serde_json::Value;

use super::regex::{Capture, RegexSpec};
use crate::contract::Pointer;

/// Expressions over one source that became one.
#[derive(Debug)]
pub(in crate::derive) struct SharedSearch {
    regex: regex::Regex,
    /// The group of each member, in their order.
    groups: Vec<usize>,
}

/// An expression that may find others which differ from it in groups alone.
#[derive(Debug)]
pub(in crate::derive) struct Captor {
    source: Pointer,
    hir: Hir,
    members: usize,
}

impl Captor {
    /// The search that a declaration asks for, with its group alone; `None` if it is not for one group's text.
    pub(in crate::derive) fn of(spec: &RegexSpec) -> Option<Self> {
        let capture = spec.capture.as_ref().filter(|_| !spec.all)?;
        let parsed = regex_syntax::parse(&spec.pattern).ok()?;
        let is_wanted = |group: &hir::Capture| match capture {
            Capture::Index(index) => group.index == *index,
            Capture::Name(name) => group.name.as_deref() == Some(name),
        };
        let bare = only(&parsed, &is_wanted);
        let hir = if *capture == Capture::Index(0) { group(0, bare) } else { bare };
        Some(Self { source: spec.source.clone(), hir, members: 1 })
    }

    /// Takes in another, whose member comes next, if they differ in groups alone.
    pub(in crate::derive) fn take_in(&mut self, other: &Self) -> bool {
        if self.source != other.source {
            return false;
        }
        let Some(merged) = merged(&self.hir, &other.hir, self.members) else { return false };
        self.hir = merged;
        self.members += 1;
        true
    }

    /// One search for all its members; `None` if there is but one, whose own search is no dearer.
    pub(in crate::derive) fn search(&self) -> Option<SharedSearch> {
        if self.members < 2 {
            return None;
        }
        let regex = super::regex::of_one_match(&self.hir.to_string()).ok()?;
        let group = |member| regex.capture_names().position(|name| name == Some(name_of(member).as_str()));
        let groups = (0..self.members).map(group).collect::<Option<_>>()?;
        Some(SharedSearch { regex, groups })
    }
}

impl SharedSearch {
    /// What each member captured, in their order.
    pub(in crate::derive) fn of_text(&self, text: &str) -> impl Iterator<Item = Option<Value>> {
        let captures = self.regex.captures(text);
        self.groups.iter().map(move |group| {
            let part = captures.as_ref()?.get(*group)?;
            Some(part.as_str().into())
        })
    }
}

fn name_of(member: usize) -> String {
    format!("m{member}")
}

fn group(member: usize, sub: Hir) -> Hir {
    // Groups are counted anew when the expression is compiled from its text.
    Hir::capture(hir::Capture { index: 1, name: Some(name_of(member).into()), sub: Box::new(sub) })
}

/// An expression without groups, but for the one wanted, which is the first member's.
fn only(hir: &Hir, is_wanted: &impl Fn(&hir::Capture) -> bool) -> Hir {
    let part = |sub: &Hir| only(sub, is_wanted);
    match hir.kind() {
        HirKind::Capture(found) if is_wanted(found) => group(0, part(&found.sub)),
        HirKind::Capture(found) => part(&found.sub),
        HirKind::Repetition(repetition) => {
            Hir::repetition(hir::Repetition { sub: Box::new(part(&repetition.sub)), ..repetition.clone() })
        }
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(part).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(part).collect()),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => hir.clone(),
    }
}

/// One expression with the groups of both, the second's as that of `member`; `None` if they differ otherwise.
fn merged(one: &Hir, other: &Hir, member: usize) -> Option<Hir> {
    let all = |ones: &[Hir], others: &[Hir]| -> Option<Vec<Hir>> {
        let pairs = ones.iter().zip(others);
        (ones.len() == others.len())
            .then(|| pairs.map(|(one, other)| merged(one, other, member)).collect())?
    };
    match (one.kind(), other.kind()) {
        (_, HirKind::Capture(found)) => Some(group(member, merged(one, &found.sub, member)?)),
        (HirKind::Capture(found), _) => {
            let sub = Box::new(merged(&found.sub, other, member)?);
            Some(Hir::capture(hir::Capture { sub, ..found.clone() }))
        }
        (HirKind::Repetition(a), HirKind::Repetition(b)) => {
            let is_alike = (a.min, a.max, a.greedy) == (b.min, b.max, b.greedy);
            let sub = Box::new(is_alike.then(|| merged(&a.sub, &b.sub, member))??);
            Some(Hir::repetition(hir::Repetition { sub, ..a.clone() }))
        }
        (HirKind::Concat(ones), HirKind::Concat(others)) => Some(Hir::concat(all(ones, others)?)),
        (HirKind::Alternation(ones), HirKind::Alternation(others)) => {
            Some(Hir::alternation(all(ones, others)?))
        }
        _ => (one == other).then(|| one.clone()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spec(pattern: &str, capture: u32) -> RegexSpec {
        let source = Pointer::from_tokens(["x"]);
        RegexSpec { source, pattern: pattern.to_owned(), capture: Some(Capture::Index(capture)), all: false }
    }

    fn shared(patterns: &[(&str, u32)]) -> Option<SharedSearch> {
        let mut captors =
            patterns.iter().map(|(pattern, capture)| Captor::of(&spec(pattern, *capture)).unwrap());
        let mut first = captors.next().unwrap();
        captors.all(|other| first.take_in(&other)).then(|| first.search().unwrap())
    }

    fn captured(pattern: &str, capture: usize, text: &str) -> Option<Value> {
        let captures = regex::Regex::new(pattern).unwrap().captures(text)?;
        Some(captures.get(capture)?.as_str().into())
    }

    #[test]
    fn expressions_that_differ_in_groups_alone_become_one() {
        let patterns = [
            ("^spiffe://([^/]+)/agents/(?:[^/]*-)?[^/-]+/[^/]+$", 1),
            ("^spiffe://[^/]+/agents/(?:[^/]*-)?([^/-]+)/([^/]+)$", 1),
            ("^spiffe://(?P<a>[^/]+)/agents/(?:[^/]*-)?[^/-]+/(?P<b>[^/]+)$", 2),
            ("^spiffe://[^/]+/agents/(?:([^/]*)-)?[^/-]+/[^/]+$", 1),
            ("^spiffe://[^/]+/agents/(?:[^/]*-)?[^/-]+/[^/]+$", 0),
        ];
        let search = shared(&patterns).unwrap();
        for (text, expected) in [
            (
                "spiffe://x/agents/a-b/d",
                [Some("x"), Some("b"), Some("d"), Some("a"), Some("spiffe://x/agents/a-b/d")],
            ),
            ("spiffe://x/agents/b/d", [Some("x"), Some("b"), Some("d"), None, Some("spiffe://x/agents/b/d")]),
            ("spiffe://x/agents/c-/d", [None; 5]),
        ] {
            let found: Vec<Option<Value>> = search.of_text(text).collect();
            assert_eq!(found, expected.map(|part| part.map(Value::from)), "{text}");
        }
    }

    #[test]
    fn others_stay_apart() {
        for patterns in [
            [("^(a)b", 1), ("^a(b)c", 1)],
            [("^(a+)b$", 1), ("^(a+?)b$", 1)],
            [("^(a+)b$", 1), ("^(a+)c$", 1)],
            [("^(a|b)$", 1), ("^(a|bb)$", 1)],
            [("(?i)^(a)$", 1), ("^(a)$", 1)],
            // A group of several parts.
            [("^(a+b?)c+$", 1), ("^a+b?(c+)$", 1)],
        ] {
            assert!(shared(&patterns).is_none(), "{patterns:?}");
        }
        let mut one = Captor::of(&spec("(a)", 1)).unwrap();
        let other = RegexSpec { source: Pointer::from_tokens(["y"]), ..spec("(a)", 1) };
        assert!(!one.take_in(&Captor::of(&other).unwrap()));
        assert!(one.search().is_none());
        assert!(Captor::of(&RegexSpec { capture: None, ..spec("(a)", 1) }).is_none());
        assert!(Captor::of(&RegexSpec { all: true, ..spec("(a)", 1) }).is_none());
    }

    /// Parts of an expression, each of which may be a group.
    const PARTS: [&str; 8] = ["[ab]+", "[ab]*?", "-", "(?:a|b-)", "[^-]?", ".*", "(?:a-){0,2}", "b"];

    proptest! {
        #[test]
        fn one_search_captures_what_each_would(
            parts in prop::collection::vec((0..PARTS.len(), any::<bool>()), 2..6),
            anchored: bool,
            texts in prop::collection::vec("[ab-]{0,8}", 8),
        ) {
            let pattern = |is_group: &dyn Fn(usize) -> bool| {
                let parts = parts.iter().enumerate().map(|(at, (part, _))| {
                    let part = PARTS[*part];
                    if is_group(at) { format!("({part})") } else { format!("(?:{part})") }
                });
                let anchor = if anchored { "^" } else { "" };
                format!("{anchor}{}", parts.collect::<String>())
            };
            let patterns: Vec<String> =
                (0..parts.len()).filter(|at| parts[*at].1).map(|group| pattern(&|at| at == group)).collect();
            prop_assume!(patterns.len() > 1);
            let named: Vec<(&str, u32)> = patterns.iter().map(|pattern| (pattern.as_str(), 1)).collect();
            // Neighbours that are literals become one without a group between them: such stay apart.
            let Some(search) = shared(&named) else { return Ok(()) };
            for text in &texts {
                let each: Vec<Option<Value>> = patterns.iter().map(|pattern| captured(pattern, 1, text)).collect();
                prop_assert_eq!(search.of_text(text).collect::<Vec<_>>(), each, "{:?} on {}", patterns, text);
            }
        }
    }
}
