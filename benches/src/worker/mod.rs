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
use tribunal::core::engine::{Capability, LoadContext, Registry};
use tribunal::core::limits::Span;
use tribunal::core::pack::PackSource;
use tribunal::files::read_pack;
use tribunal_conformance::Suite;

pub use protocol::{Job, JobRequest, Measured, Phase, Report};

use crate::subject::{Catalogue, Request, Site, Unavailable};

/// What a decision may take where no clock is to end it, as in `tribunal parity`: while answers are compared, on a machine that
/// may be busy, and under valgrind, which is tens of times slower. What is timed has the pack's own limits.
const LIFTED: Span = Span(Duration::from_secs(60));

/// It has no deadline where nobody sets one, and compiles another module for one: what it then kept on disk would not be
/// what is loaded when it is measured.
const WITHOUT_DEADLINE: &str = "rego-wasm";

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
    /// For an engine, or for what stands beside it.
    pub(crate) fn of(job: &Job, engine: &str, registry: &Registry) -> Result<Self, Unavailable> {
        let mut context = LoadContext { cache: job.cache.clone(), ..LoadContext::default() };
        let holds_one = || registry.get(engine).is_some_and(|it| it.capabilities().has(Capability::Deadline));
        let deadline = Some(LIFTED).filter(|_| job.phase != Phase::Measure && holds_one());
        context.limits.deadline = deadline.filter(|_| engine != WITHOUT_DEADLINE);
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
                deadline,
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::embedded;
    use crate::model::Model;

    const OWN: Span = Span(Duration::from_millis(50));

    /// The deadlines that an engine has in a phase on a pack that sets [`OWN`]: of the pack, and of the context.
    fn deadlines(engine: &str, phase: Phase) -> (Option<Span>, Option<Span>) {
        let folder = tempfile::tempdir().unwrap();
        let files = embedded::files(embedded::DEFAULT).unwrap();
        for path in files.paths() {
            let place = folder.path().join(path);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(place, files.get(path).unwrap()).unwrap();
        }
        let manifest = folder.path().join("pack.yaml");
        let text = fs::read_to_string(&manifest).unwrap();
        fs::write(manifest, format!("{text}\nlimits: {{deadline: 50ms}}\n")).unwrap();
        let job = Job {
            phase,
            subject: engine.to_owned(),
            model: Model::Decide,
            packs: vec![folder.path().to_owned()],
            requests: Vec::new(),
            threads: 1,
            budget_ms: 0,
            cache: None,
        };
        let registry = tribunal::registry();
        let ready = Ready::of(&job, engine, &registry).unwrap();
        let site = &ready.sites[0];
        (site.source().unwrap().manifest.limits.deadline, site.context.limits.deadline)
    }

    #[test]
    fn no_clock_decides_where_nothing_is_timed() {
        for engine in ["rego-native", "biscuit"] {
            for phase in [Phase::Verify, Phase::Repeat(1)] {
                assert_eq!(deadlines(engine, phase), (Some(LIFTED), Some(LIFTED)), "{engine}");
            }
            assert_eq!(deadlines(engine, Phase::Measure), (Some(OWN), None), "{engine}");
        }
        // It refuses every deadline, also a long one.
        assert_eq!(deadlines("cedar", Phase::Verify), (Some(OWN), None));
    }

    /// The compiled module is another with a deadline than without one: it has one while answers are compared if and only if
    /// it has one when it is measured.
    #[test]
    fn what_is_compiled_while_answers_are_compared_is_what_is_measured() {
        assert_eq!(deadlines("rego-wasm", Phase::Verify), (Some(LIFTED), None));
        assert_eq!(deadlines("rego-wasm", Phase::Measure), (Some(OWN), None));
    }
}
