//! Packs made ready for workers: copied into a folder of this run's own, so that a run measures what it read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tribunal::core::engine::Registry;
use tribunal::core::pack::{PackFiles, PackSource};
use tribunal::files::read_pack;
use tribunal_conformance::Suite;

use crate::definition::Axis;
use crate::embedded;
use crate::run::BenchError;
use crate::scale::{self, Made};
use crate::subject::Unavailable;

/// The folder of a run, with all that it writes but its report. Removed with everything in it when this is dropped.
#[derive(Debug)]
pub struct Workshop {
    folder: TempDir,
    registry: Registry,
    packs: Vec<Arc<Stock>>,
}

/// What a pack is, whatever it was asked for as: the same name is another pack in another folder.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// A folder or a bundle.
    At(PathBuf),
    /// One that this program carries.
    Carried(String),
    /// One that is made for a size.
    Made(Axis, u64),
}

/// A pack in the workshop.
#[derive(Debug)]
pub struct Stock {
    place: Place,
    /// Its place in the workshop, which is its place in the report.
    pub index: usize,
    /// Where it came from.
    pub origin: String,
    /// Where it lies.
    pub folder: PathBuf,
    /// The pack.
    pub source: PackSource,
    /// Its cases.
    pub suite: Suite,
    /// Why it has no module for rego-wasm, if it was to have one made and has not.
    pub unbuilt: Option<Unavailable>,
}

/// From where the packs of a definition are seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beside {
    /// From this folder.
    Folder(PathBuf),
    /// From inside this program, which carries the definition and its packs.
    Program,
}

impl Workshop {
    /// An empty one.
    ///
    /// # Errors
    /// If there is no place for it.
    pub fn new(registry: &Registry) -> Result<Self, BenchError> {
        let folder = TempDir::with_prefix("tribunal-bench-")?;
        // A short name: sockets have short paths.
        std::fs::create_dir(folder.path().join("t"))?;
        Ok(Self { folder, registry: registry.clone(), packs: Vec::new() })
    }

    /// The packs, in the order in which they were asked for.
    pub fn packs(&self) -> &[Arc<Stock>] {
        &self.packs
    }

    /// The engines that packs are for.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The folder in which workers find compiled modules.
    pub fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// The folder for what workers write while they work.
    pub fn scratch(&self) -> PathBuf {
        self.folder.path().join("t")
    }

    /// A pack by name: what lies there, seen from a folder; a folder in `packs/` here; or one that this program carries,
    /// which comes first for whoever asks from inside it.
    ///
    /// # Errors
    /// Everything wrong with it; names that are none.
    pub fn pack(&mut self, name: &str, beside: &Beside) -> Result<Arc<Stock>, BenchError> {
        let carried = embedded::NAMES.contains(&name);
        let folder = match beside {
            Beside::Program if carried => return self.carried(name),
            Beside::Program => Path::new(""),
            Beside::Folder(folder) => folder,
        };
        let shipped = Path::new("packs").join(name);
        let given = folder.join(name);
        let found = if given.exists() {
            given
        } else if Path::new(name).components().count() == 1 && shipped.is_dir() {
            shipped
        } else if carried {
            return self.carried(name);
        } else {
            return Err(unknown(name));
        };
        let place = Place::At(found.canonicalize()?);
        self.known_or(place, |place| {
            let files = read_pack(&found)?;
            Ok(Piece { place, origin: found.display().to_string(), files, unbuilt: None })
        })
    }

    /// A pack that this program carries, whatever lies in the working folder.
    ///
    /// # Errors
    /// Names that are none of them.
    pub fn carried(&mut self, name: &str) -> Result<Arc<Stock>, BenchError> {
        self.known_or(Place::Carried(name.to_owned()), |place| {
            let files = embedded::files(name).ok_or_else(|| unknown(name))?;
            Ok(Piece { place, origin: format!("{name} (carried by this program)"), files, unbuilt: None })
        })
    }

    /// A pack made with so many rules or so much data.
    ///
    /// # Errors
    /// If there is no place for it.
    pub fn made(&mut self, axis: Axis, value: u64) -> Result<Arc<Stock>, BenchError> {
        self.known_or(Place::Made(axis, value), |place| {
            let Made { origin, files, unbuilt } = scale::made(axis, value);
            Ok(Piece { place, origin, files, unbuilt })
        })
    }

