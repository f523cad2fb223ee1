//! Paths into values: JSON pointers, or arrays of keys.

use std::collections::BTreeMap;

use crate::builtin::{Failure, fail};
use crate::value::Value;

/// The keys of a path. A pointer's leading slashes do not count, however many they are; an array is taken as it is.
pub(crate) fn parse(path: &Value) -> Result<Vec<Value>, Failure> {
    match path {
        Value::String(text) if text.is_empty() => Ok(Vec::new()),
        Value::String(text) => Ok(text
            .trim_start_matches('/')
            .split('/')
            .map(|part| Value::from(part.replace("~1", "/").replace("~0", "~")))
            .collect()),
        Value::Array(keys) => Ok(keys.clone()),
        other => fail(format!(
            "operand 2 must be one of {{set, array}} containing string paths or array of path segments but got {}",
            other.type_name()
        )),
    }
}

/// Several paths as a tree.
pub(crate) enum Paths {
    /// A path ends here.
    Leaf,
    Node(BTreeMap<Value, Paths>),
}

impl Paths {
    /// Adds a path; the shorter of two paths wins.
    pub(crate) fn add(&mut self, path: &[Value]) {
        let Paths::Node(children) = self else {
            return;
        };
        match path {
            [] => {}
            [last] => {
                children.insert(last.clone(), Paths::Leaf);
            }
            [first, rest @ ..] => {
                children.entry(first.clone()).or_insert_with(|| Paths::Node(BTreeMap::new())).add(rest);
            }
        }
    }
}
