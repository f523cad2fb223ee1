//! Data swapped while others ask, on every engine.
#![cfg(all(feature = "wasm", feature = "rego-native", feature = "cedar", feature = "biscuit"))]
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use tribunal::core::pack::PackSource;
use tribunal::{DecisionEffect, Options, PolicyRequest, Tribunal};

const ENGINES: [&str; 4] = ["biscuit", "cedar", "rego-native", "rego-wasm"];
const PACK: &str = "destination-allowlist";

fn packs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packs")
}

fn request(host: &str) -> PolicyRequest {
    let text = format!(
        r#"{{"subject": {{"type": "agent", "id": "a"}}, "action": {{"name": "http/request"}},
            "resource": {{"type": "tool", "id": "http"}}, "context": {{"destination_host": "{host}"}}}}"#
    );
    PolicyRequest::from_slice(text.as_bytes()).unwrap()
}

/// The pack on one engine, with every other as its shadow.
fn deployed(folder: &Path, engine: &str) -> Tribunal {
    let shadows: Vec<&str> = ENGINES.into_iter().filter(|other| *other != engine).collect();
    let pack = packs().join(PACK).canonicalize().unwrap();
    let config = folder.join(format!("{engine}.yaml"));
    let text = format!(
        "packs:\n  - {{pack: '{}', engine: {engine}, shadow: [{}]}}\n",
        pack.display(),
        shadows.join(", ")
    );
    fs::write(&config, text).unwrap();
    Tribunal::open(config).unwrap()
}

/// Everything that is wrong with data, and how its error begins.
const BAD: [(&str, &str, &str); 6] = [
    ("a.json", "{\n  \"approved\": [\"a.example\", \"*\"]\n}", "a.json:2:29: "),
    (
        "b.json",
        "{\n  \"approved\": [],\n  \"aproved\": []\n}",
        "b.json:3:3: unknown key `aproved` (did you mean `approved`?)",
    ),
    ("c.json", "{\n  \"approved\": [\n}", "c.json:3:1: "),
    ("d.json", "[]", "d.json:1:1: "),
    ("e.yaml", "approved:\n  - a.example\n  - 5\n", "e.yaml:3:5: "),
    ("f.json", "{\"approved\": [], \"approved\": []}", "f.json:1:"),
];

#[test]
fn bad_data_is_refused_with_its_place_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for engine in ENGINES {
        let tribunal = deployed(folder.path(), engine);
        tribunal.swap_data_of(PACK, "good.yaml", b"approved: [a.example]\n").unwrap();
        let before = tribunal.outcome(&request("a.example"));
        for (file, text, place) in BAD {
            let errors = tribunal.swap_data_of(PACK, file, text.as_bytes()).unwrap_err().to_string();
            assert!(errors.starts_with(place), "{engine}, {file}: {errors}");
        }
        let errors = tribunal.swap_data(PACK, &folder.path().join("missing.json")).unwrap_err().to_string();
        assert!(errors.contains("missing.json") && errors.contains("cannot be read"), "{errors}");
        assert!(tribunal.swap_data_of("another", "x.json", b"{}").is_err());
        let after = tribunal.outcome(&request("a.example"));
        assert_eq!(after.decision, before.decision);
        assert_eq!(after.packs[0].identity, before.packs[0].identity, "{engine}: the data in force stayed");
        assert_eq!(after.decision.effect, DecisionEffect::Allow);
        assert!(!after.packs[0].stale, "bad data says nothing about the pack");
    }
}

/// Every outcome is that of one data throughout: the digest it names, its decision, and its shadows' belong together.
#[test]
fn nobody_meets_half_of_a_swap() {
    let folder = tempfile::tempdir().unwrap();
    for engine in ENGINES {
        let tribunal = deployed(folder.path(), engine);
        let good: BTreeMap<String, &str> = ["a.example", "b.example"]
            .into_iter()
            .map(|host| {
                let data = serde_json::json!({"approved": [host]});
                (PackSource::data_digest(&data), host)
            })
            .collect();
        let swap = |host: &str| {
            tribunal.swap_data_of(PACK, "new.json", format!(r#"{{"approved": ["{host}"]}}"#).as_bytes())
        };
        swap("a.example").unwrap();
        let done = AtomicBool::new(false);
        let askers = [
            ("a.example", AtomicUsize::new(0)),
            ("b.example", AtomicUsize::new(0)),
            ("a.example", AtomicUsize::new(0)),
        ];
        let met: BTreeSet<String> = thread::scope(|scope| {
            let running: Vec<_> = askers
                .iter()
                .map(|(host, asked)| {
                    let (tribunal, good, done) = (&tribunal, &good, &done);
                    scope.spawn(move || {
                        let mut met = BTreeSet::new();
                        while !done.load(Ordering::Acquire) {
                            let outcome = tribunal.outcome(&request(host));
                            let pack = &outcome.packs[0];
                            let digest = pack.identity.data_digest.clone().unwrap();
                            let allowed = good[&digest] == *host;
                            assert_eq!(outcome.decision.effect == DecisionEffect::Allow, allowed, "{engine}");
                            assert_eq!(pack.shadows.len(), 3);
                            for shadow in &pack.shadows {
                                assert_eq!(shadow.differences, [], "{engine} beside {}", shadow.engine);
                            }
                            met.insert(digest);
                            asked.fetch_add(1, Ordering::Release);
                        }
                        met
                    })
                })
                .collect();
            for round in 0..12 {
                swap(if round % 2 == 0 { "b.example" } else { "a.example" }).unwrap();
                let (file, text, _) = BAD[round % BAD.len()];
                tribunal.swap_data_of(PACK, file, text.as_bytes()).unwrap_err();
                // The next swap waits until everybody has begun and ended a question since this one.
                let before = askers.each_ref().map(|(_, asked)| asked.load(Ordering::Acquire));
                let is_behind = || {
                    askers
                        .iter()
                        .zip(before)
                        .any(|((_, asked), before)| asked.load(Ordering::Acquire) < before + 2)
                };
                while is_behind() && !running.iter().any(|asker| asker.is_finished()) {
                    thread::yield_now();
                }
            }
            done.store(true, Ordering::Release);
            running.into_iter().flat_map(|asker| asker.join().unwrap()).collect()
        });
        assert_eq!(met.len(), 2, "{engine}: both were met");
    }
}

/// The manifest may change under data that was put in place: it stays in force whatever characters it holds.
#[test]
fn data_in_force_survives_a_reload() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("marks");
    fs::create_dir(&pack).unwrap();
    let manifest = "name: marks\nversion: 1.0.0\ndescription: d\nengines: {rego-native: {entrypoint: m/decision}}\ninput_schema: none\n";
    fs::write(pack.join("pack.yaml"), manifest).unwrap();
    let rego = "package m\n\nimport rego.v1\n\ndecision := {\"effect\": \"deny\", \"reason\": data.mark}\n";
    fs::write(pack.join("policy.rego"), rego).unwrap();
    fs::write(pack.join("data.json"), r#"{"mark": "own"}"#).unwrap();
    let tribunal = Tribunal::of_pack(&pack, &Options::default(), tribunal::registry()).unwrap();
    // What JSON leaves as it is and YAML does not have: DEL, a C1 control, a line separator.
    let mark = "\u{7f}\u{9b}\u{2028}\u{1}";
    let data = serde_json::json!({ "mark": mark }).to_string();
    tribunal.swap_data_of("marks", "new.json", data.as_bytes()).unwrap();
    tribunal.reload("marks").unwrap();
    assert_eq!(tribunal.outcome(&request("x")).decision.reason.as_deref(), Some(mark));
}
