//! Packs read from folders and bundles.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use tribunal_engine_core::engine::{LoadError, LoadErrorKind, LoadErrors};
use tribunal_engine_core::pack::PackFiles;

/// The most a pack's files may hold together, in bytes.
pub const MAX_BYTES: u64 = 64 << 20;
/// The most files a pack may have.
pub const MAX_FILES: usize = 10_000;

/// Reads a pack: a folder, or a bundle made by `opa build -t wasm`.
///
/// # Errors
/// If it cannot be read, is too large, or holds links: what a link leads to is not part of the pack.
pub fn read_pack(path: &Path) -> Result<PackFiles, LoadErrors> {
    let metadata = fs::metadata(path).map_err(|error| {
        LoadError::new(
            LoadErrorKind::MissingFile,
            format!("pack `{}` cannot be read: {error}", path.display()),
        )
    })?;
    match (metadata.is_dir(), metadata.is_file()) {
        (true, _) => read_folder(path),
        (_, true) => read_bundle(path),
        _ => Err(LoadError::new(
            LoadErrorKind::Invalid,
            format!("`{}` is neither a folder nor a file", path.display()),
        )
        .into()),
    }
}

/// Reads a file that a deployment or a command names.
///
/// # Errors
/// If it cannot be read, or has more than [`MAX_BYTES`].
pub fn read_file(path: &Path) -> Result<Vec<u8>, LoadError> {
    let unreadable = |error: io::Error| {
        LoadError::new(LoadErrorKind::MissingFile, format!("`{}` cannot be read: {error}", path.display()))
    };
    let mut content = Vec::new();
    // Bounded while reading: a device or a pipe has no length to ask for.
    let file = fs::File::open(path).map_err(unreadable)?;
    file.take(MAX_BYTES + 1).read_to_end(&mut content).map_err(unreadable)?;
    if content.len() as u64 > MAX_BYTES {
        return Err(LoadError::new(
            LoadErrorKind::Bounds,
            format!("`{}` has more than {MAX_BYTES} bytes", path.display()),
        ));
    }
    Ok(content)
}

/// Hidden files are not part of a pack: editors and version control leave them about.
fn read_folder(root: &Path) -> Result<PackFiles, LoadErrors> {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let mut bytes = 0_u64;
    let mut folders = vec![(root.to_path_buf(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        let unreadable = |error: io::Error| {
            LoadError::new(
                LoadErrorKind::MissingFile,
                format!("`{}` cannot be read: {error}", folder.display()),
            )
        };
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let kind = entry.file_type().map_err(unreadable)?;
            let name = entry.file_name().into_string().map_err(|name| {
                LoadError::new(
                    LoadErrorKind::Invalid,
                    format!("the file name `{}` is not UTF-8", name.display()),
                )
            })?;
            if name.starts_with('.') {
                continue;
            }
            let path = format!("{prefix}{name}");
            if kind.is_symlink() {
                return Err(LoadError::new(
                    LoadErrorKind::Invalid,
                    format!("`{path}` is a link; a pack holds its own files"),
                )
                .into());
            }
            if kind.is_dir() {
                folders.push((entry.path(), format!("{path}/")));
                continue;
            }
            if !kind.is_file() {
                return Err(LoadError::new(
                    LoadErrorKind::Invalid,
                    format!("`{path}` is not a regular file"),
                )
                .into());
            }
            let content = read_file(&entry.path())?;
            bytes = bytes.saturating_add(content.len() as u64);
            files.push((path, content));
            if bytes > MAX_BYTES || files.len() > MAX_FILES {
                let message =
                    format!("pack `{}` has more than {MAX_BYTES} bytes or {MAX_FILES} files", root.display());
                return Err(LoadError::new(LoadErrorKind::Bounds, message).into());
            }
        }
    }
    Ok(PackFiles::new(files))
}

#[cfg(feature = "wasm")]
fn read_bundle(path: &Path) -> Result<PackFiles, LoadErrors> {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let name = name.split('.').next().map_or(name.as_str(), |stem| stem);
    tribunal_engine_wasm::bundle::read(name, &read_file(path)?, None).map_err(|error| {
        LoadError::new(LoadErrorKind::Invalid, format!("`{}`: {error}", path.display())).into()
    })
}

#[cfg(not(feature = "wasm"))]
fn read_bundle(path: &Path) -> Result<PackFiles, LoadErrors> {
    let message = format!(
        "`{}` is a bundle, and the engine `rego-wasm` is not built into this program",
        path.display()
    );
    Err(LoadError::new(LoadErrorKind::EngineAbsent, message).into())
}
