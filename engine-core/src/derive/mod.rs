//! Derived members: placeholder
use std::collections::BTreeMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use crate::document::Document;
use crate::engine::LoadErrors;
/// spec
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeriveSpec {}
/// plan
#[derive(Debug, Clone, Default)]
pub struct DerivePlan {}
impl DerivePlan {
    /// compile
    /// # Errors
    /// x
    pub fn compile(_: &BTreeMap<String, DeriveSpec>, _: &Document) -> Result<Self, LoadErrors> { Ok(Self {}) }
}
