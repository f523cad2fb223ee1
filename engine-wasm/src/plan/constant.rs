//! The constants of a rule: what it holds something against, and the effects that it answers with.

use std::ops::Range;

use super::statement::{Callee, Kind, Statement, Term, TermKind, Value};
use super::{Role, Rule};

/// The effects of a decision.
const EFFECTS: [&str; 4] = ["allow", "deny", "redact", "step_up"];

/// A text or number of the policy that something is held against, in one position.
#[derive(Debug)]
pub(crate) struct Constant<'r> {
    pub(crate) kind: ConstantKind<'r>,
    /// The instructions that refer to it: two where the compiler writes one mention twice.
    pub(crate) places: Vec<Range<usize>>,
    pub(crate) position: Position<'r>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConstantKind<'r> {
    Text(&'r str),
    /// A number as it is written.
    Number(&'r str),
}

/// Where a constant stands.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Position<'r> {
    /// It must be equal to this.
    Compared(&'r Term),
    /// It is one of the arguments of a built-in.
    Argument { builtin: &'r str, index: usize, arguments: &'r [Term] },
    /// It is a member of this list or set.
    Listed(Value),
    /// Anywhere else: the member of an object or its name, what a local is.
    Other,
}

/// An effect that a rule answers with: `Term` is a text or a boolean.
#[derive(Debug)]
pub(crate) struct Effect<'r> {
    pub(crate) term: &'r Term,
    /// As in [`Constant`].
    pub(crate) places: Vec<Range<usize>>,
}

impl Rule {
    /// The texts and numbers that the rule holds something against, in its order: neither names of members that it asks
    /// for nor what it answers.
    pub(crate) fn constants(&self) -> Vec<Constant<'_>> {
        let mut found = Vec::new();
        for statement in self.statements.iter().filter(|statement| !self.answers(statement)) {
            if let Kind::Number { text, place, target } = &statement.kind {
                let (kind, places) = (ConstantKind::Number(text), vec![place.clone()]);
                found.push(Constant { kind, places, position: self.position_of(*target) });
            }
            for (term, again, position) in terms(statement) {
                if let TermKind::String(text) = &term.kind
                    && !(matches!(position, Position::Other | Position::Listed(_))
                        && EFFECTS.contains(&text.as_str()))
                {
                    let places = std::iter::once(term.place.clone()).chain(again).collect();
                    found.push(Constant { kind: ConstantKind::Text(text), places, position });
                }
            }
        }
        found
    }

    /// The effects that the rule answers with.
    pub(crate) fn effects(&self) -> Vec<Effect<'_>> {
        let mut found = Vec::new();
        for statement in &self.statements {
            let (term, again, is_boolean) = match &statement.kind {
                Kind::Insert { key: Some(key), member, .. } if key.string() == Some("effect") => {
                    (member, None, false)
                }
                Kind::Assign { source, again, target } => {
                    (source, again.clone(), self.role == Some(Role::Decision) && self.is_answered(*target))
                }
                _ => continue,
            };
            let is_effect = match &term.kind {
                TermKind::String(text) => EFFECTS.contains(&text.as_str()),
                TermKind::Bool(_) => is_boolean,
                TermKind::Value(_) => false,
            };
            if is_effect {
                found.push(Effect {
                    term,
                    places: std::iter::once(term.place.clone()).chain(again).collect(),
                });
            }
        }
        found
    }

    /// Whether what stands in a statement goes into the answer and nowhere else.
    fn answers(&self, statement: &Statement) -> bool {
        match &statement.kind {
            Kind::Assign { target, .. } | Kind::Number { target, .. } => self.is_answered(*target),
            Kind::Insert { collection, .. } => self.is_answered(*collection),
            Kind::Call { callee: Callee::Builtin(_), result, .. } => self.is_answered(*result),
            _ => false,
        }
    }

    /// What the first statement that uses a value does with it.
    pub(crate) fn position_of(&self, value: Value) -> Position<'_> {
        let uses = |term: &Term| term.value() == Some(value);
        self.statements
            .iter()
            .flat_map(terms)
            .find_map(|(term, _, position)| uses(term).then_some(position))
            .unwrap_or(Position::Other)
    }
}

/// The terms of a statement with where they stand; but for the names of members that it asks for.
fn terms(statement: &Statement) -> Vec<(&Term, Option<Range<usize>>, Position<'_>)> {
    match &statement.kind {
        Kind::Compare { left, right, .. } => {
            vec![(left, None, Position::Compared(right)), (right, None, Position::Compared(left))]
        }
        Kind::Call { callee: Callee::Builtin(builtin), arguments, .. } => {
            let position = |index| Position::Argument { builtin, index, arguments };
            arguments.iter().enumerate().map(|(index, term)| (term, None, position(index))).collect()
        }
        Kind::Call { arguments, .. } => arguments.iter().map(|term| (term, None, Position::Other)).collect(),
        Kind::Insert { collection, key: None, member } => vec![(member, None, Position::Listed(*collection))],
        Kind::Insert { key, member, .. } => {
            key.iter().chain([member]).map(|term| (term, None, Position::Other)).collect()
        }
        Kind::Assign { source, again, .. } => vec![(source, again.clone(), Position::Other)],
        _ => Vec::new(),
    }
}
