//! Compiled modules on disk, seen from outside.
//!
//! Modules are also kept in the process while an engine holds them, so every load here is of a module of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use tribunal_engine_core::contract::Decision;
use tribunal_engine_core::engine::Engine;
use tribunal_engine_wasm::cache_refusal;
use wasm_encoder::{CustomSection, Encode, Section, SectionId};

use crate::harness::{Fixture, Pack, decide};

/// The fixture with a custom section, which makes it another module of the same meaning.
fn variant(mark: &str, cache: &Path) -> Pack {
    let mut wasm = Fixture::read("decisions").wasm;
    let section = CustomSection { name: "mark".into(), data: mark.as_bytes().into() };
    wasm.push(SectionId::Custom.into());
    section.encode(&mut wasm);
    assert_eq!(section.id(), 0);
    let settings = json!({"entrypoint": "t/decision", "strict_builtin_errors": false});
    let mut pack = Pack::around(tribunal_engine_core::pack::PackFiles::default(), wasm, vec![], settings);
    pack.context.cache = Some(cache.to_owned());
    pack
}

fn works(engine: &Arc<dyn Engine>) {
    assert_eq!(decide(&**engine, &json!({"tool": "search"})).unwrap(), Decision::allow());
    assert_eq!(decide(&**engine, &json!({"tool": "shell"})).unwrap(), Decision::deny("forbidden_tool"));
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_module_is_compiled_once_and_then_read_back() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("cache");
    let pack = variant("once", &folder);
    works(&pack.load().unwrap());
    let [entry] = entries(&folder).try_into().expect("one entry");
    let written = fs::metadata(&entry).unwrap().modified().unwrap();
    works(&pack.load().unwrap());
    assert_eq!(fs::metadata(&entry).unwrap().modified().unwrap(), written, "it was not written again");
    // Another limit is another runtime where it is a deadline, and the same code where not.
    works(&pack.clone().limits(json!({"fuel": 1_000_000})).load().unwrap());
    assert_eq!(entries(&folder).len(), 1);
    works(&pack.limits(json!({"deadline": "10s"})).load().unwrap());
    assert_eq!(entries(&folder).len(), 2);
}

#[test]
fn a_damaged_entry_is_compiled_again() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("cache");
    let pack = variant("damaged", &folder);
    works(&pack.load().unwrap());
    let [entry] = entries(&folder).try_into().expect("one entry");
    let whole = fs::read(&entry).unwrap();
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xff;
    for damaged in [&flipped[..], &whole[..whole.len() / 3], b""] {
        fs::write(&entry, damaged).unwrap();
        works(&pack.load().unwrap());
        assert_eq!(fs::read(&entry).unwrap().len(), whole.len(), "it was written again");
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_others_can_write_is_not_used() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("cache");
    let pack = variant("others", &folder);
    works(&pack.load().unwrap());
    let [entry] = entries(&folder).try_into().expect("one entry");

    // Whoever can write there puts code of their own under the right name. It must not run: here it would be refused by its
    // digest as well, so the entry is made to disappear instead, and must not come back.
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(cache_refusal(&folder).unwrap().contains("others can write it"));
    fs::remove_file(&entry).unwrap();
    works(&pack.load().unwrap());
    assert!(entries(&folder).is_empty(), "nothing is written to a folder that is not trusted");

    // A good entry in it is not read either: its time of last reading stays, and a damaged one is not mended.
    fs::write(&entry, "not an entry").unwrap();
    works(&pack.load().unwrap());
    assert_eq!(fs::read(&entry).unwrap(), b"not an entry");
}

#[test]
fn without_a_folder_everything_works() {
    let mut pack = variant("none", Path::new(""));
    pack.context.cache = None;
    works(&pack.load().unwrap());
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("file");
    fs::write(&file, "x").unwrap();
    works(&variant("file", &file).load().unwrap());
    works(&variant("below a file", &file.join("cache")).load().unwrap());
}
