//! Bundles of OPA's (`opa build -t wasm`), taken for packs.
//!
//! A bundle is a gzipped tar with `policy.wasm`, `data.json` and `.manifest`
//! (<https://www.openpolicyagent.org/docs/management-bundles#bundle-file-format>). What is taken from it is the module, the
//! data and the names of the entrypoints. Its Rego is left out: OPA strips the entrypoints' rules from it, so it is not
//! the policy.

use std::collections::BTreeMap;
use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde_json::{Value, json};
use tribunal_engine_core::pack::{LockedModule, PackFiles, PackLock, files, lock, manifest, source};

use crate::module::MAX_MODULE_BYTES;
use crate::{ID, MODULE};

/// The largest bundle that is read, in bytes, packed.
pub const MAX_PACKED: usize = 16 << 20;
/// The largest content of a bundle, in bytes, all files together.
pub const MAX_UNPACKED: u64 = 64 << 20;
/// The most files a bundle may have.
pub const MAX_FILES: usize = 10_000;

/// Why a file is not taken for a pack.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Not a gzipped tar, or cut short.
    #[error("not a bundle: {0}")]
    Archive(#[from] io::Error),
    /// Beyond the bounds.
    #[error("the bundle is too large: {0}")]
    TooLarge(String),
    /// A name that leads outside the bundle, or is no name.
    #[error("`{0}` is not a path inside a bundle")]
    Path(String),
    /// A name that stands for two files.
    #[error("`{0}` stands twice in the bundle")]
    Duplicate(String),
    /// A link, a device or the like.
    #[error("`{0}` is neither a file nor a folder")]
    NotAFile(String),
    /// Built for another target than WebAssembly.
    #[error("the bundle has no `{MODULE}`: build it with `opa build -t wasm -e package/rule`")]
    NoModule,
    /// What a bundle may have but this engine does not read. Leaving it aside would change what is decided.
    #[error("the bundle has {0}, which is not supported")]
    Unsupported(String),
    /// `.manifest` is not one.
    #[error("`.manifest`: {0}")]
    Manifest(String),
    /// More than one entrypoint, and none of them chosen.
    #[error("the bundle has several entrypoints, and none is chosen: {}", .0.join(", "))]
    Ambiguous(Vec<String>),
    /// An entrypoint that is not there.
    #[error("the bundle has no entrypoint `{wanted}`: it has {}", .known.join(", "))]
    NoEntrypoint {
        /// What was asked for.
        wanted: String,
        /// What there is.
        known: Vec<String>,
    },
}

/// `.manifest`, as far as it is read.
#[derive(Debug, Deserialize)]
struct BundleManifest {
    #[serde(default)]
    revision: String,
    #[serde(default)]
    wasm: Vec<WasmResolver>,
}

#[derive(Debug, Deserialize)]
struct WasmResolver {
    entrypoint: String,
    module: String,
}

