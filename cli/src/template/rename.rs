//! A shipped pack under another name.
//!
//! A pack's name stands in its manifest, in the packages of its Rego (and so in the entrypoints), in Cedar's
//! `Data::"name"`, perhaps as a Cedar namespace, and in its README. Nothing else is touched: `default` and `pii` are names of
//! packs, and words.

use serde_json::Value;
use std::collections::BTreeSet;

use tribunal::core::pack::{PackFiles, PackSource};
use tribunal::{LoadErrors, Registry};

/// Words that no package of Rego can be called after a dot, and those that OPA keeps for later.
const REGO_KEYWORDS: [&str; 18] = [
    "as", "contains", "data", "default", "else", "every", "false", "if", "import", "in", "input", "not",
    "null", "package", "some", "true", "with", "set",
];

/// The pack's files, called `new` in place of `old`.
pub(super) fn renamed(
    old: &str,
    files: PackFiles,
    new: &str,
    registry: &Registry,
) -> Result<PackFiles, LoadErrors> {
    let source = PackSource::read(old, files, registry)?;
    let packages = packages(&source);
    let schema = source.files.with_extension("cedarschema").map(|(_, text)| String::from_utf8_lossy(text));
    let namespace = format!("namespace {} ", pascal(old));
    let has_namespace = schema.into_iter().any(|text| text.contains(&namespace));
    let files = source.files.paths().filter_map(|path| {
        let bytes = source.files.get(path)?.to_vec();
        let bytes = match String::from_utf8(bytes) {
            Ok(mut text) => {
                for package in &packages {
                    text = with_package(&text, package, new);
                }
                text = text.replace(&format!("Data::\"{old}\""), &format!("Data::\"{new}\""));
                if has_namespace {
                    text = text.replace(&namespace, &format!("namespace {} ", pascal(new)));
                    text =
                        replace(&text, &format!("{}::", pascal(old)), &format!("{}::", pascal(new)), |_| {
                            true
                        });
                }
                match path {
                    "pack.yaml" => text = first_line(&text, &format!("name: {old}"), &format!("name: {new}")),
                    "README.md" => {
                        text = first_line(&text, &format!("# {old}"), &format!("# {new}"));
                        text = text
                            .replace(&format!("packs/{old}"), new)
                            .replace(&format!("`{old}`"), &format!("`{new}`"));
                    }
                    _ => {}
                }
                text.into_bytes()
            }
            Err(error) => error.into_bytes(),
        };
        Some((path.to_owned(), bytes))
    });
    Ok(PackFiles::new(files))
}

/// The packages that the entrypoints stand in, as lists of names; none that lies within another.
fn packages(source: &PackSource) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::new();
    for (engine, settings) in &source.manifest.engines {
        if engine.starts_with("rego") {
            rules(settings, &mut |rule| {
                let mut names: Vec<String> = rule.split('/').map(str::to_owned).collect();
                names.pop();
                found.insert(names);
            });
        }
    }
    let whole = found.clone();
    found.retain(|names| {
        let lies_within = |other: &Vec<String>| other != names && names.starts_with(other);
        !names.is_empty() && !whole.iter().any(lies_within)
    });
    found
}

/// Every rule that settings name: the entrypoint, or the two rules behind `decision`.
fn rules(settings: &Value, found: &mut impl FnMut(&str)) {
    let named = |place: &str| settings.pointer(place).and_then(Value::as_str);
    for place in ["/entrypoint", "/decision/allow", "/decision/reason"] {
        if let Some(rule) = named(place) {
            found(rule);
        }
    }
}

