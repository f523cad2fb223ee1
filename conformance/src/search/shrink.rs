//! The smallest request on which members still differ in the same way.

use jiff::Timestamp;
use serde_json::Value;

use super::panel::Question;
use crate::case::suite::DEFAULT_NOW;

/// Questions asked before a request is left as large as it is.
const MOST_QUESTIONS: usize = 6_000;

/// Members, elements and characters of a request: what shrinking makes less.
pub fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 0,
        Value::Number(number) => number.to_string().len() - 1,
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.iter().map(|item| 1 + size(item)).sum(),
        Value::Object(members) => members.values().map(|member| 1 + size(member)).sum(),
    }
}

/// Members and elements of a request.
pub fn members(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(|item| 1 + members(item)).sum(),
        Value::Object(object) => object.values().map(|member| 1 + members(member)).sum(),
        _ => 0,
    }
}

/// Makes a question smaller as long as `differs` says that it is still an example of the same thing.
pub fn shrink(question: &Question, differs: impl Fn(&Question) -> bool) -> Question {
    let mut shrinking = Shrinking { best: question.clone(), differs, left: MOST_QUESTIONS };
    shrinking.simplify_around();
    loop {
        let before = shrinking.best.clone();
        shrinking.drop_members();
        shrinking.drop_pairs();
        shrinking.simplify_values();
        if shrinking.best == before || shrinking.left == 0 {
            return shrinking.best;
        }
    }
}

struct Shrinking<F> {
    best: Question,
    differs: F,
    left: usize,
}

/// A step of a path into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Element(usize),
}

impl<F: Fn(&Question) -> bool> Shrinking<F> {
    /// Keeps a smaller question if it still differs.
    fn keep_if_differs(&mut self, smaller: Question) -> bool {
        if self.left == 0 || smaller == self.best {
            return false;
        }
        self.left -= 1;
        let keeps = (self.differs)(&smaller);
        if keeps {
            self.best = smaller;
        }
        keeps
    }

    fn with_request(&self, request: Value) -> Question {
        Question { request, ..self.best.clone() }
    }

    /// No token and the usual instant, if they do not matter.
    fn simplify_around(&mut self) {
        let now: Timestamp = DEFAULT_NOW;
        self.keep_if_differs(Question { token: None, ..self.best.clone() });
        self.keep_if_differs(Question { now, ..self.best.clone() });
    }

    /// Leaves out one member or element after another, the largest first.
    fn drop_members(&mut self) {
        let mut paths = self.paths();
        paths.sort_by_key(|path| std::cmp::Reverse(at(&self.best.request, path).map_or(0, size)));
        for path in paths {
            let smaller = without(&self.best.request, &path);
            self.keep_if_differs(self.with_request(smaller));
        }
    }

    /// Two members may need each other: in a small request each pair is tried.
    fn drop_pairs(&mut self) {
        let paths = self.paths();
        if paths.len() > 14 {
            return;
        }
        for (index, one) in paths.iter().enumerate() {
            for other in paths.iter().skip(index + 1).rev() {
                // The later one first, so that the index of the earlier stays what it was.
                let smaller = without(&without(&self.best.request, other), one);
                if self.keep_if_differs(self.with_request(smaller)) {
                    return;
                }
            }
        }
    }

    fn simplify_values(&mut self) {
        for path in self.paths() {
            let Some(value) = at(&self.best.request, &path).cloned() else { continue };
            match value {
                Value::String(text) => self.shorten(&path, &text),
                Value::Number(number) => self.lower(&path, &number),
                Value::Bool(true) => {
                    self.put(&path, Value::Bool(false));
                }
                Value::Array(items) if !items.is_empty() => {
                    self.put(&path, Value::Array(Vec::new()));
                }
                Value::Object(members) if !members.is_empty() => {
                    self.put(&path, Value::Object(Default::default()));
                }
                _ => {}
            }
        }
    }

    fn put(&mut self, path: &[Step], value: Value) -> bool {
        let mut request = self.best.request.clone();
        match at_mut(&mut request, path) {
            Some(place) => *place = value,
            None => return false,
        }
        self.keep_if_differs(self.with_request(request))
    }

