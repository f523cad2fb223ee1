//! The loaded engine.

use std::sync::Arc;

use cedar_policy_core::evaluator::Evaluator;
use cedar_policy_core::extensions::Extensions;
use serde_json::Value;
use tribunal_engine_core::contract::decision::join_reasons;
use tribunal_engine_core::contract::{Decision, DecisionEffect, Patch, Rules, StepUp};
use tribunal_engine_core::engine::{Engine, Explanation, LoadErrors, Prepared, RuleTrace, Verdict};
use tribunal_engine_core::fault::{Fault, FaultKind, LimitKind};

use crate::annotations::{Kind, Reason, Replacement};
use crate::entities::StaticEntities;
use crate::load::PackData;
use crate::policies::{Policies, Rule, RuleSet, Which};
use crate::request;
use crate::schema::RequestTypes;

/// A pack loaded on Cedar.
#[derive(Debug, Clone)]
pub(crate) struct CedarEngine {
    pub(crate) policies: Arc<Policies>,
    pub(crate) types: Arc<RequestTypes>,
    pub(crate) data: Arc<PackData>,
    pub(crate) statics: Arc<StaticEntities>,
    /// Bytes that a decision may have.
    pub(crate) output: Option<u64>,
}

/// What one set of policies came to.
pub(crate) struct Ran<'p> {
    pub(crate) evaluated: Vec<&'p Rule>,
    pub(crate) satisfied: Vec<&'p Rule>,
}

/// An evaluation with everything that ran.
pub(crate) struct Run<'p> {
    pub(crate) verdict: Verdict,
    hard: Ran<'p>,
    /// `None` if the first set did not allow.
    soft: Option<Ran<'p>>,
}

impl Engine for CedarEngine {
    fn decide(&self, request: &Prepared<'_>) -> Result<Verdict, Fault> {
        Ok(self.run(request)?.verdict)
    }

    fn explain(&self, request: &Prepared<'_>) -> Result<Explanation, Fault> {
        let Run { verdict, hard, soft } = self.run(request)?;
        let determined = match &verdict.rules {
            Rules::Determined(ids) => ids.as_slice(),
            Rules::Unavailable(_) => &[],
        };
        let mut trace: Vec<RuleTrace> = Vec::new();
        for ran in [Some(&hard), soft.as_ref()].into_iter().flatten() {
            for rule in &ran.evaluated {
                let matched = ran.satisfied.iter().any(|satisfied| std::ptr::eq(*satisfied, *rule));
                let note = match (matched, determined.contains(&rule.id)) {
                    (true, true) => "determined the decision",
                    (true, false) => "matched",
                    (false, _) => "did not match",
                };
                trace.push(RuleTrace {
                    rule: rule.id.clone(),
                    location: Some(rule.location.clone()),
                    note: note.to_owned(),
                    came_true: Some(matched),
                });
            }
        }
        trace.sort_by(|a, b| a.location.cmp(&b.location));
        let mut notes = Vec::new();
        let all = self.policies.hard.rules.len() + self.policies.soft.rules.len();
        if soft.is_none() && !self.policies.soft.rules.is_empty() {
            notes.push(
                "policies with `@effect` or `@redact` were not asked, since the others did not allow"
                    .to_owned(),
            );
        } else if trace.len() < all {
            notes.push(format!(
                "{} of {all} policies were not evaluated: their scopes name others",
                all - trace.len()
            ));
        }
        Ok(Explanation { verdict, trace, notes })
    }

    fn with_data(&self, data: Arc<Value>) -> Result<Arc<dyn Engine>, LoadErrors> {
        let mut statics = StaticEntities::clone(&self.statics);
        self.data.put(&data, &mut statics)?;
        Ok(Arc::new(Self { statics: Arc::new(statics), ..self.clone() }))
    }
}

impl CedarEngine {
    fn run(&self, prepared: &Prepared<'_>) -> Result<Run<'_>, Fault> {
        self.run_in(prepared, |_| {})
    }

    /// An evaluation, `lap` being told of the end of each stage.
    pub(crate) fn run_in(
        &self,
        prepared: &Prepared<'_>,
        mut lap: impl FnMut(&'static str),
    ) -> Result<Run<'_>, Fault> {
        let asked = request::convert(prepared, &self.types, &self.statics)?;
        lap("convert");
        let candidates =
            |set: &RuleSet| set.index.candidates(&asked.principal, &asked.action, &asked.resource);
        let (hard, soft) = (candidates(&self.policies.hard), candidates(&self.policies.soft));
        let literals = [(&self.policies.hard, &hard), (&self.policies.soft, &soft)]
            .into_iter()
            .flat_map(|(set, positions)| positions.iter().filter_map(|position| set.get(*position)))
            .flat_map(|rule| &rule.literals);
        // The action itself is looked into by every `action in`.
        let store = self.statics.store(asked.entities, literals.chain([&asked.action]))?;
        let evaluator = Evaluator::new(asked.request, &store, Extensions::all_available());
        lap("find policies and entities");

        let run = self.conclude(prepared.payload(), |which| match which {
            Which::Hard => self.policies.hard.run(&hard, &evaluator),
            Which::Soft => self.policies.soft.run(&soft, &evaluator),
        });
        lap("evaluate");
        run
    }

    /// The decision that matching policies make, whoever found out which those are.
    pub(crate) fn conclude<'p>(
        &'p self,
        payload: &Value,
        mut ask: impl FnMut(Which) -> Result<Ran<'p>, Fault>,
    ) -> Result<Run<'p>, Fault> {
        let hard = ask(Which::Hard)?;
        let forbids = of_kind(&hard.satisfied, |kind| matches!(kind, Kind::Forbid));
        let permits = of_kind(&hard.satisfied, |kind| matches!(kind, Kind::Permit));
        if !forbids.is_empty() || permits.is_empty() {
            let decision = decision(DecisionEffect::Deny, &forbids, payload)?;
            let verdict = self.verdict(decision, &forbids, hard.evaluated.len())?;
            return Ok(Run { verdict, hard, soft: None });
        }

