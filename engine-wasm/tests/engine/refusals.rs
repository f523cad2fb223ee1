//! What is refused at load, and what is said about it.

use serde_json::json;
use tribunal_engine_core::engine::{LoadErrorKind, LoadErrors};
use tribunal_engine_core::pack::PackFiles;
use wasm_encoder::BlockType;

use crate::forged::{Forged, around};
use crate::harness::{Fixture, Pack, decide};

fn refusal(pack: &Pack) -> LoadErrors {
    pack.load().map(|_| ()).expect_err("a refusal")
}

/// Loads, and expects one error of this kind whose text has all of these.
fn refused(pack: &Pack, kind: LoadErrorKind, says: &[&str]) {
    let errors = refusal(pack);
    assert!(errors.iter().any(|error| error.kind == kind), "{kind:?} is not in: {errors:?}");
    for part in says {
        assert!(errors.to_string().contains(part), "`{part}` is not in: {errors}");
    }
}

fn decisions() -> Pack {
    Pack::of("decisions", "t/decision")
}

fn without(pack: &Pack, path: &str) -> Pack {
    let rest = pack.files.paths().filter(|other| *other != path);
    let rest = rest.map(|path| (path.to_owned(), pack.files.get(path).unwrap().to_vec()));
    Pack { files: PackFiles::new(rest.collect::<Vec<_>>()), ..pack.clone() }
}

#[test]
fn rego_that_was_never_built_names_both_ways_out() {
    let pack = without(&without(&decisions(), "policy.wasm"), "pack.lock");
    refused(&pack, LoadErrorKind::EngineAbsent, &["tribunal pack build packs/test", "rego-native"]);
    // Only this may let a fallback in.
    assert!(refusal(&pack).is_absence());
    let nothing = without(&pack, "decisions.rego");
    refused(&nothing, LoadErrorKind::MissingFile, &["packs/test/policy.wasm"]);
    assert!(!refusal(&nothing).is_absence());
}

#[test]
fn a_module_is_what_its_lock_and_sources_say() {
    let mut edited = decisions();
    edited.files.insert("decisions.rego", b"package t\nallow := true".to_vec());
    refused(&edited, LoadErrorKind::Artefact, &["sources newer than their build", "tribunal pack build"]);
    let mut added = decisions();
    added.files.insert("lib/extra.rego", b"package extra".to_vec());
    refused(&added, LoadErrorKind::Artefact, &["sources newer than their build"]);
    let mut tested = decisions();
    tested.files.insert("decisions_test.rego", b"package t_test".to_vec());
    assert!(tested.load().is_ok(), "a test is no source");

    let mut swapped = decisions();
    swapped.files.insert("policy.wasm", Fixture::read("builtins").wasm);
    refused(&swapped, LoadErrorKind::Artefact, &["not the module", "pack.lock"]);
    refused(
        &without(&decisions(), "pack.lock"),
        LoadErrorKind::Artefact,
        &["nothing vouches", "tribunal pack build"],
    );
    for pack in [&edited, &swapped] {
        assert!(!refusal(pack).is_absence(), "a wrong artefact lets no fallback in");
    }

    let bare = without(&without(&decisions(), "pack.lock"), "decisions.rego");
    refused(&bare, LoadErrorKind::Artefact, &["nothing vouches"]);
    refused(
        &without(&decisions(), "decisions.rego"),
        LoadErrorKind::Artefact,
        &["sources newer than their build"],
    );
    let unbuilt = without(&decisions(), "policy.wasm");
    refused(&unbuilt, LoadErrorKind::Artefact, &["which `pack.lock` vouches for, is missing"]);
    assert!(!refusal(&unbuilt).is_absence(), "a module that went missing lets no fallback in");
    let mut elsewhere = decisions();
    let lock = String::from_utf8(elsewhere.files.get("pack.lock").unwrap().to_vec()).unwrap();
    elsewhere.files.insert("pack.lock", lock.replace("policy.wasm", "other.wasm").into_bytes());
    refused(&elsewhere, LoadErrorKind::Artefact, &["vouches for `other.wasm`"]);
}

