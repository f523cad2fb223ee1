//! Holds the floors of ARCHITECTURE.md: a crate depends only on crates of lower floors, and the core on no runtime.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// Every crate of the workspace and its floor; `rego-builtins` stands on the same ground as the core, and knows
/// nothing of it.
const FLOORS: [(&str, u8); 10] = [
    ("tribunal-rego-builtins", 0),
    ("tribunal-engine-core", 0),
    ("tribunal-engine-wasm", 1),
    ("tribunal-engine-rego-native", 1),
    ("tribunal-engine-cedar", 1),
    ("tribunal-engine-biscuit", 1),
    ("tribunal", 2),
    ("tribunal-conformance", 3),
    ("tribunal-benches", 4),
    ("tribunal-cli", 5),
];

/// What must never be below the facade: the contract and the engines run on whatever thread they are called on, and
/// write to no terminal.
const NO_RUNTIME: [&str; 3] = ["tokio", "clap", "indicatif"];

#[test]
fn dependencies_point_down_only() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata is JSON");
    let floors = BTreeMap::from(FLOORS);
    let packages = metadata["packages"].as_array().expect("packages");
    assert_eq!(packages.len(), FLOORS.len(), "a crate without a floor, or a floor without its crate");
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        let floor = floors.get(name).unwrap_or_else(|| panic!("`{name}` has no floor"));
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let on = dependency["name"].as_str().expect("a name");
            if dependency["kind"].as_str() == Some("dev") {
                continue;
            }
            if let Some(lower) = floors.get(on) {
                assert!(lower < floor, "`{name}` on floor {floor} depends on `{on}` on floor {lower}");
            }
            assert!(*floor > 1 || !NO_RUNTIME.contains(&on), "`{name}` on floor {floor} depends on `{on}`");
        }
    }
}
