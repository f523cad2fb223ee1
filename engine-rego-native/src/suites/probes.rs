//! The project's own probes, with OPA 1.22.0's answers, strict and lenient.

use std::collections::BTreeMap;

use tribunal_rego_builtins::Value;

use super::{Case, Divergence, as_json, folder, hold, opa};

#[test]
fn every_probe_agrees_or_is_a_known_divergence() {
    let Some(folder) = folder("rego-probes") else { return };
    let text = std::fs::read_to_string(folder.join("probes.jsonl")).unwrap();
    let mut found = BTreeMap::new();
    let mut probes = 0;
    for line in text.lines() {
        let probe = Value::parse_json(line).unwrap();
        let member = |name: &str| probe.get(&name.into());
        let text = |name: &str| member(name).and_then(Value::as_str).unwrap().to_owned();
        for (strict, mode) in [(true, "opa_strict"), (false, "opa")] {
            probes += 1;
            let case = Case {
                modules: vec![text("module")],
                rule: text("query").split('.').skip(1).map(str::to_owned).collect(),
                data: member("data").map(Value::to_json),
                input: member("input").map(|input| serde_json::from_str(&input.to_json()).unwrap()),
                strict,
            };
            let ours = as_json(case.run());
            let opa = opa(member(mode).unwrap());
            if let Some(divergence) = Divergence::of(&ours, &opa) {
                let name = if strict { text("name") } else { format!("{} (lenient)", text("name")) };
                found.insert(name, (divergence, format!("ours {ours:?}, OPA {opa:?}")));
            }
        }
    }
    assert!(probes > 1_500, "only {probes} probes");
    hold("probes.jsonl", &found);
}
