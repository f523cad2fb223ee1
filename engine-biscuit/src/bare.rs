//! The evaluator without this engine around it, and this engine stage by stage: what measurements hold an engine against.
//!
//! Nothing here decides, and nothing here may be decided by: there is no dispatch, which holds an answer to the contract and
//! fails closed. The limits are those of the context that a pack is loaded with; whoever wants the pack's own to hold, too,
//! gives the tighter of both, as dispatch does.

use biscuit_auth::builder::{AuthorizerBuilder, Fact};
use biscuit_auth::error::Token;
use tribunal_engine_core::engine::{LoadContext, LoadErrors, Prepared, Verdict};
use tribunal_engine_core::fault::Fault;
use tribunal_engine_core::pack::PackSource;

use crate::convert::{self, DATA};
use crate::decide::{BiscuitEngine, Evaluation};
use crate::error;
use crate::load::load;
use crate::program::{Form, Source};

/// A loaded pack.
#[derive(Debug)]
pub struct Bare(BiscuitEngine);

/// The program with the facts of a request in place, ready to be built as often as wanted.
#[derive(Debug)]
pub struct Ready<'b> {
    bare: &'b Bare,
    builder: AuthorizerBuilder,
}

impl Bare {
    /// Loads a pack, under the limits of the context alone.
    ///
    /// # Errors
    /// Everything wrong with the pack.
    pub fn load(pack: &PackSource, context: &LoadContext) -> Result<Self, LoadErrors> {
        load(pack, context).map(Self)
    }

    /// A request's facts put beside the program as it is written, without projections. A token is not looked at.
    ///
    /// # Errors
    /// What Biscuit has no terms for.
    pub fn ready(&self, request: &Prepared<'_>) -> Result<Ready<'_>, Fault> {
        let Form { authorizer, reads, .. } = &self.0.program.written;
        let facts = convert::facts(request, |name| reads.contains(name))?.facts;
        let data: Option<Fact> = reads.contains(DATA).then(|| self.0.data.clone());
        let mut builder = authorizer.clone().set_limits(self.0.limits.clone());
        for fact in facts.into_iter().chain(data) {
            builder = builder.fact(fact).map_err(|error| error::evaluation(&error))?;
        }
        Ok(Ready { bare: self, builder })
    }

    /// What this engine does for a decision, `lap` being told of the end of each stage.
    ///
    /// # Errors
    /// The fault that a decision would have had.
    pub fn stages(
        &self,
        request: &Prepared<'_>,
        lap: &mut dyn FnMut(&'static str),
    ) -> Result<Verdict, Fault> {
        let Evaluation { judgement, gathered, .. } = self.0.evaluate_in(request, &mut *lap)?;
        let verdict = self.0.verdict(&judgement, gathered, request.payload());
        lap("read answer");
        verdict
    }
}

impl Ready<'_> {
    /// Clones the builder, builds it, authorizes and asks the pack's queries: whether a policy allows.
    ///
    /// # Errors
    /// The fault of the evaluation.
    pub fn authorize(&self) -> Result<bool, Fault> {
        let failed = |error: Token| error::evaluation(&error);
        let mut authorizer = self.builder.clone().build_unauthenticated().map_err(failed)?;
        let allows = match authorizer.authorize() {
            Ok(_) => true,
            Err(Token::FailedLogic(_)) => false,
            Err(error) => return Err(failed(error)),
        };
        for answer in &self.bare.0.program.written.answers {
            if let Source::Query(rule) = &answer.source {
                let facts: Vec<Fact> = authorizer.query(rule.clone()).map_err(failed)?;
                drop(std::hint::black_box(facts));
            }
        }
        Ok(allows)
    }
}
