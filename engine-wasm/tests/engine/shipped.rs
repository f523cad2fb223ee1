//! The packs that Tribunal ships, as this engine reads them.

use std::path::{Path, PathBuf};

use tribunal_engine_core::document::Document;
use tribunal_engine_core::engine::Registry;
use tribunal_engine_core::pack::{PackFiles, PackSource};
use tribunal_engine_wasm::RegoWasmFactory;

fn packs() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../packs"))
}

/// The names of the packs that offer this engine.
pub(crate) fn names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(packs())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().join("policy.wasm").exists())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() >= 7, "{names:?}");
    names
}

/// The files of a pack.
pub(crate) fn files(name: &str) -> PackFiles {
    let folder = packs().join(name);
    let mut files = PackFiles::default();
    collect(&folder, &folder, &mut files);
    files
}

fn collect(root: &Path, folder: &Path, files: &mut PackFiles) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            files.insert(name, std::fs::read(&path).unwrap());
        }
    }
}

/// The pack of these files, as if it offered this engine only: the others are not known here.
pub(crate) fn source(name: &str, mut files: PackFiles) -> PackSource {
    let mut manifest = Document::parse("pack.yaml", files.get("pack.yaml").unwrap()).unwrap().value;
    manifest["engines"].as_object_mut().unwrap().retain(|engine, _| engine == "rego-wasm");
    files.insert("pack.yaml", manifest.to_string().into_bytes());
    let mut registry = Registry::new();
    registry.add(RegoWasmFactory).unwrap();
    PackSource::read(&format!("packs/{name}"), files, &registry).unwrap()
}
