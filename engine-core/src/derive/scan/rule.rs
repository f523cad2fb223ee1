//! One rule of a scan.

use std::ops::Range;

use regex::Regex;

use super::spec::{Check, RuleSpec, View};
use super::views::{Reading, Views};
use crate::derive::detector;
use crate::derive::function::regex::{BOUNDED_SIZE, LONGEST_MATCH};
use crate::derive::objection::Objection;
use crate::derive::reading::fold::TooDeep;

/// Most places in which a rule looks, and most that it finds.
pub(super) const MOST_FINDINGS: usize = 10_000;

/// A rule that is ready to look.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) with: String,
    at_least: usize,
    look: Look,
}

#[derive(Debug, Clone)]
enum Look {
    Detector(detector::Compiled),
    /// Everything a view gathers.
    All(View),
    Pattern(View, Pattern),
}

#[derive(Debug, Clone)]
struct Pattern {
    regex: Regex,
    check: Option<Check>,
    /// Whether it has the group `span`.
    is_narrowed: bool,
}

/// A place in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// All that a rule matched.
    pub(super) matched: Range<usize>,
    /// What is replaced of it.
    pub(super) replaced: Range<usize>,
}

/// Why a text cannot be scanned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unscannable {
    #[error(transparent)]
    Deep(#[from] TooDeep),
    #[error("holds more than {MOST_FINDINGS} places in which `{0}` has to look")]
    Many(String),
}

impl Rule {
    pub(super) fn compile(name: &str, spec: &RuleSpec, with: Option<&str>) -> Result<Self, Objection> {
        let at = |key: &str, message: String| Objection::at(&["rules", name, key], message);
        let with = spec.with.as_deref().or(with).unwrap_or("[filtered-{name}]").replace("{name}", name);
        let at_least = match spec.at_least {
            None => 1,
            Some(0) => return Err(at("at_least", "nothing at all is no finding".to_owned())),
            Some(least) => usize::try_from(least).map_err(|error| at("at_least", error.to_string()))?,
        };
        let look = match (spec.detector, &spec.pattern) {
            (Some(detector), _) => {
                let other = [
                    ("view", spec.view.is_some()),
                    ("pattern", spec.pattern.is_some()),
                    ("check", spec.check.is_some()),
                    ("example", spec.example.is_some()),
                ];
                if let Some((key, _)) = other.iter().find(|(_, is_given)| *is_given) {
                    return Err(at(key, format!("a detector needs no `{key}`")));
                }
                Look::Detector(detector.compile().map_err(|error| at("detector", error.to_string()))?)
            }
            (None, Some(pattern)) => {
                let view = spec.view.unwrap_or(View::Text);
                Look::Pattern(
                    view,
                    compile(view, pattern, spec.check).map_err(|message| at("pattern", message))?,
                )
            }
            (None, None) => match spec.view.filter(|view| view.is_gathered()) {
                Some(_) if spec.check.is_some() => {
                    return Err(at("check", "there is no pattern whose matches could be checked".to_owned()));
                }
                Some(view) => Look::All(view),
                None => {
                    let message = "a rule needs a `detector`, a `pattern`, or a view of what is hidden";
                    return Err(Objection::at(&["rules", name], message));
                }
            },
        };
        Ok(Self { name: name.to_owned(), with, at_least, look })
    }

    /// Whether the rule brings its own examples.
    pub(super) fn is_detector(&self) -> bool {
        matches!(self.look, Look::Detector(_))
    }

