//! Makes the shipped packs part of the program, so that new packs can start from them anywhere.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What no new pack takes over: what is built from its Rego, what was said about the shipped pack's own text, and scenarios,
/// in which packs stand beside each other.
const LEFT_OUT: [&str; 4] = ["policy.wasm", "pack.lock", "parity", "scenarios"];

fn main() -> io::Result<()> {
    let variable = |name: &str| {
        std::env::var_os(name).map(PathBuf::from).ok_or_else(|| io::Error::other(name.to_owned()))
    };
    let packs = variable("CARGO_MANIFEST_DIR")?.join("..").join("packs").canonicalize()?;
    println!("cargo::rerun-if-changed={}", packs.display());
    let mut text = String::from("&[\n");
    for folder in sorted(&packs)?.into_iter().filter(|folder| folder.join("pack.yaml").is_file()) {
        let mut files = Vec::new();
        collect(&folder, &mut files)?;
        let line = |text: &mut String, path: &Path| {
            let name = path.strip_prefix(&folder).map_err(io::Error::other)?;
            let name: Vec<_> = name.iter().map(|part| part.to_string_lossy()).collect();
            writeln!(text, "        ({:?}, include_bytes!({path:?})),", name.join("/"))
                .map_err(io::Error::other)
        };
        writeln!(text, "    Template {{ name: {:?}, files: &[", name_of(&folder))
            .map_err(io::Error::other)?;
        for file in &files {
            line(&mut text, file)?;
        }
        text.push_str("    ] },\n");
    }
    text.push_str("]\n");
    fs::write(variable("OUT_DIR")?.join("shipped.rs"), text)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for path in sorted(folder)? {
        let name = name_of(&path);
        if name.starts_with('.') || LEFT_OUT.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() { collect(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
