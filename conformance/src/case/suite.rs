//! Every case of a pack, read and resolved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use tribunal::core::contract::{Pointer, Token};
use tribunal::core::document::{Document, with_nearest};
use tribunal::core::engine::{LoadContext, LoadError, LoadErrorKind, LoadErrors, RootKey, Trust};
use tribunal::core::location::Location;
use tribunal::core::pack::PackSource;

use super::edit;
use super::spec::{CaseSpec, ExceptionSpec, Expectation, case_schema};
use crate::comparison::redacted;

/// The folder of a pack's cases.
pub const FOLDER: &str = "cases/";

/// The public key that the tokens of a pack's cases are signed with, in one of these files.
pub const ROOT_KEYS: [&str; 2] = ["cases/root.pem", "cases/root.key"];

/// The instant of a case that names none: 2026-01-01T00:00:00Z. Never the clock, so that a case has one answer for ever.
pub const DEFAULT_NOW: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// A pack's cases, and the key their tokens are signed with.
#[derive(Debug, Clone)]
pub struct Suite {
    /// The cases, by file, in the order in which they stand there.
    pub cases: Vec<Case>,
    /// The key in `cases/root.pem` or `cases/root.key`, if there is one.
    pub root_keys: Vec<RootKey>,
}

/// A case with everything it takes from others in place.
#[derive(Debug, Clone)]
pub struct Case {
    /// The name, unique in the pack.
    pub name: String,
    /// Where it stands.
    pub location: Location,
    /// The request, an object.
    pub request: Value,
    /// The instant for which it is decided.
    pub now: Timestamp,
    /// The token shown with it.
    pub token: Option<Token>,
    /// What is decided on every engine without an exception.
    pub expect: Expectation,
    /// Engines that decide otherwise.
    pub exceptions: BTreeMap<String, ExceptionSpec>,
}

/// What a case takes from the one it starts from.
#[derive(Debug, Clone)]
struct Ground {
    request: Value,
    now: Timestamp,
    token: Option<Token>,
}

/// A case as written, with its file.
struct Written {
    spec: CaseSpec,
    document: Arc<Document>,
    place: Pointer,
}

impl Suite {
    /// Reads every `cases/*.yaml` of a pack.
    ///
    /// # Errors
    /// Everything wrong with any case, with its place.
    pub fn read(pack: &PackSource) -> Result<Self, LoadErrors> {
        let mut errors = Vec::new();
        let written = read_files(pack, &mut errors);
        let names = unique_names(&written, &mut errors);
        let mut cases = Vec::new();
        for case in &written {
            match case.resolve(pack, &names) {
                Ok(case) => cases.push(case),
                Err(found) => errors.extend(found),
            }
        }
        let root_keys = read_root_keys(pack, &mut errors);
        LoadErrors::check(errors)?;
        Ok(Self { cases, root_keys })
    }

    /// A context that also believes the key of the cases' tokens.
    pub fn trusted(&self, context: &LoadContext) -> LoadContext {
        let mut trust = Trust::clone(&context.trust);
        trust.root_keys.extend(self.root_keys.iter().cloned());
        LoadContext { trust: Arc::new(trust), ..context.clone() }
    }
}

fn read_files(pack: &PackSource, errors: &mut Vec<LoadError>) -> Vec<Written> {
    let mut written = Vec::new();
    let schema = case_schema();
    for path in pack.files.paths() {
        let Some(name) = path.strip_prefix(FOLDER) else { continue };
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        match extension {
            "yaml" if !stem.contains('/') => {}
            "yaml" | "yml" | "json" => {
                let message = format!("`{}` is never read", pack.file_name(path));
                errors.push(
                    LoadError::new(LoadErrorKind::Invalid, message).help("cases stand in `cases/*.yaml`"),
                );
                continue;
            }
            _ => continue,
        }
        let Some(text) = pack.files.get(path) else { continue };
        let read = Document::parse(&pack.file_name(path), text)
            .and_then(|document| Ok((document.read::<Vec<CaseSpec>>(&schema)?, document)));
        match read {
            Ok((specs, document)) => {
                let document = Arc::new(document);
                written.extend(specs.into_iter().enumerate().map(|(index, spec)| Written {
                    spec,
                    document: document.clone(),
                    place: Pointer::from_tokens([index.to_string()]),
                }));
            }
            Err(found) => errors.extend(found),
        }
    }
    written
}

