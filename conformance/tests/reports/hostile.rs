//! No text of anybody's becomes markup, whatever it is and wherever it stands.

use proptest::prelude::*;
use serde_json::json;
use tribunal_conformance::escape::acts;
use tribunal_conformance::parity::render;
use tribunal_conformance::parity::report::{MutationReport, ParityReport};

use crate::{fixture, markup, written};

/// The report that has everything, with a text wherever a file, a request or a policy has a say.
fn with(text: &str) -> ParityReport {
    let text = || text.to_owned();
    let mut report = fixture::everything();
    report.run.command = text();
    report.run.revision = Some(text());
    report.run.machine.processor = Some(text());
    report.objections.push(text());
    for pack in &mut report.packs {
        (pack.name, pack.version, pack.digest, pack.origin) = (text(), text(), text(), text());
        pack.unsupported.insert(text(), text());
    }
    for one in &mut report.participants {
        (one.name, one.version) = (text(), text());
        one.refused = one.refused.as_ref().map(|_| text());
    }
    for row in &mut report.cases {
        (row.name, row.location) = (text(), text());
        for cell in row.cells.iter_mut().flatten() {
            cell.answer.reason = Some(text());
            cell.answer.rules = Some(vec![text()]);
            cell.failure = cell.failure.as_ref().map(|_| text());
            cell.exception = cell.exception.as_ref().map(|_| text());
        }
    }
    let search = report.search.as_mut().unwrap();
    for counterexample in &mut search.counterexamples {
        counterexample.request = json!({ text(): [text()] });
        (counterexample.token, counterexample.written_to) = (Some(text()), Some(text()));
        counterexample.known = counterexample.known.as_ref().map(|_| text());
        for explained in counterexample.answers.iter_mut().flatten() {
            explained.answer.reason = Some(text());
            explained.answer.fault_detail = Some(text());
            explained.redacted = explained.redacted.as_ref().map(|_| json!({ text(): text() }));
            explained.notes.push(text());
            for line in &mut explained.trace {
                (line.rule, line.location, line.note) = (text(), Some(text()), text());
            }
        }
    }
    for rule in &mut search.exercised.rules {
        (rule.rule, rule.location) = (text(), Some(text()));
    }
    for literal in &mut search.exercised.literals {
        (literal.rule, literal.value) = (text(), json!(text()));
    }
    search.exercised.derived_literals.push(text());
    for law in &mut report.laws {
        (law.law, law.says) = (text(), text());
        law.skipped = law.skipped.as_ref().map(|_| text());
        if let Some(broken) = &mut law.broken {
            (broken.change, broken.request) = (text(), json!(text()));
        }
    }
    for known in &mut report.known {
        (known.name, known.reason, known.upstream) = (text(), text(), Some(text()));
    }
    for suite in &mut report.suites {
        (suite.suite, suite.engine, suite.version) = (text(), text(), text());
        suite.stale.push(text());
        suite.folders.iter_mut().for_each(|folder| folder.name = text());
        for failure in &mut suite.failures {
            (failure.case, failure.folder, failure.detail) = (text(), text(), text());
            failure.known = failure.known.as_ref().map(|_| text());
        }
    }
    report
}

fn mutants_with(text: &str) -> MutationReport {
    let text = || text.to_owned();
    let mut report = fixture::mutants();
    for table in &mut report.tables {
        (table.pack.name, table.engine) = (text(), text());
        table.stale.push(text());
        for mutant in &mut table.mutants {
            (mutant.id, mutant.rule, mutant.location) = (text(), Some(text()), text());
            (mutant.before, mutant.after) = (text(), text());
            mutant.counterexample = Some(json!(text()));
        }
    }
    report
}

