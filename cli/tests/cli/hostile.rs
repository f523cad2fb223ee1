//! What others wrote never acts upon a terminal.

use crate::{Folder, rego_pack};

const HOSTILE: &str = "a\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\r\u{202e}evil\u{2066}\u{200b}\u{7f}";
const RAW: [&str; 8] = ["\u{1b}", "\u{7}", "\u{9b}", "\r", "\u{202e}", "\u{2066}", "\u{200b}", "\u{7f}"];

fn assert_plain(what: &str, text: &str) {
    for raw in RAW {
        assert!(!text.contains(raw), "{what} has {raw:?}: {text:?}");
    }
}

#[test]
fn a_requests_control_characters_are_shown_as_escapes() {
    let folder = Folder::new();
    let rule = r#"decision := {"effect": "redact", "reason": input.text, "patches": [
	{"op": "replace", "path": "/context/prompt", "value": concat("", [input.text, "!"])},
]} if input.context.prompt != concat("", [input.text, "!"])

else := {"effect": "allow"}"#;
    rego_pack(&folder, "echo", "redactable: [/context]\nderive:\n  shown: {lower: {source: /text}}\n", rule);
    let request = serde_json::json!({"text": HOSTILE, "context": {"prompt": HOSTILE}}).to_string();
    let arguments = ["eval", "--pack", "echo", "--input", "-", "--explain"];
    let run = folder.run_with(&arguments, request.as_bytes());
    assert_eq!(run.code, 4, "{}{}", run.stdout, run.stderr);
    assert_plain("text", &run.stdout);
    assert_plain("errors", &run.stderr);
    assert!(run.stdout.contains(r"\u{1b}]0;owned"), "{}", run.stdout);
    assert_plain(
        "table",
        &folder
            .run_with(&["eval", "--pack", "echo", "--input", "-", "--all-engines"], request.as_bytes())
            .stdout,
    );
    // Colours of our own are the only sequences when colours are forced.
    let output = folder
        .command(&["eval", "--pack", "echo", "--input", "missing\u{1b}]0;owned\u{7}"])
        .env("CLICOLOR_FORCE", "1")
        .output()
        .unwrap();
    let (stdout, stderr) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(stdout.contains("\u{1b}[") && stderr.contains("\u{1b}["), "{stdout}{stderr}");
    assert!(!stderr.contains("\u{1b}]") && !stderr.contains('\u{7}'), "{stderr}");
}

#[test]
fn arguments_and_names_of_files_are_shown_as_escapes() {
    let folder = Folder::new();
    let name = format!("{}.yaml", HOSTILE.replace('/', ""));
    folder.write(&name, "packs:\n  - pack: \"x\\e[2J\"\n    engin\u{202e}e: cedar\n");
    for arguments in [
        &["eval", "--config", &name, "--input", "-"][..],
        &["check", "--config", &name],
        &["check", "--pack", HOSTILE],
        &["eval", HOSTILE],
        &["eval", "--pack", HOSTILE, "--input", HOSTILE, "--now", HOSTILE],
        &["eval", "--pack", HOSTILE, "--input", HOSTILE, "--engine", HOSTILE],
        &["pack", "show", HOSTILE],
        &["pack", "new", HOSTILE],
        &["pack", "test", HOSTILE],
        &["apply", "--decision", HOSTILE, "--input", HOSTILE],
    ] {
        let run = folder.run(arguments);
        assert!(run.code == 64 || run.code == 65, "{arguments:?}: {}", run.code);
        assert_plain("stdout", &run.stdout);
        assert_plain("stderr", &run.stderr);
    }
}

#[test]
fn no_colour_where_it_does_not_belong() {
    let folder = Folder::with_pack();
    let arguments = ["eval", "--pack", "guard", "--engine", "cedar", "--input", "-"];
    assert!(!folder.run_with(&arguments, b"{}").stdout.contains('\u{1b}'));
    let output =
        folder.command(&arguments).env("NO_COLOR", "1").stdin(std::process::Stdio::null()).output().unwrap();
    assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b));
}

#[test]
fn an_endless_input_is_refused_without_being_read() {
    let folder = Folder::with_pack();
    let endless = vec![b'['; 8 << 20];
    let run = folder.run_with(&["eval", "--pack", "guard", "--engine", "cedar", "--input", "-"], &endless);
    assert_eq!(run.code, 65, "{}", run.stderr);
    assert!(run.stdout.starts_with("deny  engine_error:request_bounds"), "{}", run.stdout);
}
