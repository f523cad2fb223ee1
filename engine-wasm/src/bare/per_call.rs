//! The module as the seed library runs it: compiled once, and for each decision linked, instantiated, given its data and asked.
//!
//! It is the module as OPA built it, on wasmtime as it is without settings: memory is imported, and allocated for each
//! instance. In a decision's figure are, as there: a linker with every import, an instance, the look-up of each function, the
//! data and the input written and parsed, the entrypoint found by its name, the evaluation, and its answer read.
//!
//! In its favour, nothing is limited: there is no fuel, no deadline and no bound of memory, and what runs away is not stopped.
//! It is also spared that a decision changes threads, and that the input is serialised. What the seed has wrong is right here,
//! or no shipped pack could be asked: the module is given its memory, evaluation is the function `eval`, built-ins are
//! answered, and an answer that is no decision is a fault.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use tribunal_engine_core::engine::{LoadError, LoadErrorKind, LoadErrors};
use tribunal_engine_core::fault::Fault;
use tribunal_engine_core::pack::PackSource;
use tribunal_rego_builtins::Context;
use wasmtime::{Caller, Config, Engine, Memory, MemoryType, Module, Result, Store};

use super::{Input, no_entrypoint};
use crate::MODULE;
use crate::abi::Abi;
use crate::decide::answer;
use crate::host::{self, HostBuiltins, Hosting};
use crate::load::{self, locked_module, unusable};
use crate::module::{OpaModule, PAGE};
use crate::settings::{Question, Settings};
use crate::stop::{self, Stop};

/// Texts of any length.
const UNLIMITED: u64 = u64::MAX;

/// A module that is instantiated for each decision.
pub struct PerCall {
    module: Module,
    memory: MemoryType,
    builtins: Arc<HostBuiltins>,
    /// The pack's data as JSON.
    data: Arc<[u8]>,
    entrypoint: String,
}

impl PerCall {
    /// Compiles the module of a pack.
    ///
    /// # Errors
    /// Everything wrong with the pack, built-ins that this host does not have, and a pack that names two rules instead of an
    /// `entrypoint`.
    pub fn load(pack: &PackSource) -> Result<Self, LoadErrors> {
        let (_, question) = Settings::of(pack)?;
        let Question::Decision(entrypoint) = &question else { return Err(no_entrypoint(pack).into()) };
        let name = pack.file_name(MODULE);
        let bytes = locked_module(pack)?;
        let read = OpaModule::read(bytes).map_err(|error| unusable(pack, &error))?;
        let failed = |error: &wasmtime::Error| {
            LoadError::new(LoadErrorKind::Invalid, format!("`{name}` does not start: {error:#}"))
        };
        let module = Engine::new(&Config::new()).and_then(|engine| Module::from_binary(&engine, bytes));
        let module = module.map_err(|error| failed(&error))?;
        let declared = module.imports().find_map(|import| import.ty().memory().cloned());
        // `OpaModule::read` has found that the module imports its memory.
        let declared =
            declared.ok_or_else(|| failed(&Stop::Abi("it imports no memory".to_owned()).into()))?;
        let memory = memory(&declared, read.memory / PAGE).map_err(|error| failed(&error))?;
        let mut loaded = Self {
            module,
            memory,
            builtins: Arc::default(),
            data: load::text(&pack.data),
            entrypoint: entrypoint.clone(),
        };
        let mut started = loaded.start(Context { now_ns: 0 }).map_err(|error| failed(&error))?;
        let known = started.entrypoints().map_err(|error| failed(&error))?;
        let wanted = started.builtins().map_err(|error| failed(&error))?;
        if let Err(errors) = load::find(pack, &question, &known) {
            LoadErrors::check(errors)?;
        }
        loaded.builtins = Arc::new(load::host_builtins(&name, wanted)?);
        Ok(loaded)
    }

    /// One decision, of which nothing is kept for the next; `None` is undefined.
    ///
    /// # Errors
    /// The fault that a decision of the engine would have had, other than for a limit.
    pub fn decide(&self, input: &Input) -> Result<Option<Value>, Fault> {
        let text = self.start(input.context).and_then(|started| started.evaluate(self, &input.json));
        answer(&text.map_err(|error| stop::fault(&error))?)
    }

