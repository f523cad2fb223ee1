//! What scenarios are run against: a deployment, on one engine after another.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tribunal::core::config::Deployment;
use tribunal::core::engine::{LoadError, LoadErrorKind};
use tribunal::core::pack::PackSource;
use tribunal::files::{read_file, read_pack};
use tribunal::{LoadErrors, Options, Registry, Tribunal};

use super::spec::{DeploymentSpec, PackSpec};

/// The name that stands in place of an engine's where each pack is decided on the engine that its deployment names.
pub const AS_DEPLOYED: &str = "as-deployed";

/// A deployment that scenarios are played on, loaded on an engine when somebody first asks for it.
#[derive(Debug)]
pub struct Stage {
    deployed: Deployed,
    /// The engines that all packs offer, sorted; `as-deployed` beside them where the deployment names engines.
    engines: Vec<String>,
    registry: Registry,
    loaded: Mutex<BTreeMap<String, Loaded>>,
}

type Loaded = Arc<OnceLock<Result<Arc<Tribunal>, LoadErrors>>>;

#[derive(Debug)]
enum Deployed {
    File(PathBuf),
    Packs {
        packs: Vec<PackSpec>,
        boundaries: Vec<String>,
        on_no_pack: tribunal::core::config::OnNoPack,
        folder: PathBuf,
    },
}

/// Stages by what they deploy: scenarios that deploy the same share one, and load it once.
#[derive(Debug)]
pub struct Stages {
    registry: Registry,
    known: BTreeMap<String, Arc<Stage>>,
}

impl Stages {
    /// None yet.
    pub fn new(registry: Registry) -> Self {
        Self { registry, known: BTreeMap::new() }
    }

    /// The engines that stages are loaded on.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The deployment of a file.
    ///
    /// # Errors
    /// What is wrong with the file or its packs.
    pub fn of_file(&mut self, file: &Path) -> Result<Arc<Stage>, LoadErrors> {
        self.stage(format!("file {}", file.display()), |registry| {
            let (deployment, _) =
                Deployment::parse(&file.display().to_string(), &read_file(file)?, registry)?;
            let folder = file.parent().map_or_else(PathBuf::new, Path::to_path_buf);
            let mut engines =
                offered(deployment.packs.iter().map(|entry| folder.join(&entry.pack)), registry)?;
            engines.push(AS_DEPLOYED.to_owned());
            Ok((Deployed::File(file.to_path_buf()), engines))
        })
    }

    /// What a scenario in a file of this folder deploys; without words of its own, the pack that the folder belongs to.
    ///
    /// # Errors
    /// What is wrong with a file or a pack, or that no engine is offered by all packs.
    pub fn of_spec(
        &mut self,
        spec: Option<&DeploymentSpec>,
        folder: &Path,
    ) -> Result<Arc<Stage>, LoadErrors> {
        let own = || PackSpec { pack: "..".to_owned(), when: Default::default(), data: None };
        let (packs, boundaries, on_no_pack) = match spec {
            Some(DeploymentSpec { file: Some(file), packs: None, .. }) => {
                return self.of_file(&folder.join(file));
            }
            Some(DeploymentSpec { file: None, packs: Some(packs), boundaries, on_no_pack }) => {
                (packs.clone(), boundaries.clone(), *on_no_pack)
            }
            Some(_) => {
                let message = "a deployment is either a `file` or `packs`";
                return Err(LoadError::new(LoadErrorKind::Invalid, message).into());
            }
            None => {
                (vec![own()], tribunal::core::config::deployment::standard_boundaries(), Default::default())
            }
        };
        let key = format!("{} {packs:?} {boundaries:?} {on_no_pack:?}", folder.display());
        let folder = folder.to_path_buf();
        self.stage(key, |registry| {
            let engines = offered(packs.iter().map(|pack| folder.join(&pack.pack)), registry)?;
            if engines.is_empty() {
                let message = "no engine is offered by all of these packs";
                return Err(LoadError::new(LoadErrorKind::Invalid, message).into());
            }
            Ok((Deployed::Packs { packs, boundaries, on_no_pack, folder }, engines))
        })
    }

    fn stage(
        &mut self,
        key: String,
        make: impl FnOnce(&Registry) -> Result<(Deployed, Vec<String>), LoadErrors>,
    ) -> Result<Arc<Stage>, LoadErrors> {
        if let Some(stage) = self.known.get(&key) {
            return Ok(stage.clone());
        }
        let (deployed, engines) = make(&self.registry)?;
        let stage =
            Arc::new(Stage { deployed, engines, registry: self.registry.clone(), loaded: Mutex::default() });
        self.known.insert(key, stage.clone());
        Ok(stage)
    }
}

/// The engines, of those that there are in any build, that all packs offer.
fn offered(packs: impl Iterator<Item = PathBuf>, registry: &Registry) -> Result<Vec<String>, LoadErrors> {
    let mut common: Option<BTreeSet<String>> = None;
    for path in packs {
        let source = PackSource::read(&path.display().to_string(), read_pack(&path)?, registry)?;
        let offered: BTreeSet<String> = source.manifest.engines.keys().cloned().collect();
        common = Some(match common {
            None => offered,
            Some(before) => before.intersection(&offered).cloned().collect(),
        });
    }
    Ok(common.into_iter().flatten().collect())
}

impl Stage {
    /// The engines it can be loaded on, sorted; `as-deployed` last where the deployment names engines.
    pub fn engines(&self) -> impl Iterator<Item = &str> {
        self.engines.iter().map(String::as_str)
    }

    /// Whether this program was built with an engine.
    pub fn is_built_in(&self, engine: &str) -> bool {
        engine == AS_DEPLOYED || self.registry.get(engine).is_some()
    }

    /// The deployment with all packs on an engine, loaded once.
    ///
    /// # Errors
    /// Why it cannot be loaded there.
    pub fn on(&self, engine: &str) -> Result<Arc<Tribunal>, LoadErrors> {
        let slot = {
            let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
            loaded.entry(engine.to_owned()).or_default().clone()
        };
        slot.get_or_init(|| self.load(engine).map(Arc::new)).clone()
    }

    fn load(&self, engine: &str) -> Result<Tribunal, LoadErrors> {
        let registry = self.registry.clone();
        match &self.deployed {
            Deployed::File(file) => {
                let engine = (engine != AS_DEPLOYED).then(|| engine.to_owned());
                Tribunal::open_with(file, &Options { engine, ..Options::default() }, registry)
            }
            Deployed::Packs { packs, boundaries, on_no_pack, folder } => {
                let mut deployment = Deployment::of(packs.iter().map(|pack| pack.entry(engine)).collect());
                deployment.boundaries.clone_from(boundaries);
                deployment.on_no_pack = *on_no_pack;
                Tribunal::deploy(deployment, folder, &Options::default(), registry)
            }
        }
    }
}
