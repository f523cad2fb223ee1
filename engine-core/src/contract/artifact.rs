//! The `policy_decisions` artifact: what was decided about one step, for audit and monitoring systems.
//!
//! A record ([`super::record`]) lets a decision be reconstructed and holds what that takes. This document goes to others, so
//! it is made such that it can: of what a redaction took away it tells place and length, never the text and no digest of it
//! (one of a card number is as good as the number: somebody tries them all). Texts of the request appear only as previews of
//! a redacted request, which every claimed pack has seen and allowed; and from these, as from every other text, personal data
//! and credentials in the known forms are taken out, whichever packs were asked. It holds no time that was measured: the
//! same request, packs, data and instant give the same document.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::decision::{DecisionEffect, StepUp};
use super::outcome::{Outcome, PackIdentity, PackOutcome, Rules};
use super::patch::{self, Patch, Pointer};
use super::preview::{Extent, Preview};
use super::record::{RecordSettings, RecordedInput};
use super::request::PolicyRequest;
use super::screen::{is_clean, is_clean_under, screened};
use super::secrets::Secrets;
use crate::fault::FaultKind;

/// The version of the document's shape. Members may be added within a version.
pub const SCHEMA_VERSION: u32 = 1;

/// The most patches, rules and reasons that are listed each; what is left out is counted.
const MOST_LISTED: usize = 100;
/// The most reasons and previews among the samples.
const MOST_SAMPLES: usize = 8;
/// The most characters of any text.
const LONGEST_TEXT: usize = 512;
/// Of a longer text only the length is told: in what a cut leaves of a secret, the secret could not be recognised.
const LONGEST_READ: usize = 1 << 14;
/// Bounds on the trust metadata: levels, members or elements of one value.
const TRUST_DEPTH: usize = 4;
const TRUST_WIDTH: usize = 32;

/// What was decided about one step: the artifact of that name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyDecisions {
    /// Which artifact this is.
    pub artifact: ArtifactName,
    /// The version of this document's shape.
    pub schema_version: u32,
    /// How far the document itself may be trusted.
    pub metadata: ArtifactMetadata,
    /// Names this decision: a UUID of version 7 (RFC 9562), that of its record if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_id: Option<Uuid>,
    /// The run the request belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<Uuid>,
    /// The step the request belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_id: Option<Uuid>,
    /// The boundary the request crosses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<String>,
    /// The instant for which the request was decided (RFC 3339).
    #[schemars(with = "String")]
    pub now: Timestamp,
    /// What the request says in `context.trust` about its source, as far as it may be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_trust: Option<SourceTrust>,
    /// The merged effect.
    pub effect: DecisionEffect,
    /// Why, as the policies say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What a `step_up` asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_up: Option<StepUp>,
    /// The fault that kept any pack from being asked, or the decision from being written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultKind>,
    /// Each claimed pack's decision, in the deployment's order.
    pub packs: Vec<PackDecision>,
    /// Whether the patches below were applied: only a `redact` lets a changed request go ahead.
    pub applied: bool,
    /// The canonical changes between the request and its last redacted form; no more than a hundred.
    pub patches: Vec<PatchSummary>,
    /// How many of what.
    pub counts: Counts,
    /// A few reasons and changes to look at.
    pub samples: Samples,
}

/// The name of the artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ArtifactName {
    /// `policy_decisions`
    PolicyDecisions,
}

/// How far the document itself may be trusted. Always the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArtifactMetadata {
    /// It was made of what others said, by a party of its own.
    pub trust: ArtifactTrust,
    /// Who made it.
    pub source: ArtifactSource,
}

/// See [`ArtifactMetadata`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ArtifactTrust {
    /// `derived`
    Derived,
}

/// See [`ArtifactMetadata`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ArtifactSource {
    /// `policy firewall`
    #[serde(rename = "policy firewall")]
    PolicyFirewall,
}

/// What a request says about its source. Whatever its shape, it is bounded: four levels, 32 members each, 512 characters a
/// text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceTrust {
    /// Where the content comes from, if the request says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// How it came here, if the request says so, in whatever shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Value>,
    /// Whatever else the request says there.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// One pack's part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PackDecision {
    /// Which pack, on which engine.
    #[serde(flatten)]
    pub identity: PackIdentity,
    /// Whether a newer version of the pack could not be loaded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stale: bool,
    /// What the pack decided: the most severe of its rounds.
    pub effect: DecisionEffect,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What a `step_up` asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_up: Option<StepUp>,
    /// The fault behind a denial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultKind>,
    /// The rules or policies that determined it.
    pub rules: Rules,
    /// Where the pack wanted changes, over all rounds; without their values, which may hold what another pack took out.
    pub patches: Vec<PackPatch>,
}

