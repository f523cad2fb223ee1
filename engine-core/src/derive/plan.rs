//! Declarations compiled at load, in the order in which they need each other.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::function::Function;
use super::spec::DeriveSpec;
use crate::contract::Pointer;
use crate::contract::request::DERIVED;
use crate::document::{Document, with_nearest};
use crate::engine::{LoadError, LoadErrorKind, LoadErrors};
use crate::fault::{Fault, FaultKind};

/// What a pack derives from each request.
#[derive(Debug, Clone, Default)]
pub struct DerivePlan {
    steps: Vec<(String, Function)>,
}

impl DerivePlan {
    /// Compiles the declarations of a manifest; `document` is the manifest, for places.
    ///
    /// # Errors
    /// Every pattern that does not compile, every group, zone or derived source that does not exist, and circles.
    pub fn compile(specs: &BTreeMap<String, DeriveSpec>, document: &Document) -> Result<Self, LoadErrors> {
        let mut errors = Vec::new();
        let mut waiting: Vec<(String, Function)> = Vec::new();
        for (name, spec) in specs {
            match Function::compile(spec) {
                Ok(function) => waiting.push((name.clone(), function)),
                Err((key, message)) => {
                    errors.push(document.error(LoadErrorKind::Invalid, &place(spec, name, key), message))
                }
            }
        }
        for (name, function) in &waiting {
            let Some(source) = function.source.as_ref().filter(|source| is_derived(source)) else { continue };
            let Some(needed) = derived_source(source) else {
                let message = format!("`{source}` is not a derived member: write `/{DERIVED}/name`");
                errors.push(document.error(LoadErrorKind::Invalid, &place_of(name, specs), message));
                continue;
            };
            if !specs.contains_key(needed) {
                let known: Vec<String> = specs.keys().cloned().collect();
                let at = place_of(name, specs);
                errors.push(with_nearest(
                    document.error(LoadErrorKind::Invalid, &at, format!("`{needed}` is not derived")),
                    needed,
                    &known,
                ));
            }
        }
        LoadErrors::check(errors)?;
        let mut steps: Vec<(String, Function)> = Vec::new();
        while !waiting.is_empty() {
            let is_ready = |(_, function): &(String, Function)| {
                let needed = function.source.as_ref().and_then(derived_source);
                needed.is_none_or(|needed| steps.iter().any(|(name, _)| name == needed))
            };
            let (ready, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_ready);
            if ready.is_empty() {
                let circle: Vec<LoadError> = rest
                    .iter()
                    .map(|(name, _)| {
                        let at = place_of(name, specs);
                        document.error(
                            LoadErrorKind::Invalid,
                            &at,
                            format!("`{name}` is derived from itself"),
                        )
                    })
                    .collect();
                LoadErrors::check(circle)?;
                break;
            }
            steps.extend(ready);
            waiting = rest;
        }
        Ok(Self { steps })
    }

    /// Whether there is nothing to derive.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The payload with its derived members; borrowed where the pack derives nothing.
    ///
    /// # Errors
    /// [`FaultKind::Derive`] for a source that cannot be read. The detail names it and does not quote it.
    pub fn apply<'p>(&self, payload: &'p Value, now: Timestamp) -> Result<Cow<'p, Value>, Fault> {
        if self.is_empty() {
            return Ok(Cow::Borrowed(payload));
        }
        let mut derived = Map::new();
        for (name, function) in &self.steps {
            let source = match &function.source {
                None => None,
                Some(pointer) => match lookup(pointer, payload, &derived) {
                    Some(value) => Some(value),
                    None => continue,
                },
            };
            let member = function.call(source, now).map_err(|why| {
                let source = function.source.as_ref().map_or_else(String::new, Pointer::to_string);
                Fault::new(FaultKind::Derive, format!("`{name}`: `{source}` {why}"))
            })?;
            if let Some(member) = member {
                derived.insert(name.clone(), member);
            }
        }
        let mut payload = payload.clone();
        if let Some(members) = payload.as_object_mut() {
            members.insert(DERIVED.to_owned(), Value::Object(derived));
        }
        Ok(Cow::Owned(payload))
    }
}

fn is_derived(pointer: &Pointer) -> bool {
    pointer.tokens().first().is_some_and(|first| first == DERIVED)
}

/// The derived member a pointer leads to, if it leads to one.
fn derived_source(pointer: &Pointer) -> Option<&str> {
    match pointer.tokens() {
        [first, name] if first == DERIVED => Some(name),
        _ => None,
    }
}

