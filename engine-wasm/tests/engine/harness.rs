//! Packs in memory, around the modules of `tests/modules`.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use tribunal_engine_core::contract::Decision;
use tribunal_engine_core::engine::{Engine, EngineFactory, LoadContext, LoadErrors, Prepared, Registry};
use tribunal_engine_core::fault::{Fault, FaultKind};
use tribunal_engine_core::pack::{LockedModule, PackFiles, PackLock, PackSource, ShapeTable, files};
use tribunal_engine_wasm::{BuiltPack, OpaCompiler, RegoWasmFactory};

/// A module of `tests/modules` with its source.
#[derive(Debug, Clone)]
pub(crate) struct Fixture {
    pub(crate) name: &'static str,
    pub(crate) rego: Vec<u8>,
    pub(crate) wasm: Vec<u8>,
}

pub(crate) const FIXTURES: [&str; 5] = ["builtins", "decisions", "long_names", "missing", "regex"];

impl Fixture {
    pub(crate) fn path(name: &str, extension: &str) -> PathBuf {
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/modules"))
            .join(format!("{name}.{extension}"))
    }

    pub(crate) fn read(name: &'static str) -> Self {
        let read = |extension| std::fs::read(Self::path(name, extension)).unwrap();
        Self { name, rego: read("rego"), wasm: read("wasm") }
    }

    /// The path its source had when it was built.
    pub(crate) fn source(&self) -> String {
        format!("{}.rego", self.name)
    }

    /// The entrypoints that the source says it is built with.
    pub(crate) fn entrypoints(&self) -> Vec<String> {
        let text = std::str::from_utf8(&self.rego).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("# entrypoints: ")).unwrap();
        line.split(' ').map(str::to_owned).collect()
    }
}

/// A pack that the tests below bend out of shape.
#[derive(Debug, Clone)]
pub(crate) struct Pack {
    pub(crate) manifest: Value,
    pub(crate) files: PackFiles,
    pub(crate) context: LoadContext,
}

impl Pack {
    /// A pack around a fixture, asking one entrypoint.
    pub(crate) fn of(fixture: &'static str, entrypoint: &str) -> Self {
        let fixture = Fixture::read(fixture);
        let mut files = PackFiles::default();
        files.insert(fixture.source(), fixture.rego.clone());
        let entrypoints = fixture.entrypoints();
        Self::around(
            files,
            fixture.wasm,
            entrypoints,
            json!({"entrypoint": entrypoint, "strict_builtin_errors": false}),
        )
    }

    /// A pack around any bytes, with a lock that vouches for them.
    pub(crate) fn around(
        mut files: PackFiles,
        wasm: Vec<u8>,
        entrypoints: Vec<String>,
        settings: Value,
    ) -> Self {
        let lock = PackLock {
            sources: files.rego_digest(),
            module: LockedModule {
                path: "policy.wasm".to_owned(),
                digest: files::digest(&wasm),
                entrypoints,
            },
            builder: "opa".to_owned(),
            version: "1.22.0".to_owned(),
            command: "opa build".to_owned(),
        };
        files.insert("pack.lock", serde_json::to_vec(&lock).unwrap());
        files.insert("policy.wasm", wasm);
        let manifest = json!({
            "name": "test", "version": "1.0.0", "description": "test",
            "engines": {"rego-wasm": settings}, "input_schema": "none",
        });
        Self { manifest, files, context: LoadContext::default() }
    }

    /// The same with other settings.
    pub(crate) fn settings(mut self, settings: Value) -> Self {
        self.manifest["engines"]["rego-wasm"] = settings;
        self
    }

    /// The same with limits.
    pub(crate) fn limits(mut self, limits: Value) -> Self {
        self.context.limits = serde_json::from_value(limits).unwrap();
        self
    }

    /// The same with data.
    pub(crate) fn data(mut self, data: &Value) -> Self {
        self.files.insert("data.json", data.to_string().into_bytes());
        self
    }

    pub(crate) fn source(&self) -> Result<PackSource, LoadErrors> {
        let mut registry = Registry::new();
        registry.add(RegoWasmFactory).unwrap();
        let mut files = self.files.clone();
        files.insert("pack.yaml", self.manifest.to_string().into_bytes());
        PackSource::read("packs/test", files, &registry)
    }

    pub(crate) fn load(&self) -> Result<Arc<dyn Engine>, LoadErrors> {
        RegoWasmFactory.load(&self.source()?, &self.context)
    }

    /// Loads, and decides one request.
    pub(crate) fn decide(&self, payload: &Value) -> Result<Decision, Fault> {
        decide(&*self.load().unwrap(), payload)
    }

    /// Loads, decides, and expects a fault.
    pub(crate) fn fault(&self, payload: &Value) -> FaultKind {
        let fault = self.decide(payload).expect_err("a fault");
        fault.kind
    }
}

/// Decides at one second past the epoch.
pub(crate) fn decide(engine: &dyn Engine, payload: &Value) -> Result<Decision, Fault> {
    let open = ShapeTable::everything();
    let now = jiff::Timestamp::from_second(1).unwrap();
    engine.decide(&Prepared::new(payload, open.root(), now, None)).map(|verdict| verdict.decision)
}

/// The reason of a decision.
pub(crate) fn reason(decision: Result<Decision, Fault>) -> String {
    decision.unwrap().reason.unwrap()
}

/// OPA, if it is there; says so loudly if it is not.
pub(crate) fn opa(test: &str) -> Option<OpaCompiler> {
    match OpaCompiler::find() {
        Ok(compiler) => Some(compiler),
        Err(error) if std::env::var("TRIBUNAL_REQUIRE_OPA").as_deref() == Ok("1") => {
            panic!("{test}: {error}")
        }
        Err(error) => {
            eprintln!("\n*** {test} IS SKIPPED: {error}\n");
            None
        }
    }
}

/// Builds Rego and puts it into a pack.
pub(crate) fn pack_of(rego: &str, entrypoint: &str, compiler: &OpaCompiler) -> Pack {
    let mut files = PackFiles::default();
    files.insert("policy.rego", rego.as_bytes().to_vec());
    let entrypoints = vec![entrypoint.to_owned()];
    let BuiltPack { module, .. } = tribunal_engine_wasm::build_pack(&files, &entrypoints, compiler).unwrap();
    Pack::around(
        files,
        module,
        entrypoints,
        json!({"entrypoint": entrypoint, "strict_builtin_errors": false}),
    )
}