fn unique_names<'w>(written: &'w [Written], errors: &mut Vec<LoadError>) -> BTreeMap<&'w str, &'w Written> {
    let mut names: BTreeMap<&str, &Written> = BTreeMap::new();
    for case in written {
        match names.get(case.spec.name.as_str()) {
            None => {
                names.insert(&case.spec.name, case);
            }
            Some(first) => {
                let message = format!("the case `{}` stands already at {}", case.spec.name, first.location());
                errors.push(case.error(&["name"], message));
            }
        }
    }
    names
}

fn read_root_keys(pack: &PackSource, errors: &mut Vec<LoadError>) -> Vec<RootKey> {
    let mut keys = Vec::new();
    for path in ROOT_KEYS {
        if pack.files.get(path).is_some() {
            match pack.text(path) {
                Ok(key) => {
                    keys.push(RootKey { id: None, key: key.trim().to_owned(), origin: pack.file_name(path) })
                }
                Err(error) => errors.push(error),
            }
        }
    }
    if let [_, second, ..] = keys.as_slice() {
        let message = format!("the cases have two root keys: `{}` is one too many", second.origin);
        errors.push(LoadError::new(LoadErrorKind::Invalid, message));
    }
    keys
}

impl Written {
    fn location(&self) -> Location {
        self.document.locate(&self.place)
    }

    fn error(&self, place: &[&str], message: impl Into<String>) -> LoadError {
        let place = place.iter().fold(self.place.clone(), |place, token| place.child(*token));
        self.document.error(LoadErrorKind::Invalid, &place, message)
    }

    fn resolve(&self, pack: &PackSource, names: &BTreeMap<&str, &Written>) -> Result<Case, LoadErrors> {
        let ground = self.ground(pack, names, &mut BTreeSet::new())?;
        let mut errors = Vec::new();
        self.check_expectation(&self.spec.expect, &["expect"], &ground.request, &mut errors);
        for (engine, exception) in &self.spec.exceptions {
            let place = ["exceptions", engine.as_str()];
            if !pack.manifest.engines.contains_key(engine) {
                let offered: Vec<String> = pack.manifest.engines.keys().cloned().collect();
                let error = self.error(&place, format!("the pack does not offer `{engine}`"));
                errors.push(with_nearest(error, engine, &offered));
            }
            if exception.expect == self.spec.expect {
                errors.push(self.error(&place, "the exception expects what the case expects anyway"));
            }
            let place = ["exceptions", engine.as_str(), "expect"];
            self.check_expectation(&exception.expect, &place, &ground.request, &mut errors);
        }
        LoadErrors::check(errors)?;
        Ok(Case {
            name: self.spec.name.clone(),
            location: self.location(),
            request: ground.request,
            now: ground.now,
            token: ground.token,
            expect: self.spec.expect.clone(),
            exceptions: self.spec.exceptions.clone(),
        })
    }

    fn check_expectation(
        &self,
        expect: &Expectation,
        place: &[&str],
        request: &Value,
        errors: &mut Vec<LoadError>,
    ) {
        if let Some((key, message)) = expect.contradiction() {
            errors.push(self.error(&[place, &[key]].concat(), message));
        } else if let Some(patches) = &expect.patches
            && let Err(error) = redacted(patches, request)
        {
            errors.push(self.error(&[place, &["patches"]].concat(), error.to_string()));
        }
    }

