//! `tribunal pack test`: every case of a pack on every engine it offers, and its Rego `test_` rules.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tribunal::Registry;
use tribunal::core::engine::LoadContext;
use tribunal::core::pack::PackSource;
use tribunal::files::read_pack;
use tribunal_conformance::{Runner, Suite, offered, rego_tests};

use super::packs_in;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::tests::{self, Test, Verdict};
use crate::target::known_engine;

/// Put every case of the packs to every engine they offer, and run their Rego `test_` rules. Exit code 5 if any fails.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Packs, and folders of packs.
    #[arg(default_value = ".", num_args = 1..)]
    packs: Vec<PathBuf>,
    /// Only cases and rules whose name has this in it.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Only this engine.
    #[arg(long, value_name = "ID")]
    engine: Option<String>,
    /// How the results are written.
    #[arg(long, value_enum, default_value = "text")]
    format: tests::Format,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let registry = tribunal::registry();
    if let Some(engine) = &args.engine {
        known_engine(engine, &registry)?;
    }
    let mut tests = Vec::new();
    let mut broken = Vec::new();
    for path in &args.packs {
        for pack in packs_in(path)? {
            broken.extend(test_pack(&pack, args, &registry, &mut tests).err());
        }
    }
    // One that cannot be read does not hide the others, and is no success.
    let finished = match broken.is_empty() || !tests.is_empty() {
        true => tests::finish(args.format, &tests),
        false => Ok(Exit::Success),
    };
    broken.iter().for_each(Failure::report);
    Ok(broken.iter().map(Failure::exit).fold(finished?, Exit::max))
}

fn test_pack(path: &Path, args: &Args, registry: &Registry, tests: &mut Vec<Test>) -> Result<(), Failure> {
    let source = Arc::new(PackSource::read(&path.display().to_string(), read_pack(path)?, registry)?);
    let suite = Suite::read(&source)?;
    let context = suite.trusted(&LoadContext::default());
    let pack = &source.manifest.name;
    let is_wanted = |name: &str| args.filter.as_ref().is_none_or(|text| name.contains(text.as_str()));
    for offer in offered(&source, registry)
        .filter(|offer| args.engine.as_ref().is_none_or(|engine| engine == offer.engine))
    {
        let engine = offer.engine;
        let test = |name: &str, verdict| Test {
            pack: pack.clone(),
            engine: engine.to_owned(),
            name: name.to_owned(),
            place: None,
            verdict,
        };
        if !offer.is_built_in {
            let why = format!("`{engine}` is not built into this program");
            tests.push(test("load", Verdict::Skipped(why)));
            continue;
        }
        let runner = match Runner::load(source.clone(), engine, &context, registry) {
            Ok(runner) => runner,
            Err(errors) => {
                tests.push(test("load", Verdict::Failed(errors.to_string())));
                continue;
            }
        };
        for case in suite.cases.iter().filter(|case| is_wanted(&case.name)) {
            let result = runner.run(case);
            let verdict =
                result.failure.map_or(Verdict::Passed, |failure| Verdict::Failed(failure.to_string()));
            tests.push(Test { place: Some(case.location.clone()), ..test(&case.name, verdict) });
        }
    }
    if args.engine.as_ref().is_none_or(|engine| engine == REGO) {
        test_rego(&source, &context, is_wanted, tests);
    }
    Ok(())
}

/// The engine that runs a pack's `test_` rules.
const REGO: &str = "rego-native";

/// Runs the pack's own `test_` rules, if it has any.
fn test_rego(
    source: &PackSource,
    context: &LoadContext,
    is_wanted: impl Fn(&str) -> bool,
    tests: &mut Vec<Test>,
) {
    let test = |name: String, place, verdict| Test {
        pack: source.manifest.name.clone(),
        engine: REGO.to_owned(),
        name,
        place,
        verdict,
    };
    match rego_tests(source, context) {
        Ok(results) => {
            for result in results.into_iter().filter(|result| is_wanted(&result.name)) {
                let verdict = result.failure.map_or(Verdict::Passed, Verdict::Failed);
                tests.push(test(result.name, Some(result.location), verdict));
            }
        }
        Err(errors) if errors.is_absence() => {
            tests.push(test("rego tests".to_owned(), None, Verdict::Skipped(errors.to_string())))
        }
        Err(errors) => tests.push(test("rego tests".to_owned(), None, Verdict::Failed(errors.to_string()))),
    }
}