/// Where a pack wanted a change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PackPatch {
    /// What is done.
    pub op: PatchOperation,
    /// Where.
    pub path: String,
}

/// What a patch does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the operations of RFC 6902 that a redaction may use")]
pub enum PatchOperation {
    Replace,
    Remove,
}

/// One change between the request and its redacted form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PatchSummary {
    /// What is done.
    pub op: PatchOperation,
    /// Where.
    pub path: String,
    /// What stood there: its type and length, and no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Extent>,
    /// What stands there afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Extent>,
    /// The value that was put there, if it was applied, is short and may be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// How many of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Packs that claimed the request.
    pub packs: usize,
    /// Packs by what they decided.
    pub effects: EffectCounts,
    /// What each pack did, by its name.
    pub by_pack: BTreeMap<String, PackCounts>,
    /// Canonical changes.
    pub patches: usize,
    /// How often the packs were asked.
    pub rounds: u32,
    /// Faults, one that kept any pack from being asked included.
    pub faults: usize,
    /// Packs of which a newer version could not be loaded.
    pub stale: usize,
}

/// Packs by what they decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the four effects")]
pub struct EffectCounts {
    pub allow: usize,
    pub redact: usize,
    pub step_up: usize,
    pub deny: usize,
}

/// What one pack did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PackCounts {
    /// Changes it wanted, over all rounds.
    pub patches: usize,
    /// How often it was asked.
    pub rounds: u32,
}

/// A few reasons and changes to look at: always the same ones of the same outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Samples {
    /// Distinct reasons, those of the most severe packs first.
    pub reasons: Vec<ReasonSample>,
    /// Distinct reasons that are not among them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_reasons: usize,
    /// The first changes that can be shown.
    pub previews: Vec<Preview>,
    /// Changes that are not among them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_previews: usize,
}

/// A reason, and who gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReasonSample {
    /// The reason.
    pub reason: String,
    /// The effect it was given for, the most severe one.
    pub effect: DecisionEffect,
    /// The packs that gave it.
    pub packs: Vec<String>,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl PolicyDecisions {
    /// The artifact of an outcome. `settings` are the deployment's words on what may be written down: what they mask does
    /// not appear, and with `input: digest` no text of the request does, trust metadata aside.
    pub fn new(request: &PolicyRequest, outcome: &Outcome, settings: &RecordSettings) -> Self {
        let payload = request.to_payload();
        let view = View::new(&payload, outcome, settings);
        let packs: Vec<PackDecision> = outcome.packs.iter().map(|pack| view.pack(pack)).collect();
        let decision = &outcome.decision;
        Self {
            artifact: ArtifactName::PolicyDecisions,
            schema_version: SCHEMA_VERSION,
            metadata: ArtifactMetadata {
                trust: ArtifactTrust::Derived,
                source: ArtifactSource::PolicyFirewall,
            },
            decision_id: None,
            run_id: request.run_id(),
            step_id: request.step_id(),
            boundary: payload.get("boundary").and_then(Value::as_str).map(|text| view.text(text)),
            now: outcome.now,
            source_trust: view.trust(),
            effect: decision.effect,
            reason: decision.reason.as_deref().map(|text| view.text(text)),
            step_up: decision.step_up.as_ref().map(|demand| view.step_up(demand)),
            fault: outcome.fault.as_ref().map(|fault| fault.kind),
            applied: view.applied,
            patches: decision.patches.iter().take(MOST_LISTED).map(|patch| view.patch(patch)).collect(),
            counts: counts(outcome),
            samples: view.samples(outcome),
            packs,
        }
    }
}

fn counts(outcome: &Outcome) -> Counts {
    let mut effects = EffectCounts::default();
    for pack in &outcome.packs {
        *match pack.decision.effect {
            DecisionEffect::Allow => &mut effects.allow,
            DecisionEffect::Redact => &mut effects.redact,
            DecisionEffect::StepUp => &mut effects.step_up,
            DecisionEffect::Deny => &mut effects.deny,
        } += 1;
    }
    let by_pack = outcome.packs.iter().map(|pack| {
        let counts = PackCounts { patches: pack.decision.patches.len(), rounds: pack.rounds };
        (pack.identity.pack.clone(), counts)
    });
    Counts {
        packs: outcome.packs.len(),
        effects,
        by_pack: by_pack.collect(),
        patches: outcome.decision.patches.len(),
        rounds: outcome.rounds,
        faults: outcome.packs.iter().filter(|pack| pack.fault.is_some()).count()
            + usize::from(outcome.fault.is_some()),
        stale: outcome.packs.iter().filter(|pack| pack.stale).count(),
    }
}

