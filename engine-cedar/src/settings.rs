//! `engines.cedar` in `pack.yaml`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// How requests become Cedar entities.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The Cedar entity type of each `subject.type` and `resource.type` that requests may have.
    #[schemars(extend("minProperties" = 1))]
    pub(crate) types: BTreeMap<String, String>,
    /// The entity type of actions: `action.name` becomes an id of it.
    #[serde(default = "default_action")]
    pub(crate) action: String,
}

fn default_action() -> String {
    "Action".to_owned()
}