        let soft = ask(Which::Soft)?;
        let count = hard.evaluated.len() + soft.evaluated.len();
        let step_ups = of_kind(&soft.satisfied, |kind| matches!(kind, Kind::StepUp { .. }));
        let redactions = of_kind(&soft.satisfied, |kind| matches!(kind, Kind::Redact { .. }));
        let verdict = if !step_ups.is_empty() {
            let method = step_ups.iter().find_map(|rule| match &rule.kind {
                Kind::StepUp { method } => method.clone(),
                _ => None,
            });
            let step_up = method.map(|method| StepUp { method: Some(method), ..StepUp::default() });
            let decision = Decision { step_up, ..decision(DecisionEffect::StepUp, &step_ups, payload)? };
            self.verdict(decision, &step_ups, count)?
        } else if !redactions.is_empty() {
            let patches = patches(&redactions, payload)?;
            let decision = Decision { patches, ..decision(DecisionEffect::Redact, &redactions, payload)? };
            self.verdict(decision, &redactions, count)?
        } else {
            self.verdict(decision(DecisionEffect::Allow, &permits, payload)?, &permits, count)?
        };
        Ok(Run { verdict, hard, soft: Some(soft) })
    }

    /// A decision with the policies that determined it.
    fn verdict(&self, decision: Decision, rules: &[&Rule], evaluated: usize) -> Result<Verdict, Fault> {
        let decision = decision.well_formed()?;
        if let Some(limit) = self.output {
            let size = serde_json::to_vec(&decision)
                .map_err(|error| Fault::new(FaultKind::MalformedDecision, error.to_string()))?
                .len();
            if size as u64 > limit {
                let detail = format!("the decision has {size} bytes, more than {limit}");
                return Err(Fault::new(FaultKind::Limit(LimitKind::Output), detail));
            }
        }
        Ok(Verdict {
            decision,
            rules: Rules::determined(rules.iter().map(|rule| rule.id.clone())),
            rules_evaluated: Some(evaluated as u64),
        })
    }
}

impl RuleSet {
    /// Evaluates policies by position.
    ///
    /// # Errors
    /// [`FaultKind::EvaluationError`] if any failed: Cedar would skip it, and a skipped forbid allows what it forbids.
    fn run(&self, positions: &[usize], evaluator: &Evaluator<'_>) -> Result<Ran<'_>, Fault> {
        let evaluated = self.index.evaluate(positions, evaluator);
        if !evaluated.errors.is_empty() {
            let failed =
                evaluated.errors.iter().filter_map(|(position, error)| Some((self.get(*position)?, error)));
            let details: Vec<String> =
                failed.map(|(rule, error)| format!("`{}` at {}: {error}", rule.id, rule.location)).collect();
            return Err(Fault::new(FaultKind::EvaluationError, details.join("; ")));
        }
        let rules =
            |positions: &[usize]| positions.iter().filter_map(|position| self.get(*position)).collect();
        Ok(Ran { evaluated: rules(positions), satisfied: rules(&evaluated.satisfied) })
    }
}

fn of_kind<'p>(rules: &[&'p Rule], is: impl Fn(&Kind) -> bool) -> Vec<&'p Rule> {
    rules.iter().copied().filter(|rule| is(&rule.kind)).collect()
}

/// A decision with its reasons, and with nothing else yet.
fn decision(effect: DecisionEffect, rules: &[&Rule], payload: &Value) -> Result<Decision, Fault> {
    let mut reasons = Vec::new();
    for rule in rules {
        match &rule.reason {
            None => {}
            Some(Reason::Text(text)) => reasons.push(text.clone()),
            Some(Reason::From(source)) => {
                let texts = source.get(payload).and_then(texts).ok_or_else(|| {
                    let detail = format!(
                        "`{}` at {} takes its reason from `{source}`, where neither a text nor a list of texts stands",
                        rule.id, rule.location
                    );
                    Fault::new(FaultKind::MalformedDecision, detail)
                })?;
                reasons.extend(texts);
            }
        }
    }
    Ok(Decision { effect, reason: join_reasons(reasons), patches: Vec::new(), step_up: None })
}

/// A text, or the texts of a list that holds nothing else.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// The patches of all matching redactions, in the order of the text, equal ones once.
fn patches(redactions: &[&Rule], payload: &Value) -> Result<Vec<Patch>, Fault> {
    let mut patches: Vec<Patch> = Vec::new();
    for rule in redactions {
        let Kind::Redact { places, replacement } = &rule.kind else { continue };
        for path in places.iter().cloned() {
            let patch = match replacement {
                Replacement::Nothing => Patch::Remove { path },
                Replacement::Text(text) => Patch::Replace { path, value: Value::String(text.clone()) },
                Replacement::From(source) => match source.get(payload) {
                    Some(value) => Patch::Replace { path, value: value.clone() },
                    None => {
                        let detail = format!(
                            "`{}` at {} replaces by `{source}`, where nothing stands",
                            rule.id, rule.location
                        );
                        return Err(Fault::new(FaultKind::MalformedPatch, detail));
                    }
                },
            };
            if !patches.contains(&patch) {
                patches.push(patch);
            }
        }
    }
    Ok(patches)
}
