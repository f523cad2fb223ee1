//! The search itself: many questions on many threads, the same for the same seed.
//!
//! Questions are made in batches, each with a generator of its own, seeded by the batch's number. Batches are gathered in
//! epochs: within one, nobody learns from another; after it, what led somewhere new is taken over in the order of the
//! batches. So what is asked depends on the seed and on the number of questions, never on threads or on the clock.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tribunal::core::contract::parity::Difference;
use tribunal::core::contract::{DecisionEffect, Rules};
use tribunal::core::fault::FaultKind;

use super::generate::Generator;
use super::material::Material;
use super::panel::{Answer, Panel, Question, Reply};
use crate::parity::report::Bound;

/// Questions in a batch, and most batches in an epoch.
const BATCH: u64 = 128;
const MOST_BATCHES: u64 = 64;

/// Questions tried for one that engines are asked.
const MOST_TRIES: u64 = 16;

/// Questions kept because they led somewhere new, at most.
const MOST_KEPT: usize = 4_096;

/// One question in so many is explained, to see which rules run.
const EXPLAINED_OF: u64 = 1_024;

/// Examples kept of one kind of disagreement, since different mistakes can look alike where engines cannot tell their rules.
const MOST_EXAMPLES: usize = 8;

/// Examples kept in all.
const MOST_KEPT_EXAMPLES: usize = 128;

/// What is searched, and how long.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// What ends it.
    pub bound: Bound,
    /// Threads.
    pub threads: usize,
    /// Whether the first disagreement ends it.
    pub stop_at_first: bool,
    /// One question in so many is timed; 0 for none.
    pub timed_of: u64,
}

/// How far a search has come.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Questions that reached the engines.
    pub compared: u64,
    /// Kinds of disagreement found.
    pub found: usize,
    /// Time since it began.
    pub elapsed: Duration,
}

/// What a search found.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// Questions made.
    pub tried: u64,
    /// Those that the host refused for everyone.
    pub refused_by_host: BTreeMap<FaultKind, u64>,
    /// Those that everyone answered.
    pub compared: u64,
    /// Answers by member, and then by effect or fault.
    pub answers: Vec<BTreeMap<String, u64>>,
    /// Answers that a rule determined, by member and rule.
    pub determined: Vec<BTreeMap<String, u64>>,
    /// Questions that every engine was asked, by the literal they were made of.
    pub literals: Vec<u64>,
    /// What explained questions showed of the rules, by member.
    pub traced: Vec<BTreeMap<Traced, Seen>>,
    /// Times of answers in nanoseconds, by member: a sample.
    pub times: Vec<Vec<u64>>,
    /// Questions kept because they led somewhere new.
    pub kept: Vec<Question>,
    /// Disagreements, in the order in which they were found, a few of each kind.
    pub disagreements: Vec<Disagreement>,
    /// Questions on which members differ in kinds of which no example is kept: there were too many kinds.
    pub unexamined: u64,
    /// How long it took.
    pub duration: Duration,
}

/// A rule in a trace: its name, and where it stands.
pub type Traced = (String, Option<String>);

/// What was seen of a rule in explained questions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// It came true.
    pub ran: bool,
    /// It did not.
    pub failed: bool,
}

/// A question on which members differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Disagreement {
    /// The question.
    pub question: Question,
    /// Which one it was, counted from 1.
    pub found_at: u64,
    /// Questions that differed in the same way.
    pub times: u64,
    /// In which respects.
    pub differences: Vec<Difference>,
    /// What was answered.
    pub answers: Vec<Answer>,
}

/// What makes two disagreements the same: how each member answered, and by which rules where it tells.
pub fn kind_of(answers: &[Answer], differences: &[Difference], with_rules: bool) -> u64 {
    let mut hasher = DefaultHasher::new();
    differences.hash_into(&mut hasher);
    for answer in answers {
        answer.decision.effect.as_str().hash(&mut hasher);
        answer.fault.as_ref().map(|fault| fault.kind.as_str()).hash(&mut hasher);
        if with_rules && let Rules::Determined(names) = &answer.rules {
            names.hash(&mut hasher);
        }
    }
    hasher.finish()
}

