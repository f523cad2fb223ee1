//! A small pack, changed file by file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use tribunal_engine_cedar::CedarFactory;
use tribunal_engine_core::contract::Decision;
use tribunal_engine_core::document::Document;
use tribunal_engine_core::engine::{
    Engine, EngineFactory, LoadContext, LoadErrorKind, LoadErrors, Prepared, Registry, Verdict,
};
use tribunal_engine_core::fault::{Fault, FaultKind};
use tribunal_engine_core::limits::Limits;
use tribunal_engine_core::pack::{PackFiles, PackSource};

pub(crate) const MANIFEST: &str = "
name: tools
version: 1.0.0
description: Which agent may call which tool
engines:
  cedar:
    types: {agent: Agent, tool: Tool}
redactable: [/context/prompt, /context/args, /context/tags]
";

pub(crate) const SCHEMA: &str = r#"
entity Role;
entity Agent in [Role] = {tier?: String, tools?: Set<String>, home?: Place};
entity Tool in [ToolGroup] = {owner?: Agent, risk?: Long};
entity ToolGroup;
entity Place = {country: String};
action reading;
action call, approve appliesTo {principal: [Agent], resource: [Tool], context: Context};
action read in [reading] appliesTo {principal: [Agent], resource: [Tool], context: Context};
type Context = {
    prompt?: String,
    amount?: Long,
    urgent?: Bool,
    tags?: Set<String>,
    args?: {ssn?: String, "__entity"?: {type: String, id: String}, "__extn"?: {fn: String, arg: String}},
    boundary?: String,
    action_properties?: {dry?: Bool},
};
entity Data = {allowed?: Set<String>, ceiling?: Long};
"#;

pub(crate) const ENTITIES: &str = r#"[
  {"uid": {"type": "Role", "id": "admin"}, "attrs": {}, "parents": []},
  {"uid": {"type": "Place", "id": "hq"}, "attrs": {"country": "NL"}, "parents": []},
  {"uid": {"type": "Agent", "id": "root"}, "attrs": {"tier": "gold", "home": {"__entity": {"type": "Place", "id": "hq"}}}, "parents": [{"type": "Role", "id": "admin"}]},
  {"uid": {"type": "ToolGroup", "id": "safe"}, "attrs": {}, "parents": []},
  {"uid": {"type": "Tool", "id": "search"}, "attrs": {"owner": {"__entity": {"type": "Agent", "id": "root"}}}, "parents": [{"type": "ToolGroup", "id": "safe"}]}
]"#;

/// Everything that may be given is named.
pub(crate) fn input_schema() -> Value {
    let party = |properties: Value| json!({"type": "object", "properties": {"type": {}, "id": {}, "properties": {"properties": properties}}});
    json!({
        "type": "object",
        "properties": {
            "subject": party(json!({"tier": {}, "tools": {}})),
            "action": {"properties": {"name": {}, "properties": {"properties": {"dry": {}}}}},
            "resource": party(json!({"risk": {}, "owner": {}})),
            "boundary": {},
            "context": {"properties": {
                "prompt": {}, "amount": {}, "urgent": {}, "tags": {},
                "args": {"properties": {
                    "ssn": {},
                    "__entity": {"properties": {"type": {}, "id": {}}},
                    "__extn": {"properties": {"fn": {}, "arg": {}}},
                }},
            }},
        },
    })
}

/// The pack's files, of which a test replaces some.
#[derive(Clone)]
pub(crate) struct Pack(Vec<(String, Vec<u8>)>);

impl Pack {
    pub(crate) fn new(policy: &str) -> Self {
        Self(Vec::new())
            .with("pack.yaml", MANIFEST)
            .with("schema.cedarschema", SCHEMA)
            .with("entities.json", ENTITIES)
            .with("input.schema.json", &input_schema().to_string())
            .with("policy.cedar", policy)
    }

    pub(crate) fn with(mut self, path: &str, text: &str) -> Self {
        self.0.retain(|(known, _)| known != path);
        self.0.push((path.to_owned(), text.as_bytes().to_vec()));
        self
    }

    pub(crate) fn without(mut self, path: &str) -> Self {
        self.0.retain(|(known, _)| known != path);
        self
    }

    pub(crate) fn source(&self) -> Result<PackSource, LoadErrors> {
        let mut registry = Registry::new();
        registry.add(CedarFactory).unwrap();
        PackSource::read("pack", PackFiles::new(self.0.clone()), &registry)
    }

