//! A deployment read from disk and loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tribunal_engine_core::config::{Deployment, PackEntry};
use tribunal_engine_core::contract::{Decision, Outcome, PolicyEngine, PolicyRequest};
use tribunal_engine_core::dispatch::{Dispatcher, LoadedPack};
use tribunal_engine_core::engine::{
    LoadContext, LoadError, LoadErrorKind, LoadErrors, Registry, RootKey, Trust,
};
use tribunal_engine_core::pack::PackSource;
use tribunal_engine_core::pack::manifest::NoInputSchema;

use crate::files::{read_file, read_pack};

/// A deployment on disk, loaded: the policy decision point of this program.
#[derive(Debug)]
pub struct Tribunal {
    dispatcher: Dispatcher,
    deployment: Deployment,
    folder: PathBuf,
    registry: Registry,
    context: LoadContext,
    options: Options,
    warnings: Vec<String>,
}

/// What a caller may say in place of a deployment's own words.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Only this pack of the deployment, by name; it then claims every request.
    pub pack: Option<String>,
    /// This engine for every pack, without fallback and shadows.
    pub engine: Option<String>,
    /// Data files in place of packs' own, by the pack's name.
    pub data: BTreeMap<String, PathBuf>,
    /// Root keys beside the deployment's.
    pub root_keys: Vec<RootKey>,
}

impl Tribunal {
    /// Reads a deployment, its packs and keys, and loads every pack.
    ///
    /// # Errors
    /// Everything wrong with any of them.
    pub fn open(config: impl AsRef<Path>) -> Result<Self, LoadErrors> {
        Self::open_with(config.as_ref(), &Options::default(), crate::registry())
    }

    /// [`Tribunal::open`] with options and with engines of the caller's choosing.
    ///
    /// # Errors
    /// Everything wrong with the deployment, its packs and the options.
    pub fn open_with(config: &Path, options: &Options, registry: Registry) -> Result<Self, LoadErrors> {
        let name = config.display().to_string();
        let (deployment, _) = Deployment::parse(&name, &read_file(config)?, &registry)?;
        let folder = config.parent().map_or_else(PathBuf::new, Path::to_path_buf);
        Self::load(deployment, folder, options, registry)
    }

    /// A deployment that was read elsewhere, or made by a program; `folder` is what its paths are relative to.
    ///
    /// # Errors
    /// Everything wrong with its packs and the options. The deployment itself is taken at its word.
    pub fn deploy(
        deployment: Deployment,
        folder: &Path,
        options: &Options,
        registry: Registry,
    ) -> Result<Self, LoadErrors> {
        Self::load(deployment, folder.to_path_buf(), options, registry)
    }

    /// One pack, a folder or a bundle, that claims every request.
    ///
    /// # Errors
    /// Everything wrong with the pack; or that it offers several engines and the options name none.
    pub fn of_pack(pack: &Path, options: &Options, registry: Registry) -> Result<Self, LoadErrors> {
        let engine = match &options.engine {
            Some(engine) => engine.clone(),
            None => {
                only_engine(&PackSource::read(&pack.display().to_string(), read_pack(pack)?, &registry)?)?
            }
        };
        let entry = entry_of(pack.display().to_string(), engine);
        Self::load(Deployment::of(vec![entry]), PathBuf::new(), options, registry)
    }

    fn load(
        mut deployment: Deployment,
        folder: PathBuf,
        options: &Options,
        registry: Registry,
    ) -> Result<Self, LoadErrors> {
        let mut errors: Vec<LoadError> = Vec::new();
        let trust = read_trust(&deployment, &folder, options).unwrap_or_else(|found| {
            errors.extend(found);
            Trust::default()
        });
        let context = LoadContext {
            limits: deployment.limits,
            trust: Arc::new(trust),
            cache: deployment.cache.as_ref().map(|cache| folder.join(&cache.dir)),
        };
        if let Some(engine) = &options.engine {
            for entry in &mut deployment.packs {
                entry.engine.clone_from(engine);
                entry.fallback = None;
                entry.shadow.clear();
            }
        }
        let mut tribunal = Self {
            dispatcher: Dispatcher::new(&deployment, [] as [LoadedPack; 0]),
            warnings: Vec::new(),
            deployment,
            folder,
            registry,
            context,
            options: options.clone(),
        };
        let mut packs = Vec::new();
        let mut kept = Vec::new();
        let mut names = BTreeSet::new();
        let mut unused: BTreeSet<&String> = options.data.keys().collect();
        for entry in &tribunal.deployment.packs {
            match tribunal.load_entry(entry, options) {
                Ok(pack) => {
                    let name = &pack.identity().pack;
                    unused.remove(name);
                    if !names.insert(name.clone()) {
                        errors.push(LoadError::new(
                            LoadErrorKind::Invalid,
                            format!("two packs are called `{name}`"),
                        ));
                    }
                    if options.pack.as_ref().is_none_or(|wanted| wanted == name) {
                        kept.push(entry.clone());
                        packs.push(pack);
                    }
                }
                Err(found) => errors.extend(found),
            }
        }
        // A pack that could not be read has no name yet: data may well have been meant for it.
        for name in unused.into_iter().filter(|_| errors.is_empty()).collect::<Vec<_>>() {
            errors.push(LoadError::new(
                LoadErrorKind::Invalid,
                format!("data was given for pack `{name}`, which is not deployed"),
            ));
        }
        if let (Some(wanted), true) = (&options.pack, packs.is_empty() && errors.is_empty()) {
            errors.push(LoadError::new(LoadErrorKind::Invalid, format!("no pack `{wanted}` is deployed")));
        }
        LoadErrors::check(errors)?;
        tribunal.warnings = warnings(&packs, &tribunal.context);
        tribunal.deployment.packs = kept;
        tribunal.dispatcher = Dispatcher::new(&tribunal.deployment, packs);
        Ok(tribunal)
    }

