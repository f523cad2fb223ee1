//! Patches: the part of RFC 6902 (JSON Patch) that a redaction may use, on RFC 6901 pointers.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::decision::{Decision, DecisionEffect};

/// A JSON pointer (RFC 6901), held as its unescaped tokens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer(Vec<String>);

/// A text that is not a JSON pointer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a JSON pointer: it must be empty or begin with `/`, and `~` must stand in `~0` or `~1`"
)]
pub struct PointerError(String);

impl Pointer {
    /// Reads `/context/prompt`.
    ///
    /// # Errors
    /// The text, if RFC 6901 does not allow it.
    pub fn parse(text: &str) -> Result<Self, PointerError> {
        if text.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let rest = text.strip_prefix('/').ok_or_else(|| PointerError(text.to_owned()))?;
        rest.split('/')
            .map(|token| unescape(token).ok_or_else(|| PointerError(text.to_owned())))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// A pointer from unescaped tokens.
    pub fn from_tokens<T: Into<String>>(tokens: impl IntoIterator<Item = T>) -> Self {
        Self(tokens.into_iter().map(Into::into).collect())
    }

    /// The unescaped tokens, outermost first.
    pub fn tokens(&self) -> &[String] {
        &self.0
    }

    /// This pointer with one more token.
    #[must_use]
    pub fn child(&self, token: impl Into<String>) -> Self {
        let mut tokens = self.0.clone();
        tokens.push(token.into());
        Self(tokens)
    }

    /// Whether `other` is this place or lies below it.
    pub fn contains(&self, other: &Pointer) -> bool {
        other.0.starts_with(&self.0)
    }

    /// The value at this place.
    pub fn get<'v>(&self, document: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(document, |value, token| match value {
            Value::Object(members) => members.get(token),
            Value::Array(items) => items.get(array_index(token)?),
            _ => None,
        })
    }

    fn get_mut<'v>(&self, document: &'v mut Value) -> Option<&'v mut Value> {
        self.0.iter().try_fold(document, |value, token| match value {
            Value::Object(members) => members.get_mut(token),
            Value::Array(items) => items.get_mut(array_index(token)?),
            _ => None,
        })
    }

    /// The order in which removals may be carried out one after another: deeper and later places first.
    fn removal_order(&self, other: &Pointer) -> std::cmp::Ordering {
        let index = |token: &String| array_index(token).ok_or_else(|| token.clone());
        other.0.iter().map(index).cmp(self.0.iter().map(index))
    }
}

/// An array index of RFC 6901: digits, no leading zero; never `-`, which names no existing element.
fn array_index(token: &str) -> Option<usize> {
    let canonical = token == "0" || !token.starts_with('0');
    if canonical && token.bytes().all(|byte| byte.is_ascii_digit()) { token.parse().ok() } else { None }
}

fn unescape(token: &str) -> Option<String> {
    let mut unescaped = String::with_capacity(token.len());
    let mut chars = token.chars();
    while let Some(c) = chars.next() {
        unescaped.push(match c {
            '~' => match chars.next()? {
                '0' => '~',
                '1' => '/',
                _ => return None,
            },
            other => other,
        });
    }
    Some(unescaped)
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for token in &self.0 {
            write!(f, "/{}", token.replace('~', "~0").replace('/', "~1"))?;
        }
        Ok(())
    }
}

impl Serialize for Pointer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Pointer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Pointer::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Pointer {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Pointer".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^(/([^~]|~0|~1)*)?$",
            "description": "A JSON pointer (RFC 6901).",
        })
    }
}

/// One change of a redaction. RFC 6902 has more operations; a redaction may only replace and remove.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Patch {
    /// Put another value at an existing place.
    Replace {
        /// The place.
        path: Pointer,
        /// What stands there afterwards.
        value: Value,
    },
    /// Take an existing place away.
    Remove {
        /// The place.
        path: Pointer,
    },
}

impl Patch {
    /// The place this patch changes.
    pub fn path(&self) -> &Pointer {
        match self {
            Patch::Replace { path, .. } | Patch::Remove { path } => path,
        }
    }

