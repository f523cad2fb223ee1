//! Scanning a text for what should not stand in it, and taking it out.
//!
//! - [`spec`]: what a manifest declares
//! - `rule`: one rule, and where it finds something
//! - `views`: the readings of a text that rules look into

mod rule;
pub mod spec;
mod views;

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::{Value, json};

use super::objection::Objection;
use crate::contract::Pointer;
use rule::{Place, Rule, Unscannable};
use spec::ScanSpec;
use views::Views;

/// How often a text is replaced until nothing is found any more.
const ROUNDS: usize = 4;

/// Names that can stand in a replacement, in data and in reasons.
const LONGEST_NAME: usize = 64;

/// A compiled declaration.
#[derive(Debug, Clone)]
pub(super) struct Scan {
    rules: Vec<Rule>,
}

/// Which rules are in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Enabled(Option<BTreeSet<String>>);

impl Enabled {
    /// All of them.
    pub(super) const ALL: Self = Self(None);

    fn has(&self, rule: &Rule) -> bool {
        self.0.as_ref().is_none_or(|names| names.contains(&rule.name))
    }
}

/// Something found.
#[derive(Debug)]
struct Finding<'s> {
    rule: &'s Rule,
    span: Range<usize>,
}

impl Scan {
    /// Compiles a declaration and tries it: each rule finds its example from end to end, a scan of the example ends, and no rule finds
    /// anything in what is put in the place of findings.
    pub(super) fn compile(spec: &ScanSpec) -> Result<Self, Vec<Objection>> {
        let mut objections = Vec::new();
        let mut rules = Vec::new();
        if spec.rules.is_empty() {
            objections.push(Objection::at(&["rules"], "there is no rule".to_owned()));
        }
        for (name, rule) in &spec.rules {
            if !is_name(name) {
                let message =
                    format!("`{name}` is no name of a rule: lower-case letters, digits, `_` and `-`");
                objections.push(Objection::at(&["rules", name], message));
                continue;
            }
            match Rule::compile(name, rule, spec.with.as_deref()) {
                Ok(rule) => rules.push(rule),
                Err(objection) => objections.push(objection),
            }
        }
        let scan = Self { rules };
        if objections.is_empty() {
            scan.try_examples(spec, &mut objections);
            scan.try_replacements(spec, &mut objections);
        }
        if objections.is_empty() { Ok(scan) } else { Err(objections) }
    }

    /// Which rules a pack's data puts in force; each name comes with its place there.
    pub(super) fn enabled(&self, names: Vec<(Pointer, &str)>) -> Result<Enabled, Vec<Objection>> {
        let known: Vec<&str> = self.rules.iter().map(|rule| rule.name.as_str()).collect();
        let is_unknown = |(_, name): &&(Pointer, &str)| !known.contains(name);
        let objections: Vec<Objection> = names
            .iter()
            .filter(is_unknown)
            .map(|(place, name)| {
                let message = format!("there is no rule `{name}`; there are {}", known.join(", "));
                Objection::in_data(place.clone(), message)
            })
            .collect();
        if !objections.is_empty() {
            return Err(objections);
        }
        Ok(Enabled(Some(names.into_iter().map(|(_, name)| name.to_owned()).collect())))
    }

    /// Scans a text: `{found, count, text}`.
    ///
    /// # Errors
    /// Why it cannot be scanned, or not be made clean.
    pub(super) fn call(&self, text: &str, enabled: &Enabled) -> Result<Value, String> {
        let mut found = BTreeSet::new();
        let mut count = 0;
        let mut current = text.to_owned();
        for _ in 0..=ROUNDS {
            let findings = self.find(&current, enabled).map_err(|error| error.to_string())?;
            if findings.is_empty() {
                return Ok(json!({"found": found, "count": count, "text": current}));
            }
            found.extend(findings.iter().map(|finding| finding.rule.name.clone()));
            count += findings.len();
            current = replace(&current, findings);
        }
        Err(format!("holds what is still found after {ROUNDS} replacements"))
    }

