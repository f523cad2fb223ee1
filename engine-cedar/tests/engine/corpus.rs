//! Cedar's own integration tests, through the index and evaluator that this engine decides with.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use cedar_policy::{
    Context, Decision, Entities, EntityId, EntityTypeName, EntityUid, PolicyId, PolicySet, Request, Schema,
};
use serde_json::Value;
use tribunal_engine_cedar::index::PolicyIndex;

/// The folder of the suites; `None`, loudly, where it is absent.
fn suites() -> Option<PathBuf> {
    let folder = std::env::var_os("TRIBUNAL_SUITES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/suites"), PathBuf::from)
        .join("cedar-corpus");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("TRIBUNAL_REQUIRE_SUITES").is_none_or(|required| required != "1"),
        "the Cedar corpus is required, and {} is absent",
        folder.display()
    );
    eprintln!("SKIPPED: the Cedar corpus is absent ({}); set TRIBUNAL_SUITES", folder.display());
    None
}

fn uid(json: &Value) -> EntityUid {
    let json = json.get("__entity").unwrap_or(json);
    let type_name: EntityTypeName = json["type"].as_str().unwrap().parse().unwrap();
    EntityUid::from_type_name_and_id(type_name, EntityId::new(json["id"].as_str().unwrap()))
}

fn ids(json: &Value) -> BTreeSet<PolicyId> {
    json.as_array().unwrap().iter().map(|id| PolicyId::new(id.as_str().unwrap())).collect()
}

/// Runs one test file; the number of its requests.
fn run(name: &str, test: &Value, file: &dyn Fn(&str) -> String) -> usize {
    let text = |key: &str| file(test[key].as_str().unwrap());
    let policies: PolicySet = text("policies").parse().unwrap_or_else(|error| panic!("{name}: {error}"));
    let (schema, _) =
        Schema::from_cedarschema_str(&text("schema")).unwrap_or_else(|error| panic!("{name}: {error}"));
    let entities = Entities::from_json_str(&text("entities"), Some(&schema))
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let index = PolicyIndex::new(&policies, &entities);
    let requests = test["requests"].as_array().unwrap();
    for (number, asked) in requests.iter().enumerate() {
        let action = uid(&asked["action"]);
        let validate = asked["validateRequest"].as_bool().unwrap_or(true);
        let context =
            Context::from_json_value(asked["context"].clone(), validate.then_some((&schema, &action)))
                .unwrap();
        let schema = validate.then_some(&schema);
        let request =
            Request::new(uid(&asked["principal"]), action, uid(&asked["resource"]), context, schema).unwrap();
        let answer = index.authorize(&request, &entities);
        let decision = if asked["decision"] == "allow" { Decision::Allow } else { Decision::Deny };
        assert_eq!(answer.decision, decision, "{name} #{number}");
        assert_eq!(answer.reasons, ids(&asked["reason"]), "{name} #{number}");
        assert_eq!(answer.errors, ids(&asked["errors"]), "{name} #{number}");
    }
    requests.len()
}

#[test]
fn the_generated_corpus_is_answered_as_cedar_answers_it() {
    let Some(folder) = suites() else { return };
    let archive = fs::File::open(folder.join("corpus.tar.gz")).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().file_name().map(|name| name.to_string_lossy().into_owned());
        let mut text = String::new();
        if let (Some(name), true) = (name, entry.header().entry_type().is_file()) {
            entry.read_to_string(&mut text).unwrap();
            files.insert(name, text);
        }
    }
    let mut requests = 0;
    let mut tests = 0;
    for (name, text) in
        files.iter().filter(|(name, _)| name.ends_with(".json") && !name.ends_with(".entities.json"))
    {
        let find = |path: &str| files[path.rsplit('/').next().unwrap()].clone();
        requests += run(name, &serde_json::from_str(text).unwrap(), &find);
        tests += 1;
    }
    assert_eq!((tests, requests), (1_975, 15_800));
}

#[test]
fn the_handwritten_tests_are_answered_as_cedar_answers_them() {
    let Some(folder) = suites() else { return };
    let mut requests = 0;
    for group in fs::read_dir(folder.join("tests")).unwrap() {
        for file in fs::read_dir(group.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let test: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            let find = |path: &str| fs::read_to_string(folder.join(path)).unwrap();
            requests += run(&path.display().to_string(), &test, &find);
        }
    }
    assert_eq!(requests, 74);
}
