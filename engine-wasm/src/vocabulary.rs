//! What a module's policy mentions: the constants that its code refers to, and the members of the request it asks for.
//!
//! A module holds more texts than its policy's: the runtime's, names of files, entrypoints and built-ins, error messages.
//! None of them is a value that a rule refers to, so none is found. A module has no text, so nothing has a place in one.

use std::collections::BTreeSet;

use serde_json::Value;
use tribunal_engine_core::contract::Pointer;
use tribunal_engine_core::engine::{Form, Literal, RuleVocabulary, Vocabulary};

use crate::MODULE;
use crate::image::Image;
use crate::plan::{ConstantKind, Kind, Origin, Plan, Position, Rule, Term};

/// Words that every policy answers with or asks by; looked for in a module whose rules cannot be told apart.
const ANSWER: [&str; 9] =
    ["result", "effect", "reason", "patches", "step_up", "allow", "deny", "redact", "method"];

/// What the rules of a module mention.
pub(crate) fn vocabulary(image: &Image<'_>, plan: &Plan) -> Vocabulary {
    if plan.rules.is_empty() {
        return Vocabulary { rules: without_names(image).into_iter().collect() };
    }
    let mut rules: Vec<RuleVocabulary> = Vec::new();
    for rule in &plan.rules {
        let found = of_rule(rule);
        // A rule that is asked under `with` stands in the module more than once.
        match rules.iter_mut().find(|known| known.rule == found.rule) {
            Some(known) => {
                known.reads.extend(found.reads);
                for literal in found.literals {
                    if !known.literals.contains(&literal) {
                        known.literals.push(literal);
                    }
                }
            }
            None => rules.push(found),
        }
    }
    Vocabulary { rules }
}

/// OPA names every function of a policy. Somebody took the names away: its texts are still there.
fn without_names(image: &Image<'_>) -> Option<RuleVocabulary> {
    let texts = image.strings().into_iter().filter(|text| !ANSWER.contains(text));
    let literals: Vec<Literal> = texts
        .map(|text| Literal { value: Value::from(text), form: Form::Other, place: None, location: None })
        .collect();
    (!literals.is_empty()).then(|| RuleVocabulary {
        rule: MODULE.to_owned(),
        location: None,
        reads: BTreeSet::new(),
        literals,
    })
}

fn of_rule(rule: &Rule) -> RuleVocabulary {
    let mut literals: Vec<Literal> = Vec::new();
    for constant in rule.constants() {
        let (form, place) = use_of(rule, &constant.position, constant.kind);
        let value = match constant.kind {
            ConstantKind::Text(text) => Value::from(text),
            ConstantKind::Number(text) => match serde_json::from_str(text) {
                Ok(number) => number,
                Err(_) => continue,
            },
        };
        let literal = Literal { value, form, place, location: None };
        if !literals.contains(&literal) {
            literals.push(literal);
        }
    }
    RuleVocabulary { rule: rule.name.clone(), location: None, reads: reads(rule), literals }
}

/// The members of the request that the rule asks for, but for those on the way to others.
fn reads(rule: &Rule) -> BTreeSet<Pointer> {
    let paths: BTreeSet<&[String]> = rule
        .statements
        .iter()
        .filter_map(|statement| match &statement.kind {
            Kind::Dot { target, .. } => match rule.origin(*target) {
                Origin::Input(path) => Some(path.as_slice()),
                _ => None,
            },
            _ => None,
        })
        .collect();
    let on_the_way =
        |path: &[String]| paths.iter().any(|other| other.len() > path.len() && other.starts_with(path));
    paths
        .iter()
        .filter(|path| !on_the_way(path))
        .map(|path| Pointer::from_tokens(path.iter().cloned()))
        .collect()
}

/// What is done with a constant, and to which member of the request.
fn use_of(rule: &Rule, position: &Position<'_>, kind: ConstantKind<'_>) -> (Form, Option<Pointer>) {
    let is_number = matches!(kind, ConstantKind::Number(_));
    let whole_or_bound = |held: &Term| match member(rule, held) {
        Some(Member::Itself(place)) => (Form::Whole, Some(place)),
        Some(Member::Inside(place)) => (Form::Element, Some(place)),
        None if is_number => (Form::Bound, None),
        None => (Form::Other, None),
    };
    match *position {
        Position::Compared(held) => whole_or_bound(held),
        Position::Argument { builtin, index, arguments } => {
            let itself = |index: usize| match member(rule, arguments.get(index)?) {
                Some(Member::Itself(place)) => Some(place),
                _ => None,
            };
            match (builtin, index) {
                ("opa_cmp_eq" | "opa_cmp_neq", 0 | 1) => match arguments.get(1 - index) {
                    Some(held) => whole_or_bound(held),
                    None => (Form::Other, None),
                },
                ("opa_cmp_lt" | "opa_cmp_lte" | "opa_cmp_gt" | "opa_cmp_gte", 0 | 1) if is_number => {
                    (Form::Bound, itself(1 - index))
                }
                ("builtin_member", 0) => match itself(1) {
                    Some(place) => (Form::Element, Some(place)),
                    None => (Form::Other, None),
                },
                ("opa_strings_startswith" | "opa_strings_trim_prefix", 1) => (Form::Prefix, itself(0)),
                ("opa_strings_endswith" | "opa_strings_trim_suffix", 1) => (Form::Suffix, itself(0)),
                ("opa_strings_contains" | "opa_strings_split", 1) => (Form::Infix, itself(0)),
                ("opa_regex_match", 0) => (Form::Regex, itself(1)),
                _ => (Form::Other, None),
            }
        }
        Position::Listed(list) => match rule.position_of(list) {
            Position::Argument { builtin: "builtin_member", index: 1, arguments: [held, _] } => {
                whole_or_bound(held)
            }
            _ => (Form::Other, None),
        },
        Position::Other => (Form::Other, None),
    }
}

/// What of the request something is.
enum Member {
    Itself(Pointer),
    /// Something in a list.
    Inside(Pointer),
}

fn member(rule: &Rule, term: &Term) -> Option<Member> {
    match rule.origin(term.value()?) {
        Origin::Input(path) if !path.is_empty() => {
            Some(Member::Itself(Pointer::from_tokens(path.iter().cloned())))
        }
        Origin::Element(path) if !path.is_empty() => {
            Some(Member::Inside(Pointer::from_tokens(path.iter().cloned())))
        }
        _ => None,
    }
}
