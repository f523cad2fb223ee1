//! Where what came of a scenario is not what was expected.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tribunal::core::fault::Fault;
use tribunal::{DecisionEffect, PolicyRequest, Tribunal};

use super::detect;
use super::runner::{Asked, Played, StepResult};
use super::spec::{ScenarioSpec, StepEffect, StepExpectation, Text};
use super::suite::Step;

/// Every expectation of a step that is not met. What was redacted is decided once more besides: a redaction is complete.
pub(super) fn of_steps(tribunal: &Tribunal, steps: &[Step], results: &[StepResult]) -> Vec<String> {
    let mut failures = Vec::new();
    for (step, result) in steps.iter().zip(results) {
        let mut found = match (&result.played, step.expect.effect) {
            (Played::Blocked(_), StepEffect::Blocked) => Vec::new(),
            (Played::Blocked(why), _) => {
                vec![format!("it cannot be asked: {why}; say `effect: blocked` if that is expected")]
            }
            (Played::Asked(asked), StepEffect::Blocked) => {
                vec![format!("expected to be blocked, but it was asked: {}", told(asked))]
            }
            (Played::Asked(asked), _) => {
                let mut found = of_answer(asked, &step.expect);
                found.extend(incomplete(tribunal, step, asked));
                found
            }
        };
        failures.extend(
            found.drain(..).map(|failure| format!("step `{}` ({}): {failure}", step.name, step.location)),
        );
    }
    failures
}

/// What a decision says, in one line.
fn told(asked: &Asked) -> String {
    let decision = &asked.outcome.decision;
    let reason = decision.reason.iter().map(|reason| format!(" ({reason})")).collect::<String>();
    let faults = faults(asked).map(|fault| format!(", fault {fault}")).collect::<String>();
    format!("{}{reason}{faults}", decision.effect)
}

fn faults(asked: &Asked) -> impl Iterator<Item = &Fault> {
    asked.outcome.fault.iter().chain(asked.outcome.packs.iter().filter_map(|pack| pack.fault.as_ref()))
}

fn of_answer(asked: &Asked, expect: &StepExpectation) -> Vec<String> {
    let mut failures = Vec::new();
    let decision = &asked.outcome.decision;
    if let Some(effect) = expect.effect.decided()
        && effect != decision.effect
    {
        failures.push(format!("expected {effect}, decided {}", told(asked)));
    }
    if let Some(reason) = expect.reason.as_ref().filter(|reason| decision.reason.as_ref() != Some(reason)) {
        failures.push(format!("expected the reason {reason:?}, decided {}", told(asked)));
    }
    match expect.fault {
        // Otherwise a guard that is out of order would pass for one that holds.
        None => failures.extend(faults(asked).map(|fault| format!("nobody expected the fault {fault}"))),
        Some(kind) if !faults(asked).any(|fault| fault.kind == kind) => {
            failures.push(format!("expected the fault {kind}, decided {}", told(asked)));
        }
        Some(_) => {}
    }
    for (name, expected) in &expect.packs {
        match asked.outcome.packs.iter().find(|pack| pack.identity.pack == *name) {
            None => failures.push(format!("expected pack `{name}` to claim it, and it did not")),
            Some(pack) if pack.decision.effect != expected.effect => failures.push(format!(
                "expected pack `{name}` to decide {}, it decided {} ({})",
                expected.effect,
                pack.decision.effect,
                pack.decision.reason.as_deref().map_or("no reason", |reason| reason)
            )),
            Some(pack) if expected.reason.is_some() && pack.decision.reason != expected.reason => {
                failures.push(format!(
                    "expected the reason {:?} of pack `{name}`, it gave {:?}",
                    expected.reason, pack.decision.reason
                ));
            }
            Some(_) => {}
        }
    }
    if let Some(sanitised) = &asked.sanitised {
        for Text(text) in expect.present.iter().filter(|text| !holds(sanitised, &text.0)) {
            failures.push(format!("{text:?} does not stand in what goes ahead: {sanitised}"));
        }
        failures.extend(forbidden(&expect.absent, sanitised, "what goes ahead"));
    } else if !expect.present.is_empty() {
        failures.push("nothing goes ahead, and a text was expected in it".to_owned());
    }
    if !expect.artifact.is_empty() {
        match serde_json::to_value(&asked.artifact) {
            Ok(artifact) => {
                lacking(&expect.artifact, &artifact, "", &mut |place, expected, found| {
                    let found = found.map_or_else(|| "nothing".to_owned(), ToString::to_string);
                    failures.push(format!("the artifact has {found} at `{place}`, not {expected}"));
                });
            }
            Err(error) => failures.push(format!("the artifact cannot be written as JSON: {error}")),
        }
    }
    failures
}