    /// Where the rule finds something; `counts` is whether it takes as many findings as it says.
    pub(super) fn find(&self, views: &Views<'_>, counts: bool) -> Result<Vec<Place>, Unscannable> {
        let mut places = Vec::new();
        let many = || Unscannable::Many(self.name.clone());
        let whole = |span: Range<usize>| Place { matched: span.clone(), replaced: span };
        match &self.look {
            Look::Detector(detector) => {
                let read = views.clean();
                places.extend(detector.find(read.text()).into_iter().map(|span| whole(read.source(span))));
            }
            Look::All(view) => {
                if let Reading::Gathered(segments) = views.read(*view)? {
                    places.extend(segments.iter().map(|segment| whole(segment.span.clone())));
                }
            }
            Look::Pattern(view, pattern) => match views.read(*view)? {
                Reading::Whole(text) => pattern.find(text, &mut places).ok_or_else(many)?,
                Reading::Mapped(mapped) => {
                    pattern.find(mapped.text(), &mut places).ok_or_else(many)?;
                    for place in &mut places {
                        *place = Place {
                            matched: mapped.source(place.matched.clone()),
                            replaced: mapped.source(place.replaced.clone()),
                        };
                    }
                }
                Reading::Gathered(segments) => {
                    for segment in segments {
                        if pattern.is_in(&segment.text).ok_or_else(many)? {
                            places.push(whole(segment.span.clone()));
                        }
                    }
                }
            },
        }
        places.retain(|place| !place.replaced.is_empty());
        places.sort_by_key(|place| (place.replaced.start, place.replaced.end));
        places.dedup();
        if places.len() > MOST_FINDINGS {
            return Err(many());
        }
        if counts && places.len() < self.at_least {
            places.clear();
        }
        Ok(places)
    }

    /// How many findings it takes.
    pub(super) fn at_least(&self) -> usize {
        self.at_least
    }
}

impl Pattern {
    /// Adds every match; `None` where there are too many to look at.
    fn find(&self, text: &str, places: &mut Vec<Place>) -> Option<()> {
        let mut at = 0;
        let mut looked = 0;
        while let Some(matched) = self.regex.find_at(text, at) {
            looked += 1;
            if looked > MOST_FINDINGS {
                return None;
            }
            let span = self.span(text, matched.range());
            let holds = self.check.is_none_or(|check| check.holds(text.get(span.clone()).unwrap_or("")));
            if holds {
                places.push(Place { matched: matched.range(), replaced: span });
                at = matched.end();
            } else {
                // What a match that does not check begins before may check.
                at = next_boundary(text, matched.start());
            }
        }
        Some(())
    }

    /// Whether there is a match; `None` where there are too many to look at.
    fn is_in(&self, text: &str) -> Option<bool> {
        if self.check.is_none() {
            return Some(self.regex.is_match(text));
        }
        let mut places = Vec::new();
        self.find(text, &mut places)?;
        Some(!places.is_empty())
    }

    fn span(&self, text: &str, matched: Range<usize>) -> Range<usize> {
        if !self.is_narrowed {
            return matched;
        }
        let group = self.regex.captures_at(text, matched.start).and_then(|captures| captures.name("span"));
        group.map(|group| group.range()).filter(|span| !span.is_empty()).unwrap_or(matched)
    }
}

fn next_boundary(text: &str, at: usize) -> usize {
    (at + 1..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

fn compile(view: View, pattern: &str, check: Option<Check>) -> Result<Pattern, String> {
    let regex = regex::RegexBuilder::new(pattern)
        .size_limit(BOUNDED_SIZE)
        .build()
        .map_err(|error| format!("the pattern does not compile: {error}"))?;
    let parsed = regex_syntax::parse(pattern).map_err(|error| error.to_string())?;
    let (least, most) = (parsed.properties().minimum_len(), parsed.properties().maximum_len());
    if least.is_none_or(|least| least == 0) {
        return Err("the pattern matches the empty text".to_owned());
    }
    let is_narrowed = regex.capture_names().flatten().any(|name| name == "span");
    if view.is_gathered() && is_narrowed {
        return Err(
            "the group `span` narrows nothing here: what this view gathers is replaced as a whole".to_owned()
        );
    }
    // Of what a view gathers only whether there is a match is asked.
    let is_searched = !view.is_gathered() || check.is_some();
    match most {
        None if is_searched => {
            Err("the pattern matches texts of any length: give its repetitions an end, such as `{0,200}`, so that the \
                 scan of a long text takes no longer than it must"
                .to_owned())
        }
        Some(most) if is_searched && most > LONGEST_MATCH => {
            Err(format!("the pattern matches up to {most} bytes; at most {LONGEST_MATCH} are possible"))
        }
        _ => Ok(Pattern { regex, check, is_narrowed }),
    }
}