    fn find(&self, text: &str, enabled: &Enabled) -> Result<Vec<Finding<'_>>, Unscannable> {
        let views = Views::of(text);
        let mut findings = Vec::new();
        for rule in self.rules.iter().filter(|rule| enabled.has(rule)) {
            let places = rule.find(&views, true)?;
            findings.extend(places.into_iter().map(|place| Finding { rule, span: place.replaced }));
        }
        Ok(findings)
    }

    fn try_examples(&self, spec: &ScanSpec, objections: &mut Vec<Objection>) {
        for rule in self.rules.iter().filter(|rule| !rule.is_detector()) {
            let at = |message: String| Objection::at(&["rules", &rule.name, "example"], message);
            let Some(example) = spec.rules.get(&rule.name).and_then(|spec| spec.example.as_deref()) else {
                objections.push(Objection::at(
                    &["rules", &rule.name],
                    "the rule has no `example` that it finds".to_owned(),
                ));
                continue;
            };
            match rule.find(&Views::of(example), false) {
                Err(error) => objections.push(at(format!("the example {error}"))),
                Ok(places) if places.len() < rule.at_least() => {
                    let message = match places.len() {
                        0 => "the rule does not find its example".to_owned(),
                        found => {
                            format!("the rule finds {found} in its example, and needs {}", rule.at_least())
                        }
                    };
                    objections.push(at(message));
                }
                Ok(places) => {
                    let start = places.iter().map(|place| place.matched.start).min();
                    let end = places.iter().map(|place| place.matched.end).max();
                    if (start, end) != (Some(0), Some(example.len())) {
                        let found = Place::text(example, start, end);
                        objections.push(at(format!("the rule finds only `{found}` of its example")));
                        continue;
                    }
                }
            }
        }
        for rule in &self.rules {
            let Some(spec) = spec.rules.get(&rule.name) else { continue };
            let example =
                spec.example.as_deref().or_else(|| spec.detector.map(|detector| detector.example()));
            let only = Enabled(Some(BTreeSet::from([rule.name.clone()])));
            if let Some(Err(why)) = example.map(|example| self.call(example, &only)) {
                objections
                    .push(Objection::at(&["rules", &rule.name], format!("the example of the rule {why}")));
            }
        }
    }

    fn try_replacements(&self, spec: &ScanSpec, objections: &mut Vec<Objection>) {
        for replaced in &self.rules {
            let views = Views::of(&replaced.with);
            for rule in &self.rules {
                if rule.find(&views, false).is_ok_and(|places| places.is_empty()) {
                    continue;
                }
                let message =
                    format!("`{}` finds something in the replacement `{}`", rule.name, replaced.with);
                let is_own = spec.rules.get(&replaced.name).is_some_and(|spec| spec.with.is_some());
                objections.push(match (is_own, &spec.with) {
                    (true, _) => Objection::at(&["rules", &replaced.name, "with"], message),
                    (false, Some(_)) => Objection::at(&["with"], message),
                    (false, None) => Objection::at(&["rules", &rule.name], message),
                });
            }
        }
    }
}

impl Place {
    fn text(text: &str, start: Option<usize>, end: Option<usize>) -> &str {
        start.zip(end).and_then(|(start, end)| text.get(start..end)).unwrap_or("")
    }
}

/// The text with each place replaced; places that overlap are one, which is called after the longest.
fn replace(text: &str, mut findings: Vec<Finding<'_>>) -> String {
    findings.sort_by(|a, b| {
        (a.span.start, b.span.end, &a.rule.name).cmp(&(b.span.start, a.span.end, &b.rule.name))
    });
    let mut merged: Vec<(Range<usize>, Finding<'_>)> = Vec::new();
    for finding in findings {
        match merged.last_mut() {
            Some((span, longest)) if finding.span.start < span.end => {
                span.end = span.end.max(finding.span.end);
                if finding.span.len() > longest.span.len() {
                    *longest = finding;
                }
            }
            _ => merged.push((finding.span.clone(), finding)),
        }
    }
    let mut replaced = String::with_capacity(text.len());
    let mut at = 0;
    for (span, finding) in merged {
        replaced.push_str(text.get(at..span.start).unwrap_or(""));
        replaced.push_str(&finding.rule.with);
        at = span.end;
    }
    replaced.push_str(text.get(at..).unwrap_or(""));
    replaced
}

fn is_name(name: &str) -> bool {
    let is_plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    name.len() <= LONGEST_NAME
        && name.bytes().all(is_plain)
        && name.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
}

#[cfg(test)]
mod tests;
