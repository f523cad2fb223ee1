//! OPA's compliance suite, as swift-opa carries it. Cases that ask for more than one rule's value are not run.

use std::collections::BTreeMap;

use tribunal_rego_builtins::Value;

use super::{Case, Divergence, Outcome, as_json, folder, hold};

/// The rule of a query `data.a.b = x`.
fn rule(query: &str) -> Option<Vec<String>> {
    let path = query.strip_prefix("data.")?.strip_suffix(" = x")?;
    let plain = |step: &str| {
        !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    path.split('.').map(|step| plain(step).then(|| step.to_owned())).collect()
}

/// What the suite wants: at most one value for `x`.
fn wanted(case: &Value) -> Option<Outcome> {
    let member = |name: &str| case.get(&name.into()).filter(|value| **value != Value::Null);
    if let Some(error) = member("want_error").or(member("want_error_code")) {
        return Some(Outcome::Error(error.to_json()));
    }
    match member("want_result")? {
        Value::Array(results) => match results.as_slice() {
            [] => Some(Outcome::Undefined),
            [result] => Some(Outcome::Value(result.get(&"x".into())?.clone())),
            _ => None,
        },
        _ => None,
    }
}

/// OPA prints a set in its own order, which JSON cannot tell: lists are compared without theirs where the suite says so.
fn sorted(outcome: Outcome) -> Outcome {
    fn sort(value: Value) -> Value {
        match value {
            Value::Array(items) => {
                let mut items: Vec<Value> = items.into_iter().map(sort).collect();
                items.sort();
                Value::Array(items)
            }
            Value::Object(members) => {
                Value::Object(members.into_iter().map(|(key, value)| (key, sort(value))).collect())
            }
            other => other,
        }
    }
    match outcome {
        Outcome::Value(value) => Outcome::Value(sort(value)),
        other => other,
    }
}

#[test]
fn every_case_agrees_or_is_a_known_divergence() {
    let Some(folder) = folder("opa-compliance/v1") else { return };
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .flat_map(|group| std::fs::read_dir(group.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    let mut found = BTreeMap::new();
    let mut cases = 0;
    for file in files {
        let Ok(suite) = Value::parse_json(&std::fs::read_to_string(&file).unwrap()) else {
            panic!("{}", file.display())
        };
        let Some(Value::Array(list)) = suite.get(&"cases".into()) else { panic!("{}", file.display()) };
        for (index, case) in list.iter().enumerate() {
            let member = |name: &str| case.get(&name.into()).filter(|value| **value != Value::Null);
            let is = |name: &str| member(name) == Some(&Value::Bool(true));
            let Some(rule) = rule(member("query").and_then(Value::as_str).unwrap()) else { continue };
            let (Some(wanted), Some(Value::Array(modules))) = (wanted(case), member("modules")) else {
                continue;
            };
            let input = match (member("input"), member("input_term").and_then(Value::as_str)) {
                (Some(input), _) => Some(input.clone()),
                // A few terms have a comma before their closing bracket, which is Rego's syntax but no value's.
                (None, Some(term)) => match Value::parse_rego(term) {
                    Ok(input) => Some(input),
                    Err(_) => continue,
                },
                (None, None) => None,
            };
            cases += 1;
            let ours = as_json(
                Case {
                    modules: modules.iter().map(|module| module.as_str().unwrap().to_owned()).collect(),
                    rule,
                    data: member("data").map(Value::to_json),
                    input: input.map(|input| serde_json::from_str(&input.to_json()).unwrap()),
                    strict: is("strict_error"),
                }
                .run(),
            );
            let divergence = match is("sort_bindings") {
                true => Divergence::of(&sorted(ours.clone()), &sorted(wanted.clone())),
                false => Divergence::of(&ours, &wanted),
            };
            if let Some(divergence) = divergence {
                let name = file.file_stem().unwrap().to_string_lossy();
                found.insert(
                    format!("{name}/{index}"),
                    (divergence, format!("ours {ours:?}, OPA {wanted:?}")),
                );
            }
        }
    }
    assert!(cases > 800, "only {cases} cases");
    hold("opa-compliance.jsonl", &found);
}
