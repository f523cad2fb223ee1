//! What the `cedar` command needs to be asked what this engine is asked: a comparison with Cedar's own reading of policies,
//! entities and requests, and its own order of evaluation.
//!
//! The policies go as the files have them, one set at a time, each with its id. A request goes as this engine converts it,
//! for how requests become Cedar's is Tribunal's and not Cedar's; from there on everything is the command's. What matching
//! policies mean is read off their annotations, as in this engine.

use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy_core::ast::Entity;
use serde_json::{Value, json};
use tribunal_engine_core::engine::{LoadContext, LoadError, LoadErrorKind, LoadErrors, Prepared, Verdict};
use tribunal_engine_core::fault::{Fault, FaultKind};
use tribunal_engine_core::pack::PackSource;

pub use crate::policies::Which;

use crate::annotations::Kind;
use crate::decide::{CedarEngine, Ran};
use crate::entities::StaticEntities;
use crate::policies::{self, Read, Rule};
use crate::{request, schema};

/// A pack as the command takes it.
#[derive(Debug, Clone)]
pub struct Reference {
    engine: CedarEngine,
    schema: String,
    hard: String,
    soft: String,
}

/// One request as the command takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Principal, action, resource and context.
    pub request: Value,
    /// Every entity: the pack's, its data, and the request's own.
    pub entities: Value,
}

/// What the command answers about one set of policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whether it allows.
    pub allows: bool,
    /// The ids of the policies that this is due to.
    pub policies: BTreeSet<String>,
}

impl Reference {
    /// Reads a pack as this engine does.
    ///
    /// # Errors
    /// Whatever this engine refuses; and ids with line breaks in them, which the command's answer could not tell apart.
    pub fn read(pack: &PackSource) -> Result<Self, LoadErrors> {
        let engine = CedarEngine::load(pack, &LoadContext::default())?;
        let mut errors = Vec::new();
        let (mut hard, mut soft) = (String::new(), String::new());
        for Read { policy, rule: Rule { id, kind, location, .. }, text, start, end, .. } in
            policies::parse(pack, &mut errors)
        {
            if id.contains(['\n', '\r']) {
                let message =
                    format!("the id {id:?} has a line break, which the command's answer cannot show");
                errors.push(LoadError::new(LoadErrorKind::Unsupported, message).at(location));
            }
            let set = if matches!(kind, Kind::Permit | Kind::Forbid) { &mut hard } else { &mut soft };
            if policy.annotation("id").is_none() {
                set.push_str(&format!("@id(\"{id}\")\n"));
            }
            set.push_str(text.get(start..end).map_or("", |policy| policy));
            set.push('\n');
        }
        LoadErrors::check(errors)?;
        let schema = pack.text(schema::FILE)?.to_owned();
        Ok(Self { engine, schema, hard, soft })
    }

    /// The same over other data.
    ///
    /// # Errors
    /// Why the data cannot be used.
    pub fn with_data(&self, data: &Value) -> Result<Self, LoadErrors> {
        let mut statics = StaticEntities::clone(&self.engine.statics);
        self.engine.data.put(data, &mut statics)?;
        let engine = CedarEngine { statics: Arc::new(statics), ..self.engine.clone() };
        Ok(Self { engine, ..self.clone() })
    }

    /// The text of the schema.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// The text of one set of policies.
    pub fn policies(&self, which: Which) -> &str {
        match which {
            Which::Hard => &self.hard,
            Which::Soft => &self.soft,
        }
    }

    /// A request as the command takes it.
    ///
    /// # Errors
    /// As this engine's own: what the schema has no place for.
    pub fn question(&self, prepared: &Prepared<'_>) -> Result<Question, Fault> {
        let asked = request::convert(prepared, &self.engine.types, &self.engine.statics)?;
        let unsaid = |error: &dyn std::fmt::Display| {
            Fault::new(FaultKind::Unrepresentable, format!("the reference cannot be told this: {error}"))
        };
        let own = asked.entities.iter().map(Arc::as_ref);
        let others = self.engine.statics.iter().filter(|entity| {
            // Actions stand in the schema.
            !entity.uid().is_action() && own.clone().all(|own| own.uid() != entity.uid())
        });
        let entities = own.clone().chain(others).map(Entity::to_json_value);
        let entities = entities.collect::<Result<Vec<_>, _>>().map_err(|error| unsaid(&error))?;
        let context = match asked.request.context() {
            Some(context) => context.to_json_value().map_err(|error| unsaid(&error))?,
            None => json!({}),
        };
        let request = json!({
            "principal": asked.principal.to_string(),
            "action": asked.action.to_string(),
            "resource": asked.resource.to_string(),
            "context": context,
        });
        Ok(Question { request, entities: Value::Array(entities) })
    }

    /// The decision that the command's answers make. `ask` is called for the hard policies, and for the soft ones if those
    /// allow and there are any.
    ///
    /// # Errors
    /// Those of `ask`; [`FaultKind::AbiViolation`] for an answer that names policies which could not have led to it.
    pub fn verdict(
        &self,
        prepared: &Prepared<'_>,
        mut ask: impl FnMut(Which) -> Result<Answer, Fault>,
    ) -> Result<Verdict, Fault> {
        let run = self.engine.conclude(prepared.payload(), |which| {
            let rules = &self.engine.policies.set(which).rules;
            if rules.is_empty() {
                return Ok(Ran { evaluated: Vec::new(), satisfied: Vec::new() });
            }
            let Answer { allows, policies } = ask(which)?;
            let satisfied: Vec<&Rule> = rules.iter().filter(|rule| policies.contains(&rule.id)).collect();
            let permit = |rule: &&Rule| matches!(rule.kind, Kind::Permit);
            let is_sound = satisfied.len() == policies.len()
                && if allows {
                    !satisfied.is_empty() && satisfied.iter().all(permit)
                } else {
                    !satisfied.iter().any(permit)
                };
            if !is_sound {
                let answer = if allows { "allows" } else { "denies" };
                let detail = format!("the command {answer} because of {policies:?}, which cannot be");
                return Err(Fault::new(FaultKind::AbiViolation, detail));
            }
            Ok(Ran { evaluated: Vec::new(), satisfied })
        })?;
        Ok(Verdict { rules_evaluated: None, ..run.verdict })
    }
}
