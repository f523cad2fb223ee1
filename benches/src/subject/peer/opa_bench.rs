//! OPA's own benchmark of its own evaluators: `opa bench`, and `opa bench -t wasm`. It times itself, inside one process, with
//! the input read and the query prepared; what it prints is taken as it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;
use tribunal::core::dispatch::LoadedPack;
use tribunal::wasm::OpaCompiler;
use tribunal::wasm::WasmCompiler as _;
use tribunal::{Decision, Fault, FaultKind};
use tribunal_conformance::Runner;
use tribunal_conformance::reference::OPA_VARIABLE;

use std::sync::Arc;

use crate::subject::{Answer, Candidate, Kind, OwnFigures, Question, Request, Site, Subject, Unavailable};

/// One of OPA's evaluators.
#[derive(Debug)]
pub(super) struct OpaBench {
    name: &'static str,
    engine: &'static str,
    about: &'static str,
    target: &'static str,
}

impl OpaBench {
    pub(super) const TOPDOWN: Self = Self {
        name: "peer:opa-bench",
        engine: "rego-native",
        about: "`opa bench`, by its own clock: OPA's interpreter, the input read, the query prepared",
        target: "rego",
    };
    pub(super) const WASM: Self = Self {
        name: "peer:opa-bench-wasm",
        engine: "rego-wasm",
        about: "`opa bench -t wasm`, by its own clock: OPA's own runtime for its modules",
        target: "wasm",
    };
}

impl Candidate for OpaBench {
    fn name(&self) -> &str {
        self.name
    }

    fn engine(&self) -> &str {
        self.engine
    }

    fn kind(&self) -> Kind {
        Kind::Peer
    }

    fn about(&self) -> &str {
        self.about
    }

    fn loads(&self) -> bool {
        false
    }

    /// It goes on until a pass has taken a second, after shorter ones.
    fn own_time(&self) -> Duration {
        Duration::from_secs(3)
    }

    fn open(&self, site: &Site) -> Result<Box<dyn Subject>, Unavailable> {
        let program = std::env::var_os(OPA_VARIABLE)
            .filter(|named| !named.is_empty())
            .map_or_else(|| PathBuf::from("opa"), PathBuf::from);
        let opa = OpaCompiler::at(program).map_err(|error| Unavailable::Missing(error.to_string()))?;
        let source = site.source()?;
        let settings: Settings = source.settings(self.engine).map_err(tribunal::LoadErrors::from)?;
        let Some(entrypoint) = settings.entrypoint else {
            return Err(Unavailable::NotApplicable("the pack has no one `entrypoint`".to_owned()));
        };
        let folder = TempDir::with_prefix("tribunal-bench-opa-").map_err(|error| failed(&error))?;
        for (path, text) in source.files.rego_sources() {
            let place = folder.path().join("policies").join(path);
            if let Some(parent) = place.parent() {
                fs::create_dir_all(parent).map_err(|error| failed(&error))?;
            }
            fs::write(place, text).map_err(|error| failed(&error))?;
        }
        fs::write(folder.path().join("data.json"), source.data.to_string())
            .map_err(|error| failed(&error))?;
        let pack = Runner::load(source, self.engine, &site.context, &site.registry)?.loaded();
        let query = format!("data.{}", entrypoint.replace('/', "."));
        let (program, version) = (opa.program().to_owned(), format!("OPA {}", opa.version()));
        Ok(Box::new(Open { program, version, query, target: self.target, folder, pack }))
    }
}

/// What both Rego engines' settings say of the rule that decides.
#[derive(Debug, Deserialize)]
struct Settings {
    entrypoint: Option<String>,
}

fn failed(error: &dyn std::fmt::Display) -> Unavailable {
    Unavailable::Failed(format!("opa: {error}"))
}

struct Open {
    program: PathBuf,
    version: String,
    query: String,
    target: &'static str,
    folder: TempDir,
    pack: Arc<LoadedPack>,
}

