//! OPA as a reference: its server with a pack's Rego and data, asked over HTTP.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;
use tribunal::core::contract::{Decision, Rules};
use tribunal::core::engine::{Engine, Explanation, LoadError, LoadErrorKind, LoadErrors, Prepared, Verdict};
use tribunal::core::fault::{Fault, FaultKind, LimitKind};
use tribunal::core::location::Location;
use tribunal::core::pack::PackSource;
use tribunal::core::pack::source::DATA;
use tribunal::wasm::{CompileError, OpaCompiler, WasmCompiler};

use super::http::{self, Client, Response};
use super::kept::Kept;
use super::process::{find, run, text};
use super::{OPA_VARIABLE, Reference, ReferenceError};

const COMMAND: &str = "opa";

/// How long the server may take to come up. It needs some tens of milliseconds.
const START: Duration = Duration::from_secs(10);

/// Engines that OPA can stand for, the preferred one first, each with how strict it is about built-ins where a pack says
/// nothing.
const STANDS_FOR: [(&str, bool); 2] = [("rego-native", true), ("rego-wasm", false)];

/// What OPA's capabilities call nondeterministic and is not: these could fetch a schema, and do so only if the policy names
/// an address in one.
const SETTLED: [&str; 2] = ["json.match_schema", "json.verify_schema"];

/// A pack's policy, as any number of servers run it.
#[derive(Debug)]
struct Policy {
    program: PathBuf,
    /// Paths inside the pack, with their text.
    sources: Vec<(PathBuf, Arc<[u8]>)>,
    question: Question,
    strict: bool,
}

/// The rules that are asked, as targets of the server.
#[derive(Debug)]
enum Question {
    Decision(String),
    AllowAndReason { allow: String, reason: String },
}

/// What both Rego engines' settings say. Their own checks stand at the engines.
#[derive(Debug, Deserialize)]
struct Settings {
    entrypoint: Option<String>,
    decision: Option<DecisionRules>,
    strict_builtin_errors: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct DecisionRules {
    allow: String,
    reason: String,
}

/// A policy on a running server.
#[derive(Debug)]
struct Opa {
    policy: Arc<Policy>,
    client: Client,
    /// Ends the server, before its folder goes.
    _kept: Kept,
    _folder: TempDir,
}

/// Starts a server for a pack.
pub(super) fn start(pack: &PackSource, binary: Option<&Path>) -> Result<Reference, ReferenceError> {
    let (program, looked) = find(COMMAND, OPA_VARIABLE, binary);
    let opa = OpaCompiler::at(program).map_err(|error| match error {
        CompileError::Io(error) => ReferenceError::Io(error),
        error @ CompileError::Version { .. } => {
            ReferenceError::OtherVersion { command: COMMAND, error: error.to_string() }
        }
        error => ReferenceError::NotInstalled { command: COMMAND, looked, error: error.to_string() },
    })?;
    let offered = STANDS_FOR.into_iter().find(|(id, _)| pack.manifest.engines.contains_key(*id));
    let Some((stands_for, strict)) = offered else {
        let [(preferred, _), _] = STANDS_FOR;
        return Err(ReferenceError::NotOffered { command: COMMAND, error: pack.not_offered(preferred) });
    };
    let refused = |error: LoadError| ReferenceError::Refused(error.into());
    let settings: Settings = pack.settings(stands_for).map_err(refused)?;
    let strict = settings.strict_builtin_errors.unwrap_or(strict);
    let question = Question::of(settings, stands_for, pack).map_err(refused)?;
    let mut sources = Vec::new();
    for (path, text) in pack.files.rego_sources() {
        sources.push((inside(path).map_err(refused)?, text.clone()));
    }
    let policy = Policy { program: opa.program().to_owned(), sources, question, strict };
    policy.check(pack)?;
    Ok(Reference {
        name: format!("{COMMAND} (reference)"),
        engine: COMMAND,
        version: format!("OPA {}", opa.version()),
        stands_for,
        loaded: Arc::new(Opa::start(Arc::new(policy), &pack.data)?),
    })
}

/// A path that stays inside the folder it is joined to, and is not that of the data.
fn inside(path: &str) -> Result<PathBuf, LoadError> {
    let plain = PathBuf::from(path);
    if plain.components().all(|part| matches!(part, Component::Normal(_))) {
        Ok(plain)
    } else {
        Err(LoadError::new(LoadErrorKind::Invalid, format!("`{path}` is not a path inside a pack")))
    }
}

impl Question {
    fn of(settings: Settings, engine: &str, pack: &PackSource) -> Result<Self, LoadError> {
        match (settings.entrypoint, settings.decision) {
            (Some(rule), None) => Ok(Question::Decision(target(&rule))),
            (None, Some(DecisionRules { allow, reason })) => {
                Ok(Question::AllowAndReason { allow: target(&allow), reason: target(&reason) })
            }
            _ => Err(pack.manifest_error(
                LoadErrorKind::Invalid,
                &["engines", engine],
                "either `entrypoint` or `decision` says which rule decides",
            )),
        }
    }
}

/// A rule's path as the server's target.
fn target(rule: &str) -> String {
    let mut target = "/v1/data/".to_owned();
    for byte in rule.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            target.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _written = write!(target, "%{byte:02X}");
        }
    }
    target
}

