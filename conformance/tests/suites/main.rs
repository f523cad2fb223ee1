//! The upstream suites, one test for each suite and engine: what does not pass is listed, and what is listed does not pass;
//! and no folder passes fewer cases than were counted once. In a suite that has more cases than were counted, those that do not
//! pass are told, and nothing more.
//!
//! To run one of rego-wasm's cases, its module has to be built and compiled: one case in [`SAMPLE`] is run here, and all of
//! them with `TRIBUNAL_SUITES_FULL=1` or by `tribunal suites`. `TRIBUNAL_UPDATE_COUNTS=1` counts anew, in full.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![expect(clippy::print_stderr, reason = "what is skipped is said loudly")]

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use libtest_mimic::{Arguments, Failed, Trial};
use tribunal_conformance::suites::counts::Counts;
use tribunal_conformance::suites::{DEFAULT_FOLDER, FOLDER_VARIABLE, Options, SuiteName, run_with};

/// Of so many of rego-wasm's cases one is run. Odd, for the probes are strict and lenient by turns.
const SAMPLE: NonZero<usize> = NonZero::new(7).unwrap();

fn main() {
    let arguments = Arguments::from_args();
    let is_set = |name: &str| std::env::var(name).is_ok_and(|value| value == "1");
    let update = is_set("TRIBUNAL_UPDATE_COUNTS").then(|| Arc::new(Mutex::new(Counts::committed().unwrap())));
    let is_full = is_set("TRIBUNAL_SUITES_FULL") || update.is_some();
    let mut trials = Vec::new();
    for suite in SuiteName::ALL {
        for engine in suite.engines() {
            // Four requests are asked of one module.
            let is_slow = *engine == "rego-wasm" && suite != SuiteName::Authzen;
            let every = if is_slow && !is_full { SAMPLE } else { NonZero::<usize>::MIN };
            let update = update.clone();
            trials.push(Trial::test(format!("{suite}/{engine}"), move || {
                holds(suite, engine, every, update.as_deref())
            }));
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let Some(counts) = update {
        let text = serde_json::to_string_pretty(&*counts.lock().unwrap()).unwrap() + "\n";
        std::fs::write(root().join("divergences/counts.json"), text).unwrap();
    }
    conclusion.exit();
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn holds(
    suite: SuiteName,
    engine: &str,
    every: NonZero<usize>,
    update: Option<&Mutex<Counts>>,
) -> Result<(), Failed> {
    let folder = std::env::var_os(FOLDER_VARIABLE).map_or_else(|| DEFAULT_FOLDER.into(), PathBuf::from);
    // The variable speaks of the project's root, as the command does.
    let folder = root().join("..").join(folder);
    let defaults = Options::default();
    let cache = defaults.cache.or_else(|| Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("suites-cache")));
    let options = Options { cache, every };
    let table = run_with(suite, engine, &folder, &tribunal::registry(), &options, &|_, _| {})?;
    if let Some(reason) = &table.skipped {
        eprintln!("\n*** {suite} ON {engine} IS SKIPPED: {reason}\n");
        return Ok(());
    }
    let counts = Counts::committed()?;
    let cases: u64 = table.folders.iter().map(|folder| folder.passed + folder.failed + folder.refused).sum();
    let has_more = cases > counts.cases(&table.suite, engine).div_ceil(every.get() as u64);
    let mut wrong: Vec<String> = table.stale.iter().map(|case| format!("listed, but {case}")).collect();
    for failure in table.failures.iter().filter(|failure| failure.known.is_none()) {
        let line = serde_json::json!({"case": failure.case, "how": failure.how, "why": "", "detail": failure.detail});
        if has_more {
            eprintln!("{suite} on {engine}: {line}");
        } else {
            wrong.push(line.to_string());
        }
    }
    match update {
        Some(counts) => counts.lock().unwrap().note(&table),
        None if every == NonZero::<usize>::MIN => {
            let shortfall = counts.shortfall(&table);
            wrong.extend(shortfall.fallen);
            wrong.extend(shortfall.smaller);
        }
        None => {}
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(format!("{} wrong:\n{}", wrong.len(), wrong.join("\n")).into())
    }
}
