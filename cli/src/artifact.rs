//! `policy_decisions` artifacts: a file for each decided step.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::Builder;
use tribunal::PolicyRequest;
use tribunal::core::contract::record::{RecordFailure, RecordSettings};
use tribunal::core::contract::{Outcome, PolicyDecisions};
use uuid::Uuid;

/// The folder that artifacts go to. Shared by all threads: no two write the same file.
#[derive(Debug)]
pub(crate) struct Artifacts {
    folder: io::Result<PathBuf>,
    settings: RecordSettings,
}

/// An artifact that could not be written, and the decision must not stand without it.
#[derive(Debug)]
pub(crate) struct Unwritten(pub(crate) String);

impl Artifacts {
    /// Opens the folder, or makes it. Whether that worked is told when the first artifact is written.
    pub(crate) fn open(folder: &Path, settings: RecordSettings) -> Self {
        Self { folder: fs::create_dir_all(folder).map(|()| folder.to_path_buf()), settings }
    }

    /// Writes the artifact of a decision into a file of its own: `RUN.STEP.DECISION.json`, with `none` for what a request
    /// does not say. A reader never meets half of it, and no file is ever overwritten.
    ///
    /// # Errors
    /// If it could not be written, unless the deployment says that decisions stand all the same.
    pub(crate) fn write(
        &self,
        request: &PolicyRequest,
        outcome: &Outcome,
        decision_id: Uuid,
    ) -> Result<(), Unwritten> {
        let document = PolicyDecisions::new(request, outcome, &self.settings);
        match (self.put(&document, decision_id), self.settings.on_failure) {
            (Ok(()), _) | (Err(_), RecordFailure::Ignore) => Ok(()),
            (Err(error), RecordFailure::Deny) => {
                Err(Unwritten(format!("the artifact cannot be written: {error}")))
            }
        }
    }

    /// Writes a document into a file of its own, see [`Artifacts::write`].
    ///
    /// # Errors
    /// If it could not be written.
    pub(crate) fn put(&self, document: &PolicyDecisions, decision_id: Uuid) -> io::Result<()> {
        let document = PolicyDecisions { decision_id: Some(decision_id), ..document.clone() };
        let folder = self.folder.as_ref().map_err(|error| io::Error::new(error.kind(), error.to_string()))?;
        // Only UUIDs get here, written by ourselves: nothing that a request says becomes part of a path.
        let named = |id: Option<Uuid>| id.map_or_else(|| "none".to_owned(), |id| id.to_string());
        let name = format!("{}.{}.{decision_id}.json", named(document.run_id), named(document.step_id));
        let mut builder = Builder::new();
        builder.prefix(".tribunal-");
        readable_as_others(&mut builder);
        let mut file = builder.tempfile_in(folder)?;
        let mut text = serde_json::to_vec_pretty(&document)?;
        text.push(b'\n');
        file.write_all(&text)?;
        file.persist_noclobber(folder.join(name)).map_err(|error| error.error)?;
        Ok(())
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
        artifacts.write(request, outcome, Uuid::from_u128(1)).unwrap();
        artifacts.write(request, outcome, Uuid::from_u128(2)).unwrap();
        let error = artifacts.write(request, outcome, Uuid::from_u128(1)).unwrap_err();
        assert!(error.0.contains("exists"), "{}", error.0);
        let names: Vec<_> = fs::read_dir(folder.path().join("a/b"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names.len(), 2, "nothing half written is left: {names:?}");
    }
}