trait HashInto {
    fn hash_into(&self, hasher: &mut DefaultHasher);
}

impl HashInto for [Difference] {
    fn hash_into(&self, hasher: &mut DefaultHasher) {
        for difference in self {
            difference.as_str().hash(hasher);
        }
    }
}

/// Where a question led: what everyone answered, and why.
fn landing(answers: &[Answer]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for answer in answers {
        answer.decision.reason.hash(&mut hasher);
    }
    kind_of(answers, &[], true).hash(&mut hasher);
    hasher.finish()
}

/// By kind of disagreement, the places of its examples among those kept.
type Kinds = HashMap<u64, Vec<usize>>;

/// What one batch brought.
#[derive(Debug)]
struct Batch {
    number: u64,
    findings: Findings,
    new: Vec<(u64, Question)>,
    kinds: Kinds,
}

/// What all threads share between two epochs.
struct Epoch {
    corpus: Vec<Question>,
    landings: HashSet<u64>,
    first: u64,
    last: u64,
    is_over: bool,
}

/// Searches until the plan's bound is reached. `progress` is told after every epoch.
pub fn explore(
    panel: &Panel,
    material: &Material,
    plan: &Plan,
    progress: &mut dyn FnMut(Progress),
) -> Findings {
    let started = Instant::now();
    let threads = plan.threads.max(1);
    let epoch = RwLock::new(Epoch {
        corpus: Vec::new(),
        landings: HashSet::new(),
        first: 0,
        last: first_epoch(plan),
        is_over: false,
    });
    let next = AtomicU64::new(0);
    let stopped_at = AtomicU64::new(u64::MAX);
    let done: Mutex<Vec<Batch>> = Mutex::new(Vec::new());
    let broken: Mutex<Option<Box<dyn std::any::Any + Send>>> = Mutex::new(None);
    let barrier = Barrier::new(threads);

    let work = || {
        let epoch = epoch.read().unwrap_or_else(PoisonError::into_inner);
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= epoch.last || number > stopped_at.load(Ordering::Relaxed) || is_late(plan, started) {
                return;
            }
            let run = catch_unwind(AssertUnwindSafe(|| run_batch(panel, material, plan, &epoch, number)));
            match run {
                Ok(batch) => {
                    if plan.stop_at_first && !batch.findings.disagreements.is_empty() {
                        stopped_at.fetch_min(number, Ordering::Relaxed);
                    }
                    lock(&done).push(batch);
                }
                Err(panic) => {
                    *lock(&broken) = Some(panic);
                    stopped_at.store(0, Ordering::Relaxed);
                }
            }
        }
    };

    let mut total = Findings::for_panel(panel, material);
    let mut kinds = Kinds::new();
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| {
                loop {
                    barrier.wait();
                    if epoch.read().unwrap_or_else(PoisonError::into_inner).is_over {
                        return;
                    }
                    work();
                    barrier.wait();
                }
            });
        }
        loop {
            barrier.wait();
            work();
            barrier.wait();
            let mut epoch = epoch.write().unwrap_or_else(PoisonError::into_inner);
            let mut batches = std::mem::take(&mut *lock(&done));
            batches.sort_unstable_by_key(|batch| batch.number);
            let stopped_at = stopped_at.load(Ordering::Relaxed);
            for batch in batches.into_iter().filter(|batch| batch.number <= stopped_at) {
                total.absorb(batch, &mut kinds, &mut epoch);
            }
            total.duration = started.elapsed();
            progress(Progress {
                compared: total.compared,
                found: total.disagreements.len(),
                elapsed: total.duration,
            });
            let batches = match plan.bound {
                Bound::Requests(requests) => requests.div_ceil(BATCH),
                Bound::Milliseconds(_) => u64::MAX,
            };
            let is_found = plan.stop_at_first && !total.disagreements.is_empty();
            epoch.is_over =
                epoch.last >= batches || is_found || is_late(plan, started) || lock(&broken).is_some();
            let size = (epoch.last - epoch.first).saturating_mul(2).min(MOST_BATCHES);
            epoch.first = epoch.last;
            epoch.last = epoch.last.saturating_add(size).min(batches);
            next.store(epoch.first, Ordering::Relaxed);
            if epoch.is_over {
                drop(epoch);
                barrier.wait();
                return;
            }
        }
    });
    if let Some(panic) = lock(&broken).take() {
        resume_unwind(panic);
    }
    total.kept = epoch.into_inner().unwrap_or_else(PoisonError::into_inner).corpus;
    total
}

