//! `policy_decisions` artifacts: a file for each decided step.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, TempPath};
use tribunal::PolicyRequest;
use tribunal::core::contract::record::RecordSettings;
use tribunal::core::contract::{Outcome, PolicyDecisions};
use uuid::Uuid;

/// The folder that artifacts go to. Shared by all threads: no two write the same file.
#[derive(Debug)]
pub(crate) struct Artifacts {
    folder: PathBuf,
    /// Whether the folder is there.
    opened: io::Result<()>,
    settings: RecordSettings,
}

/// An artifact that is written, and not yet in its place. Dropped, it was never there.
#[derive(Debug)]
pub(crate) struct Draft {
    text: TempPath,
    place: PathBuf,
}

impl Draft {
    /// Puts it into its place. No file is ever overwritten.
    ///
    /// # Errors
    /// If it could not be put there.
    pub(crate) fn publish(self) -> io::Result<()> {
        self.text.persist_noclobber(self.place).map_err(|error| error.error)
    }
}

impl Artifacts {
    /// Opens the folder, or makes it. Whether that worked is told when the first artifact is written.
    pub(crate) fn open(folder: &Path, settings: RecordSettings) -> Self {
        Self { folder: folder.to_path_buf(), opened: fs::create_dir_all(folder), settings }
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Drafts the artifact of a decision, see [`Artifacts::draft`].
    ///
    /// # Errors
    /// If it could not be written.
    pub(crate) fn draft_of(
        &self,
        request: &PolicyRequest,
        outcome: &Outcome,
        decision_id: Uuid,
    ) -> io::Result<Draft> {
        self.draft(&PolicyDecisions::new(request, outcome, &self.settings), decision_id)
    }

    /// Writes a document that gets a file of its own: `RUN.STEP.DECISION.json`, with `none` for what a request does not say.
    /// A reader never meets half of it.
    ///
    /// # Errors
    /// If it could not be written.
    pub(crate) fn draft(&self, document: &PolicyDecisions, decision_id: Uuid) -> io::Result<Draft> {
        let document = PolicyDecisions { decision_id: Some(decision_id), ..document.clone() };
        self.opened.as_ref().map_err(|error| io::Error::new(error.kind(), error.to_string()))?;
        // Only UUIDs get here, written by ourselves: nothing that a request says becomes part of a path.
        let named = |id: Option<Uuid>| id.map_or_else(|| "none".to_owned(), |id| id.to_string());
        let name = format!("{}.{}.{decision_id}.json", named(document.run_id), named(document.step_id));
        let mut builder = Builder::new();
        builder.prefix(".tribunal-");
        readable_as_others(&mut builder);
        let mut file = builder.tempfile_in(&self.folder)?;
        let mut text = serde_json::to_vec_pretty(&document)?;
        text.push(b'\n');
        file.write_all(&text)?;
        // Closed: there may be more drafts than a process may have open files.
        Ok(Draft { text: file.into_temp_path(), place: self.folder.join(name) })
    }
}

/// A temporary file is its owner's alone; an artifact is read by whoever may read what this process writes (umask).
#[cfg(unix)]
fn readable_as_others(builder: &mut Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
fn readable_as_others(_builder: &mut Builder<'_, '_>) {}

#[cfg(test)]
mod tests {
    use super::*;
    use tribunal::{Fault, FaultKind};

    #[test]
    fn no_artifact_takes_anothers_place() {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::open(&folder.path().join("a/b"), RecordSettings::default());
        let evaluation =
            crate::evaluator::Evaluation::refused(Fault::new(FaultKind::RequestBounds, "nonsense"), None);
        let (request, outcome) = (&evaluation.request, &evaluation.outcome);
        let draft = |id| artifacts.draft_of(request, outcome, Uuid::from_u128(id)).unwrap();
        draft(1).publish().unwrap();
        draft(2).publish().unwrap();
        assert_eq!(draft(1).publish().unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        drop(draft(3));
        let names: Vec<_> = fs::read_dir(folder.path().join("a/b"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names.len(), 2, "nothing half written is left: {names:?}");
    }
}
