//! What requests are made of: the pack's cases, its input schema and data, and the words of every engine's policy.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan};
use serde_json::Value;
use tribunal::core::contract::request::DERIVED;
use tribunal::core::contract::{Pointer, Token};
use tribunal::core::engine::{Form, Literal, Vocabulary};
use tribunal::core::pack::PackSource;

use super::inverse::{self, Behind};
use super::panel::Question;
use super::place::{ANY, Edge, Place, Seed, SeedKind};
use super::text::Sampler;
use crate::case::Case;

/// Everything a generator chooses from. Built once for a search, and the same for the same pack.
#[derive(Debug)]
pub struct Material {
    /// The cases' questions.
    pub(super) bases: Vec<Question>,
    /// Where requests can be changed.
    pub(super) places: Vec<Place>,
    /// Texts of the policies, the data and the cases.
    pub(super) words: Vec<String>,
    /// What grows anywhere.
    pub(super) seeds: Vec<Seed>,
    /// Tokens to show.
    pub(super) tokens: Vec<Option<Token>>,
    /// Instants to decide for.
    pub(super) instants: Vec<Timestamp>,
    /// The input schema, for requests that no case begins.
    pub(super) schema: Option<Value>,
    /// How many literals the policies have.
    pub(super) literals: usize,
}

/// How often a place is chosen: one that policies read, one that the schema names, one that only a case has.
const READ: u32 = 12;
const NAMED: u32 = 4;
const SEEN: u32 = 1;

/// Most values of cases and of the data that are kept for one place, and as words.
const MOST_SEEDS: usize = 96;
const MOST_WORDS: usize = 400;

/// A member is hardly derived through more members than these.
const MOST_STEPS: usize = 8;

impl Material {
    /// Gathers what there is. `vocabularies` are those of the engines, in the order of the panel; the literals are counted
    /// through all of them, rule by rule, so that their numbers are those of [`literals`].
    ///
    /// With several packs (two versions of one) the first says what a request looks like, and all of them what may stand in it.
    pub fn gather(
        packs: &[&PackSource],
        cases: &[Case],
        vocabularies: &[Vocabulary],
        tokens: impl IntoIterator<Item = Token>,
    ) -> Option<Self> {
        let pack = *packs.first()?;
        let mut gathering =
            Gathering { pack, places: BTreeMap::new(), words: BTreeSet::new(), seeds: Vec::new() };
        for schema in packs.iter().filter_map(|pack| pack.input_schema.as_ref()) {
            gathering.schema(schema.document(), schema.document(), &mut Vec::new(), 12);
        }
        let mut literals = 0;
        for rule in vocabularies.iter().flat_map(|vocabulary| &vocabulary.rules) {
            for read in &rule.reads {
                gathering.read(read);
            }
            for literal in &rule.literals {
                gathering.literal(literal, literals);
                literals += 1;
            }
        }
        for pack in packs {
            gathering.derived(pack);
            gathering.data(&pack.data);
        }
        for case in cases {
            gathering.seen(&case.request, &mut Vec::new());
        }
        let bases: Vec<Question> = cases
            .iter()
            .map(|case| Question { request: case.request.clone(), now: case.now, token: case.token.clone() })
            .collect();
        let shown = bases.iter().map(|base| base.token.clone()).chain(tokens.into_iter().map(Some));
        let mut distinct: Vec<Option<Token>> = Vec::new();
        for token in shown.chain([None]) {
            if !distinct.contains(&token) {
                distinct.push(token);
            }
        }
        let instants: BTreeSet<Timestamp> = bases.iter().map(|base| base.now).collect();
        Some(Self {
            instants: around(instants),
            tokens: distinct,
            bases,
            places: gathering.places.into_iter().map(|(tokens, place)| Place { tokens, ..place }).collect(),
            words: gathering.words.into_iter().take(MOST_WORDS).collect(),
            seeds: gathering.seeds,
            schema: pack.input_schema.as_ref().map(|schema| schema.document().clone()),
            literals: literals as usize,
        })
    }
}

/// Every literal of the vocabularies in the order in which a search numbers them: the vocabulary it stands in, its rule,
/// itself.
pub fn literals(vocabularies: &[Vocabulary]) -> impl Iterator<Item = (usize, &str, &Literal)> {
    vocabularies.iter().enumerate().flat_map(|(owner, vocabulary)| {
        vocabulary.rules.iter().flat_map(move |rule| {
            rule.literals.iter().map(move |literal| (owner, rule.rule.as_str(), literal))
        })
    })
}

