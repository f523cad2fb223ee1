//! The factory: what the engine can do, and how it takes a pack in.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use tribunal_engine_core::engine::{
    Capabilities, Capability, Engine, EngineFactory, EngineInfo, LoadContext, LoadError, LoadErrorKind,
    LoadErrors, Mutant, Vocabulary,
};
use tribunal_engine_core::pack::PackSource;

use crate::ID;
use crate::admission::{self, Admitted, bounds};
use crate::decide::RegoNative;
use crate::error::Report;
use crate::mutate;
use crate::settings::{Question, Settings};
use crate::text::Text;
use crate::vocabulary;
use crate::worker::{Policy, Source, Worker};

/// Time a decision may take where nobody says otherwise: generous, for a wall clock on a busy machine denies at random.
pub(crate) const DEADLINE: Duration = Duration::from_secs(1);

/// Bytes an answer may have where nobody says otherwise.
const OUTPUT: u64 = 256 << 10;

/// Loads packs for native Rego.
#[derive(Debug, Clone, Copy, Default)]
pub struct RegoNativeFactory;

impl EngineFactory for RegoNativeFactory {
    fn info(&self) -> EngineInfo {
        EngineInfo { id: ID, version: "regorus 0.14.1".to_owned() }
    }

    fn capabilities(&self) -> Capabilities {
        use Capability::*;
        Capabilities {
            can: [
                Regex,
                Floats,
                Null,
                OrderedLists,
                Iteration,
                StringFunctions,
                OpenRequests,
                StrictBuiltins,
                Trace,
                Deadline,
                Output,
            ]
            .into(),
            bounds: vec![
                format!(
                    "deadline {} ms, looked at between steps and before each built-in",
                    DEADLINE.as_millis()
                ),
                format!("output {} KiB", OUTPUT >> 10),
                "fuel, facts and iterations are other engines' terms: the deadline stands for them"
                    .to_owned(),
                "memory is bounded by the bounds on policies, on requests and on what one built-in may build"
                    .to_owned(),
                format!(
                    "{} KiB of Rego in a pack, lines of {} characters",
                    bounds::SOURCE_BYTES >> 10,
                    bounds::LINE_COLUMNS
                ),
                format!("{} brackets inside each other", bounds::BRACKETS),
                format!("no recursion; rules and expressions nested {} units deep", bounds::EVALUATION_DEPTH),
            ],
        }
    }

    fn settings_schema(&self) -> Json {
        schemars::schema_for!(Settings).to_value()
    }

    fn load(&self, pack: &PackSource, context: &LoadContext) -> Result<Arc<dyn Engine>, LoadErrors> {
        Ok(Arc::new(load(pack, context)?))
    }

    fn vocabulary(&self, pack: &PackSource) -> Result<Vocabulary, LoadErrors> {
        let settings: Settings = pack.settings(ID)?;
        let question = Question::of(&settings, pack)?;
        let sources = sources(pack, pack.files.rego_sources())?;
        admission::run(|| {
            let texts = texts(&sources)?;
            admission::inspect(&sources, pack, &question, settings.strict_builtin_errors, |symbols| {
                vocabulary::vocabulary(symbols, &texts, &pack.data, &question)
            })
        })
    }

    fn mutants(&self, pack: &PackSource) -> Result<Vec<Mutant>, LoadErrors> {
        let settings: Settings = pack.settings(ID)?;
        let strict = settings.strict_builtin_errors;
        let question = Question::of(&settings, pack)?;
        let sources = sources(pack, pack.files.rego_sources())?;
        admission::run(|| {
            let texts = texts(&sources)?;
            let changes = admission::inspect(&sources, pack, &question, strict, |symbols| {
                let vocabulary = vocabulary::vocabulary(symbols, &texts, &pack.data, &question);
                mutate::changes(symbols, &texts, &question, &vocabulary)
            })?;
            Ok(mutate::mutants(pack, &sources, &question, strict, changes))
        })
    }
}

/// Loads a pack.
pub(crate) fn load(pack: &PackSource, context: &LoadContext) -> Result<RegoNative, LoadErrors> {
    let settings: Settings = pack.settings(ID)?;
    let limits = &context.limits;
    let question = Question::of(&settings, pack)?;
    let sources = sources(pack, pack.files.rego_sources())?;
    let strict = settings.strict_builtin_errors;
    let Admitted { question, rules } = examine(&sources, pack, &question, strict)?;
    let policy = Policy {
        sources: sources.into(),
        data: pack.data.clone(),
        question,
        strict,
        deadline: limits.deadline.map_or(DEADLINE, |deadline| deadline.0),
        output: limits.output.map_or(OUTPUT, |output| output.0),
    };
    Ok(RegoNative::new(policy, rules.into()))
}

/// Finds everything wrong with a policy that can be known before the first request.
pub(crate) fn examine(
    sources: &[Source],
    pack: &PackSource,
    question: &Question,
    strict: bool,
) -> Result<Admitted, LoadErrors> {
    admission::run(|| {
        let admitted = admission::admit(sources, pack, question, strict)?;
        // What is wrong with a policy beyond what we check ourselves, regorus finds when it prepares it.
        let invalid = |report: Report| report.located(sources).load_error(LoadErrorKind::Invalid);
        let mut worker = Worker::build(sources, &pack.data, strict).map_err(invalid)?;
        for rule in admitted.question.all() {
            worker.prepare(rule).map_err(invalid)?;
        }
        Ok(admitted)
    })
}

/// Each file with its tokens.
fn texts(sources: &[Source]) -> Result<Vec<(&Source, Text<'_>)>, LoadErrors> {
    sources.iter().map(|source| Ok((source, Text::of(source)?))).collect()
}

/// Files of a pack as Rego.
pub(crate) fn sources<'p>(
    pack: &PackSource,
    files: impl Iterator<Item = (&'p str, &'p Arc<[u8]>)>,
) -> Result<Vec<Source>, LoadErrors> {
    let mut sources = Vec::new();
    let mut errors = Vec::new();
    for (path, _) in files {
        match pack.text(path) {
            Ok(text) => sources.push(Source { name: pack.file_name(path), text: text.to_owned() }),
            Err(error) => errors.push(error),
        }
    }
    if sources.is_empty() && errors.is_empty() {
        errors.push(LoadError::new(
            LoadErrorKind::MissingFile,
            format!("`{}` has no `.rego` file", pack.origin),
        ));
    }
    LoadErrors::check(errors)?;
    Ok(sources)
}
