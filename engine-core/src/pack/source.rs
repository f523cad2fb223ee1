//! A pack read and checked, as engines load it.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::files::{self, PackFiles};
use super::lock::{self, PackLock};
use super::manifest::{self, Manifest};
use super::schema::{DataSchema, InputSchema, check_data};
use super::shape::{Shape, ShapeTable};
use crate::contract::Pointer;
use crate::contract::json::canonical;
use crate::contract::request::DERIVED;
use crate::derive::{DerivePlan, PackData};
use crate::document::{Document, with_nearest};
use crate::engine::{LoadError, LoadErrorKind, LoadErrors, Registry};

/// The data file of a pack, and the schema that its data, and any that takes its place, must fit.
pub const DATA: &str = "data.json";
/// See [`DATA`].
pub const DATA_SCHEMA: &str = "data.schema.json";
/// The schema of the requests a pack decides.
pub const INPUT_SCHEMA: &str = "input.schema.json";

/// A pack whose manifest, schemas, data and lock have been read and checked. Its policies are for engines to read.
#[derive(Debug)]
pub struct PackSource {
    /// Where the pack was read, as the user would name it: the beginning of every error's file name.
    pub origin: String,
    /// The manifest.
    pub manifest: Manifest,
    /// Every file of the pack.
    pub files: PackFiles,
    /// `sha256:` over the pack's files.
    pub digest: String,
    /// The data at the root of Rego's `data`; an object.
    pub data: Arc<Value>,
    /// The schema of requests; `None` where the manifest says `input_schema: none`.
    pub input_schema: Option<InputSchema>,
    /// What the built module was made from.
    pub lock: Option<PackLock>,
    /// What the host derives from each request over the pack's own data.
    pub derive: DerivePlan,
    document: Document,
    data_schema: Option<DataSchema>,
    open: ShapeTable,
}

impl PackSource {
    /// Reads a pack from its files.
    ///
    /// # Errors
    /// Everything that is wrong with the manifest, the schemas, the data and the lock.
    pub fn read(origin: &str, files: PackFiles, registry: &Registry) -> Result<Self, LoadErrors> {
        let named = |path: &str| format!("{}/{path}", origin.trim_end_matches('/'));
        let missing =
            |path: &str| LoadError::new(LoadErrorKind::MissingFile, format!("`{}` is missing", named(path)));
        // The digest is over lines: a name that holds one could stand for two files.
        if let Some(path) = files.paths().find(|path| path.contains(char::is_control)) {
            let message = format!("the file name {path:?} holds a control character");
            return Err(LoadError::new(LoadErrorKind::Invalid, message).into());
        }
        let text = files.get(manifest::FILE).ok_or_else(|| missing(manifest::FILE))?;
        let mut errors = Vec::new();
        let document = told(Document::parse(&named(manifest::FILE), text), &mut errors);
        let manifest: Option<Manifest> = document
            .as_ref()
            .and_then(|document| told(document.read(&manifest_schema(registry)), &mut errors));
        // The other files are read where the manifest is refused too: what is wrong with them is told at the same time.
        let mut json = |path: &str| {
            let text = files.get(path)?;
            told(Document::parse(&named(path), text), &mut errors)
        };
        let (input, data_schema, data, lock) =
            (json(INPUT_SCHEMA), json(DATA_SCHEMA), json(DATA), json(lock::FILE));
        let place = Pointer::from_tokens(["input_schema"]);
        let says_none = document.as_ref().map(|document| place.get(&document.value) == Some(&json!("none")));
        match (files.get(INPUT_SCHEMA), says_none, &document) {
            (Some(_), Some(true), Some(document)) => errors.push(document.error(
                LoadErrorKind::Invalid,
                &place,
                format!("`input_schema: none`, but there is `{INPUT_SCHEMA}`"),
            )),
            (None, Some(false), _) => errors.push(
                missing(INPUT_SCHEMA).help("say `input_schema: none` in the manifest for a pack without one"),
            ),
            _ => {}
        }
        let root = Pointer::from_tokens::<String>([]);
        let input_schema = input.and_then(|found| {
            let compiled = InputSchema::compile(found.value.clone(), &[DERIVED]);
            told(compiled.map_err(|why| found.error(LoadErrorKind::Invalid, &root, why)), &mut errors)
        });
        let data_schema = data_schema.and_then(|found| {
            let compiled = DataSchema::compile(found.value.clone());
            told(compiled.map_err(|why| found.error(LoadErrorKind::Invalid, &root, why)), &mut errors)
        });
        let lock = lock.and_then(|found| {
            told(found.read::<PackLock>(&schemars::schema_for!(PackLock).to_value()), &mut errors)
        });
        errors.extend(data.iter().flat_map(|data| check_data(data, data_schema.as_ref())));
        let nothing = json!({});
        let derive = document.as_ref().zip(manifest.as_ref()).and_then(|(document, manifest)| {
            check_manifest(manifest, document, registry, &mut errors);
            let data = match &data {
                Some(data) => PackData::from(data),
                None if files.get(DATA).is_none() => PackData::from(&nothing),
                // That it cannot be read has been told; what would be derived of it cannot be.
                None => return None,
            };
            told(DerivePlan::compile(&manifest.derive, document, data), &mut errors)
        });
        LoadErrors::check(errors)?;
        // Where one of these is missing, that was an error above.
        let (Some(document), Some(manifest), Some(derive)) = (document, manifest, derive) else {
            return Err(missing(manifest::FILE).into());
        };
        let data = data.map_or(nothing, |data| data.value);
        Ok(Self {
            origin: origin.to_owned(),
            digest: files.digest(),
            manifest,
            files,
            data: Arc::new(data),
            input_schema,
            lock,
            derive,
            document,
            data_schema,
            open: ShapeTable::everything(),
        })
    }