/// Instants near those of the cases: seconds, hours, days and a year apart.
fn around(instants: BTreeSet<Timestamp>) -> Vec<Timestamp> {
    let mut all = instants.clone();
    for instant in instants {
        for span in [
            1.second(),
            (-1).second(),
            1.hour(),
            7.hours(),
            13.hours(),
            24.hours(),
            72.hours(),
            8_760.hours(),
        ] {
            all.extend(instant.checked_add(span).ok());
        }
    }
    all.into_iter().collect()
}

struct Gathering<'p> {
    pack: &'p PackSource,
    places: BTreeMap<Vec<String>, Place>,
    words: BTreeSet<String>,
    seeds: Vec<Seed>,
}

impl Gathering<'_> {
    fn place(&mut self, tokens: &[String], weight: u32) -> &mut Place {
        let place = self.places.entry(tokens.to_vec()).or_insert_with(|| Place {
            tokens: tokens.to_vec(),
            weight,
            seeds: Vec::new(),
            kinds: Vec::new(),
            is_required: false,
        });
        place.weight = place.weight.max(weight);
        place
    }

    fn sow(&mut self, tokens: &[String], weight: u32, kind: SeedKind, literal: Option<u32>) {
        let place = self.place(tokens, weight);
        if place.seeds.len() < MOST_SEEDS || literal.is_some() {
            place.seeds.push(Seed { kind, literal });
        }
    }

    /// A member that a policy reads: if the host derived it, the member it was derived from.
    fn read(&mut self, read: &Pointer) {
        if let Some(source) = source(self.pack, read.tokens()) {
            self.place(&source, READ);
        }
    }

    fn literal(&mut self, literal: &Literal, number: u32) {
        self.word(&literal.value);
        let Some(kind) = seed_of(literal) else { return };
        self.seeds.push(Seed { kind: kind.clone(), literal: Some(number) });
        if let Some(place) = &literal.place {
            self.sow_behind(self.pack, place.tokens(), kind, Some(number));
        }
    }

    /// Sows at a place of the prepared request: where the host derived it, at what it was derived from, what gives that.
    fn sow_behind(&mut self, pack: &PackSource, tokens: &[String], kind: SeedKind, literal: Option<u32>) {
        let mut waiting = vec![(tokens.to_vec(), kind, MOST_STEPS)];
        while let Some((tokens, kind, steps)) = waiting.pop() {
            let [first, name, within @ ..] = tokens.as_slice() else {
                // The record of derived members itself is the host's.
                if tokens.first().is_none_or(|first| first != DERIVED) {
                    self.sow(&tokens, READ, kind, literal);
                }
                continue;
            };
            if first != DERIVED {
                self.sow(&tokens, READ, kind, literal);
                continue;
            }
            let spec = pack.manifest.derive.get(name);
            let (Some(spec), Some(steps)) = (spec, steps.checked_sub(1)) else { continue };
            let Some(source) = spec.source() else { continue };
            for Behind { below, kind } in inverse::behind(spec, within, kind) {
                waiting.push((source.tokens().iter().cloned().chain(below).collect(), kind, steps));
            }
        }
    }

    /// What stands only in the pack's `derive:`.
    fn derived(&mut self, pack: &PackSource) {
        for spec in pack.manifest.derive.values() {
            let Some(source) = spec.source() else { continue };
            for kind in inverse::own(spec, &pack.data) {
                self.sow_behind(pack, source.tokens(), kind, None);
            }
        }
    }

    fn data(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    self.words.insert(name.clone());
                    self.data(member);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.data(item)),
            Value::Number(_) => {
                if self.seeds.len() < MOST_WORDS {
                    self.seeds.push(Seed { kind: SeedKind::Bound(value.clone()), literal: None });
                }
            }
            other => self.word(other),
        }
    }

    fn word(&mut self, value: &Value) {
        if let Value::String(text) = value
            && text.len() <= 256
            && self.words.len() < MOST_WORDS
        {
            self.words.insert(text.clone());
        }
    }

    /// The places of a case's request, and what stands there.
    fn seen(&mut self, value: &Value, tokens: &mut Vec<String>) {
        self.word(value);
        if !tokens.is_empty() {
            let place = self.place(tokens, SEEN);
            let is_new = |seed: &Seed| !matches!(&seed.kind, SeedKind::Value(other) if other == value);
            if place.seeds.len() < MOST_SEEDS && place.seeds.iter().all(is_new) {
                place.seeds.push(Seed { kind: SeedKind::Value(value.clone()), literal: None });
            }
        }
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    tokens.push(name.clone());
                    self.seen(member, tokens);
                    tokens.pop();
                }
            }
            Value::Array(items) => {
                for item in items {
                    tokens.push(ANY.to_owned());
                    self.seen(item, tokens);
                    tokens.pop();
                }
            }
            _ => {}
        }
    }

    /// The places that a schema names, and the values at its edges.
    fn schema(&mut self, root: &Value, schema: &Value, tokens: &mut Vec<String>, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        if !tokens.is_empty() {
            let is_record = schema.get("properties").is_some();
            // A constant has one value, and a record is changed in its members.
            let weight = if is_record || schema.get("const").is_some() { SEEN } else { NAMED };
            let place = self.place(tokens, weight);
            match schema.get("type") {
                Some(Value::String(kind)) => place.kinds.push(kind.clone()),
                Some(Value::Array(kinds)) => {
                    place.kinds.extend(kinds.iter().filter_map(Value::as_str).map(str::to_owned));
                }
                _ => {}
            }
            if schema.get("const").is_some_and(Value::is_string) {
                place.kinds.push("string".to_owned());
            }
            let values = schema.get("const").into_iter().chain(list(schema, "enum"));
            for value in values.cloned().collect::<Vec<_>>() {
                self.word(&value);
                self.sow(tokens, SEEN, SeedKind::Value(value), None);
            }
            for key in [
                "minimum",
                "maximum",
                "exclusiveMinimum",
                "exclusiveMaximum",
                "minLength",
                "maxLength",
                "minItems",
                "maxItems",
            ] {
                if let Some(bound) = schema.get(key).filter(|bound| bound.is_number()) {
                    self.sow(tokens, NAMED, SeedKind::Bound(bound.clone()), None);
                }
            }
            if let Some(sampler) = schema.get("pattern").and_then(Value::as_str).and_then(Sampler::new) {
                self.sow(tokens, NAMED, SeedKind::Regex { sampler, fill: None }, None);
            }
        }
        for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            tokens.push(name.clone());
            self.schema(root, member, tokens, depth);
            if list(schema, "required").any(|required| required == name) {
                self.place(tokens, SEEN).is_required = true;
            }
            tokens.pop();
        }
        if let Some(items) = schema.get("items") {
            tokens.push(ANY.to_owned());
            self.schema(root, items, tokens, depth);
            tokens.pop();
        }
        for key in ["allOf", "anyOf", "oneOf"] {
            for part in list(schema, key) {
                self.schema(root, part, tokens, depth);
            }
        }
        if let Some(target) = referred(root, schema) {
            self.schema(root, target, tokens, depth);
        }
    }
}