#[test]
fn entrypoints_are_named_and_nearly_right_ones_are_suggested() {
    let with = |settings| decisions().settings(settings);
    let strict = json!(false);
    refused(
        &with(json!({"entrypoint": "t/decisoin", "strict_builtin_errors": strict})),
        LoadErrorKind::Invalid,
        &["packs/test/pack.yaml:1:", "`t/decisoin`", "did you mean `t/decision`?"],
    );
    let two = json!({"decision": {"allow": "t/alow", "reason": "t/raeson"}, "strict_builtin_errors": strict});
    refused(&with(two), LoadErrorKind::Invalid, &["`t/allow`?", "`t/reason`?"]);
    refused(&with(json!({"strict_builtin_errors": strict})), LoadErrorKind::Invalid, &["neither"]);
    let both = json!({"entrypoint": "t/x", "decision": {"allow": "t/x", "reason": "t/y"}, "strict_builtin_errors": strict});
    refused(&with(both), LoadErrorKind::Invalid, &["both"]);
    for wrong in [
        json!({"entrypiont": "t/decision"}),
        json!({"entrypoint": 1}),
        json!({"entrypoint": ""}),
        json!({"decision": {"allow": "t/allow"}}),
        json!({"entrypoint": "t/decision", "strict_builtin_errors": "no"}),
    ] {
        assert!(with(wrong.clone()).source().is_err(), "{wrong}");
    }
}

#[test]
fn a_module_of_opas_is_never_taken_for_strict() {
    for strict in [
        json!({"entrypoint": "t/decision"}),
        json!({"entrypoint": "t/decision", "strict_builtin_errors": true}),
    ] {
        let says = ["pack.yaml", "strict_builtin_errors: false", "rego-native"];
        refused(&decisions().settings(strict), LoadErrorKind::Unsupported, &says);
    }
}

#[test]
fn swallowed_errors_need_an_input_schema_or_the_word_none() {
    use tribunal_engine_core::engine::EngineFactory;
    let pack = decisions();
    let mut source = pack.source().unwrap();
    source.manifest.input_schema = None;
    let errors = tribunal_engine_wasm::RegoWasmFactory.load(&source, &pack.context).unwrap_err();
    assert!(
        errors.has(LoadErrorKind::Unsupported) && errors.to_string().contains("input_schema: none"),
        "{errors}"
    );
}

#[test]
fn a_pack_that_needs_a_token_is_for_another_engine() {
    let mut pack = decisions();
    pack.manifest["token"] = json!("required");
    refused(&pack, LoadErrorKind::Unsupported, &["token"]);
    pack.manifest["token"] = json!("optional");
    assert!(pack.load().is_ok());
}

#[test]
fn missing_built_ins_are_named_all_at_once() {
    let pack = Pack::of("missing", "m/decision");
    refused(&pack, LoadErrorKind::MissingBuiltin, &["`http.send`", "`opa.runtime`"]);
}

#[test]
fn what_is_not_webassembly_is_refused() {
    let real = Fixture::read("decisions").wasm;
    for bytes in [
        &b""[..],
        b"\0asm",
        b"package t",
        &real[..real.len() / 2],
        &real[..real.len() - 1],
        b"\0asm\x0d\0\x01\0",
    ] {
        refused(&around(bytes.to_vec()), LoadErrorKind::Invalid, &["packs/test/policy.wasm"]);
    }
    // An empty module is valid and not OPA's.
    refused(
        &around(b"\0asm\x01\0\0\0".to_vec()),
        LoadErrorKind::Invalid,
        &["not a module built by OPA", "opa_wasm_abi_version"],
    );
    refused(&around(vec![0; (8 << 20) + 1]), LoadErrorKind::Bounds, &["8388609"]);
}

