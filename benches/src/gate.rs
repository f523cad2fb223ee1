//! A gate for CI: a candidate may cost at most so many times what a baseline costs.
//!
//! It is decided by the interval and not by the figure. What a run does not show to hold does not pass, whether it shows the
//! opposite or nothing; and by a run that was not what it was to be nothing can be shown.

use crate::report::data::{BenchReport, Entry, Row};
use crate::report::table::said;
use crate::statistics::{Interval, Quantile, Ratio};

/// What is asked of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// Who must not cost more.
    pub candidate: String,
    /// Than whom.
    pub baseline: String,
    /// In which measurement.
    pub measurement: String,
    /// At which value of the size that is varied.
    pub value: Option<u64>,
    /// By which figure.
    pub at: Quantile,
    /// How many times as much at most.
    pub max_ratio: f64,
}

/// What a run says.
#[derive(Debug, Clone, PartialEq)]
pub enum Decided {
    /// The whole interval is within.
    Holds(Ratio),
    /// The whole interval is beyond.
    Broken(Ratio),
    /// The interval has the limit in it, or there is none.
    NotShown(Ratio),
    /// The run is not one to decide by: why.
    Unfit(String),
}

/// Why a run says nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum GateError {
    /// It does not have the measurement.
    #[error("the run has no measurement `{0}`; it has {1}")]
    NoMeasurement(String, String),
    /// It was made on several packs, and only one can be decided by.
    #[error(
        "the run has the measurement `{0}` on several packs: measure one, or let a gate ask for another measurement"
    )]
    SeveralPacks(String),
    /// The measurement is void: engines disagree.
    #[error("the measurement `{0}` is void: {1}")]
    Void(String, String),
    /// One of the two has no such figure.
    #[error("`{subject}` has no {at} in `{measurement}`{why}")]
    NoFigure {
        /// Who.
        subject: String,
        /// Which figure.
        at: &'static str,
        /// Where.
        measurement: String,
        /// Why, where it is known.
        why: String,
    },
}

impl Gate {
    /// Decides.
    ///
    /// # Errors
    /// Why nothing can be decided by this run.
    pub fn decide(&self, report: &BenchReport) -> Result<Decided, GateError> {
        let wanted = |row: &&Row| {
            row.measurement == self.measurement && row.point.map(|point| point.value) == self.value
        };
        let Some(row) = report.rows.iter().find(wanted) else {
            let names: Vec<&str> = report.rows.iter().map(|row| row.measurement.as_str()).collect();
            return Err(GateError::NoMeasurement(self.measurement.clone(), names.join(", ")));
        };
        if report.pack_among_others(row).is_some() {
            return Err(GateError::SeveralPacks(self.measurement.clone()));
        }
        if let Some(void) = &row.void {
            let why = format!("`{}` and `{}` disagree on `{}`", void.first.0, void.second.0, void.name);
            return Err(GateError::Void(self.measurement.clone(), why));
        }
        for subject in [&self.candidate, &self.baseline] {
            let entry = row.entry(subject);
            let has =
                entry.is_some_and(|entry| entry.turns().any(|(_, figures)| self.at.of(figures).is_some()));
            if !has {
                let why = entry.and_then(|entry| entry.problem.as_ref()).map(said);
                return Err(GateError::NoFigure {
                    subject: subject.clone(),
                    at: self.at.as_str(),
                    measurement: self.measurement.clone(),
                    why: why.map_or_else(String::new, |why| format!(": {why}")),
                });
            }
        }
        if let Some(why) = self.unfit(report, row) {
            return Ok(Decided::Unfit(why));
        }
        let ratio =
            row.ratio(&self.candidate, &self.baseline, self.at).ok_or_else(|| GateError::NoFigure {
                subject: self.candidate.clone(),
                at: self.at.as_str(),
                measurement: self.measurement.clone(),
                why: ": no turn has both".to_owned(),
            })?;
        Ok(match ratio.interval {
            Some(Interval { high, .. }) if high <= self.max_ratio => Decided::Holds(ratio),
            Some(Interval { low, .. }) if low > self.max_ratio => Decided::Broken(ratio),
            _ => Decided::NotShown(ratio),
        })
    }

    /// Why the figures of a row are not to be decided by.
    fn unfit(&self, report: &BenchReport, row: &Row) -> Option<String> {
        if !report.run.optimised {
            return Some("the run is of a program that is not optimised".to_owned());
        }
        [&self.candidate, &self.baseline].into_iter().find_map(|subject| {
            let entry: &Entry = row.entry(subject)?;
            if let Some(problem) = &entry.problem {
                return Some(format!("`{subject}` has a problem: {}", said(problem)));
            }
            let (has, wanted) = (entry.processes.len(), report.run.turns as usize);
            let why = report.run.cut_short.as_ref().map_or_else(String::new, |why| format!(" ({why})"));
            (has < wanted).then(|| {
                format!("the run ended early{why}: of `{subject}` it has {has} of {wanted} processes")
            })
        })
    }
}

impl Decided {
    /// Whether the gate is open.
    pub fn holds(&self) -> bool {
        matches!(self, Decided::Holds(_))
    }
}