/// What people write to break out.
const PIECES: [&str; 32] = [
    "<script>",
    "</script>",
    "<!--",
    "-->",
    "]]>",
    "\"",
    "'",
    ">",
    "<",
    "&",
    "&lt;",
    "`",
    "```",
    "|",
    "\\",
    "\n",
    "\r",
    "\t",
    "\u{1b}[31m",
    "\u{202e}",
    "\u{2066}",
    "\u{feff}",
    "\u{ffff}",
    "</details>",
    "</pre>",
    "</style>",
    "@you",
    "](x)",
    "*",
    "\u{0}",
    "\u{85}",
    " ",
];

/// Such texts, amid any others.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![proptest::sample::select(&PIECES[..]).prop_map(str::to_owned), any::<String>()];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn harmless(text: &str) {
    let acting = text.chars().find(|character| acts(*character) && *character != '\n');
    assert_eq!(acting, None, "{text}");
}

/// The markup of a Markdown page: HTML outside code, of which there is only ours.
fn tags(markdown: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut fence: Option<&str> = None;
    for line in markdown.lines() {
        let ticks = line.get(..line.len() - line.trim_start_matches('`').len()).unwrap();
        match fence {
            Some(open) if line == open => fence = None,
            Some(_) => {}
            None if ticks.len() >= 3 => fence = Some(ticks),
            None => {
                // Between backticks is code; there are no others that are not escaped. A backslash that is escaped escapes nothing.
                let line = line.replace(r"\\", "");
                let unescaped = line.split("\\`").collect::<Vec<_>>();
                for (place, part) in unescaped.iter().flat_map(|part| part.split('`').enumerate()) {
                    if place % 2 == 0 {
                        let ends = |after: &&str| after.find('>').is_some();
                        tags.extend(
                            part.split('<')
                                .skip(1)
                                .filter(ends)
                                .map(|tag| tag.split_once('>').unwrap().0.to_owned()),
                        );
                    }
                }
            }
        }
    }
    assert_eq!(fence, None, "{markdown}");
    tags
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_becomes_markup_of_a_page(text in hostile()) {
        let usual = markup::read(&written(|out| render::html(&with("x"), out))).unwrap();
        let page = written(|out| render::html(&with(&text), out));
        let markup = markup::read(&page).unwrap();
        harmless(&page);
        prop_assert!(!page.contains("<script"));
        // Texts decide how many lines a comparison has and what is code, and nothing else.
        let mut kinds: Vec<&String> = markup.elements.iter().collect();
        kinds.sort();
        kinds.dedup();
        prop_assert!(kinds.iter().all(|kind| usual.elements.contains(kind) || *kind == "code"), "{:?}", kinds);

        let page = written(|out| render::mutation_html(&mutants_with(&text), out));
        markup::read(&page).unwrap();
        harmless(&page);
    }

    #[test]
    fn no_text_becomes_markup_of_junit(text in hostile()) {
        let usual = markup::read(&written(|out| render::junit(&with("x"), out))).unwrap();
        let xml = written(|out| render::junit(&with(&text), out));
        harmless(&xml);
        prop_assert_eq!(markup::read(&xml).unwrap().elements, usual.elements);
    }

    #[test]
    fn no_text_becomes_markup_of_a_comment(text in hostile()) {
        let ours = ["details", "/details", "summary", "/summary", "code", "/code", "!-- --"];
        for page in [
            written(|out| render::markdown(&with(&text), out)),
            written(|out| render::mutation_markdown(&mutants_with(&text), out)),
        ] {
            harmless(&page);
            let tags = tags(&page);
            for tag in &tags {
                prop_assert!(ours.contains(&tag.as_str()), "<{}> in {}", tag, page);
            }
            let times = |wanted: &str| tags.iter().filter(|tag| **tag == wanted).count();
            prop_assert_eq!(times("details"), times("/details"));
            prop_assert!(page.len() < 65_536);
        }
    }

    #[test]
    fn no_text_moves_the_cursor(text in hostile(), width in proptest::option::of(40_usize..200)) {
        harmless(&written(|out| render::text(&with(&text), out, width)));
        harmless(&written(|out| render::mutation_text(&mutants_with(&text), out, width)));
    }
}
