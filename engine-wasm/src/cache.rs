//! Compiled modules on disk.
//!
//! Compiled code is run as it is, so an entry is used only if nobody but this user can have written it: folder and file
//! belong to the user, neither is a symbolic link, nobody else may write them, and the digest in the entry is right.
//! When in doubt the module is compiled again. Where ownership cannot be asked for (not Unix), no folder is used.
//!
//! An entry is `<key in hex>.cwasm`: the line `MAGIC`, SHA-256 over key and code, the code.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// What an entry is known by.
pub(crate) type Key = [u8; 32];

/// The first line of an entry.
const MAGIC: &[u8] = b"tribunal compiled module 1\n";
/// The largest entry that is read, in bytes; compiled code is about three times its module.
const MAX_ENTRY: u64 = 256 << 20;

/// Why a folder is not used for compiled modules, or `None` if it is. A folder that is not there yet is created with the
/// right permissions when it is first used.
///
/// Without a folder every module is compiled in memory: slower, nothing else. Tell the operator.
pub fn cache_refusal(folder: &Path) -> Option<String> {
    let because = |reason: &str| Some(format!("cache folder `{}` is not used: {reason}", folder.display()));
    match fs::symlink_metadata(folder) {
        Ok(found) if found.is_symlink() => because("it is a symbolic link"),
        Ok(found) if !found.is_dir() => because("it is not a folder"),
        Ok(found) => distrust(&found).and_then(because),
        Err(error) if error.kind() == io::ErrorKind::NotFound => distrust_platform().and_then(because),
        Err(error) => because(&error.to_string()),
    }
}

#[cfg(unix)]
fn distrust(found: &Metadata) -> Option<&'static str> {
    use std::os::unix::fs::MetadataExt;
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Some("it belongs to another user");
    }
    (found.mode() & 0o022 != 0).then_some("others can write it")
}

#[cfg(unix)]
fn distrust_platform() -> Option<&'static str> {
    None
}

#[cfg(not(unix))]
fn distrust(_: &Metadata) -> Option<&'static str> {
    distrust_platform()
}

#[cfg(not(unix))]
fn distrust_platform() -> Option<&'static str> {
    Some("who owns it cannot be told on this platform")
}

/// A folder that can be trusted.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Opens a folder, creating it if it is not there.
    ///
    /// # Errors
    /// Why it is not used.
    pub(crate) fn open(folder: &Path) -> Result<Self, String> {
        if !folder.exists() {
            create(folder).map_err(|error| format!("cache folder `{}`: {error}", folder.display()))?;
        }
        match cache_refusal(folder) {
            Some(reason) => Err(reason),
            None => Ok(Self { folder: folder.to_owned() }),
        }
    }

    /// The code kept under a key, if it is there and beyond doubt.
    pub(crate) fn load(&self, key: &Key) -> Option<Vec<u8>> {
        let path = self.path(key);
        if fs::symlink_metadata(&path).ok()?.is_symlink() {
            return None;
        }
        let file = File::open(&path).ok()?;
        // Asked of the open file, so that what is checked is what is read.
        let found = file.metadata().ok()?;
        if !found.is_file() || found.len() > MAX_ENTRY || distrust(&found).is_some() {
            return None;
        }
        let mut entry = Vec::new();
        file.take(MAX_ENTRY).read_to_end(&mut entry).ok()?;
        let (wanted, code) = entry.strip_prefix(MAGIC)?.split_at_checked(32)?;
        (wanted == digest(key, code)).then(|| code.to_vec())
    }

    /// Keeps code under a key. The entry appears whole or not at all.
    pub(crate) fn store(&self, key: &Key, code: &[u8]) -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(&self.folder)?;
        file.write_all(MAGIC)?;
        file.write_all(&digest(key, code))?;
        file.write_all(code)?;
        file.as_file().sync_all()?;
        file.persist(self.path(key)).map(drop).map_err(|error| error.error)
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.folder.join(format!("{}.cwasm", hex::encode(key)))
    }
}