    /// The pack at a place, taken in if it is not here yet.
    fn known_or(
        &mut self,
        place: Place,
        piece: impl FnOnce(Place) -> Result<Piece, BenchError>,
    ) -> Result<Arc<Stock>, BenchError> {
        if let Some(known) = self.packs.iter().find(|stock| stock.place == place) {
            return Ok(known.clone());
        }
        let Piece { place, origin, files, unbuilt } = piece(place)?;
        let source = PackSource::read(&origin, files.clone(), &self.registry)?;
        let suite = Suite::read(&source)?;
        let index = self.packs.len();
        let folder = self.folder.path().join(format!("pack-{index}"));
        write(&files, &folder)?;
        let stock = Arc::new(Stock { place, index, origin, folder, source, suite, unbuilt });
        self.packs.push(stock.clone());
        Ok(stock)
    }

    /// So many packs that differ from one only in their names and in the bytes of their modules; their folders. `before` is
    /// called before each, and ends it with an error of its own.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn copies(
        &self,
        of: &Stock,
        count: u32,
        before: &mut dyn FnMut() -> Result<(), BenchError>,
    ) -> Result<Vec<PathBuf>, BenchError> {
        let mut folders = Vec::new();
        for number in 0..count {
            let folder = self.folder.path().join(format!("pack-{}-copy-{number}", of.index));
            if !folder.exists() {
                before()?;
                write(&crate::copies::renamed(&of.source, number)?, &folder)?;
            }
            folders.push(folder);
        }
        Ok(folders)
    }
}

/// What becomes a [`Stock`].
struct Piece {
    place: Place,
    origin: String,
    files: PackFiles,
    unbuilt: Option<Unavailable>,
}

fn unknown(name: &str) -> BenchError {
    BenchError::Input(format!(
        "there is no pack `{name}`: name a folder, a pack in `packs/`, or one that this program carries ({})",
        embedded::NAMES.join(", ")
    ))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with the carried pack in a folder of this name, under another version.
    fn with_pack(name: &str, version: &str) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mut files = embedded::files(embedded::DEFAULT).unwrap();
        let manifest = String::from_utf8(files.get("pack.yaml").unwrap().to_vec()).unwrap();
        let manifest: Vec<String> =
            manifest
                .lines()
                .map(|line| {
                    if line.starts_with("version:") { format!("version: {version}") } else { line.to_owned() }
                })
                .collect();
        files.insert("pack.yaml", manifest.join("\n").into_bytes());
        write(&files, &folder.path().join(name)).unwrap();
        folder
    }

    fn workshop() -> Workshop {
        Workshop::new(&tribunal::registry()).unwrap()
    }

    #[test]
    fn a_name_is_another_pack_in_another_folder() {
        let (one, two) = (with_pack("mine", "7.0.0"), with_pack("mine", "8.0.0"));
        let mut workshop = workshop();
        let mut version = |folder: &TempDir, name: &str| {
            let stock = workshop.pack(name, &Beside::Folder(folder.path().to_owned())).unwrap();
            (stock.index, stock.source.manifest.version.clone())
        };
        assert_eq!(version(&one, "mine"), (0, "7.0.0".to_owned()));
        assert_eq!(version(&two, "mine"), (1, "8.0.0".to_owned()));
        assert_eq!(version(&two, "./mine"), (1, "8.0.0".to_owned()), "another name for the same folder");
        assert_eq!(workshop.packs().len(), 2);
    }

    #[test]
    fn what_the_program_carries_is_not_what_lies_about() {
        let folder = with_pack(embedded::DEFAULT, "7.0.0");
        let mut workshop = workshop();
        let beside = Beside::Folder(folder.path().to_owned());
        let named = workshop.pack(embedded::DEFAULT, &beside).unwrap();
        assert_eq!(named.source.manifest.version, "7.0.0", "whoever names a pack sees the folder first");
        let carried = workshop.carried(embedded::DEFAULT).unwrap();
        assert!(
            carried.index == 1 && carried.origin.contains("carried by this program"),
            "{}",
            carried.origin
        );
        assert_eq!(workshop.pack(embedded::DEFAULT, &Beside::Program).unwrap().index, 1);
    }

    #[test]
    fn whoever_ends_copying_is_heard() {
        let mut workshop = workshop();
        let stock = workshop.carried(embedded::DEFAULT).unwrap();
        let mut asked = 0;
        let error = workshop.copies(&stock, 100, &mut || {
            asked += 1;
            if asked > 3 { Err(BenchError::Interrupted) } else { Ok(()) }
        });
        assert!(matches!(error, Err(BenchError::Interrupted)), "{error:?}");
        assert_eq!(asked, 4);
    }
}
