//! What a figure is made of: the stages of a decision, or the memory of a process before and after.

use super::{NONE, Table, measured};
use crate::model::Unit;
use crate::report::data::{Entry, Row};
use crate::report::figures::{percent, quantity};
use crate::statistics::median;

/// The stages that our engines tell of, in the order in which they happen.
const ORDER: [&str; 15] = [
    "read and bound",
    "claim",
    "schema",
    "derive",
    "write input",
    "convert",
    "convert and build",
    "parse input in module",
    "find policies and entities",
    "engine",
    "evaluate",
    "ask for answers",
    "dump",
    "read answer",
    "dispatch and outcome",
];

/// The names of all stages that some subjects have, in the order in which they happen. Those that are not known here come
/// last, by name.
pub fn stage_names<'r>(entries: impl IntoIterator<Item = &'r Entry>) -> Vec<&'r str> {
    let parts = entries.into_iter().flat_map(|entry| &entry.processes).map(|process| &process.figures.parts);
    let mut names: Vec<&str> = parts.flat_map(|parts| parts.keys().map(String::as_str)).collect();
    let place = |name: &str| ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len());
    names.sort_by_key(|name| (place(name), *name));
    names.dedup();
    names
}

/// The stages of a subject, in the order in which they happen, each with the median over its processes.
pub fn stages(entry: &Entry) -> Vec<(&str, f64)> {
    let of = |name| {
        let values = entry.processes.iter().filter_map(|process| process.figures.parts.get(name).copied());
        Some((name, median(&values.collect::<Vec<f64>>())?))
    };
    stage_names([entry]).into_iter().filter_map(of).collect()
}

/// What loading a pack added to a process, and what had been added when it had settled, in bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MemoryParts {
    /// Loaded, and every request decided once.
    pub loaded: f64,
    /// After as many decisions as it takes until nothing is added.
    pub settled: f64,
}

/// The parts of a subject's memory, each in the median over its processes; `None` if it told of none.
pub fn memory_parts(entry: &Entry) -> Option<MemoryParts> {
    let added = |name: &str| {
        let values = entry.processes.iter().filter_map(|process| {
            let parts = &process.figures.parts;
            Some((parts.get(name)? - parts.get("before")?).max(0.0))
        });
        median(&values.collect::<Vec<f64>>())
    };
    Some(MemoryParts { loaded: added("loaded")?, settled: added("settled")? })
}

/// A subject with its stages and the time that they take together.
struct Staged<'r> {
    subject: &'r str,
    stages: Vec<(&'r str, f64)>,
    whole: f64,
}

impl Staged<'_> {
    /// A stage's time and its share of the whole.
    fn cell(&self, name: &str, unit: Unit) -> String {
        let Some((_, time)) = self.stages.iter().find(|(known, _)| *known == name) else {
            return NONE.to_owned();
        };
        let share =
            if self.whole > 0.0 { format!(" ({})", percent(time / self.whole)) } else { String::new() };
        format!("{}{share}", quantity(*time, unit))
    }
}

/// A line for each stage, a column for each subject.
pub(super) fn breakdown(row: &Row) -> Table {
    let staged: Vec<Staged<'_>> = measured(row)
        .map(|(entry, _)| {
            let stages = stages(entry);
            let whole = stages.iter().map(|(_, time)| time).sum();
            Staged { subject: &entry.subject, stages, whole }
        })
        .collect();
    let line = |name: &str, of: &dyn Fn(&Staged<'_>) -> String| -> Vec<String> {
        [name.to_owned()].into_iter().chain(staged.iter().map(of)).collect()
    };
    let mut rows: Vec<Vec<String>> = stage_names(measured(row).map(|(entry, _)| entry))
        .into_iter()
        .map(|name| line(name, &|one| one.cell(name, row.unit)))
        .collect();
    if !rows.is_empty() {
        rows.push(line("together", &|one| quantity(one.whole, row.unit)));
    }
    Table { header: line("stage", &|one| one.subject.to_owned()), rows }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::report::data::Process;
    use crate::statistics::Figures;

    fn entry(processes: &[&[(&str, f64)]]) -> Entry {
        let process = |parts: &&[(&str, f64)]| {
            let parts: BTreeMap<String, f64> =
                parts.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
            Process { turn: 0, load: None, figures: Figures { parts, ..Figures::once(1.0) } }
        };
        Entry { processes: processes.iter().map(process).collect(), ..Entry::new("x") }
    }

    #[test]
    fn every_stage_stands_once_known_ones_in_their_order() {
        let one: &[(&str, f64)] =
            &[("a new stage", 1.0), ("evaluate", 5.0), ("another", 2.0), ("claim", 3.0)];
        let two: &[(&str, f64)] = &[("a new stage", 3.0), ("evaluate", 7.0), ("another", 2.0)];
        let expected = [("claim", 3.0), ("evaluate", 6.0), ("a new stage", 2.0), ("another", 2.0)];
        assert_eq!(stages(&entry(&[one, two])), expected);
    }

    #[test]
    fn memory_is_what_was_added() {
        let one: &[(&str, f64)] = &[("before", 10.0), ("loaded", 30.0), ("settled", 25.0)];
        let parts = memory_parts(&entry(&[one])).unwrap();
        assert_eq!((parts.loaded, parts.settled), (20.0, 15.0));
        assert_eq!(memory_parts(&entry(&[&[("evaluate", 1.0)]])), None);
    }
}
