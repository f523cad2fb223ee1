//! Builds with OPA itself, where it is there.

use serde_json::json;
use tribunal_engine_core::contract::Decision;
use tribunal_engine_core::engine::LoadErrorKind;
use tribunal_engine_core::fault::FaultKind;
use tribunal_engine_core::pack::{PackFiles, files};
use tribunal_engine_wasm::compiler::OPA_VERSION;
use tribunal_engine_wasm::{
    BuildError, CompileError, OpaCompiler, WasmCompiler, build_pack, bundle, entrypoints,
};

use crate::harness::{FIXTURES, Fixture, Pack, decide, opa, pack_of};

/// Compares the committed modules with what OPA builds from their sources; `TRIBUNAL_WRITE_MODULES=1` writes them instead.
#[test]
fn the_committed_modules_are_what_opa_builds() {
    let Some(compiler) = opa("the_committed_modules_are_what_opa_builds") else { return };
    let write = std::env::var("TRIBUNAL_WRITE_MODULES").as_deref() == Ok("1");
    for name in FIXTURES {
        if write && !Fixture::path(name, "wasm").exists() {
            std::fs::write(Fixture::path(name, "wasm"), []).unwrap();
        }
        let fixture = Fixture::read(name);
        let sources = [(fixture.source(), fixture.rego.clone())];
        let sources: Vec<(&str, &[u8])> =
            sources.iter().map(|(path, text)| (path.as_str(), text.as_slice())).collect();
        let module = compiler.compile(&sources, &fixture.entrypoints()).unwrap();
        if write {
            std::fs::write(Fixture::path(name, "wasm"), &module).unwrap();
        } else {
            assert_eq!(
                files::digest(&module),
                files::digest(&fixture.wasm),
                "{name}.wasm is not what OPA builds"
            );
        }
    }
}

#[test]
fn a_build_loads_and_says_how_it_was_made() {
    let Some(compiler) = opa("a_build_loads_and_says_how_it_was_made") else { return };
    let rego = "package p\n\nimport data.lib.names\n\ndefault decision := \"deny\"\n\ndecision := \"allow\" if input.tool in names.listed\n";
    let lib = "package lib.names\n\nlisted := {\"search\"}\n";
    let mut pack_files = PackFiles::default();
    pack_files.insert("policy.rego", rego.as_bytes().to_vec());
    pack_files.insert("lib/names.rego", lib.as_bytes().to_vec());
    pack_files.insert("policy_test.rego", b"this is not Rego, and not compiled".to_vec());
    let wanted = vec!["p/decision".to_owned()];
    let built = build_pack(&pack_files, &wanted, &compiler).unwrap();
    assert_eq!(
        built,
        build_pack(&pack_files, &wanted, &compiler).unwrap(),
        "a build gives the same bytes again"
    );
    assert_eq!((built.lock.builder.as_str(), built.lock.version.as_str()), ("opa", OPA_VERSION));
    assert_eq!(
        built.lock.command,
        "opa build -t wasm -e p/decision -o bundle.tar.gz -- lib/names.rego policy.rego"
    );
    assert_eq!(built.lock.sources, pack_files.rego_digest());
    assert!(
        !String::from_utf8_lossy(&built.module).contains(std::env::temp_dir().to_str().unwrap()),
        "no path of this machine"
    );

    let settings = json!({"entrypoint": "p/decision", "strict_builtin_errors": false});
    let mut pack = Pack::around(pack_files, built.module.clone(), wanted, settings);
    pack.files.insert("pack.lock", built.lock_text().unwrap().into_bytes());
    assert_eq!(entrypoints(&pack.source().unwrap()).unwrap(), ["p/decision"]);
    assert_eq!(pack.decide(&json!({"tool": "search"})).unwrap(), Decision::allow());
}

#[test]
fn what_opa_refuses_has_its_place() {
    let Some(compiler) = opa("what_opa_refuses_has_its_place") else { return };
    let build = |rego: &str| {
        let files = PackFiles::new([("policy.rego".to_owned(), rego.as_bytes().to_vec())]);
        build_pack(&files, &["p/x".to_owned()], &compiler)
    };
    for (rego, place) in [
        ("package p\n\nx := {\n", "policy.rego:4:1:"),
        ("package p\n\nx := f(1)\n", "policy.rego:3:1:"),
        ("package p\n\nx := input.a if y\n", "policy.rego:3:1:"),
    ] {
        let error = build(rego).unwrap_err();
        let BuildError::Compile(CompileError::Sources(errors)) = &error else { panic!("{error:?}") };
        assert!(errors.iter().all(|error| error.kind == LoadErrorKind::Syntax), "{error}");
        assert!(error.to_string().contains(place), "{error}");
    }
    // A rule that is not there has no place in any file.
    assert!(build("package p\n\ny := 1\n").is_err());
    assert!(build("package p\n\nx := 1\n").is_ok());
}

