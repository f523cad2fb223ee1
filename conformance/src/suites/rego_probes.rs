//! The project's own probes of Rego, a line a probe, with OPA 1.22.0's answers: strict, and lenient as OPA is by default.

use std::collections::BTreeMap;
use std::path::Path;

use tribunal::Registry;
use tribunal_rego_builtins::Value;

use super::reading::{rego, text};
use super::rego::{Question, Wanted, member};
use super::runner::{Source, SuiteCase, Verdict};
use super::{Options, SuiteError};

/// The file of the probes.
const FILE: &str = "probes.jsonl";

/// The suite's cases: each probe once a mode.
pub(crate) fn cases<'r>(
    engine: &'static str,
    folder: &Path,
    registry: &'r Registry,
    options: &Options,
) -> Result<Source<'r>, SuiteError> {
    let engine = match super::rego::engine(engine, registry, options)? {
        Ok(engine) => engine,
        Err(reason) => return Ok(Source::Skipped(reason)),
    };
    let path = folder.join(FILE);
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let mut cases = Vec::new();
    for (index, line) in text(&path)?.lines().enumerate() {
        let probe = rego(&path.display().to_string(), index + 1, line)?;
        let name = super::rego::text(&probe, "name").unwrap_or_else(|_| "without a name".to_owned());
        let times = names.entry(name.clone()).or_default();
        *times += 1;
        let name = if *times > 1 { format!("{name} ({times})") } else { name };
        for (mode, recorded) in [("strict", "opa_strict"), ("lenient", "opa")] {
            let name = format!("{mode}: {name}");
            cases.push(match read(&probe, mode == "strict", recorded) {
                Ok(_) if member(&probe, "v0") == Some(&Value::Bool(true)) => {
                    SuiteCase::new(mode, name, || {
                        Verdict::Undeclared("it is Rego v0, which no pack is written in".to_owned())
                    })
                }
                Ok((question, wanted)) => {
                    let engine = engine.clone();
                    SuiteCase::new(mode, name, move || engine.judge(&question, &wanted))
                }
                Err(why) => SuiteCase::unreadable(mode, name, why),
            });
        }
    }
    Ok(Source::Cases(cases))
}

fn read(probe: &Value, strict: bool, recorded: &str) -> Result<(Question, Wanted), String> {
    let query = super::rego::text(probe, "query")?;
    let rule = query.strip_prefix("data.").ok_or_else(|| format!("`{query}` asks no rule"))?;
    let question = Question {
        modules: vec![super::rego::text(probe, "module")?],
        rule: rule.split('.').map(str::to_owned).collect(),
        data: probe.get(&"data".into()).map(Value::to_json),
        input: probe.get(&"input".into()).map(super::rego::input).transpose()?,
        strict,
    };
    let outcome = probe.get(&recorded.into()).ok_or_else(|| format!("it has no `{recorded}`"))?;
    let member = |name: &str| outcome.get(&name.into());
    match (member("value"), member("undefined"), member("error")) {
        (Some(value), None, None) => {
            Ok((question, Wanted::Value { value: value.clone(), is_unordered: false }))
        }
        (None, Some(_), None) => Ok((question, Wanted::Undefined)),
        (None, None, Some(error)) => Ok((question, Wanted::Error(error.to_json()))),
        _ => Err(format!("`{recorded}` is no outcome")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_that_says_too_little_is_not_read() {
        for (probe, is_read) in [
            (r#"{"module": "", "query": "data.p.x", "opa": {"value": null}}"#, true),
            (r#"{"module": "", "query": "data.p.x", "opa": {}}"#, false),
            (r#"{"module": "", "query": "data.p.x", "opa": {"value": 1, "error": "x"}}"#, false),
            (r#"{"module": "", "query": "p.x", "opa": {"value": 1}}"#, false),
            (r#"{"query": "data.p.x", "opa": {"value": 1}}"#, false),
            (r#"{"module": "", "query": "data.p.x"}"#, false),
        ] {
            assert_eq!(read(&Value::parse_json(probe).unwrap(), true, "opa").is_ok(), is_read, "{probe}");
        }
    }
}
