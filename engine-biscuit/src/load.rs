//! Loading a pack.

use std::sync::Arc;
use std::time::Duration;

use biscuit_auth::AuthorizerLimits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tribunal_engine_core::engine::{
    Capabilities, Capability, Engine, EngineFactory, EngineInfo, LoadContext, LoadError, LoadErrorKind,
    LoadErrors, Mutant, Vocabulary,
};
use tribunal_engine_core::limits::Limits;
use tribunal_engine_core::pack::{PackSource, TokenMode};

use crate::bounds::{MAX_BODY, MAX_CLOSURES, MAX_WORK};
use crate::credential::{MAX_BLOCKS, MAX_TOKEN};
use crate::decide::{BiscuitEngine, Parts};
use crate::lint;
use crate::program::Program;
use crate::syntax::{self, MAX_DEPTH, MAX_OPERATORS, MAX_SOURCE, PolicyFile, Statement};
use crate::{mutate, vocabulary};

/// The engine's name.
const ID: &str = "biscuit";
/// Files with policies.
const EXTENSION: &str = "biscuit";

/// Facts where nobody sets `limits.facts`.
const FACTS: u64 = 1_000;
/// Rounds where nobody sets `limits.iterations`.
const ITERATIONS: u64 = 30;
/// Time where nobody sets `limits.deadline`. The other limits are reached first, and those give the same answer each time.
const DEADLINE: Duration = Duration::from_secs(1);
/// The most that `limits.deadline` counts for: the evaluator cannot add an unbounded time to its clock.
const LONGEST_DEADLINE: Duration = Duration::from_secs(60);
/// Bytes of reasons and patches where nobody sets `limits.output`.
const OUTPUT: u64 = 1 << 20;

/// Loads packs written in Biscuit Datalog.
#[derive(Debug, Clone, Copy, Default)]
pub struct BiscuitFactory;

/// Settings of this engine in `pack.yaml`: there are none yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Settings {}

impl EngineFactory for BiscuitFactory {
    fn info(&self) -> EngineInfo {
        EngineInfo { id: ID, version: "biscuit-auth 6.0.0".to_owned() }
    }

    fn capabilities(&self) -> Capabilities {
        let can = [
            Capability::Regex,
            Capability::OrderedLists,
            Capability::Iteration,
            Capability::Tokens,
            Capability::StrictBuiltins,
            Capability::Rules,
            Capability::Trace,
            Capability::Deadline,
            Capability::Output,
            Capability::Facts,
            Capability::Iterations,
        ];
        let bounds = vec![
            format!("facts: {FACTS} by default, those of the pack, the request and the token included"),
            format!("iterations: {ITERATIONS} by default"),
            format!(
                "deadline: {} s by default, {} s at most; looked at between rules, so work is bounded before it begins",
                DEADLINE.as_secs(),
                LONGEST_DEADLINE.as_secs()
            ),
            format!("output: {OUTPUT} bytes of reasons and patches by default"),
            format!(
                "work (in place of fuel): {MAX_WORK} facts tried or expressions evaluated, counted from above at load and for each token and request"
            ),
            format!(
                "memory: bounded by the facts, the policy files ({MAX_SOURCE} bytes together) and the request's own bounds"
            ),
            format!(
                "a rule, check or policy: {MAX_BODY} predicates, {MAX_OPERATORS} operators, {MAX_DEPTH} levels of nesting, {MAX_CLOSURES} of closures"
            ),
            format!("a token: {MAX_TOKEN} bytes, {MAX_BLOCKS} blocks"),
        ];
        Capabilities { can: can.into(), bounds }
    }

    fn settings_schema(&self) -> Value {
        schemars::schema_for!(Settings).to_value()
    }

    fn load(&self, pack: &PackSource, context: &LoadContext) -> Result<Arc<dyn Engine>, LoadErrors> {
        Ok(Arc::new(load(pack, context)?))
    }

    fn vocabulary(&self, pack: &PackSource) -> Result<Vocabulary, LoadErrors> {
        Ok(vocabulary::of(&sound(pack)?, pack.input_schema.as_ref()))
    }

    fn mutants(&self, pack: &PackSource) -> Result<Vec<Mutant>, LoadErrors> {
        Ok(mutate::mutants(&sound(pack)?))
    }
}

