//! Results of tests: for people, as JSON, and as JUnit's XML.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use tribunal::core::location::Location;
use tribunal_conformance::escape::xml;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::{self, BOLD, GREEN, RED, YELLOW, plain, plain_lines};

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For programs that read JUnit's XML.
    Junit,
}

/// Writes the results, and tells how the command ends.
///
/// # Errors
/// If there are none: a filter that fits nothing, or a folder without tests, proves nothing.
pub(crate) fn finish(format: Format, tests: &[Test]) -> Result<Exit, Failure> {
    if !tests.iter().any(|test| matches!(test.verdict, Verdict::Passed | Verdict::Failed(_))) {
        return Err(Failure::Input("there is nothing to test".to_owned()));
    }
    let mut out = terminal::stdout();
    match format {
        Format::Text => write_text(&mut out, tests)?,
        Format::Json => terminal::print_json(&Summary::of(tests))?,
        Format::Junit => write_junit(&mut out, tests)?,
    }
    let failed = tests.iter().any(|test| matches!(test.verdict, Verdict::Failed(_)));
    Ok(if failed { Exit::Failed } else { Exit::Success })
}

/// One test and how it went.
#[derive(Debug, Serialize)]
pub(crate) struct Test {
    /// The pack's name.
    pub(crate) pack: String,
    /// The engine it ran on.
    pub(crate) engine: String,
    /// The case's name; `load` for a pack that an engine refuses.
    pub(crate) name: String,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<Location>,
    /// How it went.
    #[serde(flatten)]
    pub(crate) verdict: Verdict,
}

/// How a test went.
#[derive(Debug, Serialize)]
#[serde(tag = "result", content = "detail", rename_all = "snake_case")]
pub(crate) enum Verdict {
    Passed,
    Failed(String),
    Skipped(String),
}

/// All tests, with their counts.
#[derive(Debug, Serialize)]
struct Summary<'t> {
    #[serde(flatten)]
    counts: Counts,
    tests: &'t [Test],
}

/// How many tests went how.
#[derive(Debug, Clone, Copy, Serialize)]
struct Counts {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl<'t> Summary<'t> {
    /// All tests, with their counts.
    fn of(tests: &'t [Test]) -> Self {
        Self { counts: Counts::of(tests), tests }
    }
}

impl Counts {
    fn of<'t>(tests: impl IntoIterator<Item = &'t Test>) -> Self {
        let mut counts = Self { passed: 0, failed: 0, skipped: 0 };
        for test in tests {
            match test.verdict {
                Verdict::Passed => counts.passed += 1,
                Verdict::Failed(_) => counts.failed += 1,
                Verdict::Skipped(_) => counts.skipped += 1,
            }
        }
        counts
    }
}

/// A line for each pack and engine, and every failure in full.
fn write_text(out: &mut dyn Write, tests: &[Test]) -> io::Result<()> {
    for (pack, engines) in grouped(tests) {
        writeln!(out, "{BOLD}{}{BOLD:#}", plain(pack))?;
        for (engine, tests) in engines {
            let Counts { passed, failed, skipped } = Counts::of(tests.iter().copied());
            let style = if failed > 0 { RED } else { GREEN };
            write!(out, "  {engine:<12} {style}{passed} passed, {failed} failed{style:#}")?;
            if skipped > 0 {
                write!(out, ", {YELLOW}skipped{YELLOW:#}")?;
            }
            writeln!(out)?;
            for test in tests {
                match &test.verdict {
                    Verdict::Passed => {}
                    Verdict::Failed(why) => {
                        let place =
                            test.place.as_ref().map(|place| format!("  {}", plain(&place.to_string())));
                        let place = place.iter().map(String::as_str).collect::<String>();
                        writeln!(out, "    {RED}{}{RED:#}{place}", plain(&test.name))?;
                        for line in plain_lines(why).lines() {
                            writeln!(out, "      {line}")?;
                        }
                    }
                    Verdict::Skipped(why) => writeln!(out, "    {}", plain(why))?,
                }
            }
        }
    }
    let Counts { passed, failed, skipped } = Counts::of(tests);
    let style = if failed > 0 { RED } else { GREEN };
    writeln!(out, "\n{style}{passed} passed, {failed} failed, {skipped} skipped{style:#}")
}

fn grouped(tests: &[Test]) -> BTreeMap<&str, BTreeMap<&str, Vec<&Test>>> {
    let mut packs: BTreeMap<&str, BTreeMap<&str, Vec<&Test>>> = BTreeMap::new();
    for test in tests {
        packs.entry(&test.pack).or_default().entry(&test.engine).or_default().push(test);
    }
    packs
}

/// JUnit's XML: a suite for each pack and engine.
fn write_junit(out: &mut dyn Write, tests: &[Test]) -> io::Result<()> {
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(out, "<testsuites>")?;
    for (pack, engines) in grouped(tests) {
        for (engine, tests) in engines {
            let Counts { failed, skipped, .. } = Counts::of(tests.iter().copied());
            writeln!(
                out,
                r#"  <testsuite name="{}" tests="{}" failures="{failed}" skipped="{skipped}">"#,
                xml(&format!("{pack}/{engine}")),
                tests.len()
            )?;
            for test in tests {
                let place = test
                    .place
                    .as_ref()
                    .map(|place| format!(r#" file="{}" line="{}""#, xml(&place.file), place.line));
                let place = place.iter().map(String::as_str).collect::<String>();
                let head = format!(
                    r#"    <testcase classname="{}.{}" name="{}"{place}"#,
                    xml(pack),
                    xml(engine),
                    xml(&test.name)
                );
                match &test.verdict {
                    Verdict::Passed => writeln!(out, "{head}/>")?,
                    Verdict::Failed(why) => {
                        writeln!(out, "{head}><failure>{}</failure></testcase>", xml(why))?
                    }
                    Verdict::Skipped(why) => {
                        writeln!(out, r#"{head}><skipped message="{}"/></testcase>"#, xml(why))?
                    }
                }
            }
            writeln!(out, "  </testsuite>")?;
        }
    }
    writeln!(out, "</testsuites>")
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn no_text_breaks_out_of_xml() {
        let hostile = "a\"/><x a='&\x1b\u{ffff}\u{202e}\nb";
        let test = |verdict| Test {
            pack: hostile.to_owned(),
            engine: "e".to_owned(),
            name: hostile.to_owned(),
            place: None,
            verdict,
        };
        let mut out = Vec::new();
        write_junit(
            &mut out,
            &[test(Verdict::Failed(hostile.to_owned())), test(Verdict::Skipped(hostile.to_owned()))],
        )
        .unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches('<').count(), text.matches('>').count());
        assert!(!text.contains('\x1b') && !text.contains('\u{ffff}') && !text.contains("<x"), "{text}");
    }
}
