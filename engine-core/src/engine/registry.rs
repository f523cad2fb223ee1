//! Which engines there are. Public, so that third parties can add theirs without a fork.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::traits::EngineFactory;

/// The engines of this program, by name.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    factories: BTreeMap<&'static str, Arc<dyn EngineFactory>>,
    absent: BTreeSet<&'static str>,
}

/// Two engines under one name: which of them decides would depend on the order of registration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an engine named `{0}` is registered already")]
pub struct RegistryError(pub String);

impl Registry {
    /// No engines.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an engine.
    ///
    /// # Errors
    /// If one of its name is there already.
    pub fn add(&mut self, factory: impl EngineFactory + 'static) -> Result<(), RegistryError> {
        let id = factory.info().id;
        if self.factories.contains_key(id) {
            return Err(RegistryError(id.to_owned()));
        }
        self.factories.insert(id, Arc::new(factory));
        Ok(())
    }

    /// Says that an engine exists which this program was built without: packs may offer it and deployments name it, and
    /// a configured fallback may stand in for it.
    pub fn declare_absent(&mut self, id: &'static str) {
        self.absent.insert(id);
    }

    /// The engine of this name.
    pub fn get(&self, id: &str) -> Option<&Arc<dyn EngineFactory>> {
        self.factories.get(id)
    }

    /// All engines, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn EngineFactory>> {
        self.factories.values()
    }

    /// The names of engines this program was built without, sorted.
    pub fn absent(&self) -> impl Iterator<Item = &'static str> {
        self.absent.iter().copied().filter(|id| !self.factories.contains_key(id))
    }

    /// Every name that means an engine, there or not.
    pub fn known(&self) -> impl Iterator<Item = &'static str> {
        self.ids().chain(self.absent())
    }

    /// The names of the engines that are there, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &'static str> {
        self.factories.keys().copied()
    }
}
