//! Forms of Rego over members that are missing or of another type, with the answers of OPA 1.22.0 (`opa eval
//! --strict-builtin-errors`): each is answered as OPA does, or refused at load.

use tribunal_rego_builtins::Value;

use super::{Case, Divergence, as_json, opa};

/// A second package, for the forms that look into one.
const OTHER: &str = "package q\ny := 1 if input.l\n";

#[test]
fn every_form_agrees_or_is_refused() {
    let text = include_str!("../../divergences/forms.jsonl");
    let (mut answered, mut wrong) = (0, Vec::new());
    for line in text.lines() {
        let form = Value::parse_json(line).unwrap();
        let member = |name: &str| form.get(&name.into()).unwrap();
        let case = Case {
            modules: vec![member("module").as_str().unwrap().to_owned(), OTHER.to_owned()],
            rule: vec!["p".to_owned(), "x".to_owned()],
            data: None,
            input: Some(serde_json::from_str(&member("input").to_json()).unwrap()),
            strict: true,
        };
        let ours = as_json(case.run());
        match Divergence::of(&ours, &opa(member("opa"))) {
            None => answered += 1,
            Some(Divergence::Refused) => {}
            Some(_) => wrong.push(format!("{line}: {ours:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(answered > 350, "only {answered} forms are not refused");
}
