//! A scenario played on an engine.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};
use tribunal::core::contract::{Outcome, Pointer, PolicyDecisions, PolicyRequest};
use tribunal::core::fault::{Fault, fail_closed};
use tribunal::core::location::Location;
use tribunal::{DecisionEffect, LoadErrors, Tribunal};

use super::assertions;
use super::spec::CONTENT;
use super::suite::{Scenario, Step};
use crate::case::edit;

/// What came of a scenario on one engine.
#[derive(Debug, Clone)]
pub struct ScenarioResult {
    /// What the scenario belongs to.
    pub pack: String,
    /// The engine, or `as-deployed`.
    pub engine: String,
    /// The scenario's name.
    pub scenario: String,
    /// Where it stands.
    pub location: Location,
    /// Each step, in order.
    pub steps: Vec<StepResult>,
    /// Why it fails: a line or more for each expectation that is not met; empty if all are.
    pub failures: Vec<String>,
}

/// What came of one step.
#[derive(Debug, Clone)]
pub struct StepResult {
    /// The step's name.
    pub step: String,
    /// What was asked and answered.
    pub played: Played,
}

/// What was asked and answered, if anything was.
#[derive(Debug, Clone)]
pub enum Played {
    /// The step was not asked: what it needs was refused, or is not there.
    Blocked(String),
    /// It was.
    Asked(Box<Asked>),
}

/// A question with its answer.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The request as it was asked.
    pub request: Value,
    /// How it was decided.
    pub outcome: Outcome,
    /// The request as it goes ahead, with the patches made; `None` if it does not.
    pub sanitised: Option<Value>,
    /// The artifact of the decision.
    pub artifact: PolicyDecisions,
}

impl Scenario {
    /// Plays the scenario on an engine, see [`Stage::engines`](super::Stage::engines).
    ///
    /// # Errors
    /// Why the deployment cannot be loaded there.
    pub fn play(&self, engine: &str) -> Result<ScenarioResult, LoadErrors> {
        Ok(self.play_on(&*self.stage.on(engine)?, engine))
    }

    /// Plays the scenario against a deployment that is loaded; `engine` is what the result calls it.
    pub fn play_on(&self, tribunal: &Tribunal, engine: &str) -> ScenarioResult {
        let mut theatre = Theatre { tribunal, memory: self.spec.memory.clone(), steps: Vec::new() };
        for (index, step) in self.steps.iter().enumerate() {
            let played = theatre.play(self, index, step);
            if let (Some(write), Some(sanitised)) = (
                step.memory.as_ref().and_then(|memory| Some((memory.write.as_ref()?, &memory.pointer))),
                played.sanitised(),
            ) {
                let (key, pointer) = write;
                match pointer.get(sanitised) {
                    Some(content) => theatre.memory.insert(key.clone(), content.clone()),
                    // What was taken out is not stored, nor does what was there before stay.
                    None => theatre.memory.remove(key),
                };
            }
            theatre.steps.push(StepResult { step: step.name.clone(), played });
        }
        let Theatre { steps, memory, .. } = theatre;
        let mut failures = assertions::of_steps(tribunal, &self.steps, &steps);
        failures.extend(assertions::of_scenario(&self.spec, &steps, &memory));
        ScenarioResult {
            pack: self.pack.clone(),
            engine: engine.to_owned(),
            scenario: self.spec.name.clone(),
            location: self.location.clone(),
            steps,
            failures,
        }
    }
}

impl Played {
    /// The request as it goes ahead, if it does.
    pub fn sanitised(&self) -> Option<&Value> {
        match self {
            Played::Blocked(_) => None,
            Played::Asked(asked) => asked.sanitised.as_ref(),
        }
    }
}

/// A scenario that is being played.
struct Theatre<'t> {
    tribunal: &'t Tribunal,
    memory: BTreeMap<String, Value>,
    steps: Vec<StepResult>,
}