    /// Whether both can be carried out in either order with the same result.
    ///
    /// Equal patches are one patch, and a removal swallows whatever is changed below it.
    pub fn is_compatible(&self, other: &Patch) -> bool {
        if self == other {
            return true;
        }
        let (a, b) = (self.path(), other.path());
        match (self, other) {
            _ if a == b => false,
            (Patch::Remove { .. }, _) if a.contains(b) => true,
            (_, Patch::Remove { .. }) if b.contains(a) => true,
            _ => !a.contains(b) && !b.contains(a),
        }
    }
}

/// Why a decision's patches cannot be applied to a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// Only `redact` says that a changed request may go ahead; an `allow` needs no change.
    #[error("a `{0}` does not let the request go ahead, so its patches are not applied")]
    Refused(DecisionEffect),
    /// The place does not exist in this request.
    #[error("nothing stands at `{0}` in this request")]
    NoSuchPlace(Pointer),
}

impl Decision {
    /// The request as it may go ahead: unchanged for `allow`, with every patch applied for `redact`.
    ///
    /// # Errors
    /// [`ApplyError::Refused`] for `step_up` and `deny`; [`ApplyError::NoSuchPlace`] if a patch does not fit the
    /// request, in which case the caller must refuse it.
    pub fn apply(&self, request: &Value) -> Result<Value, ApplyError> {
        match self.effect {
            DecisionEffect::Allow if self.patches.is_empty() => Ok(request.clone()),
            DecisionEffect::Redact => apply(&self.patches, request),
            refused => Err(ApplyError::Refused(refused)),
        }
    }
}

/// Carries out patches that all speak of `document`: replacements first, then removals from the highest index down.
///
/// The patches must be pairwise compatible; what lies below a removal goes with it.
pub(crate) fn apply<'p>(
    patches: impl IntoIterator<Item = &'p Patch> + Clone,
    document: &Value,
) -> Result<Value, ApplyError> {
    let mut result = document.clone();
    let mut removals: Vec<&Pointer> = Vec::new();
    for patch in patches.clone() {
        let place = patch.path();
        let target = place.get_mut(&mut result).ok_or_else(|| ApplyError::NoSuchPlace(place.clone()))?;
        match patch {
            Patch::Replace { value, .. } => *target = value.clone(),
            Patch::Remove { path } => removals.push(path),
        }
    }
    removals.sort_by(|a, b| a.removal_order(b));
    removals.dedup();
    let swallowed = |place: &Pointer| removals.iter().any(|other| *other != place && other.contains(place));
    for place in removals.iter().filter(|place| !swallowed(place)) {
        remove(place, &mut result).ok_or_else(|| ApplyError::NoSuchPlace((*place).clone()))?;
    }
    Ok(result)
}

fn remove(place: &Pointer, document: &mut Value) -> Option<Value> {
    let (last, parents) = place.tokens().split_last()?;
    match Pointer(parents.to_vec()).get_mut(document)? {
        Value::Object(members) => members.remove(last),
        Value::Array(items) => {
            let index = array_index(last).filter(|index| *index < items.len())?;
            Some(items.remove(index))
        }
        _ => None,
    }
}

/// The canonical patches that turn `before` into `after`, where `after` came from it by replacing and removing.
///
/// Members that are gone are removed, values that differ replaced, arrays of equal length compared element by
/// element, and an array that merely lost elements loses them here too; any other array is replaced whole.
pub(crate) fn difference(before: &Value, after: &Value) -> Vec<Patch> {
    let mut replacements = Vec::new();
    let mut removals = Vec::new();
    compare(&Pointer(Vec::new()), before, after, &mut replacements, &mut removals);
    replacements.sort_by(|a, b| a.path().cmp(b.path()));
    removals.sort_by(Pointer::removal_order);
    replacements.into_iter().chain(removals.into_iter().map(|path| Patch::Remove { path })).collect()
}

