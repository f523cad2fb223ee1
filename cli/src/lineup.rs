//! The same packs on every engine, and whether the engines agree.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tribunal::core::config::{Claim, PackEntry, When};
use tribunal::core::contract::parity::Difference;
use tribunal::core::contract::{Decision, Outcome, PackOutcome, parity};
use tribunal::core::dispatch::{Dispatcher, LoadedPack};
use tribunal::core::engine::Capability;
use tribunal::core::fault::fail_closed;
use tribunal::core::pack::{ReasonParity, TokenMode};
use tribunal::{Fault, FaultKind, LoadErrors, PolicyRequest, Tribunal};

/// Every engine, with the packs of a deployment on it.
pub(crate) struct Lineup(Vec<Contender>);

/// One engine with all packs it loads.
struct Contender {
    engine: &'static str,
    version: Option<String>,
    dispatcher: Dispatcher,
    /// The packs it does not load, by name.
    refused: BTreeMap<String, Refusal>,
}

/// Why a pack is not on an engine.
enum Refusal {
    /// It never said it would be: nothing to compare.
    Unsupported(String),
    /// It offers the engine, and the engine refuses it.
    Broken(LoadErrors),
}

/// How one engine answers a request, every claimed pack on that engine.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct EngineRow {
    /// The engine.
    pub(crate) engine: String,
    /// Its version, if this program was built with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    /// How the answer compares with what the deployment decides.
    pub(crate) status: Status,
    /// Why the engine is not asked, or what keeps it from answering.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
    /// Its answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) outcome: Option<Outcome>,
    /// In which respects the answer differs, by pack; `merged decision` for what is merged of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) differences: BTreeMap<String, Vec<Difference>>,
}

/// How an engine's answer compares with what the deployment decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// By the rules of each pack's `parity:`.
    Agrees,
    /// At least in one respect; also where one of the two fails.
    Differs,
    /// A claimed pack does not offer the engine: it is not asked.
    Unsupported,
}

impl EngineRow {
    /// Whether this engine disagrees.
    pub(crate) fn differs(&self) -> bool {
        self.status == Status::Differs
    }
}

/// What stands for the merged decision among the packs' names, none of which has a space.
const MERGED: &str = "merged decision";

impl Lineup {
    /// Loads packs on every engine; with a request, only those that may claim it.
    pub(crate) fn load(tribunal: &Tribunal, request: Option<&Value>) -> Self {
        let packs = tribunal.dispatcher().packs();
        let wanted: Vec<(&LoadedPack, &PackEntry)> = packs
            .iter()
            .map(AsRef::as_ref)
            .zip(&tribunal.deployment().packs)
            .filter(|(pack, _)| request.is_none_or(|request| pack.when().claims(request) != Claim::NotMine))
            .collect();
        let contender = |engine: &'static str| {
            let mut loaded = Vec::new();
            let mut refused = BTreeMap::new();
            for (pack, entry) in &wanted {
                match on_engine(tribunal, pack, entry, engine) {
                    Ok(pack) => loaded.push(pack),
                    Err(refusal) => {
                        refused.insert(pack.identity().pack.clone(), refusal);
                    }
                }
            }
            let version = tribunal.registry().get(engine).map(|factory| factory.info().version);
            Contender { engine, version, dispatcher: Dispatcher::new(tribunal.deployment(), loaded), refused }
        };
        Self(tribunal.registry().known().map(contender).collect())
    }

    /// Asks every engine, and compares its answer with the deployment's. `request` has its instant.
    pub(crate) fn compare(
        &self,
        tribunal: &Tribunal,
        request: &PolicyRequest,
        reference: &Outcome,
    ) -> Vec<EngineRow> {
        let packs = tribunal.dispatcher().packs();
        let payload = request.to_payload();
        let involved: Vec<&LoadedPack> = packs
            .iter()
            .map(AsRef::as_ref)
            .filter(|pack| pack.when().claims(&payload) != Claim::NotMine)
            .collect();
        self.0.iter().map(|contender| contender.answer(&involved, request, &payload, reference)).collect()
    }
}

