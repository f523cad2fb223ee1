//! The requests of a job, made ready, each with the answer that every later one is held to.

use super::measure::Stopped;
use crate::subject::{Answer, Question, Request, Subject, Unavailable};

/// A request made ready, with its first answer.
pub(super) struct One<'s> {
    pub(super) name: &'s str,
    pub(super) question: Box<dyn Question + 's>,
    pub(super) expected: Answer,
}

/// The requests of a job, made ready.
pub(super) struct Asked<'s>(pub(super) Vec<One<'s>>);

impl<'s> Asked<'s> {
    pub(super) fn all(subject: &'s dyn Subject, requests: &'s [Request]) -> Result<Self, Stopped> {
        if requests.is_empty() {
            return Err(Unavailable::NotApplicable("there is no request to decide".to_owned()).into());
        }
        let one = |request: &'s Request| {
            let question = subject.question(request)?;
            Ok(One { name: &request.name, question, expected: Answer::unasked() })
        };
        Ok(Self(requests.iter().map(one).collect::<Result<_, Unavailable>>()?))
    }

    /// With the answers that were given before.
    pub(super) fn expecting(mut self, answers: &[Answer]) -> Self {
        for (one, expected) in self.0.iter_mut().zip(answers) {
            one.expected.clone_from(expected);
        }
        self
    }
}

impl One<'_> {
    /// That the last decision came to what it should.
    pub(super) fn check(&mut self) -> Result<(), Stopped> {
        if self.question.came_to(&self.expected) {
            return Ok(());
        }
        let (first, then) = (Box::new(self.expected.clone()), Box::new(self.question.answer()));
        Err(Stopped::Changed { request: self.name.to_owned(), first, then })
    }
}