fn compare(
    place: &Pointer,
    before: &Value,
    after: &Value,
    replacements: &mut Vec<Patch>,
    removals: &mut Vec<Pointer>,
) {
    if before == after {
        return;
    }
    match (before, after) {
        (Value::Object(old), Value::Object(new)) if new.keys().all(|name| old.contains_key(name)) => {
            for (name, value) in old {
                match new.get(name) {
                    Some(changed) => compare(&place.child(name), value, changed, replacements, removals),
                    None => removals.push(place.child(name)),
                }
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (value, changed)) in old.iter().zip(new).enumerate() {
                compare(&place.child(index.to_string()), value, changed, replacements, removals);
            }
        }
        (Value::Array(old), Value::Array(new)) if new.len() < old.len() => match missing_indices(old, new) {
            Some(gone) => removals.extend(gone.into_iter().map(|index| place.child(index.to_string()))),
            None => replacements.push(Patch::Replace { path: place.clone(), value: after.clone() }),
        },
        _ => replacements.push(Patch::Replace { path: place.clone(), value: after.clone() }),
    }
}

/// Which elements of `old` are missing from `new`, if `new` is otherwise `old` in order.
fn missing_indices(old: &[Value], new: &[Value]) -> Option<Vec<usize>> {
    let mut kept = new.iter().peekable();
    let mut gone = Vec::new();
    for (index, value) in old.iter().enumerate() {
        if kept.next_if(|next| *next == value).is_none() {
            gone.push(index);
        }
    }
    kept.peek().is_none().then_some(gone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn remove_at(path: &str) -> Patch {
        Patch::Remove { path: Pointer::parse(path).unwrap() }
    }

    #[test]
    fn pointers_follow_rfc_6901() {
        let document = json!({"foo": ["bar", "baz"], "": 0, "a/b": 1, "m~n": 8});
        for (text, value) in
            [("/foo/0", json!("bar")), ("/", json!(0)), ("/a~1b", json!(1)), ("/m~0n", json!(8))]
        {
            let pointer = Pointer::parse(text).unwrap();
            assert_eq!(pointer.get(&document), Some(&value));
            assert_eq!(pointer.to_string(), text);
        }
        for absent in ["/foo/-", "/foo/00", "/foo/2", "/foo/+1", "/nope"] {
            assert_eq!(Pointer::parse(absent).unwrap().get(&document), None, "{absent}");
        }
        for wrong in ["foo", "/~", "/~2"] {
            assert!(Pointer::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn neighbours_in_an_array_are_removed_from_the_highest_index_down() {
        let document = json!({"list": (0..12).collect::<Vec<_>>()});
        let patches =
            [remove_at("/list/2"), remove_at("/list/10"), remove_at("/list/3"), remove_at("/list/2")];
        let after = apply(&patches, &document).unwrap();
        assert_eq!(after, json!({"list": [0, 1, 4, 5, 6, 7, 8, 9, 11]}));
        assert_eq!(apply(&difference(&document, &after), &document).unwrap(), after);
    }

    #[test]
    fn a_removed_parent_swallows_its_children() {
        let document = json!({"a": {"b": [1, 2], "c": 3}, "d": 4});
        let replace = Patch::Replace { path: Pointer::parse("/a/c").unwrap(), value: json!("x") };
        let after = apply(&[replace, remove_at("/a/b/0"), remove_at("/a")], &document).unwrap();
        assert_eq!(after, json!({"d": 4}));
    }

    #[test]
    fn a_patch_on_nothing_is_an_error() {
        let redact = Decision {
            effect: DecisionEffect::Redact,
            reason: None,
            patches: vec![remove_at("/nope")],
            step_up: None,
        };
        assert!(matches!(redact.apply(&json!({})), Err(ApplyError::NoSuchPlace(_))));
        let denied = Decision { patches: vec![remove_at("/a")], ..Decision::deny("no") };
        assert_eq!(denied.apply(&json!({"a": 1})), Err(ApplyError::Refused(DecisionEffect::Deny)));
    }
}
