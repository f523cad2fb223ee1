//! One process that measures one subject once, speaking JSON lines with whoever started it.
//!
//! A [`Job`] comes in on a line, a [`Report`] goes out on a line. The job says everything: a row of a report can be
//! measured again by hand with `tribunal bench worker < job.json`.
//!
//! - [`protocol`]: the lines
//! - [`measure`]: the timing

mod asked;
mod breakdown;
mod instructions;
pub mod measure;
mod parallel;
pub mod protocol;

use std::io::{self, BufRead, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tribunal::Token;
use tribunal::core::engine::{LoadContext, Registry};
use tribunal::core::limits::Span;
use tribunal::core::pack::PackSource;
use tribunal::files::read_pack;
use tribunal_conformance::Suite;

pub use protocol::{Job, JobRequest, Measured, Phase, Report};

use crate::subject::{Catalogue, Request, Site, Unavailable};

/// What a decision may take where instructions are counted.
const UNDER_VALGRIND: Duration = Duration::from_secs(60);

/// Answers jobs until there are no more.
///
/// # Errors
/// Lines that are no jobs, and streams that break.
pub fn serve(
    from: impl BufRead,
    mut to: impl Write,
    catalogue: &Catalogue,
    registry: &Registry,
) -> io::Result<()> {
    for line in from.lines() {
        let job: Job = serde_json::from_str(&line?)?;
        let report = answer(&job, catalogue, registry);
        serde_json::to_writer(&mut to, &report)?;
        to.write_all(b"\n")?;
        to.flush()?;
    }
    Ok(())
}

/// Does a job.
pub fn answer(job: &Job, catalogue: &Catalogue, registry: &Registry) -> Report {
    match measure::measure(job, catalogue, registry) {
        Ok(measured) => Report::Measured(measured),
        Err(measure::Stopped::Unavailable(why)) => Report::Unavailable(why),
        Err(measure::Stopped::Changed { request, first, then }) => Report::Changed { request, first, then },
    }
}

/// A job's pack and requests, read but not loaded.
pub(crate) struct Ready {
    pub(crate) sites: Vec<Site>,
    pub(crate) requests: Vec<Request>,
}

impl Ready {
    pub(crate) fn of(job: &Job, registry: &Registry) -> Result<Self, Unavailable> {
        let mut context = LoadContext { cache: job.cache.clone(), ..LoadContext::default() };
        if matches!(job.phase, Phase::Repeat(_)) {
            // Whoever counts instructions is tens of times slower, and no clock is to end what is counted.
            context.limits.deadline = Some(Span(UNDER_VALGRIND));
        }
        let mut sites = Vec::with_capacity(job.packs.len());
        for folder in &job.packs {
            let files = read_pack(folder)?;
            if sites.is_empty() && job.requests.iter().any(|request| request.token.is_some()) {
                context = trusted(folder, &files, &context, registry)?;
            }
            sites.push(Site {
                folder: folder.clone(),
                files,
                context: context.clone(),
                registry: registry.clone(),
            });
        }
        let requests = job.requests.iter().map(read).collect::<Result<_, Unavailable>>()?;
        Ok(Self { sites, requests })
    }
}

/// A context that believes the key of the pack's own cases.
fn trusted(
    folder: &Path,
    files: &tribunal::core::pack::PackFiles,
    context: &LoadContext,
    registry: &Registry,
) -> Result<LoadContext, Unavailable> {
    let source = Arc::new(PackSource::read(&folder.display().to_string(), files.clone(), registry)?);
    Ok(Suite::read(&source)?.trusted(context))
}

fn read(request: &JobRequest) -> Result<Request, Unavailable> {
    let refused =
        |error: &dyn std::fmt::Display| Unavailable::Refused(format!("`{}`: {error}", request.name));
    Ok(Request {
        name: request.name.clone(),
        text: request.text.clone().into_bytes(),
        payload: serde_json::from_str(&request.text).map_err(|error| refused(&error))?,
        now: request.now.parse().map_err(|error| refused(&error))?,
        token: request.token.as_ref().map(|token| Token::new(token.as_bytes())),
    })
}