    fn load_entry(&self, entry: &PackEntry, options: &Options) -> Result<LoadedPack, LoadErrors> {
        let path = self.folder.join(&entry.pack);
        let of_entry = entry.data.as_ref().map(|file| self.folder.join(file));
        let read = read_pack(&path)
            .and_then(|files| PackSource::read(&path.display().to_string(), files, &self.registry));
        let source = match read {
            Ok(source) => Arc::new(source),
            // What its data should be like is not known then, but whether it is there is.
            Err(mut errors) => {
                let in_force = of_entry.filter(|_| options.data.is_empty());
                errors.extend(in_force.and_then(|file| read_file(&file).err()));
                return Err(errors);
            }
        };
        let name = source.manifest.name.clone();
        let is_chosen = options.pack.as_ref() == Some(&name);
        let entry = PackEntry {
            when: if is_chosen { Default::default() } else { entry.when.clone() },
            ..entry.clone()
        };
        let data = options.data.get(&name).cloned().or(of_entry).map(|file| {
            let text = read_file(&file)?;
            source.read_data(&file.display().to_string(), &text)
        });
        match (LoadedPack::load(source.clone(), &entry, &self.context, &self.registry), data) {
            (pack, None) => pack,
            (Ok(pack), Some(data)) => pack.with_data(data?),
            (Err(mut errors), Some(data)) => {
                errors.extend(data.err().into_iter().flatten());
                Err(errors)
            }
        }
    }

    /// Decides a request and tells how.
    pub fn outcome(&self, request: &PolicyRequest) -> Outcome {
        self.dispatcher.evaluate(request)
    }

    /// The packs in service, and swaps of packs and data.
    pub fn dispatcher(&self) -> &Dispatcher {
        &self.dispatcher
    }

    /// The deployment as it was read.
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// The engines of this decision point.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// What engines are loaded with.
    pub fn context(&self) -> &LoadContext {
        &self.context
    }

    /// What is allowed but should be known, a sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Puts the data of a file in the place of a pack's own, while others go on asking: nothing is compiled, and every
    /// request is decided by the one or the other throughout, shadows included. The data is checked against the pack's
    /// `data.schema.json` first. If anything is wrong with it, that is told and the data in force stays. What comes next is
    /// told by the outcomes: `data_digest` names the data that decided.
    ///
    /// ```
    /// use tribunal::{DecisionEffect, Options, PolicyRequest, Tribunal};
    ///
    /// let options = Options { engine: Some("cedar".to_owned()), ..Options::default() };
    /// let tribunal = Tribunal::of_pack("../packs/destination-allowlist".as_ref(), &options, tribunal::registry())?;
    /// let request = PolicyRequest::from_slice(br#"{
    ///     "subject": {"type": "agent", "id": "a"}, "action": {"name": "http/request"},
    ///     "resource": {"type": "tool", "id": "http"}, "context": {"destination_host": "docs.example.org"}
    /// }"#)?;
    /// let effect = || tribunal.outcome(&request).decision.effect;
    /// assert_eq!(effect(), DecisionEffect::Deny);
    ///
    /// let file = std::env::temp_dir().join(format!("tribunal-data-{}.json", std::process::id()));
    /// std::fs::write(&file, r#"{"approved": ["docs.example.org"]}"#)?;
    /// tribunal.swap_data("destination-allowlist", &file)?;
    /// assert_eq!(effect(), DecisionEffect::Allow);
    ///
    /// let refused = tribunal.swap_data_of("destination-allowlist", "new.json", br#"{"approved": ["*"]}"#).unwrap_err();
    /// assert!(refused.to_string().starts_with("new.json:1:15: "));
    /// assert_eq!(effect(), DecisionEffect::Allow);
    /// # std::fs::remove_file(&file)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// What is wrong with the file or its data, with its place, or that no pack of this name is deployed.
    pub fn swap_data(&self, pack: &str, file: &Path) -> Result<(), LoadErrors> {
        self.swap_data_of(pack, &file.display().to_string(), &read_file(file)?)
    }

    /// [`Tribunal::swap_data`] with data that is at hand: `file` is its name in errors, and says by `.json` at its end that
    /// it is JSON and not YAML.
    ///
    /// # Errors
    /// What is wrong with the data, with its place, or that no pack of this name is deployed.
    pub fn swap_data_of(&self, pack: &str, file: &str, text: &[u8]) -> Result<(), LoadErrors> {
        self.dispatcher.swap_data(pack, file, text)
    }

