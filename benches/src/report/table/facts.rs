//! How the run was made, as names and values.

use crate::report::data::{BenchReport, Drawn};
use crate::subject::Kind;

/// Whatever one needs to make the run again, and to know what its figures are of.
pub fn facts(report: &BenchReport) -> Vec<(&'static str, String)> {
    let mut facts = of_the_run(report);
    for pack in &report.packs {
        facts.push((
            "pack",
            format!("{} {} from {}, `{}`", pack.name, pack.version, pack.origin, pack.digest),
        ));
    }
    for subject in &report.subjects {
        if let Some(version) = &subject.version {
            facts.push(("subject", format!("`{}` ({version}): {}", subject.name, subject.about)));
        }
    }
    if let Some(drawn) = &report.run.flamegraphs {
        facts.extend(flamegraphs(drawn).into_iter().map(|line| ("flamegraphs", line)));
    }
    facts
}

/// What became of flamegraphs, in a line for each folder and each that is missing.
pub fn flamegraphs(drawn: &Drawn) -> Vec<String> {
    let files = match drawn.files.as_slice() {
        [] => None,
        files => Some(format!("flamegraphs in `{}`: {}", drawn.folder, files.join(", "))),
    };
    let missing = drawn.missing.iter().map(|why| format!("no flamegraph: {why}"));
    files.into_iter().chain(missing).collect()
}

/// The same in a few lines, for a terminal: without digests, and of the engines only their versions.
pub fn brief_facts(report: &BenchReport) -> Vec<(&'static str, String)> {
    let mut facts = of_the_run(report);
    let packs = report.packs.iter().filter(|pack| !is_made(report, &pack.name));
    let packs: Vec<String> = packs.map(|pack| format!("{} {}", pack.name, pack.version)).collect();
    facts.push(("packs", packs.join(", ")));
    let engines = report.subjects.iter().filter(|subject| subject.kind == Kind::Engine);
    let engines: Vec<String> = engines
        .filter_map(|engine| Some(format!("{} ({})", engine.name, engine.version.as_deref()?)))
        .collect();
    facts.push(("engines", engines.join(", ")));
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

/// Whether a pack was made for a size, and says nothing by its name.
fn is_made(report: &BenchReport, name: &str) -> bool {
    report.rows.iter().any(|row| {
        row.point.is_some_and(|point| point.axis.makes_a_pack())
            && report.packs.get(row.pack).is_some_and(|pack| pack.name == name)
    })
}

/// A revision as people name it: its beginning, and whether there were changes.
pub fn short_revision(report: &BenchReport) -> String {
    let Some(revision) = &report.run.revision else { return "unknown".to_owned() };
    let (commit, dirty) = match revision.strip_suffix("-dirty") {
        Some(commit) => (commit, "-dirty"),
        None => (revision.as_str(), ""),
    };
    format!("{}{dirty}", commit.chars().take(12).collect::<String>())
}

fn of_the_run(report: &BenchReport) -> Vec<(&'static str, String)> {
    let run = &report.run;
    let optimised = if run.optimised { "" } else { ", not optimised: no figure says anything" };
    let mut facts = vec![
        ("command", format!("`{}`", run.command)),
        ("definition", run.definition.clone()),
        ("tribunal", format!("{} at revision {}{optimised}", run.tribunal, short_revision(report))),
        (
            "machine",
            format!(
                "{}, {}, {} threads",
                run.machine.system,
                run.machine.processor.as_deref().unwrap_or("unknown processor"),
                run.machine.threads
            ),
        ),
        (
            "run",
            format!(
                "began {}, took {} s, {} a figure",
                run.started,
                run.duration_ms / 1_000,
                if run.turns == 1 { "1 process".to_owned() } else { format!("{} processes", run.turns) }
            ),
        ),
    ];
    if let Some((before, most)) = run.load {
        facts.push(("load average", format!("{before:.1} before, {most:.1} at most")));
    }
    if let Some(why) = &run.cut_short {
        facts.push(("ended early", why.clone()));
    }
    facts
}
