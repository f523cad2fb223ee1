//! A pack many times over, each time another pack: what a service with a hundred packs loads.

use tribunal::core::pack::{PackFiles, PackLock, PackSource, files, lock};

use crate::run::BenchError;

/// The module's name inside a pack.
const MODULE: &str = "policy.wasm";

/// The pack under another name, with a module of other bytes and the same meaning: nothing that was compiled for one of
/// them serves another.
///
/// # Errors
/// If its lock cannot be written.
pub fn renamed(pack: &PackSource, number: u32) -> Result<PackFiles, BenchError> {
    let mut files = pack.files.clone();
    let name = format!("{}-{number}", pack.manifest.name);
    let manifest = pack.text(tribunal::core::pack::manifest::FILE)?;
    let renamed: Vec<String> = manifest
        .lines()
        .map(|line| if line.starts_with("name:") { format!("name: {name}") } else { line.to_owned() })
        .collect();
    files.insert(tribunal::core::pack::manifest::FILE, renamed.join("\n").into_bytes());
    if let (Some(module), Some(lock)) = (pack.files.get(MODULE), &pack.lock) {
        let mut module = module.to_vec();
        module.extend(custom_section(&name));
        let mut lock: PackLock = lock.clone();
        lock.module.digest = files::digest(&module);
        let text = serde_json::to_vec(&lock).map_err(|error| BenchError::Input(error.to_string()))?;
        files.insert(lock::FILE, text);
        files.insert(MODULE, module);
    }
    Ok(files)
}

/// A section that says nothing to whoever runs the module (WebAssembly core specification, 5.5.3): id 0, its size, and a
/// name. Names here are far shorter than 128 bytes, so every size is one byte.
fn custom_section(name: &str) -> Vec<u8> {
    let name: Vec<u8> = name.bytes().take(100).collect();
    let length = u8::try_from(name.len()).unwrap_or(0);
    [&[0, length + 1, length][..], &name].concat()
}
