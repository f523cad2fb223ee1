//! `schema.cedarschema`, and what it says about requests.

use std::collections::{BTreeMap, HashMap, HashSet};

use cedar_policy::{EntityTypeName, Schema, SchemaFragment};
use cedar_policy_core::ast::{Eid, EntityType, EntityUID};
use cedar_policy_core::validator::types::{Attributes, Type};
use cedar_policy_core::validator::{ValidatorEntityType, ValidatorEntityTypeKind, ValidatorSchema};
use serde_json::Value;
use tribunal_engine_core::document::with_nearest;
use tribunal_engine_core::engine::{LoadError, LoadErrorKind};
use tribunal_engine_core::location::Location;
use tribunal_engine_core::pack::PackSource;

use crate::bounds;
use crate::error::located;
use crate::nesting::{self, Language};
use crate::settings::Settings;

/// The file's name inside a pack.
pub(crate) const FILE: &str = "schema.cedarschema";

/// The entity type that pack data is an entity of.
pub(crate) const DATA: &str = "Data";

/// What the schema says about requests, found once.
#[derive(Debug)]
pub(crate) struct RequestTypes {
    /// By `subject.type` or `resource.type`.
    pub(crate) entities: HashMap<String, RequestEntityType>,
    /// By `action.name`.
    pub(crate) actions: HashMap<String, ActionType>,
}

/// What entities of one request type become.
#[derive(Debug)]
pub(crate) struct RequestEntityType {
    pub(crate) entity_type: EntityType,
    pub(crate) attributes: Attributes,
    /// The ids there are, if the schema lists them.
    pub(crate) ids: Option<HashSet<String>>,
}

/// What a request for one action has to be.
#[derive(Debug)]
pub(crate) struct ActionType {
    pub(crate) uid: EntityUID,
    pub(crate) principals: HashSet<EntityType>,
    pub(crate) resources: HashSet<EntityType>,
    pub(crate) context: Attributes,
}

/// Reads the schema.
pub(crate) fn read(pack: &PackSource) -> Result<Schema, Vec<LoadError>> {
    let text =
        pack.text(FILE).map_err(|error| vec![error.help("Cedar policies are validated against a schema")])?;
    let file = pack.file_name(FILE);
    if text.len() > bounds::TEXT {
        let error = LoadError::new(
            LoadErrorKind::Bounds,
            format!("the schema has {} bytes, more than {}", text.len(), bounds::TEXT),
        );
        return Err(vec![error.at(Location::new(file, 1, 1))]);
    }
    nesting::check(text, Language::Schema).map_err(|deep| {
        vec![LoadError::new(LoadErrorKind::Bounds, deep.message).at(Location::of_offset(
            &file,
            text,
            deep.offset,
        ))]
    })?;
    spelt_out(text).map_err(|message| {
        vec![LoadError::new(LoadErrorKind::Bounds, message).at(Location::new(&file, 1, 1))]
    })?;
    match Schema::from_cedarschema_str(text) {
        Ok((schema, warnings)) => {
            let refused: Vec<_> =
                warnings.map(|warning| located(LoadErrorKind::Invalid, &warning, &file, text, 0)).collect();
            if refused.is_empty() { Ok(schema) } else { Err(refused) }
        }
        Err(error) => {
            let kind = if matches!(error, cedar_policy::CedarSchemaError::Parse(_)) {
                LoadErrorKind::Syntax
            } else {
                LoadErrorKind::Invalid
            };
            Err(vec![located(kind, &error, &file, text, 0)])
        }
    }
}

/// Bounds what common types come to once they are spelt out, as Cedar does: a name used twice in each of thirty types is
/// otherwise a thousand million.
fn spelt_out(text: &str) -> Result<(), String> {
    // What does not parse is refused, with its place, by whoever reads it next.
    let Ok((fragment, _)) = SchemaFragment::from_cedarschema_str(text) else { return Ok(()) };
    let Ok(Value::Object(namespaces)) = fragment.to_json_value() else { return Ok(()) };
    let mut declared: BTreeMap<String, (&str, &Value)> = BTreeMap::new();
    for (namespace, content) in &namespaces {
        for (name, definition) in content.get("commonTypes").and_then(Value::as_object).into_iter().flatten()
        {
            declared.insert(qualified(namespace, name), (namespace, definition));
        }
    }
    // Sizes settle from the leaves up, one level a pass, so no recursion here follows a chain of names.
    let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
    for _ in 0..=bounds::NESTING {
        let before = sizes.len();
        for (name, (namespace, definition)) in &declared {
            if !sizes.contains_key(name)
                && let Some(size) = size(definition, namespace, &declared, &sizes)
            {
                if size > bounds::TYPES {
                    return Err(format!(
                        "the type `{name}` comes to {size} types once its names are spelt out, more than {}",
                        bounds::TYPES
                    ));
                }
                sizes.insert(name.clone(), size);
            }
        }
        if sizes.len() == declared.len() || sizes.len() == before {
            break;
        }
    }
    let unsettled = declared.keys().find(|name| !sizes.contains_key(*name));
    if let Some(name) = unsettled {
        return Err(format!(
            "the type `{name}` is defined through itself, or through more than {} names",
            bounds::NESTING
        ));
    }
    for (namespace, content) in &namespaces {
        match size(content, namespace, &declared, &sizes) {
            Some(size) if size <= bounds::TYPES * 10 => {}
            _ => {
                return Err(format!(
                    "the schema comes to more than {} types once its names are spelt out",
                    bounds::TYPES * 10
                ));
            }
        }
    }
    Ok(())
}

