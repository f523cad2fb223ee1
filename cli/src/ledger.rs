//! Decisions written down, in a record and an artifact each, which both tell the outcome that counts.
//!
//! Either may fail, and then the decision is another one. So an artifact is drafted beside its place, the record is written,
//! and only then the artifact takes its place: nobody reads one of a decision that did not stand.

use std::io;
use std::path::Path;

use tribunal::core::contract::record::RecordFailure;

use crate::artifact::{Artifacts, Draft};
use crate::evaluator::Evaluation;
use crate::recorder::{Recorder, Recording};

/// What is written down, and what is done if it cannot be. Shared by all threads.
pub(crate) struct Ledger {
    pub(crate) artifacts: Option<Artifacts>,
    pub(crate) recording: Option<Recording>,
    pub(crate) on_failure: RecordFailure,
}

/// An evaluation on its way to be written down.
pub(crate) struct Entry {
    pub(crate) evaluation: Evaluation,
    /// What could not be written down.
    pub(crate) missed: Vec<String>,
    artifact: Option<Draft>,
    record: Option<io::Result<Vec<u8>>>,
}

impl Ledger {
    /// Prepares all that takes time. Nobody sees any of it yet.
    pub(crate) fn draft(&self, evaluation: Evaluation) -> Entry {
        let mut entry = Entry { evaluation, missed: Vec::new(), artifact: None, record: None };
        self.draft_artifact(&mut entry);
        entry.record = self.recording.as_ref().map(|recording| recording.line(&entry.evaluation));
        entry
    }

    /// Writes an entry down; whether its decision is another one since it was drafted.
    pub(crate) fn enter(&self, entry: &mut Entry, mut recorder: Option<&mut Recorder>) -> bool {
        let mut is_changed = false;
        if let Some((recorder, line)) = recorder.as_mut().zip(entry.record.take())
            && let Err(error) = recorder.write(line)
        {
            is_changed |= self.miss(entry, "record", recorder.path(), &error);
            if is_changed && entry.artifact.take().is_some() {
                self.draft_artifact(entry);
            }
        }
        if let Some((draft, artifacts)) = entry.artifact.take().zip(self.artifacts.as_ref())
            && let Err(error) = draft.publish()
            && self.miss(entry, "artifact", artifacts.folder(), &error)
        {
            is_changed = true;
            // One line more: of two with the same id the later one counts.
            if let Some((recorder, recording)) = recorder.zip(self.recording.as_ref())
                && let Err(error) = recorder.write(recording.line(&entry.evaluation))
            {
                self.miss(entry, "record", recorder.path(), &error);
            }
        }
        is_changed
    }

    fn draft_artifact(&self, entry: &mut Entry) {
        let Some(artifacts) = &self.artifacts else { return };
        let evaluation = &entry.evaluation;
        match artifacts.draft_of(&evaluation.request, &evaluation.outcome, evaluation.decision_id) {
            Ok(draft) => entry.artifact = Some(draft),
            Err(error) => {
                self.miss(entry, "artifact", artifacts.folder(), &error);
            }
        }
    }

    /// Notes what could not be written; whether the decision is a denial for it.
    fn miss(&self, entry: &mut Entry, what: &str, place: &Path, error: &io::Error) -> bool {
        let why = format!("the {what} cannot be written to `{}`: {error}", place.display());
        let denies = self.on_failure == RecordFailure::Deny;
        if denies {
            entry.evaluation.deny_unrecorded(&why);
        }
        entry.missed.push(why);
        denies
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tribunal::core::contract::record::RecordSettings;
    use tribunal::{Fault, FaultKind};

    use super::*;

    /// The folder of artifacts goes away at the worst moment: once an artifact is drafted and the record is written.
    #[test]
    fn a_record_is_followed_by_the_denial_of_a_lost_artifact() {
        let folder = tempfile::tempdir().unwrap();
        let (artifacts, records) = (folder.path().join("artifacts"), folder.path().join("records.ndjson"));
        for (on_failure, reasons) in [
            (RecordFailure::Deny, &["engine_error:request_bounds", "engine_error:record_unwritten"][..]),
            (RecordFailure::Ignore, &["engine_error:request_bounds"]),
        ] {
            let ledger = Ledger {
                artifacts: Some(Artifacts::open(&artifacts, RecordSettings::default())),
                recording: Some(Recording::new(None)),
                on_failure,
            };
            let refused = Evaluation::refused(Fault::new(FaultKind::RequestBounds, "nonsense"), None);
            let mut entry = ledger.draft(refused);
            fs::remove_dir_all(&artifacts).unwrap();
            let is_changed = ledger.enter(&mut entry, Some(&mut Recorder::open(&records)));
            assert_eq!(is_changed, on_failure == RecordFailure::Deny);
            let says = format!("the artifact cannot be written to `{}`: ", artifacts.display());
            assert!(entry.missed[0].starts_with(&says), "{:?}", entry.missed);
            let told: Vec<String> = fs::read_to_string(&records)
                .unwrap()
                .lines()
                .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
                .map(|record| record["decision"]["reason"].as_str().unwrap().to_owned())
                .collect();
            assert_eq!(told, reasons);
            fs::remove_file(&records).unwrap();
        }
    }
}