/// What of a request and its outcome may be told.
struct View<'a> {
    payload: &'a Value,
    /// The request after the patches, applied or not; what they were made to hide is gone from it.
    cleaned: Option<Value>,
    applied: bool,
    settings: &'a RecordSettings,
    secrets: Secrets,
}

impl<'a> View<'a> {
    fn new(payload: &'a Value, outcome: &Outcome, settings: &'a RecordSettings) -> Self {
        let patches = &outcome.decision.patches;
        let before = patches.iter().filter_map(|patch| patch.path().get(payload));
        let after = patches.iter().filter_map(|patch| match patch {
            Patch::Replace { value, .. } => Some(value),
            Patch::Remove { .. } => None,
        });
        let masked = settings.mask.iter().filter_map(|place| place.get(payload));
        Self {
            payload,
            cleaned: patch::apply(patches, payload).ok(),
            applied: outcome.decision.effect == DecisionEffect::Redact,
            settings,
            secrets: Secrets::of(masked).and_gone(before, after),
        }
    }

    /// A text that others chose, without what it must not repeat, and bounded.
    fn text(&self, text: &str) -> String {
        if text.chars().nth(LONGEST_READ).is_some() {
            return format!("[{} characters]", text.chars().count());
        }
        // Before it is cut: in half a number nobody recognises the whole.
        cut(&screened(&self.secrets.conceal(text)))
    }

    fn step_up(&self, demand: &StepUp) -> StepUp {
        StepUp {
            method: demand.method.as_deref().map(|text| self.text(text)),
            acr: demand.acr.as_deref().map(|text| self.text(text)),
            amr: demand.amr.iter().take(MOST_LISTED).map(|text| self.text(text)).collect(),
        }
    }

    fn pack(&self, pack: &PackOutcome) -> PackDecision {
        let patches: BTreeSet<PackPatch> = pack
            .decision
            .patches
            .iter()
            .map(|patch| PackPatch { op: operation(patch), path: self.path(patch.path()) })
            .collect();
        PackDecision {
            identity: (*pack.identity).clone(),
            stale: pack.stale,
            effect: pack.decision.effect,
            reason: pack.decision.reason.as_deref().map(|text| self.text(text)),
            step_up: pack.decision.step_up.as_ref().map(|demand| self.step_up(demand)),
            fault: pack.fault.as_ref().map(|fault| fault.kind),
            rules: match &pack.rules {
                Rules::Determined(names) => {
                    Rules::determined(names.iter().take(MOST_LISTED).map(|name| self.text(name)))
                }
                Rules::Unavailable(word) => Rules::Unavailable(*word),
            },
            patches: patches.into_iter().take(MOST_LISTED).collect(),
        }
    }

    /// A place, whose tokens may be names that the request chose.
    fn path(&self, place: &Pointer) -> String {
        Pointer::from_tokens(place.tokens().iter().map(|token| self.text(token))).to_string()
    }

    /// Whether texts may be told of a place: the request went ahead with what stands there now, and nobody forbids it.
    fn tells(&self, place: &Pointer) -> bool {
        let masks = |mask: &Pointer| mask.contains(place) || place.contains(mask);
        self.applied && self.settings.input == RecordedInput::Full && !self.settings.mask.iter().any(masks)
    }

    fn patch(&self, patch: &Patch) -> PatchSummary {
        let place = patch.path();
        let value = match patch {
            Patch::Replace { value, .. } => Some(value),
            Patch::Remove { .. } => None,
        };
        // Neither the value nor a digest of it, where something in it is not to be told, or nobody has looked.
        let told = value.filter(|_| self.tells(place)).filter(|value| {
            let text = value.to_string();
            text.chars().nth(LONGEST_READ).is_none()
                && self.secrets.spare(&text)
                && is_clean(&text)
                && is_clean_under(name_of(place), &text)
        });
        let is_short = |value: &&Value| value.to_string().chars().nth(LONGEST_TEXT).is_none();
        PatchSummary {
            op: operation(patch),
            path: self.path(place),
            before: place.get(self.payload).map(Extent::of),
            after: told.map(Extent::with_digest).or_else(|| value.map(Extent::of)),
            value: told.filter(is_short).cloned(),
        }
    }

