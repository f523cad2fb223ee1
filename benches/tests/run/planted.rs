//! Subjects and an engine that are planted to be found out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;
use tribunal::core::contract::Rules;
use tribunal::core::engine::{
    Capabilities, Engine, EngineFactory, EngineInfo, Explanation, LoadContext, LoadErrors, Mutant, Prepared,
    Registry, Verdict, Vocabulary,
};
use tribunal::core::pack::PackSource;
use tribunal::{Decision, Fault};
use tribunal_benches::embedded;
use tribunal_benches::subject::{Answer, Candidate, Kind, Question, Request, Site, Subject, Unavailable};

/// Every engine, and one that allows whatever it is asked.
pub(crate) fn registry() -> Registry {
    let mut registry = tribunal::registry();
    registry.add(AllowsAll).unwrap();
    registry
}

/// A folder with the pack that the program carries, in `pack`, which offers the planted engine, too.
pub(crate) fn with_planted() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files = embedded::files(embedded::DEFAULT).unwrap();
    for path in files.paths() {
        let place = folder.path().join("pack").join(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, files.get(path).unwrap()).unwrap();
    }
    let manifest = folder.path().join("pack/pack.yaml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    assert!(text.contains("  biscuit: {}\n"));
    std::fs::write(&manifest, text.replace("  biscuit: {}\n", "  biscuit: {}\n  planted: {}\n")).unwrap();
    folder
}

#[derive(Debug)]
struct AllowsAll;

impl EngineFactory for AllowsAll {
    fn info(&self) -> EngineInfo {
        EngineInfo { id: "planted", version: "planted 1".to_owned() }
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { can: Default::default(), bounds: Vec::new() }
    }

    fn settings_schema(&self) -> serde_json::Value {
        serde_json::json!({"type": "object"})
    }

    fn load(&self, _: &PackSource, _: &LoadContext) -> Result<Arc<dyn Engine>, LoadErrors> {
        Ok(Arc::new(AllowsAll))
    }

    fn vocabulary(&self, _: &PackSource) -> Result<Vocabulary, LoadErrors> {
        Ok(Vocabulary::default())
    }

    fn mutants(&self, _: &PackSource) -> Result<Vec<Mutant>, LoadErrors> {
        Ok(Vec::new())
    }
}

impl Engine for AllowsAll {
    fn decide(&self, _: &Prepared<'_>) -> Result<Verdict, Fault> {
        Ok(Verdict { decision: Decision::allow(), rules: Rules::UNAVAILABLE, rules_evaluated: None })
    }

    fn explain(&self, request: &Prepared<'_>) -> Result<Explanation, Fault> {
        Ok(Explanation { verdict: self.decide(request)?, trace: Vec::new(), notes: Vec::new() })
    }

    fn with_data(&self, _: Arc<serde_json::Value>) -> Result<Arc<dyn Engine>, LoadErrors> {
        Ok(Arc::new(AllowsAll))
    }
}

/// A peer that says what it is told to.
#[derive(Debug, Clone)]
pub(crate) struct Planted {
    name: String,
    version: String,
    answer: Answer,
    /// It answers otherwise after so many questions.
    changes_after: Option<u32>,
}

impl Planted {
    pub(crate) fn always(name: &str, allows: bool) -> Self {
        Self::saying(name, Answer::Allows(allows))
    }

    pub(crate) fn saying(name: &str, answer: Answer) -> Self {
        Self { name: name.to_owned(), version: "planted 1".to_owned(), answer, changes_after: None }
    }

    pub(crate) fn changing(name: &str, after: u32) -> Self {
        Self { changes_after: Some(after), ..Self::always(name, true) }
    }

    pub(crate) fn version(self, version: &str) -> Self {
        Self { version: version.to_owned(), ..self }
    }
}

impl Candidate for Planted {
    fn name(&self) -> &str {
        &self.name
    }

    fn engine(&self) -> &str {
        ""
    }

    fn kind(&self) -> Kind {
        Kind::Peer
    }

    fn about(&self) -> &str {
        "planted"
    }

    fn loads(&self) -> bool {
        false
    }

    fn open(&self, _: &Site) -> Result<Box<dyn Subject>, Unavailable> {
        Ok(Box::new(self.clone()))
    }
}

impl Subject for Planted {
    fn version(&self) -> String {
        self.version.clone()
    }

    fn question<'s>(&'s self, _: &'s Request) -> Result<Box<dyn Question + 's>, Unavailable> {
        Ok(Box::new(Asked { planted: self, count: AtomicU32::new(0) }))
    }
}

struct Asked<'s> {
    planted: &'s Planted,
    count: AtomicU32,
}

impl Question for Asked<'_> {
    fn ask(&mut self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    fn answer(&mut self) -> Answer {
        let count = self.count.load(Ordering::Relaxed);
        match self.planted.changes_after {
            Some(after) if count > after => Answer::Allows(false),
            _ => self.planted.answer.clone(),
        }
    }
}
