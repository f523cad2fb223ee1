//! The decision made of a matched policy, failed checks and answers.

use std::collections::BTreeSet;

use biscuit_auth::builder::{MapKey, Term};
use serde_json::Value;
use tribunal_engine_core::contract::decision::join_reasons;
use tribunal_engine_core::contract::{Decision, DecisionEffect, Patch, Pointer, StepUp};
use tribunal_engine_core::fault::{Fault, FaultKind};

use crate::program::Answers;

/// The operation of a patch that replaces a place by what stands in another of the prepared request: a head cannot take a
/// value out of `derived({…})`.
pub(crate) const REPLACE_FROM: &str = "replace_from";

/// The answers to one request, gathered.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// Effects, each with the statement it came from.
    pub(crate) effects: Vec<(DecisionEffect, usize)>,
    reasons: BTreeSet<String>,
    patches: Vec<Patch>,
    /// Places to be replaced, each with the place where what replaces it stands.
    copies: BTreeSet<(Pointer, Pointer)>,
    methods: BTreeSet<String>,
}

impl Gathered {
    /// Reads the terms of one answer.
    ///
    /// # Errors
    /// [`FaultKind::MalformedDecision`] for an effect nobody knows or a term of the wrong type,
    /// [`FaultKind::MalformedPatch`] for a patch that is no `replace`, `replace_from` or `remove` on a JSON pointer.
    pub(crate) fn add(&mut self, says: Answers, terms: &[Term], statement: usize) -> Result<(), Fault> {
        match (says, terms) {
            (Answers::Effect, [Term::Str(name)]) => {
                let effect = DecisionEffect::parse(name)
                    .ok_or_else(|| malformed(format!("`{name}` is not an effect")))?;
                self.effects.push((effect, statement));
            }
            (Answers::Reason, [Term::Str(reason)]) => {
                self.reasons.insert(reason.clone());
            }
            (Answers::StepUp, [Term::Str(method)]) => {
                self.methods.insert(method.clone());
            }
            (Answers::Patch, [Term::Str(op), Term::Str(path), value]) => {
                let pointer =
                    |text: &str| Pointer::parse(text).map_err(|error| malformed_patch(error.to_string()));
                let path = pointer(path)?;
                let patch = match (op.as_str(), value) {
                    (REPLACE_FROM, Term::Str(source)) => {
                        self.copies.insert((path, pointer(source)?));
                        return Ok(());
                    }
                    ("remove", Term::Null) => Patch::Remove { path },
                    ("replace", value) => Patch::Replace { value: json(value)?, path },
                    _ => {
                        return Err(malformed_patch(format!(
                            "the patch at `{path}` is neither a `replace`, nor a `replace_from` a pointer, nor a `remove` of `null`"
                        )));
                    }
                };
                if !self.patches.contains(&patch) {
                    self.patches.push(patch);
                }
            }
            _ => return Err(malformed("an answer has a term of the wrong type")),
        }
        Ok(())
    }

    /// The decision on a prepared request, where the policy and the checks alone came to `effect`, for these reasons.
    ///
    /// # Errors
    /// [`FaultKind::MalformedDecision`] for a `redact` without a patch, [`FaultKind::MalformedPatch`] for one that replaces
    /// by what is not there.
    pub(crate) fn decide(
        mut self,
        effect: DecisionEffect,
        reasons: impl IntoIterator<Item = String>,
        payload: &Value,
    ) -> Result<Decision, Fault> {
        let effect = self.effects.iter().map(|(effect, _)| *effect).fold(effect, Ord::max);
        self.reasons.extend(reasons);
        let mut decision =
            Decision { effect, reason: join_reasons(self.reasons), patches: Vec::new(), step_up: None };
        match effect {
            DecisionEffect::Redact => {
                for (path, source) in self.copies {
                    let value = source.get(payload).cloned().ok_or_else(|| {
                        malformed_patch(format!(
                            "the patch at `{path}` replaces by `{source}`, where nothing stands"
                        ))
                    })?;
                    let patch = Patch::Replace { path, value };
                    if !self.patches.contains(&patch) {
                        self.patches.push(patch);
                    }
                }
                // Rows come out of a hash table: sorted, they are the same each time.
                self.patches.sort_by_cached_key(|patch| match patch {
                    Patch::Replace { path, value } => (0, path.clone(), value.to_string()),
                    Patch::Remove { path } => (1, path.clone(), String::new()),
                });
                decision.patches = self.patches;
            }
            DecisionEffect::StepUp => {
                decision.step_up = self
                    .methods
                    .pop_first()
                    .map(|method| StepUp { method: Some(method), ..StepUp::default() });
            }
            DecisionEffect::Allow | DecisionEffect::Deny => {}
        }
        decision.well_formed()
    }
}

fn malformed(detail: impl Into<String>) -> Fault {
    Fault::new(FaultKind::MalformedDecision, detail)
}

fn malformed_patch(detail: impl Into<String>) -> Fault {
    Fault::new(FaultKind::MalformedPatch, detail)
}

/// A term as the value of a patch.
fn json(term: &Term) -> Result<Value, Fault> {
    match term {
        Term::Null => Ok(Value::Null),
        Term::Bool(boolean) => Ok(Value::Bool(*boolean)),
        Term::Integer(integer) => Ok(Value::from(*integer)),
        Term::Str(text) => Ok(Value::String(text.clone())),
        Term::Array(items) => items.iter().map(json).collect::<Result<_, _>>().map(Value::Array),
        Term::Map(members) => {
            let members = members.iter().map(|(key, value)| match key {
                MapKey::Str(name) => Ok((name.clone(), json(value)?)),
                MapKey::Integer(_) | MapKey::Parameter(_) => {
                    Err(malformed_patch("the members of a patch's object have no names"))
                }
            });
            members.collect::<Result<_, _>>().map(Value::Object)
        }
        Term::Date(_) | Term::Bytes(_) | Term::Set(_) | Term::Variable(_) | Term::Parameter(_) => {
            Err(malformed_patch("a patch's value is of a type that JSON does not have"))
        }
    }
}
