//! Cases put to an engine on every core, and the table of what came.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::Progress;
use super::divergences::{How, Known};
use crate::parity::report::{SuiteFailure, SuiteFolder, SuiteTable};

/// What a suite has for an engine.
pub(crate) enum Source<'s> {
    /// Its cases.
    Cases(Vec<SuiteCase<'s>>),
    /// Nothing, and why.
    Skipped(String),
}

/// A case that was read, and not asked yet.
pub(crate) struct SuiteCase<'s> {
    /// The folder it is counted in.
    pub(crate) folder: String,
    /// What the list of divergences calls it, unique in its suite.
    pub(crate) name: String,
    /// Puts it to the engine.
    pub(crate) ask: Box<dyn FnOnce() -> Verdict + Send + 's>,
}

impl<'s> SuiteCase<'s> {
    /// A case.
    pub(crate) fn new(
        folder: impl Into<String>,
        name: impl Into<String>,
        ask: impl FnOnce() -> Verdict + Send + 's,
    ) -> Self {
        Self { folder: folder.into(), name: name.into(), ask: Box::new(ask) }
    }

    /// A case that cannot be read: nobody may take it for one that passed.
    pub(crate) fn unreadable(folder: impl Into<String>, name: impl Into<String>, why: String) -> Self {
        Self::new(folder, name, move || Verdict::Failed(format!("the case cannot be read: {why}")))
    }
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Answered as the suite wants it.
    Passed,
    /// Answered otherwise: what was wanted, and what came.
    Failed(String),
    /// Not answered where the suite wants an answer: what was wanted, and why there is none.
    Refused(String),
    /// It asks for what the engine does not declare: why. No list has to name what is known of all such cases.
    #[cfg_attr(
        not(any(feature = "wasm", feature = "rego-native")),
        expect(dead_code, reason = "only Rego has modes")
    )]
    Undeclared(String),
}

/// Puts one case in every so many to the engine, and holds what comes against the list.
pub(crate) fn run(
    mut table: SuiteTable,
    cases: Vec<SuiteCase<'_>>,
    known: BTreeMap<String, Known>,
    every: NonZero<usize>,
    progress: Progress<'_>,
) -> SuiteTable {
    let mut seen = BTreeSet::new();
    let names: BTreeSet<String> = cases.iter().map(|case| case.name.clone()).collect();
    let mut folders: BTreeMap<String, SuiteFolder> = BTreeMap::new();
    for (case, verdict) in ask(cases.into_iter().step_by(every.get()).collect(), progress) {
        let Asked { folder, name } = case;
        let counted = folders.entry(folder.clone()).or_insert_with_key(|folder| SuiteFolder {
            name: folder.clone(),
            passed: 0,
            failed: 0,
            refused: 0,
        });
        // A list could only mean both, so the second may not hide behind the first.
        let verdict = match seen.insert(name.clone()) {
            true => verdict,
            false => Verdict::Failed("another case has the same name".to_owned()),
        };
        let listed = known.get(&name);
        let (how, detail, known) = match verdict {
            Verdict::Passed => {
                counted.passed += 1;
                if listed.is_some() {
                    table.stale.push(format!("{name}: passes"));
                }
                continue;
            }
            Verdict::Failed(detail) => (How::Failed, detail, listed),
            Verdict::Refused(detail) => (How::Refused, detail, listed),
            Verdict::Undeclared(why) => {
                counted.refused += 1;
                let how = How::Refused.as_str().to_owned();
                if listed.is_some() {
                    table.stale.push(format!("{name}: the engine does not declare what it asks for"));
                }
                table.failures.push(SuiteFailure {
                    case: name,
                    folder,
                    how,
                    detail: why.clone(),
                    known: Some(why),
                });
                continue;
            }
        };
        match how {
            How::Failed => counted.failed += 1,
            How::Refused => counted.refused += 1,
        }
        let (detail, known) = match known {
            Some(known) if known.how == how => (detail, Some(known.reason())),
            Some(known) => (format!("listed as {}; {detail}", known.how.as_str()), None),
            None => (detail, None),
        };
        table.failures.push(SuiteFailure { case: name, folder, how: how.as_str().to_owned(), detail, known });
    }
    let gone = known.keys().filter(|case| !names.contains(*case));
    table.stale.extend(gone.map(|case| format!("{case}: is not in the suite")));
    table.folders = folders.into_values().collect();
    table
}

