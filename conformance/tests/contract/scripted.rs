//! An engine whose answers stand in the pack's manifest, and deployments made of packs on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};
use tribunal::core::config::{Deployment, PackEntry};
use tribunal::core::contract::{Decision, DecisionEffect, Outcome, PolicyRequest, Rules};
use tribunal::core::dispatch::{Dispatcher, LoadedPack};
use tribunal::core::engine::{
    Capabilities, Engine, EngineFactory, EngineInfo, Explanation, LoadContext, LoadError, LoadErrorKind,
    LoadErrors, Mutant, Prepared, Registry, Verdict, Vocabulary,
};
use tribunal::core::fault::{Fault, FaultKind};
use tribunal::core::pack::{PackFiles, PackSource};

/// A scripted engine; there are several, so that one can shadow or stand in for another.
#[derive(Debug)]
struct Scripted(&'static str);

/// The engines of [`registry`]; `missing` is declared and not there.
pub(crate) const ENGINES: [&str; 2] = ["scripted", "other"];

/// What the engine does, as it stands under `engines.<id>`.
#[derive(Debug, Clone, Deserialize)]
struct Script {
    /// The first rule that fits answers; without one the decision is undefined.
    #[serde(default)]
    rules: Vec<Rule>,
    /// The kind of error the pack is refused with at load.
    refuse: Option<String>,
    /// Taking other data waits at [`GATE`].
    #[serde(default)]
    waits: bool,
}

/// Where a script that `waits` stands while it takes other data.
pub(crate) static GATE: Gate = Gate { reached: AtomicBool::new(false), open: AtomicBool::new(false) };

pub(crate) struct Gate {
    pub(crate) reached: AtomicBool,
    pub(crate) open: AtomicBool,
}

impl Gate {
    /// Until the gate is open; not for ever, since whoever opens it may be waiting for this very swap to end.
    fn wait(&self) {
        self.reached.store(true, Ordering::Release);
        let started = Instant::now();
        while !self.open.load(Ordering::Acquire) && started.elapsed() < Duration::from_millis(500) {
            std::thread::yield_now();
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
struct Rule {
    /// A pointer that leads to something in the payload.
    #[serde(rename = "if")]
    condition: Option<String>,
    /// Said as it stands, well-formed or not.
    answer: Option<Decision>,
    /// `allow`, with `version` of the data as the reason.
    #[serde(default)]
    allow_with_version: bool,
    fault: Option<FaultKind>,
    #[serde(default)]
    panic: bool,
}

#[derive(Debug)]
struct Loaded {
    script: Script,
    data: Arc<Value>,
}

impl EngineFactory for Scripted {
    fn info(&self) -> EngineInfo {
        EngineInfo { id: self.0, version: "scripted 1".to_owned() }
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { can: Default::default(), bounds: Vec::new() }
    }

    fn settings_schema(&self) -> Value {
        json!({"type": "object"})
    }

    fn load(&self, pack: &PackSource, _: &LoadContext) -> Result<Arc<dyn Engine>, LoadErrors> {
        let script: Script = pack.settings(self.0)?;
        let kind = match script.refuse.as_deref() {
            None => return Ok(Arc::new(Loaded { script, data: pack.data.clone() })),
            Some("panic") => panic!("a parser gave up"),
            Some("absent") => LoadErrorKind::EngineAbsent,
            Some("artefact") => LoadErrorKind::Artefact,
            Some("syntax") => LoadErrorKind::Syntax,
            Some("invalid") => LoadErrorKind::Invalid,
            Some(other) => panic!("no such kind: {other}"),
        };
        Err(LoadError::new(kind, "refused by the script").into())
    }

    fn vocabulary(&self, _: &PackSource) -> Result<Vocabulary, LoadErrors> {
        Ok(Vocabulary::default())
    }

    fn mutants(&self, _: &PackSource) -> Result<Vec<Mutant>, LoadErrors> {
        Ok(Vec::new())
    }
}

impl Engine for Loaded {
    fn decide(&self, request: &Prepared<'_>) -> Result<Verdict, Fault> {
        let fits = |rule: &&Rule| {
            rule.condition.as_ref().is_none_or(|place| request.payload().pointer(place).is_some())
        };
        let rule = self
            .script
            .rules
            .iter()
            .find(fits)
            .ok_or_else(|| Fault::new(FaultKind::UndefinedDecision, "no rule fits"))?;
        assert!(!rule.panic, "the script says so");
        if let Some(kind) = rule.fault {
            return Err(Fault::new(kind, "the script says so"));
        }
        let decision = match &rule.answer {
            Some(decision) => decision.clone(),
            None if rule.allow_with_version => {
                Decision { reason: self.data["version"].as_str().map(str::to_owned), ..Decision::allow() }
            }
            None => panic!("a rule without an answer"),
        };
        Ok(Verdict { decision, rules: Rules::UNAVAILABLE, rules_evaluated: None })
    }

    fn explain(&self, request: &Prepared<'_>) -> Result<Explanation, Fault> {
        Ok(Explanation { verdict: self.decide(request)?, trace: Vec::new(), notes: Vec::new() })
    }

    fn with_data(&self, data: Arc<Value>) -> Result<Arc<dyn Engine>, LoadErrors> {
        if self.script.waits {
            GATE.wait();
        }
        Ok(Arc::new(Self { script: self.script.clone(), data }))
    }
}

pub(crate) fn registry() -> Registry {
    let mut registry = Registry::new();
    for id in ENGINES {
        registry.add(Scripted(id)).unwrap();
    }
    registry.declare_absent("missing");
    registry
}

/// A pack as the tables of these tests write it: `name`, `engines` (or `rules`, for all of them), and what else a
/// manifest has; beside them `schema`, `data` and `data_schema`, and of its entry in the deployment `when`, `engine`,
/// `fallback` and `shadow`.
pub(crate) fn source(pack: &Value) -> Result<PackSource, LoadErrors> {
    source_with(pack, &[])
}

/// The same with more files.
pub(crate) fn source_with(pack: &Value, more: &[(&str, &str)]) -> Result<PackSource, LoadErrors> {
    let mut manifest = pack.clone();
    let members = manifest.as_object_mut().unwrap();
    let mut files: Vec<(String, Vec<u8>)> =
        more.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    for (member, file) in
        [("schema", "input.schema.json"), ("data", "data.json"), ("data_schema", "data.schema.json")]
    {
        match members.remove(member) {
            Some(content) => files.push((file.to_owned(), content.to_string().into_bytes())),
            None if member == "schema" => drop(members.insert("input_schema".to_owned(), json!("none"))),
            None => {}
        }
    }
    for member in ["when", "engine", "fallback", "shadow"] {
        members.remove(member);
    }
    if let Some(rules) = members.remove("rules") {
        let engines = ENGINES.iter().map(|id| ((*id).to_owned(), json!({"rules": rules})));
        members.insert("engines".to_owned(), engines.chain([("missing".to_owned(), json!({}))]).collect());
    }
    members.insert("version".to_owned(), json!("1.0.0"));
    members.insert("description".to_owned(), json!("scripted"));
    files.push(("pack.yaml".to_owned(), manifest.to_string().into_bytes()));
    PackSource::read(pack["name"].as_str().unwrap(), PackFiles::new(files), &registry())
}

pub(crate) fn load(pack: &Value) -> Result<LoadedPack, LoadErrors> {
    LoadedPack::load(Arc::new(source(pack)?), &entry(pack), &LoadContext::default(), &registry())
}

fn entry(pack: &Value) -> PackEntry {
    let member = |name: &str, otherwise: Value| pack.get(name).cloned().unwrap_or(otherwise);
    let entry = json!({
        "pack": pack["name"],
        "engine": member("engine", json!("scripted")),
        "when": member("when", json!({})),
        "fallback": member("fallback", Value::Null),
        "shadow": member("shadow", json!([])),
    });
    serde_json::from_value(entry).unwrap()
}

/// A decision point over packs, a JSON list of them, in this order.
pub(crate) fn dispatcher(packs: &Value) -> Dispatcher {
    dispatcher_with(packs, |_| {})
}

/// The same with something said about the deployment.
pub(crate) fn dispatcher_with(packs: &Value, change: impl FnOnce(&mut Deployment)) -> Dispatcher {
    let packs = packs.as_array().unwrap();
    let mut deployment = Deployment::of(packs.iter().map(entry).collect());
    change(&mut deployment);
    Dispatcher::new(
        &deployment,
        packs.iter().map(|pack| load(pack).unwrap_or_else(|errors| panic!("{errors}"))),
    )
}

pub(crate) fn request(payload: &Value) -> PolicyRequest {
    PolicyRequest::from_slice(payload.to_string().as_bytes()).unwrap()
}

/// One row of a table: packs, a request, and the decision they come to. Fails with the row's name.
pub(crate) fn check(what: &str, packs: &Value, payload: &Value, expected: &Value) -> Outcome {
    let outcome = dispatcher(packs).evaluate(&request(payload));
    assert_eq!(serde_json::to_value(&outcome.decision).unwrap(), *expected, "{what}");
    let is_fault = |reason: &str| reason.split("; ").any(|reason| reason.starts_with("engine_error:"));
    let has_fault = outcome.fault.is_some() || outcome.packs.iter().any(|pack| pack.fault.is_some());
    assert_eq!(
        outcome.decision.reason.as_deref().is_some_and(is_fault),
        has_fault,
        "{what}: a fault and its reason go together"
    );
    if has_fault {
        assert_eq!(outcome.decision.effect, DecisionEffect::Deny, "{what}");
    }
    outcome
}

/// `{"effect": "deny", "reason": "engine_error:<kind>"}`
pub(crate) fn fault(kind: &str) -> Value {
    json!({"effect": "deny", "reason": format!("engine_error:{kind}")})
}
