//! Packs in memory, requests, and tokens minted on the spot.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use biscuit_auth::builder::{BiscuitBuilder, BlockBuilder};
use biscuit_auth::{Biscuit, KeyPair};
use jiff::Timestamp;
use serde_json::{Value, json};
use tribunal_engine_biscuit::BiscuitFactory;
use tribunal_engine_core::contract::Token;
use tribunal_engine_core::document::Document;
use tribunal_engine_core::engine::{
    Engine, EngineFactory, Explanation, LoadContext, LoadErrors, Prepared, Registry, RootKey, Trust, Verdict,
};
use tribunal_engine_core::fault::{Fault, FaultKind};
use tribunal_engine_core::limits::Limits;
use tribunal_engine_core::pack::{PackFiles, PackSource};

/// A pack under construction.
#[derive(Clone)]
pub(crate) struct TestPack {
    policies: Vec<(String, String)>,
    token: &'static str,
    data: Value,
    schema: Option<Value>,
    context: LoadContext,
}

/// A pack of one policy file.
pub(crate) fn pack(policy: &str) -> TestPack {
    TestPack {
        policies: vec![("policy.biscuit".to_owned(), policy.to_owned())],
        token: "none",
        data: json!({}),
        schema: Some(schema()),
        context: LoadContext::default(),
    }
}

fn schema() -> Value {
    let entity = json!({"type": "object", "properties": {"type": {}, "id": {}}});
    json!({
        "type": "object",
        "properties": {
            "subject": entity,
            "resource": entity,
            "action": {"type": "object", "properties": {"name": {}}},
            "context": {
                "type": "object",
                "properties": {
                    "amount": {}, "prompt": {}, "urgent": {}, "tags": {"items": {}},
                    "owner": {"type": "object", "properties": {"team": {}}},
                },
            },
        },
    })
}

impl TestPack {
    pub(crate) fn file(mut self, path: &str, policy: &str) -> Self {
        self.policies.push((path.to_owned(), policy.to_owned()));
        self
    }

    pub(crate) fn token(mut self, mode: &'static str) -> Self {
        self.token = mode;
        self
    }

    pub(crate) fn data(mut self, data: Value) -> Self {
        self.data = data;
        self
    }

    pub(crate) fn schema(mut self, schema: Value) -> Self {
        self.schema = Some(schema);
        self
    }

    pub(crate) fn without_schema(mut self) -> Self {
        self.schema = None;
        self
    }

    pub(crate) fn limits(mut self, limits: Limits) -> Self {
        self.context.limits = limits;
        self
    }

    pub(crate) fn trust(mut self, keys: &[(Option<u32>, String)], revoked: &[String]) -> Self {
        let root_keys = keys.iter().map(|(id, key)| RootKey {
            id: *id,
            key: key.clone(),
            origin: "root_keys".to_owned(),
        });
        self.context.trust = Arc::new(Trust {
            root_keys: root_keys.collect(),
            revoked: revoked.iter().cloned().collect::<BTreeSet<_>>(),
        });
        self
    }

    pub(crate) fn root(self, key: &KeyPair) -> Self {
        self.trust(&[(None, key.public().to_string())], &[])
    }

    pub(crate) fn load(&self) -> Result<Loaded, LoadErrors> {
        let none = if self.schema.is_none() { "input_schema: none\n" } else { "" };
        let manifest = format!(
            "name: p\nversion: 1.0.0\ndescription: a pack\nengines:\n  biscuit: {{}}\ntoken: {}\nredactable: [/context]\n{none}",
            self.token
        );
        let mut files = vec![
            ("pack.yaml".to_owned(), manifest.into_bytes()),
            ("data.json".to_owned(), self.data.to_string().into_bytes()),
        ];
        files.extend(
            self.schema
                .iter()
                .map(|schema| ("input.schema.json".to_owned(), schema.to_string().into_bytes())),
        );
        files.extend(self.policies.iter().map(|(path, policy)| (path.clone(), policy.clone().into_bytes())));
        let mut registry = Registry::new();
        registry.add(BiscuitFactory).unwrap();
        let source = PackSource::read("p", PackFiles::new(files), &registry)?;
        let engine = BiscuitFactory.load(&source, &self.context)?;
        Ok(Loaded { source, engine })
    }

    pub(crate) fn loaded(&self) -> Loaded {
        self.load().unwrap_or_else(|errors| panic!("{errors}"))
    }

    /// The errors of a pack that must not load.
    pub(crate) fn errors(&self) -> LoadErrors {
        self.load().map(drop).expect_err("the pack must be refused")
    }
}

/// Requests taken from a shipped pack's cases, at most.
const SAMPLES: usize = 4;

/// A loaded pack.
pub(crate) struct Loaded {
    pub(crate) source: PackSource,
    pub(crate) engine: Arc<dyn Engine>,
}