    pub(crate) fn load_within(&self, limits: Limits) -> Result<Loaded, LoadErrors> {
        let source = self.source()?;
        let limits = source.manifest.limits.tightest(limits);
        let engine = CedarFactory.load(&source, &LoadContext { limits, ..LoadContext::default() })?;
        Ok(Loaded { source, engine })
    }

    pub(crate) fn load(&self) -> Loaded {
        self.load_within(Limits::default()).unwrap_or_else(|errors| panic!("{errors}"))
    }

    /// The load errors as `kind place message` lines.
    pub(crate) fn refusals(&self) -> Vec<(LoadErrorKind, String)> {
        let errors = self.load_within(Limits::default()).map(|_| ()).expect_err("the pack should be refused");
        errors.into_iter().map(|error| (error.kind, error.to_string())).collect()
    }

    /// Asserts that the pack is refused with exactly one error.
    #[track_caller]
    pub(crate) fn refused(&self, kind: LoadErrorKind, place: &str, says: &str) {
        let refusals = self.refusals();
        let [(found, text)] = refusals.as_slice() else { panic!("not one error: {refusals:#?}") };
        assert_eq!(*found, kind, "{text}");
        assert!(text.starts_with(place), "{text}\nshould stand at {place}");
        assert!(text.contains(says), "{text}\nshould say {says}");
    }
}

#[derive(Debug)]
pub(crate) struct Loaded {
    pub source: PackSource,
    pub engine: Arc<dyn Engine>,
}

impl Loaded {
    pub(crate) fn try_verdict(&self, payload: &Value) -> Result<Verdict, Fault> {
        let prepared = Prepared::new(payload, self.source.named(), Timestamp::UNIX_EPOCH, None);
        self.engine.decide(&prepared)
    }

    #[track_caller]
    pub(crate) fn verdict(&self, payload: &Value) -> Verdict {
        self.try_verdict(payload).unwrap_or_else(|fault| panic!("{fault}"))
    }

    #[track_caller]
    pub(crate) fn decision(&self, payload: &Value) -> Decision {
        self.verdict(payload).decision
    }

    #[track_caller]
    pub(crate) fn fault(&self, payload: &Value) -> Fault {
        self.try_verdict(payload).expect_err("a fault")
    }

    #[track_caller]
    pub(crate) fn faults(&self, payload: &Value, kind: FaultKind, says: &str) {
        let fault = self.fault(payload);
        assert_eq!(fault.kind, kind, "{fault}");
        assert!(fault.detail.contains(says), "{fault}\nshould say {says}");
    }
}

/// A request that the small pack's schema allows, with this context.
pub(crate) fn request(context: Value) -> Value {
    json!({
        "subject": {"type": "agent", "id": "a1"},
        "action": {"name": "call"},
        "resource": {"type": "tool", "id": "search"},
        "context": context,
    })
}

/// Policies in which every construct of the language stands once, over a schema that knows what they read.
pub(crate) fn everything() -> Pack {
    let schema = SCHEMA
        .replace("tier?: String,", "tier?: String, network?: ipaddr, share?: decimal, since?: datetime,")
        .replace("prompt?: String,", "prompt?: String, derived?: {shout?: String},");
    let manifest = format!("{MANIFEST}\nderive:\n  shout: {{lower: {{source: /context/prompt}}}}\n");
    Pack::new(EVERYTHING).with("schema.cedarschema", &schema).with("pack.yaml", &manifest)
}

const EVERYTHING: &str = r#"// Every construct once.
@id("scopes")
permit(principal is Agent, action in [Action::"reading", Action::"call"], resource == Tool::"search");

permit(principal == Agent::"root", action == Action::"approve", resource in ToolGroup::"safe")
when { context has amount && context.amount > 10 && context.amount - 1 != 100 };

@id("texts")
@reason("texts")
forbid(principal in Role::"admin", action, resource is Tool in ToolGroup::"safe")
when { context has prompt && (context.prompt like "*ignore\* a*l" || context.prompt == "stop") }
unless { principal has tier && ["gold", "silver"].contains(principal.tier) };

@id("lists")
forbid(principal, action, resource)
when {
  context has tags && context.tags.contains("pii") &&
  !context.tags.containsAny(["public", "open"]) && // a comment && its operators
  context.tags.containsAll(["a", "b"])
};

@id("ask")
@effect("step_up")
@step_up("mfa")
@reason("ask")
forbid(principal, action, resource)
when { context has urgent && context.urgent == false && (if resource has risk then resource.risk <= -5 else true) };

@id("hide")
@redact("/context/prompt")
forbid(principal, action, resource)
when { (context has args.ssn && context.args.ssn != "") || (context has derived.shout && context.derived.shout == "hi") };

