//! How good a search is: small mistakes planted in one engine's policies, and how many of them it notices.
//!
//! Each mutant of an engine's policy is compared with the unchanged policy on another engine, as `tribunal parity` compares
//! two engines, until they differ or the time is up. A mutant that nobody can tell from the original counts for nothing,
//! but only if the pack says so in `parity/equivalent-mutants.yaml`, with a person's reason and the record of a search of
//! ten minutes that found nothing. The list fails in both directions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tribunal::core::contract::Pointer;
use tribunal::core::document::{Document, with_nearest};
use tribunal::core::engine::{
    LoadContext, LoadError, LoadErrorKind, LoadErrors, Mutant, Mutation, Registry, Vocabulary,
};
use tribunal::core::pack::PackSource;

use crate::parity::Contestant;
use crate::parity::counterexample::minimal;
use crate::parity::laws::variant;
use crate::parity::lineup::{compared, load};
use crate::parity::report::{Bound, Fate, MutantResult, MutationTable};
use crate::runner::Runner;
use crate::search::{Material, Panel, Plan, explore, shrink};

/// The list of equivalent mutants, inside a pack.
pub const FILE: &str = "parity/equivalent-mutants.yaml";

/// A mutant that decides as the original does, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EquivalentMutant {
    /// The engine whose policy is changed.
    pub engine: String,
    /// The mutant, as `tribunal mutate` calls it.
    pub mutant: String,
    /// Why no request can tell it from the original, in a person's words.
    #[schemars(regex(pattern = r"\S"))]
    pub reason: String,
    /// The search that found nothing.
    pub search: FruitlessSearch,
}

/// A search that found nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FruitlessSearch {
    /// Its length: ten minutes at least.
    #[schemars(range(min = 600))]
    pub seconds: u64,
    /// The requests it put to both.
    pub requests: u64,
    /// Its seed.
    pub seed: u64,
}

/// The JSON Schema of the list.
pub fn equivalent_mutants_schema() -> Value {
    let mut schema = schemars::schema_for!(Vec<EquivalentMutant>);
    schema.insert("title".to_owned(), Value::from("Equivalent mutants of a pack"));
    schema.to_value()
}

/// Reads a pack's list; a pack without the file has none.
///
/// # Errors
/// Everything wrong with the file, with its place.
pub fn equivalent_mutants(pack: &PackSource) -> Result<Vec<EquivalentMutant>, LoadErrors> {
    let Some(text) = pack.files.get(FILE) else { return Ok(Vec::new()) };
    let document = Document::parse(&pack.file_name(FILE), text)?;
    let listed: Vec<EquivalentMutant> = document.read(&equivalent_mutants_schema())?;
    let offered: Vec<String> = pack.manifest.engines.keys().cloned().collect();
    let mut errors: Vec<LoadError> = Vec::new();
    for (index, mutant) in listed.iter().enumerate() {
        if !offered.contains(&mutant.engine) {
            let place = Pointer::from_tokens([index.to_string(), "engine".to_owned()]);
            let message = format!("the pack does not offer `{}`", mutant.engine);
            let error = document.error(LoadErrorKind::Invalid, &place, message);
            errors.push(with_nearest(error, &mutant.engine, &offered));
        }
    }
    LoadErrors::check(errors)?;
    Ok(listed)
}

/// Entries for the list as YAML, to be given their reasons.
pub fn written(entries: &[EquivalentMutant]) -> String {
    let quoted = |text: &str| Value::from(text).to_string();
    let entry = |entry: &EquivalentMutant| {
        let EquivalentMutant { engine, mutant, reason, search } = entry;
        let FruitlessSearch { seconds, requests, seed } = search;
        format!(
            "- engine: {engine}\n  mutant: {}\n  reason: {}\n  search: {{seconds: {seconds}, requests: {requests}, seed: {seed}}}\n",
            quoted(mutant),
            quoted(reason)
        )
    };
    entries.iter().map(entry).collect()
}

