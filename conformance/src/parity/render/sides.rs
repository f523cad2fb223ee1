//! A counterexample's answers, side by side.

use serde_json::Value;
use similar::{Algorithm, DiffTag, capture_diff_slices};
use tribunal::core::contract::DecisionEffect;
use tribunal::core::contract::parity::Difference;

use super::figures::number;
use super::matrix::differ;
use crate::escape;
use crate::parity::report::{AnswerRecord, Counterexample, ExplainedAnswer, ParityReport, Participant};

/// One participant's side.
#[derive(Debug)]
pub(super) struct Side<'r> {
    /// Its place among the participants.
    pub(super) place: usize,
    pub(super) participant: &'r Participant,
    pub(super) explained: &'r ExplainedAnswer,
    /// The respects in which it differs from the first.
    pub(super) differs: Vec<Difference>,
}

/// The sides of a counterexample: everyone who was asked, the first to be compared with at the front.
pub(super) fn sides<'r>(report: &'r ParityReport, counterexample: &'r Counterexample) -> Vec<Side<'r>> {
    let first = counterexample.answers.iter().flatten().next();
    let answers = report.participants.iter().zip(&counterexample.answers).enumerate();
    let side = |(place, (participant, answer)): (usize, (&'r Participant, &'r Option<ExplainedAnswer>))| {
        let explained = answer.as_ref()?;
        let differs = |respect: &Difference| first.is_some_and(|first| dissents(first, explained, *respect));
        let differs = counterexample.differences.iter().copied().filter(differs).collect();
        Some(Side { place, participant, explained, differs })
    };
    answers.filter_map(side).collect()
}

fn dissents(first: &ExplainedAnswer, other: &ExplainedAnswer, respect: Difference) -> bool {
    match respect {
        Difference::Redaction => first.redacted != other.redacted,
        other_respect => differ(&first.answer, &other.answer, &[other_respect]),
    }
}

/// In which respects answers differ, as a list.
pub(super) fn respects(differences: &[Difference]) -> String {
    differences.iter().map(|respect| respect.as_str()).collect::<Vec<_>>().join(", ")
}

/// That a counterexample is a known divergence, and why it is there.
pub(super) fn known(report: &ParityReport, counterexample: &Counterexample) -> Option<String> {
    let name = counterexample.known.as_ref()?;
    let reason =
        report.known.iter().find(|known| known.name == *name).map(|known| format!(": {}", known.reason));
    Some(format!("known divergence `{name}`{}", reason.iter().map(String::as_str).collect::<String>()))
}

/// What else there is to know about a counterexample, a sentence each.
pub(super) fn circumstances(counterexample: &Counterexample) -> Vec<String> {
    let Counterexample { now, token, found_size, size, found_at, times, written_to, .. } = counterexample;
    let mut said = vec![format!(
        "size {} (members, elements and characters), shrunk from {}; request {} of the search, one of {} that differed \
         in this way; decided for {now}",
        number(*size as u64),
        number(*found_size as u64),
        number(*found_at),
        number(*times)
    )];
    said.extend(token.iter().map(|token| format!("token: {token}")));
    said.extend(
        foreign(&counterexample.request).map(|foreign| format!("characters beyond ASCII: {foreign}")),
    );
    said.extend(written_to.iter().map(|file| format!("written to {file}")));
    said
}

/// An answer's parts besides its effect, as people read them.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) fault: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) step_up: Option<String>,
    pub(super) patches: Option<String>,
    pub(super) rules: String,
}

impl Parts {
    pub(super) fn of(answer: &AnswerRecord) -> Self {
        let fault = answer.fault.map(|kind| match &answer.fault_detail {
            Some(detail) => format!("{kind}: {detail}"),
            None => kind.to_string(),
        });
        let rules = match answer.rules.as_deref() {
            None => "cannot be told".to_owned(),
            Some([]) => "none".to_owned(),
            Some(rules) => rules.join(", "),
        };
        Parts {
            fault,
            reason: answer.reason.clone(),
            step_up: answer.step_up.as_ref().map(compact),
            patches: Some(&answer.patches).filter(|patches| !patches.is_empty()).map(compact),
            rules,
        }
    }
}

/// The columns of [`row`].
pub(super) const SIDE: [&str; 7] = ["", "effect", "reason", "fault", "step-up", "rules", "differs in"];

/// What one participant answers.
pub(super) fn row(side: &Side<'_>) -> Vec<String> {
    let Parts { fault, reason, step_up, rules, .. } = Parts::of(&side.explained.answer);
    let dash = |text: Option<String>| text.unwrap_or_else(|| "—".to_owned());
    let effect = side.explained.answer.effect.to_string();
    let differs = respects(&side.differs);
    vec![side.participant.name.clone(), effect, dash(reason), dash(fault), dash(step_up), rules, differs]
}

/// The columns of [`trace`].
pub(super) const TRACE: [&str; 3] = ["rule", "place", "what it came to"];

/// The rules that ran on one side.
pub(super) fn trace(explained: &ExplainedAnswer) -> Vec<Vec<String>> {
    let lines = explained.trace.iter();
    lines.map(|line| vec![line.rule.clone(), place(&line.location), line.note.clone()]).collect()
}

/// A place as a cell of a table.
pub(super) fn place(location: &Option<String>) -> String {
    location.iter().map(String::as_str).collect()
}