/// Loads a pack.
pub(crate) fn load(pack: &PackSource, context: &LoadContext) -> Result<BiscuitEngine, LoadErrors> {
    let Settings {} = pack.settings(ID)?;
    let mut errors = Vec::new();
    if pack.input_schema.is_none() {
        let message =
            "Biscuit sees the members that an input schema names: a pack without one cannot run on it";
        errors.push(pack.manifest_error(LoadErrorKind::Unsupported, &["input_schema"], message));
    }
    let limits = evaluator_limits(&context.limits, &mut errors);
    let files = read(pack, &mut errors);
    let statements: Vec<Statement> = files.into_iter().flat_map(|file| file.statements).collect();
    if errors.is_empty() {
        errors.extend(lint::check(&statements));
    }
    if let (Some(statement), false) =
        (Program::trusts(&statements), pack.manifest.token == TokenMode::Required)
    {
        let message = "this statement trusts a token, but the pack does not require one";
        let help = "say `token: required` in pack.yaml";
        errors
            .push(LoadError::new(LoadErrorKind::Invalid, message).at(statement.location.clone()).help(help));
    }
    LoadErrors::check(errors)?;
    let program = Program::new(statements)
        .map_err(|error| LoadErrors::from(LoadError::new(LoadErrorKind::Invalid, format!("{error:?}"))))?;
    let parts = Parts {
        program: Arc::new(program),
        mode: pack.manifest.token,
        trust: Arc::clone(&context.trust),
        limits,
        output: context.limits.output.map_or(OUTPUT, |bytes| bytes.0),
    };
    BiscuitEngine::new(parts, &pack.data)
}

/// The policy files of a pack that offers this engine, where they say nothing that a policy must not.
fn sound(pack: &PackSource) -> Result<Vec<PolicyFile<'_>>, LoadErrors> {
    let Settings {} = pack.settings(ID)?;
    let mut errors = Vec::new();
    let files = read(pack, &mut errors);
    LoadErrors::check(errors)?;
    let statements: Vec<Statement> = files.iter().flat_map(|file| file.statements.clone()).collect();
    LoadErrors::check(lint::check(&statements))?;
    Ok(files)
}

/// The policy files of a pack in the order of their paths, each with its statements in the order of the text.
fn read<'p>(pack: &'p PackSource, errors: &mut Vec<LoadError>) -> Vec<PolicyFile<'p>> {
    let files: Vec<(&str, usize)> =
        pack.files.with_extension(EXTENSION).map(|(path, bytes)| (path, bytes.len())).collect();
    if files.is_empty() {
        let message = format!("`{}` is missing", pack.file_name("policy.biscuit"));
        errors.push(
            LoadError::new(LoadErrorKind::MissingFile, message)
                .help("a pack's Biscuit policies are its `*.biscuit` files"),
        );
    }
    let mut policies = Vec::new();
    let mut size = 0;
    for (path, length) in files {
        size += length;
        if size > MAX_SOURCE {
            let message = format!(
                "`{}`: the policy files have more than {MAX_SOURCE} bytes together",
                pack.file_name(path)
            );
            errors.push(LoadError::new(LoadErrorKind::Bounds, message));
            break;
        }
        let name = pack.file_name(path);
        match pack.text(path) {
            Ok(text) => match syntax::parse(path, &name, text) {
                Ok(statements) => policies.push(PolicyFile { path, name, text, statements }),
                Err(found) => errors.extend(found),
            },
            Err(error) => errors.push(error),
        }
    }
    policies
}

/// The limits the evaluator holds itself.
fn evaluator_limits(limits: &Limits, errors: &mut Vec<LoadError>) -> AuthorizerLimits {
    for (name, limit) in [("facts", limits.facts), ("iterations", limits.iterations)] {
        // The evaluator takes no rounds for rounds without end.
        if limit == Some(0) {
            errors.push(LoadError::new(LoadErrorKind::Bounds, format!("`limits.{name}` is zero")));
        }
    }
    AuthorizerLimits {
        max_facts: limits.facts.unwrap_or(FACTS),
        max_iterations: limits.iterations.unwrap_or(ITERATIONS),
        max_time: limits.deadline.map_or(DEADLINE, |span| span.0).min(LONGEST_DEADLINE),
    }
}
