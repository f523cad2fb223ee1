//! OPA's compliance suite, as swift-opa carries it: `v1/<folder>/<file>.json` with `{"cases": […]}`.
//!
//! A query `data.a.b = x` asks a rule. Any other is put into a rule of its own, which lists its results.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tribunal::Registry;
use tribunal_rego_builtins::Value;

use super::reading::{entries, is_json, rego, stem, text};
use super::rego::{Question, RegoEngine, Wanted, member};
use super::runner::{Source, SuiteCase};
use super::{Options, SuiteError};

/// The package of the rule that stands for a query.
const PACKAGE: &str = "tribunal_suite";

/// The suite's cases.
pub(crate) fn cases<'r>(
    engine: &'static str,
    folder: &Path,
    registry: &'r Registry,
    options: &Options,
) -> Result<Source<'r>, SuiteError> {
    let engine = match super::rego::engine(engine, registry, options)? {
        Ok(engine) => engine,
        Err(reason) => return Ok(Source::Skipped(reason)),
    };
    let mut cases = Vec::new();
    for group in entries(&folder.join("v1"), Path::is_dir)? {
        let folder = group.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        for path in entries(&group, is_json)? {
            let file = format!("{folder}/{}", stem(&path));
            let suite = rego(&path.display().to_string(), 1, &text(&path)?)?;
            match suite.get(&"cases".into()) {
                Some(Value::Array(list)) => cases.extend(of_file(&engine, &folder, &file, list)),
                _ => cases.push(SuiteCase::unreadable(&folder, &file, "it has no list `cases`".to_owned())),
            }
        }
    }
    Ok(Source::Cases(cases))
}

/// The cases of one file, by their notes: numbers would change with every case that upstream adds.
fn of_file<'r>(engine: &Arc<RegoEngine<'r>>, folder: &str, file: &str, list: &[Value]) -> Vec<SuiteCase<'r>> {
    let mut notes: BTreeMap<String, usize> = BTreeMap::new();
    let mut cases = Vec::new();
    for case in list {
        let note = super::rego::text(case, "note").unwrap_or_else(|_| "without a note".to_owned());
        let times = notes.entry(note.clone()).or_default();
        *times += 1;
        let name = match *times {
            1 => format!("{file}: {note}"),
            times => format!("{file}: {note} ({times})"),
        };
        cases.push(match read(case) {
            Ok((question, wanted)) => {
                let engine = engine.clone();
                SuiteCase::new(folder, name, move || engine.judge(&question, &wanted))
            }
            Err(why) => SuiteCase::unreadable(folder, name, why),
        });
    }
    cases
}

/// What a query comes to.
enum Results {
    /// Values of its variables, one object a result.
    Bindings(Vec<Value>),
    /// An error.
    Error(String),
}

fn read(case: &Value) -> Result<(Question, Wanted), String> {
    let is = |name: &str| member(case, name) == Some(&Value::Bool(true));
    let query = super::rego::text(case, "query")?;
    let Some(Value::Array(modules)) = member(case, "modules") else {
        return Err("it has no list `modules`".to_owned());
    };
    let modules = modules.iter().map(|module| module.as_str().map(str::to_owned));
    let mut modules: Vec<String> = modules.collect::<Option<_>>().ok_or("a module is no text")?;
    let results = results(case)?;
    let (rule, wanted) = match (asked(&query), &results) {
        (Some((rule, _)), Results::Error(error)) => (rule, Wanted::Error(error.clone())),
        (Some((rule, variable)), Results::Bindings(bindings)) if bindings.len() < 2 => match bindings.first()
        {
            None => (rule, Wanted::Undefined),
            Some(result) => {
                let value = result.get(&variable.as_str().into());
                let value = value.ok_or_else(|| format!("`want_result` has no `{variable}`"))?.clone();
                (rule, Wanted::Value { value, is_unordered: is("sort_bindings") })
            }
        },
        (_, results) => {
            modules.push(module_of(&query, results));
            let wanted = match results {
                Results::Error(error) => Wanted::Error(error.clone()),
                // Results stand in no order.
                Results::Bindings(bindings) => {
                    Wanted::Value { value: Value::Array(bindings.clone()), is_unordered: true }
                }
            };
            (vec![PACKAGE.to_owned(), "results".to_owned()], wanted)
        }
    };
    let input = match (member(case, "input"), member(case, "input_term")) {
        (Some(input), _) => Some(super::rego::input(input)?),
        (None, Some(term)) => {
            let term = term.as_str().ok_or("`input_term` is no text")?;
            let term = Value::parse_rego(&without_last_commas(term));
            Some(super::rego::input(&term.map_err(|error| format!("`input_term`: {error}"))?)?)
        }
        (None, None) => None,
    };
    let data = member(case, "data").map(Value::to_json);
    Ok((Question { modules, rule, data, input, strict: is("strict_error") }, wanted))
}

