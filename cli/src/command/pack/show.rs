//! `tribunal pack show`: what a pack says about itself.

use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;
use tribunal::core::pack::{Manifest, PackLock, PackSource};
use tribunal::files::read_pack;

use crate::arguments::Format;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::{self, BOLD, DIM, plain, plain_json};

/// Print what a pack says about itself: manifest, digest, files, engines, what it derives.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The pack: a folder, or a bundle made by OPA.
    #[arg(default_value = ".")]
    pack: PathBuf,
    /// How it is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Serialize)]
struct Shown<'p> {
    digest: &'p str,
    manifest: &'p Manifest,
    #[serde(skip_serializing_if = "Option::is_none")]
    lock: Option<&'p PackLock>,
    files: Vec<&'p str>,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let source =
        PackSource::read(&args.pack.display().to_string(), read_pack(&args.pack)?, &tribunal::registry())?;
    match args.format {
        Format::Json => terminal::print_json(&Shown {
            digest: &source.digest,
            manifest: &source.manifest,
            lock: source.lock.as_ref(),
            files: source.files.paths().collect(),
        })?,
        Format::Text => write(&mut terminal::stdout(), &source)?,
    }
    Ok(Exit::Success)
}

fn write(out: &mut dyn Write, source: &PackSource) -> Result<(), Failure> {
    let manifest = &source.manifest;
    writeln!(
        out,
        "{BOLD}{}{BOLD:#} {}  {}",
        plain(&manifest.name),
        plain(&manifest.version),
        plain(&manifest.description)
    )?;
    let mut line = |label: &str, value: &str| writeln!(out, "  {label:<12} {}", plain(value));
    line("digest", &source.digest)?;
    if let Some(id) = &manifest.provenance_id {
        line("provenance", id)?;
    }
    if !manifest.controls.is_empty() {
        line("controls", &manifest.controls.join(", "))?;
    }
    line("token", &serde_json::to_value(manifest.token)?.as_str().map_or_else(String::new, str::to_owned))?;
    for pointer in &manifest.redactable {
        line("redactable", &pointer.to_string())?;
    }
    match &source.lock {
        Some(lock) => line(
            "built",
            &format!("by {} {} for {}", lock.builder, lock.version, lock.module.entrypoints.join(", ")),
        )?,
        None => line("built", "no")?,
    }
    writeln!(out, "\n{BOLD}engines{BOLD:#}")?;
    for (engine, settings) in &manifest.engines {
        writeln!(out, "  {:<12} {}", plain(engine), plain_json(settings))?;
    }
    for (engine, reason) in &manifest.unsupported {
        writeln!(out, "  {:<12} {DIM}not supported: {}{DIM:#}", plain(engine), plain(reason))?;
    }
    if !manifest.derive.is_empty() {
        writeln!(out, "\n{BOLD}derives{BOLD:#}")?;
        for (name, spec) in &manifest.derive {
            writeln!(out, "  {:<12} {}", plain(name), plain_json(&serde_json::to_value(spec)?))?;
        }
    }
    writeln!(out, "\n{BOLD}files{BOLD:#}")?;
    for path in source.files.paths() {
        let size = source.files.get(path).map_or(0, |bytes| bytes.len());
        writeln!(out, "  {size:>8}  {}", plain(path))?;
    }
    Ok(())
}
