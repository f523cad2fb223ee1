//! How many cases passed when that was last written down, in `conformance/divergences/counts.json`: a bound from below.
//!
//! The lists of divergences cannot notice that they themselves grow. This does.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::SuiteError;
use super::reading::json;
use crate::parity::report::SuiteTable;

/// The file, as it was when this program was built.
const COUNTS: &str = include_str!("../../divergences/counts.json");

/// The counts, by suite, engine and folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Counts(BTreeMap<String, BTreeMap<String, BTreeMap<String, Count>>>);

/// The count of one folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// Cases there were.
    pub cases: u64,
    /// Cases that passed.
    pub passed: u64,
}

/// How a table falls short of the counts, one sentence a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shortfall {
    /// Folders in which fewer cases pass than did, of at least as many as there were.
    pub fallen: Vec<String>,
    /// Folders that have fewer cases than they had: another folder of suites, or a loss.
    pub smaller: Vec<String>,
}

impl Counts {
    /// The counts this program was built with.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn committed() -> Result<Self, SuiteError> {
        json("conformance/divergences/counts.json", 1, COUNTS)
    }

    /// Puts a table's counts in the place of those for its suite and engine.
    pub fn note(&mut self, table: &SuiteTable) {
        let folders = table.folders.iter().map(|folder| {
            let cases = folder.passed + folder.failed + folder.refused;
            (folder.name.clone(), Count { cases, passed: folder.passed })
        });
        self.0.entry(table.suite.clone()).or_default().insert(table.engine.clone(), folders.collect());
    }

    /// The cases that a suite had on an engine.
    pub fn cases(&self, suite: &str, engine: &str) -> u64 {
        let folders = self.0.get(suite).and_then(|engines| engines.get(engine));
        folders.into_iter().flat_map(BTreeMap::values).map(|count| count.cases).sum()
    }

    /// Holds a table of a whole suite against the counts.
    pub fn shortfall(&self, table: &SuiteTable) -> Shortfall {
        let mut shortfall = Shortfall::default();
        let recorded = self.0.get(&table.suite).and_then(|engines| engines.get(&table.engine));
        for (name, count) in recorded.into_iter().flatten() {
            let (cases, passed) = table
                .folders
                .iter()
                .find(|folder| folder.name == *name)
                .map_or((0, 0), |folder| (folder.passed + folder.failed + folder.refused, folder.passed));
            let place = format!("{} on {}: `{name}`", table.suite, table.engine);
            if cases < count.cases {
                shortfall.smaller.push(format!("{place} has {cases} cases, and had {}", count.cases));
            } else if passed < count.passed {
                shortfall.fallen.push(format!("{place}: {passed} cases pass, and {} did", count.passed));
            }
        }
        shortfall
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parity::report::SuiteFolder;

    fn table(folders: &[(&str, u64, u64)]) -> SuiteTable {
        let folders = folders.iter().map(|(name, passed, failed)| SuiteFolder {
            name: (*name).to_owned(),
            passed: *passed,
            failed: *failed,
            refused: 0,
        });
        SuiteTable {
            suite: "suite".to_owned(),
            engine: "engine".to_owned(),
            version: "1".to_owned(),
            folders: folders.collect(),
            failures: Vec::new(),
            stale: Vec::new(),
            skipped: None,
        }
    }

    #[test]
    fn counts_may_rise_and_never_fall() {
        let mut counts = Counts::default();
        counts.note(&table(&[("a", 2, 1), ("b", 5, 0)]));
        assert_eq!((counts.cases("suite", "engine"), counts.cases("suite", "other")), (8, 0));
        for (folders, fallen, smaller) in [
            (&[("a", 2, 1), ("b", 5, 0)][..], 0, 0),
            (&[("a", 3, 0), ("b", 5, 4), ("c", 0, 9)], 0, 0),
            (&[("a", 1, 2), ("b", 4, 9)], 2, 0),
            (&[("a", 2, 0), ("b", 5, 0)], 0, 1),
            (&[("a", 2, 1)], 0, 1),
        ] {
            let found = counts.shortfall(&table(folders));
            assert_eq!((found.fallen.len(), found.smaller.len()), (fallen, smaller), "{folders:?} {found:?}");
        }
    }
}