    fn samples(&self, outcome: &Outcome) -> Samples {
        let mut reasons: Vec<ReasonSample> = Vec::new();
        let mut packs: Vec<&PackOutcome> = outcome.packs.iter().collect();
        packs.sort_by_key(|pack| std::cmp::Reverse(pack.decision.effect));
        let given = packs.iter().flat_map(|pack| {
            // A pack joins its reasons as packs' own are joined.
            let reasons = pack.decision.reason.iter().flat_map(|reason| reason.split("; "));
            reasons.map(|reason| (reason, pack.decision.effect, Some(&pack.identity.pack)))
        });
        let unasked = outcome.decision.reason.as_deref().filter(|_| outcome.packs.is_empty());
        for (reason, effect, pack) in
            given.chain(unasked.into_iter().map(|reason| (reason, outcome.decision.effect, None)))
        {
            let reason = self.text(reason);
            let known = reasons.iter_mut().find(|sample| sample.reason == reason);
            match known {
                Some(sample) => sample.packs.extend(pack.cloned()),
                None => {
                    reasons.push(ReasonSample { reason, effect, packs: pack.cloned().into_iter().collect() })
                }
            }
            if reasons.len() > MOST_LISTED {
                break;
            }
        }
        let more_reasons = reasons.len().saturating_sub(MOST_SAMPLES);
        reasons.truncate(MOST_SAMPLES);
        let patches = &outcome.decision.patches;
        let previews: Vec<Preview> =
            patches.iter().take(MOST_SAMPLES).map(|patch| self.preview(patch)).collect();
        Samples { reasons, more_reasons, more_previews: patches.len() - previews.len(), previews }
    }

    fn preview(&self, patch: &Patch) -> Preview {
        let place = patch.path();
        let shown = match (patch, place.get(self.payload)) {
            (Patch::Replace { value: Value::String(after), .. }, Some(before))
                if self.tells(place)
                    && after.chars().nth(LONGEST_READ).is_none()
                    && is_clean_under(name_of(place), &screened(after)) =>
            {
                // The whole of it is looked through: the part that is shown may begin in the middle of a secret.
                let after = screened(&self.secrets.conceal(after));
                Preview::text_of(before, &Value::String(after)).map(|text| cut(&text))
            }
            _ => None,
        };
        Preview { path: self.path(place), shown }
    }

    /// What the cleaned request says about its source.
    fn trust(&self) -> Option<SourceTrust> {
        let mut cleaned = self.cleaned.clone()?;
        for mask in &self.settings.mask {
            if let Some(value) = cleaned.pointer_mut(&mask.to_string()) {
                *value = Value::String(super::record::MASKED.to_owned());
            }
        }
        match cleaned.pointer("/context/trust")? {
            Value::Object(members) => {
                let mut more = Map::new();
                for (name, value) in members.iter().take(TRUST_WIDTH) {
                    let name = self.text(name);
                    let value = self.bounded(&name, value, TRUST_DEPTH);
                    more.insert(name, value);
                }
                let origin = match more.remove("origin") {
                    Some(Value::String(origin)) => Some(origin),
                    Some(other) => Some(cut(&other.to_string())),
                    None => None,
                };
                Some(SourceTrust { origin, provenance: more.remove("provenance"), more })
            }
            // One word for all there is to say, as `untrusted`.
            other => {
                let name = "trust".to_owned();
                let value = self.bounded(&name, other, TRUST_DEPTH);
                let more = Map::from_iter([(name, value)]);
                Some(SourceTrust { origin: None, provenance: None, more })
            }
        }
    }

    /// A value that stands under a name, also as an element of a list.
    fn bounded(&self, name: &str, value: &Value, depth: usize) -> Value {
        let masked = || Value::String(super::record::MASKED.to_owned());
        match value {
            Value::String(text) => {
                let text = self.text(text);
                if is_clean_under(name, &text) { Value::String(text) } else { masked() }
            }
            Value::Array(_) | Value::Object(_) if depth == 0 => Value::String("…".to_owned()),
            Value::Array(items) => {
                items.iter().take(TRUST_WIDTH).map(|item| self.bounded(name, item, depth - 1)).collect()
            }
            Value::Object(members) => {
                let bounded = |(name, value): (&String, &Value)| {
                    let name = self.text(name);
                    let value = self.bounded(&name, value, depth - 1);
                    (name, value)
                };
                members.iter().take(TRUST_WIDTH).map(bounded).collect()
            }
            Value::Number(number) => {
                let text = number.to_string();
                if self.secrets.spare(&text) && is_clean_under(name, &text) {
                    value.clone()
                } else {
                    masked()
                }
            }
            other => other.clone(),
        }
    }
}

fn operation(patch: &Patch) -> PatchOperation {
    match patch {
        Patch::Replace { .. } => PatchOperation::Replace,
        Patch::Remove { .. } => PatchOperation::Remove,
    }
}

/// The name under which a value stands.
fn name_of(place: &Pointer) -> &str {
    place.tokens().last().map_or("", String::as_str)
}

/// No more than [`LONGEST_TEXT`] characters.
fn cut(text: &str) -> String {
    if text.chars().nth(LONGEST_TEXT).is_none() {
        return text.to_owned();
    }
    text.chars().take(LONGEST_TEXT).chain(['…']).collect()
}