    /// The request, instant and token, those of the case it starts from included. `visited` are the cases that wait
    /// for this one.
    fn ground<'w>(
        &'w self,
        pack: &PackSource,
        names: &BTreeMap<&str, &'w Written>,
        visited: &mut BTreeSet<&'w str>,
    ) -> Result<Ground, LoadErrors> {
        let spec = &self.spec;
        if !visited.insert(&spec.name) {
            return Err(self.error(&["from"], format!("the case `{}` starts from itself", spec.name)).into());
        }
        let mut ground = match (&spec.request, &spec.from) {
            (Some(request), None) => {
                if !spec.without.is_empty() || !spec.with.is_empty() {
                    return Err(self
                        .error(
                            &[],
                            "`without` and `with` change the request of another case: they need `from`",
                        )
                        .into());
                }
                Ground { request: Value::Object(request.clone()), now: DEFAULT_NOW, token: None }
            }
            (None, Some(from)) => {
                let Some(other) = names.get(from.as_str()) else {
                    let known: Vec<String> = names.keys().map(|name| (*name).to_owned()).collect();
                    let error = self.error(&["from"], format!("there is no case `{from}`"));
                    return Err(with_nearest(error, from, &known).into());
                };
                other.ground(pack, names, visited)?
            }
            _ => return Err(self.error(&[], "a case has either a `request` or a `from`").into()),
        };
        for (index, place) in spec.without.iter().enumerate() {
            if edit::remove(&mut ground.request, place).is_none() {
                let at = ["without", &index.to_string()];
                return Err(self
                    .error(&at, format!("nothing stands at `{place}` in the request of `{}`", from(spec)))
                    .into());
            }
        }
        for (place, value) in &spec.with {
            if edit::set(&mut ground.request, place, value.clone()).is_none() {
                let at = ["with", &place.to_string()];
                return Err(self
                    .error(&at, format!("nothing can stand at `{place}` in the request of `{}`", from(spec)))
                    .into());
            }
        }
        if let Some(now) = &spec.now {
            ground.now = now.parse().map_err(|_| {
                self.error(
                    &["now"],
                    format!("`{now}` is not an instant: write one as `2026-11-21T12:00:00Z`"),
                )
            })?;
        }
        if let Some(token) = &spec.token {
            ground.token = token.as_ref().map(|file| self.token(pack, file)).transpose()?;
        }
        Ok(ground)
    }

    fn token(&self, pack: &PackSource, file: &str) -> Result<Token, LoadError> {
        let path = format!("{FOLDER}{file}");
        if pack.files.get(&path).is_none() {
            let known: Vec<String> =
                pack.files.paths().filter_map(|path| path.strip_prefix(FOLDER)).map(str::to_owned).collect();
            return Err(with_nearest(
                self.error(&["token"], format!("`{}` is missing", pack.file_name(&path))),
                file,
                &known,
            ));
        }
        let text = pack.text(&path).map_err(|_| self.error(&["token"], "a token is a text"))?;
        Ok(Token::new(text.trim().as_bytes()))
    }
}

