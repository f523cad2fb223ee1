//! Divergences that were planted, and whose smallest request is known because every request of a small world is asked.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tribunal::core::document::Document;
use tribunal::core::engine::LoadContext;
use tribunal_conformance::parity::bare::{Bare, NamedFile};
use tribunal_conformance::parity::counterexample::minimal;
use tribunal_conformance::parity::report::Bound;
use tribunal_conformance::parity::{Contestant, Lineup};
use tribunal_conformance::search::shrink::members;
use tribunal_conformance::search::{Material, Panel, Plan, Question, Reply, explore};

use crate::question;

/// Members that a shrunk request may have more than the smallest there is.
const SLACK: usize = 3;

#[derive(Deserialize)]
struct Planted {
    name: String,
    rego: String,
    cedar: String,
}

#[test]
fn what_was_planted_is_found_and_shrunk_to_nearly_the_smallest_request() {
    let document = Document::parse("planted.yaml", include_bytes!("planted.yaml")).unwrap();
    let planted: Vec<Planted> = serde_json::from_value(document.value).unwrap();
    assert_eq!(planted.len(), 10);
    for planted in planted {
        let lineup = lineup(&planted);
        let found = search(&lineup);
        let found = found.unwrap_or_else(|| panic!("{}: not found", planted.name));
        let smallest = smallest(&lineup.panel).unwrap_or_else(|| panic!("{}: there is none", planted.name));
        assert!(
            members(&found.request) <= members(&smallest) + SLACK,
            "{}: shrunk to {}, but {smallest} will do",
            planted.name,
            found.request
        );
    }
}

fn lineup(planted: &Planted) -> Lineup {
    let registry = tribunal::registry();
    let file = |name: &str, text: String| NamedFile { name: name.to_owned(), bytes: text.into_bytes() };
    let bare = Bare {
        rego: vec![file("p.rego", format!("package p\nimport rego.v1\n{}", planted.rego))],
        entrypoint: Some("data.p.decision".to_owned()),
        cedar: Some(file("p.cedar", planted.cedar.clone())),
        schema: Some(file("planted.schema.json", include_str!("planted.schema.json").to_owned())),
        ..Bare::default()
    };
    let files = bare.files().unwrap_or_else(|errors| panic!("{}: {errors}", planted.name));
    let contestant = Contestant::read("bare", files, &registry).unwrap();
    let lineup = Lineup::load(vec![contestant], &[], Vec::new(), &LoadContext::default(), &registry);
    for participant in &lineup.participants {
        assert_eq!(participant.refused, None, "{}", planted.name);
    }
    lineup
}

/// What the search finds first, shrunk.
fn search(lineup: &Lineup) -> Option<Question> {
    let source = &lineup.contestants[0].source;
    let material = Material::gather(&[source], &[], &lineup.vocabularies, []).unwrap();
    let bound = Bound::Requests(20_000);
    let plan = Plan { seed: 1, bound, threads: 2, stop_at_first: true, timed_of: 0 };
    let findings = explore(&lineup.panel, &material, &plan, &mut |_| {});
    let found = findings.disagreements.first()?;
    Some(minimal(&lineup.panel, &found.question, &found.answers, &found.differences))
}

/// The smallest request of the small world on which the panel differs.
fn smallest(panel: &Panel) -> Option<Value> {
    let mut requests = world();
    requests.sort_by_key(members);
    requests.into_iter().find(|request| {
        let question = question(request.clone());
        match panel.ask(&question, None) {
            Reply::HostRefused(kind) => panic!("{kind}: {request}"),
            Reply::Answered(answers) => !panel.differences(&question, &answers).is_empty(),
        }
    })
}

/// Every request of the small world.
fn world() -> Vec<Value> {
    let mut contexts = vec![Map::new()];
    for (name, values) in [
        ("amount", vec![json!(-1), json!(0), json!(9), json!(10), json!(11)]),
        ("env", vec![json!("dev"), json!("prod")]),
        ("tags", vec![json!([]), json!(["a"]), json!(["b"]), json!(["a", "b"])]),
        ("path", vec![json!(""), json!("/tmp"), json!("/tmp/"), json!("/etc")]),
        ("nested", vec![json!({}), json!({"flag": false}), json!({"flag": true}), json!({"level": 3})]),
    ] {
        let more: Vec<Map<String, Value>> = contexts
            .iter()
            .flat_map(|context| {
                values.iter().map(move |value| {
                    let mut context = context.clone();
                    context.insert(name.to_owned(), value.clone());
                    context
                })
            })
            .collect();
        contexts.extend(more);
    }
    let mut requests = Vec::new();
    for subject in ["alice", "bob"] {
        for resource in ["search", "delete"] {
            let base = json!({
                "subject": {"type": "agent", "id": subject},
                "action": {"name": "call"},
                "resource": {"type": "tool", "id": resource},
            });
            requests.push(base.clone());
            for context in &contexts {
                let mut request = base.clone();
                request["context"] = Value::Object(context.clone());
                requests.push(request);
            }
        }
    }
    requests
}