/// A value as JSON on one line.
pub(super) fn compact(value: &impl serde::Serialize) -> String {
    escape::json(&serde_json::to_string(value).unwrap_or_else(|error| error.to_string()))
}

/// A value as JSON over several lines.
pub(super) fn pretty(value: &Value) -> String {
    escape::json(&format!("{value:#}"))
}

/// The characters beyond ASCII that a request holds, each with its number: look-alikes are told apart by nothing else.
pub(super) fn foreign(request: &Value) -> Option<String> {
    let text = request.to_string();
    let foreign: std::collections::BTreeSet<char> =
        text.chars().filter(|character| !character.is_ascii()).collect();
    let named = |character: char| {
        let shown = if escape::acts(character) { String::new() } else { format!("{character} ") };
        format!("{shown}U+{:04X}", u32::from(character))
    };
    let named: Vec<String> = foreign.into_iter().map(named).collect();
    if named.is_empty() { None } else { Some(named.join(", ")) }
}

/// What one participant lets go ahead, compared with what another does, or with the request itself.
#[derive(Debug)]
pub(super) struct Redaction<'r> {
    /// What stands on the left.
    pub(super) left: String,
    /// Whose redacted request stands on the right.
    pub(super) right: &'r str,
    pub(super) lines: Vec<DiffLine>,
}

/// The redacted requests: the first as a change of the request, every other as a change of the first.
pub(super) fn redactions<'r>(counterexample: &Counterexample, sides: &[Side<'r>]) -> Vec<Redaction<'r>> {
    let mut redactions: Vec<Redaction<'r>> = Vec::new();
    let mut first: Option<(&str, &Value)> = None;
    for Side { participant, explained, .. } in sides {
        // An `allow` lets the request itself go ahead: beside a redaction, that is a difference to be seen.
        let is_allowed = explained.answer.effect == DecisionEffect::Allow && first.is_some();
        let Some(redacted) = explained.redacted.as_ref().or(is_allowed.then_some(&counterexample.request))
        else {
            continue;
        };
        let right = participant.name.as_str();
        match first {
            None => {
                first = Some((right, redacted));
                let lines = diff(&pretty(&counterexample.request), &pretty(redacted));
                redactions.push(Redaction { left: "the request".to_owned(), right, lines });
            }
            Some((name, before)) if before != redacted => {
                let lines = diff(&pretty(before), &pretty(redacted));
                redactions.push(Redaction { left: name.to_owned(), right, lines });
            }
            Some(_) => {}
        }
    }
    redactions
}

/// A line of a comparison of two texts: on both sides, or on one of them. Lines that replace each other share one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DiffLine {
    pub(super) left: Option<String>,
    pub(super) right: Option<String>,
    pub(super) is_same: bool,
}

/// Compares two texts line by line.
pub(super) fn diff(left: &str, right: &str) -> Vec<DiffLine> {
    let (left, right): (Vec<&str>, Vec<&str>) = (left.lines().collect(), right.lines().collect());
    let mut lines = Vec::new();
    for change in capture_diff_slices(Algorithm::Myers, &left, &right) {
        let is_same = change.tag() == DiffTag::Equal;
        let owned = |side: &[&str], range| -> Vec<String> {
            side.get::<std::ops::Range<usize>>(range)
                .into_iter()
                .flatten()
                .map(|line| (*line).to_owned())
                .collect()
        };
        let (mut old, mut new) =
            (owned(&left, change.old_range()).into_iter(), owned(&right, change.new_range()).into_iter());
        loop {
            let (left, right) = (old.next(), new.next());
            if left.is_none() && right.is_none() {
                break;
            }
            lines.push(DiffLine { left, right, is_same });
        }
    }
    lines
}

/// The same comparison as one column, `-` before what is gone and `+` before what has come.
pub(super) fn unified(lines: &[DiffLine]) -> String {
    let mut text = String::new();
    let mut line = |sign: char, line: &str| {
        text.push(sign);
        text.push(' ');
        text.push_str(line);
        text.push('\n');
    };
    for block in lines.chunk_by(|a, b| a.is_same == b.is_same) {
        if block.iter().any(|one| one.is_same) {
            block.iter().filter_map(|one| one.left.as_deref()).for_each(|same| line(' ', same));
        } else {
            block.iter().filter_map(|one| one.left.as_deref()).for_each(|gone| line('-', gone));
            block.iter().filter_map(|one| one.right.as_deref()).for_each(|come| line('+', come));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_replace_each_other_stand_side_by_side() {
        let lines = diff("{\na\nb\n}", "{\nc\n}");
        let pair = |left: Option<&str>, right: Option<&str>| DiffLine {
            left: left.map(str::to_owned),
            right: right.map(str::to_owned),
            is_same: left == right,
        };
        let expected = [
            pair(Some("{"), Some("{")),
            pair(Some("a"), Some("c")),
            pair(Some("b"), None),
            pair(Some("}"), Some("}")),
        ];
        assert_eq!(lines, expected);
        assert_eq!(unified(&lines), "  {\n- a\n- b\n+ c\n  }\n");
    }

    #[test]
    fn look_alikes_are_told_apart() {
        let foreign = foreign(&serde_json::json!({"tоol": "a\u{202e}"}));
        assert_eq!(foreign.as_deref(), Some("о U+043E, U+202E"));
    }
}
