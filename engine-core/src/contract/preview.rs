//! Pieces of a redacted request that others may look at.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json::canonical;
use crate::pack::files::digest;

/// Characters shown on either side of a change.
const AROUND: usize = 40;
/// Characters shown of the change itself, at its beginning and at its end.
const WITHIN: usize = 80;

/// A change as it looks afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Preview {
    /// Where.
    pub path: String,
    /// The text that went ahead: what took the place of the original, and a little around it. Absent where nothing may be
    /// shown, nothing is left, or the text is too long to be looked through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<String>,
}

impl Preview {
    /// The changed part of `after` with a little around it; texts only.
    pub(super) fn text_of(before: &Value, after: &Value) -> Option<String> {
        let (Value::String(before), Value::String(after)) = (before, after) else { return None };
        let (before, after): (Vec<char>, Vec<char>) = (before.chars().collect(), after.chars().collect());
        let same = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
        // A character is at most on one side of the change.
        let room = before.len().min(after.len()).saturating_sub(same);
        let tail = before.iter().rev().zip(after.iter().rev()).take(room).take_while(|(a, b)| a == b).count();
        let end = after.len().saturating_sub(tail);
        let from = same.saturating_sub(AROUND);
        let to = (end + AROUND).min(after.len());
        let piece = |from: usize, to: usize| after.get(from..to).into_iter().flatten().collect::<String>();
        let mut shown = String::new();
        if from > 0 {
            shown.push('…');
        }
        if end - same > 2 * WITHIN {
            shown.push_str(&piece(from, same + WITHIN));
            shown.push_str(" … ");
            shown.push_str(&piece(end - WITHIN, to));
        } else {
            shown.push_str(&piece(from, to));
        }
        if to < after.len() {
            shown.push('…');
        }
        Some(shown)
    }
}

/// How much something is, without what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Extent {
    /// Its JSON type.
    #[serde(rename = "type")]
    pub kind: ValueKind,
    /// Characters of a text, elements of a list, members of an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<usize>,
    /// `sha256:` over its canonical JSON text; only of what went ahead and may be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// A type of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the types of JSON")]
pub enum ValueKind {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

impl Extent {
    /// Type and length.
    pub(super) fn of(value: &Value) -> Self {
        let (kind, length) = match value {
            Value::Null => (ValueKind::Null, None),
            Value::Bool(_) => (ValueKind::Boolean, None),
            Value::Number(_) => (ValueKind::Number, None),
            Value::String(text) => (ValueKind::String, Some(text.chars().count())),
            Value::Array(items) => (ValueKind::Array, Some(items.len())),
            Value::Object(members) => (ValueKind::Object, Some(members.len())),
        };
        Self { kind, length, digest: None }
    }

    /// Type, length and digest.
    pub(super) fn with_digest(value: &Value) -> Self {
        Self { digest: Some(digest(canonical(value).as_bytes())), ..Self::of(value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_change_is_shown_with_a_little_around() {
        let around = "x".repeat(60);
        for (before, after, shown) in [
            ("write to a@b.ch now", "write to [email] now", "write to [email] now".to_owned()),
            ("aaa", "aa", "aa".to_owned()),
            ("secret", "", String::new()),
            (
                &*format!("{around}S1{around}"),
                &*format!("{around}[gone]{around}"),
                format!("…{0}[gone]{0}…", "x".repeat(AROUND)),
            ),
        ] {
            assert_eq!(Preview::text_of(&json!(before), &json!(after)), Some(shown));
        }
        let long = "y".repeat(1000);
        let shown = Preview::text_of(&json!("S"), &json!(long)).unwrap();
        assert_eq!(shown, format!("{0} … {0}", "y".repeat(WITHIN)));
        assert_eq!(Preview::text_of(&json!(5), &json!("x")), None);
    }
}
