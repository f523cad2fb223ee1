//! References beside the engines: OPA and the `cedar` command answer every case as the engines they stand for do; and what
//! is known to differ from OPA is found by the search where a policy has it.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tribunal::LoadErrors;
use tribunal::core::engine::LoadContext;
use tribunal::core::pack::{PackFiles, PackSource};
use tribunal_conformance::parity::report::Bound;
use tribunal_conformance::reference::{self, Reference, ReferenceError};
use tribunal_conformance::search::{Disagreement, Material, Panel, Plan, explore};
use tribunal_conformance::{Runner, Suite};

use crate::packs::{self, Pack};

type Start = fn(&PackSource, Option<&Path>) -> Result<Reference, ReferenceError>;

/// Each reference, and the variable that makes its absence a failure.
const REFERENCES: [(&str, Start, &str); 2] =
    [("opa", reference::opa, "TRIBUNAL_REQUIRE_OPA"), ("cedar", reference::cedar, "TRIBUNAL_REQUIRE_CEDAR")];

pub(crate) fn trials(root: &Path) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (name, start, required) in REFERENCES {
        for pack in packs::folders(&root.join("../packs")) {
            let trial = format!("reference/{name}/{}", pack.name);
            trials.push(Trial::test(trial.clone(), move || every_case(&trial, &pack, start, required)));
        }
    }
    for pack in packs::folders(&root.join("../packs")) {
        let trial = format!("reference/opa/{}/searched", pack.name);
        trials.push(Trial::test(trial.clone(), move || rego_is_rego(&trial, &pack)));
    }
    trials.push(Trial::test("reference/opa/planted-probes-are-found", planted_probes_are_found));
    trials.push(Trial::test("reference/opa/planted-forms-meet-their-fate", planted_forms_meet_their_fate));
    trials.push(Trial::test("reference/cedar/faults", cedar_is_asked_what_the_engine_is_asked));
    trials
}

/// What is said where a reference is not installed: loudly, and a failure where it is required.
fn skipped(test: &str, error: ReferenceError, required: &str) -> Result<(), Failed> {
    match error {
        ReferenceError::NotInstalled { .. } if env::var(required).as_deref() != Ok("1") => {
            eprintln!("\n*** {test} IS SKIPPED: {error}\n");
            Ok(())
        }
        error => Err(error.to_string().into()),
    }
}

/// Every case of a pack is answered as it expects of the engine that the reference stands for.
fn every_case(test: &str, pack: &Pack, start: Start, required: &str) -> Result<(), Failed> {
    let (pack, suite) = pack.read.as_ref()?;
    let reference = match start(pack, None) {
        Ok(reference) => reference,
        Err(error) => return skipped(test, error, required),
    };
    let runner = reference.runner(pack).map_err(|errors| errors.to_string())?;
    assert!(!suite.cases.is_empty());
    let failures: Vec<String> = suite
        .cases
        .iter()
        .map(|case| runner.run(case))
        .filter_map(|result| Some(format!("{}: {}\n{}", result.location, result.case, result.failure?)))
        .collect();
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n").into()) }
}

/// The search finds no request on which rego-native and OPA differ.
fn rego_is_rego(test: &str, pack: &Pack) -> Result<(), Failed> {
    let (pack, _) = pack.read.as_ref()?;
    let opa = match reference::opa(pack, None) {
        Ok(reference) => reference.runner(pack).map_err(|errors| errors.to_string())?,
        Err(error) => return skipped(test, error, "TRIBUNAL_REQUIRE_OPA"),
    };
    let ours = Runner::load(pack.clone(), "rego-native", &LoadContext::default(), &tribunal::registry());
    let ours = ours.map_err(|errors| errors.to_string())?;
    let compared = search(pack, ours, opa).map_err(|errors| errors.to_string())??;
    assert!(compared > SEARCHED / 10, "only {compared} requests reached the engines");
    Ok(())
}

