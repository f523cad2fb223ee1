//! A loaded pack: facts in, evaluation, decision out.

use std::sync::Arc;

use biscuit_auth::builder::Fact;
use biscuit_auth::error::{FailedCheck, Logic, MatchedPolicy, Token};
use biscuit_auth::{Authorizer, AuthorizerLimits};
use serde_json::Value;
use tribunal_engine_core::contract::{DecisionEffect, Rules};
use tribunal_engine_core::engine::{
    Engine, Explanation, LoadError, LoadErrorKind, LoadErrors, Prepared, RuleTrace, Verdict,
};
use tribunal_engine_core::fault::{Fault, FaultKind, LimitKind, TokenFault};
use tribunal_engine_core::pack::TokenMode;

use crate::answer::Gathered;
use crate::bounds::{MAX_WORK, Work};
use crate::convert::{self, DATA, RequestFacts};
use crate::error;
use crate::expression;
use crate::program::{Form, Program, Source};
use crate::token::{Gate, Verified};

/// A pack on the Biscuit engine.
#[derive(Debug)]
pub(crate) struct BiscuitEngine {
    pub(crate) program: Arc<Program>,
    gate: Option<Gate>,
    mode: TokenMode,
    pub(crate) limits: AuthorizerLimits,
    output: u64,
    trust: Arc<tribunal_engine_core::engine::Trust>,
    pub(crate) data: Fact,
    /// The members of the data that the projected program reads; `None` if one of them cannot be asked for.
    data_members: Option<Vec<Fact>>,
    /// The length of the longest list in the data.
    longest: u64,
    work: Work,
}

/// What an engine is made of, apart from the pack's data.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) program: Arc<Program>,
    pub(crate) mode: TokenMode,
    pub(crate) trust: Arc<tribunal_engine_core::engine::Trust>,
    /// Facts, rounds and time, as the contract counts them.
    pub(crate) limits: AuthorizerLimits,
    /// Bytes of reasons and patches.
    pub(crate) output: u64,
}

/// What the policies and checks came to.
#[derive(Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The first policy that matched, and whether it allows.
    pub policy: Option<(usize, bool)>,
    /// The authorizer's own checks that failed.
    pub checks: Vec<usize>,
    /// The token's checks that failed, as block and check.
    pub token_checks: Vec<(u32, u32)>,
}

impl Judgement {
    /// What `authorize` came to.
    ///
    /// # Errors
    /// The fault, for anything but an answer.
    pub(crate) fn of(result: Result<usize, Token>) -> Result<Self, Fault> {
        let (policy, failed) = match result {
            Ok(index) => (Some((index, true)), Vec::new()),
            Err(Token::FailedLogic(Logic::Unauthorized { policy: MatchedPolicy::Allow(index), checks })) => {
                (Some((index, true)), checks)
            }
            Err(Token::FailedLogic(Logic::Unauthorized { policy: MatchedPolicy::Deny(index), checks })) => {
                (Some((index, false)), checks)
            }
            Err(Token::FailedLogic(Logic::NoMatchingPolicy { checks })) => (None, checks),
            Err(error) => return Err(error::evaluation(&error)),
        };
        let (mut checks, mut token_checks) = (Vec::new(), Vec::new());
        for check in failed {
            match check {
                FailedCheck::Authorizer(check) => checks.push(check.check_id as usize),
                FailedCheck::Block(check) => token_checks.push((check.block_id, check.check_id)),
            }
        }
        Ok(Self { policy, checks, token_checks })
    }

    fn effect(&self) -> DecisionEffect {
        match self.policy {
            Some((_, true)) if self.checks.is_empty() && self.token_checks.is_empty() => {
                DecisionEffect::Allow
            }
            _ => DecisionEffect::Deny,
        }
    }
}

