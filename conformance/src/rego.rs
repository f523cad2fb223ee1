//! A pack's own `test_` rules.

use tribunal::core::engine::{LoadContext, LoadErrors};
use tribunal::core::location::Location;
use tribunal::core::pack::PackSource;

/// A `test_` rule that was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegoTest {
    /// The rule, as `data.tribunal.tool_allowlist_test.test_an_admin`.
    pub name: String,
    /// Where it stands.
    pub location: Location,
    /// Why it failed, if it did: only a rule that is `true` passes.
    pub failure: Option<String>,
}

/// Runs the `test_` rules of a pack's `*_test.rego` files on rego-native; a pack without such files has none.
///
/// # Errors
/// Everything that keeps the policies or the tests from being loaded, a pack or a program without rego-native included:
/// tests that nobody runs are not passed over in silence.
pub fn rego_tests(pack: &PackSource, context: &LoadContext) -> Result<Vec<RegoTest>, LoadErrors> {
    if !pack.files.with_extension("rego").any(|(path, _)| path.ends_with("_test.rego")) {
        return Ok(Vec::new());
    }
    run(pack, context)
}

#[cfg(feature = "rego-native")]
fn run(pack: &PackSource, context: &LoadContext) -> Result<Vec<RegoTest>, LoadErrors> {
    let results = tribunal::rego_native::run_tests(pack, context)?;
    let tests = results.into_iter().map(|result| RegoTest {
        name: result.name,
        location: result.location,
        failure: result.outcome.err(),
    });
    Ok(tests.collect())
}

#[cfg(not(feature = "rego-native"))]
fn run(_: &PackSource, _: &LoadContext) -> Result<Vec<RegoTest>, LoadErrors> {
    use tribunal::core::engine::{LoadError, LoadErrorKind};
    let message = "the pack has Rego tests, and the engine `rego-native` is not built into this program";
    Err(LoadError::new(LoadErrorKind::EngineAbsent, message).into())
}