/// Whether these bytes begin as a bundle does (gzip, RFC 1952).
pub fn is_bundle(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// Reads a bundle as a pack named `name`, with a manifest made up for it: `input_schema: none`, this engine, and the
/// entrypoint.
///
/// Without an `entrypoint` the bundle must have just one, or two that end in `/allow` and `/reason` of one package.
///
/// # Errors
/// Why it is not taken.
pub fn read(name: &str, bytes: &[u8], entrypoint: Option<&str>) -> Result<PackFiles, BundleError> {
    let mut entries = entries(bytes)?;
    if entries.contains_key(".signatures.json") {
        // Its signature would go unchecked: that is for the one who holds the key.
        return Err(BundleError::Unsupported("a signature".to_owned()));
    }
    if entries.contains_key("patch.json") {
        return Err(BundleError::Unsupported("`patch.json`: it is a delta bundle".to_owned()));
    }
    let data_elsewhere = |path: &&String| {
        let file = path.rsplit_once('/').map_or(path.as_str(), |(_, file)| file);
        path.as_str() != source::DATA && ["data.json", "data.yaml", "data.yml"].contains(&file)
    };
    if let Some(path) = entries.keys().find(data_elsewhere) {
        return Err(BundleError::Unsupported(format!(
            "data in `{path}`; `opa build` puts all of it into `{}`",
            source::DATA
        )));
    }
    let text =
        entries.remove(".manifest").ok_or_else(|| BundleError::Manifest("it is missing".to_owned()))?;
    let bundle: BundleManifest =
        serde_json::from_slice(&text).map_err(|error| BundleError::Manifest(error.to_string()))?;
    let module = entries.remove(MODULE).ok_or(BundleError::NoModule)?;
    if let Some(other) = bundle.wasm.iter().find(|resolver| resolver.module.trim_start_matches('/') != MODULE)
    {
        return Err(BundleError::Unsupported(format!("a second module, `{}`", other.module)));
    }
    let entrypoints: Vec<String> = bundle.wasm.into_iter().map(|resolver| resolver.entrypoint).collect();
    let settings = settings(entrypoints.clone(), entrypoint)?;
    let description = match bundle.revision.as_str() {
        "" => "A bundle built by OPA".to_owned(),
        revision => format!("A bundle built by OPA, revision {revision}"),
    };
    let manifest = json!({
        "name": pack_name(name),
        "version": "0.0.0",
        "description": description,
        "engines": {ID: settings},
        "input_schema": "none",
    });
    let mut files = PackFiles::default();
    files.insert(manifest::FILE, manifest.to_string().into_bytes());
    // A bundle comes without sources that its module could lag behind: its lock is made up with the pack.
    let built = PackLock {
        sources: files.rego_digest(),
        module: LockedModule {
            path: MODULE.to_owned(),
            digest: files::digest(&module),
            entrypoints: entrypoints.clone(),
        },
        builder: "opa".to_owned(),
        version: "unknown".to_owned(),
        command: "opa build -t wasm".to_owned(),
    };
    let built = serde_json::to_vec(&built).map_err(|error| BundleError::Manifest(error.to_string()))?;
    files.insert(lock::FILE, built);
    files.insert(MODULE, module);
    if let Some(data) = entries.remove(source::DATA) {
        files.insert(source::DATA, data);
    }
    Ok(files)
}

fn settings(known: Vec<String>, wanted: Option<&str>) -> Result<Value, BundleError> {
    if let Some(wanted) = wanted {
        return match known.iter().any(|name| name == wanted) {
            true => Ok(json!({"entrypoint": wanted, "strict_builtin_errors": false})),
            false => Err(BundleError::NoEntrypoint { wanted: wanted.to_owned(), known }),
        };
    }
    match known.as_slice() {
        [] => Err(BundleError::Manifest("it names no entrypoint".to_owned())),
        [only] => Ok(json!({"entrypoint": only, "strict_builtin_errors": false})),
        [one, other] => {
            let (allow, reason) = if one.ends_with("/allow") { (one, other) } else { (other, one) };
            match (allow.strip_suffix("/allow"), reason.strip_suffix("/reason")) {
                (Some(package), Some(same)) if package == same => Ok(
                    json!({"decision": {"allow": allow, "reason": reason}, "strict_builtin_errors": false}),
                ),
                _ => Err(BundleError::Ambiguous(known)),
            }
        }
        _ => Err(BundleError::Ambiguous(known)),
    }
}

/// The nearest name that a manifest allows: lower-case letters, digits, and single hyphens between them.
fn pack_name(name: &str) -> String {
    let spaced: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { ' ' }).collect();
    let name = spaced.split_whitespace().collect::<Vec<_>>().join("-");
    if name.is_empty() { "bundle".to_owned() } else { name }
}

/// The files of a bundle by their path inside it.
///
/// # Errors
/// For anything but plain files under paths of their own, within the bounds.
pub(crate) fn entries(bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, BundleError> {
    if bytes.len() > MAX_PACKED {
        return Err(BundleError::TooLarge(format!("it has {} bytes, more than {MAX_PACKED}", bytes.len())));
    }
    // One byte more than allowed, so that reaching the bound is told from going beyond it. Headers count as well.
    let mut unpacked = tar::Archive::new(MultiGzDecoder::new(bytes).take(MAX_UNPACKED + 1));
    let mut files = BTreeMap::new();
    let mut left = MAX_UNPACKED;
    let mut count = 0_usize;
    for entry in unpacked.entries()? {
        let mut entry = entry?;
        count += 1;
        if count > MAX_FILES {
            return Err(BundleError::TooLarge(format!("it has more than {MAX_FILES} files")));
        }
        let raw = entry.path_bytes().into_owned();
        let path = path(&raw).ok_or_else(|| BundleError::Path(String::from_utf8_lossy(&raw).into_owned()))?;
        match entry.header().entry_type() {
            tar::EntryType::Regular => {}
            tar::EntryType::Directory => continue,
            _ => return Err(BundleError::NotAFile(path)),
        }
        let most = if path == MODULE { left.min(MAX_MODULE_BYTES as u64) } else { left };
        if entry.size() > most {
            return Err(BundleError::TooLarge(format!("`{path}` has {} bytes", entry.size())));
        }
        left -= entry.size();
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        if content.len() as u64 != entry.size() {
            return Err(BundleError::Archive(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("`{path}` is cut short"),
            )));
        }
        if files.insert(path.clone(), content).is_some() {
            return Err(BundleError::Duplicate(path));
        }
    }
    // To the end, where gzip has its checksum.
    io::copy(&mut unpacked.into_inner(), &mut io::sink())?;
    Ok(files)
}

