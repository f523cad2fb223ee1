//! Answers compared before anything is timed.
//!
//! The first of our engines that answers is the reference. Two of our engines that disagree make the row void, since nobody
//! can say which of them would be worth its time; a floor or a peer that disagrees is left out of the row, and shown.

use serde_json::Value;
use tribunal::core::pack::ReasonParity;

use crate::report::data::{Disagreement, Problem};
use crate::subject::{Answer, Kind};

/// A request, as answers to it are compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// What it is called.
    pub name: String,
    /// The request.
    pub payload: Value,
}

/// What a subject answered to every request.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// The subject.
    pub subject: String,
    /// What it is to the engines.
    pub kind: Kind,
    /// Its answers, or why it has none.
    pub answers: Result<Vec<Answer>, Problem>,
}

/// What comparing the answers of a row came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// The answers that others are held to: the first engine's.
    pub reference: Option<(String, Vec<Answer>)>,
    /// Why the whole row is void.
    pub void: Option<Disagreement>,
    /// Why each subject takes no part, in the order given.
    pub problems: Vec<Option<Problem>>,
}

/// Compares the answers of a row.
pub fn verify(asked: &[Asked], given: &[Given], reasons: ReasonParity) -> Verified {
    // Without an engine in the row whoever comes first is the reference: a floor can be measured by itself.
    let engines = || given.iter().filter(|one| one.kind == Kind::Engine);
    let reference = engines()
        .chain(given)
        .find_map(|one| Some((one.subject.clone(), one.answers.as_ref().ok()?.clone())));
    let mut void = None;
    let mut problems = Vec::with_capacity(given.len());
    for one in given {
        let problem = match (&one.answers, &reference) {
            (Err(problem), _) => Some(problem.clone()),
            (Ok(answers), Some((name, expected))) => {
                let found = disagreement(asked, (name, expected), (&one.subject, answers), reasons);
                match found {
                    Some(found) if one.kind == Kind::Engine => {
                        void = void.or(Some(found));
                        None
                    }
                    found => found.map(|found| Problem::Disagrees(Box::new(found))),
                }
            }
            (Ok(_), None) => None,
        };
        problems.push(problem);
    }
    Verified { reference, void, problems }
}

/// The first request to which two subjects do not answer alike.
pub fn disagreement(
    asked: &[Asked],
    first: (&str, &[Answer]),
    second: (&str, &[Answer]),
    reasons: ReasonParity,
) -> Option<Disagreement> {
    let said = |name: &str, answer: Option<&Answer>| {
        (name.to_owned(), answer.map_or_else(|| "nothing".to_owned(), Answer::brief))
    };
    asked.iter().enumerate().find_map(|(position, request)| {
        let (one, other) = (first.1.get(position), second.1.get(position));
        let differs = match (one, other) {
            (Some(one), Some(other)) => one.differs(other, &request.payload, reasons)?,
            // As many answers as requests, or it is no measurement of these requests.
            _ => "an answer is missing".to_owned(),
        };
        Some(Disagreement {
            name: request.name.clone(),
            request: request.payload.clone(),
            differs,
            first: said(first.0, one),
            second: said(second.0, other),
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tribunal::Decision;

    use super::*;

    fn given(subject: &str, kind: Kind, decisions: &[Decision]) -> Given {
        let answers =
            decisions.iter().map(|decision| Answer::Decision { decision: decision.clone(), fault: None });
        Given { subject: subject.to_owned(), kind, answers: Ok(answers.collect()) }
    }

    fn asked() -> Vec<Asked> {
        ["one", "two"].map(|name| Asked { name: name.to_owned(), payload: json!({"case": name}) }).to_vec()
    }

    #[test]
    fn engines_that_disagree_void_the_row_and_show_where() {
        let (allow, deny) = (Decision::allow(), Decision::deny("no"));
        let given = [
            given("a", Kind::Engine, &[allow.clone(), deny.clone()]),
            given("b", Kind::Engine, &[allow.clone(), allow.clone()]),
        ];
        let found = verify(&asked(), &given, ReasonParity::Exact);
        let void = found.void.unwrap();
        assert_eq!((void.name.as_str(), void.differs.as_str()), ("two", "effect, reason"));
        assert_eq!(void.first, ("a".to_owned(), "deny (\"no\")".to_owned()));
        assert_eq!(void.second, ("b".to_owned(), "allow".to_owned()));
        assert_eq!(void.request, json!({"case": "two"}));
    }

    #[test]
    fn a_peer_that_disagrees_is_left_out_alone() {
        let (allow, deny) = (Decision::allow(), Decision::deny("no"));
        let given = [
            given("peer", Kind::Peer, &[deny.clone(), deny.clone()]),
            given("a", Kind::Engine, &[allow.clone(), deny.clone()]),
            given("b", Kind::Engine, &[allow, deny]),
        ];
        let found = verify(&asked(), &given, ReasonParity::Exact);
        assert_eq!(found.void, None);
        assert!(
            matches!(&found.problems[..], [Some(Problem::Disagrees(_)), None, None]),
            "{:?}",
            found.problems
        );
        assert_eq!(found.reference.unwrap().0, "a", "an engine is the reference, whoever stands first");
    }

    #[test]
    fn answers_that_are_missing_are_no_agreement() {
        let allow = Decision::allow();
        let given =
            [given("a", Kind::Engine, &[allow.clone(), allow.clone()]), given("b", Kind::Engine, &[allow])];
        let found = verify(&asked(), &given, ReasonParity::Exact);
        assert_eq!(found.void.unwrap().differs, "an answer is missing");
    }
}
