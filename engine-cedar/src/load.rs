//! A pack on its way to a loaded engine: whatever can be known to be wrong is refused here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cedar_policy::{Entities, Entity, EntityTypeName, Schema};
use cedar_policy_core::ast::{Eid, EntityUID};
use cedar_policy_core::validator::ValidatorSchema;
use cedar_policy_core::validator::types::{Attributes, Type};
use serde_json::Value;
use tribunal_engine_core::contract::Pointer;
use tribunal_engine_core::contract::request::DERIVED;
use tribunal_engine_core::document::{Document, with_nearest};
use tribunal_engine_core::engine::{
    Capabilities, Capability, Engine, EngineFactory, EngineInfo, LoadContext, LoadError, LoadErrorKind,
    LoadErrors, Mutant, Vocabulary,
};
use tribunal_engine_core::location::Location;
use tribunal_engine_core::pack::source::{DATA as DATA_FILE, INPUT_SCHEMA};
use tribunal_engine_core::pack::{PackSource, ShapeTable};

use crate::bounds;
use crate::convert::{self, Mismatch, Record};
use crate::decide::CedarEngine;
use crate::entities::{self, Name, StaticEntities};
use crate::error::chain;
use crate::mutate;
use crate::policies::{self, Read};
use crate::request::{ACTION_PROPERTIES, IDENTITY};
use crate::schema::{self, RequestTypes};
use crate::settings::Settings;
use crate::vocabulary;

/// The engine's name in manifests and deployments.
const ID: &str = "cedar";

/// Loads packs on Cedar.
#[derive(Debug, Clone, Copy, Default)]
pub struct CedarFactory;

impl EngineFactory for CedarFactory {
    fn info(&self) -> EngineInfo {
        EngineInfo { id: ID, version: format!("cedar-policy {}", cedar_policy::get_sdk_version()) }
    }

    fn capabilities(&self) -> Capabilities {
        let can = [
            Capability::Hierarchy,
            Capability::StrictBuiltins,
            Capability::Rules,
            Capability::Trace,
            Capability::Output,
        ];
        Capabilities { can: BTreeSet::from(can), bounds: bounds::described() }
    }

    fn settings_schema(&self) -> Value {
        schemars::schema_for!(Settings).to_value()
    }

    fn load(&self, pack: &PackSource, context: &LoadContext) -> Result<Arc<dyn Engine>, LoadErrors> {
        Ok(Arc::new(CedarEngine::load(pack, context)?))
    }

    fn vocabulary(&self, pack: &PackSource) -> Result<Vocabulary, LoadErrors> {
        let Texts { schema, types, policies } = Texts::read(pack)?;
        let mut errors = Vec::new();
        let entities = kept(entity_list(pack, &schema), &mut errors);
        LoadErrors::check(errors)?;
        let entities = entities.as_deref().unwrap_or(&[]);
        Ok(vocabulary::of(pack, &schema, &types, &policies, entities))
    }

    fn mutants(&self, pack: &PackSource) -> Result<Vec<Mutant>, LoadErrors> {
        let Texts { schema, types, policies } = Texts::read(pack)?;
        mutate::mutants(pack, &schema, &types, &policies)
    }
}