/// What every mutant is searched with.
#[derive(Debug, Clone)]
pub struct MutationPlan {
    /// The seed.
    pub seed: u64,
    /// What ends the search for one mutant.
    pub bound: Bound,
    /// Threads.
    pub threads: usize,
    /// So many of the mutants, chosen by the seed; `None` for all.
    pub sample: Option<usize>,
    /// Only mutants whose name has this in it.
    pub only: Option<String>,
    /// How long survivors are searched for once more, all of one policy at once; `None` for not at all.
    pub confirmed_by: Option<Duration>,
}

/// What a mutant is called: the same as long as the policy is.
pub fn id(mutant: &Mutant) -> String {
    let file = mutant.location.file.rsplit('/').next().unwrap_or(&mutant.location.file);
    let Mutant { mutation, location, before, after, .. } = mutant;
    format!("{file}:{}:{} {} `{before}` -> `{after}`", location.line, location.column, mutation.as_str())
}

/// Which engine's unchanged policy mutants of another are compared with, the fastest first.
const AGAINST: [&str; 4] = ["cedar", "rego-wasm", "rego-native", "biscuit"];

/// Plants mistakes in one engine's policy of a pack and searches for each. What survived the search that the plan confirms
/// by comes back as entries for the list, which want a person's reason.
///
/// # Errors
/// What keeps the pack from being loaded, or its policy or list from being read.
pub fn mutate(
    contestant: &Contestant,
    engine: &str,
    plan: &MutationPlan,
    context: &LoadContext,
    registry: &Registry,
    progress: &mut dyn FnMut(usize, usize, &MutantResult),
) -> Result<(MutationTable, Vec<EquivalentMutant>), LoadErrors> {
    let source = &contestant.source;
    let factory = registry.get(engine).ok_or_else(|| {
        LoadError::new(
            LoadErrorKind::EngineAbsent,
            format!("the engine `{engine}` is not built into this program"),
        )
    })?;
    // An engine that refuses the unchanged pack would refuse every mutant, and that would prove nothing.
    let (own, own_vocabulary) = load(contestant, engine, context, registry)?;
    let other = AGAINST
        .iter()
        .copied()
        .filter(|other| *other != engine && source.manifest.engines.contains_key(*other));
    let other =
        other.filter_map(|other| Some((other, load(contestant, other, context, registry).ok()?))).next();
    let (other_name, (other, vocabulary)) = match other {
        Some((name, (other, vocabulary))) => {
            check_baseline(contestant, plan, [(engine, &own, &own_vocabulary), (name, &other, &vocabulary)])?;
            (name, (other, vocabulary))
        }
        None => (engine, (own, own_vocabulary)),
    };

    let listed: Vec<EquivalentMutant> =
        equivalent_mutants(source)?.into_iter().filter(|listed| listed.engine == engine).collect();
    let mutants: Vec<Mutant> =
        factory.mutants(source)?.into_iter().filter(|mutant| mutant.mutation != Mutation::AddDeny).collect();
    let mut stale: Vec<String> = listed
        .iter()
        .filter(|listed| !mutants.iter().any(|mutant| id(mutant) == listed.mutant))
        .map(|listed| format!("{}: there is no such mutant any more", listed.mutant))
        .collect();
    let available = mutants.len();
    let chosen = chosen(mutants, plan);
    let harness =
        Harness { contestant, engine, plan, context, registry, other: &other, vocabulary: &vocabulary };
    let mut results = Vec::new();
    for (index, mutant) in chosen.iter().enumerate() {
        let mut result = harness.run(mutant, other_name);
        if let Some(listed) = listed.iter().find(|listed| listed.mutant == result.id) {
            match &result.fate {
                Fate::Survived => result.fate = Fate::Equivalent(listed.reason.clone()),
                Fate::Killed => {
                    stale.push(format!("{}: listed as equivalent, but a request tells it apart", result.id))
                }
                Fate::Refused(_) => {
                    stale.push(format!("{}: listed as equivalent, but it does not load", result.id))
                }
                Fate::Equivalent(_) => {}
            }
        }
        progress(index + 1, chosen.len(), &result);
        results.push(result);
    }
    let candidates = match plan.confirmed_by {
        Some(time) => harness.confirm(&chosen, &results, other_name, time),
        None => Vec::new(),
    };
    let table = MutationTable {
        pack: compared(source),
        engine: engine.to_owned(),
        version: factory.info().version,
        against: vec![other_name.to_owned()],
        mutants: results,
        available,
        stale,
    };
    Ok((table, candidates))
}