    /// A file's name as the user would write it, for errors.
    pub fn file_name(&self, path: &str) -> String {
        format!("{}/{path}", self.origin.trim_end_matches('/'))
    }

    /// A text file of the pack.
    ///
    /// # Errors
    /// [`LoadErrorKind::MissingFile`], or [`LoadErrorKind::Syntax`] for one that is not UTF-8.
    pub fn text(&self, path: &str) -> Result<&str, LoadError> {
        let name = self.file_name(path);
        let bytes = self
            .files
            .get(path)
            .ok_or_else(|| LoadError::new(LoadErrorKind::MissingFile, format!("`{name}` is missing")))?;
        std::str::from_utf8(bytes)
            .map_err(|error| LoadError::new(LoadErrorKind::Syntax, format!("`{name}` is not UTF-8: {error}")))
    }

    /// The settings of one engine in the manifest, which fit that engine's schema.
    ///
    /// # Errors
    /// [`LoadErrorKind::Unsupported`] if the pack does not offer the engine, [`LoadErrorKind::Invalid`] if the settings say
    /// what the schema could not exclude.
    pub fn settings<T: DeserializeOwned>(&self, engine: &str) -> Result<T, LoadError> {
        let settings = self.manifest.engines.get(engine).ok_or_else(|| self.not_offered(engine))?;
        let place = Pointer::from_tokens(["engines", engine]);
        serde_json::from_value(settings.clone())
            .map_err(|error| self.document.error(LoadErrorKind::Invalid, &place, error.to_string()))
    }

    /// That this pack does not offer an engine, and why.
    pub fn not_offered(&self, engine: &str) -> LoadError {
        let name = &self.manifest.name;
        let error = match self.manifest.unsupported.get(engine) {
            Some(reason) => LoadError::new(
                LoadErrorKind::Unsupported,
                format!("pack `{name}` does not support `{engine}`: {reason}"),
            ),
            None => {
                LoadError::new(LoadErrorKind::Unsupported, format!("pack `{name}` does not offer `{engine}`"))
            }
        };
        let offered: Vec<String> = self.manifest.engines.keys().cloned().collect();
        error.help(format!("it offers {}", offered.join(", ")))
    }

