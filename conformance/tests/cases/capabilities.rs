//! What an engine does not declare it refuses; it never answers as if it could.

use std::path::Path;
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};
use tribunal::core::contract::{Rules, Token};
use tribunal::core::engine::{
    Capability, Engine, EngineFactory, LoadContext, LoadErrorKind, LoadErrors, Prepared,
};
use tribunal::core::pack::{PackFiles, PackSource};

use tribunal_conformance::Runner;
use tribunal_conformance::case::suite::DEFAULT_NOW;

use crate::packs::Pack;

/// How it shows that an engine lacks something.
enum Shown {
    /// The pack `shared` is refused with these lines added to its manifest.
    Refused(&'static str),
    /// Refused so, or the engine's bounds name the limit and say what stands for it.
    RefusedOrReplaced(&'static str),
    /// The pack `shared` is refused with this policy in place of its own.
    PolicyRefused(&'static str, &'static str),
    /// A case of `tests/faults/shared` on this engine.
    ByCase(&'static str),
    /// By what the engine says of a decision.
    BySaying(fn(&dyn Engine, &Prepared<'_>) -> Result<(), Failed>),
    /// Nothing a pack or a request could ask for.
    Nothing,
}
use Shown::{ByCase, BySaying, Nothing, PolicyRefused, Refused, RefusedOrReplaced};

fn shown(capability: Capability, engine: &str) -> Shown {
    match capability {
        Capability::Floats => ByCase("a-float"),
        Capability::Null => ByCase("a-null"),
        Capability::OpenRequests => ByCase("a-float-that-the-schema-does-not-name"),
        Capability::Tokens => Refused("token: required\n"),
        // The one engine without them has to be told so by the pack.
        Capability::StrictBuiltins if engine == "rego-wasm" => Refused("strict"),
        Capability::StrictBuiltins => Nothing,
        Capability::Fuel => RefusedOrReplaced("fuel: 5\n"),
        Capability::Deadline => RefusedOrReplaced("deadline: 1s\n"),
        Capability::Memory => RefusedOrReplaced("memory: 64MiB\n"),
        Capability::Output => RefusedOrReplaced("output: 1MiB\n"),
        Capability::Facts => RefusedOrReplaced("facts: 500\n"),
        Capability::Iterations => RefusedOrReplaced("iterations: 20\n"),
        Capability::Rules => BySaying(no_rules),
        Capability::Trace => BySaying(no_trace),
        Capability::Regex => match engine {
            "cedar" => PolicyRefused(
                "policy.cedar",
                r#"permit (principal, action, resource) when { context.text.matches("a+") };"#,
            ),
            _ => Nothing,
        },
        Capability::OrderedLists => match engine {
            "cedar" => {
                PolicyRefused("policy.cedar", "permit (principal, action, resource) when { [1, 2][0] == 1 };")
            }
            _ => Nothing,
        },
        Capability::Iteration => match engine {
            "cedar" => PolicyRefused(
                "policy.cedar",
                "permit (principal, action, resource) when { [1, 2].any(x, x == 1) };",
            ),
            _ => Nothing,
        },
        Capability::StringFunctions => match engine {
            "cedar" => PolicyRefused(
                "policy.cedar",
                r#"permit (principal, action, resource) when { context.text.lower() == "a" };"#,
            ),
            "biscuit" => PolicyRefused("policy.biscuit", r#"allow if action($name), $name.lower() == "go";"#),
            _ => Nothing,
        },
        // Rego and Datalog have no entities whose parents a request could claim.
        Capability::Hierarchy => Nothing,
    }
}

pub(crate) fn trials(root: &Path) -> Vec<Trial> {
    let registry = tribunal::registry();
    let shared = Arc::new(Pack::read(&root.join("tests/faults/shared")));
    let mut trials = vec![Trial::test("capabilities/matrix", matrix)];
    for factory in registry.iter() {
        for capability in
            Capability::ALL.into_iter().filter(|capability| !factory.capabilities().has(*capability))
        {
            let (factory, shared) = (factory.clone(), shared.clone());
            let name = format!("capabilities/{}/lacks-{}", factory.info().id, capability.as_str());
            if matches!(shown(capability, factory.info().id), Nothing) {
                continue;
            }
            trials.push(Trial::test(name, move || lacks(factory.as_ref(), capability, &shared)));
        }
    }
    trials
}

fn lacks(factory: &dyn EngineFactory, capability: Capability, shared: &Pack) -> Result<(), Failed> {
    let engine = factory.info().id;
    let (pack, suite) = shared.read.clone()?;
    let refused = |files: PackFiles| match deploy(engine, files) {
        Ok(()) => Err(Failed::from("loaded as if it could")),
        Err(errors) => Ok(errors),
    };
    match shown(capability, engine) {
        Nothing => Ok(()),
        ByCase(name) => {
            // That it passes is that case's own test; here it only has to be there.
            let is_there = suite.cases.iter().any(|case| case.name == name);
            if is_there { Ok(()) } else { Err(format!("no case `{name}`").into()) }
        }
        Refused("strict") => unsupported(refused(without(&pack, "strict_builtin_errors: false"))?),
        Refused(lines) => unsupported(refused(with_manifest(&pack, lines))?),
        RefusedOrReplaced(limit) => {
            let name = limit.split(':').next().unwrap();
            match deploy(engine, with_manifest(&pack, &format!("limits: {{{}}}\n", limit.trim()))) {
                Err(errors) => unsupported(errors),
                Ok(()) => {
                    let bounds = factory.capabilities().bounds;
                    let is_named = bounds.iter().any(|bound| bound.contains(name));
                    if is_named {
                        Ok(())
                    } else {
                        Err(format!("no bound says what stands for `limits.{name}`: {bounds:#?}").into())
                    }
                }
            }
        }
        PolicyRefused(file, policy) => {
            let mut files = pack.files.clone();
            files.insert(file, policy.as_bytes());
            let errors = refused(files)?;
            let is_placed = errors
                .iter()
                .all(|error| error.location.as_ref().is_some_and(|place| place.file.ends_with(file)));
            if is_placed { Ok(()) } else { Err(format!("an error without its place: {errors}").into()) }
        }
        BySaying(said) => {
            let loaded = factory.load(&pack, &LoadContext::default()).map_err(|errors| errors.to_string())?;
            let payload = request();
            said(loaded.as_ref(), &Prepared::new(&payload, pack.named(), DEFAULT_NOW, None::<&Token>))
        }
    }
}

fn no_rules(engine: &dyn Engine, request: &Prepared<'_>) -> Result<(), Failed> {
    match engine.decide(request)?.rules {
        Rules::Unavailable(_) => Ok(()),
        Rules::Determined(names) => Err(format!("names rules: {names:?}").into()),
    }
}

fn no_trace(engine: &dyn Engine, request: &Prepared<'_>) -> Result<(), Failed> {
    let explanation = engine.explain(request)?;
    if !explanation.trace.is_empty() || explanation.notes.is_empty() {
        return Err(format!("traces, or does not say that it cannot: {explanation:?}").into());
    }
    Ok(())
}

fn unsupported(errors: LoadErrors) -> Result<(), Failed> {
    let is_placed = errors
        .iter()
        .any(|error| error.location.as_ref().is_some_and(|place| place.file.ends_with("pack.yaml")));
    if errors.has(LoadErrorKind::Unsupported) && is_placed {
        Ok(())
    } else {
        Err(format!("refused for another reason: {errors}").into())
    }
}

fn request() -> Value {
    json!({
        "subject": {"type": "agent", "id": "a"}, "action": {"name": "go"}, "resource": {"type": "tool", "id": "t"},
        "context": {"text": "some text"}, "derived": {},
    })
}

/// Loads as a deployment does: what no engine without a capability may do is refused before the engine is asked.
fn deploy(engine: &str, files: PackFiles) -> Result<(), LoadErrors> {
    let registry = tribunal::registry();
    let pack = Arc::new(PackSource::read("shared", files, &registry)?);
    Runner::load(pack, engine, &LoadContext::default(), &registry).map(|_| ())
}

fn with_manifest(pack: &PackSource, lines: &str) -> PackFiles {
    let mut files = pack.files.clone();
    files.insert("pack.yaml", format!("{}{lines}", pack.text("pack.yaml").unwrap()).into_bytes());
    files
}

fn without(pack: &PackSource, words: &str) -> PackFiles {
    let text = pack.text("pack.yaml").unwrap();
    let changed = text.replace(&format!(", {words}"), "");
    assert_ne!(text, changed, "`{words}` stands in the manifest");
    let mut files = pack.files.clone();
    files.insert("pack.yaml", changed.into_bytes());
    files
}

/// A capability lost or gained shows in review.
fn matrix() -> Result<(), Failed> {
    let registry = tribunal::registry();
    let factories: Vec<_> = registry.iter().collect();
    let mut text = format!("{:18}", "");
    for factory in &factories {
        text.push_str(&format!("{:>13}", factory.info().id));
    }
    for capability in Capability::ALL {
        text.push_str(&format!("\n{:18}", capability.as_str()));
        for factory in &factories {
            text.push_str(&format!(
                "{:>13}",
                if factory.capabilities().has(capability) { "yes" } else { "-" }
            ));
        }
    }
    insta::assert_snapshot!("capabilities", text);
    Ok(())
}
