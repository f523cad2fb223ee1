//! The crate `opa-wasm`, as its documentation shows it: the module compiled once, one instance, its data set once; the input,
//! parsed before, given and the entrypoint evaluated for each decision.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use opa_wasm::{DefaultContext, Policy, Runtime};
use serde::Deserialize;
use serde_json::Value;
use tribunal_peers::protocol::{Job, Said, bytes};
use tribunal_peers::serve;
use tribunal_peers::stopwatch::{Stopwatch, same};
use wasmtime::{Config, Engine, Module, Store};

/// As pinned in `Cargo.toml`.
const VERSION: &str = "opa-wasm 0.3.4 on wasmtime 48.0.8";

/// A policy as OPA compiles it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Compiled {
    /// The module.
    module: PathBuf,
    /// The entrypoint, as `package/rule`.
    entrypoint: String,
}

fn main() -> ExitCode {
    serve(VERSION, |job, said| {
        tokio::runtime::Builder::new_current_thread().build()?.block_on(work(job, said))
    })
}

async fn work(job: &Job<Compiled>, said: &mut Said) -> Result<(), Box<dyn Error>> {
    let engine = Engine::new(&Config::new())?;
    let module = Module::new(&engine, bytes(&job.policy.module)?)?;
    let data: Value = serde_json::from_slice(&bytes(&job.data)?)?;
    let mut store = Store::new(&engine, ());
    let policy = Runtime::new(&mut store, &module).await?.with_data(&mut store, &data).await?;
    let Some(ask) = &job.ask else { return Ok(()) };

    let first = evaluate(&policy, &mut store, &job.policy.entrypoint, &ask.input).await?;
    said.decision = Some(decision(&first)?);

    let mut watch = Stopwatch::start(ask.measure_ms)?;
    while watch.goes_on() {
        let lap = watch.lap();
        let then = evaluate(&policy, &mut store, &job.policy.entrypoint, &ask.input).await;
        watch.stop(&lap);
        same(&first, &then?)?;
    }
    said.figures = watch.figures();
    Ok(())
}

/// The set of results, which is empty where the entrypoint is undefined.
async fn evaluate(
    policy: &Policy<DefaultContext>,
    store: &mut Store<()>,
    entrypoint: &str,
    input: &Value,
) -> Result<Value, Box<dyn Error>> {
    Ok(policy.evaluate(store, entrypoint, input).await?)
}

fn decision(results: &Value) -> Result<Value, Box<dyn Error>> {
    Ok(results.pointer("/0/result").cloned().ok_or("the entrypoint is undefined")?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_versions_that_are_said_are_the_ones_pinned() {
        let (crate_version, wasmtime) =
            super::VERSION.strip_prefix("opa-wasm ").unwrap().split_once(" on wasmtime ").unwrap();
        for (name, version) in [("opa-wasm", crate_version), ("wasmtime", wasmtime)] {
            let pinned = format!("{name} = {{ version = \"={version}\"");
            assert!(include_str!("../Cargo.toml").contains(&pinned), "{pinned}");
        }
    }
}
