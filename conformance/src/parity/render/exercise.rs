//! What a search exercised, counted. What the host decided for every engine alike is counted apart.

use super::figures::{length, number};
use crate::parity::report::{
    Exercised, LiteralExercise, ParityReport, Participant, RuleExercise, SearchReport,
};

/// Why rules that read only what the host derived prove nothing.
pub(super) const DERIVED_RULES: &str = "Decided by derive only: all that these rules read was computed by the host, once for every \
     engine. That engines agree on them says nothing of the engines, so they are not counted above.";

/// Why literals in `derive:` prove nothing.
pub(super) const DERIVED_LITERALS: &str = "In derive only: these literals stand in the pack's `derive:` and in no policy, so no engine \
     evaluated them, and they are not counted above.";

/// How far a rule was exercised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// It determined answers.
    Determined,
    /// It came true, and determined nothing that was told.
    CameTrue,
    /// It ran, and never came true.
    OnlyFalse,
    /// It was not seen to run.
    Never,
    /// The engine does not tell.
    Untraced,
}

impl Reach {
    pub(super) const ALL: [Reach; 5] =
        [Reach::Determined, Reach::CameTrue, Reach::OnlyFalse, Reach::Never, Reach::Untraced];

    pub(super) fn of(rule: &RuleExercise) -> Self {
        match (rule.determined, rule.ran, rule.failed) {
            (Some(1..), _, _) => Reach::Determined,
            (_, Some(true), _) => Reach::CameTrue,
            (_, _, Some(true)) => Reach::OnlyFalse,
            (None, None, None) => Reach::Untraced,
            _ => Reach::Never,
        }
    }

    /// Whether the rule had a part in an answer.
    fn is_exercised(self) -> bool {
        matches!(self, Reach::Determined | Reach::CameTrue)
    }
}

/// What the search saw of one rule, in words.
fn seen(rule: &RuleExercise) -> String {
    let mut said = Vec::new();
    if let Some(times) = rule.determined {
        said.push(format!("determined {}×", number(times)));
    }
    match (rule.ran, rule.failed) {
        (Some(true), Some(true)) => said.push("seen true and false".to_owned()),
        (Some(true), _) => said.push("seen true only".to_owned()),
        (_, Some(true)) => said.push("seen false only".to_owned()),
        (Some(false), _) | (_, Some(false)) => said.push("never seen to run".to_owned()),
        (None, None) => said.push("not traced".to_owned()),
    }
    said.join(", ")
}

/// The exercise of every participant's rules and literals together, without what the host decided.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    /// Rules that determined an answer or came true.
    pub(super) rules_exercised: usize,
    /// Rules whose engine tells whether they run.
    pub(super) rules: usize,
    /// Rules whose engine does not tell.
    pub(super) untraced: usize,
    /// Literals that requests were made of.
    pub(super) literals_tried: usize,
    /// Literals.
    pub(super) literals: usize,
    /// Rules and literals that only the host evaluates: in none of the numbers above.
    pub(super) derived: usize,
}

/// Counts what was exercised.
pub(super) fn totals(exercised: &Exercised) -> Totals {
    let mut totals = Totals::default();
    for rule in exercised.rules.iter().filter(|rule| !rule.derived_only) {
        match Reach::of(rule) {
            Reach::Untraced => totals.untraced += 1,
            reach => {
                totals.rules += 1;
                totals.rules_exercised += usize::from(reach.is_exercised());
            }
        }
    }
    let derived = exercised.rules.iter().filter(|rule| rule.derived_only).count();
    totals.derived = derived + exercised.derived_literals.len();
    totals.literals = exercised.literals.len();
    totals.literals_tried = exercised.literals.iter().filter(|literal| literal.tried > 0).count();
    totals
}

/// One participant's rules and literals.
#[derive(Debug)]
pub(super) struct Coverage<'r> {
    pub(super) participant: &'r Participant,
    /// Rules that its engine evaluates.
    pub(super) rules: Vec<&'r RuleExercise>,
    /// Rules whose answer the host derived.
    pub(super) derived: Vec<&'r RuleExercise>,
    pub(super) literals: Vec<&'r LiteralExercise>,
}

