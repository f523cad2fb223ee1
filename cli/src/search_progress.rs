//! How far a search has come, for people who watch.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tribunal_conformance::parity::report::Bound;
use tribunal_conformance::search::Progress;

use crate::terminal;

/// A line on standard error; nothing where nobody watches.
#[derive(Debug)]
pub(crate) struct SearchProgress {
    bar: ProgressBar,
    bound: Option<Bound>,
}

impl SearchProgress {
    /// A line for a search of this length.
    pub(crate) fn new(bound: Option<Bound>) -> Self {
        let length = match bound {
            Some(Bound::Requests(requests)) => requests,
            Some(Bound::Milliseconds(time)) => time,
            None => 0,
        };
        let bar = if terminal::is_watched() && bound.is_some() {
            ProgressBar::new(length)
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {msg}, {elapsed}") {
            bar.set_style(style);
        }
        Self { bar, bound }
    }

    /// Says how far it is.
    pub(crate) fn tell(&self, progress: Progress) {
        let Progress { compared, found, elapsed } = progress;
        self.bar.set_position(match self.bound {
            Some(Bound::Milliseconds(_)) => milliseconds(elapsed),
            _ => compared,
        });
        let found = match found {
            0 => "no difference".to_owned(),
            1 => "1 difference".to_owned(),
            found => format!("{found} differences"),
        };
        self.bar.set_message(format!("{compared} requests, {found}"));
    }

    /// Takes the line away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Which mutant is at hand, for people who watch.
#[derive(Debug)]
pub(crate) struct MutantProgress(ProgressBar);

impl MutantProgress {
    /// A line on standard error; nothing where nobody watches.
    pub(crate) fn new() -> Self {
        let bar = if terminal::is_watched() { ProgressBar::new(0) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {msg}, {elapsed}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Says how far it is.
    pub(crate) fn tell(&self, pack: &str, engine: &str, index: usize, all: usize) {
        self.0.set_length(all as u64);
        self.0.set_position(index as u64);
        self.0.set_message(format!("{pack} on {engine}: {index} of {all} mutants"));
    }

    /// Takes the line away.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
