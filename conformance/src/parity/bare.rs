//! Two or more policies without a pack around them, made one.
//!
//! What a manifest would say is taken from the input schema: the types of subjects and resources, the names of actions, and
//! the shape of everything that Cedar has to know the types of.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use tribunal::core::document::Document;
use tribunal::core::engine::{LoadError, LoadErrorKind, LoadErrors};
use tribunal::core::pack::PackFiles;

/// A file that was read: its name for errors, and its bytes.
#[derive(Debug, Clone)]
pub struct NamedFile {
    /// The name.
    pub name: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Policies of several engines, and the schema of the requests they decide.
#[derive(Debug, Clone, Default)]
pub struct Bare {
    /// The Rego files.
    pub rego: Vec<NamedFile>,
    /// The rule that decides, as `a/b/decision` or `data.a.b.decision`.
    pub entrypoint: Option<String>,
    /// The Cedar policies.
    pub cedar: Option<NamedFile>,
    /// Cedar's schema; without it, one is made of the input schema.
    pub cedar_schema: Option<NamedFile>,
    /// Cedar's entities.
    pub entities: Option<NamedFile>,
    /// The Biscuit policy.
    pub biscuit: Option<NamedFile>,
    /// The JSON Schema of requests.
    pub schema: Option<NamedFile>,
    /// The data.
    pub data: Option<NamedFile>,
}

/// The name of the pack that bare policies become.
pub const NAME: &str = "bare-policies";

impl Bare {
    /// The pack's files.
    ///
    /// # Errors
    /// That there is nothing to compare, no schema, or a schema that does not say what Cedar has to know.
    pub fn files(&self) -> Result<PackFiles, LoadErrors> {
        let missing = |what: &str, help: &str| {
            LoadErrors::from(
                LoadError::new(LoadErrorKind::MissingFile, format!("there is no {what}")).help(help),
            )
        };
        let schema_file = self
            .schema
            .as_ref()
            .ok_or_else(|| missing("input schema", "give the JSON Schema of the requests with --schema"))?;
        let schema = Document::parse(&schema_file.name, &schema_file.bytes)?;
        let named = schema.value.get("properties").and_then(Value::as_object);
        if named.is_none_or(Map::is_empty) {
            let root = tribunal::core::contract::Pointer::from_tokens::<String>([]);
            let message = "the schema names no members: there is nothing to make requests of";
            return Err(schema.error(LoadErrorKind::Invalid, &root, message).into());
        }
        let mut engines = Map::new();
        let mut files: Vec<(String, Vec<u8>)> =
            vec![("input.schema.json".to_owned(), schema.value.to_string().into_bytes())];
        if !self.rego.is_empty() {
            let entrypoint = self.entrypoint.as_ref().ok_or_else(|| {
                missing(
                    "entrypoint",
                    "name the Rego rule that decides with --entrypoint, as `authz/decision`",
                )
            })?;
            let entrypoint =
                entrypoint.strip_prefix("data.").map_or(entrypoint.clone(), |path| path.replace('.', "/"));
            engines.insert("rego-native".to_owned(), json!({"entrypoint": entrypoint}));
            for file in &self.rego {
                let name = base_name(&file.name, "rego");
                if files.iter().any(|(other, _)| *other == name) {
                    let message =
                        format!("two Rego files are called `{name}`: one would take the place of the other");
                    return Err(LoadError::new(LoadErrorKind::Invalid, message).into());
                }
                files.push((name, file.bytes.clone()));
            }
        }
        if let Some(cedar) = &self.cedar {
            let text = format!(
                "{}\n{}",
                String::from_utf8_lossy(&cedar.bytes),
                self.cedar_schema
                    .as_ref()
                    .map_or(String::new(), |file| String::from_utf8_lossy(&file.bytes).into_owned())
            );
            let types = Types::of(&schema.value, &text);
            let cedar_schema = match &self.cedar_schema {
                Some(file) => file.bytes.clone(),
                None => types
                    .cedar_schema(&schema.value, &text)
                    .map_err(|message| {
                        LoadErrors::from(
                            LoadError::new(LoadErrorKind::Unsupported, message)
                                .help("write the schema yourself, and give it with --cedar-schema"),
                        )
                    })?
                    .into_bytes(),
            };
            engines.insert("cedar".to_owned(), types.settings());
            files.push((base_name(&cedar.name, "cedar"), cedar.bytes.clone()));
            files.push(("schema.cedarschema".to_owned(), cedar_schema));
            files.extend(self.entities.iter().map(|file| ("entities.json".to_owned(), file.bytes.clone())));
        }
        if let Some(biscuit) = &self.biscuit {
            engines.insert("biscuit".to_owned(), json!({}));
            files.push((base_name(&biscuit.name, "biscuit"), biscuit.bytes.clone()));
        }
        files.extend(self.data.iter().map(|file| ("data.json".to_owned(), file.bytes.clone())));
        let manifest = json!({
            "name": NAME,
            "version": "0.0.0",
            "description": "Policies compared without a pack",
            "engines": engines,
        });
        files.push(("pack.yaml".to_owned(), manifest.to_string().into_bytes()));
        Ok(PackFiles::new(files))
    }
}

/// A file's own name, with the extension that its engine looks for.
fn base_name(name: &str, extension: &str) -> String {
    let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = base.strip_suffix(&format!(".{extension}")).unwrap_or(base);
    format!("{stem}.{extension}")
}

/// What the input schema says of identities, in Cedar's words.
struct Types {
    subjects: Vec<(String, String)>,
    resources: Vec<(String, String)>,
    actions: BTreeSet<String>,
}

impl Types {
    fn of(schema: &Value, cedar: &str) -> Self {
        let known: BTreeSet<&str> = cedar
            .split(|char: char| !char.is_alphanumeric() && char != '_')
            .filter(|word| !word.is_empty())
            .collect();
        let typed = |place: &str| -> Vec<(String, String)> {
            values(schema, place)
                .into_iter()
                .map(|name| {
                    let cedar = known.iter().find(|word| {
                        word.eq_ignore_ascii_case(&name) && word.starts_with(char::is_uppercase)
                    });
                    let cedar = cedar.map_or_else(|| capitalised(&name), |word| (*word).to_owned());
                    (name, cedar)
                })
                .collect()
        };
        let mut actions: BTreeSet<String> =
            values(schema, "/properties/action/properties/name").into_iter().collect();
        for after in cedar.split("Action::\"").skip(1) {
            actions.extend(after.split('"').next().map(str::to_owned));
        }
        Self {
            subjects: typed("/properties/subject/properties/type"),
            resources: typed("/properties/resource/properties/type"),
            actions,
        }
    }

