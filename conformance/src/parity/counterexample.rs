//! Requests on which participants differ: shrunk, explained, told apart, and held against the list of known divergences.

use std::collections::BTreeSet;

use tribunal::core::contract::parity::Difference;

use super::answer::explained;
use super::known::{Covers, Known};
use super::lineup::Lineup;
use super::report::{Counterexample, ExplainedAnswer, KnownResult};
use crate::search::explore::kind_of;
use crate::search::shrink::{shrink, size};
use crate::search::{Answer, Disagreement, Panel, Question, Reply};

/// Shrinks a disagreement, and asks everyone again how they come to their answers.
pub(super) fn of(lineup: &Lineup, disagreement: &Disagreement) -> Counterexample {
    let Disagreement { question, found_at, times, differences, answers } = disagreement;
    let smallest = minimal(&lineup.panel, question, answers, differences);
    let shown = shown(lineup, smallest, answers);
    Counterexample { found_size: size(&question.request), found_at: *found_at, times: *times, ..shown }
}

/// The smallest question on which the members of a panel still differ as they did.
pub fn minimal(
    panel: &Panel,
    question: &Question,
    answers: &[Answer],
    differences: &[Difference],
) -> Question {
    let wanted = kind_of(answers, differences, false);
    shrink(question, |smaller| match panel.ask(smaller, None) {
        Reply::HostRefused(_) => false,
        Reply::Answered(answers) => {
            let differences = panel.differences(smaller, &answers);
            !differences.is_empty() && kind_of(&answers, &differences, false) == wanted
        }
    })
}

/// A question with everyone's answer and the way to it; `otherwise` are the answers if the host refuses it.
fn shown(lineup: &Lineup, question: Question, otherwise: &[Answer]) -> Counterexample {
    let panel = &lineup.panel;
    let answers = match panel.ask(&question, None) {
        Reply::Answered(answers) => answers,
        Reply::HostRefused(_) => otherwise.to_vec(),
    };
    let explained: Vec<ExplainedAnswer> = answers
        .iter()
        .zip(panel.explain(&question))
        .map(|(answer, explanation)| explained(&question, answer, explanation))
        .collect();
    Counterexample {
        now: question.now.to_string(),
        token: question.token.as_ref().map(|token| format!("a token of {} bytes", token.as_bytes().len())),
        found_size: size(&question.request),
        size: size(&question.request),
        found_at: 0,
        times: 0,
        differences: panel.differences(&question, &answers),
        answers: lineup.by_participant(&explained),
        known: None,
        written_to: None,
        request: question.request,
    }
}

/// Whether two counterexamples show the same thing: the same answers, by the same rules.
pub(super) fn show_the_same(a: &Counterexample, b: &Counterexample) -> bool {
    fn by(answer: &ExplainedAnswer) -> (Vec<&str>, Option<&[String]>) {
        let ran = answer.trace.iter().flat_map(|line| [line.rule.as_str(), line.note.as_str()]);
        (ran.collect(), answer.answer.rules.as_deref())
    }
    let alike = |pair: (&Option<ExplainedAnswer>, &Option<ExplainedAnswer>)| match pair {
        (Some(a), Some(b)) => {
            a.answer.effect == b.answer.effect && a.answer.fault == b.answer.fault && by(a) == by(b)
        }
        (None, None) => true,
        _ => false,
    };
    a.differences == b.differences
        && a.answers.len() == b.answers.len()
        && a.answers.iter().zip(&b.answers).all(alike)
}

/// A divergence that the pack lists, and what became of it.
#[derive(Debug)]
pub(super) struct Reviewed {
    pub(super) result: KnownResult,
    covers: Covers,
    /// The divergence as it shows itself, shrunk, if it still does.
    example: Option<Counterexample>,
}

impl Reviewed {
    /// Whether a counterexample is this divergence: it shows the same thing as the listed request.
    pub(super) fn is_shown_by(&self, found: &Counterexample) -> bool {
        self.example.as_ref().is_some_and(|example| {
            show_the_same(example, found)
                && (self.covers == Covers::SameRules || example.request == found.request)
        })
    }
}

/// Asks about a listed divergence. It still is one if the engines it names differ from the others, and these agree. Where
/// nobody it names takes part, or nobody else does, it cannot be told, and its reason says so.
pub(super) fn review(lineup: &Lineup, known: &Known) -> Reviewed {
    let written = &known.written;
    let engines: Vec<&str> = lineup
        .participants
        .iter()
        .filter(|participant| participant.refused.is_none())
        .map(|participant| participant.engine.as_str())
        .collect();
    let is_named = |engine: &str| written.engines.contains(engine);
    let sides: BTreeSet<bool> = engines.iter().map(|engine| is_named(engine)).collect();
    if sides.len() < 2 {
        let asked = if sides.contains(&true) { "nobody else was asked" } else { "nobody it names was asked" };
        let result = KnownResult {
            name: written.name.clone(),
            reason: format!("{} (not checked: {asked})", written.reason),
            upstream: written.upstream.clone(),
            holds: true,
            times: 0,
        };
        return Reviewed { result, covers: written.covers, example: None };
    }
    let holds = match lineup.panel.ask(&known.question, None) {
        Reply::HostRefused(_) => false,
        Reply::Answered(answers) => {
            let (named, others): (Vec<_>, Vec<_>) =
                engines.iter().zip(answers).partition(|(engine, _)| is_named(engine));
            let others: Vec<Answer> = others.into_iter().map(|(_, answer)| answer).collect();
            let differs = |answer: Answer| {
                let pair: Vec<Answer> = others.first().cloned().into_iter().chain([answer]).collect();
                !lineup.panel.differences(&known.question, &pair).is_empty()
            };
            lineup.panel.differences(&known.question, &others).is_empty()
                && named.into_iter().all(|(_, answer)| differs(answer))
        }
    };
    let result = KnownResult {
        name: written.name.clone(),
        reason: written.reason.clone(),
        upstream: written.upstream.clone(),
        holds,
        times: 0,
    };
    let example = holds.then(|| {
        let question = match lineup.panel.ask(&known.question, None) {
            Reply::Answered(answers) => {
                let differences = lineup.panel.differences(&known.question, &answers);
                minimal(&lineup.panel, &known.question, &answers, &differences)
            }
            Reply::HostRefused(_) => known.question.clone(),
        };
        shown(lineup, question, &[])
    });
    Reviewed { result, covers: written.covers, example }
}
