//! What people read, held as it is.

use std::fs;
use std::path::Path;

use super::data::{BenchReport, Problem, read_json};
use super::recorded::{disagreement, report};
use super::splice::splice;
use crate::subject::Unavailable;

fn shown(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut text = Vec::new();
    write(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn text(report: &BenchReport) -> String {
    shown(|out| super::text(report, out, Some(120)))
}

#[test]
fn reports_for_people_are_as_they_were() {
    let report = report();
    insta::assert_snapshot!("text", text(&report));
    insta::assert_snapshot!("markdown", shown(|out| super::markdown(&report, out)));
    insta::assert_snapshot!("excerpt", shown(|out| super::excerpt(&report, out)));
}

#[test]
fn a_narrow_terminal_gets_narrow_lines() {
    let text = shown(|out| super::text(&report(), out, Some(80)));
    let widest = text.lines().map(|line| line.chars().count()).max();
    assert!(widest.is_some_and(|widest| widest <= 80), "{widest:?}\n{text}");
}

#[test]
fn a_void_row_has_no_figure_anywhere() {
    let mut report = report();
    let rows = report.rows.iter_mut().filter(|row| row.measurement == "levels");
    rows.for_each(|row| row.void = Some(disagreement()));
    report.conclude();
    let page = shown(|out| super::html(&report, out));
    let (text, markdown) = (text(&report), shown(|out| super::markdown(&report, out)));
    for shown in [&text, &markdown, &page] {
        assert!(!shown.contains("cedar:undispatched 8"), "{shown}");
        assert!(shown.contains("disagree on") && shown.contains("of 15 rows are void"), "{shown}");
    }
    let csv = shown(|out| super::csv(&report, Some("cedar:dispatch"), out));
    assert!(csv.contains("void: rego-wasm and cedar disagree on a-researcher-searches"), "{csv}");
}

/// What a run came to is what was written when it was made, whatever a later program would say.
#[test]
fn a_report_is_rendered_from_what_it_stores() {
    let mut report = report();
    report.conclusion = "So it was.".to_owned();
    report.targets.truncate(1);
    report.targets[0].target.what = "what was promised then".to_owned();
    let again = read_json(&serde_json::to_vec(&report).unwrap()).unwrap();
    assert_eq!(again, report);
    let page = shown(|out| super::html(&again, out));
    for shown in [text(&again), shown(|out| super::markdown(&again, out)), page] {
        assert!(shown.contains("So it was.") && shown.contains("what was promised then"), "{shown}");
    }
}

#[test]
fn a_table_for_programs_has_a_line_for_each_process_and_part() {
    let csv = shown(|out| super::csv(&report(), Some("cedar"), out));
    let mut lines = csv.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let of = |line: &str, name: &str| {
        // No cell of this report has a comma before the machine's.
        let place = header.iter().position(|known| *known == name).unwrap();
        line.split(',').nth(place).unwrap().to_owned()
    };
    let lines: Vec<&str> = lines.collect();
    let memory: Vec<&&str> = lines.iter().filter(|line| of(line, "measurement") == "memory").collect();
    assert_eq!(memory.len(), 7 * 4, "a process, and its three parts");
    let parts: Vec<String> = memory.iter().take(4).map(|line| of(line, "part")).collect();
    assert_eq!(parts, ["", "before", "loaded", "settled"]);
    let input = lines.iter().find(|line| of(line, "measurement") == "input").unwrap();
    assert_eq!(
        (of(input, "value"), of(input, "size"), of(input, "engine")),
        ("100".into(), "312".into(), "cedar".into())
    );
    for line in &lines {
        assert!(
            line.contains(
                "\"linux x86_64, A Processor of Ours, 2 threads\",2026-01-02T03:04:05Z,tribunal bench"
            ),
            "{line}"
        );
        assert!(line.contains("0123456789abcdef0123456789abcdef01234567-dirty"), "{line}");
    }
}

/// What a manager reads, of runs that went well and of others.
#[test]
fn conclusions_are_as_they_were() {
    let mut shown = Vec::new();
    let mut tell = |about: &str, change: &dyn Fn(&mut BenchReport)| {
        let mut report = report();
        change(&mut report);
        report.conclude();
        shown.push(format!("{about}:\n{}", report.conclusion));
    };
    tell("whole", &|_| {});
    tell("one turn on a busy machine", &|report| {
        report.run.load = Some((1.0, 9.5));
        for entry in report.rows.iter_mut().flat_map(|row| &mut row.entries) {
            entry.processes.truncate(1);
            entry.summarise();
        }
    });
    tell("not optimised", &|report| report.run.optimised = false);
    tell("one engine failed, one is missing, and it ended early", &|report| {
        report.run.cut_short = Some("it was interrupted".to_owned());
        for entry in report.rows.iter_mut().flat_map(|row| &mut row.entries) {
            let why = match entry.subject.as_str() {
                "rego-wasm" => Unavailable::Missing("no module".to_owned()),
                "biscuit" => Unavailable::Failed("a worker ended".to_owned()),
                _ => continue,
            };
            entry.problem = Some(Problem::Unavailable(why));
        }
    });
    tell("engines disagree on decisions", &|report| {
        report
            .rows
            .iter_mut()
            .filter(|row| row.measurement == "decide")
            .for_each(|row| row.void = Some(disagreement()));
    });
    tell("one engine, another definition", &|report| {
        report.run.definition = "mine.yaml".to_owned();
        for row in &mut report.rows {
            row.entries.retain(|entry| entry.subject == "cedar");
        }
        report.subjects.retain(|subject| subject.name == "cedar");
    });
    tell("nothing", &|report| report.rows.clear());
    insta::assert_snapshot!("conclusions", shown.join("\n\n"));
}

/// The README shows the newest run that is recorded, as `tribunal bench --splice` puts it there.
#[test]
fn the_readme_has_the_figures_of_the_newest_record() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let days = fs::read_dir(root.join("records")).unwrap().map(|entry| entry.unwrap().path());
    let newest = days.filter(|path| path.is_dir()).max().unwrap();
    let report = read_json(&fs::read(newest.join("bench.json")).unwrap()).unwrap();
    assert!(report.run.cut_short.is_none() && report.run.optimised, "a record is a whole run");
    let readme = fs::read_to_string(root.join("../README.md")).unwrap();
    let current = splice(&readme, &shown(|out| super::excerpt(&report, out))).unwrap();
    assert!(
        readme == current,
        "run `tribunal bench --from {} --splice README.md`",
        newest.join("bench.json").display()
    );
}