    fn settings(&self) -> Value {
        let types: Map<String, Value> = self
            .subjects
            .iter()
            .chain(&self.resources)
            .map(|(name, cedar)| (name.clone(), Value::from(cedar.as_str())))
            .collect();
        json!({"types": types, "action": "Action"})
    }

    fn cedar_schema(&self, schema: &Value, policy: &str) -> Result<String, String> {
        for (types, place) in [(&self.subjects, "subject"), (&self.resources, "resource")] {
            if types.is_empty() {
                return Err(format!(
                    "the input schema does not say which types `/{place}/type` can be (`const` or `enum`), and Cedar has to know"
                ));
            }
        }
        if self.actions.is_empty() {
            return Err("neither the input schema nor the policy names an action".to_owned());
        }
        let mut text = String::new();
        let mut declared = BTreeSet::new();
        for (types, place) in [(&self.subjects, "subject"), (&self.resources, "resource")] {
            let attributes = schema.pointer(&format!("/properties/{place}/properties/properties"));
            for (_, cedar) in types {
                if declared.insert(cedar.clone()) {
                    let record = attributes.map_or(Ok(String::new()), |schema| {
                        record(schema).map(|record| format!(" = {record}"))
                    })?;
                    text.push_str(&format!("entity {cedar}{record};\n"));
                }
            }
        }
        let mut context = Map::new();
        let mut required = Vec::new();
        let top = schema.get("properties").and_then(Value::as_object);
        for (name, member) in top.into_iter().flatten() {
            match name.as_str() {
                "subject" | "resource" => {}
                "action" => {
                    if let Some(properties) = member.pointer("/properties/properties") {
                        context.insert("action_properties".to_owned(), properties.clone());
                    }
                }
                "context" => {
                    for (name, member) in
                        member.get("properties").and_then(Value::as_object).into_iter().flatten()
                    {
                        context.insert(name.clone(), member.clone());
                        if is_required(schema, "context")
                            && is_required(member_schema(schema, "context"), name)
                        {
                            required.push(Value::from(name.as_str()));
                        }
                    }
                }
                _ => {
                    context.insert(name.clone(), member.clone());
                    if is_required(schema, name) {
                        required.push(Value::from(name.as_str()));
                    }
                }
            }
        }
        let context = record(&json!({"properties": context, "required": required}))?;
        let names = |types: &[(String, String)]| {
            let names: BTreeSet<&str> = types.iter().map(|(_, cedar)| cedar.as_str()).collect();
            names.into_iter().collect::<Vec<_>>().join(", ")
        };
        for action in &self.actions {
            text.push_str(&format!(
                "action {} appliesTo {{ principal: [{}], resource: [{}], context: {context} }};\n",
                Value::from(action.as_str()),
                names(&self.subjects),
                names(&self.resources)
            ));
        }
        if policy.contains(&format!("Data::\"{NAME}\"")) {
            return Err(format!(
                "the policy reads `Data::\"{NAME}\"`, whose type the input schema does not say"
            ));
        }
        Ok(text)
    }
}

fn member_schema<'s>(schema: &'s Value, name: &str) -> &'s Value {
    schema.pointer(&format!("/properties/{name}")).unwrap_or(&Value::Null)
}