/// What is added to the seed where survivors are searched for once more; each round that finds one of them adds one.
const CONFIRMED_FROM: u64 = 1_000;

/// Requests on which the unchanged policies have to agree before any mistake is planted.
const BASELINE: u64 = 2_000;

/// That the unchanged policies agree: else every mutant would be found by what is wrong without it.
fn check_baseline(
    contestant: &Contestant,
    plan: &MutationPlan,
    sides: [(&str, &Runner, &Vocabulary); 2],
) -> Result<(), LoadErrors> {
    let Contestant { source, suite } = contestant;
    let [(one, _, _), (other, _, _)] = sides;
    let panel = Panel::new(sides.map(|(name, runner, _)| (name.to_owned(), false, runner.clone())));
    let vocabularies = sides.map(|(_, _, vocabulary)| vocabulary.clone());
    let Some(material) = Material::gather(&[source.as_ref()], &suite.cases, &vocabularies, []) else {
        return Ok(());
    };
    let bound = Bound::Requests(BASELINE);
    let plan = Plan { seed: plan.seed, bound, threads: plan.threads, stop_at_first: true, timed_of: 0 };
    if explore(&panel, &material, &plan, &mut |_| {}).disagreements.is_empty() {
        return Ok(());
    }
    let message =
        format!("`{one}` and `{other}` differ on `{}` without any mistake planted", source.manifest.name);
    Err(LoadError::new(LoadErrorKind::Invalid, message)
        .help("run `tribunal parity` on the pack first")
        .into())
}

/// The mutants that are tried, in the order of the text.
fn chosen(mutants: Vec<Mutant>, plan: &MutationPlan) -> Vec<Mutant> {
    let wanted: Vec<Mutant> = mutants
        .into_iter()
        .filter(|mutant| plan.only.as_ref().is_none_or(|only| id(mutant).contains(only.as_str())))
        .collect();
    let Some(sample) = plan.sample.filter(|sample| *sample < wanted.len()) else { return wanted };
    let mut rng = fastrand::Rng::with_seed(plan.seed);
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    rng.shuffle(&mut order);
    order.truncate(sample);
    wanted
        .into_iter()
        .enumerate()
        .filter(|(index, _)| order.contains(index))
        .map(|(_, mutant)| mutant)
        .collect()
}

struct Harness<'h> {
    contestant: &'h Contestant,
    engine: &'h str,
    plan: &'h MutationPlan,
    context: &'h LoadContext,
    registry: &'h Registry,
    other: &'h Runner,
    vocabulary: &'h Vocabulary,
}

