//! `tribunal check`: find everything wrong with a deployment or a pack.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tribunal::core::config::{Deployment, PackEntry};
use tribunal::core::contract::Pointer;
use tribunal::core::dispatch::LoadedPack;
use tribunal::core::document::Document;
use tribunal::core::engine::{LoadContext, LoadError};
use tribunal::core::limits::Limits;
use tribunal::core::pack::PackSource;
use tribunal::core::pack::manifest::NoInputSchema;
use tribunal::files::{read_file, read_pack};
use tribunal::{LoadErrors, Options, Registry, Tribunal};
use tribunal_conformance::Suite;

use crate::arguments::Format;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::problems;
use crate::terminal::{self, GREEN, RED, complain, plain};

/// Find everything wrong with a deployment or a pack: each pack on every engine it offers.
///
/// Exit code 65 if there are errors, 5 if there are only warnings and they are denied.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The deployment; `tribunal.yaml` unless a pack is given.
    #[arg(long, value_name = "FILE", conflicts_with = "pack")]
    config: Option<PathBuf>,
    /// A pack's folder, or a bundle made by OPA.
    #[arg(long, value_name = "PATH|BUNDLE")]
    pack: Option<PathBuf>,
    /// Warnings count as errors.
    #[arg(long)]
    deny_warnings: bool,
    /// How the report is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// What `check --format json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CheckReport {
    /// Whether nothing keeps the deployment from going into service.
    ready: bool,
    /// How many things do: errors, and warnings if they are denied.
    blocker_count: usize,
    /// What is wrong.
    errors: Vec<Problem>,
    /// What is allowed but should be known.
    warnings: Vec<Problem>,
}

/// One thing wrong.
#[derive(Debug, Serialize, JsonSchema)]
struct Problem {
    /// What.
    message: String,
    /// The file it stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// The line, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    /// The column in characters, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    /// The engines that refuse it; empty where it is wrong for all of them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    engines: BTreeSet<String>,
}

/// What has been found so far.
#[derive(Default)]
struct Findings {
    errors: Vec<(LoadError, BTreeSet<String>)>,
    warnings: Vec<String>,
}

impl Findings {
    /// Adds errors; one that was found already is noted for one more engine.
    fn add(&mut self, engine: Option<&str>, errors: LoadErrors) {
        for error in errors {
            let engines: BTreeSet<String> = engine.map(str::to_owned).into_iter().collect();
            match self.errors.iter_mut().find(|(known, _)| *known == error) {
                Some((_, known)) => known.extend(engines),
                None => self.errors.push((error, engines)),
            }
        }
    }

    fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let registry = tribunal::registry();
    let mut findings = Findings::default();
    match &args.pack {
        Some(pack) => check_pack(pack, None, &LoadContext::default(), &registry, &mut findings),
        None => {
            let config = args.config.clone().unwrap_or_else(|| PathBuf::from("tribunal.yaml"));
            check_deployment(&config, &registry, &mut findings);
        }
    }
    findings.errors.sort_by(|(a, _), (b, _)| a.location.cmp(&b.location));
    let report = report(&findings, args.deny_warnings);
    match args.format {
        Format::Json => terminal::print_json(&report)?,
        Format::Text => write(&findings, &report)?,
    }
    Ok(if !findings.errors.is_empty() {
        Exit::Input
    } else if report.ready {
        Exit::Success
    } else {
        Exit::Failed
    })
}

fn check_deployment(config: &Path, registry: &Registry, findings: &mut Findings) {
    let folder = config.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let name = config.display().to_string();
    let text = match read_file(config) {
        Ok(text) => text,
        Err(error) => return findings.add(None, error.into()),
    };
    let deployment = match Deployment::parse(&name, &text, registry) {
        Ok((deployment, _)) => deployment,
        Err(errors) => {
            findings.add(None, errors);
            // The packs that such a file names can be looked at all the same.
            for pack in named_packs(&name, &text) {
                check_pack(&folder.join(pack), None, &LoadContext::default(), registry, findings);
            }
            return;
        }
    };
    // Keys, revocations, data files, and each pack on the engine it is configured for.
    let context = match Tribunal::open_with(config, &Options::default(), registry.clone()) {
        Ok(tribunal) => {
            tribunal.warnings().iter().for_each(|warning| findings.warn(warning.clone()));
            tribunal.context().clone()
        }
        Err(errors) => {
            findings.add(None, errors);
            LoadContext { limits: deployment.limits, ..LoadContext::default() }
        }
    };
    for entry in &deployment.packs {
        check_pack(&folder.join(&entry.pack), Some((entry, &folder)), &context, registry, findings);
    }
}

