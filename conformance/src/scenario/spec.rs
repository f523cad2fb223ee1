//! A scenario as it is written in `scenarios/*.yaml`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tribunal::core::config::deployment::standard_boundaries;
use tribunal::core::config::when::WhenSpec;
use tribunal::core::config::{OnNoPack, PackEntry};
use tribunal::core::contract::{DecisionEffect, Pointer};
use tribunal::core::fault::FaultKind;
use tribunal::core::limits::Limits;

/// What stands for the content in a `wrap`.
pub const CONTENT: &str = "{content}";

/// One scenario: what somebody attempts in several steps, and how far it gets on every engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioSpec {
    /// The scenario's name, unique in its folder.
    #[schemars(regex(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$"))]
    pub name: String,
    /// What is attempted, and what must come of it.
    #[schemars(regex(pattern = r"\S"))]
    pub description: String,
    /// The class of attack it belongs to; near misses belong to the one that they resemble.
    pub attack: AttackClass,
    /// What is deployed; without it, the pack whose folder this is, alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<DeploymentSpec>,
    /// What the memory holds before the first step, by key: it came there past every guard.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub memory: BTreeMap<String, Value>,
    /// The instant of every step (RFC 3339); without it, the first instant of 2026 (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub now: Option<String>,
    /// The steps, one after another.
    #[schemars(length(min = 1))]
    pub steps: Vec<StepSpec>,
    /// What holds for everything that goes ahead, and for what memory holds of it in the end.
    #[serde(default)]
    pub assert: AssertionSpec,
}

/// A class of attacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttackClass {
    /// Instructions where people do not see them, or in a form they do not read.
    HiddenDirectives,
    /// Data on its way to where it may not go.
    DisallowedEgress,
    /// Content that comes back out of memory.
    MemoryReplay,
    /// Anything else.
    Other,
}

impl AttackClass {
    /// Every class.
    pub const ALL: [AttackClass; 4] = [
        AttackClass::HiddenDirectives,
        AttackClass::DisallowedEgress,
        AttackClass::MemoryReplay,
        AttackClass::Other,
    ];
}

/// What is deployed: a file, or packs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeploymentSpec {
    /// A `tribunal.yaml`, relative to this file. Either this or `packs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The packs, in the order in which their reasons stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub packs: Option<Vec<PackSpec>>,
    /// The boundaries that requests may cross, with `packs`.
    #[serde(default = "standard_boundaries")]
    #[schemars(length(min = 1))]
    pub boundaries: Vec<String>,
    /// What happens to a request that no pack claims, with `packs`.
    #[serde(default)]
    pub on_no_pack: OnNoPack,
}

/// A pack that is deployed, on whichever engine the scenario is run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PackSpec {
    /// The pack's folder, relative to this file.
    pub pack: String,
    /// Which requests it claims; without it, every one.
    #[serde(default)]
    pub when: WhenSpec,
    /// A data file in place of the pack's own, relative to this file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

impl PackSpec {
    /// The entry of a deployment that decides by this pack on an engine.
    pub(super) fn entry(&self, engine: &str) -> PackEntry {
        PackEntry {
            pack: self.pack.clone(),
            engine: engine.to_owned(),
            when: self.when.clone(),
            data: self.data.clone(),
            fallback: None,
            limits: Limits::default(),
            shadow: Vec::new(),
        }
    }
}

/// One step: a request, what flows into it, and what is decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepSpec {
    /// The step's name, unique in its scenario.
    #[schemars(regex(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$"))]
    pub name: String,
    /// The boundary that is crossed: the request's member of that name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<String>,
    /// The request. Either this or `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Map<String, Value>>,
    /// The step whose request, as written, this one starts from: one of this scenario, or `scenario/step` of another in this
    /// file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[a-z0-9-]+(/[a-z0-9-]+)?$"))]
    pub from: Option<String>,
    /// Places taken out of that request, one after another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<Pointer>,
    /// Places of that request and the values put there; objects on the way are made where there are none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, Value>", extend("propertyNames" = {"pattern": "^/"}))]
    pub with: BTreeMap<Pointer, Value>,
    /// What comes from an earlier step, as it was after that step's patches. Content of a step that was refused goes nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<FlowSpec>,
    /// What is stored, or read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemorySpec>,
    /// The instant of this step, in place of the scenario's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub now: Option<String>,
    /// What is decided.
    pub expect: StepExpectation,
}

/// Content that flows from one step into another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowSpec {
    /// The earlier step.
    pub from: String,
    /// Where it stands there.
    #[serde(default = "prompt")]
    pub pointer: Pointer,
    /// Where it stands here; the same place without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Pointer>,
    /// A text around it, with `{content}` in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"\{content\}"))]
    pub wrap: Option<String>,
}

/// What a step has to do with memory: it writes or reads a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemorySpec {
    /// The key under which the content is stored, after the step's patches; nothing is if the step is refused. Either this or
    /// `read`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write: Option<String>,
    /// The key whose content is put into this step's request, before it is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<String>,
    /// Where the content stands in this step's request.
    #[serde(default = "prompt")]
    pub pointer: Pointer,
    /// A text around what is read, with `{content}` in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"\{content\}"))]
    pub wrap: Option<String>,
}

/// Where content stands unless a scenario says otherwise.
fn prompt() -> Pointer {
    Pointer::from_tokens(["context", "prompt"])
}

/// What comes of a step. A fault that is not expected is a failure, whatever else is said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepExpectation {
    /// The effect; or `blocked`: the step is never asked, for what it needs was refused or is not in memory.
    pub effect: StepEffect,
    /// The reason, in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The fault behind a `deny`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultKind>,
    /// What packs decide, by name; packs that are not named may decide anything.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub packs: BTreeMap<String, PackExpectation>,
    /// Texts that stand somewhere in the request as it goes ahead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub present: Vec<Text>,
    /// Texts that stand nowhere in it, upper and lower case being the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<Text>,
    /// Members that the step's `policy_decisions` artifact has with these values, among others; lists are compared whole.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub artifact: Map<String, Value>,
}

/// What comes of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the four effects, and one word that `StepExpectation` explains")]
pub enum StepEffect {
    Allow,
    Redact,
    StepUp,
    Deny,
    Blocked,
}

impl StepEffect {
    /// The effect on the wire; `None` for a step that is not asked.
    pub fn decided(self) -> Option<DecisionEffect> {
        match self {
            StepEffect::Allow => Some(DecisionEffect::Allow),
            StepEffect::Redact => Some(DecisionEffect::Redact),
            StepEffect::StepUp => Some(DecisionEffect::StepUp),
            StepEffect::Deny => Some(DecisionEffect::Deny),
            StepEffect::Blocked => None,
        }
    }
}

/// What one pack decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PackExpectation {
    /// The effect.
    pub effect: DecisionEffect,
    /// The reason, in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A text that is not empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Text(#[schemars(length(min = 1))] pub String);

/// What holds for everything that goes ahead.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssertionSpec {
    /// No instruction to a model hides in it, by detectors that know nothing of the packs.
    #[serde(default)]
    pub no_injection: bool,
    /// No personal data and no credential stands in it, by detectors that know nothing of the packs.
    #[serde(default)]
    pub no_pii: bool,
    /// Texts that stand nowhere in it, upper and lower case being the same, nor in any step's artifact.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<Text>,
    /// The effect of the last step that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<DecisionEffect>,
}

/// The JSON Schema of a file of scenarios.
pub fn scenario_schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<Vec<ScenarioSpec>>();
    schema.insert("title".to_owned(), Value::from("Scenarios"));
    schema.to_value()
}