/// A path as it stands in a pack: no leading `/`, which OPA writes, and nothing that could lead elsewhere.
fn path(raw: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(raw).ok()?;
    let text = text.strip_prefix("./").map_or(text, |text| text);
    let text = text.strip_prefix('/').map_or(text, |text| text);
    let text = text.strip_suffix('/').map_or(text, |text| text);
    if text.is_empty() && raw.contains(&b'/') {
        // The archive's own root, as a folder.
        return Some(String::new());
    }
    let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    let safe = text.split('/').all(plain) && !text.contains(['\\', ':', '\0']);
    safe.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// A tar made by hand, because `tar::Builder` refuses the names that have to be refused here.
    fn archive(files: &[(&str, &[u8])], kind: u8) -> Vec<u8> {
        let mut tar = Vec::new();
        for (name, content) in files {
            let mut header = tar::Header::new_ustar();
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(content.len() as u64);
            header.set_mode(0o600);
            header.set_entry_type(tar::EntryType::new(kind));
            header.set_cksum();
            tar.extend_from_slice(header.as_bytes());
            tar.extend_from_slice(content);
            tar.resize(tar.len().next_multiple_of(512), 0);
        }
        tar.resize(tar.len() + 1024, 0);
        pack(&tar)
    }

    fn pack(tar: &[u8]) -> Vec<u8> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(tar).unwrap();
        gzip.finish().unwrap()
    }

    const FILE: u8 = b'0';

    fn bundle(manifest: &str) -> Vec<u8> {
        let files = [
            ("/data.json", &b"{\"a\":1}"[..]),
            ("/policy.wasm", b"wasm"),
            ("/policy.rego", b"package x"),
            ("/.manifest", manifest.as_bytes()),
        ];
        archive(&files, FILE)
    }

    const ONE: &str =
        r#"{"revision":"r1","roots":[""],"wasm":[{"entrypoint":"t/decision","module":"/policy.wasm"}]}"#;

    #[test]
    fn a_bundle_becomes_a_pack_without_its_rego() {
        let bytes = bundle(ONE);
        assert!(is_bundle(&bytes));
        let files = read("My Bundle.tar.gz", &bytes, None).unwrap();
        assert_eq!(files.paths().collect::<Vec<_>>(), ["data.json", "pack.lock", "pack.yaml", "policy.wasm"]);
        let manifest: Value = serde_json::from_slice(files.get("pack.yaml").unwrap()).unwrap();
        assert_eq!(manifest["name"], "my-bundle-tar-gz");
        assert_eq!(manifest["input_schema"], "none");
        assert_eq!(manifest["description"], "A bundle built by OPA, revision r1");
        assert_eq!(
            manifest["engines"]["rego-wasm"],
            json!({"entrypoint": "t/decision", "strict_builtin_errors": false})
        );
    }

    #[test]
    fn an_entrypoint_is_never_guessed() {
        let of = |names: &[&str], wanted| {
            let wasm: Vec<Value> =
                names.iter().map(|name| json!({"entrypoint": name, "module": "/policy.wasm"})).collect();
            read("b", &bundle(&json!({"wasm": wasm}).to_string()), wanted)
        };
        assert!(matches!(of(&[], None), Err(BundleError::Manifest(_))));
        assert!(matches!(of(&["a/x", "a/y"], None), Err(BundleError::Ambiguous(_))));
        assert!(matches!(of(&["a/allow", "b/reason"], None), Err(BundleError::Ambiguous(_))));
        assert!(matches!(of(&["a/allow", "a/reason", "a/x"], None), Err(BundleError::Ambiguous(_))));
        assert!(matches!(of(&["a/x"], Some("a/y")), Err(BundleError::NoEntrypoint { .. })));
        assert!(of(&["a/x", "a/y"], Some("a/y")).is_ok());
        for names in [["a/allow", "a/reason"], ["a/reason", "a/allow"]] {
            let files = of(&names, None).unwrap();
            let manifest: Value = serde_json::from_slice(files.get("pack.yaml").unwrap()).unwrap();
            assert_eq!(
                manifest["engines"]["rego-wasm"]["decision"],
                json!({"allow": "a/allow", "reason": "a/reason"})
            );
        }
    }

    #[test]
    fn what_would_be_left_aside_is_refused() {
        for extra in [".signatures.json", "patch.json", "a/data.json", "data.yaml", "a/b/data.yml"] {
            let files = [(extra, &b"{}"[..]), ("policy.wasm", b"wasm"), (".manifest", ONE.as_bytes())];
            assert!(
                matches!(read("b", &archive(&files, FILE), None), Err(BundleError::Unsupported(_))),
                "{extra}"
            );
        }
        let other = ONE.replace("/policy.wasm", "/other.wasm");
        assert!(matches!(read("b", &bundle(&other), None), Err(BundleError::Unsupported(_))));
        for files in [
            &[("policy.wasm", &b"wasm"[..])][..],
            &[(".manifest", b"{")],
            &[(".manifest", b"[]"), ("policy.wasm", b"")],
        ] {
            assert!(matches!(read("b", &archive(files, FILE), None), Err(BundleError::Manifest(_))));
        }
        let no_module = archive(&[(".manifest", ONE.as_bytes())], FILE);
        assert!(matches!(read("b", &no_module, None), Err(BundleError::NoModule)));
    }

    #[test]
    fn no_path_leads_outside_and_none_stands_twice() {
        for name in ["../x", "/../x", "a/../../x", "a//b", "a/./b", "..", "//x", "a\\b", "c:x", ""] {
            assert!(matches!(entries(&archive(&[(name, b"x")], FILE)), Err(BundleError::Path(_))), "{name}");
        }
        let twice = archive(&[("/data.json", b"{}"), ("data.json", b"[]")], FILE);
        assert!(matches!(entries(&twice), Err(BundleError::Duplicate(_))));
        for kind in [b'1', b'2', b'3', b'6'] {
            assert!(
                matches!(entries(&archive(&[("data.json", b"")], kind)), Err(BundleError::NotAFile(_))),
                "{kind}"
            );
        }
    }

    #[test]
    fn sizes_are_bounded() {
        let zeros = vec![0; MAX_UNPACKED as usize + 1];
        let bomb = archive(&[("data.json", &zeros)], FILE);
        assert!(bomb.len() < 1 << 20, "it is small when packed");
        assert!(matches!(entries(&bomb), Err(BundleError::TooLarge(_))));
        let two =
            archive(&[("a", &zeros[..zeros.len() / 2 + 1]), ("b", &zeros[..zeros.len() / 2 + 1])], FILE);
        assert!(matches!(entries(&two), Err(BundleError::TooLarge(_))));
        let module = archive(&[("policy.wasm", &zeros[..=MAX_MODULE_BYTES])], FILE);
        assert!(matches!(entries(&module), Err(BundleError::TooLarge(_))));
        assert!(matches!(entries(&vec![0; MAX_PACKED + 1]), Err(BundleError::TooLarge(_))));
        let names: Vec<String> = (0..=MAX_FILES).map(|index| format!("f{index}")).collect();
        let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
        assert!(matches!(entries(&archive(&many, FILE)), Err(BundleError::TooLarge(_))));
    }

    #[test]
    fn what_is_cut_or_is_no_archive_is_refused() {
        let whole = bundle(ONE);
        for cut in [0, 1, 10, whole.len() / 2, whole.len() - 9] {
            assert!(read("b", &whole[..cut], None).is_err(), "cut at {cut}");
        }
        for bytes in [&b"not gzip"[..], &pack(b"not a tar, though gzipped")[..], b"\0asm\x01\0\0\0"] {
            assert!(read("b", bytes, None).is_err());
        }
    }

    proptest::proptest! {
        /// Whatever the tar inside says, the reader gives files under plain paths or refuses.
        #[test]
        fn damage_is_no_panic_and_no_escape(place in 0_usize..4_000, bytes in proptest::collection::vec(proptest::num::u8::ANY, 1..20)) {
            let mut tar = Vec::new();
            MultiGzDecoder::new(&bundle(ONE)[..]).read_to_end(&mut tar).unwrap();
            for (slot, byte) in tar.iter_mut().skip(place).zip(&bytes) {
                *slot = *byte;
            }
            for name in entries(&pack(&tar)).map(BTreeMap::into_keys).into_iter().flatten() {
                assert!(!name.starts_with('/') && !name.split('/').any(|part| part == ".."), "{name}");
            }
        }
    }
}
