//! The packs that this program carries, so that there is something to measure in any folder.

use tribunal::core::pack::PackFiles;

/// The pack that is measured where nobody names one.
pub const DEFAULT: &str = "tool-allowlist";

/// Every pack carried.
pub const NAMES: [&str; 2] = [DEFAULT, "session-budget"];

macro_rules! files {
    ($pack:literal: $($path:literal),+ $(,)?) => {
        &[$(($path, include_bytes!(concat!("../../packs/", $pack, "/", $path)))),+]
    };
}

/// A pack that this program carries, with its cases.
pub fn files(name: &str) -> Option<PackFiles> {
    let files: &[(&str, &[u8])] = match name {
        "tool-allowlist" => files!["tool-allowlist":
            "README.md",
            "cases/decisions.yaml",
            "cases/shape.yaml",
            "data.json",
            "data.schema.json",
            "entities.json",
            "input.schema.json",
            "pack.lock",
            "pack.yaml",
            "parity/equivalent-mutants.yaml",
            "policy.biscuit",
            "policy.cedar",
            "policy.rego",
            "policy.wasm",
            "policy_test.rego",
            "schema.cedarschema",
        ],
        "session-budget" => files!["session-budget":
            "README.md",
            "cases/decisions.yaml",
            "cases/shape.yaml",
            "data.json",
            "data.schema.json",
            "entities.json",
            "input.schema.json",
            "pack.lock",
            "pack.yaml",
            "parity/equivalent-mutants.yaml",
            "policy.biscuit",
            "policy.cedar",
            "policy.rego",
            "policy.wasm",
            "schema.cedarschema",
        ],
        _ => return None,
    };
    Some(PackFiles::new(files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec()))))
}

#[cfg(test)]
mod tests {
    use tribunal::files::read_pack;

    #[test]
    fn the_packs_carried_are_the_packs_shipped() {
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