impl Theatre<'_> {
    fn play(&self, scenario: &Scenario, index: usize, step: &Step) -> Played {
        let request = match self.furnish(step) {
            Ok(request) => identified(request, &scenario.spec.name, index),
            Err(why) => return Played::Blocked(why),
        };
        // Through the front door, as bytes: what a caller meets.
        let asked = match PolicyRequest::from_slice(request.to_string().as_bytes()) {
            Ok(asked) => asked,
            Err(fault) => PolicyRequest::unreadable(fault),
        }
        .at(step.now);
        let outcome = match asked.payload() {
            Ok(_) => self.tribunal.outcome(&asked),
            Err(fault) => refused(fault, step),
        };
        let sanitised = outcome.decision.apply(&request).ok();
        let artifact = PolicyDecisions::new(&asked, &outcome, &self.tribunal.deployment().record);
        Played::Asked(Box::new(Asked { request, outcome, sanitised, artifact }))
    }

    /// The request with everything that flows into it; or why it cannot be asked.
    fn furnish(&self, step: &Step) -> Result<Value, String> {
        let mut request = step.request.clone();
        if let Some(flow) = &step.content {
            let earlier = self.steps.iter().find(|earlier| earlier.step == flow.from);
            let source = earlier
                .and_then(|earlier| earlier.played.sanitised())
                .ok_or_else(|| format!("the content of `{}` was refused", flow.from))?;
            let content = flow
                .pointer
                .get(source)
                .ok_or_else(|| format!("nothing is left at `{}` of `{}`", flow.pointer, flow.from))?;
            put(
                &mut request,
                flow.to.as_ref().unwrap_or(&flow.pointer),
                wrapped(content, flow.wrap.as_deref())?,
            )?;
        }
        if let Some((memory, key)) =
            step.memory.as_ref().and_then(|memory| Some((memory, memory.read.as_ref()?)))
        {
            let content =
                self.memory.get(key).ok_or_else(|| format!("memory holds nothing under `{key}`"))?;
            put(&mut request, &memory.pointer, wrapped(content, memory.wrap.as_deref())?)?;
        }
        Ok(request)
    }
}

fn wrapped(content: &Value, wrap: Option<&str>) -> Result<Value, String> {
    match (wrap, content) {
        (None, content) => Ok(content.clone()),
        (Some(wrap), Value::String(text)) => Ok(Value::String(wrap.replace(CONTENT, text))),
        (Some(_), _) => Err("only a text can be wrapped".to_owned()),
    }
}

fn put(request: &mut Value, place: &Pointer, content: Value) -> Result<(), String> {
    edit::set(request, place, content).ok_or_else(|| format!("nothing can stand at `{place}` in the request"))
}

/// The request with the ids of its run and step, which every step has. They follow from the scenario, so that the same
/// artifacts come of it on every engine and every day.
fn identified(mut request: Value, scenario: &str, step: usize) -> Value {
    if let Value::Object(members) = &mut request {
        let id = |name: String| Value::String(uuid_of(&name));
        members.entry("run_id").or_insert_with(|| id(scenario.to_owned()));
        members.entry("step_id").or_insert_with(|| id(format!("{scenario}/{step}")));
    }
    request
}

/// A UUID of version 8 (RFC 9562): bits of a digest.
fn uuid_of(name: &str) -> String {
    let digest = Sha256::digest(name.as_bytes());
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let part = |from: usize, to: usize| hex.get(from..to).map_or("", |part| part);
    format!("{}-{}-8{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

fn refused(fault: Fault, step: &Step) -> Outcome {
    Outcome {
        decision: fail_closed(&fault),
        fault: Some(fault),
        packs: Vec::new(),
        rounds: 0,
        now: step.now,
        duration_ns: 0,
    }
}

impl Asked {
    /// The merged effect.
    pub fn effect(&self) -> DecisionEffect {
        self.outcome.decision.effect
    }
}