fn named_packs(name: &str, text: &[u8]) -> Vec<String> {
    let Ok(document) = Document::parse(name, text) else { return Vec::new() };
    let packs = Pointer::from_tokens(["packs"]);
    let entries = packs.get(&document.value).and_then(Value::as_array);
    entries.into_iter().flatten().filter_map(|entry| entry.get("pack")?.as_str().map(str::to_owned)).collect()
}

fn check_pack(
    path: &Path,
    deployed: Option<(&PackEntry, &Path)>,
    context: &LoadContext,
    registry: &Registry,
    findings: &mut Findings,
) {
    let name = path.display().to_string();
    let source = match read_pack(path).and_then(|files| PackSource::read(&name, files, registry)) {
        Ok(source) => Arc::new(source),
        Err(errors) => return findings.add(None, errors),
    };
    let manifest = &source.manifest;
    if manifest.input_schema == Some(NoInputSchema::None) {
        findings.warn(format!(
            "pack `{}` has no input schema: a request of another shape is decided by accident of the policy",
            manifest.name
        ));
    }
    // A pack on its own is loaded as its cases are run: with the key of their tokens.
    let mut context = context.clone();
    match Suite::read(&source) {
        Ok(suite) if deployed.is_none() => context = suite.trusted(&context),
        Ok(_) => {}
        Err(errors) => findings.add(None, errors),
    }
    let mut by_engine: BTreeMap<&str, LoadErrors> = BTreeMap::new();
    for engine in manifest.engines.keys() {
        if registry.get(engine).is_none() {
            findings.warn(format!(
                "pack `{}` is not checked on `{engine}`, which is not built into this program",
                manifest.name
            ));
            continue;
        }
        if let Err(errors) = load(&source, engine, deployed, &context, registry) {
            by_engine.insert(engine, errors);
        }
    }
    for (engine, errors) in by_engine {
        findings.add(Some(engine), errors);
    }
}

fn load(
    source: &Arc<PackSource>,
    engine: &str,
    deployed: Option<(&PackEntry, &Path)>,
    context: &LoadContext,
    registry: &Registry,
) -> Result<(), LoadErrors> {
    let mut context = context.clone();
    let mut limits = Limits::default();
    match deployed {
        // The deployment's limits are for the engines that run in it: another may be unable to hold them.
        Some((entry, _)) if !entry.engines().any(|name| name == engine) => context.limits = Limits::default(),
        Some((entry, _)) => limits = entry.limits,
        None => {}
    }
    let entry = PackEntry {
        pack: source.origin.clone(),
        engine: engine.to_owned(),
        when: deployed.map(|(entry, _)| entry.when.clone()).unwrap_or_default(),
        data: None,
        fallback: None,
        limits,
        shadow: Vec::new(),
    };
    let loaded = LoadedPack::load(source.clone(), &entry, &context, registry)?;
    if let Some((file, folder)) = deployed.and_then(|(entry, folder)| Some((entry.data.as_ref()?, folder))) {
        let file = folder.join(file);
        loaded.with_data(source.read_data(&file.display().to_string(), &read_file(&file)?)?)?;
    }
    Ok(())
}

fn report(findings: &Findings, deny_warnings: bool) -> CheckReport {
    let problem = |(error, engines): &(LoadError, BTreeSet<String>)| Problem {
        message: error.message.clone(),
        file: error.location.as_ref().map(|location| location.file.clone()),
        line: error.location.as_ref().map(|location| location.line),
        column: error.location.as_ref().map(|location| location.column),
        help: error.help.clone(),
        engines: engines.clone(),
    };
    let warning = |message: &String| Problem {
        message: message.clone(),
        file: None,
        line: None,
        column: None,
        help: None,
        engines: BTreeSet::new(),
    };
    let denied = if deny_warnings { findings.warnings.len() } else { 0 };
    let blocker_count = findings.errors.len() + denied;
    CheckReport {
        ready: blocker_count == 0,
        blocker_count,
        errors: findings.errors.iter().map(problem).collect(),
        warnings: findings.warnings.iter().map(warning).collect(),
    }
}

fn write(findings: &Findings, report: &CheckReport) -> Result<(), Failure> {
    problems::complain(findings.errors.iter().map(|(error, _)| error));
    for warning in &findings.warnings {
        complain("warning", &plain(warning));
    }
    let mut out = terminal::stdout();
    let count = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    let counts =
        format!("{}, {}", count(report.errors.len(), "error"), count(report.warnings.len(), "warning"));
    if report.ready {
        writeln!(out, "{GREEN}ready{GREEN:#}: {counts}")?;
    } else {
        writeln!(out, "{RED}not ready{RED:#}: {counts}")?;
    }
    Ok(())
}
