//! Decisions written down, a line each, appended to a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tribunal::core::contract::record::{DecisionRecord, RecordSettings, RecordedInput};

use crate::evaluator::Evaluation;

/// How decisions become lines. Shared by all threads.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    settings: RecordSettings,
}

/// Where the lines go. One thread writes them.
#[derive(Debug)]
pub(crate) struct Recorder {
    path: PathBuf,
    file: io::Result<File>,
    /// The last line was cut off: the next one must not be glued to it.
    torn: bool,
}

impl Recording {
    /// As the deployment says. Without a deployment nobody knows what must be masked, so no request is written down.
    pub(crate) fn new(settings: Option<&RecordSettings>) -> Self {
        let unknown = || RecordSettings { input: RecordedInput::Digest, ..RecordSettings::default() };
        Self { settings: settings.map_or_else(unknown, RecordSettings::clone) }
    }

    /// What may be written down, and what is done if it cannot be.
    pub(crate) fn settings(&self) -> &RecordSettings {
        &self.settings
    }

    /// The line of a decision.
    ///
    /// # Errors
    /// If it cannot be written as JSON.
    pub(crate) fn line(&self, evaluation: &Evaluation) -> io::Result<Vec<u8>> {
        let record = DecisionRecord::new(
            &evaluation.request,
            &evaluation.outcome,
            &self.settings,
            evaluation.decision_id,
            Timestamp::now(),
        );
        let mut line = serde_json::to_vec(&record)?;
        line.push(b'\n');
        Ok(line)
    }
}

impl Recorder {
    /// Opens the file, or makes it. Whether that worked is told when the first line is written.
    pub(crate) fn open(path: &Path) -> Self {
        let (file, torn) = match open(path) {
            Ok((file, torn)) => (Ok(file), torn),
            Err(error) => (Err(error), false),
        };
        Self { path: path.to_path_buf(), file, torn }
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a line.
    ///
    /// # Errors
    /// If it could not be written.
    pub(crate) fn write(&mut self, line: io::Result<Vec<u8>>) -> io::Result<()> {
        let mut line = line?;
        if self.torn {
            line.insert(0, b'\n');
        }
        let file = self.file.as_mut().map_err(|error| io::Error::new(error.kind(), error.to_string()))?;
        self.torn = true;
        file.write_all(&line)?;
        self.torn = false;
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<(File, bool)> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() == 0 {
        return Ok((file, false));
    }
    // What was there may end in the middle of a line, if its writer was stopped.
    let mut reader = File::open(path)?;
    reader.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    reader.read_exact(&mut last)?;
    file.seek(SeekFrom::End(0))?;
    Ok((file, last != [b'\n']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tribunal::{Fault, FaultKind};

    fn refused() -> Evaluation {
        Evaluation::refused(Fault::new(FaultKind::RequestBounds, "secret"), None)
    }

    #[test]
    fn without_a_deployment_no_request_is_written_down() {
        let line = String::from_utf8(Recording::new(None).line(&refused()).unwrap()).unwrap();
        assert!(line.contains(r#""digest""#) && !line.contains("secret"), "{line}");
        let line =
            String::from_utf8(Recording::new(Some(&RecordSettings::default())).line(&refused()).unwrap())
                .unwrap();
        assert!(line.contains(r#""input":{"full":null}"#) && line.contains("secret"), "{line}");
        assert!(line.contains("engine_error:request_bounds") && line.ends_with('\n'));
    }

    #[test]
    fn a_torn_line_is_not_glued_to_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records.ndjson");
        std::fs::write(&path, "{\"torn").unwrap();
        for _ in 0..2 {
            Recorder::open(&path).write(Ok(b"{}\n".to_vec())).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"torn\n{}\n{}\n");
    }

    #[test]
    fn what_cannot_be_written_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing").join("records.ndjson");
        assert!(Recorder::open(&path).write(Ok(b"{}\n".to_vec())).is_err());
    }
}