#[test]
fn a_module_with_one_thing_wrong_is_refused_for_it() {
    use LoadErrorKind::{Bounds, Invalid, Unsupported};
    let base = Forged::default;
    for (forged, kind, says) in [
        (Forged { version: (1, 1), ..base() }, Unsupported, "version 1.1 of OPA's ABI"),
        (Forged { version: (1, 4), ..base() }, Unsupported, "1.4"),
        (Forged { version: (2, 3), ..base() }, Unsupported, "2.3"),
        (Forged { without: "opa_wasm_abi_version", ..base() }, Invalid, "opa_wasm_abi_version"),
        (Forged { without: "opa_eval", ..base() }, Invalid, "`opa_eval`"),
        (Forged { without: "opa_value_parse", ..base() }, Invalid, "`opa_value_parse`"),
        (
            Forged { import: Some(("env", "opa_file_read", 1, 0)), ..base() },
            Unsupported,
            "`env.opa_file_read`",
        ),
        (
            Forged { import: Some(("wasi_snapshot_preview1", "fd_write", 4, 1)), ..base() },
            Unsupported,
            "fd_write",
        ),
        (Forged { import: Some(("env", "opa_builtin0", 1, 1)), ..base() }, Unsupported, "`env.opa_builtin0`"),
        (Forged { pages: 300, ..base() }, Bounds, "limits.memory"),
        (Forged { segment: Some(-16), ..base() }, Bounds, "limits.memory"),
        (Forged { segment: Some(40 << 20), ..base() }, Bounds, "limits.memory"),
        (Forged { gives: &[("entrypoints", 0)], ..base() }, Invalid, "no address"),
        (Forged { gives: &[("entrypoints", 0x7fff_ffff)], ..base() }, Invalid, "outside the memory"),
        (Forged { gives: &[("builtins", -1)], ..base() }, Invalid, "outside the memory"),
        (
            Forged { gives: &[("entrypoints", Forged::ANSWER)], answer: b"[1]\0", ..base() },
            Invalid,
            "not one",
        ),
        (
            Forged { gives: &[("entrypoints", Forged::EMPTY)], ..base() },
            Invalid,
            "no entrypoint `t/decision`",
        ),
        (Forged { gives: &[("opa_malloc", 0)], ..base() }, Invalid, "no address"),
        (Forged { gives: &[("opa_malloc", 0x7fff_ffff)], ..base() }, Invalid, "room for 2 bytes"),
        (Forged { gives: &[("opa_value_parse", 0)], ..base() }, Invalid, "cannot read the value"),
    ] {
        refused(&around(forged.build()), kind, &[says]);
    }
}

#[test]
fn a_module_that_loops_traps_or_aborts_at_start_is_refused() {
    let start = |body| Forged { start: Some(body), ..Forged::default() }.build();
    let endless = start(|function| {
        function.instructions().loop_(BlockType::Empty).br(0).end();
    });
    refused(&around(endless.clone()), LoadErrorKind::Bounds, &["does not start", "limit:fuel"]);
    // With a deadline it is another runtime.
    refused(
        &around(endless).limits(json!({"deadline": "50ms"})),
        LoadErrorKind::Bounds,
        &["does not start", "limit:fuel"],
    );
    let eater = start(|function| {
        function.instructions().i32_const(1 << 14).memory_grow(0).drop();
    });
    refused(&around(eater), LoadErrorKind::Bounds, &["limits.memory"]);
    let trap = start(|function| {
        function.instructions().unreachable();
    });
    refused(&around(trap), LoadErrorKind::Invalid, &["does not start", "trap"]);
    let abort = start(|function| {
        function.instructions().i32_const(Forged::EMPTY).call(0);
    });
    refused(&around(abort), LoadErrorKind::Invalid, &["the module aborted: {}"]);
    let deep = start(|function| {
        function.instructions().call(Forged::START);
    });
    refused(&around(deep), LoadErrorKind::Bounds, &["limit:stack"]);
}

#[test]
fn a_module_of_an_older_abi_runs() {
    // 1.3 only adds functions, and none that this engine calls.
    let mut wasm = Fixture::read("decisions").wasm;
    // The constant in the real module: `i32.const 3` after `i32.const 1`, each a global that does not change.
    let versions = [0x7f, 0x00, 0x41, 1, 0x0b, 0x7f, 0x00, 0x41, 3, 0x0b];
    let at =
        wasm.windows(versions.len()).position(|window| window == versions).expect("the version's constants");
    wasm[at + 8] = 2;
    let pack = around(wasm);
    let engine = pack.load().unwrap();
    assert!(decide(&*engine, &json!({"tool": "search"})).is_ok());
}

#[test]
fn every_error_of_a_pack_is_reported_at_once() {
    let mut pack = decisions().settings(json!({"entrypoint": "t/decision"}));
    pack.files.insert("policy.wasm", Fixture::read("builtins").wasm);
    pack.files.insert("decisions.rego", b"package t".to_vec());
    pack.manifest["token"] = json!("required");
    let kinds: Vec<LoadErrorKind> = refusal(&pack).iter().map(|error| error.kind).collect();
    use LoadErrorKind::{Artefact, Unsupported};
    assert_eq!(kinds, [Unsupported, Unsupported, Artefact, Artefact]);
}
