//! The search: that it finds what there is, finds nothing where there is nothing, and finds the same twice.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what the tests share may panic as the tests do: that is how a test fails"
)]

mod laws;
mod lists;
mod planted;
mod repeat;

use serde_json::Value;
use tribunal_conformance::case::suite::DEFAULT_NOW;
use tribunal_conformance::parity::Contestant;
use tribunal_conformance::search::Question;

/// A request as a question at the usual instant.
fn question(request: Value) -> Question {
    Question { request, now: DEFAULT_NOW, token: None }
}

/// A shipped pack.
fn shipped(name: &str) -> Contestant {
    let path = std::path::Path::new("../packs").join(name);
    let files = tribunal::files::read_pack(&path).unwrap();
    Contestant::read(&format!("packs/{name}"), files, &tribunal::registry()).unwrap()
}

/// A shipped pack with some files in the place of others.
fn changed(name: &str, files: &[(&str, &str)]) -> Contestant {
    let mut all = tribunal::files::read_pack(&std::path::Path::new("../packs").join(name)).unwrap();
    for (path, text) in files {
        all.insert((*path).to_owned(), text.as_bytes().to_vec());
    }
    Contestant::read(&format!("packs/{name}"), all, &tribunal::registry()).unwrap()
}