/// The place of the request behind a place of the prepared request; `None` for what comes from no place.
fn source(pack: &PackSource, tokens: &[String]) -> Option<Vec<String>> {
    let mut tokens = tokens;
    // A derived member may be derived from another; the plan has no circles, so this ends.
    for _ in 0..MOST_STEPS {
        let [first, name, ..] = tokens else { break };
        if first != DERIVED {
            break;
        }
        tokens = pack.manifest.derive.get(name)?.source()?.tokens();
    }
    // The record of derived members itself is the host's.
    tokens.first().is_none_or(|first| first != DERIVED).then(|| tokens.to_vec())
}

/// The schema that `$ref` leads to.
pub(super) fn referred<'s>(root: &'s Value, schema: &Value) -> Option<&'s Value> {
    root.pointer(schema.get("$ref")?.as_str()?.strip_prefix('#')?)
}

pub(super) fn list<'s>(schema: &'s Value, key: &str) -> impl Iterator<Item = &'s Value> + use<'s> {
    schema.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn seed_of(literal: &Literal) -> Option<SeedKind> {
    let text = |at| literal.value.as_str().map(|text| SeedKind::Text { text: text.to_owned(), at });
    match &literal.form {
        Form::Prefix => text(Edge::Start),
        Form::Suffix => text(Edge::End),
        Form::Infix => text(Edge::Inside),
        Form::Glob(delimiters) => literal
            .value
            .as_str()
            .map(|pattern| SeedKind::Glob { pattern: pattern.to_owned(), delimiters: delimiters.clone() }),
        Form::Like => literal.value.as_str().map(|pattern| SeedKind::Like(pattern.to_owned())),
        Form::Regex => match literal.value.as_str().and_then(Sampler::new) {
            Some(sampler) => Some(SeedKind::Regex { sampler, fill: None }),
            None => text(Edge::Whole),
        },
        Form::Name => literal.value.as_str().map(|name| SeedKind::Name(name.to_owned())),
        Form::Bound => Some(SeedKind::Bound(literal.value.clone())),
        Form::Whole | Form::Element | Form::Other => match &literal.value {
            Value::String(_) => text(Edge::Whole),
            Value::Number(_) => Some(SeedKind::Bound(literal.value.clone())),
            other => Some(SeedKind::Value(other.clone())),
        },
    }
}
