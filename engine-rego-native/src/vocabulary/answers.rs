//! The terms that a policy only answers.

use std::collections::{HashMap, HashSet};

use regorus::unstable::Expr;

use super::flow::{Flows, Part, text};
use super::program::{Home, values};
use crate::settings::Question;

/// What a term is of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Answer {
    /// The answer itself, an object or an effect.
    Decision,
    /// Its effect.
    Effect,
    /// Its reason, or a part of that.
    Reason,
    /// A patch, a demand for a step-up, or a part of one.
    Demand,
}

/// The terms that can reach an answer, by their address in the syntax tree.
pub(crate) struct Answers<'p, 'm> {
    flows: &'p Flows<'p, 'm>,
    by_term: HashMap<*const Expr, Answer>,
    done: HashSet<(*const Expr, Answer)>,
}

impl<'p, 'm> Answers<'p, 'm> {
    pub(crate) fn of(flows: &'p Flows<'p, 'm>, question: &Question) -> Self {
        let mut answers = Self { flows, by_term: HashMap::new(), done: HashSet::new() };
        match question {
            Question::Decision(rule) => answers.rule(rule, Answer::Decision),
            Question::AllowAndReason { allow, reason } => {
                answers.rule(allow, Answer::Effect);
                answers.rule(reason, Answer::Reason);
            }
        }
        answers
    }

    /// What a term is of an answer, if it can reach one.
    pub(crate) fn of_term(&self, expr: &Expr) -> Option<Answer> {
        self.by_term.get(&std::ptr::from_ref(expr)).copied()
    }

    fn rule(&mut self, path: &[String], answer: Answer) {
        for home in self.flows.program.of_rule(path) {
            let Some(definition) = self.flows.program.definition(*home) else { continue };
            for value in values(definition.rule) {
                self.term(*home, value, answer);
            }
        }
    }

    fn term(&mut self, home: Home, expr: &'m Expr, answer: Answer) {
        if !self.done.insert((std::ptr::from_ref(expr), answer)) {
            return;
        }
        let written = matches!(
            expr,
            Expr::String { .. }
                | Expr::RawString { .. }
                | Expr::Number { .. }
                | Expr::Bool { .. }
                | Expr::Null { .. }
                | Expr::Array { .. }
                | Expr::Set { .. }
                | Expr::Object { .. }
        );
        if written {
            let known = self.by_term.entry(std::ptr::from_ref(expr)).or_insert(answer);
            // What may be an effect is no mere reason.
            *known = answer.min(*known);
        }
        match expr {
            Expr::Array { items, .. } | Expr::Set { items, .. } => {
                items.iter().for_each(|item| self.term(home, item, answer));
            }
            Expr::Object { fields, .. } => {
                for (_, key, value) in fields {
                    let part = match (answer, text(key)) {
                        (Answer::Decision, Some("effect")) => Answer::Effect,
                        (Answer::Decision, Some("reason")) => Answer::Reason,
                        (Answer::Decision, _) => Answer::Demand,
                        (answer, _) => answer,
                    };
                    self.term(home, value, part);
                    // Names of members; they are no more than the object is.
                    self.term(home, key, if answer == Answer::Decision { Answer::Demand } else { answer });
                }
            }
            Expr::ArrayCompr { term, .. } | Expr::SetCompr { term, .. } => self.term(home, term, answer),
            Expr::ObjectCompr { key, value, .. } => {
                self.term(home, key, answer);
                self.term(home, value, answer);
            }
            Expr::BinExpr { lhs, rhs, .. } => {
                self.term(home, lhs, answer);
                self.term(home, rhs, answer);
            }
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                for term in self.flows.of(home, expr).terms {
                    if term.part != Part::Piece {
                        self.term(term.home, term.expr, answer);
                    }
                }
            }
            Expr::Call { params, .. } => {
                for term in self.flows.of(home, expr).terms {
                    if !std::ptr::eq(term.expr, expr) && term.part != Part::Piece {
                        self.term(term.home, term.expr, answer);
                    }
                }
                // What a reason is put together from is a part of it; an effect has no parts.
                if matches!(answer, Answer::Reason | Answer::Demand) {
                    params.iter().for_each(|param| self.term(home, param, answer));
                }
            }
            _ => {}
        }
    }
}