/// Batches in the first epoch; each later one has twice as many.
fn first_epoch(plan: &Plan) -> u64 {
    match plan.bound {
        Bound::Requests(requests) => requests.div_ceil(BATCH).min(4),
        Bound::Milliseconds(_) => 4,
    }
}

fn is_late(plan: &Plan, started: Instant) -> bool {
    match plan.bound {
        Bound::Requests(_) => false,
        Bound::Milliseconds(limit) => started.elapsed() >= Duration::from_millis(limit),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run_batch(panel: &Panel, material: &Material, plan: &Plan, epoch: &Epoch, number: u64) -> Batch {
    // Spread by the golden ratio, as SplitMix64 does: the same for ever, which std's hashers do not promise.
    let seed = plan.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut generator = Generator::new(material, seed);
    let mut batch = Batch {
        number,
        findings: Findings::for_panel(panel, material),
        new: Vec::new(),
        kinds: HashMap::new(),
    };
    let first = number * BATCH;
    let wanted = match plan.bound {
        Bound::Requests(requests) => BATCH.min(requests.saturating_sub(first)),
        Bound::Milliseconds(_) => BATCH,
    };
    let mut landed = HashSet::new();
    // What the host refuses is not counted; of a pack that refuses nearly everything no more than this is tried.
    for _ in 0..wanted * MOST_TRIES {
        let index = first + batch.findings.compared;
        if batch.findings.compared == wanted {
            break;
        }
        let question = generator.question(&epoch.corpus);
        let is_found = batch.ask(panel, plan, question, generator.used(), index, |landing| {
            epoch.corpus.len() < MOST_KEPT && !epoch.landings.contains(&landing) && landed.insert(landing)
        });
        if is_found && plan.stop_at_first {
            break;
        }
    }
    batch
}

impl Batch {
    /// Asks one question and keeps what came of it. Whether members differ.
    fn ask(
        &mut self,
        panel: &Panel,
        plan: &Plan,
        question: Question,
        used: &[u32],
        index: u64,
        mut is_new: impl FnMut(u64) -> bool,
    ) -> bool {
        let findings = &mut self.findings;
        findings.tried += 1;
        let is_timed = plan.timed_of > 0 && index.is_multiple_of(plan.timed_of);
        let mut times = Vec::new();
        let answers = match panel.ask(&question, is_timed.then_some(&mut times)) {
            Reply::HostRefused(kind) => {
                *findings.refused_by_host.entry(kind).or_insert(0) += 1;
                return false;
            }
            Reply::Answered(answers) => answers,
        };
        findings.compared += 1;
        for (sample, time) in findings.times.iter_mut().zip(times) {
            sample.push(time);
        }
        for literal in used {
            if let Some(count) = findings.literals.get_mut(*literal as usize) {
                *count += 1;
            }
        }
        findings.count(&answers);
        let differences = panel.differences(&question, &answers);
        let is_found = !differences.is_empty();
        let landing = landing(&answers);
        let is_new = is_new(landing);
        if is_new || index.is_multiple_of(EXPLAINED_OF) {
            findings.trace(panel, &question);
        }
        if is_found {
            let kind = kind_of(&answers, &differences, true);
            let found_at = findings.compared;
            let found = Disagreement { question: question.clone(), found_at, times: 1, differences, answers };
            findings.keep(kind, found, &mut self.kinds);
        }
        if is_new {
            self.new.push((landing, question));
        }
        is_found
    }
}

impl Findings {
    fn for_panel(panel: &Panel, material: &Material) -> Self {
        let members = panel.members().len();
        Self {
            answers: vec![BTreeMap::new(); members],
            determined: vec![BTreeMap::new(); members],
            traced: vec![BTreeMap::new(); members],
            times: vec![Vec::new(); members],
            literals: vec![0; material.literals],
            ..Self::default()
        }
    }

    /// Keeps an example of a kind, or counts it with the last one of its kind.
    fn keep(&mut self, kind: u64, found: Disagreement, kinds: &mut Kinds) {
        let examples = kinds.entry(kind).or_default();
        if examples.len() < MOST_EXAMPLES && self.disagreements.len() < MOST_KEPT_EXAMPLES {
            examples.push(self.disagreements.len());
            self.disagreements.push(found);
        } else if let Some(known) = examples.last().and_then(|at| self.disagreements.get_mut(*at)) {
            known.times += found.times;
        } else {
            self.unexamined += found.times;
        }
    }

    fn count(&mut self, answers: &[Answer]) {
        for ((answer, counts), determined) in answers.iter().zip(&mut self.answers).zip(&mut self.determined)
        {
            let name = match &answer.fault {
                Some(fault) => fault.kind.as_str(),
                None => effect_name(answer.decision.effect),
            };
            add(counts, name, 1);
            if let Rules::Determined(names) = &answer.rules {
                names.iter().for_each(|name| add(determined, name, 1));
            }
        }
    }

    /// Which rules run for a question.
    fn trace(&mut self, panel: &Panel, question: &Question) {
        for (explanation, traced) in panel.explain(question).into_iter().zip(&mut self.traced) {
            for rule in explanation.into_iter().flat_map(|explanation| explanation.trace) {
                let Some(came_true) = rule.came_true else { continue };
                let place = rule.location.map(|location| location.to_string());
                let seen = traced.entry((rule.rule, place)).or_default();
                seen.ran |= came_true;
                seen.failed |= !came_true;
            }
        }
    }

    /// Takes over what a batch brought.
    fn absorb(&mut self, batch: Batch, kinds: &mut Kinds, epoch: &mut Epoch) {
        let Batch { findings, new, kinds: own, .. } = batch;
        let before = self.compared;
        self.tried += findings.tried;
        self.compared += findings.compared;
        self.unexamined += findings.unexamined;
        for (kind, count) in findings.refused_by_host {
            *self.refused_by_host.entry(kind).or_insert(0) += count;
        }
        for (all, more) in
            [(&mut self.answers, findings.answers), (&mut self.determined, findings.determined)]
        {
            for (counts, more) in all.iter_mut().zip(more) {
                more.iter().for_each(|(name, count)| add(counts, name, *count));
            }
        }
        for (all, more) in self.literals.iter_mut().zip(findings.literals) {
            *all += more;
        }
        for (all, more) in self.times.iter_mut().zip(findings.times) {
            all.extend(more);
        }
        for (all, more) in self.traced.iter_mut().zip(findings.traced) {
            for (rule, seen) in more {
                let known = all.entry(rule).or_default();
                known.ran |= seen.ran;
                known.failed |= seen.failed;
            }
        }
        let mut kind_at: HashMap<usize, u64> = HashMap::new();
        for (kind, places) in own {
            kind_at.extend(places.into_iter().map(|at| (at, kind)));
        }
        for (at, mut disagreement) in findings.disagreements.into_iter().enumerate() {
            disagreement.found_at += before;
            if let Some(kind) = kind_at.get(&at) {
                self.keep(*kind, disagreement, kinds);
            }
        }
        for (landing, question) in new {
            if epoch.corpus.len() < MOST_KEPT && epoch.landings.insert(landing) {
                epoch.corpus.push(question);
            }
        }
    }

    /// The names of rules that determined an answer or were seen to come true, by member.
    pub fn exercised(&self) -> Vec<BTreeSet<&str>> {
        self.determined
            .iter()
            .zip(&self.traced)
            .map(|(determined, traced)| {
                let ran = traced.iter().filter(|(_, seen)| seen.ran).map(|((rule, _), _)| rule.as_str());
                determined.keys().map(String::as_str).chain(ran).collect()
            })
            .collect()
    }
}

fn add(counts: &mut BTreeMap<String, u64>, name: &str, more: u64) {
    match counts.get_mut(name) {
        Some(count) => *count += more,
        None => {
            counts.insert(name.to_owned(), more);
        }
    }
}

fn effect_name(effect: DecisionEffect) -> &'static str {
    effect.as_str()
}