    /// Links and instantiates the module.
    fn start(&self, context: Context) -> Result<Started> {
        let engine = self.module.engine();
        let mut store = Store::new(engine, Seed { builtins: Arc::clone(&self.builtins), context, abi: None });
        let mut linker = host::linker(engine)?;
        let memory = Memory::new(&mut store, self.memory.clone())?;
        linker.define(&store, "env", "memory", memory)?;
        let instance = linker.instantiate(&mut store, &self.module)?;
        let abi = Arc::new(Abi::of(&mut store, &instance)?);
        store.data_mut().abi = Some(Arc::clone(&abi));
        Ok(Started { store, abi })
    }
}

/// A memory that the module takes, and into which its data segments fit: OPA declares less than that.
fn memory(declared: &MemoryType, pages: u64) -> Result<MemoryType> {
    let least = u32::try_from(declared.minimum().max(pages))?;
    Ok(MemoryType::new(least, declared.maximum().map(u32::try_from).transpose()?))
}

/// An instance that makes one decision.
struct Started {
    store: Store<Seed>,
    abi: Arc<Abi>,
}

impl Started {
    fn entrypoints(&mut self) -> Result<BTreeMap<String, i32>> {
        let at = self.abi.entrypoints.call(&mut self.store, ())?;
        self.names(at)
    }

    fn builtins(&mut self) -> Result<BTreeMap<String, i32>> {
        let at = self.abi.builtins.call(&mut self.store, ())?;
        self.names(at)
    }

    fn names(&mut self, value: i32) -> Result<BTreeMap<String, i32>> {
        let at = self.abi.json_dump.call(&mut self.store, value)?;
        let names = serde_json::from_str(&self.abi.text(&self.store, at, UNLIMITED)?);
        Ok(names.map_err(|error| Stop::Abi(format!("a list of names is not one: {error}")))?)
    }

    fn evaluate(mut self, of: &PerCall, input: &[u8]) -> Result<String> {
        let abi = Arc::clone(&self.abi);
        let heap = abi.heap_get.call(&mut self.store, ())?;
        abi.heap_set.call(&mut self.store, heap)?;
        let input = abi.parse(&mut self.store, input)?;
        let context = abi.context_new.call(&mut self.store, ())?;
        abi.set_input.call(&mut self.store, (context, input))?;
        let data = abi.parse(&mut self.store, &of.data)?;
        abi.set_data.call(&mut self.store, (context, data))?;
        let entrypoints = self.entrypoints()?;
        let gone = || Stop::Abi(format!("the module has no entrypoint `{}`", of.entrypoint));
        let entrypoint = *entrypoints.get(&of.entrypoint).ok_or_else(gone)?;
        abi.set_entrypoint.call(&mut self.store, (context, entrypoint))?;
        abi.eval.call(&mut self.store, context)?;
        let result = abi.result.call(&mut self.store, context)?;
        let at = abi.json_dump.call(&mut self.store, result)?;
        let text = abi.text(&self.store, at, UNLIMITED)?;
        abi.heap_set.call(&mut self.store, heap)?;
        Ok(text)
    }
}

/// The host of an instance that nothing limits.
struct Seed {
    builtins: Arc<HostBuiltins>,
    context: Context,
    abi: Option<Arc<Abi>>,
}

impl Hosting for Seed {
    fn abi(&self) -> Option<Arc<Abi>> {
        self.abi.clone()
    }

    fn builtins(&self) -> &HostBuiltins {
        &self.builtins
    }

    fn context(&self) -> Context {
        self.context
    }

    fn text_limit(&self) -> u64 {
        UNLIMITED
    }

    fn pay(_: &mut Caller<'_, Self>, _: u64) -> Result<()> {
        Ok(())
    }
}

impl fmt::Debug for PerCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerCall").field("entrypoint", &self.entrypoint).finish_non_exhaustive()
    }
}
