//! Requests, made of material. Nothing here knows what an answer is.

use fastrand::Rng;
use serde_json::{Map, Value};
use tribunal::core::contract::json;

use super::material::{Material, list, referred};
use super::panel::Question;
use super::place::{self, ANY, Place, Seed};

/// Makes questions from material, and from questions that led somewhere before.
#[derive(Debug)]
pub struct Generator<'m> {
    material: &'m Material,
    /// The places' weights, summed up to each.
    weights: Vec<u32>,
    /// When the cases leave the instant alone, changing it is no use.
    rng: Rng,
    /// The literals used in the question under way.
    used: Vec<u32>,
}

/// Most changes made to one question at once.
const MOST_EDITS: u32 = 6;

impl<'m> Generator<'m> {
    /// A generator; the same seed makes the same questions.
    pub fn new(material: &'m Material, seed: u64) -> Self {
        let mut sum = 0;
        let weights = material.places.iter().map(|place| {
            sum += place.weight;
            sum
        });
        Self { material, weights: weights.collect(), rng: Rng::with_seed(seed), used: Vec::new() }
    }

    /// A question, made of a case, of a question in `corpus`, or of the schema alone.
    pub fn question(&mut self, corpus: &[Question]) -> Question {
        self.used.clear();
        let mut question = self.base(corpus);
        let mut edits = 1;
        while edits < MOST_EDITS && self.rng.u8(..5) < 2 {
            edits += 1;
        }
        for _ in 0..edits {
            self.edit(&mut question.request);
        }
        if self.material.tokens.len() > 1 && self.rng.u8(..4) == 0 {
            question.token = self.rng.choice(&self.material.tokens).cloned().flatten();
        }
        if self.rng.u8(..8) == 0
            && let Some(now) = self.rng.choice(&self.material.instants)
        {
            question.now = *now;
        }
        // As the front door does, so that what is explained and shrunk is what was asked.
        json::make_whole(&mut question.request);
        question
    }

    /// The literals that went into the last question, by their numbers.
    pub fn used(&self) -> &[u32] {
        &self.used
    }

    fn base(&mut self, corpus: &[Question]) -> Question {
        let bases = &self.material.bases;
        let from_corpus = !corpus.is_empty() && (bases.is_empty() || self.rng.bool());
        let chosen = if from_corpus { self.rng.choice(corpus) } else { self.rng.choice(bases) };
        match chosen {
            Some(base) if self.rng.u8(..32) > 0 => base.clone(),
            base => Question {
                request: self.fresh(),
                now: base.map_or(crate::case::suite::DEFAULT_NOW, |base| base.now),
                token: base.and_then(|base| base.token.clone()),
            },
        }
    }

    /// A request that the schema alone describes.
    fn fresh(&mut self) -> Value {
        match &self.material.schema {
            Some(schema) => self.instance(schema, schema, &mut Vec::new(), 12),
            None => Value::Object(Map::new()),
        }
    }

    fn instance(&mut self, root: &Value, schema: &Value, tokens: &mut Vec<String>, depth: usize) -> Value {
        let Some(depth) = depth.checked_sub(1) else { return Value::Null };
        if let Some(target) = referred(root, schema) {
            return self.instance(root, target, tokens, depth);
        }
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        if let Some(value) = self.rng.choice(list(schema, "enum").collect::<Vec<_>>()) {
            return value.clone();
        }
        for key in ["anyOf", "oneOf"] {
            if let Some(branch) = self.rng.choice(list(schema, key).collect::<Vec<_>>())
                && schema.get("properties").is_none()
            {
                return self.instance(root, branch, tokens, depth);
            }
        }
        let kind = match schema.get("type") {
            Some(Value::String(kind)) => kind.as_str(),
            Some(Value::Array(kinds)) => self.rng.choice(kinds).and_then(Value::as_str).unwrap_or("string"),
            _ if schema.get("properties").is_some() => "object",
            _ => "any",
        };
        match kind {
            "object" => self.record(root, schema, tokens, depth),
            "array" => {
                let count = self.rng.usize(..4);
                let items = schema.get("items").unwrap_or(&Value::Null);
                tokens.push(ANY.to_owned());
                let items = (0..count).map(|_| self.instance(root, items, tokens, depth)).collect();
                tokens.pop();
                Value::Array(items)
            }
            "null" => Value::Null,
            "boolean" => Value::Bool(self.rng.bool()),
            "integer" | "number" => {
                self.seeded(tokens, Value::is_number).unwrap_or_else(|| Value::from(self.rng.i64(-2..=10)))
            }
            "string" => self.seeded(tokens, Value::is_string).unwrap_or_else(|| {
                Value::from(self.rng.choice(&self.material.words).cloned().unwrap_or_else(|| "a".to_owned()))
            }),
            _ => place::any(&self.material.words, &mut self.rng),
        }
    }