impl Contender {
    fn answer(
        &self,
        involved: &[&LoadedPack],
        request: &PolicyRequest,
        payload: &Value,
        reference: &Outcome,
    ) -> EngineRow {
        let row = |status, detail, outcome, differences| EngineRow {
            engine: self.engine.to_owned(),
            version: self.version.clone(),
            status,
            detail,
            outcome,
            differences,
        };
        let refusals = || {
            involved
                .iter()
                .filter_map(|pack| Some((&pack.identity().pack, self.refused.get(&pack.identity().pack)?)))
        };
        let mut unsupported: Vec<&str> = Vec::new();
        let mut broken = BTreeMap::new();
        for (pack, refusal) in refusals() {
            match refusal {
                Refusal::Unsupported(why) if !unsupported.contains(&why.as_str()) => unsupported.push(why),
                Refusal::Unsupported(_) => {}
                Refusal::Broken(errors) => {
                    broken.insert(pack.clone(), errors.to_string());
                }
            }
        }
        if !broken.is_empty() {
            // The pack says that it runs on this engine, and does not: that is no agreement.
            let detail = broken.values().cloned().collect::<Vec<_>>().join("\n");
            let fault = Fault::new(FaultKind::NotLoaded, detail.clone());
            let outcome = Outcome {
                decision: fail_closed(&fault),
                fault: Some(fault),
                packs: Vec::new(),
                rounds: 0,
                now: reference.now,
                duration_ns: 0,
            };
            let differences = broken.into_keys().map(|pack| (pack, vec![Difference::Fault])).collect();
            return row(Status::Differs, Some(detail), Some(outcome), differences);
        }
        if !unsupported.is_empty() {
            return row(Status::Unsupported, Some(unsupported.join("; ")), None, BTreeMap::new());
        }
        let outcome = self.dispatcher.evaluate(request);
        let differences = differences(involved, payload, reference, &outcome);
        let status = if differences.is_empty() { Status::Agrees } else { Status::Differs };
        row(status, None, Some(outcome), differences)
    }
}

/// Loads a pack of a deployment on another engine, alone: a fallback or a shadow would answer in its place.
fn on_engine(
    tribunal: &Tribunal,
    pack: &LoadedPack,
    entry: &PackEntry,
    engine: &'static str,
) -> Result<LoadedPack, Refusal> {
    let source = pack.source();
    let Some(factory) = tribunal.registry().get(engine) else {
        return Err(Refusal::Unsupported(format!("`{engine}` is not built into this program")));
    };
    if !source.manifest.engines.contains_key(engine) {
        return Err(Refusal::Unsupported(source.not_offered(engine).message));
    }
    if source.manifest.token == TokenMode::Required && !factory.capabilities().has(Capability::Tokens) {
        let name = &source.manifest.name;
        return Err(Refusal::Unsupported(format!("pack `{name}` requires a token, and `{engine}` has none")));
    }
    let claims_all = *pack.when() == When::default();
    let entry = PackEntry {
        engine: engine.to_owned(),
        fallback: None,
        shadow: Vec::new(),
        when: if claims_all { Default::default() } else { entry.when.clone() },
        ..entry.clone()
    };
    let loaded = LoadedPack::load(source.clone(), &entry, tribunal.context(), tribunal.registry()).and_then(
        |loaded| {
            if pack.identity().data_digest.is_some() {
                loaded.with_data(pack.data().clone())
            } else {
                Ok(loaded)
            }
        },
    );
    loaded.map_err(|errors| {
        if errors.is_absence() { Refusal::Unsupported(errors.to_string()) } else { Refusal::Broken(errors) }
    })
}

/// Where an engine's answer differs from the deployment's, pack by pack and in what is merged of them.
fn differences(
    involved: &[&LoadedPack],
    payload: &Value,
    reference: &Outcome,
    other: &Outcome,
) -> BTreeMap<String, Vec<Difference>> {
    let mut found = BTreeMap::new();
    for pack in involved {
        let name = &pack.identity().pack;
        let of = |outcome: &Outcome| outcome.packs.iter().find(|pack| pack.identity.pack == *name).cloned();
        let differs = match (of(reference), of(other)) {
            (Some(a), Some(b)) => {
                parity::differences(payload, answer(&a), answer(&b), pack.source().manifest.parity.reasons)
            }
            (None, None) => Vec::new(),
            _ => vec![Difference::Fault],
        };
        if !differs.is_empty() {
            found.insert(name.clone(), differs);
        }
    }
    // The reasons have been compared as each pack wants it.
    let merged = parity::differences(payload, whole(reference), whole(other), ReasonParity::Ignored);
    if found.is_empty() && !merged.is_empty() {
        found.insert(MERGED.to_owned(), merged);
    }
    found
}

fn answer(pack: &PackOutcome) -> Result<&Decision, &Fault> {
    pack.fault.as_ref().map_or(Ok(&pack.decision), Err)
}

fn whole(outcome: &Outcome) -> Result<&Decision, &Fault> {
    outcome.fault.as_ref().map_or(Ok(&outcome.decision), Err)
}