impl Open {
    fn run(&self, command: &str, more: &[&str], input: &Path) -> Result<Value, Unavailable> {
        let output = Command::new(&self.program)
            .args([
                command,
                "--format",
                "json",
                "--target",
                self.target,
                "--data",
                "policies",
                "--data",
                "data.json",
            ])
            .arg("--input")
            .arg(input)
            .args(more)
            .arg(&self.query)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .map_err(|error| failed(&error))?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            return Err(failed(&format!("`opa {command}` ended with {}: {}", output.status, said.trim())));
        }
        serde_json::from_slice(&output.stdout).map_err(|error| failed(&error))
    }

    fn input(&self, request: &Request) -> Result<PathBuf, Unavailable> {
        let prepared = self.pack.prepare(&request.payload, request.now)?;
        let place = self.folder.path().join("input.json");
        fs::write(&place, prepared.to_string()).map_err(|error| failed(&error))?;
        Ok(place)
    }
}

impl Subject for Open {
    fn version(&self) -> String {
        self.version.clone()
    }

    fn question<'s>(&'s self, request: &'s Request) -> Result<Box<dyn Question + 's>, Unavailable> {
        // Its answer comes of `opa eval` on the same evaluator: the benchmark prints none.
        Ok(Box::new(Evaluated { open: self, request, answer: Answer::unasked() }))
    }

    fn own_figures(&self, request: &Request, _: Duration) -> Option<Result<OwnFigures, Unavailable>> {
        let measured = self.input(request).and_then(|input| self.run("bench", UNMETERED, &input));
        Some(
            measured
                .and_then(|said| figures(&said).ok_or_else(|| failed(&format!("`opa bench` says {said}")))),
        )
    }
}

struct Evaluated<'s> {
    open: &'s Open,
    request: &'s Request,
    answer: Answer,
}

impl Question for Evaluated<'_> {
    fn ask(&mut self) {
        let said = self.open.input(self.request).and_then(|input| self.open.run("eval", &[], &input));
        self.answer = match said {
            Ok(said) => Answer::read(decision(&said)),
            Err(why) => Answer::Failed(why.to_string()),
        };
    }

    fn answer(&mut self) -> Answer {
        self.answer.clone()
    }
}

/// The decision in what `opa eval --format json` prints, which is nothing for what is undefined.
fn decision(said: &Value) -> Result<Decision, Fault> {
    let undefined = || Fault::new(FaultKind::UndefinedDecision, "`opa eval` has no result");
    Decision::from_wire(said.pointer("/result/0/expressions/0/value").ok_or_else(undefined)?)
}

/// OPA's own timers would run inside of what it times.
const UNMETERED: &[&str] = &["--metrics=false"];

/// The figures of `opa bench --format json`: decisions, and the time of all of them.
fn figures(said: &Value) -> Option<OwnFigures> {
    let samples = said.get("N")?.as_u64().filter(|samples| *samples > 0)?;
    let mean = said.get("T")?.as_f64()? / samples as f64;
    // It prints no answer.
    Some(OwnFigures { samples, mean, percentiles: Vec::new(), answer: None })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{decision, figures};

    #[test]
    fn what_opa_eval_does_not_decide_is_no_denial() {
        let of = |said| crate::subject::Answer::read(decision(&said)).brief();
        assert_eq!(of(json!({"result": [{"expressions": [{"value": {"effect": "deny"}}]}]})), "deny");
        assert_eq!(of(json!({})), "no answer: undefined_decision: `opa eval` has no result");
        assert!(of(json!({"result": [{"expressions": [{"value": 1}]}]})).starts_with("no answer: "));
    }

    #[test]
    fn what_opa_bench_prints_is_read() {
        let found = figures(&json!({"N": 4, "T": 2_000})).unwrap();
        assert_eq!((found.samples, found.mean), (4, 500.0));
        assert_eq!(figures(&json!({"N": 0, "T": 1})), None);
        assert_eq!(figures(&json!({})), None);
    }
}