impl BiscuitEngine {
    /// An engine over this data.
    ///
    /// # Errors
    /// Root keys or revocations that are none, data that has no terms, a program that could cause too much work over it.
    pub(crate) fn new(parts: Parts, data: &Value) -> Result<Self, LoadErrors> {
        let Parts { program, mode, trust, limits, output } = parts;
        let gate = match mode {
            TokenMode::None => None,
            TokenMode::Optional | TokenMode::Required => Some(Gate::new(&trust)?),
        };
        let data = convert::data(data).map_err(|error| {
            let message = format!("the pack's data: {error}");
            LoadErrors::from(LoadError::new(LoadErrorKind::Unsupported, message))
        })?;
        let longest = data.predicate.terms.iter().map(expression::longest).fold(0, u64::max);
        let read = if program.written.reads.contains(DATA) { longest } else { 0 };
        let work = program.workload.work(limits.max_facts, limits.max_iterations);
        let bounds = |message: String| LoadErrors::from(LoadError::new(LoadErrorKind::Bounds, message));
        if work.units(read, 0) > MAX_WORK {
            let message = format!(
                "the joins of this policy could take {} steps, more than {MAX_WORK}",
                work.units(read, 0)
            );
            let help =
                "join fewer predicates, or lower `limits.facts` or `limits.iterations` in the manifest";
            return Err(LoadError::new(LoadErrorKind::Bounds, message).help(help).into());
        }
        if program.facts > limits.max_facts {
            return Err(bounds(format!(
                "this policy begins with more facts than `limits.facts`, {}",
                limits.max_facts
            )));
        }
        let members = program.projected.paths.iter().filter(|path| path.is_data());
        let data_members = members.map(|path| path.of(std::slice::from_ref(&data))).collect();
        Ok(Self { program, gate, mode, limits, output, trust, data, data_members, longest, work })
    }

    /// The token, if there is one to look at.
    fn token(&self, request: &Prepared<'_>) -> Result<Option<Arc<Verified>>, Fault> {
        let Some(gate) = &self.gate else { return Ok(None) };
        let Some(shown) = request.token() else {
            return match self.mode {
                TokenMode::Required => Err(error::token(TokenFault::Missing, "the pack requires a token")),
                TokenMode::Optional | TokenMode::None => Ok(None),
            };
        };
        let verified = gate.admit(shown, |content| {
            let both = self.program.workload.with(&content.workload);
            let work = both.work(self.limits.max_facts, self.limits.max_iterations);
            if work.units(self.longest, 0) > MAX_WORK {
                let detail = format!("the joins of the token's blocks could take more than {MAX_WORK} steps");
                return Err(error::token(TokenFault::TooLarge, detail));
            }
            Ok(work)
        })?;
        Ok(Some(verified))
    }

    /// The evaluator with everything it needs for one request, and the form of the program that it was given.
    fn authorizer(&self, request: &Prepared<'_>) -> Result<(Authorizer, &Form), Fault> {
        let token = self.token(request)?;
        let token = token.as_deref();
        let token_reads = |name: &str| token.is_some_and(|token| token.reads.contains(name));
        let wanted = |name: &str| self.program.written.reads.contains(name) || token_reads(name);
        let RequestFacts { facts, longest } = convert::facts(request, wanted)?;
        let work = token.map_or(self.work, |token| token.work);
        let read = if wanted(DATA) { self.longest } else { 0 };
        if work.units(read, longest) > MAX_WORK {
            let detail = format!("a list of {longest} elements could take more than {MAX_WORK} steps");
            return Err(Fault::new(FaultKind::Limit(LimitKind::Facts), detail));
        }
        // The evaluator does not hold what is there from the beginning against its limit.
        let stated = facts.len() as u64 + u64::from(wanted(DATA));
        let before = self.program.facts + stated + token.map_or(0, |token| token.facts);
        if before > self.limits.max_facts {
            let detail = format!("{before} facts before any rule has run, more than `limits.facts`");
            return Err(Fault::new(FaultKind::Limit(LimitKind::Facts), detail));
        }
        let members = self.members(&facts);
        let form = if members.is_some() { &self.program.projected } else { &self.program.written };
        let reads = |name: &str| form.reads.contains(name) || token_reads(name);
        let whole = facts.into_iter().filter(|fact| reads(&fact.predicate.name));
        let given: Vec<Fact> = whole
            .chain(reads(DATA).then(|| self.data.clone()))
            .chain(members.into_iter().flatten())
            .collect();
        // The evaluator stops when it *reaches* its limit on facts; the contract's limit may be reached, and counts the
        // facts that a pack's author knows of.
        let max_facts =
            self.limits.max_facts.saturating_sub(stated).saturating_add(given.len() as u64).saturating_add(1);
        let limits = AuthorizerLimits { max_facts, ..self.limits.clone() };
        let mut builder = form.authorizer.clone().set_limits(limits);
        for fact in given {
            builder = builder.fact(fact).map_err(|error| error::evaluation(&error))?;
        }
        let built = match token {
            Some(token) => builder.build(&token.biscuit),
            None => builder.build_unauthenticated(),
        };
        Ok((built.map_err(|error| error::evaluation(&error))?, form))
    }

