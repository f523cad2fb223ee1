//! Laws that every engine is held to by itself, so that a pack with a single engine is looked at too.
//!
//! | law | says |
//! |---|---|
//! | `irrelevant_member` | a member that the schema allows and no rule reads changes nothing |
//! | `key_order` | the order of members in the request's text changes nothing |
//! | `data_order` | the order of members in the data's text changes nothing |
//! | `add_deny` | a statement that refuses, added to the policy, never leads to a milder decision |
//! | `merge_with_itself` | the pack beside itself decides as it does alone |

use std::sync::Arc;

use serde_json::{Map, Value};
use tribunal::core::config::{Deployment, PackEntry};
use tribunal::core::contract::{Decision, DecisionEffect, PolicyRequest};
use tribunal::core::dispatch::Dispatcher;
use tribunal::core::engine::{LoadContext, Mutation, Registry};
use tribunal::core::pack::PackSource;
use tribunal::core::pack::source::DATA;

use super::answer;
use super::lineup::{self, Contestant};
use super::report::{BrokenLaw, LawResult};
use crate::runner::Runner;
use crate::search::{Answer, Panel, Question, Reply};

/// The name of a member that no policy has heard of.
const UNHEARD_OF: &str = "x_tribunal_irrelevant";

/// Puts every law to one engine, on these questions. `participant` is its place in the report.
pub fn hold(
    contestant: &Contestant,
    engine: &str,
    participant: usize,
    questions: &[Question],
    context: &LoadContext,
    registry: &Registry,
) -> Vec<LawResult> {
    let Ok((runner, _)) = lineup::load(contestant, engine, context, registry) else { return Vec::new() };
    let hearing = Hearing {
        contestant,
        engine,
        participant,
        questions,
        context,
        registry,
        panel: Panel::new([(engine.to_owned(), false, runner)]),
    };
    vec![
        hearing.irrelevant_member(),
        hearing.key_order(),
        hearing.data_order(),
        hearing.add_deny(),
        hearing.merge_with_itself(),
    ]
}

/// One engine, and what it is asked.
struct Hearing<'h> {
    contestant: &'h Contestant,
    engine: &'h str,
    participant: usize,
    questions: &'h [Question],
    context: &'h LoadContext,
    registry: &'h Registry,
    panel: Panel,
}

/// What a law compares: the answer to a question before and after a change.
enum Trial {
    /// The question is none for this law.
    Beside,
    Kept,
    Broken(Box<BrokenLaw>),
}

