//! Where the time of decisions goes, drawn: once everything is measured, workers are run once more under Linux's `perf`, and
//! the stacks they were found in become an SVG for each row and subject.
//!
//! - `perf`: recording a worker
//! - [`fold`]: the stacks of decisions, out of what `perf script` writes
//!
//! No figure comes from here: a worker that is interrupted hundreds of times a second, its stack copied each time, is slower than
//! one that is not. Shares are what a flamegraph is for.
//!
//! # What frames are called
//! - `opa_…`, `wasm[0]::…`: code that was compiled while the program ran, which is rego-wasm's module. wasmtime tells `perf` its
//!   names in these workers, and nowhere else. `perf` does not find who called it, so it stands under [`fold::NO_CALLER`].
//! - `[unknown]`: code that has no name.

pub mod fold;
mod perf;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use inferno::flamegraph::color::{MultiPalette, Palette};
use inferno::flamegraph::{self, Options};

use crate::launch::Processes;
use crate::report::data::Drawn;
use crate::worker::Job;
use fold::Folded;

/// How long a worker decides under `perf`, in milliseconds.
pub const BUDGET_MS: u64 = 4_000;

/// Where flamegraphs go, and whose they are.
#[derive(Debug, Clone)]
pub struct Flamegraphs {
    folder: PathBuf,
    worker: Processes,
}

/// A subject in a row, to be looked at once more.
#[derive(Debug, Clone, PartialEq)]
pub struct Sight {
    /// The row, as file names have it.
    pub row: String,
    /// What it decides.
    pub job: Job,
}

impl Sight {
    /// The file's name.
    pub fn file(&self) -> String {
        let safe = |char: char| if char.is_ascii_alphanumeric() { char } else { '-' };
        let subject: String = self.job.subject.chars().map(safe).collect();
        format!("{}-{subject}.svg", self.row)
    }
}

impl Flamegraphs {
    /// Into a folder, which is made if it is not there, of workers that are started so.
    ///
    /// # Errors
    /// If nothing can be written there.
    pub fn new(folder: &Path, worker: Processes) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        tempfile::tempfile_in(folder)?;
        Ok(Self { folder: folder.to_owned(), worker })
    }

    /// Draws each; `tell` is told which one is at hand. After an interruption what was drawn before it is there.
    pub fn draw(&self, sights: &[Sight], interrupted: &AtomicBool, tell: &mut dyn FnMut(&Sight)) -> Drawn {
        let mut drawn = Drawn { folder: self.folder.display().to_string(), ..Drawn::default() };
        if let Err(why) = perf::permitted() {
            drawn.missing.push(why);
            return drawn;
        }
        for sight in sights {
            tell(sight);
            let stacks = perf::stacks(&self.worker, &sight.job, interrupted);
            if interrupted.load(Ordering::Relaxed) {
                break;
            }
            match stacks.and_then(|stacks| self.write(sight, &stacks)) {
                Ok(()) => drawn.files.push(sight.file()),
                Err(why) => drawn.missing.push(format!("{}, `{}`: {why}", sight.row, sight.job.subject)),
            }
        }
        drawn
    }

    /// Writes a flamegraph whole, or leaves the one that is there.
    fn write(&self, sight: &Sight, stacks: &Folded) -> Result<(), String> {
        let text = svg(&format!("{}: {}", sight.row, sight.job.subject), stacks)?;
        let path = self.folder.join(sight.file());
        let mut beside = path.clone().into_os_string();
        beside.push(".part");
        let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, &path));
        written.map_err(|error| format!("`{}` cannot be written: {error}", path.display()))
    }
}

/// The picture.
fn svg(title: &str, stacks: &Folded) -> Result<Vec<u8>, String> {
    let mut options = Options::default();
    options.title = title.to_owned();
    options.subtitle = Some(stacks.about());
    options.colors = Palette::Multi(MultiPalette::Rust);
    // The same stacks make the same picture.
    options.deterministic = true;
    let lines = stacks.lines();
    let mut text = Vec::new();
    flamegraph::from_lines(&mut options, lines.iter().map(String::as_str), &mut text)
        .map_err(|error| format!("it cannot be drawn: {error}"))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Model;
    use crate::worker::Phase;

    fn sight(row: &str, subject: &str) -> Sight {
        let job = Job {
            phase: Phase::Measure,
            subject: subject.to_owned(),
            model: Model::Decide,
            packs: Vec::new(),
            requests: Vec::new(),
            threads: 1,
            budget_ms: BUDGET_MS,
            cache: None,
        };
        Sight { row: row.to_owned(), job }
    }

    fn drawing(folder: &Path) -> Flamegraphs {
        let worker = Processes { program: PathBuf::from("/nowhere"), arguments: Vec::new() };
        Flamegraphs::new(folder, worker).unwrap()
    }

    #[test]
    fn a_file_is_called_after_its_row_and_subject() {
        assert_eq!(sight("decide", "cedar").file(), "decide-cedar.svg");
        assert_eq!(sight("growth-rules-100", "floor:opa-eval").file(), "growth-rules-100-floor-opa-eval.svg");
    }

    #[test]
    fn a_picture_has_the_frames_and_replaces_an_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let drawing = drawing(&folder.path().join("new"));
        let stacks = Folded::read(fold::tests::RECORDED).unwrap();
        let sight = sight("decide", "cedar");
        for _ in 0..2 {
            drawing.write(&sight, &stacks).unwrap();
        }
        let names: Vec<_> =
            fs::read_dir(&drawing.folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["decide-cedar.svg"]);
        let text = fs::read_to_string(drawing.folder.join("decide-cedar.svg")).unwrap();
        assert!(text.contains("decide: cedar") && text.trim_end().ends_with("</svg>"), "{text}");
        assert!(text.contains("tribunal_engine_core::") && text.contains("opa_"), "{text}");
        assert_eq!(svg("a", &stacks).unwrap(), svg("a", &stacks).unwrap());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let worker = Processes { program: PathBuf::new(), arguments: Vec::new() };
        assert!(Flamegraphs::new(&file, worker.clone()).is_err());
        assert!(Flamegraphs::new(&file.join("below"), worker).is_err());
    }
}