impl CedarEngine {
    pub(crate) fn load(pack: &PackSource, context: &LoadContext) -> Result<Self, LoadErrors> {
        let settings: Settings = pack.settings(ID)?;
        let mut errors = Vec::new();
        if pack.input_schema.is_none() {
            let message = "Cedar sees only the members that an input schema names, and this pack has none";
            errors.push(pack.manifest_error(LoadErrorKind::Unsupported, &["input_schema"], message));
        }
        if context.limits.deadline.is_some() {
            let message = "Cedar cannot hold a deadline: it has no limit at run time";
            let error = match pack.manifest.limits.deadline {
                Some(_) => pack.manifest_error(LoadErrorKind::Unsupported, &["limits", "deadline"], message),
                None => {
                    let name = &pack.manifest.name;
                    let message = format!("pack `{name}` under the `limits` of its deployment: {message}");
                    LoadError::new(LoadErrorKind::Unsupported, message)
                }
            };
            errors.push(error.help(
                "leave it out: its evaluations are bounded by the policies' and the request's size instead",
            ));
        }
        let schema = kept(schema::read(pack), &mut errors);
        let policies = kept(policies::read(pack, schema.as_ref()), &mut errors).flatten();
        let types =
            schema.as_ref().and_then(|schema| kept(RequestTypes::new(pack, &settings, schema), &mut errors));
        let statics = schema.as_ref().and_then(|schema| kept(static_entities(pack, schema), &mut errors));
        if let Some(types) = &types {
            check_names(pack, types, &mut errors);
        }
        let data = schema.as_ref().and_then(|schema| kept(PackData::new(pack, schema), &mut errors));
        LoadErrors::check(errors)?;
        let (Some(policies), Some(types), Some(mut statics), Some(data)) = (policies, types, statics, data)
        else {
            return Err(LoadError::new(LoadErrorKind::Invalid, "the pack could not be read").into());
        };
        data.put_own(pack, &mut statics)?;
        Ok(Self {
            policies: Arc::new(policies),
            types: Arc::new(types),
            data: Arc::new(data),
            statics: Arc::new(statics),
            output: context.limits.output.map(|bytes| bytes.0),
        })
    }
}

/// What can be told of a pack without deciding by it.
struct Texts<'p> {
    schema: Schema,
    types: RequestTypes,
    policies: Vec<Read<'p>>,
}

impl<'p> Texts<'p> {
    fn read(pack: &'p PackSource) -> Result<Self, LoadErrors> {
        let settings: Settings = pack.settings(ID)?;
        let mut errors = Vec::new();
        let schema = kept(schema::read(pack), &mut errors);
        let policies = policies::parse(pack, &mut errors);
        let types =
            schema.as_ref().and_then(|schema| kept(RequestTypes::new(pack, &settings, schema), &mut errors));
        LoadErrors::check(errors)?;
        match (schema, types) {
            (Some(schema), Some(types)) => Ok(Self { schema, types, policies }),
            _ => Err(LoadError::new(LoadErrorKind::Invalid, "the pack could not be read").into()),
        }
    }
}

fn kept<T>(result: Result<T, Vec<LoadError>>, errors: &mut Vec<LoadError>) -> Option<T> {
    result.map_err(|found| errors.extend(found)).ok()
}

/// Reads `entities.json`, if there is one; the schema's actions are always there.
fn static_entities(pack: &PackSource, schema: &Schema) -> Result<StaticEntities, Vec<LoadError>> {
    let found = entity_list(pack, schema)?.into_iter().map(|(entity, _)| entity);
    match Entities::from_entities(found, Some(schema)) {
        Ok(entities) => Ok(StaticEntities::new(entities)),
        Err(error) => {
            let place = Location::new(pack.file_name(entities::FILE), 1, 1);
            Err(vec![LoadError::new(LoadErrorKind::Invalid, chain(&error)).at(place)])
        }
    }
}