impl Policy {
    /// Has OPA read the policy, with everything out of reach that a request does not settle.
    fn check(&self, pack: &PackSource) -> Result<(), ReferenceError> {
        let folder = TempDir::with_prefix("tribunal-opa-")?;
        let policies = self.write(folder.path())?;
        let said = run(Command::new(&self.program).args(["capabilities", "--current"]), folder.path())?;
        let unreadable =
            |what: &str| ReferenceError::DidNotStart(format!("its capabilities are unreadable: {what}"));
        let mut capabilities: Value =
            serde_json::from_str(&said.text).map_err(|error| unreadable(&error.to_string()))?;
        let builtins = capabilities.get_mut("builtins").and_then(Value::as_array_mut);
        let unsettled = without_unsettled(builtins.ok_or_else(|| unreadable("no `builtins`"))?);
        let file = folder.path().join("capabilities.json");
        fs::write(&file, capabilities.to_string())?;
        let mut check = Command::new(&self.program);
        check.args(["check", "--format", "json", "--capabilities"]).arg(&file).arg(".");
        let said = run(check.current_dir(&policies), folder.path())?;
        if said.status.success() { Ok(()) } else { Err(refusal(&said.text, &unsettled, pack)) }
    }

    /// Writes the sources to a folder of their own.
    fn write(&self, folder: &Path) -> io::Result<PathBuf> {
        let policies = folder.join("policies");
        fs::create_dir(&policies)?;
        for (path, text) in &self.sources {
            let place = policies.join(path);
            if let Some(parent) = place.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(place, text)?;
        }
        Ok(policies)
    }
}

/// Takes the built-ins out whose answers the arguments do not settle; their names.
fn without_unsettled(builtins: &mut Vec<Value>) -> BTreeSet<String> {
    let name = |builtin: &Value| builtin.get("name").and_then(Value::as_str).map(str::to_owned);
    let is_unsettled = |builtin: &Value| {
        builtin.get("nondeterministic").and_then(Value::as_bool) == Some(true)
            && name(builtin).is_some_and(|name| !SETTLED.contains(&name.as_str()))
    };
    let names = builtins.iter().filter(|builtin| is_unsettled(builtin)).filter_map(name).collect();
    builtins.retain(|builtin| !is_unsettled(builtin));
    names
}

/// What `opa check` finds wrong.
#[derive(Debug, Deserialize)]
struct Found {
    errors: Vec<FoundError>,
}

#[derive(Debug, Deserialize)]
struct FoundError {
    code: String,
    message: String,
    location: Option<FoundAt>,
}

#[derive(Debug, Deserialize)]
struct FoundAt {
    file: String,
    row: usize,
    col: usize,
}

fn refusal(said: &str, unsettled: &BTreeSet<String>, pack: &PackSource) -> ReferenceError {
    let Ok(Found { errors }) = serde_json::from_str::<Found>(said) else {
        return ReferenceError::Refused(LoadError::new(LoadErrorKind::Invalid, said.trim()).into());
    };
    let mut found = Vec::new();
    for FoundError { code, message, location } in errors {
        // At the end of a file OPA counts columns from 0.
        let location = location.map(|at| Location::new(pack.file_name(&at.file), at.row, at.col.max(1)));
        let builtin = message.strip_prefix("undefined function ");
        if let (Some(builtin), Some(location)) = (builtin.filter(|name| unsettled.contains(*name)), &location)
        {
            return ReferenceError::Unsettled { builtin: builtin.to_owned(), location: location.clone() };
        }
        let kind = if code == "rego_parse_error" { LoadErrorKind::Syntax } else { LoadErrorKind::Invalid };
        let error = LoadError::new(kind, format!("{code}: {message}"));
        found.push(match location {
            Some(location) => error.at(location),
            None => error,
        });
    }
    match LoadErrors::check(found) {
        Err(errors) => ReferenceError::Refused(errors),
        Ok(()) => ReferenceError::Refused(LoadError::new(LoadErrorKind::Invalid, said.trim()).into()),
    }
}