impl Hearing<'_> {
    fn result(&self, law: &str, says: &str, mut trial: impl FnMut(&Question) -> Trial) -> LawResult {
        let mut result = LawResult {
            law: law.to_owned(),
            says: says.to_owned(),
            participant: self.participant,
            tried: 0,
            broken: None,
            skipped: None,
        };
        for question in self.questions {
            match trial(question) {
                Trial::Beside => continue,
                Trial::Kept => result.tried += 1,
                Trial::Broken(broken) => {
                    result.tried += 1;
                    result.broken = Some(*broken);
                    break;
                }
            }
        }
        if result.tried == 0 {
            result.skipped = Some("no request for it".to_owned());
        }
        result
    }

    fn skipped(&self, law: &str, says: &str, why: impl Into<String>) -> LawResult {
        LawResult {
            law: law.to_owned(),
            says: says.to_owned(),
            participant: self.participant,
            tried: 0,
            broken: None,
            skipped: Some(why.into()),
        }
    }

    /// The answer to a question; `None` where the host refuses it.
    fn ask(&self, panel: &Panel, question: &Question) -> Option<Answer> {
        match panel.ask(question, None) {
            Reply::HostRefused(_) => None,
            Reply::Answered(mut answers) => answers.pop(),
        }
    }

    fn same(&self, question: &Question, before: Answer, after: Answer, change: &str) -> Trial {
        let answers = [before, after];
        if self.panel.differences(question, &answers).is_empty() {
            return Trial::Kept;
        }
        let [before, after] = answers;
        broken(question, change, &before, &after)
    }

    fn irrelevant_member(&self) -> LawResult {
        let says = "a member that the schema allows and no rule reads changes nothing";
        self.result("irrelevant_member", says, |question| {
            let Some(before) = self.ask(&self.panel, question) else { return Trial::Beside };
            // What the redaction leaves differs by that very member.
            if before.decision.effect == DecisionEffect::Redact {
                return Trial::Beside;
            }
            let mut is_taken = false;
            for place in ["", "/context", "/subject/properties", "/resource/properties"] {
                let mut changed = question.clone();
                let Some(Value::Object(members)) = changed.request.pointer_mut(place) else { continue };
                members.insert(UNHEARD_OF.to_owned(), Value::from(1));
                // A closed schema refuses it: then it is not irrelevant.
                let Some(after) = self.ask(&self.panel, &changed) else { continue };
                is_taken = true;
                let change = format!("`{place}/{UNHEARD_OF}` added");
                if let Trial::Broken(broken) = self.same(question, before.clone(), after, &change) {
                    return Trial::Broken(broken);
                }
            }
            if is_taken { Trial::Kept } else { Trial::Beside }
        })
    }

    fn key_order(&self) -> LawResult {
        let says = "the order of members in the request's text changes nothing";
        self.result("key_order", says, |question| {
            let Some(member) = self.panel.members().first() else { return Trial::Beside };
            // What the host refuses, the engine never reads.
            if self.ask(&self.panel, question).is_none() {
                return Trial::Beside;
            }
            let ask = |text: String| {
                let request = PolicyRequest::from_slice(text.as_bytes()).ok()?.at(question.now);
                let request = match &question.token {
                    Some(token) => request.with_token(token.clone()),
                    None => request,
                };
                let outcome = member.runner().dispatcher().evaluate(&request);
                let pack = outcome.packs.first();
                Some(Answer {
                    decision: outcome.decision.clone(),
                    fault: outcome.fault.clone().or_else(|| pack.and_then(|pack| pack.fault.clone())),
                    rules: pack
                        .map(|pack| pack.rules.clone())
                        .unwrap_or(tribunal::core::contract::Rules::UNAVAILABLE),
                })
            };
            let both = ask(question.request.to_string()).zip(ask(backwards(&question.request)));
            let Some((before, after)) = both else { return Trial::Beside };
            self.same(question, before, after, "members written in the opposite order")
        })
    }

    fn data_order(&self) -> LawResult {
        let says = "the order of members in the data's text changes nothing";
        let source = &self.contestant.source;
        let reordered = backwards(&source.data);
        let Some(file) = source.files.get(DATA) else {
            return self.skipped("data_order", says, "the pack has no data");
        };
        if file.as_ref() == reordered.as_bytes() {
            return self.skipped("data_order", says, "the data has one member");
        }
        match self.with_files(&[(DATA.to_owned(), reordered.into_bytes())]) {
            Ok(other) => self.result("data_order", says, |question| {
                match self.ask(&self.panel, question).zip(self.ask(&other, question)) {
                    Some((before, after)) => {
                        self.same(question, before, after, "data written in the opposite order")
                    }
                    None => Trial::Beside,
                }
            }),
            Err(why) => self.skipped("data_order", says, why),
        }
    }

    fn add_deny(&self) -> LawResult {
        let says = "a statement that refuses, added to the policy, never leads to a milder decision";
        let mutants = self.registry.get(self.engine).map(|factory| factory.mutants(&self.contestant.source));
        let mutants = match mutants {
            Some(Ok(mutants)) => mutants,
            Some(Err(errors)) => return self.skipped("add_deny", says, errors.to_string()),
            None => return self.skipped("add_deny", says, "the engine is not built in"),
        };
        let mut refusing = Vec::new();
        for mutant in mutants.into_iter().filter(|mutant| mutant.mutation == Mutation::AddDeny) {
            let files: Vec<_> =
                mutant.files.iter().map(|(path, bytes)| (path.clone(), bytes.to_vec())).collect();
            match self.with_files(&files) {
                Ok(panel) => refusing.push((mutant.to_string(), panel)),
                Err(why) => return self.skipped("add_deny", says, why),
            }
        }
        if refusing.is_empty() {
            return self.skipped("add_deny", says, "the engine has no statement that only refuses");
        }
        self.result("add_deny", says, |question| {
            let Some(before) = self.ask(&self.panel, question) else { return Trial::Beside };
            for (change, panel) in &refusing {
                let Some(after) = self.ask(panel, question) else { continue };
                if after.decision.effect < before.decision.effect {
                    return broken(question, change, &before, &after);
                }
            }
            Trial::Kept
        })
    }

    fn merge_with_itself(&self) -> LawResult {
        let says = "the pack beside itself decides as it does alone";
        let Some(member) = self.panel.members().first() else {
            return self.skipped("merge_with_itself", says, "the engine refuses the pack");
        };
        let loaded = member.runner().loaded();
        let entry = PackEntry {
            pack: self.contestant.source.manifest.name.clone(),
            engine: self.engine.to_owned(),
            when: Default::default(),
            data: None,
            fallback: None,
            limits: Default::default(),
            shadow: Vec::new(),
        };
        let twice = Dispatcher::new(&Deployment::of(vec![entry]), [loaded.clone(), loaded]);
        self.result("merge_with_itself", says, |question| {
            let Some(before) = self.ask(&self.panel, question) else { return Trial::Beside };
            let Value::Object(members) = &question.request else { return Trial::Beside };
            let Ok(request) = PolicyRequest::from_object(members.clone()) else { return Trial::Beside };
            let request = request.at(question.now);
            let request = match &question.token {
                Some(token) => request.with_token(token.clone()),
                None => request,
            };
            let outcome = twice.evaluate(&request);
            let fault =
                outcome.fault.clone().or_else(|| outcome.packs.iter().find_map(|pack| pack.fault.clone()));
            let mut after = Answer { decision: outcome.decision, fault, rules: before.rules.clone() };
            // Its reason stands there twice; merging has laws of its own for that.
            let merged = Decision::merge([before.decision.clone(), before.decision.clone()]);
            if after.decision.reason == merged.reason {
                after.decision.reason = before.decision.reason.clone();
            }
            self.same(question, before, after, "the pack claims the request twice")
        })
    }

    /// The same pack with other files, on the same engine.
    fn with_files(&self, files: &[(String, Vec<u8>)]) -> Result<Panel, String> {
        let source = variant(&self.contestant.source, files, self.registry)?;
        let contestant = Contestant { source: Arc::new(source), suite: self.contestant.suite.clone() };
        let (runner, _): (Runner, _) = lineup::load(&contestant, self.engine, self.context, self.registry)
            .map_err(|errors| errors.to_string())?;
        Ok(Panel::new([(self.engine.to_owned(), false, runner)]))
    }
}

/// A pack with some files in the place of others, read as comparisons read packs.
///
/// # Errors
/// Everything wrong with it.
pub fn variant(
    source: &PackSource,
    files: &[(String, Vec<u8>)],
    registry: &Registry,
) -> Result<PackSource, String> {
    let mut changed = source.files.clone();
    for (path, bytes) in files {
        changed.insert(path.clone(), bytes.clone());
    }
    let mut variant =
        PackSource::read(&source.origin, changed, registry).map_err(|errors| errors.to_string())?;
    variant.manifest.limits.deadline = None;
    Ok(variant)
}

fn broken(question: &Question, change: &str, before: &Answer, after: &Answer) -> Trial {
    Trial::Broken(Box::new(BrokenLaw {
        request: question.request.clone(),
        change: change.to_owned(),
        before: answer::record(before),
        after: answer::record(after),
    }))
}

/// JSON text with the members of every object from the last to the first.
fn backwards(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members = Map::iter(members).rev();
            let members: Vec<String> = members
                .map(|(name, member)| format!("{}:{}", Value::from(name.as_str()), backwards(member)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(backwards).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}