    /// Reads a pack again from disk and puts it in the place of the one in service, which goes on deciding if that fails.
    /// Data that was put in place of the pack's own stays in force.
    ///
    /// # Errors
    /// Why the newer version could not be loaded, or that no such pack is deployed.
    pub fn reload(&self, name: &str) -> Result<(), LoadErrors> {
        let position = self.dispatcher.packs().iter().position(|pack| pack.identity().pack == name);
        let entry = position
            .and_then(|index| self.deployment.packs.get(index))
            .ok_or_else(|| LoadError::new(LoadErrorKind::Invalid, format!("no pack `{name}` is deployed")))?;
        let in_force = self.dispatcher.packs().into_iter().find(|pack| pack.identity().pack == name);
        let newer = self.load_entry(entry, &self.options).and_then(|newer| {
            match in_force.filter(|pack| pack.identity().data_digest.is_some()) {
                None => Ok(newer),
                // By its name it is JSON: not every JSON text is YAML.
                Some(pack) => newer.with_data(
                    newer.source().read_data("data-in-force.json", pack.data().to_string().as_bytes())?,
                ),
            }
        });
        self.dispatcher.reload(name, newer)
    }
}

#[tribunal_engine_core::async_trait]
impl PolicyEngine for Tribunal {
    async fn evaluate(&self, request: &PolicyRequest) -> Decision {
        self.outcome(request).decision
    }
}

fn entry_of(pack: String, engine: String) -> PackEntry {
    PackEntry {
        pack,
        engine,
        when: Default::default(),
        data: None,
        fallback: None,
        limits: Default::default(),
        shadow: Vec::new(),
    }
}

fn only_engine(source: &PackSource) -> Result<String, LoadErrors> {
    let mut offered = source.manifest.engines.keys();
    match (offered.next(), offered.next()) {
        (Some(engine), None) => Ok(engine.clone()),
        _ => {
            let names: Vec<&str> = source.manifest.engines.keys().map(String::as_str).collect();
            let message = format!(
                "pack `{}` offers several engines: name one of {}",
                source.manifest.name,
                names.join(", ")
            );
            let help = "with `--engine` on the command line, or as `engine` of the pack in a deployment";
            Err(LoadError::new(LoadErrorKind::Invalid, message).help(help).into())
        }
    }
}

fn read_trust(deployment: &Deployment, folder: &Path, options: &Options) -> Result<Trust, LoadErrors> {
    let mut errors = Vec::new();
    let mut trust = Trust { root_keys: options.root_keys.clone(), revoked: BTreeSet::new() };
    for entry in &deployment.root_keys {
        let file = folder.join(&entry.file);
        match read_file(&file) {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(key) => trust.root_keys.push(RootKey {
                    id: entry.id,
                    key: key.trim().to_owned(),
                    origin: file.display().to_string(),
                }),
                Err(_) => errors.push(LoadError::new(
                    LoadErrorKind::Syntax,
                    format!("`{}` is not a key in text", file.display()),
                )),
            },
            Err(error) => errors.push(error),
        }
    }
    if let Some(file) = &deployment.revoked {
        let file = folder.join(file);
        match read_file(&file).map(String::from_utf8) {
            Ok(Ok(text)) => {
                for (index, line) in text.lines().enumerate() {
                    let id = line.split('#').next().map_or("", str::trim).to_ascii_lowercase();
                    if id.is_empty() {
                        continue;
                    }
                    if id.len().is_multiple_of(2) && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                        trust.revoked.insert(id);
                    } else {
                        let location = tribunal_engine_core::location::Location::new(
                            file.display().to_string(),
                            index + 1,
                            1,
                        );
                        errors.push(
                            LoadError::new(
                                LoadErrorKind::Syntax,
                                "a revocation identifier is written in hex",
                            )
                            .at(location),
                        );
                    }
                }
            }
            Ok(Err(_)) => errors
                .push(LoadError::new(LoadErrorKind::Syntax, format!("`{}` is not a text", file.display()))),
            Err(error) => errors.push(error),
        }
    }
    LoadErrors::check(errors)?;
    Ok(trust)
}

fn warnings(packs: &[LoadedPack], context: &LoadContext) -> Vec<String> {
    let mut warnings = Vec::new();
    for pack in packs {
        let identity = pack.identity();
        if pack.source().manifest.input_schema == Some(NoInputSchema::None) {
            warnings.push(format!(
                "pack `{}` has no input schema: a request of another shape is decided by accident of the policy",
                identity.pack
            ));
        }
        if let Some(wanted) = &identity.fallback_from {
            warnings.push(format!(
                "pack `{}` is decided by its fallback `{}`: `{wanted}` is not there",
                identity.pack, identity.engine
            ));
        }
    }
    #[cfg(feature = "wasm")]
    if let Some(refusal) = context.cache.as_deref().and_then(tribunal_engine_wasm::cache_refusal) {
        warnings.push(refusal);
    }
    #[cfg(not(feature = "wasm"))]
    let _ = context;
    warnings
}