/// The packs that are made to fail on Cedar: an evaluation error, an entity in two minds, a value with no place.
fn cedar_is_asked_what_the_engine_is_asked() -> Result<(), Failed> {
    for name in ["cedar", "shared"] {
        let pack = Pack::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults").join(name));
        let (pack, suite) = pack.read?;
        let test = "reference/cedar/faults";
        let reference = match reference::cedar(&pack, None) {
            Ok(reference) => reference,
            Err(error) => return skipped(test, error, "TRIBUNAL_REQUIRE_CEDAR"),
        };
        let runner = reference.runner(&pack).map_err(|errors| errors.to_string())?;
        for case in &suite.cases {
            let expected = case.exceptions.get("cedar").map_or(&case.expect, |exception| &exception.expect);
            // A reference has no limits.
            if expected.fault.is_some_and(|kind| kind.as_str().starts_with("limit:")) {
                continue;
            }
            if let Some(failure) = runner.run(case).failure {
                return Err(format!("{}: {failure}", case.location).into());
            }
        }
    }
    Ok(())
}

/// A probe of OPA's behaviour.
#[derive(Debug, Deserialize)]
struct Probe {
    name: String,
    module: String,
    #[serde(default)]
    data: Option<Value>,
    #[serde(default)]
    input: Option<Map<String, Value>>,
}

/// A probe that rego-native does not answer as OPA does.
#[derive(Debug, Deserialize)]
struct Known {
    case: String,
    how: String,
    why: String,
}

/// What becomes of a policy on rego-native with OPA beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// rego-native refuses it at load, and OPA does not.
    RefusedByUs,
    /// OPA refuses it at load, and rego-native does not.
    RefusedByOpa,
    /// Both refuse it.
    RefusedByBoth,
    /// The search finds a request on which they differ.
    Found,
    /// The search finds none.
    Agrees,
}

/// A pack that decides by `data.p.x` of a module: its value is the reason, and without one there is no decision. Its one
/// case has the probe's own input.
fn planted(Probe { module, data, input, .. }: &Probe, strict: bool) -> Arc<PackSource> {
    let settings = json!({"entrypoint": "planted/decision", "strict_builtin_errors": strict});
    let manifest = json!({
        "name": "planted", "version": "1.0.0", "description": "a divergence in a pack",
        "engines": {"rego-native": settings},
    });
    let party = json!({
        "type": "object", "required": ["type", "id"],
        "properties": {"type": {"type": "string"}, "id": {"type": "string"}},
    });
    let texts = json!({"type": "array", "items": {"enum": ["a", "b"]}});
    let schema = json!({
        "type": "object", "required": ["subject", "action", "resource"],
        "properties": {
            "subject": party, "resource": party,
            "action": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
            "a": {"type": "integer"}, "n": {"type": "number"}, "text": {"enum": ["a", "ab", "b", ""]},
            "list": texts, "other": {},
        },
    });
    let decision =
        "package planted\n\ndecision := {\"effect\": \"deny\", \"reason\": json.marshal(data.p.x)}\n";
    let mut request = json!({
        "subject": {"type": "t", "id": "s"}, "action": {"name": "n"}, "resource": {"type": "t", "id": "r"},
    });
    if let Some(request) = request.as_object_mut() {
        request.extend(input.iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
    }
    let case = json!([{"name": "own-input", "request": request, "expect": {"effect": "deny"}}]);
    let files = [
        ("cases/probe.yaml", case.to_string()),
        ("pack.yaml", manifest.to_string()),
        ("input.schema.json", schema.to_string()),
        ("planted.rego", decision.to_owned()),
        ("p.rego", module.clone()),
        ("data.json", data.as_ref().map_or("{}".to_owned(), Value::to_string)),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.into_bytes()));
    Arc::new(PackSource::read("planted", PackFiles::new(files), &tribunal::registry()).unwrap())
}

/// Requests that a search asks.
const SEARCHED: u64 = 2_000;

