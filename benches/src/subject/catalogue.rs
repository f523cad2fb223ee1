//! Every candidate by name.

use tribunal::core::engine::Registry;

use super::ours::{Level, Ours};
use super::{Candidate, Kind};

/// What can be measured, in the order of tables.
#[derive(Debug)]
pub struct Catalogue {
    candidates: Vec<Box<dyn Candidate>>,
}

/// The order in which engines stand in tables; the first is what others are compared with where nobody says.
const ORDER: [&str; 4] = ["rego-wasm", "rego-native", "cedar", "biscuit"];

impl Catalogue {
    /// Our engines with their levels, the floors below them and the peers beside them.
    pub fn new(registry: &Registry) -> Self {
        let mut engines: Vec<&str> = registry.known().collect();
        // Engines of others come last, by name.
        engines.sort_by_key(|engine| ORDER.iter().position(|known| known == engine).unwrap_or(ORDER.len()));
        let mut candidates: Vec<Box<dyn Candidate>> = Vec::new();
        for level in Level::ALL {
            for engine in &engines {
                candidates.push(Box::new(Ours::new(engine, level)));
            }
        }
        let mut catalogue = Self { candidates };
        super::floor::add(&mut catalogue);
        super::peer::add(&mut catalogue);
        catalogue
    }

    /// Puts another candidate in.
    pub fn add(&mut self, candidate: impl Candidate + 'static) {
        self.candidates.push(Box::new(candidate));
    }

    /// A candidate by name.
    pub fn get(&self, name: &str) -> Option<&dyn Candidate> {
        self.candidates.iter().find(|candidate| candidate.name() == name).map(AsRef::as_ref)
    }

    /// Every candidate.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Candidate> {
        self.candidates.iter().map(AsRef::as_ref)
    }

    /// Whether a definition may name this.
    pub fn knows(&self, word: &str) -> bool {
        group(word).is_some() || self.get(word).is_some()
    }

    /// What a definition may name.
    pub fn words(&self) -> Vec<String> {
        let groups = ["engines", "floors", "peers"].map(str::to_owned);
        groups.into_iter().chain(self.iter().map(|candidate| candidate.name().to_owned())).collect()
    }

    /// The candidates that words name, each once, in the order of tables; the engines, if there is no word. With `engines`,
    /// only those that are one of them or stand beside one.
    pub fn chosen(&self, words: &[String], engines: &[String]) -> Vec<&dyn Candidate> {
        let is_named = |candidate: &dyn Candidate| match words {
            [] => candidate.kind() == Kind::Engine,
            words => {
                words.iter().any(|word| group(word) == Some(candidate.kind()) || word == candidate.name())
            }
        };
        let is_wanted = |candidate: &dyn Candidate| {
            engines.is_empty()
                || candidate.engine().is_empty()
                || engines.iter().any(|engine| engine == candidate.engine())
        };
        self.iter().filter(|candidate| is_named(*candidate) && is_wanted(*candidate)).collect()
    }
}

fn group(word: &str) -> Option<Kind> {
    match word {
        "engines" => Some(Kind::Engine),
        "floors" => Some(Kind::Floor),
        "peers" => Some(Kind::Peer),
        _ => None,
    }
}
