//! Flamegraphs, when everything is measured.

use std::path::Path;
use std::sync::atomic::Ordering;

use super::Progress;
use super::draft::Draft;
use super::session::{INTERRUPTED, Session};
use crate::flamegraph::{BUDGET_MS, Flamegraphs, Sight};
use crate::model::Model;
use crate::report::data::{BenchReport, Point};
use crate::subject::Kind;
use crate::worker::Phase;

impl Session<'_> {
    /// Has whoever decided without a problem drawn, unless the run was interrupted before.
    pub(super) fn draw(&mut self, flamegraphs: &Flamegraphs, drafts: &[Draft<'_>], report: &mut BenchReport) {
        if report.run.cut_short.is_some() {
            return;
        }
        let sights = sights(drafts, report, &self.cache);
        self.all += sights.len();
        let drawn = flamegraphs.draw(&sights, self.interrupted, &mut |sight| {
            self.done += 1;
            let at = format!("drawing {}", sight.file());
            (self.progress)(&Progress { done: self.done, all: self.all, at });
        });
        report.run.flamegraphs = Some(drawn);
        if self.interrupted.load(Ordering::Relaxed) {
            report.run.cut_short = Some(INTERRUPTED.to_owned());
        }
    }
}

/// Subjects in rows of decisions that a flamegraph can be drawn of: those that decide in the worker, without a problem.
fn sights(drafts: &[Draft<'_>], report: &BenchReport, cache: &Path) -> Vec<Sight> {
    let mut sights = Vec::new();
    for (draft, row) in drafts.iter().zip(&report.rows) {
        if !matches!(row.model, Model::Decide | Model::Batch) || row.void.is_some() {
            continue;
        }
        let name = match (row.point, report.pack_among_others(row)) {
            (Some(Point { axis, value, .. }), _) => format!("{}-{}-{value}", row.measurement, axis.as_str()),
            (None, Some(pack)) => format!("{}-{pack}", row.measurement),
            (None, None) => row.measurement.clone(),
        };
        for (subject, entry) in draft.subjects.iter().zip(&row.entries) {
            if subject.kind() != Kind::Peer && entry.problem.is_none() {
                let job = draft.job(subject.name(), Phase::Measure, BUDGET_MS, cache);
                sights.push(Sight { row: name.clone(), job });
            }
        }
    }
    sights
}