impl Harness<'_> {
    fn run(&self, mutant: &Mutant, other_name: &str) -> MutantResult {
        let started = Instant::now();
        let mut result = MutantResult {
            id: id(mutant),
            mutation: mutant.mutation,
            rule: mutant.rule.clone(),
            location: mutant.location.to_string(),
            before: mutant.before.clone(),
            after: mutant.after.clone(),
            fate: Fate::Survived,
            requests: 0,
            duration_ms: 0,
            counterexample: None,
            size: None,
        };
        match self.panel(mutant, other_name) {
            Err(why) => result.fate = Fate::Refused(why),
            Ok((panel, vocabularies)) => self.search(&panel, &vocabularies, &mut result),
        }
        result.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        result
    }

    /// The mutant on its engine.
    fn load(&self, mutant: &Mutant) -> Result<(Runner, Vocabulary), String> {
        let files: Vec<_> = mutant.files.iter().map(|(path, bytes)| (path.clone(), bytes.to_vec())).collect();
        let source = variant(&self.contestant.source, &files, self.registry)?;
        let contestant = Contestant { source: Arc::new(source), suite: self.contestant.suite.clone() };
        load(&contestant, self.engine, self.context, self.registry).map_err(|errors| errors.to_string())
    }

    /// The unchanged policy and the mutant.
    fn panel(&self, mutant: &Mutant, other_name: &str) -> Result<(Panel, [Vocabulary; 2]), String> {
        let (runner, vocabulary) = self.load(mutant)?;
        let panel = Panel::new([
            (other_name.to_owned(), false, self.other.clone()),
            (format!("{} (mutant)", self.engine), false, runner),
        ]);
        Ok((panel, [self.vocabulary.clone(), vocabulary]))
    }

    fn search(&self, panel: &Panel, vocabularies: &[Vocabulary], result: &mut MutantResult) {
        let Contestant { source, suite } = self.contestant;
        let Some(material) = Material::gather(&[source.as_ref()], &suite.cases, vocabularies, []) else {
            return;
        };
        let plan = Plan {
            seed: self.plan.seed,
            bound: self.plan.bound,
            threads: self.plan.threads,
            stop_at_first: true,
            timed_of: 0,
        };
        let findings = explore(panel, &material, &plan, &mut |_| {});
        result.requests = findings.compared;
        if let Some(found) = findings.disagreements.first() {
            let smallest = minimal(panel, &found.question, &found.answers, &found.differences);
            result.fate = Fate::Killed;
            result.requests = found.found_at;
            result.size = Some(shrink::size(&smallest.request));
            result.counterexample = Some(smallest.request);
        }
    }

    /// Puts every survivor beside the original and searches for all of them at once, as long as any is left. Those that
    /// nothing was found for come back as entries for the list.
    fn confirm(
        &self,
        mutants: &[Mutant],
        results: &[MutantResult],
        other_name: &str,
        time: Duration,
    ) -> Vec<EquivalentMutant> {
        let started = Instant::now();
        let survived = |result: &MutantResult| result.fate == Fate::Survived;
        let mut candidates: Vec<(usize, Runner)> = Vec::new();
        let mut vocabularies = vec![self.vocabulary.clone()];
        for (index, (mutant, _)) in
            mutants.iter().zip(results).enumerate().filter(|(_, (_, result))| survived(result))
        {
            if let Ok((runner, vocabulary)) = self.load(mutant) {
                vocabularies.push(vocabulary);
                candidates.push((index, runner));
            }
        }
        let Contestant { source, suite } = self.contestant;
        let Some(material) = Material::gather(&[source.as_ref()], &suite.cases, &vocabularies, []) else {
            return Vec::new();
        };
        let mut requests = 0;
        let mut round = 0;
        while !candidates.is_empty() {
            let Some(left) = time.checked_sub(started.elapsed()).filter(|left| left.as_millis() > 0) else {
                break;
            };
            let mutants = candidates.iter().map(|(index, runner)| (index.to_string(), false, runner.clone()));
            let panel = Panel::new(
                std::iter::once((other_name.to_owned(), false, self.other.clone())).chain(mutants),
            );
            let bound = Bound::Milliseconds(u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
            // A seed of its own: the first search has been made.
            let seed = self.plan.seed.wrapping_add(CONFIRMED_FROM + round);
            let plan = Plan { seed, bound, threads: self.plan.threads, stop_at_first: true, timed_of: 0 };
            let findings = explore(&panel, &material, &plan, &mut |_| {});
            requests += findings.compared;
            round += 1;
            let Some(found) = findings.disagreements.first() else { break };
            let Some((first, others)) = found.answers.split_first() else { break };
            let mut answers = others.iter();
            candidates.retain(|_| {
                let Some(answer) = answers.next() else { return true };
                let pair = [first.clone(), answer.clone()];
                let differs = !panel.differences(&found.question, &pair).is_empty();
                // It stays a survivor: the search that counts did not find it.
                !differs
            });
        }
        let search = FruitlessSearch {
            seconds: u64::try_from(started.elapsed().as_millis().div_ceil(1_000)).unwrap_or(u64::MAX),
            requests,
            seed: self.plan.seed.wrapping_add(CONFIRMED_FROM),
        };
        let entry = |(index, _): &(usize, Runner)| {
            let mutant = results.get(*index)?.id.clone();
            Some(EquivalentMutant {
                engine: self.engine.to_owned(),
                mutant,
                reason: String::new(),
                search: search.clone(),
            })
        };
        candidates.iter().filter_map(entry).collect()
    }
}
