//! Cedar's integration tests: the generated corpus in an archive, and the hand-written ones. A case is one request.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::Value;
use tribunal::cedar::probe::{Answer, Probe, Question, Uid};

use super::SuiteError;
use super::reading::{entries, is_json, json, stem, text, unreadable};
use super::runner::{Source, SuiteCase, Verdict};

/// The archive, which counts as a folder of its own.
const ARCHIVE: &str = "corpus.tar.gz";

/// One test: the files it is about, and its requests.
#[derive(Deserialize)]
struct Test {
    policies: String,
    schema: String,
    entities: String,
    requests: Vec<Value>,
}

/// One request, and what Cedar answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    principal: Name,
    action: Name,
    resource: Name,
    context: Value,
    #[serde(default = "yes")]
    validate_request: bool,
    decision: Decision,
    reason: BTreeSet<String>,
    errors: BTreeSet<String>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Decision {
    Allow,
    Deny,
}

/// An entity, which the tests write in two ways.
#[derive(Deserialize)]
#[serde(untagged)]
enum Name {
    Escaped {
        #[serde(rename = "__entity")]
        entity: Plain,
    },
    Plain(Plain),
}

#[derive(Deserialize)]
struct Plain {
    #[serde(rename = "type")]
    type_name: String,
    id: String,
}

/// The suite's cases.
pub(crate) fn cases<'r>(folder: &Path) -> Result<Source<'r>, SuiteError> {
    let mut cases = Vec::new();
    let archive = folder.join(ARCHIVE);
    let files = unpacked(&archive)?;
    let tests = files.iter().filter(|(name, _)| name.ends_with(".json") && !name.ends_with(".entities.json"));
    for (name, test) in tests {
        let test: Value = json(&format!("{}/{name}", archive.display()), 1, test)?;
        let find = |path: &str| {
            let name = path.rsplit('/').next().map_or(path, |name| name);
            files.get(name).cloned().ok_or_else(|| format!("`{name}` is not in the archive"))
        };
        cases.extend(of_test("corpus", &format!("corpus/{}", stem(Path::new(name))), test, find));
    }
    for group in entries(&folder.join("tests"), Path::is_dir)? {
        let group_name = format!("tests/{}", stem(&group));
        for path in entries(&group, is_json)? {
            let test: Value = json(&path.display().to_string(), 1, &text(&path)?)?;
            let find = |path: &str| text(&folder.join(path)).map_err(|error| error.to_string());
            cases.extend(of_test(&group_name, &format!("{group_name}/{}", stem(&path)), test, find));
        }
    }
    Ok(Source::Cases(cases))
}

/// The files of the archive, by the last part of their names.
fn unpacked(archive: &Path) -> Result<BTreeMap<String, String>, SuiteError> {
    let failed = unreadable(archive);
    let mut unpacked = tar::Archive::new(GzDecoder::new(File::open(archive).map_err(&failed)?));
    let mut files = BTreeMap::new();
    for entry in unpacked.entries().map_err(&failed)? {
        let mut entry = entry.map_err(&failed)?;
        let path = entry.path().map_err(&failed)?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        if let (Some(name), true) = (name, entry.header().entry_type().is_file()) {
            let mut text = String::new();
            entry.read_to_string(&mut text).map_err(&failed)?;
            files.insert(name, text);
        }
    }
    Ok(files)
}

/// A case for each request. Policies, schema and entities are read once, by whichever is asked first.
fn of_test<'r>(
    folder: &str,
    name: &str,
    test: Value,
    find: impl Fn(&str) -> Result<String, String>,
) -> Vec<SuiteCase<'r>> {
    let read = serde_json::from_value::<Test>(test).map_err(|error| error.to_string()).and_then(|test| {
        Ok(([find(&test.policies)?, find(&test.schema)?, find(&test.entities)?], test.requests))
    });
    let (texts, requests) = match read {
        Ok(read) => read,
        Err(why) => return vec![SuiteCase::unreadable(folder, name, why)],
    };
    let texts = Arc::new(texts);
    let probe: Arc<OnceLock<Result<Probe, String>>> = Arc::default();
    let requests = requests.into_iter().enumerate().map(|(index, request)| {
        let name = format!("{name} #{index}");
        match serde_json::from_value::<Asked>(request) {
            Err(error) => SuiteCase::unreadable(folder, name, error.to_string()),
            Ok(asked) => {
                let (texts, probe) = (texts.clone(), probe.clone());
                SuiteCase::new(folder, name, move || {
                    let [policies, schema, entities] = texts.as_ref();
                    let load = || Probe::load(policies, schema, entities).map_err(|error| error.to_string());
                    match probe.get_or_init(load) {
                        Ok(probe) => judge(probe, asked),
                        Err(why) => Verdict::Refused(why.clone()),
                    }
                })
            }
        }
    });
    requests.collect()
}

fn judge(probe: &Probe, asked: Asked) -> Verdict {
    let question = Question {
        principal: asked.principal.into(),
        action: asked.action.into(),
        resource: asked.resource.into(),
        context: asked.context,
        validate: asked.validate_request,
    };
    let wanted = Answer {
        is_allowed: matches!(asked.decision, Decision::Allow),
        reasons: asked.reason,
        errors: asked.errors,
    };
    match probe.answer(&question) {
        Ok(answer) if answer == wanted => Verdict::Passed,
        Ok(answer) => Verdict::Failed(format!("wanted {wanted:?}; came {answer:?}")),
        Err(error) => Verdict::Refused(format!("wanted {wanted:?}; {error}")),
    }
}

impl From<Name> for Uid {
    fn from(name: Name) -> Self {
        let (Name::Escaped { entity } | Name::Plain(entity)) = name;
        Self { type_name: entity.type_name, id: entity.id }
    }
}
