//! The packs that this program carries, all that are shipped, so that there is something to measure in any folder.

use tribunal::core::pack::PackFiles;

/// The pack that is measured where nobody names one.
pub const DEFAULT: &str = "tool-allowlist";

/// Files of a pack, which all of them have, and its own.
macro_rules! files {
    ($pack:literal, $($path:literal),+) => {
        files!(@ $pack, "README.md", "data.json", "data.schema.json", "entities.json", "input.schema.json", "pack.lock",
            "pack.yaml", "policy.biscuit", "policy.cedar", "policy.rego", "policy.wasm", "schema.cedarschema", $($path),+)
    };
    (@ $pack:literal, $($path:literal),+) => {
        &[$(($path, include_bytes!(concat!("../../packs/", $pack, "/", $path)))),+]
    };
}

macro_rules! packs {
    ($($pack:literal: $($path:literal),+;)+) => {
        /// Every pack carried.
        pub const NAMES: &[&str] = &[$($pack),+];

        /// A pack that this program carries, with its cases.
        pub fn files(name: &str) -> Option<PackFiles> {
            let files: &[(&str, &[u8])] = match name {
                $($pack => files!($pack, $($path),+),)+
                _ => return None,
            };
            Some(PackFiles::new(files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec()))))
        }
    };
}

packs! {
    "tool-allowlist":
        "cases/decisions.yaml",
        "cases/shape.yaml",
        "parity/equivalent-mutants.yaml",
        "policy_test.rego";
    "authzen-todo":
        "cases/LICENSE",
        "cases/evaluation.yaml",
        "cases/evaluations.yaml",
        "cases/near-misses.yaml",
        "cases/shape.yaml",
        "parity/equivalent-mutants.yaml";
    "budget-caps":
        "cases/decisions.yaml",
        "cases/near-misses.yaml",
        "cases/shape.yaml",
        "policy_test.rego";
    "coding-agent":
        "cases/commands.yaml",
        "cases/pushes.yaml",
        "cases/reads.yaml",
        "cases/servers.yaml",
        "cases/shape.yaml",
        "cases/writes.yaml",
        "policy_test.rego";
    "default":
        "cases/findings.yaml",
        "cases/kinds.yaml",
        "cases/shape.yaml",
        "policy_test.rego";
    "destination-allowlist":
        "cases/decisions.yaml",
        "cases/shape.yaml",
        "parity/equivalent-mutants.yaml";
    "egress-allowlist":
        "cases/decisions.yaml",
        "cases/near-misses.yaml",
        "cases/shape.yaml",
        "parity/equivalent-mutants.yaml";
    "model-provider":
        "cases/decisions.yaml",
        "cases/shape.yaml",
        "parity/equivalent-mutants.yaml";
    "pii":
        "cases/contact.yaml",
        "cases/credentials.yaml",
        "cases/decisions.yaml",
        "cases/identity.yaml",
        "cases/payment.yaml",
        "cases/shape.yaml",
        "policy_test.rego";
    "prompt-injection":
        "cases/credentials.yaml",
        "cases/encoded.yaml",
        "cases/exfiltration.yaml",
        "cases/hidden.yaml",
        "cases/invisible.yaml",
        "cases/languages.yaml",
        "cases/links.yaml",
        "cases/overrides.yaml",
        "cases/pretexts.yaml",
        "cases/roles.yaml",
        "cases/shape.yaml",
        "cases/tools.yaml",
        "parity/equivalent-mutants.yaml",
        "policy_test.rego";
    "regulated-finance":
        "cases/decisions.yaml",
        "cases/shape.yaml",
        "policy_test.rego";
    "regulated-health":
        "cases/decisions.yaml",
        "cases/shape.yaml",
        "policy_test.rego";
    "regulated-public":
        "cases/decisions.yaml",
        "cases/shape.yaml",
        "policy_test.rego";
    "session-budget":
        "cases/decisions.yaml",
        "cases/shape.yaml",
        "parity/equivalent-mutants.yaml";
    "step-up-tools":
        "cases/decisions.yaml",
        "cases/shape.yaml",
        "parity/equivalent-mutants.yaml",
        "policy_test.rego";
    "tool-acl":
        "cases/decisions.yaml",
        "cases/near-misses.yaml",
        "cases/shape.yaml",
        "policy_test.rego";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tribunal::files::read_pack;

    #[test]
    fn the_packs_carried_are_the_packs_shipped() {
        let shipped = std::fs::read_dir(crate::shipped::packs()).unwrap().map(|entry| entry.unwrap().path());
        let shipped = shipped.filter(|folder| folder.join("pack.yaml").exists());
        let shipped: BTreeSet<_> =
            shipped.map(|folder| folder.file_name().unwrap().to_str().unwrap().to_owned()).collect();
        assert_eq!(shipped, super::NAMES.iter().map(|name| (*name).to_owned()).collect());
        for name in super::NAMES {
            let shipped = read_pack(&crate::shipped::packs().join(name)).unwrap();
            let carried = super::files(name).unwrap();
            assert_eq!(carried.paths().collect::<Vec<_>>(), shipped.paths().collect::<Vec<_>>());
            for path in shipped.paths() {
                assert_eq!(carried.get(path), shipped.get(path), "{name}/{path}");
            }
        }
    }
}
