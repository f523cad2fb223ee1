//! What is known of the place of a change.

use std::ops::Range;

use regorus::unstable::Expr;
use tribunal_engine_core::engine::{Form, Mutation};

use super::edit::Edit;
use crate::admission::calls::Callee;
use crate::text::Text;
use crate::vocabulary::answers::{Answer, Answers};
use crate::vocabulary::flow::Flows;
use crate::vocabulary::program::Home;
use crate::vocabulary::uses::Uses;

/// A definition whose text is to be changed.
pub(crate) struct Site<'r, 'p, 'm> {
    pub(crate) home: Home,
    pub(crate) text: &'r Text<'r>,
    pub(crate) flows: &'r Flows<'p, 'm>,
    pub(crate) uses: &'r Uses<'p, 'm>,
    pub(crate) answers: &'r Answers<'p, 'm>,
}

impl Site<'_, '_, '_> {
    pub(crate) fn replace(
        &self,
        mutation: Mutation,
        range: Range<usize>,
        replacement: impl Into<String>,
    ) -> Edit {
        Edit::replace(mutation, self.text.text, range, replacement)
    }

    pub(crate) fn remove(&self, mutation: Mutation, range: Range<usize>, shown: Range<usize>) -> Edit {
        Edit::remove(mutation, self.text.text, range, shown)
    }

    /// What a term is of an answer, if it is held against nothing beside.
    pub(crate) fn only_answered(&self, expr: &Expr) -> Option<Answer> {
        self.answers.of_term(expr).filter(|_| self.uses.of_term(expr).next().is_none())
    }

    /// What is done with a term.
    pub(crate) fn forms(&self, expr: &Expr) -> impl Iterator<Item = &Form> {
        self.uses.of_term(expr).map(|(form, _)| form)
    }

    /// The built-in that a call calls.
    pub(crate) fn builtin(&self, function: &Expr) -> Option<String> {
        match self.flows.callee(self.home, function)? {
            Callee::Builtin(name) => Some(name),
            Callee::Function(_) => None,
        }
    }
}
