//! What a module may ask of the host: memory within its limit, a way to abort, and the built-ins it lacks itself.
//!
//! Whose the store is, is left open ([`Hosting`]): decisions are made under limits ([`Host`]), and [`crate::bare::per_call`] has
//! none.

use std::collections::BTreeMap;
use std::sync::Arc;

use tribunal_rego_builtins::{Builtin, Context, Value};
use wasmtime::{Caller, Engine, Extern, Linker, ResourceLimiter, Result, Trap};

use crate::abi::{Abi, text_at};
use crate::stop::Stop;

/// What a call of a host built-in costs besides the instructions around it.
const CALL_FUEL: u64 = 2_000;
/// What each byte of its arguments costs.
const BYTE_FUEL: u64 = 20;
/// The longest message of an abort that is kept.
const MAX_MESSAGE: u64 = 4 << 10;
/// Entries in a module's table of functions. OPA's have a few hundred.
const MAX_TABLE: usize = 1 << 16;

/// The host's built-ins by the number that a module gives them.
pub(crate) type HostBuiltins = BTreeMap<i32, &'static Builtin>;

/// One instance's view of the host.
pub(crate) struct Host {
    pub(crate) memory_limit: u64,
    pub(crate) builtins: Arc<HostBuiltins>,
    pub(crate) context: Context,
    /// The instance's own functions, once it has started.
    pub(crate) abi: Option<Arc<Abi>>,
}

/// What the imports ask of whoever a store belongs to.
pub(crate) trait Hosting: Sized + 'static {
    /// The instance's own functions, once it has started.
    fn abi(&self) -> Option<Arc<Abi>>;

    /// The built-ins by the number that the module gives them.
    fn builtins(&self) -> &HostBuiltins;

    /// When it is.
    fn context(&self) -> Context;

    /// The longest text of an argument.
    fn text_limit(&self) -> u64;

    /// Takes what a call of a built-in costs, before it is called.
    ///
    /// # Errors
    /// If it is more than is left.
    fn pay(caller: &mut Caller<'_, Self>, cost: u64) -> Result<()>;
}

impl Hosting for Host {
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
        self.memory_limit
    }

    /// The host's work counts too: it is no way around the limit.
    fn pay(caller: &mut Caller<'_, Self>, cost: u64) -> Result<()> {
        let left = caller.get_fuel()?.checked_sub(cost).ok_or(Trap::OutOfFuel)?;
        caller.set_fuel(left)
    }
}

impl ResourceLimiter for Host {
    fn memory_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        if desired as u64 > self.memory_limit {
            Err(Stop::Memory(self.memory_limit).into())
        } else {
            Ok(true)
        }
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> Result<()> {
        Err(error)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        Ok(desired <= MAX_TABLE)
    }

    fn instances(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        1
    }

    fn memories(&self) -> usize {
        1
    }
}

/// The imports of OPA's ABI.
pub(crate) fn linker<H: Hosting>(engine: &Engine) -> Result<Linker<H>> {
    let mut linker = Linker::new(engine);
    linker.func_wrap("env", "opa_abort", |mut caller: Caller<'_, H>, message: i32| -> Result<()> {
        let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
            return Err(Stop::Abort("before there is a memory".to_owned()).into());
        };
        // An unreadable message changes nothing about the abort.
        let message = text_at(memory.data(&caller), message, MAX_MESSAGE);
        Err(Stop::Abort(message.unwrap_or_else(|error| format!("without a readable message ({error})")))
            .into())
    })?;
    // A library prints nothing, and what a policy prints is no part of its answer.
    linker.func_wrap("env", "opa_println", |_: i32| {})?;
    linker
        .func_wrap("env", "opa_builtin0", |caller: Caller<'_, H>, id: i32, _: i32| call(caller, id, &[]))?;
    linker.func_wrap("env", "opa_builtin1", |caller: Caller<'_, H>, id: i32, _: i32, a: i32| {
        call(caller, id, &[a])
    })?;
    linker.func_wrap("env", "opa_builtin2", |caller: Caller<'_, H>, id: i32, _: i32, a: i32, b: i32| {
        call(caller, id, &[a, b])
    })?;
    linker.func_wrap(
        "env",
        "opa_builtin3",
        |caller: Caller<'_, H>, id: i32, _: i32, a: i32, b: i32, c: i32| call(caller, id, &[a, b, c]),
    )?;
    linker.func_wrap(
        "env",
        "opa_builtin4",
        |caller: Caller<'_, H>, id: i32, _: i32, a: i32, b: i32, c: i32, d: i32| {
            call(caller, id, &[a, b, c, d])
        },
    )?;
    Ok(linker)
}

/// Calls a built-in: arguments and result cross as text in OPA's own format, which keeps sets and keys of any type.
///
/// A built-in that fails is *undefined* to the module (address 0), as in every host of OPA's ABI: the ABI has no other
/// way to say it. That is one reason why this engine cannot be strict.
fn call<H: Hosting>(mut caller: Caller<'_, H>, id: i32, arguments: &[i32]) -> Result<i32> {
    let abi = caller.data().abi();
    let abi = abi.ok_or_else(|| Stop::Abi("the module calls a built-in before it has started".to_owned()))?;
    let builtin = caller.data().builtins().get(&id).copied();
    let builtin = builtin
        .ok_or_else(|| Stop::Abi(format!("the module calls built-in {id}, which it does not name")))?;
    if arguments.len() != usize::from(builtin.arity) {
        let message = format!("the module calls `{}` with {} arguments", builtin.name, arguments.len());
        return Err(Stop::Abi(message).into());
    }
    let mut values = Vec::with_capacity(arguments.len());
    let mut cost = CALL_FUEL;
    for argument in arguments {
        let at = abi.value_dump.call(&mut caller, *argument)?;
        let text = abi.text(&caller, at, caller.data().text_limit())?;
        abi.free.call(&mut caller, at)?;
        cost = cost.saturating_add(BYTE_FUEL.saturating_mul(text.len() as u64));
        let value = Value::parse_rego(&text);
        values.push(value.map_err(|error| Stop::Abi(format!("an argument of `{}`: {error}", builtin.name)))?);
    }
    H::pay(&mut caller, cost)?;
    let context = caller.data().context();
    match builtin.call(&context, &values) {
        Ok(Some(value)) => abi.parse(&mut caller, value.to_rego().as_bytes()),
        Ok(None) | Err(_) => Ok(0),
    }
}
