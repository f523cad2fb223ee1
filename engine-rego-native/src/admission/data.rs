//! Data that would take the place of a rule: regorus would silently prefer it.

use serde_json::Value;
use tribunal_engine_core::engine::{LoadError, LoadErrorKind};

use super::RulePlace;

/// The rules whose place data has taken.
pub(crate) fn conflicts(data: &Value, rules: &[RulePlace]) -> Vec<LoadError> {
    let mut errors: Vec<LoadError> = Vec::new();
    for rule in rules {
        let mut value = Some(data);
        for step in &rule.path {
            value = match value {
                Some(Value::Object(members)) => members.get(step),
                // A value that is no object stands where a package has to.
                other => {
                    value = other;
                    break;
                }
            };
        }
        if value.is_some() {
            let message = format!("data has a value where the rule `{}` is", rule.path.join("."));
            let error = LoadError::new(LoadErrorKind::Invalid, message).at(rule.place.clone());
            if !errors.contains(&error) {
                errors.push(error.help("rename the member of the data or the package"));
            }
        }
    }
    errors
}
