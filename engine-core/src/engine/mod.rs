//! What an engine is, to whoever dispatches to it and to whoever adds one.
//!
//! - [`traits`]: [`Engine`] and [`EngineFactory`], the two traits an engine crate implements
//! - [`prepared`]: the request as an engine sees it
//! - [`capability`]: what an engine declares that it can do
//! - [`error`]: why a pack is refused at load
//! - [`registry`]: which engines there are
//! - [`vocabulary`], [`mutant`]: what a comparison of engines asks of an engine's policies

pub mod capability;
pub mod error;
pub mod mutant;
pub mod prepared;
pub mod registry;
pub mod traits;
pub mod vocabulary;

pub use capability::{Capabilities, Capability};
pub use error::{LoadError, LoadErrorKind, LoadErrors};
pub use mutant::{Mutant, Mutation};
pub use prepared::Prepared;
pub use registry::{Registry, RegistryError};
pub use traits::{
    Engine, EngineFactory, EngineInfo, Explanation, LoadContext, RootKey, RuleTrace, Trust, Verdict,
};
pub use vocabulary::{Form, Literal, RuleVocabulary, Vocabulary};
