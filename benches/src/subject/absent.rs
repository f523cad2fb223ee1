//! What this program was built without. It stays in the catalogue: a definition may name it wherever it is read, and tables say
//! that it is missing.

use super::{Candidate, Kind, Site, Subject, Unavailable};

/// A floor or a peer that is not in this program.
#[derive(Debug)]
pub(super) struct Absent {
    pub(super) name: &'static str,
    pub(super) engine: &'static str,
    pub(super) kind: Kind,
    pub(super) feature: &'static str,
}

impl Candidate for Absent {
    fn name(&self) -> &str {
        self.name
    }

    fn engine(&self) -> &str {
        self.engine
    }

    fn kind(&self) -> Kind {
        self.kind
    }

    fn about(&self) -> &str {
        "not in this program"
    }

    fn loads(&self) -> bool {
        false
    }

    fn open(&self, _: &Site) -> Result<Box<dyn Subject>, Unavailable> {
        let feature = self.feature;
        Err(Unavailable::Missing(format!(
            "`{}` needs a Unix and a program built with the feature `{feature}`",
            self.name
        )))
    }
}
