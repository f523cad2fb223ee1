//! JUnit's XML: a suite for each participant.

use std::io::{self, Write};

use super::figures::number;
use super::matrix::{self, Mark};
use super::sides::{self, Side, pretty};
use super::{facts, verdict};
use crate::escape::xml;
use crate::parity::report::{
    CaseCell, CaseRow, Counterexample, LawResult, ParityReport, Participant, SuiteTable,
};

/// Writes the report of a comparison as JUnit's XML.
///
/// The verdict is a suite of its own with one test, which fails if there is any objection: whatever else is skipped or
/// missing, a comparison that does not agree is never green. After it each participant has a suite with its cases, its
/// laws and the counterexamples on which it differs from the first; then come the known divergences and upstream suites.
///
/// # Errors
/// What `out` fails with.
pub fn junit(report: &ParityReport, out: &mut dyn Write) -> io::Result<()> {
    let packs: Vec<&str> = report.packs.iter().map(|pack| pack.name.as_str()).collect();
    let pack = packs.first().copied().map_or("", |name| name);
    let mut suites = vec![Suite { name: format!("{pack}/parity"), tests: vec![agree(report)] }];
    let participants = report.participants.iter().enumerate();
    suites.extend(participants.map(|(place, one)| participant(report, place, one, pack)));
    if !report.known.is_empty() {
        suites.push(known(report, pack));
    }
    suites.extend(report.suites.iter().map(upstream));
    write(out, &suites, report.run.duration_ms)
}

struct Suite {
    name: String,
    tests: Vec<Test>,
}

impl Suite {
    fn count(&self, wanted: fn(&Outcome) -> bool) -> usize {
        self.tests.iter().filter(|test| wanted(&test.outcome)).count()
    }
}

struct Test {
    name: String,
    /// As `file:line:column`.
    location: Option<String>,
    outcome: Outcome,
}

enum Outcome {
    Passed,
    /// In one line, and in full.
    Failed(String, String),
    Error(String),
    Skipped(String),
}

impl Test {
    fn new(name: impl Into<String>, outcome: Outcome) -> Self {
        Self { name: name.into(), location: None, outcome }
    }
}

fn agree(report: &ParityReport) -> Test {
    let outcome = if report.agrees() {
        Outcome::Passed
    } else {
        Outcome::Failed(verdict::sentence(report), report.objections.join("\n"))
    };
    Test::new("agree", outcome)
}

fn participant(report: &ParityReport, place: usize, one: &Participant, pack: &str) -> Suite {
    let name = format!("{pack}/{}", one.name);
    if let Some(why) = &one.refused {
        return Suite { name, tests: vec![Test::new("load", Outcome::Error(why.clone()))] };
    }
    let mut tests: Vec<Test> = report.cases.iter().filter_map(|row| case(report, place, row)).collect();
    tests.extend(report.laws.iter().filter(|law| law.participant == place).map(law));
    if let Some(search) = &report.search {
        let found = search.counterexamples.iter().enumerate();
        let found: Vec<Test> =
            found.filter_map(|(before, found)| counterexample(report, place, before + 1, found)).collect();
        if found.is_empty() {
            tests.push(Test::new("search", Outcome::Passed));
        }
        tests.extend(found);
    }
    Suite { name, tests }
}

fn case(report: &ParityReport, place: usize, row: &CaseRow) -> Option<Test> {
    let marks = matrix::marks(row);
    let (cell, mark) = (row.cells.get(place)?.as_ref(), marks.get(place).copied().flatten());
    let outcome = match cell.zip(mark) {
        None => Outcome::Skipped("could not be asked".to_owned()),
        Some((cell, mark)) => judged(report, row, cell, mark),
    };
    Some(Test { location: Some(row.location.clone()), ..Test::new(&row.name, outcome) })
}

fn judged(report: &ParityReport, row: &CaseRow, cell: &CaseCell, mark: Mark) -> Outcome {
    match (mark, &cell.failure, &cell.exception) {
        (_, Some(failure), _) => Outcome::Failed("not what the case expects".to_owned(), failure.clone()),
        (_, None, Some(reason)) => Outcome::Skipped(format!("passes with its exception: {reason}")),
        (Mark::Differs, None, None) => {
            let answers = report.participants.iter().zip(&row.cells).filter_map(|(one, cell)| {
                cell.as_ref().map(|cell| format!("{}: {}", one.name, matrix::brief(&cell.answer)))
            });
            let message = format!("differs in {}", sides::respects(&row.differences));
            Outcome::Failed(message, answers.collect::<Vec<_>>().join("\n"))
        }
        _ => Outcome::Passed,
    }
}

fn law(law: &LawResult) -> Test {
    let outcome = match (&law.skipped, &law.broken) {
        (Some(why), _) => Outcome::Skipped(why.clone()),
        (None, None) => Outcome::Passed,
        (None, Some(broken)) => Outcome::Failed(
            law.says.clone(),
            format!(
                "change: {}\nbefore: {}\nafter:  {}\n{}",
                broken.change,
                matrix::brief(&broken.before),
                matrix::brief(&broken.after),
                pretty(&broken.request)
            ),
        ),
    };
    Test::new(format!("law: {}", law.law), outcome)
}