/// Which case was asked.
struct Asked {
    folder: String,
    name: String,
}

/// Asks every case, in no order; the answers come in the order of the cases.
fn ask(cases: Vec<SuiteCase<'_>>, progress: Progress<'_>) -> Vec<(Asked, Verdict)> {
    let total = cases.len();
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let waiting = Mutex::new(cases.into_iter().enumerate());
    let done = AtomicUsize::new(0);
    let work = || {
        let mut answers = Vec::new();
        loop {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((index, SuiteCase { folder, name, ask })) = next else { return answers };
            let verdict = catch_unwind(AssertUnwindSafe(ask))
                .unwrap_or_else(|panic| Verdict::Failed(format!("a panic: {}", said(panic.as_ref()))));
            answers.push((index, (Asked { folder, name }, verdict)));
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
        }
    };
    let mut answers = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut answers = Vec::with_capacity(total);
        for worker in workers {
            match worker.join() {
                Ok(answered) => answers.extend(answered),
                // Only the progress of the caller can panic there.
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        answers
    });
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

fn said(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "without a word",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suites::divergences;

    const LIST: &str = concat!(
        r#"{"case": "passes", "how": "failed", "why": "so"}"#,
        "\n",
        r#"{"case": "fails as listed", "how": "failed", "why": "so", "upstream": "there"}"#,
        "\n",
        r#"{"case": "refused, not failed", "how": "failed", "why": "so"}"#,
        "\n",
        r#"{"case": "gone", "how": "failed", "why": "so"}"#,
    );

    fn table(cases: Vec<SuiteCase<'_>>, every: usize) -> SuiteTable {
        let table = SuiteTable {
            suite: String::new(),
            engine: String::new(),
            version: String::new(),
            folders: Vec::new(),
            failures: Vec::new(),
            stale: Vec::new(),
            skipped: None,
        };
        let known = divergences::read("list", LIST).unwrap();
        run(table, cases, known, NonZero::new(every).unwrap(), &|_, _| {})
    }

    fn case(name: &str, verdict: Verdict) -> SuiteCase<'_> {
        SuiteCase::new("folder", name, move || verdict)
    }

    #[test]
    fn the_list_is_held_in_both_directions() {
        let said = || "said".to_owned();
        let cases = vec![
            case("passes", Verdict::Passed),
            case("fails as listed", Verdict::Failed(said())),
            case("refused, not failed", Verdict::Refused(said())),
            case("fails", Verdict::Failed(said())),
            case("asks too much", Verdict::Undeclared(said())),
            SuiteCase::new("folder", "panics", || std::panic::resume_unwind(Box::new("word"))),
            SuiteCase::unreadable("other", "unreadable", said()),
            case("twice", Verdict::Passed),
            case("twice", Verdict::Passed),
        ];
        let table = table(cases, 1);
        assert_eq!(table.stale, ["passes: passes", "gone: is not in the suite"]);
        let failures: Vec<_> = table
            .failures
            .iter()
            .map(|failure| {
                let SuiteFailure { case, how, detail, known, .. } = failure;
                (case.as_str(), how.as_str(), detail.as_str(), known.as_deref())
            })
            .collect();
        assert_eq!(
            failures,
            [
                ("fails as listed", "failed", "said", Some("so (there)")),
                ("refused, not failed", "refused", "listed as failed; said", None),
                ("fails", "failed", "said", None),
                ("asks too much", "refused", "said", Some("said")),
                ("panics", "failed", "a panic: word", None),
                ("unreadable", "failed", "the case cannot be read: said", None),
                ("twice", "failed", "another case has the same name", None),
            ]
        );
        let counts: Vec<_> = table
            .folders
            .iter()
            .map(|folder| (folder.name.as_str(), folder.passed, folder.failed, folder.refused))
            .collect();
        assert_eq!(counts, [("folder", 2, 4, 2), ("other", 0, 1, 0)]);
        assert!(!table.holds());
    }

    #[test]
    fn what_a_sample_leaves_out_is_not_gone() {
        let names = ["a", "passes", "fails as listed", "refused, not failed", "gone"];
        let table = table(names.map(|name| case(name, Verdict::Passed)).into(), 5);
        assert_eq!((table.folders[0].passed, table.stale, table.failures), (1, vec![], vec![]));
    }
}