/// The entities of `entities.json`, each with its place.
fn entity_list(pack: &PackSource, schema: &Schema) -> Result<Vec<(Entity, Location)>, Vec<LoadError>> {
    let file = pack.file_name(entities::FILE);
    let Some(text) = pack.files.get(entities::FILE) else { return Ok(Vec::new()) };
    if text.len() > bounds::ENTITIES {
        let message =
            format!("the static entities have {} bytes, more than {}", text.len(), bounds::ENTITIES);
        return Err(vec![LoadError::new(LoadErrorKind::Bounds, message).at(Location::new(file, 1, 1))]);
    }
    // This reader bounds depth before it builds anything.
    let document = Document::parse(&file, text).map_err(|errors| errors.into_iter().collect::<Vec<_>>())?;
    let Value::Array(items) = &document.value else {
        return Err(vec![document.error(LoadErrorKind::Invalid, &root(), "static entities are a list")]);
    };
    let mut found = Vec::new();
    let mut errors = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let place = Pointer::from_tokens([index.to_string()]);
        match Entity::from_json_value(item.clone(), Some(schema)) {
            Ok(entity) if entity.uid().type_name().to_string() == schema::DATA => {
                let message =
                    format!("`{}` entities are made of the pack's data, never written here", schema::DATA);
                errors.push(document.error(LoadErrorKind::Invalid, &place, message));
            }
            Ok(entity) => found.push((entity, document.locate(&place))),
            Err(error) => errors.push(document.error(LoadErrorKind::Invalid, &place, chain(&error))),
        }
    }
    if errors.is_empty() { Ok(found) } else { Err(errors) }
}

/// The entity that pack data becomes.
#[derive(Debug)]
pub(crate) struct PackData {
    uid: EntityUID,
    /// `None` if the schema does not declare it: then there must be no data.
    attributes: Option<Attributes>,
}

impl PackData {
    fn new(pack: &PackSource, schema: &Schema) -> Result<Self, Vec<LoadError>> {
        let validator: &ValidatorSchema = schema.as_ref();
        let name: EntityTypeName = schema::DATA.parse().map_err(|error: cedar_policy::ParseErrors| {
            vec![LoadError::new(LoadErrorKind::Invalid, error.to_string())]
        })?;
        let attributes =
            validator.get_entity_type(name.as_ref()).map(|declared| declared.attributes().clone());
        let id = Eid::new(pack.manifest.name.as_str());
        Ok(Self { uid: EntityUID::from_components(name.as_ref().clone(), id, None), attributes })
    }

    /// Puts the data among the static entities, in place of what was there.
    pub(crate) fn put(&self, data: &Value, statics: &mut StaticEntities) -> Result<(), LoadErrors> {
        self.convert(data, statics)
            .map_err(|mismatch| LoadError::new(LoadErrorKind::Invalid, format!("data {mismatch}")).into())
    }

    fn put_own(&self, pack: &PackSource, statics: &mut StaticEntities) -> Result<(), LoadErrors> {
        self.convert(&pack.data, statics).map_err(|mismatch| {
            let error = LoadError::new(LoadErrorKind::Invalid, mismatch.to_string());
            let document = pack
                .files
                .get(DATA_FILE)
                .and_then(|text| Document::parse(&pack.file_name(DATA_FILE), text).ok());
            match document {
                Some(document) => error.at(document.locate(&mismatch.pointer())).into(),
                None => error.into(),
            }
        })
    }

    fn convert(&self, data: &Value, statics: &mut StaticEntities) -> Result<(), Mismatch> {
        let Value::Object(members) = data else { return Err(Mismatch::new("data is not an object")) };
        let Some(attributes) = &self.attributes else {
            // Data that no policy could see would be replaced in a deployment, and change nothing.
            return match members.keys().next() {
                None => Ok(()),
                Some(name) => {
                    let entity_type = schema::DATA;
                    Err(Mismatch::new(format!(
                        "schema.cedarschema declares no `entity {entity_type}` for the pack's data"
                    ))
                    .within(name))
                }
            };
        };
        let everything = ShapeTable::everything();
        let shape = everything.root();
        let members = members.iter().map(|(name, value)| (name.as_str(), value, shape));
        let record: Record<Name> = convert::record(members, attributes)?;
        convert::missing(attributes, |name| record.contains_key(name))?;
        statics.insert(entities::plain(self.uid.clone(), record));
        Ok(())
    }
}