fn is_required(schema: &Value, name: &str) -> bool {
    schema
        .get("required")
        .and_then(Value::as_array)
        .is_some_and(|names| names.iter().any(|known| known == name))
}

/// The texts that `const` or `enum` allow at a place of a schema.
fn values(schema: &Value, place: &str) -> Vec<String> {
    let Some(schema) = schema.pointer(place) else { return Vec::new() };
    let all = schema
        .get("const")
        .into_iter()
        .chain(schema.get("enum").and_then(Value::as_array).into_iter().flatten());
    all.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn capitalised(name: &str) -> String {
    name.split(|char: char| !char.is_alphanumeric())
        .flat_map(|word| {
            let mut chars = word.chars();
            chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect::<Vec<_>>()
        })
        .collect()
}

/// A record type of Cedar's for the members that a JSON Schema names.
fn record(schema: &Value) -> Result<String, String> {
    let members = schema.get("properties").and_then(Value::as_object);
    let members: Result<Vec<String>, String> = members
        .into_iter()
        .flatten()
        .map(|(name, member)| {
            let optional = if is_required(schema, name) { "" } else { "?" };
            Ok(format!("{}{optional}: {}", Value::from(name.as_str()), cedar_type(name, member)?))
        })
        .collect();
    Ok(format!("{{ {} }}", members?.join(", ")))
}

fn cedar_type(name: &str, schema: &Value) -> Result<String, String> {
    let kind = schema.get("type").and_then(Value::as_str).or_else(|| {
        let value = schema.get("const").or_else(|| schema.get("enum")?.as_array()?.first())?;
        Some(match value {
            Value::String(_) => "string",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "integer",
            _ => "another",
        })
    });
    Ok(match kind {
        Some("string") => "String".to_owned(),
        Some("integer") => "Long".to_owned(),
        Some("boolean") => "Bool".to_owned(),
        Some("array") => match schema.get("items") {
            Some(items) => format!("Set<{}>", cedar_type(name, items)?),
            None => return Err(format!("the input schema does not say what the list `{name}` holds")),
        },
        Some("object") => record(schema)?,
        _ => return Err(format!("`{name}` has no one type in the input schema that Cedar knows")),
    })
}