/// Whatever is not allowed of a redacted request that is asked again.
fn incomplete(tribunal: &Tribunal, step: &Step, asked: &Asked) -> Option<String> {
    let sanitised = asked.sanitised.as_ref().filter(|_| asked.effect() == DecisionEffect::Redact)?;
    let again = match PolicyRequest::from_slice(sanitised.to_string().as_bytes()) {
        Ok(request) => tribunal.outcome(&request.at(step.now)).decision,
        Err(fault) => return Some(format!("what goes ahead is no request: {fault}")),
    };
    (again.effect != DecisionEffect::Allow).then(|| {
        format!("the redaction is not complete: asked again, it is {} ({:?})", again.effect, again.reason)
    })
}

/// Every assertion of a scenario that does not hold for what went ahead, for what memory holds of it, and for artifacts.
pub(super) fn of_scenario(
    spec: &ScenarioSpec,
    results: &[StepResult],
    memory: &BTreeMap<String, Value>,
) -> Vec<String> {
    let mut failures = Vec::new();
    let went_ahead = results.iter().filter_map(|result| {
        Some((format!("what goes ahead of step `{}`", result.step), result.played.sanitised()?))
    });
    // What was there before anybody was asked is what an attack begins with.
    let stored = memory.iter().filter(|(key, value)| spec.memory.get(*key) != Some(value));
    let stored = stored.map(|(key, value)| (format!("the memory `{key}`"), value));
    for (what, value) in went_ahead.chain(stored) {
        failures.extend(forbidden(&spec.assert.absent, value, &what));
        if spec.assert.no_injection {
            failures.extend(detect::injections(value).map_or_else(
                |error| vec![format!("{what} cannot be read: {error}")],
                |found| found.iter().map(|finding| format!("an injection is in {what}: {finding}")).collect(),
            ));
        }
        if spec.assert.no_pii {
            failures.extend(detect::personal_data(value).map_or_else(
                |error| vec![format!("{what} cannot be read: {error}")],
                |found| {
                    found.iter().map(|finding| format!("personal data is in {what}: {finding}")).collect()
                },
            ));
        }
    }
    let asked = results.iter().filter_map(|result| match &result.played {
        Played::Asked(asked) => Some((&result.step, asked)),
        Played::Blocked(_) => None,
    });
    for (step, asked) in asked.clone() {
        match serde_json::to_value(&asked.artifact) {
            Ok(artifact) => {
                failures.extend(forbidden(
                    &spec.assert.absent,
                    &artifact,
                    &format!("the artifact of step `{step}`"),
                ));
            }
            Err(error) => failures.push(format!("an artifact cannot be written as JSON: {error}")),
        }
    }
    if let Some(last) = spec.assert.last {
        let found = asked.clone().next_back().map(|(_, asked)| asked.effect());
        if found != Some(last) {
            let found = found.map_or("nothing", DecisionEffect::as_str);
            failures.push(format!("expected the last decision to be {last}, it is {found}"));
        }
    }
    failures
}

fn forbidden(absent: &[Text], value: &Value, what: &str) -> Vec<String> {
    let found = absent.iter().filter(|text| holds(value, &text.0));
    found.map(|Text(text)| format!("{text:?} stands in {what}")).collect()
}

/// Whether a text stands in any text or member name of a value, upper and lower case being the same.
fn holds(value: &Value, text: &str) -> bool {
    fn within(value: &Value, text: &str) -> bool {
        match value {
            Value::String(found) => found.to_lowercase().contains(text),
            Value::Array(items) => items.iter().any(|item| within(item, text)),
            Value::Object(members) => members
                .iter()
                .any(|(name, member)| name.to_lowercase().contains(text) || within(member, text)),
            other => other.to_string().contains(text),
        }
    }
    within(value, &text.to_lowercase())
}

/// Where a value lacks what another has: members, or other values at the same place.
fn lacking(
    expected: &Map<String, Value>,
    found: &Value,
    place: &str,
    report: &mut impl FnMut(&str, &Value, Option<&Value>),
) {
    for (name, wanted) in expected {
        let place = format!("{place}/{name}");
        match (wanted, found.get(name)) {
            (Value::Object(wanted), Some(found @ Value::Object(_))) => lacking(wanted, found, &place, report),
            (wanted, found) if found != Some(wanted) => report(&place, wanted, found),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_text_is_found_wherever_it_stands() {
        let value = json!({"a": ["x", {"Needle": 4711}], "b": "a NEEDLE here"});
        for text in ["needle", "NEEDLE HERE", "4711"] {
            assert!(holds(&value, text), "{text}");
        }
        assert!(!holds(&value, "pin"));
    }

    #[test]
    fn what_an_artifact_lacks_is_told_with_its_place() {
        let found = json!({"counts": {"patches": 1, "effects": {"deny": 0}}, "list": [1]});
        let Value::Object(expected) =
            json!({"counts": {"patches": 2, "effects": {"deny": 0}}, "list": [1], "no": 1})
        else {
            panic!("an object")
        };
        let mut places = Vec::new();
        lacking(&expected, &found, "", &mut |place, _, found| {
            places.push((place.to_owned(), found.is_some()))
        });
        assert_eq!(places, [("/counts/patches".to_owned(), true), ("/no".to_owned(), false)]);
    }
}