#[test]
fn there_is_nothing_to_build_without_rego_or_entrypoint() {
    struct Never;
    impl WasmCompiler for Never {
        fn name(&self) -> &'static str {
            "never"
        }
        fn version(&self) -> &'static str {
            "0"
        }
        fn command(&self, _: &[(&str, &[u8])], _: &[String]) -> String {
            String::new()
        }
        fn compile(&self, _: &[(&str, &[u8])], _: &[String]) -> Result<Vec<u8>, CompileError> {
            Ok(b"no module".to_vec())
        }
    }
    let entrypoint = ["p/x".to_owned()];
    let tests_only = PackFiles::new([("policy_test.rego".to_owned(), b"package p".to_vec())]);
    assert!(matches!(build_pack(&tests_only, &entrypoint, &Never), Err(BuildError::NoSources)));
    let sources = PackFiles::new([("policy.rego".to_owned(), b"package p".to_vec())]);
    assert!(matches!(build_pack(&sources, &[], &Never), Err(BuildError::NoEntrypoints)));
    assert!(matches!(build_pack(&sources, &entrypoint, &Never), Err(BuildError::Module(_))));
}

#[test]
fn a_compiler_of_another_version_or_none_is_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let none = OpaCompiler::at(scratch.path().join("opa")).unwrap_err();
    assert!(matches!(&none, CompileError::Absent { .. }), "{none}");
    assert!(none.to_string().contains(OPA_VERSION));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let other = scratch.path().join("other");
        std::fs::write(&other, "#!/bin/sh\necho 'Version: 1.21.0'\n").unwrap();
        std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o700)).unwrap();
        let error = OpaCompiler::at(other).unwrap_err();
        assert!(matches!(&error, CompileError::Version { found, .. } if found == "1.21.0"), "{error}");
    }
}

#[test]
fn a_bundle_of_opas_is_a_pack() {
    // Two members as `opa build -t wasm` writes them, around a committed module.
    let fixture = Fixture::read("decisions");
    let manifest = json!({"revision": "", "roots": [""], "wasm": [{"entrypoint": "t/by_data", "module": "/policy.wasm"}]});
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let members: [(&str, &[u8]); 4] = [
        ("data.json", br#"{"tools": ["search"]}"#),
        ("decisions.rego", b"package t # stripped"),
        ("policy.wasm", &fixture.wasm),
        (".manifest", &manifest.to_string().into_bytes()),
    ];
    for (path, content) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        tar.append_data(&mut header, path, content).unwrap();
    }
    let bytes = tar.into_inner().unwrap().finish().unwrap();
    let mut pack = Pack::of("decisions", "t/by_data");
    pack.files = bundle::read("bundle", &bytes, None).unwrap();
    pack.manifest = serde_json::from_slice(pack.files.get("pack.yaml").unwrap()).unwrap();
    assert_eq!(pack.decide(&json!({"tool": "search"})).unwrap(), Decision::allow());
}

#[test]
fn rego_of_the_contract_runs_as_it_says() {
    let Some(compiler) = opa("rego_of_the_contract_runs_as_it_says") else { return };
    // `not` over an absent member, with the import that OPA recommends.
    let guarded = "package p\n\nimport future.keywords.not\n\ndefault d := \"deny\"\n\nd := \"allow\" if { input.tool; not startswith(input.tool, \"x\") }\n";
    let engine = pack_of(guarded, "p/d", &compiler).load().unwrap();
    let effect = |payload| decide(&*engine, &payload).unwrap().effect.as_str();
    assert_eq!(effect(json!({"tool": "a"})), "allow");
    assert_eq!(effect(json!({"tool": "xa"})), "deny");
    assert_eq!(effect(json!({})), "deny");
    // One entrypoint that is a package gives an object, and that is no decision.
    let package = pack_of(guarded, "p", &compiler);
    assert_eq!(package.fault(&json!({"tool": "a"})), FaultKind::MalformedDecision);
}
