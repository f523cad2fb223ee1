//! A pack in memory, loaded and asked.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use tribunal_engine_core::engine::{
    Engine, EngineFactory, Explanation, LoadContext, LoadErrors, Prepared, Registry, Verdict,
};
use tribunal_engine_core::fault::Fault;
use tribunal_engine_core::limits::Limits;
use tribunal_engine_core::pack::{PackFiles, PackSource};
use tribunal_engine_rego_native::RegoNativeFactory;

/// A pack being put together.
pub(crate) struct Pack {
    settings: Value,
    files: Vec<(String, Vec<u8>)>,
    limits: Limits,
}

impl Pack {
    /// One file of Rego whose rule `p/decision` decides.
    pub(crate) fn rego(rego: &str) -> Self {
        Self {
            settings: json!({"entrypoint": "p/decision"}),
            files: vec![("policy.rego".to_owned(), rego.as_bytes().to_vec())],
            limits: Limits::default(),
        }
    }

    pub(crate) fn file(mut self, path: &str, text: &str) -> Self {
        self.files.push((path.to_owned(), text.as_bytes().to_vec()));
        self
    }

    pub(crate) fn data(self, data: &Value) -> Self {
        self.file("data.json", &data.to_string())
    }

    pub(crate) fn settings(mut self, settings: Value) -> Self {
        self.settings = settings;
        self
    }

    pub(crate) fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    pub(crate) fn source(self) -> Result<PackSource, LoadErrors> {
        let manifest = json!({
            "name": "test",
            "version": "1.0.0",
            "description": "a pack of a test",
            "engines": {"rego-native": self.settings},
            "input_schema": "none",
        });
        let manifest = ("pack.yaml".to_owned(), manifest.to_string().into_bytes());
        let files = PackFiles::new(self.files.into_iter().chain([manifest]));
        PackSource::read("test", files, &registry())
    }

    pub(crate) fn load(self) -> Result<Loaded, LoadErrors> {
        let context = LoadContext { limits: self.limits, ..LoadContext::default() };
        let source = self.source()?;
        let engine = RegoNativeFactory.load(&source, &context)?;
        Ok(Loaded { engine, source })
    }

    /// The one error of a pack that does not load, as text.
    pub(crate) fn refused(self) -> String {
        match self.load() {
            Ok(_) => panic!("the pack loads"),
            Err(errors) => errors.to_string(),
        }
    }
}

/// Every shipped pack, by its name.
pub(crate) fn shipped() -> Vec<(String, PackFiles)> {
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packs");
    let mut found = Vec::new();
    for entry in fs::read_dir(packs).unwrap() {
        let folder = entry.unwrap().path();
        if folder.join("pack.yaml").is_file() {
            let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
            let files =
                fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).filter(|file| file.is_file());
            let files = files.map(|file| {
                (file.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&file).unwrap())
            });
            found.push((name, PackFiles::new(files)));
        }
    }
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    assert!(found.len() >= 7, "the shipped packs are not found");
    found
}

/// Reads a pack from its files.
pub(crate) fn read(name: &str, files: PackFiles) -> Result<PackSource, LoadErrors> {
    PackSource::read(&format!("packs/{name}"), files, &registry())
}

/// The engine under test, and names for the others that shipped packs offer.
fn registry() -> Registry {
    let mut registry = Registry::new();
    registry.add(RegoNativeFactory).unwrap();
    for other in ["rego-wasm", "cedar", "biscuit"] {
        registry.declare_absent(other);
    }
    registry
}

/// A loaded pack.
pub(crate) struct Loaded {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) source: PackSource,
}

impl Loaded {
    pub(crate) fn decide(&self, input: &Value) -> Result<Verdict, Fault> {
        self.engine.decide(&self.prepare(input))
    }

    pub(crate) fn explain(&self, input: &Value) -> Result<Explanation, Fault> {
        self.engine.explain(&self.prepare(input))
    }

    pub(crate) fn prepare<'r>(&'r self, input: &'r Value) -> Prepared<'r> {
        Prepared::new(input, self.source.named(), Timestamp::from_second(1_700_000_000).unwrap(), None)
    }
}