fn qualified(namespace: &str, name: &str) -> String {
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}::{name}") }
}

/// The size of a definition, or `None` while a name in it has none yet. The text's depth is bounded, so this may descend.
fn size(
    definition: &Value,
    namespace: &str,
    declared: &BTreeMap<String, (&str, &Value)>,
    sizes: &BTreeMap<String, u64>,
) -> Option<u64> {
    let children: u64 = match definition {
        Value::Object(members) => members.values().try_fold(0_u64, |sum, member| {
            Some(sum.saturating_add(size(member, namespace, declared, sizes)?))
        })?,
        Value::Array(items) => items
            .iter()
            .try_fold(0_u64, |sum, item| Some(sum.saturating_add(size(item, namespace, declared, sizes)?)))?,
        _ => 0,
    };
    let named = ["name", "type"].iter().filter_map(|key| definition.get(key)).filter_map(Value::as_str);
    let mut used = 0_u64;
    for name in named {
        let candidates = [qualified(namespace, name), name.to_owned()];
        if let Some(name) = candidates.iter().find(|name| declared.contains_key(*name)) {
            used = used.saturating_add(*sizes.get(name)?);
        }
    }
    Some(children.saturating_add(used).saturating_add(1))
}

impl RequestTypes {
    /// Reads the settings by the schema.
    pub(crate) fn new(
        pack: &PackSource,
        settings: &Settings,
        schema: &Schema,
    ) -> Result<Self, Vec<LoadError>> {
        let mut errors = Vec::new();
        let validator: &ValidatorSchema = schema.as_ref();
        let known: Vec<String> = schema.entity_types().map(ToString::to_string).collect();
        let mut entities = HashMap::new();
        for (name, type_name) in &settings.types {
            let place = ["engines", "cedar", "types", name.as_str()];
            let refuse = |message: String| pack.manifest_error(LoadErrorKind::Invalid, &place, message);
            let Ok(entity_type) = type_name.parse::<EntityTypeName>() else {
                errors.push(refuse(format!("`{type_name}` is not the name of an entity type")));
                continue;
            };
            let declared = validator.get_entity_type(entity_type.as_ref());
            let Some(declared) =
                declared.filter(|declared| !matches!(declared.kind, ValidatorEntityTypeKind::External))
            else {
                errors.push(with_nearest(
                    refuse(format!("schema.cedarschema has no entity type `{type_name}`")),
                    type_name,
                    &known,
                ));
                continue;
            };
            if type_name == DATA {
                errors.push(refuse(format!("`{DATA}` is the pack's data: a request cannot be it")));
                continue;
            }
            // Whoever may name its own type could otherwise name itself as the role that others are given.
            let mut members: Vec<String> = declared.descendants.iter().map(ToString::to_string).collect();
            members.sort();
            if !members.is_empty() {
                errors.push(refuse(format!(
                    "entities of `{}` can be in `{type_name}`, so a request of that type would claim to be a role or a group",
                    members.join("`, `")
                )));
                continue;
            }
            entities.insert(name.clone(), RequestEntityType::new(declared));
        }
        let actions = actions(validator, &settings.action);
        if actions.is_empty() {
            let place = ["engines", "cedar", "action"];
            let message = format!(
                "schema.cedarschema has no action of type `{}` that applies to anything",
                settings.action
            );
            let types: HashSet<String> =
                validator.action_ids().map(|action| action.name().entity_type().to_string()).collect();
            let mut types: Vec<String> = types.into_iter().collect();
            types.sort();
            errors.push(with_nearest(
                pack.manifest_error(LoadErrorKind::Invalid, &place, message),
                &settings.action,
                &types,
            ));
        }
        if errors.is_empty() { Ok(Self { entities, actions }) } else { Err(errors) }
    }
}

impl RequestEntityType {
    fn new(declared: &ValidatorEntityType) -> Self {
        let ids = match &declared.kind {
            ValidatorEntityTypeKind::Enum(ids) => Some(ids.iter().map(id_text).collect()),
            _ => None,
        };
        Self { entity_type: declared.name().clone(), attributes: declared.attributes().clone(), ids }
    }
}

fn id_text(id: &Eid) -> String {
    let id: &str = id.as_ref();
    id.to_owned()
}

fn actions(schema: &ValidatorSchema, entity_type: &str) -> HashMap<String, ActionType> {
    let mut actions = HashMap::new();
    for action in schema.action_ids().filter(|action| action.name().entity_type().to_string() == entity_type)
    {
        let Some(Type::Record { attrs, .. }) = action.context_type() else { continue };
        let principals: HashSet<EntityType> = action.applies_to_principals().cloned().collect();
        let resources: HashSet<EntityType> = action.applies_to_resources().cloned().collect();
        // A group of actions applies to nothing: nobody can ask for it.
        if principals.is_empty() || resources.is_empty() {
            continue;
        }
        let uid = action.name().clone();
        actions.insert(id_text(uid.eid()), ActionType { uid, principals, resources, context: attrs.clone() });
    }
    actions
}