    fn record(&mut self, root: &Value, schema: &Value, tokens: &mut Vec<String>, depth: usize) -> Value {
        let mut members = Map::new();
        let parts: Vec<&Value> = std::iter::once(schema)
            .chain(list(schema, "allOf").map(|part| referred(root, part).unwrap_or(part)))
            .collect();
        let required =
            |name: &str| parts.iter().any(|part| list(part, "required").any(|known| known == name));
        for part in &parts {
            for (name, member) in part.get("properties").and_then(Value::as_object).into_iter().flatten() {
                if required(name) || self.rng.bool() {
                    tokens.push(name.clone());
                    members.insert(name.clone(), self.instance(root, member, tokens, depth));
                    tokens.pop();
                }
            }
        }
        Value::Object(members)
    }

    /// A value of the wanted type from the seeds of a place.
    fn seeded(&mut self, tokens: &[String], fits: impl Fn(&Value) -> bool) -> Option<Value> {
        let at = self.material.places.iter().position(|place| place.tokens == tokens)?;
        let seeds = &self.material.places.get(at)?.seeds;
        let seed = self.rng.choice(seeds)?;
        let value = self.grow(seed, None);
        Some(value).filter(fits)
    }

    fn grow(&mut self, seed: &Seed, now: Option<&Value>) -> Value {
        self.used.extend(seed.literal);
        seed.grow(now, &self.material.words, &mut self.rng)
    }

    /// Changes a request in one place.
    fn edit(&mut self, request: &mut Value) {
        let Some(place) = self.place() else {
            *request = place::near(request, &self.material.words, &mut self.rng);
            return;
        };
        match self.rng.u8(..40) {
            0..=22 => self.plant(request, place),
            23..=29 => self.vary(request, place),
            30..=33 => self.remove(request, place),
            34..=36 => self.copy(request, place),
            37 => {
                let value = place::any(&self.material.words, &mut self.rng);
                self.put(request, place, value);
            }
            _ => self.plant_anything(request, place),
        }
    }

    fn place(&mut self) -> Option<&'m Place> {
        let sum = *self.weights.last()?;
        let wanted = self.rng.u32(..sum);
        let at = self.weights.partition_point(|weight| *weight <= wanted);
        self.material.places.get(at)
    }

    /// Puts something there that belongs there.
    fn plant(&mut self, request: &mut Value, place: &Place) {
        match self.rng.choice(&place.seeds) {
            Some(seed) => {
                let now = place::resolve(request, &place.tokens, &mut self.rng).cloned();
                let value = self.grow(seed, now.as_ref());
                self.put(request, place, value);
            }
            None => self.plant_anything(request, place),
        }
    }

    /// Puts something there that stands anywhere in the policies.
    fn plant_anything(&mut self, request: &mut Value, place: &Place) {
        let now = place::resolve(request, &place.tokens, &mut self.rng).cloned();
        let value = match self.rng.choice(&self.material.seeds) {
            Some(seed) => self.grow(seed, now.as_ref()),
            None => place::any(&self.material.words, &mut self.rng),
        };
        self.put(request, place, value);
    }

    fn vary(&mut self, request: &mut Value, place: &Place) {
        if let Some(value) = place::resolve(request, &place.tokens, &mut self.rng) {
            *value = place::near(value, &self.material.words, &mut self.rng);
        }
    }

    fn remove(&mut self, request: &mut Value, place: &Place) {
        if place.is_required && self.keeps_to_schema() {
            return self.vary(request, place);
        }
        let Some((last, parents)) = place.tokens.split_last() else { return };
        match place::resolve(request, parents, &mut self.rng) {
            Some(Value::Object(members)) => {
                members.remove(last);
            }
            Some(Value::Array(items)) if !items.is_empty() => {
                let at = self.rng.usize(..items.len());
                items.remove(at);
            }
            _ => {}
        }
    }

    /// Puts there what stands somewhere else in the request: policies compare members with each other.
    fn copy(&mut self, request: &mut Value, place: &Place) {
        let Some(other) = self.place() else { return };
        if let Some(value) = place::resolve(request, &other.tokens, &mut self.rng).cloned() {
            self.put(request, place, value);
        }
    }

    /// Whether a change is to stay within what the schema allows: what the host refuses, no engine sees.
    fn keeps_to_schema(&mut self) -> bool {
        self.rng.u8(..16) > 0
    }

    /// Puts a value at a place, making what lies on the way.
    fn put(&mut self, request: &mut Value, place: &Place, value: Value) {
        if !place.allows(&value) && self.keeps_to_schema() {
            return;
        }
        let mut target = request;
        for (index, token) in place.tokens.iter().enumerate() {
            let is_last = index + 1 == place.tokens.len();
            target = match target {
                Value::Object(members) => members.entry(token.as_str()).or_insert_with(|| {
                    match place.tokens.get(index + 1).map(String::as_str) {
                        Some(ANY) => Value::Array(Vec::new()),
                        Some(_) => Value::Object(Map::new()),
                        None => Value::Null,
                    }
                }),
                Value::Array(items) if token == ANY => {
                    if items.is_empty() || (is_last && self.rng.u8(..3) == 0) {
                        items.push(Value::Object(Map::new()));
                    }
                    let at = if is_last && self.rng.bool() {
                        items.len() - 1
                    } else {
                        self.rng.usize(..items.len())
                    };
                    match items.get_mut(at) {
                        Some(item) => item,
                        None => return,
                    }
                }
                _ => return,
            };
        }
        *target = value;
    }
}
