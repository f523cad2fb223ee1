//! Packs whose files were changed after they were built, deployed with a fallback: only absence lets that in.

use std::path::Path;
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};
use serde_json::json;
use tribunal::LoadErrors;
use tribunal::core::config::PackEntry;
use tribunal::core::dispatch::LoadedPack;
use tribunal::core::engine::{LoadContext, LoadErrorKind};
use tribunal::core::pack::{PackFiles, PackSource};

use crate::packs::Pack;

type Change = fn(&PackFiles) -> PackFiles;

/// Each change to the pack `shared`, and the kind of error it is refused with; none if the fallback decides.
const CHANGES: [(&str, Change, Option<LoadErrorKind>); 7] = [
    ("never-compiled", |files| without(&without(files, "policy.wasm"), "pack.lock"), None),
    ("a-module-that-went-missing", |files| without(files, "policy.wasm"), Some(LoadErrorKind::Artefact)),
    (
        "rego-edited-after-the-build",
        |files| edited(files, "policy.rego", b"\ndecision := \"allow\"\n"),
        Some(LoadErrorKind::Artefact),
    ),
    (
        "a-module-changed-after-the-build",
        |files| edited(files, "policy.wasm", b"\x00"),
        Some(LoadErrorKind::Artefact),
    ),
    (
        "rego-added-after-the-build",
        |files| edited(files, "more.rego", b"package more\n"),
        Some(LoadErrorKind::Artefact),
    ),
    ("a-module-without-its-lock", |files| without(files, "pack.lock"), Some(LoadErrorKind::Artefact)),
    ("a-lock-that-vouches-for-a-module-that-is-not-wasm", forged, Some(LoadErrorKind::Invalid)),
];

pub(crate) fn trials(root: &Path) -> Vec<Trial> {
    let shared = Arc::new(Pack::read(&root.join("tests/faults/shared")));
    let trials = CHANGES.into_iter().map(|(name, change, refusal)| {
        let shared = shared.clone();
        Trial::test(format!("artefacts/{name}"), move || {
            let (pack, _) = shared.read.clone()?;
            check(load(change(&pack.files)), refusal)
        })
    });
    trials.collect()
}

fn check(loaded: Result<LoadedPack, LoadErrors>, refusal: Option<LoadErrorKind>) -> Result<(), Failed> {
    match (loaded, refusal) {
        (Ok(pack), None) => {
            let identity = pack.identity();
            assert_eq!(
                (identity.engine.as_str(), identity.fallback_from.as_deref()),
                ("rego-native", Some("rego-wasm"))
            );
            Ok(())
        }
        (Err(errors), Some(kind)) if errors.has(kind) => Ok(()),
        (Err(errors), _) => Err(format!("refused for another reason: {errors}").into()),
        (Ok(pack), Some(_)) => Err(format!("decided by `{}`", pack.identity().engine).into()),
    }
}

fn load(files: PackFiles) -> Result<LoadedPack, LoadErrors> {
    let registry = tribunal::registry();
    let pack = Arc::new(PackSource::read("shared", files, &registry)?);
    let entry = json!({"pack": "shared", "engine": "rego-wasm", "fallback": "rego-native"});
    let entry: PackEntry = serde_json::from_value(entry).expect("an entry");
    LoadedPack::load(pack, &entry, &LoadContext::default(), &registry)
}

fn without(files: &PackFiles, path: &str) -> PackFiles {
    let kept = files.paths().filter(|kept| *kept != path);
    PackFiles::new(kept.filter_map(|path| Some((path.to_owned(), files.get(path)?.to_vec()))))
}

fn edited(files: &PackFiles, path: &str, appended: &[u8]) -> PackFiles {
    let before = files.get(path).map_or(&[][..], |bytes| bytes);
    let mut files = files.clone();
    files.insert(path, [before, appended].concat());
    files
}

/// Whoever can write the lock can vouch for anything; what is not a module is refused all the same.
fn forged(files: &PackFiles) -> PackFiles {
    let module = b"not a module";
    let lock = files.get("pack.lock").map(|lock| String::from_utf8_lossy(lock).into_owned()).expect("a lock");
    let genuine = files.get("policy.wasm").expect("a module");
    let digest = tribunal::core::pack::files::digest;
    let mut files = files.clone();
    files.insert("pack.lock", lock.replace(&digest(genuine), &digest(module)).into_bytes());
    files.insert("policy.wasm", module.to_vec());
    files
}
