//! Loading: everything that can be known to be wrong before the first request.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use tribunal_engine_core::document::with_nearest;
use tribunal_engine_core::engine::{
    Capabilities, Capability, Engine, EngineFactory, EngineInfo, LoadContext, LoadError, LoadErrorKind,
    LoadErrors, Mutant, Vocabulary,
};
use tribunal_engine_core::fault::{FaultKind, LimitKind};
use tribunal_engine_core::limits::{Bytes, Limits};
use tribunal_engine_core::pack::lock;
use tribunal_engine_core::pack::{PackSource, TokenMode, files};

use crate::decide::WasmEngine;
use crate::host::HostBuiltins;
use crate::image::Image;
use crate::instance::{Budget, Instance};
use crate::module::{MAX_MODULE_BYTES, ModuleError, OpaModule};
use crate::plan::Plan;
use crate::pool::{Blueprint, Pool};
use crate::runtime::{self, MAX_STACK, Runtime, WASMTIME_VERSION};
use crate::settings::{Question, Settings};
use crate::{ID, MODULE, mutate, stop, vocabulary};

/// Instructions an evaluation may use where nobody says: about a tenth of a second. Reading a request of 1 MiB takes two
/// thirds of it.
pub const DEFAULT_FUEL: u64 = 100_000_000;
/// Memory of an instance where nobody says.
pub const DEFAULT_MEMORY: Bytes = Bytes(16 << 20);
/// Size of an answer where nobody says.
pub const DEFAULT_OUTPUT: Bytes = Bytes(256 << 10);
/// Arguments that a host built-in can have in OPA's ABI.
const MAX_ARITY: u8 = 4;

/// Loads packs whose Rego was compiled to WebAssembly by OPA.
#[derive(Debug, Clone, Copy, Default)]
pub struct RegoWasmFactory;

impl EngineFactory for RegoWasmFactory {
    fn info(&self) -> EngineInfo {
        EngineInfo { id: ID, version: format!("wasmtime {WASMTIME_VERSION}") }
    }

    fn capabilities(&self) -> Capabilities {
        let can = BTreeSet::from([
            Capability::Regex,
            Capability::Floats,
            Capability::Null,
            Capability::OrderedLists,
            Capability::Iteration,
            Capability::StringFunctions,
            Capability::OpenRequests,
            Capability::Fuel,
            Capability::Deadline,
            Capability::Memory,
            Capability::Output,
        ]);
        let bounds = vec![
            format!("limits.fuel is {DEFAULT_FUEL} where nobody sets it"),
            format!(
                "limits.memory is {DEFAULT_MEMORY} an instance where nobody sets it; the pack's data counts"
            ),
            format!("limits.output is {DEFAULT_OUTPUT} where nobody sets it"),
            "limits.deadline is held to the millisecond, never early; there is none where nobody sets one"
                .to_owned(),
            "limits.facts and limits.iterations are Datalog's; limits.fuel bounds the same work here"
                .to_owned(),
            format!("an evaluation has {} of native stack", Bytes(MAX_STACK as u64)),
            format!("a module has at most {}", Bytes(MAX_MODULE_BYTES as u64)),
        ];
        Capabilities { can, bounds }
    }

    fn settings_schema(&self) -> Value {
        schemars::schema_for!(Settings).to_value()
    }

    fn load(&self, pack: &PackSource, context: &LoadContext) -> Result<Arc<dyn Engine>, LoadErrors> {
        Ok(Arc::new(load(pack, context)?))
    }

    fn vocabulary(&self, pack: &PackSource) -> Result<Vocabulary, LoadErrors> {
        let (image, plan) = policy(pack)?;
        Ok(vocabulary::vocabulary(&image, &plan))
    }

    fn mutants(&self, pack: &PackSource) -> Result<Vec<Mutant>, LoadErrors> {
        let (image, plan) = policy(pack)?;
        Ok(mutate::mutants(pack, &image, &plan)?)
    }
}

/// The module that the lock vouches for, and its policy.
fn policy(pack: &PackSource) -> Result<(Image<'_>, Plan), LoadErrors> {
    let (_, question) = Settings::of(pack)?;
    let bytes = locked_module(pack)?;
    let refused = |error: ModuleError| unusable(pack, &error);
    OpaModule::read(bytes).map_err(refused)?;
    let image = Image::read(bytes).map_err(refused)?;
    let plan = Plan::read(&image, &question).map_err(refused)?;
    Ok((image, plan))
}

pub(crate) fn unusable(pack: &PackSource, error: &ModuleError) -> LoadError {
    LoadError::new(error.kind(), format!("`{}`: {error}", pack.file_name(MODULE)))
}

