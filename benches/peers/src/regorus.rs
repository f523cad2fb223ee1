//! Plain regorus with its own built-ins, as its documentation shows it: one engine, kept; the input, parsed before, set and the
//! rule evaluated for each decision.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use regorus::{Engine, Value};
use serde::Deserialize;
use tribunal_peers::protocol::{Job, Said, text};
use tribunal_peers::serve;
use tribunal_peers::stopwatch::{Stopwatch, same};

/// As pinned in `Cargo.toml`.
const VERSION: &str = "regorus 0.14.1";

/// A policy in Rego.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    /// Its files.
    files: Vec<PathBuf>,
    /// The rule that decides, as `data.package.rule`.
    rule: String,
}

fn main() -> ExitCode {
    serve(VERSION, work)
}

fn work(job: &Job<Policy>, said: &mut Said) -> Result<(), Box<dyn Error>> {
    let mut engine = Engine::new();
    for file in &job.policy.files {
        engine.add_policy(file.display().to_string(), text(file)?)?;
    }
    engine.add_data(Value::from_json_str(&text(&job.data)?)?)?;
    let Some(ask) = &job.ask else { return Ok(()) };

    let input = Value::from_json_str(&ask.input.to_string())?;
    let mut evaluate = || {
        engine.set_input(input.clone());
        engine.eval_rule(job.policy.rule.clone())
    };
    let first = evaluate()?;
    said.decision = Some(json(&first)?);

    let mut watch = Stopwatch::start(ask.measure_ms)?;
    while watch.goes_on() {
        let lap = watch.lap();
        let then = evaluate();
        watch.stop(&lap);
        same(&first, &then?)?;
    }
    said.figures = watch.figures();
    Ok(())
}

fn json(value: &Value) -> Result<serde_json::Value, Box<dyn Error>> {
    if *value == Value::Undefined {
        return Err("the rule is undefined".into());
    }
    Ok(serde_json::from_str(&value.to_json_str()?)?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_version_that_is_said_is_the_one_pinned() {
        let version = super::VERSION.strip_prefix("regorus ").unwrap();
        assert!(include_str!("../Cargo.toml").contains(&format!("regorus = {{ version = \"={version}\"")));
    }
}
