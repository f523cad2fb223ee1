//! The changes by which one case is made of another.

use serde_json::{Map, Value};
use tribunal::core::contract::Pointer;

/// Takes what stands at a place out of a request; `None` if nothing stands there.
pub fn remove(request: &mut Value, place: &Pointer) -> Option<Value> {
    let (last, parents) = place.tokens().split_last()?;
    match descend(request, parents)? {
        Value::Object(members) => members.remove(last),
        Value::Array(items) => {
            let index = index(last).filter(|index| *index < items.len())?;
            Some(items.remove(index))
        }
        _ => None,
    }
}

/// Puts a value at a place, making the objects on the way; `None` if a value on the way can hold no member of that name.
/// An array takes an existing index, or `-` for one more element.
pub fn set(request: &mut Value, place: &Pointer, value: Value) -> Option<()> {
    let (last, parents) = place.tokens().split_last()?;
    let mut target = request;
    for token in parents {
        target = match target {
            Value::Object(members) => {
                members.entry(token.as_str()).or_insert_with(|| Value::Object(Map::new()))
            }
            Value::Array(items) => items.get_mut(index(token)?)?,
            _ => return None,
        };
    }
    match target {
        Value::Object(members) => {
            members.insert(last.clone(), value);
        }
        Value::Array(items) if last == "-" => items.push(value),
        Value::Array(items) => *items.get_mut(index(last)?)? = value,
        _ => return None,
    }
    Some(())
}

fn descend<'v>(value: &'v mut Value, tokens: &[String]) -> Option<&'v mut Value> {
    tokens.iter().try_fold(value, |value, token| match value {
        Value::Object(members) => members.get_mut(token),
        Value::Array(items) => items.get_mut(index(token)?),
        _ => None,
    })
}

fn index(token: &str) -> Option<usize> {
    let canonical = token == "0" || !token.starts_with(['0', '+']);
    if canonical { token.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pointer(text: &str) -> Pointer {
        Pointer::parse(text).unwrap()
    }

    #[test]
    fn places_are_taken_out_and_filled() {
        let request = || json!({"a": {"b": 1}, "list": [1, 2]});
        for (place, rest) in [
            ("/a", Some(json!({"list": [1, 2]}))),
            ("/a/b", Some(json!({"a": {}, "list": [1, 2]}))),
            ("/list/0", Some(json!({"a": {"b": 1}, "list": [2]}))),
            ("/list/2", None),
            ("/list/-", None),
            ("/c", None),
            ("/a/b/c", None),
            ("", None),
        ] {
            let mut changed = request();
            let removed = remove(&mut changed, &pointer(place)).map(|_| changed);
            assert_eq!(removed, rest, "{place}");
        }
        for (place, filled) in [
            ("/a/b", Some(json!({"a": {"b": 9}, "list": [1, 2]}))),
            ("/x/y/z", Some(json!({"a": {"b": 1}, "list": [1, 2], "x": {"y": {"z": 9}}}))),
            ("/list/1", Some(json!({"a": {"b": 1}, "list": [1, 9]}))),
            ("/list/-", Some(json!({"a": {"b": 1}, "list": [1, 2, 9]}))),
            ("/list/2", None),
            ("/list/01", None),
            ("/a/b/c", None),
            ("", None),
        ] {
            let mut changed = request();
            let set = set(&mut changed, &pointer(place), json!(9)).map(|()| changed);
            assert_eq!(set, filled, "{place}");
        }
    }
}
