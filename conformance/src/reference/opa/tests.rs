use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::json;
use tribunal::core::contract::DecisionEffect;
use tribunal::core::pack::{PackFiles, ShapeTable};

use super::*;

/// A pack with one file of Rego, whose `policy` is asked for `policy/decision` unless `engines` says otherwise.
fn pack(engines: Value, rego: &str, data: &Value) -> PackSource {
    let manifest = json!({
        "name": "t", "version": "1.0.0", "description": "a test", "input_schema": "none", "engines": engines,
    });
    let files = BTreeMap::from([
        ("pack.yaml", manifest.to_string()),
        ("lib/policy.rego", rego.to_owned()),
        ("policy_test.rego", "package policy_test\nthis is no Rego".to_owned()),
        ("data.json", data.to_string()),
    ]);
    let files = files.into_iter().map(|(path, text)| (path.to_owned(), text.into_bytes()));
    PackSource::read("packs/t", PackFiles::new(files), &tribunal::registry()).unwrap()
}

fn native(rego: &str) -> PackSource {
    pack(json!({"rego-native": {"entrypoint": "policy/decision"}}), rego, &json!({}))
}

/// Whether OPA is there; loudly so if it is not.
fn is_there(test: &str) -> bool {
    match OpaCompiler::find() {
        Ok(_) => true,
        Err(error) => {
            assert!(std::env::var("TRIBUNAL_REQUIRE_OPA").as_deref() != Ok("1"), "{test}: {error}");
            eprintln!("\n*** {test} IS SKIPPED: {error}\n");
            false
        }
    }
}

/// A running server, where the reference would hide it behind a trait.
fn server(pack: &PackSource) -> Opa {
    let opa = OpaCompiler::find().unwrap();
    let settings: Settings = pack.settings("rego-native").unwrap();
    let policy = Policy {
        program: opa.program().to_owned(),
        strict: settings.strict_builtin_errors.unwrap_or(true),
        question: Question::of(settings, "rego-native", pack).unwrap(),
        sources: pack
            .files
            .rego_sources()
            .map(|(path, text)| (inside(path).unwrap(), text.clone()))
            .collect(),
    };
    Opa::start(Arc::new(policy), &pack.data).unwrap()
}

fn decide(engine: &dyn Engine, payload: Value) -> Result<Decision, FaultKind> {
    let open = ShapeTable::everything();
    let request = Prepared::new(&payload, open.root(), jiff::Timestamp::UNIX_EPOCH, None);
    engine.decide(&request).map(|verdict| verdict.decision).map_err(|fault| fault.kind)
}

fn refusal(pack: &PackSource, binary: Option<&Path>) -> ReferenceError {
    match start(pack, binary) {
        Ok(reference) => panic!("{} took it", reference.name),
        Err(error) => error,
    }
}

/// The processes whose command line has this text, by id.
#[cfg(target_os = "linux")]
fn processes(text: &str) -> Vec<u32> {
    let ids = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let entry = entry.unwrap();
        let id = entry.file_name().to_str()?.parse().ok()?;
        // It may be gone since.
        let command = fs::read(entry.path().join("cmdline")).ok()?;
        String::from_utf8_lossy(&command).contains(text).then_some(id)
    });
    ids.collect()
}

fn folder(opa: &Opa) -> String {
    opa._folder.path().to_str().unwrap().to_owned()
}

const POLICY: &str = r#"package policy
import rego.v1
decision := "allow" if input.action == "go"
decision := "allow" if input.action == "conflict"
decision := "deny" if input.action == "conflict"
decision := "allow" if 1 / input.by > 0
decision := "allow" if to_number(input.text) > 0
decision := {"effect": "deny", "reason": reasons} if input.action == "reasons"
reasons contains "b" if true
reasons contains "a" if true
decision := 1 if input.action == "number"
decision := null if input.action == "null"
decision := {"effect": "redact", "patches": [{"op": "replace", "path": "/a", "value": 1e400}]} if {
	input.action == "too large"
}
"#;

#[test]
fn answers_are_those_of_the_contract() {
    if !is_there("answers_are_those_of_the_contract") {
        return;
    }
    let strict = start(&native(POLICY), None).unwrap();
    assert_eq!((strict.stands_for, strict.version.as_str()), ("rego-native", "OPA 1.22.0"));
    let ask = |payload| decide(strict.loaded.as_ref(), payload);
    assert_eq!(ask(json!({"action": "go"})), Ok(Decision::allow()));
    assert_eq!(ask(json!({"action": "reasons"})), Ok(Decision::deny("a; b")));
    assert_eq!(ask(json!({"action": "conflict"})), Err(FaultKind::Conflict));
    assert_eq!(ask(json!({"action": "stop"})), Err(FaultKind::UndefinedDecision));
    assert_eq!(ask(json!({"action": "number"})), Err(FaultKind::MalformedDecision));
    assert_eq!(ask(json!({"action": "null"})), Err(FaultKind::MalformedDecision));
    assert_eq!(ask(json!({"action": "too large"})), Err(FaultKind::MalformedDecision));
    assert_eq!(ask(json!({"by": 0})), Err(FaultKind::BuiltinError));
    assert_eq!(ask(json!({"text": "x"})), Err(FaultKind::BuiltinError));
}

