//! `tribunal pack`.

use std::path::{Path, PathBuf};

use crate::{Folder, rego_pack};

#[test]
fn a_new_pack_works_on_every_engine() {
    let folder = Folder::with_pack();
    let run = folder.run(&["pack", "test", "guard"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    insta::assert_snapshot!("pack_test", run.shown(&folder));
    insta::assert_snapshot!("pack_show", folder.run(&["pack", "show", "guard"]).shown(&folder));
    assert_eq!(
        folder.run(&["pack", "show", "guard", "--format", "json"]).json()["manifest"]["name"],
        "guard"
    );
}

#[test]
fn nothing_is_overwritten() {
    let folder = Folder::with_pack();
    folder.write("guard/data.json", "mine");
    assert_eq!(folder.run(&["pack", "new", "guard"]).code, 65);
    assert_eq!(folder.read("guard/data.json"), "mine");
    folder.write("file", "mine");
    assert_eq!(folder.run(&["pack", "new", "file"]).code, 65);
    assert_eq!(folder.run(&["pack", "new", "missing/other"]).code, 1);
    assert_eq!(folder.run(&["pack", "new", "guard/inner-one"]).code, 0);
}

#[test]
fn a_case_that_fails_is_5_in_every_format() {
    let folder = Folder::with_pack();
    folder.edit("guard/cases/decisions.yaml", "reason: needs_approval", "reason: approval_needed");
    let run = folder.run(&["pack", "test", "guard"]);
    assert_eq!(run.code, 5);
    insta::assert_snapshot!("pack_test_failure", run.shown(&folder));
    let run = folder.run(&["pack", "test", "guard", "--format", "json"]);
    assert_eq!((run.code, run.json()["failed"].as_u64()), (5, Some(4)));
    let run = folder.run(&["pack", "test", "guard", "--format", "junit", "--engine", "cedar"]);
    assert_eq!(run.code, 5);
    insta::assert_snapshot!("pack_test_junit", run.shown(&folder));
    assert_eq!(folder.run(&["pack", "test", "guard", "--filter", "an-allowed"]).code, 0);
    assert_eq!(folder.run(&["pack", "test", "guard", "--filter", "no-such-case"]).code, 65);
}

#[test]
fn an_engine_that_refuses_the_pack_fails_its_test() {
    let folder = Folder::with_pack();
    folder.write("guard/policy.cedar", "permit (\n");
    let run = folder.run(&["pack", "test", "guard", "--format", "json"]);
    assert_eq!((run.code, run.json()["failed"].as_u64()), (5, Some(1)), "{}", run.stdout);
    assert_eq!(folder.run(&["pack", "test", "guard", "--engine", "rego-native"]).code, 0);
}

#[test]
fn the_packs_of_a_folder_are_tested_together() {
    let folder = Folder::new();
    for pack in ["one", "two"] {
        rego_pack(&folder, &format!("packs/{pack}"), "", r#"decision := {"effect": "allow"}"#);
        folder.edit(&format!("packs/{pack}/pack.yaml"), "name: packs/", "name: ");
        folder.write(&format!("packs/{pack}/cases/all.yaml"), ALLOWED);
    }
    folder.write("packs/README.md", "no pack");
    let run = folder.run(&["pack", "test", "packs"]);
    insta::assert_snapshot!("pack_test_folder", run.shown(&folder));
    // One that cannot be read hides no other, and is no success.
    folder.write("packs/one/pack.yaml", "name: one\n");
    let run = folder.run(&["pack", "test", "packs", "--format", "json"]);
    assert_eq!((run.code, run.json()["passed"].as_u64()), (65, Some(1)), "{}", run.stderr);
    assert!(run.stderr.contains("packs/one/pack.yaml"), "{}", run.stderr);
    for pack in ["packs/one", "packs/README", "missing"] {
        let run = folder.run(&["pack", "test", pack]);
        assert_eq!((run.code, run.stdout.as_str()), (65, ""), "{pack}: {}", run.stderr);
        assert!(run.stderr.contains(pack), "{pack}: {}", run.stderr);
    }
}

/// A case that an open pack passes.
const ALLOWED: &str = "- name: anything\n  request: {}\n  expect: {effect: allow}\n";

/// The packs that ship with the program, as it lists them.
fn shipped(folder: &Folder) -> Vec<String> {
    let listed = folder.run(&["pack", "list", "--format", "json"]).json();
    let names = listed.as_array().unwrap().iter().map(|pack| pack["name"].as_str().unwrap().to_owned());
    names.filter(|name| name != "starter").collect()
}

#[test]
fn a_pack_starts_from_any_that_ships() {
    let Some(opa) = opa() else { return };
    let folder = Folder::new();
    let packs = shipped(&folder);
    assert!(packs.iter().any(|name| name == "tool-allowlist"), "{packs:?}");
    for (index, template) in packs.iter().enumerate() {
        let name = format!("my-own-{index}");
        let created = folder
            .command(&["pack", "new", &name, "--template", template])
            .env("TRIBUNAL_OPA", &opa)
            .output()
            .unwrap();
        assert!(created.status.success(), "{template}: {}", String::from_utf8_lossy(&created.stderr));
        // Nothing that decides mentions the name it had, and it is built already.
        let built =
            folder.command(&["pack", "build", "--check", &name]).env("TRIBUNAL_OPA", &opa).output().unwrap();
        assert!(built.status.success(), "{template}: {}", String::from_utf8_lossy(&built.stdout));
        let manifest = folder.read(&format!("{name}/pack.yaml"));
        assert!(manifest.contains(&format!("name: {name}\n")), "{manifest}");
        assert!(
            !folder.file(&format!("{name}/parity")).exists()
                && !folder.file(&format!("{name}/scenarios")).exists()
        );
        let run = folder.run(&["pack", "test", &name]);
        assert_eq!(run.code, 0, "{template}: {}{}", run.stdout, run.stderr);
        let run = folder.run(&["check", "--pack", &name]);
        assert_eq!(run.code, 0, "{template}: {}{}", run.stdout, run.stderr);
    }
}

#[test]
fn without_a_compiler_a_pack_starts_all_the_same() {
    let folder = Folder::new();
    let created = folder
        .command(&["pack", "new", "guard", "--template", "tool-allowlist"])
        .env("TRIBUNAL_OPA", "/nowhere/opa")
        .output()
        .unwrap();
    assert!(created.status.success());
    let says = String::from_utf8(created.stdout).unwrap();
    assert!(says.contains("tribunal pack build guard") && says.contains("not found"), "{says}");
    assert!(folder.read("guard/policy.rego").contains("package tribunal.guard\n"));
    assert!(folder.read("guard/policy.cedar").contains(r#"Data::"guard""#));
    for engine in ["biscuit", "cedar", "rego-native"] {
        let run = folder.run(&["pack", "test", "guard", "--engine", engine]);
        assert_eq!(run.code, 0, "{engine}: {}{}", run.stdout, run.stderr);
    }
    let run = folder.run(&["pack", "test", "guard", "--engine", "rego-wasm"]);
    assert_eq!(run.code, 5);
    assert!(run.stdout.contains("tribunal pack build"), "{}", run.stdout);
    insta::assert_snapshot!("pack_list", folder.run(&["pack", "list", "guard"]).shown(&folder));
    // What many have to wait for is told once.
    let run = folder.run(&["pack", "list"]);
    assert_eq!(run.stdout.matches("tribunal pack build").count(), 1, "{}", run.stdout);
    assert!(run.stdout.lines().last().unwrap().starts_with("to be built ("), "{}", run.stdout);
}

#[test]
fn packs_are_listed_with_what_engines_can_do() {
    let folder = Folder::with_pack();
    let run = folder.run(&["pack", "list", ".", "--format", "json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    crate::schema::assert_valid("pack-list", &run.json());
    let listed = run.json();
    assert_eq!(listed[0]["name"], "guard");
    for engine in ["biscuit", "cedar", "rego-native", "rego-wasm"] {
        assert_eq!(listed[0]["engines"][engine]["state"], "offered");
    }
    assert_eq!(listed[0]["cases"].as_u64().map(|cases| cases > 0), Some(true));
    // The templates are listed without a path, and their Rego is to be built.
    let templates = folder.run(&["pack", "list", "--format", "json"]).json();
    assert_eq!((&templates[0]["name"], &templates[0]["path"]), (&"starter".into(), &serde_json::Value::Null));
    assert_eq!(templates[1]["engines"]["rego-wasm"]["state"], "needs_build");
    rego_pack(&folder, "one", "unsupported: {cedar: 'it has no such thing'}\n", "decision := \"allow\"");
    let run = folder.run(&["pack", "list", "guard", "one", "--format", "json"]);
    assert_eq!(run.json()[1]["engines"]["cedar"]["reason"], "it has no such thing");
    assert_eq!(run.json()[1]["engines"]["biscuit"]["state"], "not_offered");
    // One that cannot be read hides no other.
    folder.write("one/pack.yaml", "name: one\n");
    let run = folder.run(&["pack", "list", ".", "--format", "json"]);
    assert_eq!((run.code, run.json().as_array().unwrap().len()), (65, 1), "{}", run.stderr);
    assert!(run.stderr.contains("pack.yaml"), "{}", run.stderr);
    folder.write("empty/file", "");
    assert_eq!(folder.run(&["pack", "list", "empty"]).code, 65);
    assert_eq!(folder.run(&["pack", "list", "missing"]).code, 65);
}

#[test]
fn a_template_that_is_not_there_is_wrong_usage() {
    let folder = Folder::new();
    let run = folder.run(&["pack", "new", "guard", "--template", "tool-allowlst"]);
    assert_eq!(run.code, 64);
    assert!(run.stderr.contains("did you mean `tool-allowlist`?"), "{}", run.stderr);
    assert!(!folder.file("guard").exists());
}

/// Where OPA is, if it is anywhere; a test that needs it says so when it is not run.
fn opa() -> Option<PathBuf> {
    let named = std::env::var_os("TRIBUNAL_OPA").filter(|path| !path.is_empty()).map(PathBuf::from);
    let on_path = || {
        std::env::split_paths(&std::env::var_os("PATH")?)
            .map(|folder| folder.join("opa"))
            .find(|path| path.is_file())
    };
    let found = named.or_else(on_path);
    if found.is_none() {
        assert_ne!(
            std::env::var("TRIBUNAL_REQUIRE_OPA").as_deref(),
            Ok("1"),
            "opa is required and not there"
        );
        eprintln!("SKIPPED: opa is neither named by TRIBUNAL_OPA nor on the PATH");
    }
    found
}

fn build(folder: &Folder, opa: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = folder
        .command(&[&["pack", "build", "guard"], arguments].concat())
        .env("TRIBUNAL_OPA", opa)
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn a_build_is_reproducible_and_checked() {
    let Some(opa) = opa() else { return };
    let folder = Folder::with_pack();
    // The template's own module is what a build makes.
    let (code, text) = build(&folder, &opa, &["--check"]);
    assert_eq!(code, Some(0), "{text}");
    folder.edit("guard/policy.rego", "tool_not_allowed", "not_today");
    let (code, text) = build(&folder, &opa, &["--check"]);
    assert_eq!(code, Some(5), "{text}");
    assert_eq!(folder.run(&["check", "--pack", "guard"]).code, 65);
    let before = std::fs::read_dir(folder.file("guard")).unwrap().count();
    assert_eq!(build(&folder, &opa, &[]).0, Some(0));
    assert_eq!(std::fs::read_dir(folder.file("guard")).unwrap().count(), before, "nothing is left behind");
    assert_eq!(build(&folder, &opa, &["--check"]).0, Some(0));
    assert_eq!(folder.run(&["check", "--pack", "guard"]).code, 0);
}

#[test]
fn rego_that_does_not_compile_is_told_with_its_line() {
    let Some(opa) = opa() else { return };
    let folder = Folder::with_pack();
    folder.edit("guard/policy.rego", "in data.allowed", "in dat.allowed");
    let (code, text) = build(&folder, &opa, &[]);
    assert_eq!(code, Some(65), "{text}");
    assert!(text.contains("policy.rego:6") && text.contains("dat.allowed"), "{text}");
}

#[test]
fn without_a_compiler_nothing_is_built() {
    let folder = Folder::with_pack();
    let (code, text) = build(&folder, Path::new("/nowhere/opa"), &[]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("TRIBUNAL_OPA"), "{text}");
}
