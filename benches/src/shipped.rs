//! What the measurements of Tribunal share: a shipped pack on each of its engines, with answers that have been checked.
//!
//! - `benches/dispatch.rs`: what dispatch costs over the bare engine, schema check and derived members shown apart
//! - `benches/packs.rs`: what a decision of each shipped pack costs on each engine, and how that grows; made of
//!   [`growth`](crate::growth) and [`timing`](crate::timing)
//! - `benches/search.rs`: what a search for disagreements costs beside the engines it asks
//! - `benches/soak.rs`: memory over a million decisions, and how decisions scale to two threads
//!
//! No figure without the same answer from every side: [`subjects`] refuses to hand out engines that disagree.

use std::path::{Path, PathBuf};

use tribunal::core::dispatch::LoadedPack;
use tribunal::core::fault::Fault;
use tribunal::{Decision, LoadErrors, Options, PolicyRequest, Tribunal};
use tribunal_conformance::Case;

/// A pack on one engine, ready to be measured.
#[derive(Debug)]
pub struct Subject {
    /// The engine's name and version.
    pub name: String,
    /// The pack on that engine, alone, claiming every request.
    pub tribunal: Tribunal,
}

/// Why nothing can be measured.
#[derive(Debug)]
pub enum Unmeasurable {
    /// A pack does not load.
    Load(LoadErrors),
    /// An engine's answer is not the first engine's.
    Disagreement(String),
}

impl std::fmt::Display for Unmeasurable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unmeasurable::Load(errors) => errors.fmt(f),
            Unmeasurable::Disagreement(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Unmeasurable {}

impl From<LoadErrors> for Unmeasurable {
    fn from(errors: LoadErrors) -> Self {
        Unmeasurable::Load(errors)
    }
}

/// The folder of shipped packs.
pub fn packs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packs")
}

/// Puts a table into a page, between the marks `<!-- costs: begin -->` and `<!-- costs: end -->`.
///
/// # Errors
/// A page that cannot be read or written, or has no marks.
pub fn splice(page: &Path, table: &str) -> std::io::Result<()> {
    let [begin, end] = ["<!-- costs: begin -->", "<!-- costs: end -->"];
    let text = std::fs::read_to_string(page)?;
    let around = text
        .split_once(begin)
        .and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)))
        .ok_or_else(|| std::io::Error::other(format!("`{}` lacks `{begin}` and `{end}`", page.display())))?;
    std::fs::write(page, format!("{}{begin}\n{table}{end}{}", around.0, around.1))
}

/// A case's request as a caller's comes in: read from JSON, with its instant and token.
///
/// # Errors
/// What the front door refuses it for.
pub fn request_of(case: &Case) -> Result<PolicyRequest, Fault> {
    let request = PolicyRequest::from_slice(case.request.to_string().as_bytes())?.at(case.now);
    Ok(match &case.token {
        Some(token) => request.with_token(token.clone()),
        None => request,
    })
}

/// A shipped pack on each engine there is, all of which answer the request alike.
///
/// # Errors
/// A pack that does not load, or engines that disagree: then no figure would mean anything.
pub fn subjects(pack: &str, request: &PolicyRequest) -> Result<Vec<Subject>, Unmeasurable> {
    let mut subjects = Vec::new();
    let mut expected: Option<Decision> = None;
    for factory in tribunal::registry().iter() {
        let info = factory.info();
        let options = Options { engine: Some(info.id.to_owned()), ..Options::default() };
        let tribunal = Tribunal::of_pack(&packs().join(pack), &options, tribunal::registry())?;
        let decision = tribunal.outcome(request).decision;
        let expected = expected.get_or_insert_with(|| decision.clone());
        if *expected != decision {
            return Err(Unmeasurable::Disagreement(format!(
                "`{}` says {decision:?}, not {expected:?}",
                info.id
            )));
        }
        subjects.push(Subject { name: format!("{} ({})", info.id, info.version), tribunal });
    }
    Ok(subjects)
}

impl Subject {
    /// The one pack of this subject.
    ///
    /// # Panics
    /// Never: [`subjects`] makes them with one pack each.
    #[expect(clippy::expect_used, reason = "`subjects` loads exactly one pack")]
    pub fn pack(&self) -> std::sync::Arc<LoadedPack> {
        self.tribunal.dispatcher().packs().pop().expect("a subject has one pack")
    }
}