    /// An error at a place of the manifest.
    pub fn manifest_error(
        &self,
        kind: LoadErrorKind,
        place: &[&str],
        message: impl Into<String>,
    ) -> LoadError {
        self.document.error(kind, &Pointer::from_tokens(place.iter().copied()), message)
    }

    /// Which members of a request go to engines other than Rego. Without a schema every member does: such a pack has
    /// no engine but Rego.
    pub fn named(&self) -> Shape<'_> {
        self.input_schema.as_ref().map_or_else(|| self.open.root(), |schema| schema.shape().root())
    }

    /// Reads data that is to take the place of the pack's own, and checks it against the pack's data schema and what its
    /// `derive:` reads of it.
    ///
    /// # Errors
    /// What is wrong with the data.
    pub fn read_data(&self, file: &str, text: &[u8]) -> Result<Arc<Value>, LoadErrors> {
        let document = Document::parse(file, text)?;
        LoadErrors::check(check_data(&document, self.data_schema.as_ref()))?;
        self.derive_over(PackData::from(&document))?;
        Ok(Arc::new(document.value))
    }

    /// What the host derives from each request while other data than the pack's own is in force.
    ///
    /// # Errors
    /// What a function of `derive:` cannot use of the data.
    pub fn derive_over(&self, data: PackData<'_>) -> Result<DerivePlan, LoadErrors> {
        if self.manifest.derive.values().all(|spec| spec.data().is_none()) {
            return Ok(self.derive.clone());
        }
        DerivePlan::compile(&self.manifest.derive, &self.document, data)
    }

    /// `sha256:` over data, in its canonical text.
    pub fn data_digest(data: &Value) -> String {
        files::digest(canonical(data).as_bytes())
    }
}

/// The JSON Schema of `pack.yaml`, with the settings of every engine there is.
pub fn manifest_schema(registry: &Registry) -> Value {
    let mut schema = schemars::schema_for!(Manifest).to_value();
    let ids: Vec<&str> = registry.known().collect();
    let settings: serde_json::Map<String, Value> = registry
        .iter()
        .map(|factory| (factory.info().id.to_owned(), factory.settings_schema()))
        .chain(registry.absent().map(|id| (id.to_owned(), json!({"type": "object"}))))
        .collect();
    if let Some(engines) = schema.pointer_mut("/properties/engines").and_then(Value::as_object_mut) {
        engines.insert("properties".to_owned(), Value::Object(settings));
        engines.insert("additionalProperties".to_owned(), json!(false));
    }
    if let Some(unsupported) = schema.pointer_mut("/properties/unsupported").and_then(Value::as_object_mut) {
        unsupported.insert("propertyNames".to_owned(), json!({"enum": ids}));
    }
    schema
}

/// What was read; what kept it from being read is noted.
fn told<T, E: Into<LoadErrors>>(found: Result<T, E>, errors: &mut Vec<LoadError>) -> Option<T> {
    found.map_err(|found| errors.extend(found.into())).ok()
}

/// What a schema cannot say about a manifest.
fn check_manifest(
    manifest: &Manifest,
    document: &Document,
    registry: &Registry,
    errors: &mut Vec<LoadError>,
) {
    let known: Vec<String> = registry.known().map(str::to_owned).collect();
    for engine in manifest.unsupported.keys() {
        let place = Pointer::from_tokens(["unsupported", engine]);
        if manifest.engines.contains_key(engine) {
            errors.push(document.error(
                LoadErrorKind::Invalid,
                &place,
                format!("`{engine}` is both offered and unsupported"),
            ));
        } else if !known.contains(engine) {
            let error =
                document.error(LoadErrorKind::Invalid, &place, format!("there is no engine `{engine}`"));
            errors.push(with_nearest(error, engine, &known));
        }
    }
    for (index, place) in manifest.redactable.iter().enumerate() {
        if crate::dispatch::redaction::protects(place) {
            let at = Pointer::from_tokens(["redactable".to_owned(), index.to_string()]);
            let message = format!(
                "`{place}` can never be redacted: identity, ids, boundary and derived members are not data"
            );
            errors.push(document.error(LoadErrorKind::Invalid, &at, message));
        }
    }
}