    /// The members that the projected program reads of the data and of a request, unless one of them cannot be asked for.
    fn members(&self, facts: &[Fact]) -> Option<Vec<Fact>> {
        let data = self.data_members.as_ref()?.iter().cloned().map(Some);
        let paths = self.program.projected.paths.iter().filter(|path| !path.is_data());
        data.chain(paths.map(|path| path.of(facts))).collect()
    }

    /// Evaluates: the judgement, the answers by statement, and the evaluator for whoever wants to ask it more.
    fn evaluate(&self, request: &Prepared<'_>) -> Result<Evaluation<'_>, Fault> {
        self.evaluate_in(request, |_| {})
    }

    /// [`BiscuitEngine::evaluate`], telling `lap` of the end of each stage.
    pub(crate) fn evaluate_in(
        &self,
        request: &Prepared<'_>,
        mut lap: impl FnMut(&'static str),
    ) -> Result<Evaluation<'_>, Fault> {
        let (mut authorizer, form) = self.authorizer(request)?;
        lap("convert and build");
        let judgement = Judgement::of(authorizer.authorize())?;
        lap("evaluate");
        let mut gathered = Gathered::default();
        let mut given = Vec::new();
        for answer in &form.answers {
            let rows = match &answer.source {
                Source::Constant(terms) => vec![terms.clone()],
                Source::Query(rule) => {
                    let facts: Vec<Fact> =
                        authorizer.query(rule.clone()).map_err(|error| error::evaluation(&error))?;
                    facts.into_iter().map(|fact| fact.predicate.terms).collect()
                }
            };
            for terms in &rows {
                gathered.add(answer.says, terms, answer.statement)?;
            }
            if !rows.is_empty() {
                given.push(answer.statement);
            }
        }
        lap("ask for answers");
        Ok(Evaluation { authorizer, form, judgement, gathered, given })
    }

    /// The verdict of an evaluation.
    pub(crate) fn verdict(
        &self,
        judgement: &Judgement,
        gathered: Gathered,
        payload: &Value,
    ) -> Result<Verdict, Fault> {
        let effects = gathered.effects.clone();
        let own = judgement.effect();
        let failed = judgement
            .token_checks
            .iter()
            .map(|(block, check)| format!("token check failed: block {block} check {check}"));
        let decision = gathered.decide(own, failed, payload)?;
        let size = decision.reason.as_ref().map_or(0, String::len)
            + decision
                .patches
                .iter()
                .map(|patch| serde_json::to_string(patch).map_or(usize::MAX, |text| text.len()))
                .fold(0, usize::saturating_add);
        if size as u64 > self.output {
            return Err(Fault::new(
                FaultKind::Limit(LimitKind::Output),
                "the reasons and patches are larger than `limits.output`",
            ));
        }
        let mut rules = Vec::new();
        if own == decision.effect {
            let policy = judgement.policy.filter(|(_, allows)| *allows == (own == DecisionEffect::Allow));
            rules.extend(policy.and_then(|(index, _)| self.name(&self.program.policies, index)));
            rules.extend(judgement.checks.iter().filter_map(|index| self.name(&self.program.checks, *index)));
            rules.extend(
                judgement
                    .token_checks
                    .iter()
                    .map(|(block, check)| format!("token block {block} check {check}")),
            );
        }
        let determined = effects
            .iter()
            .filter(|(effect, _)| *effect == decision.effect && *effect != DecisionEffect::Allow);
        rules.extend(
            determined
                .filter_map(|(_, statement)| Some(self.program.statements.get(*statement)?.name.clone())),
        );
        let written = &self.program.written;
        let tried = judgement.policy.map_or(self.program.policies.len(), |(index, _)| index + 1);
        let evaluated = self.program.checks.len() + tried + written.rules.len() + written.answers.len();
        Ok(Verdict { decision, rules: Rules::determined(rules), rules_evaluated: Some(evaluated as u64) })
    }

    fn name(&self, statements: &[usize], index: usize) -> Option<String> {
        Some(self.program.statements.get(*statements.get(index)?)?.name.clone())
    }
}

/// What an evaluation found.
pub(crate) struct Evaluation<'e> {
    authorizer: Authorizer,
    form: &'e Form,
    pub(crate) judgement: Judgement,
    pub(crate) gathered: Gathered,
    /// The statements that gave an answer.
    given: Vec<usize>,
}

