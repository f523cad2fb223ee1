//! A pack on one engine, and cases put to it.

use std::fmt;
use std::sync::Arc;

use tribunal::core::config::{Deployment, PackEntry};
use tribunal::core::contract::{Decision, Outcome, PolicyRequest};
use tribunal::core::dispatch::{Dispatcher, LoadedPack};
use tribunal::core::engine::{LoadContext, LoadErrors, Registry};
use tribunal::core::fault::{Fault, fail_closed};
use tribunal::core::location::Location;
use tribunal::core::pack::PackSource;

use crate::case::Case;
use crate::comparison::{Mismatch, mismatches};

/// An engine that a pack offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer<'p> {
    /// The engine.
    pub engine: &'p str,
    /// Whether this program was built with it.
    pub is_built_in: bool,
}

/// The engines a pack offers, sorted.
pub fn offered<'p>(pack: &'p PackSource, registry: &Registry) -> impl Iterator<Item = Offer<'p>> {
    pack.manifest.engines.keys().map(|engine| Offer { engine, is_built_in: registry.get(engine).is_some() })
}

/// A pack loaded on one engine, alone in a deployment where it claims every request.
#[derive(Debug, Clone)]
pub struct Runner {
    pack: Arc<PackSource>,
    engine: String,
    dispatcher: Arc<Dispatcher>,
    loaded: Arc<LoadedPack>,
}

impl Runner {
    /// Loads a pack on an engine. For cases with tokens the context comes from [`crate::Suite::trusted`].
    ///
    /// # Errors
    /// Everything wrong with the pack on that engine; there is no fallback.
    pub fn load(
        pack: Arc<PackSource>,
        engine: &str,
        context: &LoadContext,
        registry: &Registry,
    ) -> Result<Self, LoadErrors> {
        let entry = PackEntry {
            pack: pack.manifest.name.clone(),
            engine: engine.to_owned(),
            when: Default::default(),
            data: None,
            fallback: None,
            limits: Default::default(),
            shadow: Vec::new(),
        };
        let loaded = Arc::new(LoadedPack::load(pack.clone(), &entry, context, registry)?);
        let dispatcher = Arc::new(Dispatcher::new(&Deployment::of(vec![entry]), [loaded.clone()]));
        Ok(Self { pack, engine: engine.to_owned(), dispatcher, loaded })
    }

    /// The pack.
    pub fn pack(&self) -> &Arc<PackSource> {
        &self.pack
    }

    /// The engine.
    pub fn engine(&self) -> &str {
        &self.engine
    }

    /// The decision point in which the pack stands alone.
    pub fn dispatcher(&self) -> &Dispatcher {
        &self.dispatcher
    }

    /// The pack on its engine.
    pub fn loaded(&self) -> Arc<LoadedPack> {
        self.loaded.clone()
    }

    /// Decides a case's request as a caller's would be decided: through the front door, as bytes.
    pub fn answer(&self, case: &Case) -> Answer {
        let request = match PolicyRequest::from_slice(case.request.to_string().as_bytes()) {
            Ok(request) => request.at(case.now),
            Err(fault) => return Answer { decision: fail_closed(&fault), fault: Some(fault), outcome: None },
        };
        let request = match &case.token {
            Some(token) => request.with_token(token.clone()),
            None => request,
        };
        let outcome = self.dispatcher.evaluate(&request);
        let fault =
            outcome.fault.clone().or_else(|| outcome.packs.iter().find_map(|pack| pack.fault.clone()));
        Answer { decision: outcome.decision.clone(), fault, outcome: Some(outcome) }
    }

    /// Puts a case to the engine and compares the answer with what the case expects of this engine.
    pub fn run(&self, case: &Case) -> CaseResult {
        let answer = self.answer(case);
        let failure = self.judge(case, &answer);
        CaseResult {
            pack: self.pack.manifest.name.clone(),
            engine: self.engine.clone(),
            case: case.name.clone(),
            location: case.location.clone(),
            answer,
            failure,
        }
    }

    fn judge(&self, case: &Case, answer: &Answer) -> Option<Failure> {
        let reasons = self.pack.manifest.parity.reasons;
        let differs_from = |expectation| mismatches(&case.request, expectation, answer, reasons);
        let usual = differs_from(&case.expect);
        let found = match case.exceptions.get(&self.engine) {
            None => usual,
            // An exception nobody needs hides the next regression, so the list of exceptions fails in both directions.
            Some(_) if usual.is_empty() => return Some(Failure::NeedlessException),
            Some(exception) => differs_from(&exception.expect),
        };
        if found.is_empty() { None } else { Some(Failure::Mismatch(found)) }
    }
}

/// What a caller gets for a case's request.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The decision.
    pub decision: Decision,
    /// The fault behind a denial.
    pub fault: Option<Fault>,
    /// How it came about; `None` for a request that did not pass the front door.
    pub outcome: Option<Outcome>,
}

/// A case put to one engine.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseResult {
    /// The pack's name.
    pub pack: String,
    /// The engine.
    pub engine: String,
    /// The case's name.
    pub case: String,
    /// Where the case stands.
    pub location: Location,
    /// What was answered.
    pub answer: Answer,
    /// Why the case fails, if it does.
    pub failure: Option<Failure>,
}

/// Why a case fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The answer is not what was expected; at least one respect.
    Mismatch(Vec<Mismatch>),
    /// The engine answers as the case expects of every engine: the exception made for it is to be deleted.
    NeedlessException,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Mismatch(found) => {
                for (index, mismatch) in found.iter().enumerate() {
                    if index > 0 {
                        f.write_str("\n")?;
                    }
                    write!(f, "{mismatch}")?;
                }
                Ok(())
            }
            Failure::NeedlessException => f.write_str(
                "the engine decides as the case expects of every engine: delete the exception made for it",
            ),
        }
    }
}