/// What becomes of a planted pack in a search, and why.
fn fate(pack: &Arc<PackSource>) -> Result<(Fate, String), ReferenceError> {
    let registry = tribunal::registry();
    let ours = Runner::load(pack.clone(), "rego-native", &LoadContext::default(), &registry);
    let opa = match reference::opa(pack, None) {
        Ok(reference) => Ok(reference.runner(pack).unwrap()),
        Err(ReferenceError::Refused(errors)) => Err(errors),
        Err(error) => return Err(error),
    };
    let (ours, opa) = match (ours, opa) {
        (Ok(ours), Ok(opa)) => (ours, opa),
        (Err(errors), Ok(_)) => return Ok((Fate::RefusedByUs, errors.to_string())),
        (Ok(_), Err(errors)) => return Ok((Fate::RefusedByOpa, errors.to_string())),
        (Err(ours), Err(opa)) => return Ok((Fate::RefusedByBoth, format!("{ours}; OPA: {opa}"))),
    };
    Ok(match search(pack, ours, opa).map_err(ReferenceError::Refused)? {
        Ok(compared) => (Fate::Agrees, format!("{compared} compared")),
        Err(difference) => (Fate::Found, difference),
    })
}

/// Searches for a request on which rego-native and OPA differ: how many were compared, or the first difference.
fn search(pack: &PackSource, ours: Runner, opa: Runner) -> Result<Result<u64, String>, LoadErrors> {
    let panel = Panel::new([("rego-native".to_owned(), false, ours), ("opa".to_owned(), true, opa)]);
    let registry = tribunal::registry();
    let vocabulary = registry.get("rego-native").unwrap().vocabulary(pack)?;
    let material = Material::gather(&[pack], &Suite::read(pack)?.cases, &[vocabulary], []).unwrap();
    let plan =
        Plan { seed: 4, bound: Bound::Requests(SEARCHED), threads: 1, stop_at_first: true, timed_of: 0 };
    let findings = explore(&panel, &material, &plan, &mut |_| {});
    Ok(match findings.disagreements.first() {
        Some(Disagreement { question, answers, .. }) => {
            let answers: Vec<_> =
                answers.iter().map(|answer| (&answer.decision.reason, &answer.fault)).collect();
            Err(format!("{}: {answers:?}", question.request))
        }
        None => Ok(findings.compared),
    })
}

/// Probes that cannot differ in a pack, each with why.
const OUT_OF_REACH: [(&str, &str); 2] =
    [("strict: input big int eq literal", DOUBLES), ("lenient: input big int eq literal", DOUBLES)];
const DOUBLES: &str = "the host reads every number of a request as 64 bits, and hands both the same";

/// Every probe that is known to differ without being refused at load is found where a pack has it.
fn planted_probes_are_found() -> Result<(), Failed> {
    let Some(folder) = suite("rego-probes") else { return Ok(()) };
    let text = fs::read_to_string(folder.join("probes.jsonl"))?;
    let probes: Vec<Probe> = lines(&text);
    let probes: BTreeMap<&str, &Probe> = probes.iter().map(|probe| (probe.name.as_str(), probe)).collect();
    let divergences = "divergences/rego-native/rego-probes.jsonl";
    let known = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(divergences))?;
    let (mut found, mut wrong) = (0, Vec::new());
    for Known { case, how, why } in lines::<Known>(&known).into_iter().filter(|known| known.how != "refused")
    {
        let (strict, name) = match case.split_once(": ") {
            Some(("strict", name)) => (true, name),
            Some(("lenient", name)) => (false, name),
            _ => panic!("`{case}` is neither strict nor lenient"),
        };
        let probe = probes.get(name).unwrap_or_else(|| panic!("there is no probe `{name}`"));
        let fate = match fate(&planted(probe, strict)) {
            Ok(fate) => fate,
            Err(error) => {
                return skipped("planted-probes-are-found", error, "TRIBUNAL_REQUIRE_OPA");
            }
        };
        let excuse = OUT_OF_REACH.iter().find(|(name, _)| *name == case).map(|(_, excuse)| excuse);
        match (fate, excuse) {
            ((Fate::Found | Fate::RefusedByUs | Fate::RefusedByOpa, _), None) => found += 1,
            ((Fate::Agrees, _), Some(_)) => {}
            ((fate, told), excuse) => {
                wrong.push(format!("`{case}` ({how}: {why}; {excuse:?}): {fate:?}, {told}"));
            }
        }
    }
    assert!(found > 50, "only {found} probes are planted");
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

