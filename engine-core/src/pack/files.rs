//! A pack's files in memory, and the digest over them.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

/// The files of a pack by their path inside it, `/` between folders. Whoever reads them from disk or from a bundle does so
/// elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackFiles(BTreeMap<String, Arc<[u8]>>);

impl PackFiles {
    /// Files by path.
    pub fn new(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        Self(files.into_iter().map(|(path, bytes)| (path, bytes.into())).collect())
    }

    /// One file's bytes.
    pub fn get(&self, path: &str) -> Option<&Arc<[u8]>> {
        self.0.get(path)
    }

    /// Puts a file in place, or takes its place.
    pub fn insert(&mut self, path: impl Into<String>, bytes: impl Into<Arc<[u8]>>) {
        self.0.insert(path.into(), bytes.into());
    }

    /// Every path, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The policy files with this extension, sorted by path; `cases/`, `scenarios/` and `parity/` hold none.
    pub fn with_extension<'f>(
        &'f self,
        extension: &'f str,
    ) -> impl Iterator<Item = (&'f str, &'f Arc<[u8]>)> {
        self.0.iter().filter_map(move |(path, bytes)| {
            let stem = path.strip_suffix(extension)?;
            (stem.ends_with('.') && is_policy_path(path)).then_some((path.as_str(), bytes))
        })
    }

    /// `sha256:` over the sorted lines `path sha256` of the files, `cases/`, `scenarios/`, `parity/` and `pack.lock` left
    /// out: none of them decides.
    pub fn digest(&self) -> String {
        let mut lines = String::new();
        for (path, bytes) in &self.0 {
            if path != super::lock::FILE && is_policy_path(path) {
                lines.push_str(&format!("{path} {}\n", hex::encode(Sha256::digest(bytes))));
            }
        }
        digest(lines.as_bytes())
    }

    /// `sha256:` over the Rego sources alone, as `pack.lock` records it: tests (`*_test.rego`) are no part of a module.
    pub fn rego_digest(&self) -> String {
        let mut lines = String::new();
        for (path, bytes) in self.rego_sources() {
            lines.push_str(&format!("{path} {}\n", hex::encode(Sha256::digest(bytes))));
        }
        digest(lines.as_bytes())
    }

    /// The Rego policies without their tests, sorted by path.
    pub fn rego_sources(&self) -> impl Iterator<Item = (&str, &Arc<[u8]>)> {
        self.with_extension("rego").filter(|(path, _)| !path.ends_with("_test.rego"))
    }
}

fn is_policy_path(path: &str) -> bool {
    !["cases/", "scenarios/", "parity/"].iter().any(|folder| path.starts_with(folder))
}

/// `sha256:` and the digest in lower-case hex.
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(files: &[(&str, &str)]) -> PackFiles {
        PackFiles::new(files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())))
    }

    #[test]
    fn the_digest_covers_what_decides() {
        let base = pack(&[("pack.yaml", "a"), ("policy.rego", "b")]);
        let same = pack(&[
            ("pack.yaml", "a"),
            ("policy.rego", "b"),
            ("pack.lock", "x"),
            ("cases/a.yaml", "y"),
            ("scenarios/a.yaml", "y"),
            ("parity/known-divergences.yaml", "z"),
        ]);
        assert_eq!(base.digest(), same.digest());
        for other in [
            pack(&[("pack.yaml", "a"), ("policy.rego", "B")]),
            pack(&[("pack.yaml", "a"), ("policy.rego2", "b")]),
            pack(&[("pack.yaml", "a"), ("policy.rego", "b"), ("data.json", "{}")]),
        ] {
            assert_ne!(base.digest(), other.digest());
        }
    }

    #[test]
    fn a_test_is_not_part_of_what_is_compiled() {
        let with_test = pack(&[("policy.rego", "b"), ("policy_test.rego", "c"), ("cases/x.rego", "d")]);
        assert_eq!(with_test.rego_digest(), pack(&[("policy.rego", "b")]).rego_digest());
        assert_eq!(with_test.with_extension("rego").count(), 2);
    }
}
