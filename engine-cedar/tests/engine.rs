//! What the Cedar engine promises.

#[cfg(test)]
#[path = "engine/annotations.rs"]
mod annotations;
#[cfg(test)]
#[path = "engine/bounds.rs"]
mod bounds;
#[cfg(test)]
#[path = "engine/decisions.rs"]
mod decisions;
#[cfg(test)]
#[path = "engine/entities.rs"]
mod entities;
#[cfg(test)]
#[path = "engine/index.rs"]
mod index;
#[cfg(test)]
#[path = "engine/load.rs"]
mod load;
#[cfg(test)]
#[path = "engine/measure.rs"]
mod measure;
#[cfg(test)]
#[path = "engine/mutate.rs"]
mod mutate;
#[cfg(test)]
#[path = "engine/reference.rs"]
mod reference;
#[cfg(test)]
#[path = "engine/representation.rs"]
mod representation;
#[cfg(test)]
#[path = "engine/store.rs"]
mod store;
#[cfg(test)]
#[path = "engine/support.rs"]
mod support;
#[cfg(test)]
#[path = "engine/vocabulary.rs"]
mod vocabulary;