/// Checks the members that the input schema plainly names against what Cedar's schema declares. What it names less plainly is
/// found by the first request that has it.
fn check_names(pack: &PackSource, types: &RequestTypes, errors: &mut Vec<LoadError>) {
    let Some(input) = &pack.input_schema else { return };
    let document = pack
        .files
        .get(INPUT_SCHEMA)
        .and_then(|text| Document::parse(&pack.file_name(INPUT_SCHEMA), text).ok());
    let refuse = |place: &[&str], message: String| {
        let error = LoadError::new(LoadErrorKind::Invalid, message);
        let place = Pointer::from_tokens(place.iter().flat_map(|name| ["properties", name]));
        match &document {
            Some(document) => error.at(document.locate(&place)),
            None => error,
        }
    };
    let names = |place: &[&str]| -> BTreeSet<String> {
        let path: String = place.iter().map(|name| format!("/properties/{name}")).collect();
        let properties = input.document().pointer(&format!("{path}/properties")).and_then(Value::as_object);
        properties.into_iter().flat_map(|members| members.keys().cloned()).collect()
    };

    // Where each member of Cedar's context comes from.
    let mut members: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    let mut comes_from = |name: &str, place: &[&str]| {
        members.entry(name.to_owned()).or_default().push(place.iter().map(|&part| part.to_owned()).collect());
    };
    for name in names(&[]).iter().filter(|name| *name != "context" && !IDENTITY.contains(&name.as_str())) {
        comes_from(name, &[name]);
    }
    for name in names(&["context"]) {
        comes_from(&name, &["context", &name]);
    }
    if input.document().pointer("/properties/action/properties/properties").is_some() {
        comes_from(ACTION_PROPERTIES, &["action", "properties"]);
    }
    if !pack.manifest.derive.is_empty() {
        comes_from(DERIVED, &[DERIVED]);
    }

    let declared: BTreeSet<String> = types
        .actions
        .values()
        .flat_map(|action| action.context.keys())
        .map(|name| name.to_string())
        .collect();
    for (name, places) in &members {
        let Some(place) = places.last() else { continue };
        let place: Vec<&str> = place.iter().map(String::as_str).collect();
        if places.len() > 1 {
            errors.push(refuse(
                &place,
                format!("two members of a request would be `{name}` of Cedar's context"),
            ));
        } else if !declared.contains(name) {
            let message = format!(
                "schema.cedarschema declares no `{name}` in the context of any action, so a request with it could not be represented"
            );
            let error = if name == DERIVED {
                pack.manifest_error(LoadErrorKind::Invalid, &["derive"], message)
            } else {
                refuse(&place, message)
            };
            errors.push(with_nearest(error, name, &declared.iter().cloned().collect::<Vec<_>>()));
        }
    }

    for role in ["subject", "resource"] {
        let declared: BTreeSet<String> = types
            .entities
            .values()
            .flat_map(|of| of.attributes.keys())
            .map(|name| name.to_string())
            .collect();
        for name in names(&[role, "properties"]).difference(&declared) {
            let message = format!(
                "schema.cedarschema declares no attribute `{name}` of any type in `types`, so a {role} with it could not be represented"
            );
            errors.push(refuse(&[role, "properties", name], message));
        }
    }

    let derived: BTreeSet<String> =
        types.actions.values().flat_map(|action| record_names(&action.context, DERIVED)).collect();
    for name in
        pack.manifest.derive.keys().filter(|name| declared.contains(DERIVED) && !derived.contains(*name))
    {
        let message =
            format!("schema.cedarschema declares no `{name}` in `{DERIVED}` of any action's context");
        let error = pack.manifest_error(LoadErrorKind::Invalid, &["derive", name], message);
        errors.push(with_nearest(error, name, &derived.iter().cloned().collect::<Vec<_>>()));
    }
}

/// The names in a record that is an attribute.
fn record_names(attributes: &Attributes, name: &str) -> Vec<String> {
    match attributes.get_attr(name).map(|attribute| attribute.attr_type.as_ref()) {
        Some(Type::Record { attrs, .. }) => attrs.keys().map(|name| name.to_string()).collect(),
        _ => Vec::new(),
    }
}

fn root() -> Pointer {
    Pointer::from_tokens::<String>([])
}