/// A counterexample, if this participant is one that answers otherwise.
fn counterexample(
    report: &ParityReport,
    place: usize,
    number: usize,
    found: &Counterexample,
) -> Option<Test> {
    let sides = sides::sides(report, found);
    let side = sides.iter().find(|side| side.place == place)?;
    // Where no one answer shows the difference, it is everybody's.
    if side.differs.is_empty() && sides.iter().any(|side| !side.differs.is_empty()) {
        return None;
    }
    let title = format!("counterexample {number}: {}", sides::respects(&found.differences));
    let outcome = match sides::known(report, found) {
        Some(known) => Outcome::Skipped(known),
        None => {
            let answer = |Side { participant, explained, .. }: &Side<'_>| {
                format!("{}: {}", participant.name, matrix::brief(&explained.answer))
            };
            let answers: Vec<String> = sides.iter().map(answer).collect();
            let mut lines = sides::circumstances(found);
            lines.extend([pretty(&found.request)].into_iter().chain(answers));
            Outcome::Failed(format!("differs in {}", sides::respects(&side.differs)), lines.join("\n"))
        }
    };
    Some(Test::new(title, outcome))
}

fn known(report: &ParityReport, pack: &str) -> Suite {
    let test = |known: &crate::parity::report::KnownResult| {
        let outcome = if known.holds {
            Outcome::Skipped(known.reason.clone())
        } else {
            Outcome::Failed("none any more: take it off the list".to_owned(), known.reason.clone())
        };
        Test::new(&known.name, outcome)
    };
    Suite { name: format!("{pack}/known divergences"), tests: report.known.iter().map(test).collect() }
}

fn upstream(suite: &SuiteTable) -> Suite {
    let name = facts::suite(suite);
    if let Some(why) = &suite.skipped {
        return Suite { name, tests: vec![Test::new("run", Outcome::Skipped(why.clone()))] };
    }
    let folder = |folder: &crate::parity::report::SuiteFolder| {
        Test::new(format!("{}: {} passed", folder.name, number(folder.passed)), Outcome::Passed)
    };
    let failure = |failure: &crate::parity::report::SuiteFailure| {
        let outcome = match (&failure.known, failure.how.as_str()) {
            (Some(why), _) => Outcome::Skipped(why.clone()),
            (None, "refused") => Outcome::Skipped(format!("refused: {}", failure.detail)),
            (None, how) => Outcome::Failed(how.to_owned(), failure.detail.clone()),
        };
        Test::new(format!("{}/{}", failure.folder, failure.case), outcome)
    };
    let stale = |entry: &String| {
        Test::new(entry, Outcome::Failed("stale in the list of divergences".to_owned(), String::new()))
    };
    let tests = suite.folders.iter().map(folder).chain(suite.failures.iter().map(failure));
    Suite { name, tests: tests.chain(suite.stale.iter().map(stale)).collect() }
}

fn write(out: &mut dyn Write, suites: &[Suite], duration_ms: u64) -> io::Result<()> {
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(out, r#"<testsuites time="{}.{:03}">"#, duration_ms / 1_000, duration_ms % 1_000)?;
    for suite in suites {
        writeln!(
            out,
            r#"  <testsuite name="{}" tests="{}" failures="{}" errors="{}" skipped="{}">"#,
            xml(&suite.name),
            suite.tests.len(),
            suite.count(|outcome| matches!(outcome, Outcome::Failed(..))),
            suite.count(|outcome| matches!(outcome, Outcome::Error(_))),
            suite.count(|outcome| matches!(outcome, Outcome::Skipped(_))),
        )?;
        for test in &suite.tests {
            write_test(out, &suite.name, test)?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn write_test(out: &mut dyn Write, suite: &str, test: &Test) -> io::Result<()> {
    let place = test.location.as_deref().and_then(place);
    let place = place.map(|(file, line)| format!(r#" file="{}" line="{line}""#, attribute(file)));
    write!(
        out,
        r#"    <testcase classname="{}" name="{}"{}"#,
        attribute(&suite.replace('/', ".")),
        attribute(&test.name),
        place.iter().map(String::as_str).collect::<String>()
    )?;
    match &test.outcome {
        Outcome::Passed => writeln!(out, "/>"),
        Outcome::Failed(message, detail) => {
            let message = attribute(message);
            writeln!(out, r#"><failure message="{message}">{}</failure></testcase>"#, xml(detail))
        }
        Outcome::Error(why) => {
            writeln!(out, r#"><error message="could not be asked">{}</error></testcase>"#, xml(why))
        }
        Outcome::Skipped(why) => writeln!(out, r#"><skipped message="{}"/></testcase>"#, attribute(why)),
    }
}

/// A text inside double quotes, where a reader of XML would take the end of a line for a blank.
fn attribute(text: &str) -> String {
    xml(&crate::escape::plain(text))
}

/// The file and the line of a `file:line:column`.
fn place(location: &str) -> Option<(&str, u64)> {
    let (rest, _column) = location.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    Some((file, line.parse().ok()?))
}