/// The forms on which regorus and OPA part (`regorus.md`, section 3), in policies that decide by them.
const FORMS: [(&str, Fate); 26] = [
    // Negation over what may be undefined.
    ("f(t) if t == \"a\"\nx if not f(input.text)", Fate::RefusedByUs),
    ("x if not startswith(input.text, \"a\")", Fate::RefusedByUs),
    ("x if not glob.match(\"a*\", [\"/\"], input.text)", Fate::RefusedByUs),
    ("x if not count(input.list) > 0", Fate::RefusedByUs),
    ("x if not startswith(lower(input.text), \"a\")", Fate::RefusedByUs),
    ("x if not input.text in {\"a\"}", Fate::RefusedByUs),
    ("x if not \"a\" in input.list", Fate::RefusedByUs),
    ("s := {\"a\"}\nx if not s[input.text]", Fate::RefusedByUs),
    ("o := {\"a\": {\"k\": true}}\nx if not o[input.text].k", Fate::RefusedByUs),
    ("x := {\"r\": \"a\" in input.list}", Fate::RefusedByUs),
    ("x if not input.list[_] == \"a\"", Fate::RefusedByBoth),
    // The same without the trap.
    ("x if not input.text == \"a\"", Fate::Agrees),
    ("x if count(input.list) == 0", Fate::Agrees),
    ("x if every t in input.list { t == \"a\" }", Fate::Agrees),
    ("y if input.text == \"a\"\nx if not y", Fate::Agrees),
    // No type checker.
    ("unused if startswith(1, \"a\")\nx := 1", Fate::RefusedByOpa),
    ("x := [1, 2][\"a\"]", Fate::RefusedByOpa),
    // Recursion.
    ("x if x", Fate::RefusedByBoth),
    ("x := count(data.p)", Fate::RefusedByBoth),
    // Numbers: fractions are binary, and a whole one keeps no point.
    ("x := input.a / 3", Fate::Found),
    ("x := [input.a, 1.0]", Fate::Found),
    // The order of values.
    ("x := {\"a\": input.a} < {input.a}", Fate::Found),
    // What goes wrong in regorus's other interpreter only.
    ("x := {i: [1 | i > 1] | some i in [1, 2, 3]}", Fate::Agrees),
    ("x := \"c\" if input.text == \"a\"\nx := \"d\" if input.list[_] == \"a\"", Fate::Agrees),
    // Other scheduling, other syntax.
    ("f(v) := v\nv := 1\nx := [f(v) | some v in input.list]", Fate::RefusedByUs),
    ("x := $\"{input.text}\"", Fate::RefusedByUs),
];

/// Every form is refused at load, found by the search, or no divergence any more; and which of these, is known.
fn planted_forms_meet_their_fate() -> Result<(), Failed> {
    let mut wrong = Vec::new();
    for (form, expected) in FORMS {
        let module = format!("package p\n\nimport rego.v1\n\n{form}\n");
        let probe = Probe { name: form.to_owned(), module, data: None, input: None };
        match fate(&planted(&probe, true)) {
            Ok((fate, _)) if fate == expected => {}
            Ok((fate, told)) => wrong.push(format!("{form}\n  is {fate:?} and not {expected:?}: {told}")),
            Err(error) => {
                let test = "planted-forms-meet-their-fate";
                return skipped(test, error, "TRIBUNAL_REQUIRE_OPA");
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

fn lines<'t, T: Deserialize<'t>>(text: &'t str) -> Vec<T> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect()
}

/// The folder of a suite, unless it is not there: told loudly, and a failure where suites are required.
fn suite(name: &str) -> Option<PathBuf> {
    let root = env::var_os("TRIBUNAL_SUITES").unwrap_or_else(|| "../../shared/suites".into());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(root).join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(env::var("TRIBUNAL_REQUIRE_SUITES").as_deref() != Ok("1"), "{} is missing", folder.display());
    eprintln!("\n*** {name} IS SKIPPED: {} is missing\n", folder.display());
    None
}