#[test]
fn it_is_as_strict_as_the_engine_it_stands_for() {
    if !is_there("it_is_as_strict_as_the_engine_it_stands_for") {
        return;
    }
    let rule = json!("policy/decision");
    for (engines, stands_for, of_an_error) in [
        (
            json!({"rego-native": {"entrypoint": rule}, "rego-wasm": {"entrypoint": "none/such"}}),
            "rego-native",
            FaultKind::BuiltinError,
        ),
        (
            json!({"rego-native": {"entrypoint": rule, "strict_builtin_errors": false}}),
            "rego-native",
            FaultKind::UndefinedDecision,
        ),
        (json!({"rego-wasm": {"entrypoint": rule}}), "rego-wasm", FaultKind::UndefinedDecision),
    ] {
        let reference = start(&pack(engines, POLICY, &json!({})), None).unwrap();
        assert_eq!(reference.stands_for, stands_for);
        for payload in [json!({"by": 0}), json!({"text": "x"})] {
            assert_eq!(decide(reference.loaded.as_ref(), payload.clone()), Err(of_an_error), "{payload}");
        }
    }
}

#[test]
fn a_pair_of_rules_is_asked_one_after_the_other() {
    if !is_there("a_pair_of_rules_is_asked_one_after_the_other") {
        return;
    }
    let rego = "package a[\"b c\"]\nallow := input.yes\nreason contains input.why\n";
    let pair = json!({"decision": {"allow": "a/b c/allow", "reason": "a/b c/reason"}});
    let reference = start(&pack(json!({"rego-native": pair}), rego, &json!({})), None).unwrap();
    let ask = |payload| decide(reference.loaded.as_ref(), payload);
    assert_eq!(ask(json!({"yes": true})), Ok(Decision::allow()));
    assert_eq!(ask(json!({"yes": false, "why": "é \"so\""})), Ok(Decision::deny("é \"so\"")));
    assert_eq!(ask(json!({"why": "so"})), Err(FaultKind::UndefinedDecision));
}

#[test]
fn data_stands_at_the_root_and_can_be_another() {
    if !is_there("data_stands_at_the_root_and_can_be_another") {
        return;
    }
    let rego = "package policy\ndecision := {\"effect\": \"deny\", \"reason\": data.text}\n";
    let engines = json!({"rego-native": {"entrypoint": "policy/decision"}});
    let first = server(&pack(engines, rego, &json!({"text": "first"})));
    let second = first.with_data(Arc::new(json!({"text": "second"}))).unwrap();
    assert_eq!(decide(&first, json!({})), Ok(Decision::deny("first")));
    assert_eq!(decide(second.as_ref(), json!({})), Ok(Decision::deny("second")));
    let refused = first.with_data(Arc::new(json!({"policy": {"decision": "allow"}}))).unwrap_err();
    assert!(refused.to_string().contains("conflicting rule for data path policy/decision"), "{refused}");
}

#[test]
fn an_answer_of_any_length_is_read() {
    if !is_there("an_answer_of_any_length_is_read") {
        return;
    }
    let server =
        server(&native("package policy\ndecision := {\"effect\": \"deny\", \"reason\": input.text}\n"));
    for length in [0, 1, 1_000, 2_048, 10_000, 300_000] {
        let text = "é".repeat(length);
        assert_eq!(decide(&server, json!({"text": text})), Ok(Decision::deny(text)), "{length}");
    }
}

#[test]
fn many_threads_get_their_own_answers() {
    if !is_there("many_threads_get_their_own_answers") {
        return;
    }
    let server =
        server(&native("package policy\ndecision := {\"effect\": \"deny\", \"reason\": input.text}\n"));
    thread::scope(|scope| {
        for number in 0..8 {
            let server = &server;
            scope.spawn(move || {
                for round in 0..50 {
                    let text = format!("{number}/{round}");
                    assert_eq!(decide(server, json!({"text": text})), Ok(Decision::deny(text)));
                }
            });
        }
    });
}

#[test]
fn what_opa_refuses_is_told_with_its_place() {
    if !is_there("what_opa_refuses_is_told_with_its_place") {
        return;
    }
    let said = |rego: &str| refusal(&native(rego), None).to_string();
    assert_eq!(
        said("package policy\ndecision := \"allow\" if {\n"),
        "the reference refuses the policy: packs/t/lib/policy.rego:3:1: rego_parse_error: unexpected eof token"
    );
    assert_eq!(
        said("package policy\ndecision := \"allow\" if {\n\tno_such(1)\n}\n"),
        "the reference refuses the policy: packs/t/lib/policy.rego:3:2: rego_type_error: undefined function no_such"
    );
    // The type checker that regorus lacks.
    let two = said("package policy\nx := [][0]\ny := startswith(1, \"a\")\n");
    assert!(two.contains("policy.rego:2:6: rego_type_error: undefined ref"), "{two}");
    assert!(two.contains("policy.rego:3:6: rego_type_error: startswith: invalid argument"), "{two}");
    let engines = json!({"rego-native": {"entrypoint": "policy/x"}});
    let data = refusal(&pack(engines, "package policy\nx := 1\n", &json!({"policy": {"x": 1}})), None);
    assert!(
        matches!(&data, ReferenceError::Refused(errors) if errors.to_string().contains("policy/x")),
        "{data}"
    );
}

