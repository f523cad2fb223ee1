//! Counterexamples as cases that a pack can keep.

use serde_json::{Map, Value, json};
use tribunal::core::contract::DecisionEffect;

use super::report::{AnswerRecord, Counterexample, ParityReport};

/// A file of cases with every counterexample that is not known. Each expects the most severe of the answers, which is the
/// safe one to begin with; above it stands what everyone answered, for the person who decides which is right.
///
/// `prefix` begins the cases' names. `None` if there is nothing to write.
pub fn cases(report: &ParityReport, prefix: &str) -> Option<String> {
    let new: Vec<&Counterexample> =
        report.search.as_ref()?.counterexamples.iter().filter(|example| example.known.is_none()).collect();
    if new.is_empty() {
        return None;
    }
    let mut text = format!(
        "# Requests on which engines differ, found by `{}`.\n# Each expects the most severe answer: decide which is right, then mend the policies that differ.\n",
        report.run.command.replace(char::is_control, " ")
    );
    for (index, example) in new.into_iter().enumerate() {
        text.push('\n');
        for (participant, answer) in report.participants.iter().zip(&example.answers) {
            let said = answer.as_ref().map_or("not asked".to_owned(), |answer| in_words(&answer.answer));
            // Nothing of a request may end the comment.
            let line = format!("{}: {said}", participant.name).replace(char::is_control, " ");
            text.push_str(&format!("# {line}\n"));
        }
        if example.token.is_some() {
            text.push_str(
                "# It was decided with a token: give the case a `token`, a file beside the cases.\n",
            );
        }
        text.push_str(&format!("- name: {prefix}-{}\n", index + 1));
        text.push_str(&format!("  request: {}\n", example.request));
        if example.now != crate::case::suite::DEFAULT_NOW.to_string() {
            text.push_str(&format!("  now: {}\n", example.now));
        }
        let severest = severest(example);
        text.push_str(&format!("  expect: {}\n", severest.map_or(json!({"effect": "deny"}), expectation)));
    }
    Some(text)
}

/// The most severe answer, and of several the one that most give.
fn severest(example: &Counterexample) -> Option<&AnswerRecord> {
    let answers = || example.answers.iter().flatten().map(|answer| &answer.answer);
    let alike = |one: &AnswerRecord| {
        answers().filter(|other| other.effect == one.effect && other.reason == one.reason).count()
    };
    answers().max_by_key(|answer| (answer.effect, alike(answer)))
}

/// An answer in one line.
pub fn in_words(answer: &AnswerRecord) -> String {
    let reason = answer.reason.as_ref().map_or(String::new(), |reason| format!(" {reason:?}"));
    let rules = answer.rules.as_ref().filter(|rules| !rules.is_empty());
    let rules = rules.map_or(String::new(), |rules| format!(" by {}", rules.join(", ")));
    format!("{}{reason}{rules}", answer.effect)
}

fn expectation(answer: &AnswerRecord) -> Value {
    let mut members = Map::new();
    members.insert("effect".to_owned(), Value::from(answer.effect.as_str()));
    match answer.fault {
        Some(kind) => {
            members.insert("fault".to_owned(), Value::from(kind.as_str()));
        }
        None => {
            members.extend(
                answer.reason.as_ref().map(|reason| ("reason".to_owned(), Value::from(reason.as_str()))),
            );
            let step_up = answer.step_up.as_ref().and_then(|demand| serde_json::to_value(demand).ok());
            members.extend(step_up.map(|demand| ("step_up".to_owned(), demand)));
            if answer.effect == DecisionEffect::Redact {
                let patches = serde_json::to_value(&answer.patches).ok();
                members.extend(patches.map(|patches| ("patches".to_owned(), patches)));
            }
        }
    }
    Value::Object(members)
}
