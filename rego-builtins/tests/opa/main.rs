//! Every built-in against the real OPA 1.22.0: cases from `tests/cases/*.txt`, and generated ones.

// Each is a test's module, by name too: clippy lets those panic.
#[cfg(test)]
mod generate;
#[cfg(test)]
mod oracle;

use oracle::{Call, Oracle};
use tribunal_rego_builtins::{Context, lookup};

const CONTEXT: Context = Context { now_ns: 1_700_000_000_123_456_789 };

/// What a call comes to, as both sides write it: the value in OPA's own text, `undefined` or `error`.
fn ours(call: &Call) -> String {
    let Some(builtin) = lookup(&call.name) else {
        return format!("no built-in `{}`", call.name);
    };
    match builtin.call(&CONTEXT, &call.args) {
        Ok(Some(value)) => value.to_string(),
        Ok(None) => "undefined".to_owned(),
        // The one kind of result OPA has and we refuse: strings that are not UTF-8.
        Err(error) if error.message.ends_with("not UTF-8") => "not UTF-8".to_owned(),
        Err(_) => "error".to_owned(),
    }
}

fn compare(calls: &[Call]) {
    let Some(oracle) = Oracle::find() else { return };
    let expected = oracle.ask(calls);
    let mut differences = Vec::new();
    for (call, expected) in calls.iter().zip(expected) {
        let got = ours(call);
        if got != expected && !(got == "not UTF-8" && expected.contains("\\x")) {
            let call = call.to_string();
            differences.push(format!("{call:.2000}\n   OPA:  {expected:.2000}\n   ours: {got:.2000}"));
        }
    }
    let count = differences.len();
    assert!(count == 0, "{count} of {} calls differ:\n{}", calls.len(), differences.join("\n"));
}

#[test]
fn written_cases() {
    let mut calls = Vec::new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            calls.push(
                Call::parse(line).unwrap_or_else(|error| panic!("{}: `{line}`: {error}", file.display())),
            );
        }
    }
    assert!(calls.len() > 300, "the cases are there");
    compare(&calls);
}

#[test]
fn generated_cases() {
    compare(&generate::calls());
}
