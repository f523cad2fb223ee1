//! `tribunal scenario test`: every scenario on every engine that its packs offer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tribunal::core::contract::record::RecordSettings;
use tribunal_conformance::scenario::{
    AS_DEPLOYED, Played, Scenario, ScenarioResult, Stage, Stages, folders, read_folder,
};
use uuid::Uuid;

use crate::artifact::{Artifacts, Draft};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::tests::{self, Test, Verdict};
use crate::target::known_engine;

/// Play scenarios: several steps at several boundaries, in which only what was let through, as it was patched, goes on to the
/// next step. Each runs on every engine that all of its packs offer. Exit code 5 if any fails.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files of scenarios, folders of them, packs, or folders of packs.
    #[arg(default_value = ".", num_args = 1..)]
    paths: Vec<PathBuf>,
    /// Play them against this deployment, in place of what they deploy themselves.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Only this engine; `as-deployed` for the engines that a deployment names.
    #[arg(long, value_name = "ID")]
    engine: Option<String>,
    /// Only scenarios whose name has this in it.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Write the `policy_decisions` artifact of each step into this folder, in a folder for each engine.
    #[arg(long, value_name = "DIR")]
    artifact: Option<PathBuf>,
    /// How the results are written.
    #[arg(long, value_enum, default_value = "text")]
    format: tests::Format,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let registry = tribunal::registry();
    if let Some(engine) = args.engine.as_deref().filter(|engine| *engine != AS_DEPLOYED) {
        known_engine(engine, &registry)?;
    }
    let mut stages = Stages::new(registry);
    let stage = args.config.as_deref().map(|file| stages.of_file(file)).transpose()?;
    let mut scenarios = Vec::new();
    for path in &args.paths {
        scenarios.extend(read(path, &mut stages)?);
    }
    let is_wanted = |scenario: &Scenario| {
        args.filter.as_ref().is_none_or(|text| scenario.spec.name.contains(text.as_str()))
    };
    scenarios.retain(is_wanted);
    let mut tests = Vec::new();
    for mut scenario in scenarios {
        if let Some(stage) = &stage {
            scenario.stage = stage.clone();
        }
        test(&scenario, args, &mut tests)?;
    }
    tests::finish(args.format, &tests)
}

fn read(path: &Path, stages: &mut Stages) -> Result<Vec<Scenario>, Failure> {
    if path.is_file() {
        return Ok(read_folder(path, stages)?);
    }
    let found = folders(path).map_err(|error| Failure::unreadable(path, &error))?;
    if found.is_empty() {
        return Err(Failure::Input(format!("there are no scenarios in `{}`", path.display())));
    }
    let mut scenarios = Vec::new();
    for folder in found {
        scenarios.extend(read_folder(&folder, stages)?);
    }
    Ok(scenarios)
}

fn test(scenario: &Scenario, args: &Args, tests: &mut Vec<Test>) -> Result<(), Failure> {
    let stage: &Arc<Stage> = &scenario.stage;
    let engines: Vec<&str> =
        stage.engines().filter(|engine| args.engine.as_ref().is_none_or(|wanted| wanted == engine)).collect();
    for engine in engines {
        let verdict = if !stage.is_built_in(engine) {
            Verdict::Skipped(format!("`{engine}` is not built into this program"))
        } else {
            match scenario.play(engine) {
                Ok(result) => {
                    write_artifacts(args.artifact.as_deref(), engine, &result)?;
                    if result.failures.is_empty() {
                        Verdict::Passed
                    } else {
                        Verdict::Failed(result.failures.join("\n"))
                    }
                }
                Err(errors) => Verdict::Failed(format!("its packs do not load: {errors}")),
            }
        };
        tests.push(Test {
            pack: scenario.pack.clone(),
            engine: engine.to_owned(),
            name: scenario.spec.name.clone(),
            place: Some(scenario.location.clone()),
            verdict,
        });
    }
    Ok(())
}

fn write_artifacts(folder: Option<&Path>, engine: &str, result: &ScenarioResult) -> Result<(), Failure> {
    let Some(folder) = folder else { return Ok(()) };
    let artifacts = Artifacts::open(&folder.join(engine), RecordSettings::default());
    for step in &result.steps {
        if let Played::Asked(asked) = &step.played {
            let written = artifacts.draft(&asked.artifact, Uuid::now_v7()).and_then(Draft::publish);
            written.map_err(|error| Failure::unwritable(folder, &error))?;
        }
    }
    Ok(())
}
