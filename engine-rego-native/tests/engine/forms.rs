//! Forms of Rego over members that are missing or of another type, with the answers of OPA 1.22.0 (`opa eval
//! --strict-builtin-errors`): each is answered as OPA does, or refused at load.

use std::time::Duration;

use serde_json::json;
use tribunal_engine_core::engine::Registry;
use tribunal_engine_core::pack::{PackFiles, PackSource};
use tribunal_engine_rego_native::{ID, Probe, RegoNativeFactory};
use tribunal_rego_builtins::Value;

/// A second package, for the forms that look into one.
const OTHER: &str = "package q\ny := 1 if input.l\n";

/// The value of `data.p.x`, `None` if it is refused at load.
fn answer(module: &str, input: &str) -> Option<Result<Option<Value>, String>> {
    let mut registry = Registry::new();
    registry.add(RegoNativeFactory).unwrap();
    let manifest = json!({
        "name": "form", "version": "1.0.0", "description": "a form of Rego",
        "engines": {ID: {"entrypoint": "p/x"}}, "input_schema": "none",
    });
    let files =
        [("pack.yaml", manifest.to_string()), ("p.rego", module.to_owned()), ("q.rego", OTHER.to_owned())];
    let files = files.map(|(path, text)| (path.to_owned(), text.into_bytes()));
    let pack = PackSource::read("form", PackFiles::new(files), &registry).unwrap();
    let probe = Probe::load(&pack).ok()?;
    let input = serde_json::from_str(input).unwrap();
    Some(probe.value(Some(&input), Duration::from_secs(30)).map_err(|fault| fault.to_string()))
}

#[test]
fn every_form_agrees_or_is_refused() {
    let text = include_str!("../../divergences/forms.jsonl");
    let (mut answered, mut wrong) = (0, Vec::new());
    for line in text.lines() {
        let form = Value::parse_json(line).unwrap();
        let member = |name: &str| form.get(&name.into()).unwrap();
        let opa = member("opa");
        let Some(ours) = answer(member("module").as_str().unwrap(), &member("input").to_json()) else {
            continue;
        };
        // The recorded answers have no sets.
        let agrees = match &ours {
            Ok(Some(value)) => {
                opa.get(&"value".into()) == Some(&Value::parse_json(&value.to_json()).unwrap())
            }
            Ok(None) => opa.get(&"undefined".into()).is_some(),
            Err(_) => opa.get(&"error".into()).is_some(),
        };
        if agrees { answered += 1 } else { wrong.push(format!("{line}: {ours:?}")) }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(answered > 350, "only {answered} forms are not refused");
}