impl Loaded {
    fn ask<T>(
        &self,
        payload: &Value,
        now: &str,
        token: Option<&[u8]>,
        f: impl FnOnce(&Prepared<'_>) -> T,
    ) -> T {
        let token = token.map(Token::new);
        let now: Timestamp = now.parse().unwrap();
        let payload = self.source.derive.apply(payload, now).unwrap();
        f(&Prepared::new(&payload, self.source.named(), now, token.as_ref()))
    }

    pub(crate) fn decide(&self, payload: &Value) -> Result<Verdict, Fault> {
        self.ask(payload, NOW, None, |request| self.engine.decide(request))
    }

    pub(crate) fn decide_at(&self, payload: &Value, now: &str) -> Result<Verdict, Fault> {
        self.ask(payload, now, None, |request| self.engine.decide(request))
    }

    pub(crate) fn decide_with(&self, payload: &Value, token: &[u8]) -> Result<Verdict, Fault> {
        self.ask(payload, NOW, Some(token), |request| self.engine.decide(request))
    }

    pub(crate) fn decide_on(&self, engine: &dyn Engine, payload: &Value) -> Result<Verdict, Fault> {
        self.ask(payload, NOW, None, |request| engine.decide(request))
    }

    pub(crate) fn explain(&self, payload: &Value, token: Option<&[u8]>) -> Result<Explanation, Fault> {
        self.ask(payload, NOW, token, |request| self.engine.explain(request))
    }

    /// The decision as JSON, or `fault:<kind>`.
    pub(crate) fn decision(&self, payload: &Value) -> Value {
        wire(self.decide(payload))
    }

    /// As [`Loaded::decision`], with a token.
    pub(crate) fn decision_with(&self, payload: &Value, token: &[u8]) -> Value {
        wire(self.decide_with(payload, token))
    }

    pub(crate) fn fault(&self, payload: &Value) -> FaultKind {
        self.decide(payload).expect_err("a fault is expected").kind
    }

    pub(crate) fn fault_with(&self, payload: &Value, token: &[u8]) -> FaultKind {
        self.decide_with(payload, token).expect_err("a fault is expected").kind
    }
}

pub(crate) const NOW: &str = "2026-11-21T12:00:00Z";

pub(crate) fn wire(result: Result<Verdict, Fault>) -> Value {
    match result {
        Ok(verdict) => serde_json::to_value(verdict.decision).unwrap(),
        Err(fault) => json!(format!("fault:{}", fault.kind)),
    }
}

/// The names of the shipped packs.
pub(crate) fn shipped() -> Vec<String> {
    let entries = std::fs::read_dir(packs()).unwrap().map(|entry| entry.unwrap());
    let folders = entries.filter(|entry| entry.path().join("pack.yaml").is_file());
    let mut names: Vec<String> = folders.map(|folder| folder.file_name().into_string().unwrap()).collect();
    names.sort();
    assert!(!names.is_empty());
    names
}

/// The files of a shipped pack, those of its folders left out.
pub(crate) fn shipped_files(name: &str) -> PackFiles {
    let entries = std::fs::read_dir(packs().join(name)).unwrap().map(|entry| entry.unwrap());
    let files = entries
        .filter(|entry| entry.path().is_file())
        .map(|file| (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap()));
    PackFiles::new(files)
}

fn packs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../packs")
}

/// A pack of these files; of the engines it offers only this one is there.
pub(crate) fn read(name: &str, files: PackFiles) -> Result<PackSource, LoadErrors> {
    let mut registry = Registry::new();
    registry.add(BiscuitFactory).unwrap();
    for absent in ["cedar", "rego-native", "rego-wasm"] {
        registry.declare_absent(absent);
    }
    PackSource::read(name, files, &registry)
}

/// As [`read`], and loaded.
pub(crate) fn load(name: &str, files: PackFiles) -> Result<Loaded, LoadErrors> {
    let source = read(name, files)?;
    let engine = BiscuitFactory.load(&source, &LoadContext::default())?;
    Ok(Loaded { source, engine })
}

/// Some of the requests that the cases of the shipped pack of this name begin with, and that reach an engine.
pub(crate) fn payloads(pack: &str) -> Vec<Value> {
    let source = read(pack, shipped_files(pack)).unwrap();
    let schema = source.input_schema.as_ref().unwrap();
    let now: Timestamp = NOW.parse().unwrap();
    let mut paths: Vec<PathBuf> =
        fs::read_dir(packs().join(pack).join("cases")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut payloads = Vec::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "yaml")) {
        let cases = Document::parse(&path.display().to_string(), &fs::read(path).unwrap()).unwrap().value;
        let mut requests: BTreeMap<String, Value> = BTreeMap::new();
        for case in cases.as_array().unwrap() {
            let from = case["from"].as_str().map(|from| requests.get(from).cloned());
            // A case that starts from another file's is left out: these are samples.
            let Some(mut request) = from.unwrap_or_else(|| Some(case["request"].clone())) else { continue };
            for (place, value) in case["with"].as_object().into_iter().flatten() {
                let names = place.split('/').skip(1);
                *names.fold(&mut request, |around, name| &mut around[name]) = value.clone();
            }
            requests.insert(case["name"].as_str().unwrap().to_owned(), request.clone());
            let is_taken = case["without"].is_null()
                && schema.violation(&request).is_none()
                && source.derive.apply(&request, now).is_ok();
            if is_taken {
                payloads.push(request);
            }
        }
    }
    assert!(!payloads.is_empty(), "{pack}");
    let step = payloads.len().div_ceil(SAMPLES);
    payloads.into_iter().step_by(step).collect()
}

/// A request to use a tool.
pub(crate) fn tool(name: &str) -> Value {
    json!({"subject": {"type": "agent", "id": "a1"}, "action": {"name": name}, "resource": {"type": "tool", "id": "t1"}, "context": {}})
}

/// A request with a context.
pub(crate) fn with_context(context: Value) -> Value {
    let mut request = tool("search");
    request["context"] = context;
    request
}

/// A token of one block.
pub(crate) fn mint(root: &KeyPair, authority: &str) -> Biscuit {
    BiscuitBuilder::new().code(authority).unwrap().build(root).unwrap()
}

/// The token with one more block.
pub(crate) fn attenuate(token: &Biscuit, block: &str) -> Biscuit {
    token.append(BlockBuilder::new().code(block).unwrap()).unwrap()
}

pub(crate) fn text(token: &Biscuit) -> Vec<u8> {
    token.to_base64().unwrap().into_bytes()
}

/// The revocation id of a token's block.
pub(crate) fn revocation(token: &Biscuit, block: usize) -> String {
    hex::encode(&token.revocation_identifiers()[block])
}
