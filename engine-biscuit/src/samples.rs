//! The samples of the Biscuit specification: 38 tokens with 50 expected results, verified and judged as the engine does it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use biscuit_auth::builder::{AuthorizerBuilder, Term};
use biscuit_auth::datalog::ExternFunc;
use biscuit_auth::{Algorithm, AuthorizerLimits, PublicKey};
use serde_json::{Value, json};
use tribunal_engine_core::fault::{Fault, FaultKind, TokenFault};

use crate::decide::Judgement;
use crate::{credential, error, token};

/// The folder of the samples; `None`, loudly, where the suites are not there.
fn folder() -> Option<PathBuf> {
    let suites = std::env::var_os("TRIBUNAL_SUITES")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/suites"), PathBuf::from);
    let folder = suites.join("biscuit-samples");
    if folder.join("samples.json").is_file() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("TRIBUNAL_REQUIRE_SUITES").is_none_or(|value| value != "1"),
        "{} is missing",
        folder.display()
    );
    println!("SKIPPED: {} is missing; set TRIBUNAL_SUITES", folder.display());
    None
}

/// What the samples call `test`: one argument comes back, two are compared.
fn test_function() -> ExternFunc {
    ExternFunc::new(Arc::new(|left: Term, right: Option<Term>| match (left, right) {
        (left, None) => Ok(left),
        (Term::Str(left), Some(Term::Str(right))) if left == right => {
            Ok(Term::Str("equal strings".to_owned()))
        }
        (Term::Str(_), Some(Term::Str(_))) => Ok(Term::Str("different strings".to_owned())),
        _ => Err("unsupported operands".to_owned()),
    }))
}

fn judge(bytes: &[u8], keys: &HashMap<Option<u32>, PublicKey>, code: &str) -> Result<Judgement, Fault> {
    let token = token::verify(bytes, keys)?;
    let limits = AuthorizerLimits { max_facts: 1000, max_iterations: 100, max_time: Duration::from_secs(10) };
    let authorizer = AuthorizerBuilder::new()
        .code(code)
        .unwrap()
        .set_limits(limits)
        .register_extern_func("test".to_owned(), test_function())
        .build(&token)
        .map_err(|error| error::evaluation(&error));
    Judgement::of(authorizer?.authorize())
}

/// What a sample's result means here.
fn expected(result: &Value) -> Result<Judgement, FaultKind> {
    if let Some(index) = result.get("Ok").and_then(Value::as_u64) {
        return Ok(Judgement {
            policy: Some((index as usize, true)),
            checks: Vec::new(),
            token_checks: Vec::new(),
        });
    }
    let error = &result["Err"];
    if error.get("Execution").is_some() {
        return Err(FaultKind::EvaluationError);
    }
    if let Some(format) = error.get("Format") {
        let known = ["Signature", "InvalidSignatureSize", "BlockSignatureDeserializationError"];
        assert!(known.iter().any(|kind| format.get(kind).is_some()), "{format}");
        return Err(FaultKind::Token(TokenFault::BadSignature));
    }
    let logic = &error["FailedLogic"];
    if logic.get("InvalidBlockRule").is_some() {
        return Err(FaultKind::Token(TokenFault::Malformed));
    }
    let (kind, failed) = logic.as_object().unwrap().iter().next().unwrap();
    let policy = match kind.as_str() {
        "NoMatchingPolicy" => None,
        "Unauthorized" => {
            let (kind, index) = failed["policy"].as_object().unwrap().iter().next().unwrap();
            Some((index.as_u64().unwrap() as usize, kind == "Allow"))
        }
        other => panic!("{other}"),
    };
    let number = |check: &Value, name: &str| check[name].as_u64().unwrap();
    let checks = failed["checks"].as_array().unwrap();
    let own = checks
        .iter()
        .filter_map(|check| check.get("Authorizer"))
        .map(|check| number(check, "check_id") as usize);
    let token = checks.iter().filter_map(|check| check.get("Block"));
    let token = token.map(|check| (number(check, "block_id") as u32, number(check, "check_id") as u32));
    Ok(Judgement { policy, checks: own.collect(), token_checks: token.collect() })
}

#[test]
fn every_sample_comes_to_its_result() {
    let Some(folder) = folder() else { return };
    let samples: Value =
        serde_json::from_slice(&std::fs::read(folder.join("samples.json")).unwrap()).unwrap();
    let root =
        PublicKey::from_bytes_hex(samples["root_public_key"].as_str().unwrap(), Algorithm::Ed25519).unwrap();
    let mut validations = 0;
    for case in samples["testcases"].as_array().unwrap() {
        let file = case["filename"].as_str().unwrap();
        let bytes = std::fs::read(folder.join(file)).unwrap();
        let keys = HashMap::from([(None, root)]);
        for (name, validation) in case["validations"].as_object().unwrap() {
            let code = validation["authorizer_code"].as_str().unwrap();
            let found = judge(&bytes, &keys, code).map_err(|fault| fault.kind);
            assert_eq!(found, expected(&validation["result"]), "{file} {name}");
            if let Ok(token) = token::verify(&bytes, &keys) {
                let ids: Vec<String> = token.revocation_identifiers().iter().map(hex::encode).collect();
                assert_eq!(json!(ids), validation["revocation_ids"], "{file}");
            }
            validations += 1;
        }
    }
    assert_eq!(validations, 50);
}

/// Of the samples that verify, only those are refused for what they contain that could not be evaluated soundly.
#[test]
fn what_samples_contain_is_admitted() {
    let Some(folder) = folder() else { return };
    let mut refused = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "bc") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let content = credential::decode(&std::fs::read(&path).unwrap())
                .and_then(|blocks| credential::inspect(&blocks));
            refused.extend(content.err().map(|fault| format!("{name}: {}", fault.detail)));
        }
    }
    refused.sort();
    let names: Vec<&str> = refused.iter().filter_map(|refused| refused.split(':').next()).collect();
    assert_eq!(
        names,
        [
            // Its signature is wrong too, and the specification says no more of it.
            "test004_random_block",
            // The specification refuses its rule as well.
            "test018_unbound_variables_in_rule",
            // States `time(…)`, as the engine does of the request.
            "test022_default_symbols",
            // Calls a function of the host's.
            "test035_ffi",
        ],
        "{refused:#?}"
    );
}
