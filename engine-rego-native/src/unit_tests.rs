//! A pack's own Rego tests: the rules `test_…` of its `*_test.rego` files, as `opa test` runs them.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use regorus::Value;
use tribunal_engine_core::engine::{LoadContext, LoadErrors};
use tribunal_engine_core::location::Location;
use tribunal_engine_core::pack::PackSource;

use crate::ID;
use crate::admission::{Admitted, regorus_path};
use crate::load::{self, DEADLINE};
use crate::settings::{Question, Settings};
use crate::worker::Worker;

/// A test runs over many decisions, so it may take longer than one.
const DECISIONS_PER_TEST: u32 = 8;

/// What a test came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestResult {
    /// The rule, as `data.tribunal.tool_allowlist_test.test_an_admin`.
    pub name: String,
    /// Where the rule stands.
    pub location: Location,
    /// Nothing, or why the test failed: only a rule that is `true` passes.
    pub outcome: Result<(), String>,
}

/// Runs a pack's `test_` rules with its policies and data loaded and `input` undefined, in the order of the text.
///
/// # Errors
/// Everything that keeps the policies or the tests from being loaded.
pub fn run_tests(pack: &PackSource, context: &LoadContext) -> Result<Vec<TestResult>, LoadErrors> {
    let settings: Settings = pack.settings(ID)?;
    let strict = settings.strict_builtin_errors;
    let question = Question::of(&settings, pack)?;
    let sources = load::sources(pack, pack.files.with_extension("rego"))?;
    let Admitted { rules, .. } = load::examine(&sources, pack, &question, strict)?;
    let deadline = context.limits.deadline.map_or(DEADLINE, |deadline| deadline.0);
    let deadline = deadline.saturating_mul(DECISIONS_PER_TEST);

    let mut seen = BTreeSet::new();
    let tests = rules.into_iter().filter(|rule| {
        let is_test = rule.path.last().is_some_and(|name| name.starts_with("test_"));
        is_test && rule.place.file.ends_with("_test.rego") && seen.insert(rule.path.clone())
    });
    let results = tests.map(|rule| TestResult {
        name: format!("data.{}", rule.path.join(".")),
        outcome: Worker::build(&sources, &pack.data, strict)
            .map_err(|report| report.message)
            .and_then(|mut worker| run(&mut worker, &regorus_path(&rule.path), deadline)),
        location: rule.place,
    });
    Ok(results.collect())
}

fn run(worker: &mut Worker, rule: &str, deadline: Duration) -> Result<(), String> {
    let now_ns = i64::try_from(jiff::Timestamp::now().as_nanosecond())
        .map_err(|_| "the clock is outside what `time.now_ns` can tell".to_owned())?;
    let deadline = Instant::now() + deadline;
    worker.begin(now_ns, deadline, Value::Undefined);
    match worker.rule(rule, deadline) {
        Ok(Value::Bool(true)) => Ok(()),
        Ok(Value::Undefined) => Err("undefined".to_owned()),
        Ok(other) => Err(format!("{other}, not true")),
        Err(fault) => Err(fault.to_string()),
    }
}