fn results(case: &Value) -> Result<Results, String> {
    if let Some(error) = member(case, "want_error").or(member(case, "want_error_code")) {
        return Ok(Results::Error(error.to_json()));
    }
    match member(case, "want_result") {
        Some(Value::Array(bindings)) => Ok(Results::Bindings(bindings.clone())),
        _ => Err("it wants neither a result nor an error".to_owned()),
    }
}

/// The rule that a query `data.a.b = x` asks, and its variable.
fn asked(query: &str) -> Option<(Vec<String>, String)> {
    let (path, variable) = query.strip_prefix("data.")?.split_once(" = ")?;
    let plain = |step: &str| {
        !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let path = path.split('.').map(|step| plain(step).then(|| step.to_owned())).collect::<Option<_>>()?;
    plain(variable).then(|| (path, variable.to_owned()))
}

/// A rule whose value is the list of a query's results.
fn module_of(query: &str, results: &Results) -> String {
    let variables = match results {
        Results::Bindings(bindings) => match bindings.first() {
            Some(Value::Object(members)) => members.keys().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        },
        Results::Error(_) => Vec::new(),
    };
    let members: Vec<String> = variables.iter().map(|name| format!("\"{name}\": {name}")).collect();
    format!("package {PACKAGE}\n\nresults := [{{{}}} | {}]\n", members.join(", "), query.trim())
}

/// A term without the commas before its closing brackets, which Rego's syntax allows and that of values does not.
fn without_last_commas(term: &str) -> String {
    let (mut kept, mut in_text, mut escaped) = (String::with_capacity(term.len()), false, false);
    for character in term.chars() {
        if !in_text
            && matches!(character, ']' | '}')
            && let Some(before) = kept.trim_end().strip_suffix(',')
        {
            kept.truncate(before.len());
        }
        in_text ^= character == '"' && !escaped;
        escaped = in_text && character == '\\' && !escaped;
        kept.push(character);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_of_one_rule_is_told_from_others() {
        let rule = |path: &[&str]| path.iter().map(|step| (*step).to_owned()).collect::<Vec<_>>();
        assert_eq!(asked("data.a.b_1 = x"), Some((rule(&["a", "b_1"]), "x".to_owned())));
        for query in ["data = x", "data.a[i].b = x", "data.a = x; data.b = y", "x = data.a", "data.a = 1 + 1"]
        {
            assert_eq!(asked(query), None, "{query}");
        }
    }

    #[test]
    fn commas_inside_texts_stay() {
        for (term, without) in [
            ("[1, 2, ]", "[1, 2]"),
            (r#"{"a,}": {1, 2,},}"#, r#"{"a,}": {1, 2}}"#),
            (r#"["\\",]"#, r#"["\\"]"#),
            (r#"["\",]",]"#, r#"["\",]"]"#),
        ] {
            assert_eq!(without_last_commas(term), without);
        }
    }

    #[test]
    fn a_case_that_says_too_little_is_not_read() {
        for case in [
            "{}",
            r#"{"query": "data.p.x = x", "want_result": []}"#,
            r#"{"query": "data.p.x = x", "modules": []}"#,
            r#"{"query": "data.p.x = x", "modules": [1], "want_result": []}"#,
            r#"{"query": "data.p.x = x", "modules": [], "want_result": [{"y": 1}]}"#,
            r#"{"query": "data.p.x = x", "modules": [], "want_result": [], "input_term": "{"}"#,
        ] {
            assert!(read(&Value::parse_json(case).unwrap()).is_err(), "{case}");
        }
    }
}
