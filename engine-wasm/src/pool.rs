//! Warm instances of one loaded pack.

use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::Result;

use crate::host::HostBuiltins;
use crate::instance::Instance;
use crate::runtime::Compiled;

/// What every instance of a pack is made from.
#[derive(Clone)]
pub(crate) struct Blueprint {
    pub(crate) compiled: Arc<Compiled>,
    pub(crate) builtins: Arc<HostBuiltins>,
    /// The pack's data as JSON.
    pub(crate) data: Arc<[u8]>,
    pub(crate) memory_limit: u64,
}

impl Blueprint {
    /// A fresh instance, ready to evaluate.
    pub(crate) fn instance(&self) -> Result<Instance> {
        let mut instance = Instance::start(&self.compiled, self.memory_limit)?;
        instance.furnish(&self.builtins, &self.data)?;
        Ok(instance)
    }
}

/// Instances that wait for work. The lock is held to take one or to give it back, never while one evaluates.
pub(crate) struct Pool {
    blueprint: Blueprint,
    idle: Mutex<Vec<Instance>>,
    /// How many are kept: twice the processors, for more cannot run at once for long.
    keep: usize,
}

impl Pool {
    /// A pool with its first instance.
    pub(crate) fn new(blueprint: Blueprint, first: Instance) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { blueprint, idle: Mutex::new(vec![first]), keep: 2 * processors }
    }

    /// What the instances are made from.
    pub(crate) fn blueprint(&self) -> &Blueprint {
        &self.blueprint
    }

    /// An instance to evaluate on. Whoever takes one gives it back only if the evaluation ended well: an error, or a panic,
    /// drops it.
    pub(crate) fn take(&self) -> Result<Instance> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| self.blueprint.instance(), Ok)
    }

    /// Gives an instance back.
    pub(crate) fn give(&self, instance: Instance) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.keep {
            idle.push(instance);
        }
    }

    /// How many instances wait.
    #[cfg(test)]
    pub(crate) fn idle(&self) -> usize {
        self.idle.lock().unwrap().len()
    }
}