/// Loads a pack.
pub(crate) fn load(pack: &PackSource, context: &LoadContext) -> Result<WasmEngine, LoadErrors> {
    let (settings, question) = Settings::of(pack)?;
    let mut errors = strictness(pack, &settings);
    if pack.manifest.token == TokenMode::Required {
        let message = format!("the pack needs a token, and `{ID}` cannot read one");
        errors.push(pack.manifest_error(LoadErrorKind::Unsupported, &["token"], message));
    }
    let module = match locked_module(pack) {
        Ok(module) => Some(module),
        Err(found) => {
            errors.extend(found);
            None
        }
    };
    let module = match module.map(OpaModule::read) {
        Some(Err(error)) => {
            errors.push(unusable(pack, &error));
            None
        }
        Some(Ok(module)) => Some(module),
        None => None,
    };
    // Nothing is compiled for a pack that is refused anyway.
    LoadErrors::check(errors)?;
    let Some(module) = module else { return Err(missing_module(pack).into()) };
    start(pack, &module, &question, &context.limits, context.cache.as_deref())
}

/// A module built by OPA cannot report the errors of its own built-ins: the pack has to say that it knows, and its input
/// schema has to close the types that its rules read.
fn strictness(pack: &PackSource, settings: &Settings) -> Vec<LoadError> {
    let mut errors = Vec::new();
    if settings.strict_builtin_errors != Some(false) {
        let message =
            "built-in errors are faults, and a module built by OPA cannot report those of its own built-ins";
        errors.push(
            pack.manifest_error(LoadErrorKind::Unsupported, &["engines", ID, "strict_builtin_errors"], message)
                .help("write `strict_builtin_errors: false` if the input schema closes the types that the rules read, or use the engine `rego-native`"),
        );
    }
    if pack.input_schema.is_none() && pack.manifest.input_schema.is_none() {
        let message = "a pack whose built-in errors are swallowed needs an input schema that closes the types its rules read";
        errors.push(
            pack.manifest_error(LoadErrorKind::Unsupported, &["engines", ID], message)
                .help("add `input.schema.json`, or say `input_schema: none`"),
        );
    }
    errors
}

/// Whether a pack has a module, and the lock vouches that it is the one its sources make.
///
/// # Errors
/// Why there is none that may run, and what to do about it.
pub fn is_built(pack: &PackSource) -> Result<(), LoadErrors> {
    locked_module(pack).map(drop)
}

/// The module's bytes, if the lock vouches for them.
pub(crate) fn locked_module(pack: &PackSource) -> Result<&[u8], LoadErrors> {
    let Some(module) = pack.files.get(MODULE) else { return Err(missing_module(pack).into()) };
    let name = pack.file_name(MODULE);
    let artefact = |message: String| LoadError::new(LoadErrorKind::Artefact, message);
    let build = format!("run `tribunal pack build {}`", pack.origin);
    let Some(lock) = &pack.lock else {
        let message = format!("nothing vouches for `{name}`: there is no `{}`", lock::FILE);
        return Err(artefact(message).help(build).into());
    };
    let mut errors = Vec::new();
    if lock.module.path != MODULE {
        errors.push(artefact(format!(
            "`{}` vouches for `{}`, not for `{MODULE}`",
            pack.file_name(lock::FILE),
            lock.module.path
        )));
    }
    if lock.module.digest != files::digest(module) {
        errors.push(
            artefact(format!("`{name}` is not the module that `{}` vouches for", lock::FILE))
                .help(build.clone()),
        );
    }
    if lock.sources != pack.files.rego_digest() {
        let message = format!(
            "sources newer than their build: the Rego of `{}` is not what `{MODULE}` was built from",
            pack.origin
        );
        errors.push(artefact(message).help(build));
    }
    LoadErrors::check(errors)?;
    Ok(module)
}

fn missing_module(pack: &PackSource) -> LoadError {
    let name = pack.file_name(MODULE);
    if pack.lock.is_some() {
        // It was built once: that it is gone is no reason to decide on another engine.
        let message = format!("`{name}`, which `{}` vouches for, is missing", lock::FILE);
        return LoadError::new(LoadErrorKind::Artefact, message)
            .help(format!("run `tribunal pack build {}`", pack.origin));
    }
    if pack.files.rego_sources().next().is_none() {
        return LoadError::new(LoadErrorKind::MissingFile, format!("`{name}` is missing"));
    }
    LoadError::new(
        LoadErrorKind::EngineAbsent,
        format!("the Rego of `{}` is not compiled: `{name}` is missing", pack.origin),
    )
    .help(format!("run `tribunal pack build {}`, or use the engine `rego-native`", pack.origin))
}

