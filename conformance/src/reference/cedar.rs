//! The `cedar` command as a reference: run once for each set of policies, so a few milliseconds each.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use serde_json::Value;
use tempfile::{NamedTempFile, TempDir};
use tribunal::cedar::reference::{self, Answer, Question, Which};
use tribunal::core::engine::{Engine, Explanation, LoadError, LoadErrorKind, LoadErrors, Prepared, Verdict};
use tribunal::core::fault::{Fault, FaultKind, LimitKind};
use tribunal::core::pack::PackSource;

use super::process::{Said, find, run};
use super::{CEDAR_VARIABLE, Reference, ReferenceError};

const COMMAND: &str = "cedar";
/// The engine it stands for.
const STANDS_FOR: &str = "cedar";

/// A pack on the command, and the folder with its files.
#[derive(Debug)]
struct Cedar {
    program: PathBuf,
    pack: reference::Reference,
    folder: TempDir,
}

/// Prepares a pack for the command.
pub(super) fn prepare(pack: &PackSource, binary: Option<&Path>) -> Result<Reference, ReferenceError> {
    let (program, looked) = find(COMMAND, CEDAR_VARIABLE, binary);
    let program = if program.components().count() > 1 { std::path::absolute(&program)? } else { program };
    let folder = TempDir::with_prefix("tribunal-cedar-")?;
    let absent =
        |error: String| ReferenceError::NotInstalled { command: COMMAND, looked: looked.clone(), error };
    let said = run(Command::new(&program).arg("--version"), folder.path())
        .map_err(|error| absent(error.to_string()))?;
    let version = said.text.trim().strip_prefix("cedar-policy-cli ").filter(|_| said.status.success());
    let version = version.ok_or_else(|| absent(format!("it says `{}`", said.text.trim())))?;
    if !pack.manifest.engines.contains_key(STANDS_FOR) {
        return Err(ReferenceError::NotOffered { command: COMMAND, error: pack.not_offered(STANDS_FOR) });
    }
    let reference = reference::Reference::read(pack).map_err(ReferenceError::Refused)?;
    let version = format!("cedar-policy-cli {version}");
    let cedar = Cedar::new(program, reference, folder)?;
    cedar.check()?;
    Ok(Reference {
        name: format!("{COMMAND} (reference)"),
        engine: COMMAND,
        version,
        stands_for: STANDS_FOR,
        loaded: Arc::new(cedar),
    })
}

impl Cedar {
    fn new(program: PathBuf, pack: reference::Reference, folder: TempDir) -> io::Result<Self> {
        for which in [Which::Hard, Which::Soft] {
            fs::write(folder.path().join(policies(which)), pack.policies(which))?;
        }
        fs::write(folder.path().join(SCHEMA), pack.schema())?;
        Ok(Self { program, pack, folder })
    }

    /// Has the command read the policies.
    fn check(&self) -> Result<(), ReferenceError> {
        for which in [Which::Hard, Which::Soft] {
            let mut command = Command::new(&self.program);
            command.args(["validate", "--schema", SCHEMA, "--policies", policies(which)]);
            let said = run(command.current_dir(self.folder.path()), self.folder.path())?;
            if !said.status.success() {
                let error = LoadError::new(LoadErrorKind::Invalid, said.text.trim());
                return Err(ReferenceError::Refused(error.into()));
            }
        }
        Ok(())
    }

    fn ask(&self, which: Which, files: &Files) -> Result<Answer, Fault> {
        let mut command = Command::new(&self.program);
        command.args(["authorize", "--verbose", "--schema", SCHEMA, "--policies", policies(which)]);
        command.arg("--entities").arg(files.entities.path());
        command.arg("--request-json").arg(files.request.path());
        let said = run(command.current_dir(self.folder.path()), self.folder.path()).map_err(|error| {
            if error.kind() == io::ErrorKind::TimedOut {
                Fault::new(FaultKind::Limit(LimitKind::Deadline), format!("the command: {error}"))
            } else {
                Fault::new(FaultKind::NotLoaded, format!("the command does not run: {error}"))
            }
        })?;
        answer(&said)
    }
}

const SCHEMA: &str = "schema.cedarschema";

fn policies(which: Which) -> &'static str {
    match which {
        Which::Hard => "hard.cedar",
        Which::Soft => "soft.cedar",
    }
}

/// A question in files, which go with it.
struct Files {
    request: NamedTempFile,
    entities: NamedTempFile,
}