fn from(spec: &CaseSpec) -> &str {
    spec.from.as_deref().map_or("", |from| from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tribunal::core::engine::Registry;
    use tribunal::core::pack::PackFiles;

    fn read(files: &[(&str, &str)]) -> Result<Suite, LoadErrors> {
        let mut registry = Registry::new();
        registry.declare_absent("cedar");
        let manifest = "name: p\nversion: 1.0.0\ndescription: d\nengines: {cedar: {}}\ninput_schema: none\n";
        let all = [("pack.yaml", manifest)]
            .into_iter()
            .chain(files.iter().copied())
            .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
        Suite::read(&PackSource::read("p", PackFiles::new(all), &registry).unwrap())
    }

    fn errors(text: &str) -> String {
        read(&[("cases/a.yaml", text)]).expect_err(text).to_string()
    }

    #[test]
    fn a_case_is_made_of_another() {
        let first = "\
- name: base
  request: {a: {b: 1}, list: [1, 2]}
  now: 2026-11-21T12:00:00Z
  token: tokens/t.b64
  expect: {effect: allow}
- name: changed
  from: base
  without: [/list/0, /a/b]
  with: {/x/y: 5, /list/0: z}
  expect: {effect: deny, fault: schema}
";
        let second = "- name: of-the-changed\n  from: changed\n  token: null\n  now: 2027-01-01T00:00:00Z\n  expect: {effect: deny}\n";
        let files = [
            ("cases/1.yaml", first),
            ("cases/0.yaml", second),
            ("cases/tokens/t.b64", "abc\n"),
            ("cases/root.key", "ed25519/00\n"),
        ];
        let suite = read(&files).unwrap();
        let [third, base, changed] = suite.cases.as_slice() else { panic!("three cases") };
        assert_eq!(base.token, Some(Token::new("abc")));
        assert_eq!(base.location.to_string(), "p/cases/1.yaml:1:3");
        assert_eq!(changed.request, serde_json::json!({"a": {}, "list": ["z"], "x": {"y": 5}}));
        assert_eq!((changed.now, &changed.token), (base.now, &base.token));
        assert_eq!((&third.request, &third.token), (&changed.request, &None));
        assert_eq!(third.now.to_string(), "2027-01-01T00:00:00Z");
        let trusted = suite.trusted(&LoadContext::default());
        assert_eq!(
            trusted.trust.root_keys.iter().map(|key| key.key.as_str()).collect::<Vec<_>>(),
            ["ed25519/00"]
        );
    }

    #[test]
    fn every_error_has_its_place() {
        insta::assert_snapshot!(errors("- name: Base\n  request: {}\n  expct: {effect: allow}\n"), @r#"
        p/cases/a.yaml:1:3: the key `expect` is missing in `0` (What is decided.)
        p/cases/a.yaml:1:3: "Base" does not match "^[a-z0-9]+(-[a-z0-9]+)*$" in `0.name` (The case's name, unique in its pack.)
        p/cases/a.yaml:3:3: unknown key `expct` in `0` (did you mean `expect`?)
        "#);
        let misspelt = errors("- name: a\n  request: {}\n  expect: {effect: deny, fault: shema}\n");
        assert!(misspelt.starts_with("p/cases/a.yaml:3:26: `shema` is not allowed"), "{misspelt}");
        assert!(misspelt.ends_with("(did you mean `schema`?)"), "{misspelt}");
        let text = "\
- name: base
  request: {a: 1}
  expect: {effect: allow, patches: [{op: remove, path: /a}]}
- name: base
  from: bsae
  expect: {effect: redact}
- name: neither
  expect: {effect: allow}
- name: changes-itself
  request: {}
  with: {/a: 1}
  expect: {effect: allow}
- name: nothing-there
  from: base
  without: [/b]
  expect: {effect: deny}
- name: in-a-number
  from: base
  with: {/a/b: 1}
  expect: {effect: deny}
- name: when
  from: base
  now: today
  expect: {effect: deny}
- name: shown
  from: base
  token: tokens/x.b64
  expect: {effect: deny, fault: schema, reason: because}
- name: circle
  from: circle
  expect: {effect: deny, step_up: {method: m}}
- name: excepted
  from: base
  expect: {effect: deny}
  exceptions:
    cedar: {reason: none, expect: {effect: deny}}
    ceder: {reason: none, expect: {effect: allow, fault: schema}}
- name: unfit
  from: base
  expect: {effect: redact, patches: [{op: remove, path: /z}]}
";
        insta::assert_snapshot!(errors(text), @r"
        p/cases/a.yaml:4:3: the case `base` stands already at p/cases/a.yaml:1:3
        p/cases/a.yaml:3:27: an `allow` has no patches
        p/cases/a.yaml:5:3: there is no case `bsae` (did you mean `base`?)
        p/cases/a.yaml:7:3: a case has either a `request` or a `from`
        p/cases/a.yaml:9:3: `without` and `with` change the request of another case: they need `from`
        p/cases/a.yaml:15:13: nothing stands at `/b` in the request of `base`
        p/cases/a.yaml:19:10: nothing can stand at `/a/b` in the request of `base`
        p/cases/a.yaml:23:3: `today` is not an instant: write one as `2026-11-21T12:00:00Z`
        p/cases/a.yaml:27:3: `p/cases/tokens/x.b64` is missing (known here: a.yaml)
        p/cases/a.yaml:30:3: the case `circle` starts from itself
        p/cases/a.yaml:36:5: the exception expects what the case expects anyway
        p/cases/a.yaml:37:5: the pack does not offer `ceder` (did you mean `cedar`?)
        p/cases/a.yaml:37:36: a fault is a `deny`, never `allow`
        p/cases/a.yaml:40:28: nothing stands at `/z` in this request
        ");
    }

    #[test]
    fn an_exception_has_a_reason() {
        let text = "- name: a\n  request: {}\n  expect: {effect: deny}\n  exceptions: {cedar: {reason: ' ', expect: {effect: allow}}}\n";
        assert!(errors(text).contains("p/cases/a.yaml:4:24"), "{}", errors(text));
    }

    /// A file of cases that is never read would look like cases that pass.
    #[test]
    fn files_beside_the_cases_are_not_overlooked() {
        for path in ["cases/a.yml", "cases/a.json", "cases/more/a.yaml"] {
            assert!(read(&[(path, "[]")]).expect_err(path).to_string().contains("never read"), "{path}");
        }
        assert!(read(&[("cases/root.key", "x"), ("cases/root.pem", "y")]).is_err());
        assert!(read(&[("cases/README.md", "text"), ("cases/a.yaml", "[]")]).unwrap().cases.is_empty());
    }
}
