//! Where a request can grow.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use tribunal::core::contract::Pointer;
use tribunal::core::pack::shape::Shape;

use super::fill::{BENIGN, Fill, HOSTILE};

/// The member in which a request brings what its pack never heard of.
const UNNAMED: &str = "unnamed";

/// A place of requests, and how it is made larger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pointer: Pointer,
    grows: Grows,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Grows {
    /// A text grows longer.
    Text,
    /// A list has more elements.
    List,
    /// Each of so many elements, texts, grows longer.
    Each(usize),
    /// An object has more members.
    Members,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.grows {
            Grows::Text => write!(f, "`{}`", self.pointer),
            Grows::List => write!(f, "elements of `{}`", self.pointer),
            Grows::Each(count) => write!(f, "each of {count} elements of `{}`", self.pointer),
            Grows::Members => write!(f, "members of `{}`", self.pointer),
        }
    }
}

impl Place {
    /// Every text and list of a request that the pack's schema names.
    pub fn of(request: &Value, named: Shape<'_>) -> BTreeSet<Place> {
        let mut found = BTreeSet::new();
        gather(request, named, &Pointer::from_tokens([] as [&str; 0]), &mut found);
        found
    }

    /// What every request can bring that no pack names: engines that take in the whole request take that in, too.
    pub fn unnamed() -> [Place; 3] {
        [Grows::Text, Grows::List, Grows::Members]
            .map(|grows| Place { pointer: Pointer::from_tokens([UNNAMED]), grows })
    }

    /// This list with so many elements, each of which grows longer; `None` of what is no list.
    pub fn each(&self, count: usize) -> Option<Place> {
        matches!(self.grows, Grows::List)
            .then(|| Place { pointer: self.pointer.clone(), grows: Grows::Each(count) })
    }

    /// What the place is filled with. Only a text that the pack names is searched, so that only there anything is hostile.
    pub fn fills(&self) -> impl Iterator<Item = &'static Fill> {
        let is_searched = self.is_named() && matches!(self.grows, Grows::Text);
        BENIGN.iter().chain(if is_searched { HOSTILE.as_slice() } else { &[] })
    }

    fn is_named(&self) -> bool {
        self.pointer.tokens() != [UNNAMED]
    }

    /// The request with this place made larger: so many characters, elements or members more. What stands there stays at the
    /// start of what comes to stand there, so that a URL remains one.
    pub fn grow(&self, request: &Value, fill: &Fill, size: usize) -> Option<Value> {
        let mut grown = request.clone();
        if !self.is_named() {
            grown.as_object_mut()?.insert(UNNAMED.to_owned(), self.nothing());
        }
        let place = grown.pointer_mut(&self.pointer.to_string())?;
        match (self.grows, place) {
            (Grows::Text, Value::String(text)) => text.push_str(&fill.text(size)),
            (Grows::List, Value::Array(items)) => {
                let first = items.first().cloned();
                items.extend((0..size).map(|number| element(first.as_ref(), &fill.piece(number))));
            }
            (Grows::Each(count), Value::Array(items)) => {
                let first = items.first()?.as_str()?.to_owned();
                *items = vec![Value::String(first + &fill.text(size)); count];
            }
            (Grows::Members, Value::Object(members)) => {
                members
                    .extend((0..size).map(|number| (format!("{}{number}", fill.piece(number)), Value::Null)));
            }
            _ => return None,
        }
        Some(grown)
    }

    fn nothing(&self) -> Value {
        match self.grows {
            Grows::Text => Value::String(String::new()),
            Grows::List | Grows::Each(_) => Value::Array(Vec::new()),
            Grows::Members => Value::Object(Map::new()),
        }
    }

    /// How much larger the place can be made before a request is no longer `accepted`, whatever benign it is filled with.
    pub fn most(&self, request: &Value, accepted: impl Fn(&Value) -> bool) -> usize {
        let most = |fill: &Fill| {
            let fits = |size: usize| self.grow(request, fill, size).is_some_and(|grown| accepted(&grown));
            // Whole units only: with fewer characters than one nothing is tried.
            let mut refused = 64;
            while refused <= 1 << 20 && fits(refused) {
                refused *= 2;
            }
            let mut least = refused / 2 * usize::from(refused > 64);
            while refused - least > 1 + least / 64 {
                let middle = least + (refused - least) / 2;
                if fits(middle) { least = middle } else { refused = middle }
            }
            least
        };
        BENIGN.iter().map(most).max().unwrap_or(0)
    }
}

/// An element like the first: a text goes on, a number or whatever else is repeated.
fn element(first: Option<&Value>, piece: &str) -> Value {
    match first {
        Some(Value::String(text)) => Value::String(format!("{text}{piece}")),
        Some(other) => other.clone(),
        None => Value::String(piece.to_owned()),
    }
}

fn gather(value: &Value, named: Shape<'_>, pointer: &Pointer, found: &mut BTreeSet<Place>) {
    match value {
        Value::String(_) => {
            found.insert(Place { pointer: pointer.clone(), grows: Grows::Text });
        }
        Value::Array(items) if !items.is_empty() => {
            found.insert(Place { pointer: pointer.clone(), grows: Grows::List });
        }
        Value::Object(members) => {
            for (name, member) in members {
                if let Some(named) = named.member(name) {
                    gather(member, named, &pointer.child(name.as_str()), found);
                }
            }
        }
        Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tribunal::core::pack::shape::ShapeTable;

    use super::*;

    fn of(request: &Value) -> BTreeSet<Place> {
        let everything = ShapeTable::everything();
        Place::of(request, everything.root())
    }

    #[test]
    fn texts_and_lists_grow_by_what_is_asked() {
        let request = json!({"a": "https://h/", "b": {"c": ["x"]}, "n": 1});
        let letters = &BENIGN[0];
        let sizes: Vec<_> = of(&request)
            .iter()
            .map(|place| (place.to_string(), place.grow(&request, letters, 3).unwrap()))
            .collect();
        assert_eq!(
            sizes,
            [
                ("`/a`".to_owned(), json!({"a": "https://h/aaa", "b": {"c": ["x"]}, "n": 1})),
                (
                    "elements of `/b/c`".to_owned(),
                    json!({"a": "https://h/", "b": {"c": ["x", "xa", "xa", "xa"]}, "n": 1})
                ),
            ]
        );
    }

    #[test]
    fn what_is_most_is_found_within_a_little() {
        let request = json!({"a": "x"});
        let place = of(&request).pop_first().unwrap();
        let most = place.most(&request, |grown| grown["a"].as_str().unwrap().len() <= 2_048);
        // A fill of longer units leaves room for nearly one of them.
        assert!((2_000..2_048 + 64).contains(&most), "{most}");
        assert!(place.most(&request, |grown| *grown == request) < 64);
    }
}