/// The text with the last name of a package in place of another: `tribunal.tool_acl` becomes `tribunal.my_tools`, and so do
/// `tribunal.tool_acl_test` and the path `tribunal/tool_acl/decision`.
fn with_package(text: &str, package: &[String], new: &str) -> String {
    let Some((_, parents)) = package.split_last() else { return text.to_owned() };
    let name = identifier(new);
    let renamed: Vec<&str> = parents.iter().chain([&name]).map(String::as_str).collect();
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric());
    let (dotted, slashed) = (package.join("."), package.join("/"));
    // What is imported is called by the last of its names.
    let is_imported = text.lines().any(|line| line.trim_end() == format!("import data.{dotted}"));
    let text = match package.last().filter(|_| is_imported) {
        Some(last) => replace(text, &format!("{last}."), &format!("{name}."), |_| true),
        None => text.to_owned(),
    };
    let mut text = replace(&text, &format!("{slashed}/"), &format!("{}/", renamed.join("/")), |_| true);
    if parents.is_empty() {
        // A single word may be anything anywhere else.
        for before in ["package ", "data."] {
            text =
                replace(&text, &format!("{before}{dotted}"), &format!("{before}{}", renamed.join(".")), ends);
        }
        return text;
    }
    replace(&text, &dotted, &renamed.join("."), ends)
}

/// Every `old` that does not begin within a name, nor after a dot unless it has one itself, and after which the text may go
/// on so, as `new`.
fn replace(text: &str, old: &str, new: &str, goes_on: impl Fn(&str) -> bool) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(old) {
        let is_single = old.trim_end_matches('.').find('.').is_none();
        let begins =
            !before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || (c == '.' && is_single));
        result.push_str(before);
        result.push_str(if begins && goes_on(after) { new } else { old });
        rest = after;
    }
    result.push_str(rest);
    result
}

/// The first line that reads `old`, as `new`.
fn first_line(text: &str, old: &str, new: &str) -> String {
    let mut is_first = true;
    let lines = text.split_inclusive('\n').map(|line| {
        let (content, end) = line.strip_suffix('\n').map_or((line, ""), |content| (content, "\n"));
        if is_first && content.trim_end() == old {
            is_first = false;
            format!("{new}{end}")
        } else {
            line.to_owned()
        }
    });
    lines.collect()
}

/// A pack's name as the name of a package: `tool-acl` is `tool_acl`.
fn identifier(name: &str) -> String {
    let name = name.replace('-', "_");
    if name.starts_with(|c: char| c.is_ascii_digit()) || REGO_KEYWORDS.contains(&name.as_str()) {
        format!("pack_{name}")
    } else {
        name
    }
}

/// A pack's name as a namespace of Cedar: `tool-acl` is `ToolAcl`.
fn pascal(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    });
    let name: String = words.collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("Pack{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn packages_are_renamed_and_words_are_not() {
        let text = "package tribunal.pii\nimport data.tribunal.pii.rules\n# pii, tribunal.pii2, xtribunal.pii\nentrypoint: tribunal/pii/decision\npackage tribunal.pii_test\n";
        assert_eq!(
            with_package(text, &package(&["tribunal", "pii"]), "my-own"),
            "package tribunal.my_own\nimport data.tribunal.my_own.rules\n# pii, tribunal.pii2, xtribunal.pii\nentrypoint: tribunal/my_own/decision\npackage tribunal.my_own_test\n"
        );
        let text = "package pii\nx := data.pii.y\npii contains z\n# a pii/decision\n";
        assert_eq!(
            with_package(text, &package(&["pii"]), "a"),
            "package a\nx := data.a.y\npii contains z\n# a a/decision\n"
        );
        let text = "package tribunal.pii_test\nimport data.tribunal.pii\nx := pii.decision with input.pii.y as data.pii.z\n";
        assert_eq!(
            with_package(text, &package(&["tribunal", "pii"]), "a"),
            "package tribunal.a_test\nimport data.tribunal.a\nx := a.decision with input.pii.y as data.pii.z\n"
        );
    }

    #[test]
    fn names_fit_the_languages() {
        for (name, rego, cedar) in [
            ("tool-acl", "tool_acl", "ToolAcl"),
            ("2fa", "pack_2fa", "Pack2fa"),
            ("default", "pack_default", "Default"),
        ] {
            assert_eq!((identifier(name).as_str(), pascal(name).as_str()), (rego, cedar));
        }
    }

    #[test]
    fn only_the_first_such_line_is_the_name() {
        assert_eq!(
            first_line("# c\nname: a\nx:\n  name: a\nname: a\n", "name: a", "name: b"),
            "# c\nname: b\nx:\n  name: a\nname: a\n"
        );
    }
}