#[cfg(unix)]
fn create(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn create(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

fn digest(key: &Key, code: &[u8]) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(key);
    digest.update(code);
    digest.finalize().into()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    const KEY: Key = [7; 32];

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_is_kept_comes_back_and_is_private() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("a/b");
        assert_eq!(cache_refusal(&folder), None);
        let cache = Cache::open(&folder).unwrap();
        assert_eq!(cache.load(&KEY), None);
        cache.store(&KEY, b"code").unwrap();
        assert_eq!(cache.load(&KEY).as_deref(), Some(&b"code"[..]));
        assert_eq!(cache.load(&[8; 32]), None);
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(cache.path(&KEY)).unwrap().permissions().mode() & 0o077, 0);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn a_folder_that_others_can_write_is_refused_aloud() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("cache");
        Cache::open(&folder).unwrap();
        for mode in [0o777, 0o775, 0o722, 0o702, 0o1777] {
            set_mode(&folder, mode);
            assert!(cache_refusal(&folder).unwrap().contains("others can write it"), "{mode:o}");
            assert!(Cache::open(&folder).is_err(), "{mode:o}");
        }
        set_mode(&folder, 0o755);
        assert_eq!(cache_refusal(&folder), None);
        let link = scratch.path().join("link");
        symlink(&folder, &link).unwrap();
        assert!(cache_refusal(&link).unwrap().contains("symbolic link"));
        let file = scratch.path().join("file");
        fs::write(&file, "x").unwrap();
        assert!(cache_refusal(&file).unwrap().contains("not a folder"));
    }

    #[test]
    fn an_entry_in_doubt_is_no_entry() {
        let scratch = tempfile::tempdir().unwrap();
        let cache = Cache::open(&scratch.path().join("cache")).unwrap();
        let path = cache.path(&KEY);
        let fresh = || {
            cache.store(&KEY, b"some code").unwrap();
            assert!(cache.load(&KEY).is_some());
            fs::read(&path).unwrap()
        };

        let entry = fresh();
        for cut in [0, 5, MAGIC.len(), MAGIC.len() + 31, entry.len() - 1] {
            fs::write(&path, &entry[..cut]).unwrap();
            assert_eq!(cache.load(&KEY), None, "cut at {cut}");
        }
        for place in [0, MAGIC.len(), entry.len() - 1] {
            let mut flipped = entry.clone();
            flipped[place] ^= 1;
            fs::write(&path, flipped).unwrap();
            assert_eq!(cache.load(&KEY), None, "flipped at {place}");
        }
        fs::write(&path, [&entry[..], b"more"].concat()).unwrap();
        assert_eq!(cache.load(&KEY), None, "longer");

        fresh();
        fs::rename(&path, cache.path(&[9; 32])).unwrap();
        assert_eq!(cache.load(&[9; 32]), None, "under another key");

        fresh();
        set_mode(&path, 0o666);
        assert_eq!(cache.load(&KEY), None, "writable by others");

        fresh();
        let elsewhere = scratch.path().join("elsewhere");
        fs::rename(&path, &elsewhere).unwrap();
        symlink(&elsewhere, &path).unwrap();
        assert_eq!(cache.load(&KEY), None, "a symbolic link");
    }

    #[test]
    fn an_entry_or_folder_of_another_user_is_refused() {
        // Only root can give files away; elsewhere the folders of root stand in.
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("cache");
        let cache = Cache::open(&folder).unwrap();
        cache.store(&KEY, b"code").unwrap();
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(cache.path(&KEY), Some(12345), None).unwrap();
            assert_eq!(cache.load(&KEY), None);
            std::os::unix::fs::chown(&folder, Some(12345), None).unwrap();
            assert!(cache_refusal(&folder).unwrap().contains("another user"));
        } else {
            assert!(cache_refusal(Path::new("/")).unwrap().contains("another user"));
        }
    }
}