/// Compiles and starts the module, and checks what only a running module tells.
fn start(
    pack: &PackSource,
    module: &OpaModule,
    question: &Question<String>,
    limits: &Limits,
    cache: Option<&Path>,
) -> Result<WasmEngine, LoadErrors> {
    let name = pack.file_name(MODULE);
    let memory_limit = limits.memory.unwrap_or(DEFAULT_MEMORY).0;
    if module.memory > memory_limit {
        let message = format!(
            "`{name}` needs {} of memory to begin with, more than `limits.memory` of {}",
            Bytes(module.memory),
            Bytes(memory_limit)
        );
        return Err(LoadError::new(LoadErrorKind::Bounds, message).into());
    }
    let runtime = Runtime::get(limits.deadline.is_some()).map_err(|error| {
        LoadError::new(LoadErrorKind::Unsupported, format!("wasmtime does not run here: {error}"))
    })?;
    let compiled = runtime.compile(module, cache).map_err(|error| {
        LoadError::new(LoadErrorKind::Invalid, format!("`{name}` does not compile: {error:#}"))
    })?;

    let failed = |error: &wasmtime::Error| start_error(error, memory_limit);
    let mut first = Instance::start(&compiled, memory_limit).map_err(|error| failed(&error))?;
    let known = first.entrypoints().map_err(|error| failed(&error))?;
    let wanted = first.builtins().map_err(|error| failed(&error))?;
    let mut errors = Vec::new();
    let question = match find(pack, question, &known) {
        Ok(question) => Some(question),
        Err(found) => {
            errors.extend(found);
            None
        }
    };
    let builtins = match host_builtins(&name, wanted) {
        Ok(builtins) => Some(Arc::new(builtins)),
        Err(error) => {
            errors.push(error);
            None
        }
    };
    let (Some(question), Some(builtins)) = (question, builtins) else {
        LoadErrors::check(errors)?;
        return Err(LoadError::new(LoadErrorKind::Invalid, format!("`{name}` cannot be used")).into());
    };

    let blueprint = Blueprint { compiled, builtins, data: text(&pack.data), memory_limit };
    first.furnish(&blueprint.builtins, &blueprint.data).map_err(|error| failed(&error))?;
    let budget = Budget {
        fuel: limits.fuel.unwrap_or(DEFAULT_FUEL),
        ticks: limits.deadline.map(|deadline| runtime::ticks(deadline.0)),
        output: limits.output.unwrap_or(DEFAULT_OUTPUT).0,
    };
    Ok(WasmEngine { pool: Pool::new(blueprint, first), question, budget })
}

/// The numbers of the entrypoints that the pack names.
pub(crate) fn find(
    pack: &PackSource,
    question: &Question<String>,
    known: &BTreeMap<String, i32>,
) -> Result<Question<i32>, Vec<LoadError>> {
    let mut errors = Vec::new();
    for (keys, name) in question.entrypoints() {
        if !known.contains_key(name) {
            let place = [&["engines", ID], keys].concat();
            let message = format!("`{MODULE}` has no entrypoint `{name}`");
            let error = pack.manifest_error(LoadErrorKind::Invalid, &place, message);
            errors.push(with_nearest(error, name, &known.keys().cloned().collect::<Vec<_>>()));
        }
    }
    let found = match question {
        Question::Decision(entrypoint) => known.get(entrypoint).copied().map(Question::Decision),
        Question::AllowAndReason(allow, reason) => known
            .get(allow)
            .zip(known.get(reason))
            .map(|(allow, reason)| Question::AllowAndReason(*allow, *reason)),
    };
    found.ok_or(errors)
}

/// The host's built-ins, all of those that the module wants; an error names every one that is missing.
pub(crate) fn host_builtins(module: &str, wanted: BTreeMap<String, i32>) -> Result<HostBuiltins, LoadError> {
    let mut found = HostBuiltins::new();
    let mut missing = Vec::new();
    for (name, id) in wanted {
        match tribunal_rego_builtins::lookup(&name) {
            Some(builtin) if builtin.arity <= MAX_ARITY => {
                found.insert(id, builtin);
            }
            _ => missing.push(format!("`{name}`")),
        }
    }
    if missing.is_empty() {
        return Ok(found);
    }
    let message = format!("`{module}` calls built-ins that this host does not have: {}", missing.join(", "));
    Err(LoadError::new(LoadErrorKind::MissingBuiltin, message)
        .help("write the rules without them, or `derive` the facts they give"))
}

/// Why a module does not start, or cannot take its data.
pub(crate) fn start_error(error: &wasmtime::Error, memory_limit: u64) -> LoadError {
    let fault = stop::fault(error);
    let error = |kind, message: String| LoadError::new(kind, message);
    match fault.kind {
        FaultKind::Limit(LimitKind::Memory) => error(
            LoadErrorKind::Bounds,
            format!("`{MODULE}` and its data do not fit into `limits.memory` of {}", Bytes(memory_limit)),
        )
        .help("raise `limits.memory`, or give the pack less data"),
        FaultKind::Limit(_) => {
            error(LoadErrorKind::Bounds, format!("`{MODULE}` does not start within its limits: {fault}"))
        }
        _ => error(LoadErrorKind::Invalid, format!("`{MODULE}` does not start: {fault}")),
    }
}

/// Data as the module reads it.
pub(crate) fn text(data: &Value) -> Arc<[u8]> {
    data.to_string().into_bytes().into()
}