fn lookup<'v>(pointer: &Pointer, payload: &'v Value, derived: &'v Map<String, Value>) -> Option<&'v Value> {
    match derived_source(pointer) {
        Some(name) => derived.get(name),
        None => pointer.get(payload),
    }
}

fn place_of(name: &str, specs: &BTreeMap<String, DeriveSpec>) -> Pointer {
    specs.get(name).map_or_else(|| Pointer::from_tokens(["derive", name]), |spec| place(spec, name, "source"))
}

fn place(spec: &DeriveSpec, name: &str, key: &str) -> Pointer {
    let function = match spec {
        DeriveSpec::Regex(_) => "regex",
        DeriveSpec::Lower(_) => "lower",
        DeriveSpec::Length(_) => "length",
        DeriveSpec::Url(_) => "url",
        DeriveSpec::Time(_) => "time",
    };
    Pointer::from_tokens(["derive", name, function, key])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plan(yaml: &str) -> Result<DerivePlan, LoadErrors> {
        let document = Document::parse("pack.yaml", yaml.as_bytes())?;
        let specs = serde_json::from_value(document.value["derive"].clone()).unwrap();
        DerivePlan::compile(&specs, &document)
    }

    fn derive(yaml: &str, payload: &Value) -> Result<Value, Fault> {
        let now = "2026-11-21T23:30:05Z".parse().unwrap();
        Ok(plan(yaml).unwrap().apply(payload, now)?["derived"].clone())
    }

    #[test]
    fn members_are_derived_as_declared() {
        let yaml = r"
derive:
  class: {regex: {source: /subject/id, pattern: '^spiffe://[^/]+/agents/(?P<class>[^/]+)/', capture: class}}
  known: {regex: {source: /derived/class, pattern: '^res', }}
  first: {regex: {source: /subject/id, pattern: '^(s)(x)?', capture: 2}}
  lower: {lower: {source: /name}}
  chars: {length: {source: /name}}
  items: {length: {source: /list}}
  none: {length: {source: /absent}}
  host: {url: {source: /url, part: host}}
  port: {url: {source: /url, part: port}}
  query: {url: {source: /url, part: query}}
  hour: {time: {part: hour, zone: Europe/Zurich}}
  weekday: {time: {part: weekday}}
  day: {time: {part: day, source: /when}}
";
        let payload = json!({
            "subject": {"id": "spiffe://poc.local/agents/researcher/dev"}, "name": "ÄÖß", "list": [1, 2],
            "url": "HTTPS://user@EXAMPLE.org/%41", "when": "2026-01-02T03:04:05+02:00",
        });
        assert_eq!(
            derive(yaml, &payload).unwrap(),
            json!({
                "class": "researcher", "known": true, "lower": "äöß", "chars": 3, "items": 2, "host": "example.org",
                "port": 443, "hour": 0, "weekday": 6, "day": 2,
            })
        );
    }

    #[test]
    fn a_source_of_another_type_is_a_fault() {
        for (yaml, payload) in [
            ("derive: {a: {lower: {source: /x}}}", json!({"x": 1})),
            ("derive: {a: {length: {source: /x}}}", json!({"x": true})),
            ("derive: {a: {url: {source: /x, part: host}}}", json!({"x": "not a url"})),
            ("derive: {a: {time: {source: /x, part: day}}}", json!({"x": "yesterday"})),
            ("derive: {a: {regex: {source: /x, pattern: a}}}", json!({"x": null})),
        ] {
            assert_eq!(derive(yaml, &payload).unwrap_err().kind, FaultKind::Derive, "{yaml}");
        }
    }

    #[test]
    fn what_cannot_work_is_refused_at_load() {
        for (yaml, says) in [
            (
                "derive: {a: {regex: {source: /x, pattern: '('}}}",
                "pack.yaml:1:34: the pattern does not compile",
            ),
            ("derive: {a: {regex: {source: /x, pattern: a, capture: 1}}}", "no such group"),
            ("derive: {a: {time: {part: day, zone: Mars/Base}}}", "no time zone `Mars/Base`"),
            (
                "derive: {a: {lower: {source: /derived/b/c}}, b: {lower: {source: /x}}}",
                "is not a derived member",
            ),
            (
                "derive: {aa: {lower: {source: /derived/ab}}, ac: {lower: {source: /x}}}",
                "`ab` is not derived",
            ),
            (
                "derive: {a: {lower: {source: /derived/b}}, b: {lower: {source: /derived/a}}}",
                "derived from itself",
            ),
        ] {
            let errors = plan(yaml).unwrap_err().to_string();
            assert!(errors.contains(says), "{yaml}: {errors}");
        }
    }
}