impl Opa {
    fn start(policy: Arc<Policy>, data: &Value) -> Result<Self, ReferenceError> {
        let folder = TempDir::with_prefix("tribunal-opa-")?;
        let policies = policy.write(folder.path())?;
        fs::write(policies.join(DATA), data.to_string())?;
        let (socket, said) = (folder.path().join("opa.sock"), folder.path().join("said"));
        let address = format!("unix://{}", socket.display());
        let arguments = [
            "run",
            "--server",
            "--addr",
            address.as_str(),
            // Nobody but the user asks this server, and it asks nobody for newer versions.
            "--unix-socket-perm",
            "700",
            "--skip-version-check",
            "--log-level",
            "error",
            ".",
        ];
        let mut kept = Kept::start(&policy.program, &arguments, &policies, &said)?;
        let client = Client::new(&socket);
        let started = Instant::now();
        while !matches!(client.get("/health"), Ok(Response { status: 200, .. })) {
            if kept.has_ended()? {
                let said = text(&said)?;
                return Err(match said.split_once("initialization error: ") {
                    // Data that stands where a rule does, which `opa check` does not see.
                    Some((_, refused)) => {
                        ReferenceError::Refused(LoadError::new(LoadErrorKind::Invalid, refused.trim()).into())
                    }
                    None => ReferenceError::DidNotStart(said.trim().to_owned()),
                });
            }
            if started.elapsed() > START {
                let message = format!("no answer within {} s", START.as_secs());
                return Err(ReferenceError::DidNotStart(message));
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok(Self { policy, client, _kept: kept, _folder: folder })
    }

    /// A rule's value; `None` is undefined.
    fn ask(&self, target: &str, request: &Prepared<'_>) -> Result<Option<Value>, Fault> {
        let body = [br#"{"input":"#, request.json()?, b"}"].concat();
        let strict = if self.policy.strict { "?strict-builtin-errors=true" } else { "" };
        let response = self.client.post(&format!("{target}{strict}"), &body).map_err(|error| {
            if http::is_timeout(&error) {
                let detail = format!("OPA did not answer within {} s", http::PATIENCE.as_secs());
                Fault::new(FaultKind::Limit(LimitKind::Deadline), detail)
            } else {
                Fault::new(FaultKind::NotLoaded, format!("OPA's server does not answer: {error}"))
            }
        })?;
        match response.status {
            200 => result(&response.body),
            _ => Err(failure(&response)),
        }
    }
}

#[derive(Debug, Deserialize)]
struct Answered {
    /// Not there where the rule is undefined; `null` is a value.
    #[serde(default, deserialize_with = "present")]
    result: Option<Value>,
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

fn result(body: &[u8]) -> Result<Option<Value>, Fault> {
    // OPA writes numbers that no engine's answer can hold, as 1e400.
    serde_json::from_slice::<Answered>(body).map(|answered| answered.result).map_err(|error| {
        Fault::new(FaultKind::MalformedDecision, format!("OPA's answer cannot be read: {error}"))
    })
}

#[derive(Debug, Deserialize)]
struct Failed {
    errors: Vec<FoundError>,
}

/// Why an evaluation failed: the first error, which ended it.
fn failure(response: &Response) -> Fault {
    let failed = serde_json::from_slice::<Failed>(&response.body).ok();
    let Some(error) = failed.and_then(|failed| failed.errors.into_iter().next()) else {
        let body = String::from_utf8_lossy(&response.body);
        let detail = format!("OPA answers with status {}: {}", response.status, body.trim());
        return Fault::new(FaultKind::EvaluationError, detail);
    };
    let kind = match error.code.as_str() {
        "eval_conflict_error" => FaultKind::Conflict,
        "eval_builtin_error" => FaultKind::BuiltinError,
        _ => FaultKind::EvaluationError,
    };
    let detail = match error.location {
        Some(FoundAt { file, row, col }) => format!("{file}:{row}:{col}: {}", error.message),
        None => error.message,
    };
    Fault::new(kind, detail)
}

impl Engine for Opa {
    fn decide(&self, request: &Prepared<'_>) -> Result<Verdict, Fault> {
        let decision = match &self.policy.question {
            Question::Decision(rule) => {
                let answer = self.ask(rule, request)?.ok_or_else(|| {
                    Fault::new(FaultKind::UndefinedDecision, "the rule that decides is undefined")
                })?;
                Decision::from_wire(&answer)?
            }
            Question::AllowAndReason { allow, reason } => Decision::from_allow_and_reason(
                self.ask(allow, request)?.as_ref(),
                self.ask(reason, request)?.as_ref(),
            )?,
        };
        Ok(Verdict { decision: decision.well_formed()?, rules: Rules::UNAVAILABLE, rules_evaluated: None })
    }

    fn explain(&self, request: &Prepared<'_>) -> Result<Explanation, Fault> {
        let note = "OPA's server tells the answer and not the rules that gave it";
        Ok(Explanation { verdict: self.decide(request)?, trace: Vec::new(), notes: vec![note.to_owned()] })
    }

    fn with_data(&self, data: Arc<Value>) -> Result<Arc<dyn Engine>, LoadErrors> {
        match Opa::start(self.policy.clone(), &data) {
            Ok(started) => Ok(Arc::new(started)),
            Err(ReferenceError::Refused(errors)) => Err(errors),
            Err(error) => Err(LoadError::new(LoadErrorKind::Invalid, error.to_string()).into()),
        }
    }
}

#[cfg(test)]
mod tests;
