//! Which deployment or pack a command is about.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tribunal::core::document::nearest;
use tribunal::core::engine::RootKey;
use tribunal::core::pack::PackSource;
use tribunal::files::{read_file, read_pack};
use tribunal::{LoadErrors, Options, Registry, Tribunal};

use crate::failure::Failure;

/// What is evaluated.
#[derive(Debug, clap::Args)]
pub(crate) struct Target {
    /// The deployment, a `tribunal.yaml`.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// With --config: only this pack of the deployment, by name. Without: a pack's folder, or a bundle made by OPA. It then
    /// claims every request.
    #[arg(long, value_name = "NAME|PATH|BUNDLE", required_unless_present = "config")]
    pack: Option<String>,
    /// A data file in place of a pack's own; may be repeated.
    #[arg(long, value_name = "PACK=FILE", value_parser = pack_data)]
    data: Vec<(String, PathBuf)>,
    /// A public key that tokens may be signed with, in a file (PEM) or as `ed25519/<hex>`; with the id that tokens name it
    /// by, if they name one. May be repeated.
    #[arg(long, value_name = "[ID=]FILE|KEY")]
    root_key: Vec<String>,
}

fn pack_data(text: &str) -> Result<(String, PathBuf), String> {
    let (pack, file) = text
        .split_once('=')
        .filter(|(pack, file)| !pack.is_empty() && !file.is_empty())
        .ok_or("write PACK=FILE")?;
    Ok((pack.to_owned(), PathBuf::from(file)))
}

impl Target {
    /// Whether a deployment is asked, and not a bare pack.
    pub(crate) fn is_deployment(&self) -> bool {
        self.config.is_some()
    }

    /// What stands in place of the deployment's own words.
    ///
    /// # Errors
    /// If two data files are given for one pack, or a key cannot be read.
    pub(crate) fn options(&self, engine: Option<&str>) -> Result<Options, Failure> {
        let mut data = BTreeMap::new();
        for (pack, file) in &self.data {
            if data.insert(pack.clone(), file.clone()).is_some() {
                return Err(Failure::Usage(format!("--data is given twice for pack `{pack}`")));
            }
        }
        let root_keys = self.root_key.iter().map(|text| root_key(text)).collect::<Result<_, _>>()?;
        let pack = self.pack.clone().filter(|_| self.config.is_some());
        Ok(Options { pack, engine: engine.map(str::to_owned), data, root_keys })
    }

    /// Loads what is evaluated. A pack on its own that is compared on all engines starts on the first that loads it.
    ///
    /// # Errors
    /// Everything wrong with it.
    pub(crate) fn open(
        &self,
        options: &Options,
        any_engine: bool,
        registry: Registry,
    ) -> Result<Tribunal, LoadErrors> {
        match (&self.config, &self.pack) {
            (Some(config), _) => Tribunal::open_with(config, options, registry),
            (None, Some(pack)) if any_engine => on_any_engine(Path::new(pack), options, &registry),
            (None, Some(pack)) => Tribunal::of_pack(Path::new(pack), options, registry),
            // clap asks for one of the two; without either there is nothing that could allow.
            (None, None) => Tribunal::open_with(Path::new("tribunal.yaml"), options, registry),
        }
    }
}

fn on_any_engine(path: &Path, options: &Options, registry: &Registry) -> Result<Tribunal, LoadErrors> {
    let source = PackSource::read(&path.display().to_string(), read_pack(path)?, registry)?;
    let mut first_refusal = None;
    for engine in registry.ids().filter(|id| source.manifest.engines.contains_key(*id)) {
        let options = Options { engine: Some(engine.to_owned()), ..options.clone() };
        match Tribunal::of_pack(path, &options, registry.clone()) {
            Ok(tribunal) => return Ok(tribunal),
            Err(errors) => first_refusal = first_refusal.or(Some(errors)),
        }
    }
    match first_refusal {
        Some(errors) => Err(errors),
        None => Tribunal::of_pack(path, options, registry.clone()),
    }
}

fn root_key(text: &str) -> Result<RootKey, Failure> {
    let (id, key) = match text.split_once('=').map(|(id, key)| (id.parse::<u32>(), key)) {
        Some((Ok(id), key)) => (Some(id), key),
        _ => (None, text),
    };
    if key.starts_with("ed25519/") || key.starts_with("secp256r1/") {
        return Ok(RootKey { id, key: key.to_owned(), origin: "--root-key".to_owned() });
    }
    let bytes = read_file(Path::new(key)).map_err(LoadErrors::from)?;
    let text =
        String::from_utf8(bytes).map_err(|_| Failure::Input(format!("`{key}` is not a key in text")))?;
    Ok(RootKey { id, key: text.trim().to_owned(), origin: key.to_owned() })
}

/// That an engine of this name exists, here or in another build.
///
/// # Errors
/// Which it could have been.
pub(crate) fn known_engine(name: &str, registry: &Registry) -> Result<(), Failure> {
    if registry.known().any(|known| known == name) {
        return Ok(());
    }
    let known: Vec<&str> = registry.known().collect();
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known here: {}", known.join(", ")),
    };
    Err(Failure::Usage(format!("there is no engine `{name}` ({hint})")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_files() {
        let key = root_key("ed25519/00ff").unwrap();
        assert_eq!((key.id, key.key.as_str()), (None, "ed25519/00ff"));
        let key = root_key("7=secp256r1/00ff").unwrap();
        assert_eq!((key.id, key.key.as_str()), (Some(7), "secp256r1/00ff"));
        assert_eq!(root_key("no-such-file.pem").unwrap_err().exit(), crate::exit::Exit::Input);
    }

    #[test]
    fn data_names_its_pack() {
        assert_eq!(pack_data("a=b=c.json"), Ok(("a".to_owned(), PathBuf::from("b=c.json"))));
        for wrong in ["a", "=b", "a="] {
            assert!(pack_data(wrong).is_err(), "{wrong}");
        }
    }
}
