//! The pack that this program carries, so that there is something to measure in any folder.

use tribunal::core::pack::PackFiles;

/// Its name.
pub const NAME: &str = "tool-allowlist";

macro_rules! files {
    ($($path:literal),+ $(,)?) => {
        [$(($path, include_bytes!(concat!("../../packs/tool-allowlist/", $path)).as_slice())),+]
    };
}

/// The pack `tool-allowlist`, with its cases.
pub fn files() -> PackFiles {
    let files = files![
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
    ];
    PackFiles::new(files.map(|(path, bytes)| (path.to_owned(), bytes.to_vec())))
}

#[cfg(test)]
mod tests {
    use tribunal::files::read_pack;

    #[test]
    fn the_pack_carried_is_the_pack_shipped() {
        let shipped = read_pack(&crate::shipped::packs().join(super::NAME)).unwrap();
        let carried = super::files();
        assert_eq!(carried.paths().collect::<Vec<_>>(), shipped.paths().collect::<Vec<_>>());
        for path in shipped.paths() {
            assert_eq!(carried.get(path), shipped.get(path), "{path}");
        }
    }
}
