//! The fault table of the contract: every row on every engine that can have it.
//!
//! The packs in `tests/faults` are made to fail, and their cases say how. The table below says which engine can have
//! which row; a row without a case on such an engine fails, and so does a case the table does not know.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use libtest_mimic::Trial;
use tribunal::core::fault::FaultKind;

use crate::packs::{self, Pack};

/// How a row is held on an engine.
#[derive(Debug, Clone, Copy)]
enum Held {
    /// By a case in `tests/faults`, or by one of a shipped pack.
    Case,
    /// By the engine's own tests in this file, which name the kind: no policy as text leads there.
    OwnTest(&'static str),
}
use Held::{Case, OwnTest};

const ALL: [&str; 4] = ["biscuit", "cedar", "rego-native", "rego-wasm"];
const REGO: [&str; 2] = ["rego-native", "rego-wasm"];

/// Each kind of fault with the engines that can have it. Kinds of the dispatch alone, which no engine can have or all have
/// alike, are held by `tests/contract`.
fn table() -> BTreeMap<(&'static str, &'static str), Held> {
    let tokens = "engine-biscuit/tests/engine/tokens.rs";
    let rows: [(&'static str, &'static [&'static str], Held); 28] = [
        ("schema", &ALL, Case),
        ("derive", &ALL, Case),
        ("request_bounds", &ALL, Case),
        ("unclassified", &ALL, Case),
        ("malformed_patch", &ALL, Case),
        ("redaction_incomplete", &ALL, Case),
        // Without a word of the policy Cedar and Biscuit deny: silence is defined there.
        ("undefined_decision", &REGO, Case),
        ("malformed_decision", &["biscuit", "rego-native", "rego-wasm"], Case),
        ("conflict", &REGO, Case),
        ("builtin_error", &["rego-native"], Case),
        ("evaluation_error", &["biscuit", "cedar"], Case),
        ("entity_conflict", &["cedar"], Case),
        ("unrepresentable", &ALL, Case),
        ("limit:fuel", &["rego-wasm"], Case),
        ("limit:deadline", &["biscuit", "rego-native", "rego-wasm"], Case),
        ("limit:memory", &["rego-wasm"], Case),
        ("limit:output", &ALL, Case),
        ("limit:facts", &["biscuit"], Case),
        ("limit:iterations", &["biscuit"], Case),
        ("limit:stack", &["rego-wasm"], OwnTest("engine-wasm/src/instance.rs")),
        ("trap", &["rego-wasm"], OwnTest("engine-wasm/src/instance.rs")),
        ("abi_violation", &["rego-wasm"], OwnTest("engine-wasm/tests/engine/forged.rs")),
        ("token:missing", &["biscuit"], Case),
        ("token:malformed", &["biscuit"], Case),
        ("token:bad_signature", &["biscuit"], Case),
        ("token:unknown_root_key", &["biscuit"], Case),
        ("token:revoked", &["biscuit"], OwnTest(tokens)),
        ("token:unsupported_version", &["biscuit"], OwnTest(tokens)),
    ];
    let mut table = BTreeMap::from([(("token:too_large", "biscuit"), OwnTest(tokens))]);
    for (kind, engines, held) in rows {
        table.extend(engines.iter().map(|engine| ((kind, *engine), held)));
    }
    table
}

/// Kinds that dispatch makes, whatever the engine: `tests/contract` has them.
const OF_DISPATCH: [&str; 4] = ["not_loaded", "panic", "record_unwritten", "stale"];

pub(crate) fn trials(root: &Path) -> Vec<Trial> {
    let faulty = packs::folders(&root.join("tests/faults"));
    let shipped = packs::folders(&root.join("../packs"));
    let found = found(faulty.iter().chain(&shipped));
    let table = table();
    let mut trials: Vec<Trial> = faulty.iter().flat_map(|pack| pack.trials("faults/")).collect();
    for ((kind, engine), held) in &table {
        let name = format!("fault-table/{kind}/{engine}");
        let is_found = found.contains(&((*kind).to_owned(), (*engine).to_owned()));
        trials.push(match *held {
            Case => Trial::test(name, move || if is_found { Ok(()) } else { Err("no case has it".into()) }),
            OwnTest(file) => {
                let path = root.join("..").join(file);
                let kind = FaultKind::parse(kind).unwrap();
                Trial::test(name, move || {
                    let text = fs::read_to_string(&path)?;
                    let named = text.contains(kind.as_str()) || text.contains(variant(kind).as_str());
                    if named { Ok(()) } else { Err(format!("`{file}` does not mention `{kind}`").into()) }
                })
            }
        });
    }
    let unknown: Vec<String> = found
        .iter()
        .filter(|(kind, engine)| !table.contains_key(&(kind.as_str(), engine.as_str())))
        .map(|(kind, engine)| format!("`{kind}` on `{engine}`"))
        .collect();
    trials.push(Trial::test("fault-table/has-every-row-there-is", move || {
        let rows: BTreeSet<&str> = table.keys().map(|(kind, _)| *kind).chain(OF_DISPATCH).collect();
        let kinds: BTreeSet<&str> = FaultKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(rows, kinds, "the table and the kinds of faults");
        if unknown.is_empty() {
            Ok(())
        } else {
            Err(format!("cases the table does not know: {}", unknown.join(", ")).into())
        }
    }));
    trials
}

/// Each kind of fault that a case expects, with each engine it expects it of.
fn found<'p>(packs: impl Iterator<Item = &'p Pack>) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for (pack, suite) in packs.filter_map(|pack| pack.read.as_ref().ok()) {
        for engine in pack.manifest.engines.keys() {
            for case in &suite.cases {
                let expect = case.exceptions.get(engine).map_or(&case.expect, |exception| &exception.expect);
                found.extend(expect.fault.map(|kind| (kind.to_string(), engine.clone())));
            }
        }
    }
    found
}

/// The last word of a kind's name in Rust, as `TooLarge`.
fn variant(kind: FaultKind) -> String {
    let debug = format!("{kind:?}");
    debug.rsplit_once('(').map_or(debug.as_str(), |(_, inner)| inner.trim_end_matches(')')).to_owned()
}
