//! Redaction is complete: a request with a decision's patches applied is let through. A property over texts made of what the
//! pack's own cases say, cut anywhere and put together again, on every engine.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use serde_json::Value;
use tribunal::core::contract::{DecisionEffect, PolicyRequest};
use tribunal::core::engine::LoadContext;
use tribunal_conformance::{Runner, offered};

use crate::packs::{self, Pack};

/// Texts tried on each engine.
const TEXTS: u32 = 256;
/// What joins two pieces: nothing, and what detectors and expressions treat as a border or as nothing at all.
const GLUE: &[&str] =
    &["", " ", "\n", "-", "a", "7", "\u{200b}", "\u{ad}", "<!--", "-->", "[filtered-prompt-injection]", "@"];

/// One for each engine of each pack that rewrites texts.
pub(crate) fn trials(root: &Path) -> Vec<Trial> {
    let mut trials = Vec::new();
    for pack in packs::folders(&root.join("../packs")) {
        let pack = Arc::new(pack);
        let name = &pack.name;
        // One that cannot be read fails elsewhere.
        let Ok((source, _)) = &pack.read else { continue };
        if source.manifest.redactable.is_empty() {
            continue;
        }
        let registry = tribunal::registry();
        for offer in offered(source, &registry).filter(|offer| offer.is_built_in) {
            let (pack, engine) = (pack.clone(), offer.engine.to_owned());
            trials.push(Trial::test(format!("{name}/{engine}/redaction-is-complete"), move || {
                is_complete(&pack, &engine)
            }));
        }
    }
    trials
}

/// The texts that cases put into a request's context.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|member| texts(member, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_complete(pack: &Pack, engine: &str) -> Result<(), Failed> {
    let (source, suite) = pack.read.clone()?;
    let runner = Runner::load(source.clone(), engine, &LoadContext::default(), &tribunal::registry())?;
    let seeds: Vec<_> =
        suite.cases.iter().filter(|case| case.expect.effect == DecisionEffect::Redact).collect();
    assert!(!seeds.is_empty(), "no case is redacted");
    let mut said = Vec::new();
    for case in &suite.cases {
        if let Some(context) = case.request.get("context") {
            texts(context, &mut said);
        }
    }
    let piece = (any::<Index>(), any::<Index>(), any::<Index>(), any::<bool>());
    let strategy = (any::<Index>(), any::<Index>(), proptest::collection::vec((piece, any::<Index>()), 1..6));
    let config = Config { cases: TEXTS, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let redacted = Cell::new(0_u32);
    TestRunner::new_with_rng(config, rng).run(&strategy, |(case, place, pieces)| {
        let mut text = String::new();
        for ((which, from, to, is_whole), glue) in pieces {
            let piece = which.get(&said);
            if is_whole {
                text.push_str(piece);
            } else {
                let cuts: Vec<usize> = piece.char_indices().map(|(at, _)| at).chain([piece.len()]).collect();
                let (from, to) = (*from.get(&cuts), *to.get(&cuts));
                text.push_str(&piece[from.min(to)..from.max(to)]);
            }
            let glue: &&str = glue.get(GLUE);
            text.push_str(glue);
        }
        let mut request = case.get(&seeds).request.clone();
        let redactable = &source.manifest.redactable;
        let places: Vec<_> = redactable.iter().filter(|place| place.get(&request).is_some()).collect();
        let place = place.get(&places);
        *request.pointer_mut(&place.to_string()).unwrap() = Value::String(text);
        let decide = |request: &Value| {
            let request = PolicyRequest::from_slice(request.to_string().as_bytes()).unwrap();
            runner.dispatcher().evaluate(&request).decision
        };
        let decision = decide(&request);
        if decision.effect != DecisionEffect::Redact {
            let reason = decision.reason.unwrap_or_default();
            prop_assert!(!reason.starts_with("engine_error:"), "{reason}");
            return Ok(());
        }
        redacted.set(redacted.get() + 1);
        let clean = decision.apply(&request).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let again = decide(&clean);
        prop_assert_eq!(again.effect, DecisionEffect::Allow, "{:?} after {:?}", again, decision);
        Ok(())
    })?;
    if redacted.get() == 0 { Err("no text was redacted: nothing was tested".into()) } else { Ok(()) }
}
