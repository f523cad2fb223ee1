//! A folder with a pack, and the tests it makes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Failed, Trial};
use tribunal::LoadErrors;
use tribunal::core::engine::LoadContext;
use tribunal::core::pack::PackSource;
use tribunal_conformance::coverage::gaps;
use tribunal_conformance::{Runner, Suite, offered, rego_tests};

/// The fewest cases the shipped packs have together.
const FEWEST_CASES: usize = 400;

/// A pack in a folder, read once.
pub(crate) struct Pack {
    pub(crate) name: String,
    pub(crate) read: Result<(Arc<PackSource>, Arc<Suite>), String>,
}

/// A pack on an engine, loaded by whichever test needs it first.
type Lazy = Arc<OnceLock<Result<Runner, String>>>;

/// Every pack that is a folder of this one, by name.
pub(crate) fn folders(root: &Path) -> Vec<Pack> {
    let entries = fs::read_dir(root).unwrap_or_else(|error| panic!("{}: {error}", root.display()));
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.join("pack.yaml").is_file()).collect();
    folders.sort();
    assert!(!folders.is_empty(), "no packs in {}", root.display());
    folders.iter().map(|folder| Pack::read(folder)).collect()
}

/// Not fewer cases than were promised; one that vanishes would otherwise go unnoticed.
pub(crate) fn enough_cases() -> Result<(), Failed> {
    let packs = folders(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../packs"));
    let count: usize =
        packs.iter().filter_map(|pack| pack.read.as_ref().ok()).map(|(_, suite)| suite.cases.len()).sum();
    if count < FEWEST_CASES {
        Err(format!("{count} cases, fewer than {FEWEST_CASES}").into())
    } else {
        Ok(())
    }
}

impl Pack {
    /// Reads one.
    pub(crate) fn read(folder: &Path) -> Self {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let registry = tribunal::registry();
        let read = || -> Result<_, LoadErrors> {
            let pack = PackSource::read(&name, tribunal::files::read_pack(folder)?, &registry)?;
            let suite = Suite::read(&pack)?;
            Ok((Arc::new(pack), Arc::new(suite)))
        };
        Self { read: read().map_err(|errors| errors.to_string()), name }
    }

    /// One test a case and engine, one a Rego test, and one that all engines of the manifest are there.
    pub(crate) fn trials(&self, prefix: &str) -> Vec<Trial> {
        let name = format!("{prefix}{}", self.name);
        let (pack, suite) = match &self.read {
            Ok((pack, suite)) => (pack, suite),
            Err(error) => {
                let error = error.clone();
                return vec![Trial::test(format!("{name}/read"), move || Err(error.into()))];
            }
        };
        let mut trials = vec![self.offers(&name)];
        for offer in offered(pack, &tribunal::registry()) {
            let lazy = Lazy::default();
            let engine = offer.engine.to_owned();
            {
                let (pack, suite, lazy, engine) = (pack.clone(), suite.clone(), lazy.clone(), engine.clone());
                trials.push(Trial::test(format!("{name}/{engine}/loads"), move || {
                    loaded(&lazy, &pack, &suite, &engine).map(|_| ())
                }));
            }
            for index in 0..suite.cases.len() {
                let (pack, suite, lazy, engine) = (pack.clone(), suite.clone(), lazy.clone(), engine.clone());
                let trial = format!("{name}/{engine}/{}", suite.cases[index].name);
                trials.push(Trial::test(trial, move || {
                    let result = loaded(&lazy, &pack, &suite, &engine)?.run(&suite.cases[index]);
                    result
                        .failure
                        .map_or(Ok(()), |failure| Err(format!("{}\n{failure}", result.location).into()))
                }));
            }
        }
        trials.extend(self.rego_tests(&name));
        trials
    }

    /// One test for each `test_` rule of the pack.
    fn rego_tests(&self, name: &str) -> Vec<Trial> {
        let Ok((pack, _)) = &self.read else { return Vec::new() };
        match rego_tests(pack, &LoadContext::default()) {
            Ok(tests) => tests
                .into_iter()
                .map(|test| {
                    Trial::test(format!("{name}/rego/{}", test.name), move || match test.failure {
                        None => Ok(()),
                        Some(failure) => Err(format!("{}: {failure}", test.location).into()),
                    })
                })
                .collect(),
            Err(errors) => {
                let errors = errors.to_string();
                vec![Trial::test(format!("{name}/rego/loads"), move || Err(errors.into()))]
            }
        }
    }

    fn offers(&self, name: &str) -> Trial {
        let (pack, suite) = self.read.clone().unwrap();
        Trial::test(format!("{name}/offers-engines-that-exist"), move || {
            let registry = tribunal::registry();
            let absent: Vec<&str> = offered(&pack, &registry)
                .filter(|offer| !offer.is_built_in)
                .map(|offer| offer.engine)
                .collect();
            if !absent.is_empty() {
                return Err(format!("not there: {}", absent.join(", ")).into());
            }
            if suite.cases.is_empty() { Err("no cases".into()) } else { Ok(()) }
        })
    }

    /// Every member of the pack's requests is once missing and once of another type.
    pub(crate) fn coverage(&self) -> Trial {
        let read = self.read.clone();
        Trial::test(format!("{}/every-member-missing-and-mistyped", self.name), move || {
            let (pack, suite) = read?;
            let gaps: Vec<String> =
                gaps(&pack, &suite.cases).iter().map(|(place, gap)| format!("`{place}` is {gap}")).collect();
            if gaps.is_empty() { Ok(()) } else { Err(gaps.join("\n").into()) }
        })
    }
}

fn loaded<'l>(
    lazy: &'l Lazy,
    pack: &Arc<PackSource>,
    suite: &Suite,
    engine: &str,
) -> Result<&'l Runner, Failed> {
    let load = || {
        let context = suite.trusted(&LoadContext::default());
        Runner::load(pack.clone(), engine, &context, &tribunal::registry())
            .map_err(|errors| errors.to_string())
    };
    lazy.get_or_init(load).as_ref().map_err(|error| format!("does not load: {error}").into())
}