    /// Cuts pieces out of a text, halves first, then makes its characters plain.
    fn shorten(&mut self, path: &[Step], text: &str) {
        if text.is_empty() || self.put(path, Value::from("")) {
            return;
        }
        let mut chars: Vec<char> = text.chars().collect();
        let mut piece = chars.len().div_ceil(2);
        loop {
            let mut start = 0;
            while start < chars.len() {
                let cut: Vec<char> = chars
                    .iter()
                    .enumerate()
                    .filter(|(index, _)| !(start..start + piece).contains(index))
                    .map(|(_, char)| *char)
                    .collect();
                if cut.len() < chars.len() && self.put(path, Value::from(cut.iter().collect::<String>())) {
                    chars = cut;
                } else {
                    start += piece;
                }
            }
            if piece == 1 {
                break;
            }
            piece = piece.div_ceil(2);
        }
        for index in 0..chars.len() {
            for plain in ['a', 'b', '0'] {
                let mut simpler = chars.clone();
                let Some(place) = simpler.get_mut(index).filter(|char| !['a', 'b', '0'].contains(*char))
                else {
                    break;
                };
                *place = plain;
                if self.put(path, Value::from(simpler.iter().collect::<String>())) {
                    chars = simpler;
                    break;
                }
            }
        }
    }

    /// Brings a number nearer to zero.
    fn lower(&mut self, path: &[Step], number: &serde_json::Number) {
        let Some(mut integer) = number.as_i64() else {
            let whole = number.as_f64().map_or(0, |float| float as i64);
            let _ = [0, 1, whole].into_iter().any(|simple| self.put(path, Value::from(simple)));
            return;
        };
        if integer != 0 && self.put(path, Value::from(0)) {
            return;
        }
        if integer < 0 && self.put(path, Value::from(integer.saturating_neg())) {
            integer = integer.saturating_neg();
        }
        let mut step = integer / 2;
        while step != 0 {
            let lower = integer - step;
            if self.put(path, Value::from(lower)) {
                integer = lower;
            } else {
                step /= 2;
            }
        }
    }

    /// Every path of the request but the root, parents before their children.
    fn paths(&self) -> Vec<Vec<Step>> {
        let mut found = Vec::new();
        collect(&self.best.request, &mut Vec::new(), &mut found);
        found
    }
}

fn collect(value: &Value, path: &mut Vec<Step>, found: &mut Vec<Vec<Step>>) {
    let mut visit = |step: Step, child: &Value| {
        path.push(step);
        found.push(path.clone());
        collect(child, path, found);
        path.pop();
    };
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, child)| visit(Step::Member(name.clone()), child));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, child)| visit(Step::Element(index), child));
        }
        _ => {}
    }
}

fn at<'v>(value: &'v Value, path: &[Step]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Member(name) => value.get(name),
        Step::Element(index) => value.get(index),
    })
}

fn at_mut<'v>(value: &'v mut Value, path: &[Step]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Member(name) => value.get_mut(name),
        Step::Element(index) => value.get_mut(index),
    })
}

/// The value without what stands at a path; itself if nothing does.
fn without(value: &Value, path: &[Step]) -> Value {
    let mut value = value.clone();
    if let Some((last, parents)) = path.split_last() {
        match (at_mut(&mut value, parents), last) {
            (Some(Value::Object(members)), Step::Member(name)) => {
                members.remove(name);
            }
            (Some(Value::Array(items)), Step::Element(index)) if *index < items.len() => {
                items.remove(*index);
            }
            _ => {}
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shrunk(request: Value, differs: impl Fn(&Value) -> bool) -> Value {
        let question = Question { request, now: DEFAULT_NOW, token: None };
        assert!(differs(&question.request));
        shrink(&question, |question| differs(&question.request)).request
    }

    #[test]
    fn what_does_not_matter_goes() {
        let request =
            json!({"a": {"b": [1, 2, {"c": "the needle here"}], "d": 77}, "e": "noise", "f": [true]});
        let found = shrunk(request, |value| value.to_string().contains("needle"));
        assert_eq!(found, json!({"a": {"b": [{"c": "needle"}]}}));
        assert_eq!((members(&found), size(&found)), (4, 10));
    }

    #[test]
    fn numbers_and_texts_end_at_their_bounds() {
        let found = shrunk(json!({"n": 982_451, "t": "zzzzzzzzzz", "o": 1}), |value| {
            value["n"].as_i64().is_some_and(|n| n > 100) && value["t"].as_str().is_some_and(|t| t.len() >= 3)
        });
        assert_eq!(found, json!({"n": 101, "t": "aaa"}));
    }

    #[test]
    fn members_that_need_each_other_go_together() {
        let found = shrunk(json!({"a": 1, "b": 1, "c": 1}), |value| {
            value.get("c").is_some() && value.get("a").is_some() == value.get("b").is_some()
        });
        assert_eq!(found, json!({"c": 0}));
    }
}
