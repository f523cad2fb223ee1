//! Packs made ready for workers: copied into a folder of this run's own, so that a run measures what it read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tribunal::core::engine::Registry;
use tribunal::core::pack::{PackFiles, PackSource};
use tribunal::files::read_pack;
use tribunal_conformance::Suite;

use crate::embedded;
use crate::run::BenchError;

/// The folder of a run.
#[derive(Debug)]
pub struct Workshop {
    folder: TempDir,
    registry: Registry,
    packs: Vec<Arc<Stock>>,
}

/// A pack in the workshop.
#[derive(Debug)]
pub struct Stock {
    /// Its place in the workshop, which is its place in the report.
    pub index: usize,
    /// What it was asked for as.
    pub asked: String,
    /// Where it came from.
    pub origin: String,
    /// Where it lies.
    pub folder: PathBuf,
    /// The pack.
    pub source: PackSource,
    /// Its cases.
    pub suite: Suite,
}

impl Workshop {
    /// An empty one.
    ///
    /// # Errors
    /// If there is no place for it.
    pub fn new(registry: &Registry) -> Result<Self, BenchError> {
        let folder = TempDir::with_prefix("tribunal-bench-")?;
        Ok(Self { folder, registry: registry.clone(), packs: Vec::new() })
    }

    /// The packs, in the order in which they were asked for.
    pub fn packs(&self) -> &[Arc<Stock>] {
        &self.packs
    }

    /// The folder in which workers find compiled modules.
    pub fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// A pack: a folder or a bundle, seen from `beside`; a folder in `packs/` here; or the one that this program carries.
    ///
    /// # Errors
    /// Everything wrong with it; names that are none.
    pub fn pack(&mut self, name: &str, beside: &Path) -> Result<Arc<Stock>, BenchError> {
        if let Some(known) = self.packs.iter().find(|stock| stock.asked == name) {
            return Ok(known.clone());
        }
        let (origin, files) = find(name, beside)?;
        self.put(name, origin, &files)
    }

    /// Puts files into the workshop as a pack.
    ///
    /// # Errors
    /// Everything wrong with it.
    pub fn put(&mut self, asked: &str, origin: String, files: &PackFiles) -> Result<Arc<Stock>, BenchError> {
        let source = PackSource::read(&origin, files.clone(), &self.registry)?;
        let suite = Suite::read(&source)?;
        let index = self.packs.len();
        let folder = self.folder.path().join(format!("pack-{index}"));
        write(files, &folder)?;
        let stock = Stock { index, asked: asked.to_owned(), origin, folder, source, suite };
        self.packs.push(Arc::new(stock));
        self.packs.last().cloned().ok_or_else(|| BenchError::Input("there is no pack".to_owned()))
    }

    /// So many packs that differ from one only in their names and in the bytes of their modules; their folders.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn copies(&self, of: &Stock, count: u32) -> Result<Vec<PathBuf>, BenchError> {
        let mut folders = Vec::new();
        for number in 0..count {
            let folder = self.folder.path().join(format!("pack-{}-copy-{number}", of.index));
            if !folder.exists() {
                write(&crate::copies::renamed(&of.source, number)?, &folder)?;
            }
            folders.push(folder);
        }
        Ok(folders)
    }
}

fn find(name: &str, beside: &Path) -> Result<(String, PackFiles), BenchError> {
    let given = beside.join(name);
    if given.exists() {
        return Ok((given.display().to_string(), read_pack(&given).map_err(tribunal::LoadErrors::from)?));
    }
    let shipped = Path::new("packs").join(name);
    if Path::new(name).components().count() == 1 && shipped.is_dir() {
        return Ok((shipped.display().to_string(), read_pack(&shipped).map_err(tribunal::LoadErrors::from)?));
    }
    if let Some(files) = embedded::files(name) {
        return Ok((format!("{name} (carried by this program)"), files));
    }
    Err(BenchError::Input(format!(
        "there is no pack `{name}`: name a folder, a pack in `packs/`, or one that this program carries ({})",
        embedded::NAMES.join(", ")
    )))
}

fn write(files: &PackFiles, folder: &Path) -> std::io::Result<()> {
    for path in files.paths() {
        let place = folder.join(path);
        if let Some(parent) = place.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(place, files.get(path).map_or(&[][..], AsRef::as_ref))?;
    }
    Ok(())
}