impl<'r> Coverage<'r> {
    /// A row of numbers.
    pub(super) fn cells(&self) -> Vec<String> {
        let mut cells = vec![self.participant.name.clone(), length(&self.rules)];
        cells.extend(Reach::ALL.map(|reach| number(self.reached(reach) as u64)));
        cells.push(length(&self.derived));
        cells.push(format!("{} of {}", length(&self.literals(true)), length(&self.literals)));
        cells
    }

    /// How many rules were exercised so far.
    pub(super) fn reached(&self, reach: Reach) -> usize {
        self.rules.iter().filter(|rule| Reach::of(rule) == reach).count()
    }

    /// The rules that had no part in any answer, as [`RULE`] has them.
    pub(super) fn unexercised(&self) -> Vec<Vec<String>> {
        self.rules.iter().filter(|rule| !Reach::of(rule).is_exercised()).map(|rule| row(rule)).collect()
    }

    /// All rules, as [`RULE`] has them.
    pub(super) fn all(&self) -> Vec<Vec<String>> {
        self.rules.iter().map(|rule| row(rule)).collect()
    }

    /// The literals that requests were made of, or those that none was.
    pub(super) fn literals(&self, tried: bool) -> Vec<&'r LiteralExercise> {
        self.literals.iter().copied().filter(|literal| (literal.tried > 0) == tried).collect()
    }
}

/// The columns of a table of rules.
pub(super) const RULE: [&str; 3] = ["rule", "place", "seen"];

fn row(rule: &RuleExercise) -> Vec<String> {
    vec![rule.rule.clone(), super::sides::place(&rule.location), seen(rule)]
}

/// The columns of [`derived`].
pub(super) const DERIVED: [&str; 3] = ["rule", "of", "seen"];

/// The rules of everyone that the host decided.
pub(super) fn derived(coverage: &[Coverage<'_>]) -> Vec<Vec<String>> {
    let rules = coverage.iter().flat_map(|one| one.derived.iter().map(|rule| (&one.participant.name, rule)));
    rules.map(|(name, rule)| vec![rule.rule.clone(), name.clone(), seen(rule)]).collect()
}

/// What the columns of [`Coverage::cells`] are, which [`COUNTED`] says in full.
pub(super) const COLUMNS: [&str; 9] =
    ["", "rules", "determined", "came true", "only false", "never ran", "untold", "by derive", "literals"];

/// How rules and literals are counted.
pub(super) const COUNTED: &str = "A rule counts where it first fits: it determined answers, came true, ran and came out false only, never \
                                  ran, or its engine does not tell. Rules by derive, and literals in derive, are counted \
                                  apart. A literal counts as tried if a request was made of it that all were asked about.";

/// The exercise of everyone who was asked.
pub(super) fn by_participant<'r>(report: &'r ParityReport, search: &'r SearchReport) -> Vec<Coverage<'r>> {
    let Exercised { rules, literals, .. } = &search.exercised;
    let asked = report.participants.iter().enumerate().filter(|(_, one)| one.refused.is_none());
    let coverage = asked.map(|(place, participant)| {
        let (derived, own) =
            rules.iter().filter(|rule| rule.participant == place).partition(|rule| rule.derived_only);
        let literals = literals.iter().filter(|literal| literal.participant == place).collect();
        Coverage { participant, rules: own, derived, literals }
    });
    coverage.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(determined: Option<u64>, ran: Option<bool>, failed: Option<bool>) -> RuleExercise {
        RuleExercise {
            participant: 0,
            rule: "r".to_owned(),
            location: None,
            determined,
            ran,
            failed,
            derived_only: false,
        }
    }

    #[test]
    fn a_rule_is_exercised_if_it_had_a_part_in_an_answer() {
        let reach = [
            rule(Some(2), None, None),
            rule(Some(0), Some(true), Some(false)),
            rule(None, Some(false), Some(true)),
            rule(Some(0), Some(false), Some(false)),
            rule(None, None, None),
        ]
        .map(|rule| Reach::of(&rule));
        assert_eq!(reach, Reach::ALL);
    }

    #[test]
    fn what_the_host_decided_is_not_counted() {
        let derived = RuleExercise { derived_only: true, ..rule(Some(5), None, None) };
        let exercised = Exercised {
            rules: vec![rule(Some(1), None, None), rule(Some(0), None, None), derived],
            literals: Vec::new(),
            derived_literals: vec!["x".to_owned()],
        };
        let expected = Totals { rules_exercised: 1, rules: 2, derived: 2, ..Totals::default() };
        assert_eq!(totals(&exercised), expected);
    }
}