@id("members")
forbid(principal, action, resource)
when {
  context has boundary && context.boundary == "ingress" &&
  context has action_properties.dry && !context.action_properties.dry &&
  context has amount && context has prompt &&
  [{ amount: 5, prompt: "a" }, { amount: 0, prompt: context.boundary }]
    .contains({ amount: context.amount, prompt: context.prompt })
};

@id("entities")
forbid(principal, action, resource)
when {
  principal has home && principal.home.country == "NL" && resource has owner && resource.owner == principal &&
  principal in [Agent::"root", Agent::"a1"] && principal in Role::"admin" && resource is Tool && action in Action::"reading"
};

@id("extensions")
forbid(principal, action, resource)
when {
  (principal has network && principal.network.isInRange(ip("10.0.0.0/8"))) ||
  (principal has share && principal.share.lessThan(decimal("1.9"))) ||
  (principal has since && principal.since >= datetime("2024-01-01T00:00:00Z"))
};

@id("data")
forbid(principal, action, resource)
when {
  Data::"tools" has ceiling && context has amount && context.amount > Data::"tools".ceiling &&
  Data::"tools" has allowed && Data::"tools".allowed.contains("search")
};
"#;

/// A shipped pack, as it stands in the repository.
pub(crate) struct Shipped {
    pub name: String,
    pub files: PackFiles,
}

impl Shipped {
    pub(crate) fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packs");
        let mut names: Vec<String> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| folder.join(name).join("policy.cedar").exists())
            .collect();
        names.sort();
        assert!(names.len() >= 7, "{names:?}");
        let files = |name: &str| {
            let files = fs::read_dir(folder.join(name)).unwrap().map(|entry| entry.unwrap().path());
            PackFiles::new(files.filter(|path| path.is_file()).map(|path| {
                (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap())
            }))
        };
        names.into_iter().map(|name| Shipped { files: files(&name), name }).collect()
    }

    pub(crate) fn read(&self, files: PackFiles) -> Result<PackSource, LoadErrors> {
        let mut registry = Registry::new();
        registry.add(CedarFactory).unwrap();
        for other in ["rego-wasm", "rego-native", "biscuit"] {
            registry.declare_absent(other);
        }
        PackSource::read(&self.name, files, &registry)
    }

    pub(crate) fn load(&self, files: PackFiles) -> Result<Loaded, LoadErrors> {
        let source = self.read(files)?;
        let engine = CedarFactory.load(&source, &LoadContext::default())?;
        Ok(Loaded { source, engine })
    }

    /// The requests of the pack's cases that its schema takes.
    pub(crate) fn requests(&self) -> Vec<Value> {
        let source = self.read(self.files.clone()).unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packs").join(&self.name).join("cases");
        let mut requests: BTreeMap<String, Value> = BTreeMap::new();
        let mut paths: Vec<PathBuf> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let mut waiting = Vec::new();
        for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        {
            let cases = Document::parse(&path.display().to_string(), &fs::read(path).unwrap()).unwrap();
            waiting.extend(cases.value.as_array().unwrap().iter().cloned());
        }
        // A case may start from one that comes later, in another file.
        while !waiting.is_empty() {
            let before = waiting.len();
            for case in std::mem::take(&mut waiting) {
                let mut request = match case["from"].as_str().map(|from| requests.get(from)) {
                    Some(Some(from)) => from.clone(),
                    Some(None) => {
                        waiting.push(case);
                        continue;
                    }
                    None => case["request"].clone(),
                };
                for (place, value) in case["with"].as_object().into_iter().flatten() {
                    let names = place.split('/').skip(1);
                    // What is not there comes into being.
                    *names.fold(&mut request, |around, name| &mut around[name]) = value.clone();
                }
                for place in case["without"].as_array().into_iter().flatten() {
                    let (around, name) = place.as_str().unwrap().rsplit_once('/').unwrap();
                    request.pointer_mut(around).unwrap().as_object_mut().unwrap().remove(name);
                }
                requests.insert(case["name"].as_str().unwrap().to_owned(), request);
            }
            assert!(waiting.len() < before, "{waiting:?}");
        }
        let schema = source.input_schema.as_ref().unwrap();
        let taken = requests.into_values().filter(|request| schema.violation(request).is_none());
        // What nothing can be derived from is refused before an engine is asked.
        taken
            .filter_map(|request| {
                Some(source.derive.apply(&request, Timestamp::UNIX_EPOCH).ok()?.into_owned())
            })
            .collect()
    }
}