impl Engine for BiscuitEngine {
    fn decide(&self, request: &Prepared<'_>) -> Result<Verdict, Fault> {
        let Evaluation { judgement, gathered, .. } = self.evaluate(request)?;
        self.verdict(&judgement, gathered, request.payload())
    }

    fn explain(&self, request: &Prepared<'_>) -> Result<Explanation, Fault> {
        let Evaluation { mut authorizer, form, judgement, gathered, given } = self.evaluate(request)?;
        let verdict = self.verdict(&judgement, gathered, request.payload())?;
        let mut notes: Vec<Option<(String, Option<bool>)>> = vec![None; self.program.statements.len()];
        let mut note = |statement: usize, text: &str, came_true: Option<bool>| {
            if let Some(place) = notes.get_mut(statement) {
                *place = Some((text.to_owned(), came_true));
            }
        };
        let matched = |matched: bool| if matched { "matched" } else { "did not match" };
        for (index, statement) in self.program.policies.iter().enumerate() {
            match judgement.policy {
                Some((first, _)) if index > first => note(*statement, "not reached", None),
                Some((first, _)) => note(*statement, matched(index == first), Some(index == first)),
                None => note(*statement, matched(false), Some(false)),
            }
        }
        for (index, statement) in self.program.checks.iter().enumerate() {
            let held = !judgement.checks.contains(&index);
            note(*statement, if held { "held" } else { "failed" }, Some(held));
        }
        for answer in &form.answers {
            let is_given = given.contains(&answer.statement);
            note(answer.statement, matched(is_given), Some(is_given));
        }
        for (statement, rule) in &form.rules {
            let facts: Vec<Fact> =
                authorizer.query(rule.clone()).map_err(|error| error::evaluation(&error))?;
            match facts.len() {
                0 => note(*statement, matched(false), Some(false)),
                1 => note(*statement, "derived 1 fact", Some(true)),
                count => note(*statement, &format!("derived {count} facts"), Some(true)),
            }
        }
        if let Rules::Determined(names) = &verdict.rules {
            for (place, statement) in notes.iter_mut().zip(&self.program.statements) {
                if let (Some((text, _)), true) = (place, names.contains(&statement.name)) {
                    text.push_str("; determined the decision");
                }
            }
        }
        let trace = self.program.statements.iter().zip(notes).filter_map(|(statement, note)| {
            let (note, came_true) = note?;
            Some(RuleTrace {
                rule: statement.name.clone(),
                location: Some(statement.location.clone()),
                note,
                came_true,
            })
        });
        let mut trace: Vec<RuleTrace> = trace.collect();
        trace.extend(judgement.token_checks.iter().map(|(block, check)| RuleTrace {
            rule: format!("token block {block} check {check}"),
            location: None,
            note: "failed".to_owned(),
            came_true: Some(false),
        }));
        Ok(Explanation { verdict, trace, notes: Vec::new() })
    }

    fn with_data(&self, data: Arc<Value>) -> Result<Arc<dyn Engine>, LoadErrors> {
        let parts = Parts {
            program: Arc::clone(&self.program),
            mode: self.mode,
            trust: Arc::clone(&self.trust),
            limits: self.limits.clone(),
            output: self.output,
        };
        Ok(Arc::new(Self::new(parts, &data)?))
    }
}
