//! A plain engine of regorus, reused, given its own value: with the features and built-ins that this program builds regorus
//! with, none of which are Tribunal's.

use std::sync::Arc;

use regorus::{Engine, Value};
use tribunal::core::dispatch::LoadedPack;
use tribunal::core::pack::PackSource;
use tribunal::rego_native::bare::Bare;
use tribunal::{Decision, Fault, FaultKind};
use tribunal_conformance::Runner;

use crate::subject::{Answer, Candidate, Kind, Question, Request, Site, Subject, Unavailable};

const ENGINE: &str = "rego-native";

#[derive(Debug)]
pub(super) struct Regorus;

impl Candidate for Regorus {
    fn name(&self) -> &str {
        "floor:regorus"
    }

    fn engine(&self) -> &str {
        ENGINE
    }

    fn kind(&self) -> Kind {
        Kind::Floor
    }

    fn about(&self) -> &str {
        "a reused plain engine, given the request as its own value"
    }

    fn loads(&self) -> bool {
        false
    }

    fn open(&self, site: &Site) -> Result<Box<dyn Subject>, Unavailable> {
        let source = site.source()?;
        let rule = Bare::load(&source, &site.context)?.rule()?.to_owned();
        let pack = Runner::load(source.clone(), ENGINE, &site.context, &site.registry)?.loaded();
        Ok(Box::new(Open { source, rule, pack }))
    }
}

struct Open {
    source: Arc<PackSource>,
    rule: String,
    pack: Arc<LoadedPack>,
}

impl Open {
    fn engine(&self) -> Result<Engine, Unavailable> {
        let refused = |error: &dyn std::fmt::Display| Unavailable::Refused(error.to_string());
        let mut engine = Engine::new();
        for (path, _) in self.source.files.rego_sources() {
            let text = self.source.text(path).map_err(|error| refused(&error))?;
            engine.add_policy(path.to_owned(), text.to_owned()).map_err(|error| refused(&error))?;
        }
        let data = Value::from_json_str(&self.source.data.to_string()).map_err(|error| refused(&error))?;
        engine.add_data(data).map_err(|error| refused(&error))?;
        Ok(engine)
    }
}

impl Subject for Open {
    fn version(&self) -> String {
        self.pack.identity().engine_version.clone()
    }

    fn question<'s>(&'s self, request: &'s Request) -> Result<Box<dyn Question + 's>, Unavailable> {
        let prepared = self.pack.prepare(&request.payload, request.now)?;
        let input = Value::from_json_str(&prepared.to_string())
            .map_err(|error| Unavailable::Refused(error.to_string()))?;
        let mut engine = self.engine()?;
        engine.set_input(input.clone());
        // A built-in that plain regorus does not have in this program is no answer, and no figure.
        if let Err(error) = engine.eval_rule(self.rule.clone()) {
            return Err(Unavailable::Refused(format!("plain regorus: {error}")));
        }
        Ok(Box::new(Evaluation { engine, rule: &self.rule, input, value: Err(String::new()) }))
    }
}

struct Evaluation<'s> {
    engine: Engine,
    rule: &'s str,
    input: Value,
    value: Result<Value, String>,
}

impl Question for Evaluation<'_> {
    fn ask(&mut self) {
        self.engine.set_input(self.input.clone());
        self.value = self.engine.eval_rule(self.rule.to_owned()).map_err(|error| error.to_string());
    }

    fn answer(&mut self) -> Answer {
        let read = |value: &Value| -> Result<Decision, Fault> {
            let wrong = |error: String| Fault::new(FaultKind::MalformedDecision, error);
            let text = value.to_json_str().map_err(|error| wrong(error.to_string()))?;
            let json = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
            Decision::from_wire(&json)
        };
        let decision = self.value.as_ref().ok().map(read);
        match decision {
            Some(Ok(decision)) => Answer::Effect(decision.effect),
            Some(Err(_)) | None => Answer::Allows(false),
        }
    }
}