impl Files {
    fn write(question: &Question, folder: &Path) -> Result<Self, Fault> {
        let write = |value: &Value| {
            let mut file = NamedTempFile::new_in(folder)?;
            file.write_all(value.to_string().as_bytes())?;
            Ok(file)
        };
        let unwritten = |error: io::Error| {
            Fault::new(FaultKind::NotLoaded, format!("the question could not be written: {error}"))
        };
        Ok(Self {
            request: write(&question.request).map_err(unwritten)?,
            entities: write(&question.entities).map_err(unwritten)?,
        })
    }
}

/// Reads what `cedar authorize --verbose` prints: the decision, errors of single policies, and the determining ones.
fn answer(said: &Said) -> Result<Answer, Fault> {
    let unreadable = || {
        let status = said.status;
        let detail = format!("the command's answer cannot be read ({status}): {}", said.text.trim());
        Fault::new(FaultKind::AbiViolation, detail)
    };
    let mut lines = said.text.lines().skip_while(|line| line.is_empty());
    // A denial is told by the status as well.
    let allows = match (lines.next(), said.status.code()) {
        (Some("ALLOW"), Some(0)) => true,
        (Some("DENY"), Some(2)) => false,
        _ => return Err(unreadable()),
    };
    let errors: Vec<&str> = lines
        .by_ref()
        .take_while(|line| !line.starts_with("note: "))
        .filter(|line| !line.is_empty())
        .collect();
    if !errors.is_empty() {
        return Err(Fault::new(FaultKind::EvaluationError, errors.join("; ")));
    }
    let policies: Option<BTreeSet<String>> = lines
        .filter(|line| !line.is_empty())
        .map(|line| line.strip_prefix("  ").map(str::to_owned))
        .collect();
    Ok(Answer { allows, policies: policies.ok_or_else(unreadable)? })
}

impl Engine for Cedar {
    fn decide(&self, request: &Prepared<'_>) -> Result<Verdict, Fault> {
        let files = Files::write(&self.pack.question(request)?, self.folder.path())?;
        self.pack.verdict(request, |which| self.ask(which, &files))
    }

    fn explain(&self, request: &Prepared<'_>) -> Result<Explanation, Fault> {
        let note = "the `cedar` command tells the policies that determine its answer, and no others";
        Ok(Explanation { verdict: self.decide(request)?, trace: Vec::new(), notes: vec![note.to_owned()] })
    }

    fn with_data(&self, data: Arc<Value>) -> Result<Arc<dyn Engine>, LoadErrors> {
        let pack = self.pack.with_data(&data)?;
        let unprepared = |error: io::Error| {
            LoadError::new(LoadErrorKind::Invalid, format!("the reference could not be prepared: {error}"))
        };
        let folder = TempDir::with_prefix("tribunal-cedar-").map_err(unprepared)?;
        Ok(Arc::new(Cedar::new(self.program.clone(), pack, folder).map_err(unprepared)?))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    use super::*;

    fn said(code: i32, text: &str) -> Result<Answer, FaultKind> {
        let said = Said { status: ExitStatus::from_raw(code << 8), text: text.to_owned() };
        answer(&said).map_err(|fault| fault.kind)
    }

    #[test]
    fn what_the_command_prints_is_read() {
        let answer = |allows, policies: &[&str]| {
            Ok(Answer { allows, policies: policies.iter().map(|&id| id.to_owned()).collect() })
        };
        let due = "\nnote: this decision was due to the following policies:\n";
        assert_eq!(said(0, &format!("\nALLOW\n{due}  b\n  a c\n\n")), answer(true, &["a c", "b"]));
        assert_eq!(said(2, &format!("\nDENY\n{due}  note: x\n\n")), answer(false, &["note: x"]));
        assert_eq!(said(2, "\nDENY\n\nnote: no policies applied to this request\n"), answer(false, &[]));
        // An error of one policy does not keep Cedar from an answer, and keeps us from believing it.
        let error = "\nALLOW\n\nerror while evaluating policy `p`: integer overflow\n";
        assert_eq!(said(0, &format!("{error}{due}  q\n\n")), Err(FaultKind::EvaluationError));
    }

    #[test]
    fn nothing_is_guessed_from_half_an_answer() {
        for (code, text) in [
            (0, ""),
            (0, "\nDENY\n"),
            (2, "\nALLOW\n"),
            (1, "\nALLOW\n"),
            (1, "  x failed to parse request\n"),
            (0, "\nALLOW\n\nnote: due to\nno indent\n"),
        ] {
            assert_eq!(said(code, text), Err(FaultKind::AbiViolation), "{text:?}");
        }
    }
}