#[test]
fn what_the_request_does_not_settle_is_refused() {
    if !is_there("what_the_request_does_not_settle_is_refused") {
        return;
    }
    for (builtin, call) in [
        ("time.now_ns", "time.now_ns() > 0"),
        ("rand.intn", "rand.intn(\"x\", 2) > 0"),
        ("uuid.rfc4122", "uuid.rfc4122(\"x\") > \"\""),
        ("http.send", "http.send({\"url\": \"http://127.0.0.1:1\", \"method\": \"get\"}).body"),
        ("opa.runtime", "opa.runtime().version"),
    ] {
        let error = refusal(&native(&format!("package policy\ndecision := \"allow\" if {call}\n")), None);
        let place = Location::new("packs/t/lib/policy.rego", 2, 24);
        assert!(
            matches!(&error, ReferenceError::Unsettled { builtin: found, location } if found == builtin && *location == place),
            "{error}"
        );
    }
    // A name in a text or a comment is no call.
    let rego =
        "package policy\n# time.now_ns()\ndecision := {\"effect\": \"deny\", \"reason\": \"time.now_ns\"}\n";
    assert!(start(&native(rego), None).is_ok());
}

#[test]
fn what_is_missing_is_named() {
    let missing = refusal(&native(POLICY), Some(Path::new("/no/such/opa")));
    assert!(matches!(missing, ReferenceError::NotInstalled { .. }), "{missing}");
    assert!(missing.to_string().contains("`/no/such/opa` was asked for"), "{missing}");
    let other = refusal(&native(POLICY), Some(Path::new("/bin/true")));
    assert!(matches!(other, ReferenceError::OtherVersion { .. }), "{other}");
    if !is_there("what_is_missing_is_named") {
        return;
    }
    let cedar = pack(json!({"cedar": {"types": {"a": "A"}}}), POLICY, &json!({}));
    let error = refusal(&cedar, None);
    assert!(matches!(error, ReferenceError::NotOffered { .. }), "{error}");
    assert!(error.to_string().contains("pack `t` does not offer `rego-native`"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_that_is_killed_is_a_fault_at_once() {
    if !is_there("a_server_that_is_killed_is_a_fault_at_once") {
        return;
    }
    let opa = server(&native(POLICY));
    assert_eq!(decide(&opa, json!({"action": "go"})), Ok(Decision::allow()));
    let folder = folder(&opa);
    for id in processes(&folder) {
        assert!(Command::new("kill").args(["-9", &id.to_string()]).status().unwrap().success());
    }
    let started = Instant::now();
    assert_eq!(decide(&opa, json!({"action": "go"})), Err(FaultKind::NotLoaded));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[cfg(target_os = "linux")]
#[test]
fn no_server_is_left_behind() {
    if !is_there("no_server_is_left_behind") {
        return;
    }
    let dropped = |opa: Opa| drop(opa);
    let panicked = |opa: Opa| {
        let panic = catch_unwind(AssertUnwindSafe(move || {
            let _kept = opa;
            std::panic::resume_unwind(Box::new(()));
        }));
        assert!(panic.is_err());
    };
    // As if this process had died: nobody lets go of anything, but our end of the lifeline is closed.
    let died = |mut opa: Opa| {
        opa._kept.cut();
        let folder = folder(&opa);
        let started = Instant::now();
        while !processes(&folder).is_empty() && started.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(processes(&folder), Vec::<u32>::new());
    };
    let ends: [(&str, &dyn Fn(Opa)); 3] = [("dropped", &dropped), ("panicked", &panicked), ("died", &died)];
    for (name, end) in ends {
        let opa = server(&native(POLICY));
        let folder = folder(&opa);
        // The server, and the shell that keeps it.
        assert!(processes(&folder).len() >= 2, "{name}: {:?}", processes(&folder));
        end(opa);
        assert_eq!(processes(&folder), Vec::<u32>::new(), "{name}");
        assert!(!Path::new(&folder).exists(), "{name}: {folder}");
    }
}

const PATIENCE: Duration = Duration::from_secs(10);

/// `cargo test -p tribunal-conformance -- --ignored --nocapture a_round_trip`
#[test]
#[ignore = "a measurement"]
fn a_round_trip_takes_a_tenth_of_a_millisecond() {
    let opa = server(&native(POLICY));
    let ask = || assert_eq!(decide(&opa, json!({"action": "go"})).unwrap().effect, DecisionEffect::Allow);
    (0..500).for_each(|_| ask());
    let started = Instant::now();
    (0..5_000).for_each(|_| ask());
    println!("{} µs", started.elapsed().as_micros() / 5_000);
}
