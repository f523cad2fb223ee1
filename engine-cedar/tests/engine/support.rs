//! A small pack, changed file by file.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use tribunal_engine_cedar::CedarFactory;
use tribunal_engine_core::contract::Decision;
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
